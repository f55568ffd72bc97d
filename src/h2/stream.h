/* One stream: its state (RFC 9113 section 5.1) and what the session keeps about it.
 * Thread: owner of the session. */
#ifndef WF_H2_STREAM_H
#define WF_H2_STREAM_H

#include "base/assert.h"
#include "base/list.h"
#include "h2/flow.h"
#include "h2/frame.h"
#include "h2/growth.h"
#include "h2/session.h"

enum wf_h2_stream_state {
    WF_H2_IDLE,
    WF_H2_RESERVED_LOCAL,
    WF_H2_RESERVED_REMOTE,
    WF_H2_OPEN,
    WF_H2_HALF_CLOSED_LOCAL,
    WF_H2_HALF_CLOSED_REMOTE,
    WF_H2_CLOSED,
    WF_H2_STREAM_STATES
};

/* What moves a stream. END_STREAM is an event of its own, after that of the frame which carries it;
 * PUSH_PROMISE stands for the promised stream. */
enum wf_h2_stream_event {
    WF_H2_SEND_PUSH_PROMISE,
    WF_H2_SEND_HEADERS,
    WF_H2_SEND_DATA,
    WF_H2_SEND_END_STREAM,
    WF_H2_SEND_RST_STREAM,
    WF_H2_SEND_WINDOW_UPDATE,
    WF_H2_SEND_PRIORITY,
    WF_H2_RECV_PUSH_PROMISE,
    WF_H2_RECV_HEADERS,
    WF_H2_RECV_DATA,
    WF_H2_RECV_END_STREAM,
    WF_H2_RECV_RST_STREAM,
    WF_H2_RECV_WINDOW_UPDATE,
    WF_H2_RECV_PRIORITY,
    WF_H2_STREAM_EVENTS
};

/* One cell of the table: the next state, or the error that the event is. For an event of ours,
 * which no peer can cause, scope is WF_H2_SCOPE_CONNECTION and code is INTERNAL_ERROR. */
struct wf_h2_stream_move {
    _Alignas(4) uint8_t next; /* enum wf_h2_stream_state */
    uint8_t scope;            /* enum wf_h2_scope */
    uint8_t code;             /* enum wf_h2_code */
};

/* Rows and cells are padded to powers of two, so that a lookup is a shift and a load. */
extern const struct wf_h2_stream_move wf_h2_stream_moves[WF_H2_STREAM_STATES][16];

struct wf_h2_stream {
    struct wf_h2_stream *hash_next; /* in its bucket, or in the free list */
    struct wf_node node; /* in one of the session's lists: to send, sent, ending; or none */
    void *user;
    const uint8_t *body; /* not yet in a DATA frame; borrowed */
    size_t body_left;
    uint64_t body_sent;       /* octets of content in DATA frames */
    uint64_t headers_at : 56; /* position in the output of its first HEADERS frame; client only */
    uint64_t weight : 8;      /* this and the next two: its PRIORITY, of no consequence */
    uint32_t depends_on : 31;
    uint32_t exclusive : 1;
    uint32_t sections_size; /* of all header sections so far */
    union {
        int64_t content_left; /* octets of content that the peer still owes; -1: unknown */
        const char *reason;   /* once ended */
    };
    union {
        uint32_t informational; /* 1xx responses so far */
        uint32_t end_code;      /* once ended */
    };
    uint32_t id;
    int32_t send_window;
    struct wf_h2_recv_window recv_window;
    bool end_after_body : 1;
    bool reports_body : 1;  /* BODY_SENT is owed for the last wf_h2_session_send_body() */
    bool message_began : 1; /* a final response came (client), a request (server) */
    bool is_head : 1;       /* the response to this request has no content */
    bool ended : 1;         /* it waits to be reported, and is in no table any more */
    uint8_t end : 4;        /* enum wf_h2_end, once ended */
    uint8_t effect : 4;     /* enum wf_h2_effect, once ended */
    uint8_t state;          /* enum wf_h2_stream_state */
    uint8_t inserts;        /* its pieces of body that wait in the output */
    struct wf_h2_window_growth growth;
    int16_t turn_sent; /* octets of its turn at sending, which is not over; below 0: it was left
                          out while it had no piece, and may send as many more */
};

/* The error that @event is in the stream's state. False, always. */
bool wf_h2_stream_illegal(const struct wf_h2_stream *stream, enum wf_h2_stream_event event,
                          struct wf_h2_err *out_err);

/* Moves the stream by @event. False: @out_err is the error that the event is, nothing changed. */
static inline WF_MUST_USE bool wf_h2_stream_move(struct wf_h2_stream *stream,
                                                 enum wf_h2_stream_event event,
                                                 struct wf_h2_err *out_err)
{
    const struct wf_h2_stream_move *move = &wf_h2_stream_moves[stream->state][event];
    if (WF_UNLIKELY(move->scope != WF_H2_SCOPE_NONE))
        return wf_h2_stream_illegal(stream, event, out_err);
    stream->state = move->next;
    return true;
}

/* Moves by an event of ours, which must be legal. */
static inline void wf_h2_stream_move_local(struct wf_h2_stream *stream,
                                           enum wf_h2_stream_event event)
{
    const struct wf_h2_stream_move *move = &wf_h2_stream_moves[stream->state][event];
    wf_assert(move->scope == WF_H2_SCOPE_NONE);
    stream->state = move->next;
}

#endif
