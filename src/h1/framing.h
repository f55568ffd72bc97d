/* How long a response is and what becomes of its connection (RFC 9112 sections 6.3 and 9.3), told
 * by the fields that concern the connection. Whatever could be read in two ways is refused.
 * Thread: any. */
#ifndef WF_H1_FRAMING_H
#define WF_H1_FRAMING_H

#include "base/alloc.h"
#include "base/slice.h"

#include <stdint.h>

struct wf_h1_framing {
    int64_t content_length; /* -1: none was given */
    bool is_chunked;        /* transfer-encoding: chunked */
    bool wants_close;       /* connection: close */
    bool wants_keep_alive;  /* connection: keep-alive */
};

enum wf_h1_body { WF_H1_BODY_NONE, WF_H1_BODY_LENGTH, WF_H1_BODY_CHUNKED, WF_H1_BODY_UNTIL_CLOSE };

static inline void wf_h1_framing_init(struct wf_h1_framing *framing)
{
    *framing = (struct wf_h1_framing){.content_length = -1};
}

/* Notes what a header field says, @name in any case. NULL, or what is wrong. */
WF_MUST_USE const char *wf_h1_framing_note(struct wf_h1_framing *framing, struct wf_slice name,
                                           struct wf_slice value);

/* Whether the section is free of contradictions. NULL, or what is wrong. */
WF_MUST_USE const char *wf_h1_framing_check(const struct wf_h1_framing *framing, uint16_t status,
                                            bool is_1_0);

/* The body of a final response with @status to a request that was, or was not, HEAD. */
enum wf_h1_body wf_h1_framing_body(const struct wf_h1_framing *framing, uint16_t status,
                                   bool is_head);

/* Whether another request may follow on the connection, as far as the response has it. */
bool wf_h1_framing_keeps_alive(const struct wf_h1_framing *framing, uint16_t status, bool is_1_0);

#endif
