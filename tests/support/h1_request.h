/* Requests of HTTP/1.1 as a test's server reads them: as far as they must be understood to be told
 * apart, from a client that keeps the rules. Thread: owner. */
#ifndef TESTS_SUPPORT_H1_REQUEST_H
#define TESTS_SUPPORT_H1_REQUEST_H

#include "base/buf.h"

#include <stdbool.h>

enum h1_request_part {
    H1_REQUEST_HEAD,
    H1_REQUEST_BODY,
    H1_REQUEST_CHUNK_SIZE,
    H1_REQUEST_CHUNK,
    H1_REQUEST_TRAILERS
};

/* All zero at first. What comes is appended to @in. */
struct h1_request {
    struct wf_buf in;
    enum h1_request_part part; /* what is read now */
    size_t left;               /* of the body or the chunk, with its line end */
    size_t body_len;           /* octets of content, as announced so far */
    char path[128];
    bool expects_continue;
};

enum h1_request_step {
    H1_REQUEST_MORE,    /* octets must come first */
    H1_REQUEST_BEGUN,   /* its head is whole, and path is filled in */
    H1_REQUEST_COMPLETE /* all of it was read; the next call begins the next one */
};

enum h1_request_step h1_request_next(struct h1_request *request);
void h1_request_fini(struct h1_request *request);

#endif
