/* Other protocols, told by the first octets of a connection: what an HTTP/1.1 client meets on a
 * port that is not meant for it. Thread: any. */
#ifndef WF_H1_FOREIGN_H
#define WF_H1_FOREIGN_H

#include "base/alloc.h"
#include "base/slice.h"

/* Octets that are enough to tell. */
#define WF_H1_FOREIGN_LEN 9u

enum wf_h1_foreign {
    WF_H1_FOREIGN_NONE,    /* neither of these */
    WF_H1_FOREIGN_UNKNOWN, /* no beginning of HTTP/1.x; more octets will tell */
    WF_H1_FOREIGN_HTTP2,   /* the header of a first SETTINGS frame */
    WF_H1_FOREIGN_TLS      /* an alert: what we sent was no ClientHello */
};

/* @first: at least one octet, at most WF_H1_FOREIGN_LEN. */
WF_MUST_USE enum wf_h1_foreign wf_h1_foreign_of(struct wf_slice first);

#endif
