/* The lines of a message head (RFC 9112 sections 4 and 5), each whole and without its CRLF.
 * Functions return NULL, or what is wrong in words of static storage. Thread: any. */
#ifndef WF_H1_LINE_H
#define WF_H1_LINE_H

#include "base/alloc.h"
#include "base/slice.h"

#include <stdint.h>

struct wf_h1_status_line {
    uint16_t status; /* 100 to 599 */
    bool is_1_0;     /* HTTP/1.0 */
};

#define WF_H1_VERSION_PREFIX     "HTTP/1."
#define WF_H1_VERSION_PREFIX_LEN 7u
/* Index of the status code's first digit. */
#define WF_H1_STATUS_AT 9u

/* Without the space behind the code, too, which many servers leave out with the reason phrase. */
WF_MUST_USE const char *wf_h1_parse_status_line(struct wf_slice line,
                                                struct wf_h1_status_line *out);

/* @out_name as it came, letters of either case; @out_value without white space at its ends. */
WF_MUST_USE const char *wf_h1_parse_field_line(struct wf_slice line, struct wf_slice *out_name,
                                               struct wf_slice *out_value);

#endif
