/* The text that -w prints after each transfer. Thread: any. */
#ifndef WF_FETCH_WRITE_OUT_H
#define WF_FETCH_WRITE_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "weft/future.h"

/* What is known of a transfer when it is over; strings are never NULL. */
struct wf_fetch_result {
    const char *url; /* with what -G and -T add */
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
    uint64_t head_len; /* as -i prints it */
    uint64_t retries;  /* the library's and those of --retry */
    int verify_result; /* of the certificate; 0: it is good, or there is none */
    uint64_t time_ns;
    struct weft_timings timings;
    const struct weft_future *response; /* its fields; NULL: none */
};

/* Writes @format: %{name} and %header{name} are replaced, \n \r \t and \\ are what they are in C,
 * %% is a percent sign. What follows %{stderr} goes to @errors until %{stdout}. A name that is not
 * known becomes nothing, and is named on @warnings when that is not NULL. */
void wf_fetch_write_out(FILE *to, const char *format, const struct wf_fetch_result *result,
                        FILE *errors, FILE *warnings);

#endif
