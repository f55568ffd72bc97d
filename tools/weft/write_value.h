/* The values of -w's variables. Thread: any. */
#ifndef WF_FETCH_WRITE_VALUE_H
#define WF_FETCH_WRITE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "write_out.h"

/* Writes the variable called @name; false: there is none. */
bool wf_fetch_write_value(FILE *to, const char *name, size_t len,
                          const struct wf_fetch_result *result);
/* All variables as one JSON object; a text that is empty is null. */
void wf_fetch_write_json(FILE *to, const struct wf_fetch_result *result);
/* The response's field lines as one JSON object of arrays, by name. */
void wf_fetch_write_header_json(FILE *to, const struct wf_fetch_result *result);
/* The value of the first field line called @name, whatever its case; nothing when there is none. */
void wf_fetch_write_header(FILE *to, const char *name, size_t len,
                           const struct wf_fetch_result *result);

#endif
