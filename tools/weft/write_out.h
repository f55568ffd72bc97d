/* The text that -w prints after each transfer. Thread: any. */
#ifndef WF_FETCH_WRITE_OUT_H
#define WF_FETCH_WRITE_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "weft/future.h"

/* What is known of a transfer when it is over; strings are never NULL. */
struct wf_fetch_result {
    const char *url;
    const char *method;
    const char *content_type; /* of the response; "" without */
    const char *filename;     /* "" for the standard output */
    const char *error;        /* "" when all went well */
    int exit_code;
    int status; /* 0: no response */
    size_t index;
    size_t field_count;
    uint64_t body_len;
    uint64_t upload_len;
    uint64_t time_ns;
    struct weft_timings timings;
};

/* Writes @format: %{name} is replaced, \n \r \t and \\ are what they are in C, %% is a percent
 * sign. A name that is not known becomes nothing, and is named on @warnings when that is not NULL.
 */
void wf_fetch_write_out(FILE *to, const char *format, const struct wf_fetch_result *result,
                        FILE *warnings);

#endif
