/* What the files of the session share. */
#ifndef WF_H1_SESSION_INTERNAL_H
#define WF_H1_SESSION_INTERNAL_H

#include "base/buf.h"
#include "h1/chunked.h"
#include "h1/foreign.h"
#include "h1/framing.h"
#include "h1/line.h"
#include "h1/section.h"
#include "h1/session.h"

/* All sections of one response together, in multiples of max_header_list_size; as for HTTP/2. */
#define WF_H1_SECTIONS_FACTOR 2u

enum wf_h1_recv_state {
    WF_H1_IDLE, /* no request is being answered */
    WF_H1_STATUS_LINE,
    WF_H1_FIELDS,
    WF_H1_CONTENT, /* as body says */
    WF_H1_TRAILERS,
    WF_H1_COMPLETE, /* the event is due */
    WF_H1_FAILED,   /* the event is due */
    WF_H1_DEAD
};

struct wf_h1_session {
    struct wf_h1_config config;

    /* The response. */
    enum wf_h1_recv_state state;
    bool is_ready;                    /* a status line has come, ever */
    uint8_t first[WF_H1_FOREIGN_LEN]; /* octets of a connection that does not begin as HTTP/1.x */
    uint8_t first_len;
    struct wf_buf line; /* the beginning of a line whose end has not come */
    size_t head_len;    /* octets of this section, as they came */
    uint64_t sections_size;
    uint32_t informational;
    bool has_begun; /* a final status line, were it by its first digit */
    struct wf_h1_status_line status;
    struct wf_h1_section section;
    struct wf_field_section view; /* of it, for the event */
    struct wf_h1_framing framing;
    enum wf_h1_body body;
    uint64_t content_left;
    struct wf_h1_chunked chunked;
    struct wf_h1_err error;

    /* The request. */
    bool is_head;
    bool was_sent;
    uint64_t sent_len; /* octets of it that were handed to the transport */
    bool has_ended;    /* all of it was given to us */
    bool in_chunks;
    bool body_pending;  /* given and not reported as sent */
    uint64_t body_left; /* octets that content-length promises; not in_chunks */
    struct wf_buf out;  /* head, chunk size lines, trailers: before send_body */
    struct wf_slice send_body;
    char tail[8]; /* after send_body */
    uint8_t tail_start;
    uint8_t tail_len;
};

/* session_recv.c */

/* The connection's error, once; it is the session's last event. */
void wf_h1_fail(struct wf_h1_session *s, struct wf_h1_err err);
/* What came is no HTTP/1.x, and perhaps something that can be named. */
void wf_h1_fail_foreign(struct wf_h1_session *s, enum wf_h1_foreign foreign);

/* session_send.c */

/* Forgets what of the request is not written. */
void wf_h1_drop_output(struct wf_h1_session *s);

#endif
