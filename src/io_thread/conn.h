/* One connection: from a name to an address, a socket, TLS, and an HTTP/2 session with the
 * exchanges that use it. Thread: I/O, all of it.
 *
 * Life: RESOLVING, CONNECTING, TLS, OPEN, DRAINING (open, but takes no new requests), CLOSED. It
 * closes in one function, which ends its exchanges first; memory goes at the end of the turn. */
#ifndef WF_IO_THREAD_CONN_H
#define WF_IO_THREAD_CONN_H

#include "base/buf.h"
#include "base/list.h"
#include "h2/session.h"
#include "io_thread/poller.h"
#include "io_thread/timers.h"
#include "io_thread/transport.h"
#include "weft/error.h"

struct weft_future;
struct wf_dial;
struct wf_io_thread;
struct wf_lookup;
struct wf_origin;

enum wf_conn_state {
    WF_CONN_RESOLVING,
    WF_CONN_CONNECTING,
    WF_CONN_TLS,
    WF_CONN_OPEN,
    WF_CONN_DRAINING,
    WF_CONN_CLOSED
};

struct wf_conn {
    struct wf_io_thread *io;
    struct wf_origin *origin;
    uint64_t id; /* in traces; of the whole client */
    enum wf_conn_state state;

    struct wf_lookup *lookup;
    struct wf_dial *dial;
    struct wf_poll_source source;
    struct wf_transport *transport;
    struct wf_h2_session *session;
    struct wf_buf leftover; /* the beginning of a frame, between two reads */
    struct wf_timer timer;  /* time to be ready, then the session's deadline */

    struct wf_node origin_node; /* origin.conns */
    struct wf_node dirty_node;  /* io_thread.dirty */
    struct wf_node unread_node; /* io_thread.unread */
    struct wf_node dead_node;   /* io_thread.dead */
    struct wf_node exchanges;   /* exchange.node: has a stream here */

    bool is_polled;
    bool blocked;      /* the socket is full: EPOLLOUT will say */
    bool write_failed; /* nothing more can be sent; what the peer said is still read */
    bool had_response;
    bool is_finishing;   /* the session is dead; its last words are being written */
    uint64_t stalled_at; /* ms: since then nothing of what is queued went out; UINT64_MAX: not so */
    uint64_t late_at;    /* ms: when uploads after their answer are looked at; UINT64_MAX: not */
    uint64_t rate_at;    /* ms: when body rates are looked at; UINT64_MAX: not */
    uint64_t idle_at;    /* ms: since then no stream is open; UINT64_MAX: not so */
    bool is_trimmed;     /* its buffers were given back since it is idle */
    uint32_t goaway_code;
    struct weft_error error; /* why it closed; code WEFT_OK while it has not */
};

/* Begins a connection to @origin. False: no memory, nothing happened. */
WF_MUST_USE bool wf_conn_open(struct wf_origin *origin);

/* Begins a connection over @transport, cleartext to this end and not polled: whoever made it puts
 * the connection into io_thread.unread when there is something to read. Takes ownership of
 * @transport when it succeeds. NULL: no memory. For measuring without a socket. */
WF_MUST_USE struct wf_conn *wf_conn_adopt(struct wf_origin *origin, struct wf_transport *transport);

/* Requests that may be started now. */
uint32_t wf_conn_capacity(const struct wf_conn *conn);

enum wf_conn_start {
    WF_CONN_STARTED,
    WF_CONN_FULL,    /* no room now */
    WF_CONN_LEAVING, /* takes no more requests at all */
    WF_CONN_ENDED    /* @x was ended with an error */
};
/* Gives @x a stream. */
enum wf_conn_start wf_conn_start(struct wf_conn *conn, struct weft_future *x);

/* Takes @x away from its stream, which is reset. @x is then free to be finished. */
void wf_conn_cancel(struct wf_conn *conn, struct weft_future *x);
/* Where @x is, and what is proven about it, if it ended now. */
void wf_conn_describe(const struct wf_conn *conn, const struct weft_future *x,
                      enum weft_stage *out_stage, enum weft_effect *out_effect);
/* @x has used @len octets of its body. */
void wf_conn_credit(struct wf_conn *conn, struct weft_future *x, size_t len);

/* Says goodbye to an idle or unwanted connection and closes it. Exchanges that are left end with
 * @error. */
void wf_conn_close(struct wf_conn *conn, const struct weft_error *error);

/* conn_io.c: the socket. */
void wf_conn_ready(struct wf_poll_source *source, uint32_t epoll_events);
void wf_conn_read(struct wf_conn *conn);
void wf_conn_write(struct wf_conn *conn);
/* Writes a GOAWAY as far as the socket takes it now. The connection may be closed afterwards. */
void wf_conn_say_goodbye(struct wf_conn *conn);
/* The session is dead: writes its last words and closes. */
void wf_conn_finish(struct wf_conn *conn);
void wf_conn_mark_dirty(struct wf_conn *conn);

/* conn_events.c: what the session has to say. */
void wf_conn_handle(struct wf_conn *conn, const struct wf_h2_event *event);
/* Resets the stream of an exchange that cannot go on here, and ends it with "origin: @text". */
void wf_conn_give_up(struct wf_conn *conn, struct weft_future *x, enum weft_code code,
                     const char *text);
/* The response is whole and the rest of the upload will not be sent: a success. */
void wf_conn_leave_upload(struct wf_conn *conn, struct weft_future *x);
/* Handles what the session has to say without new input. */
void wf_conn_drain_events(struct wf_conn *conn);

/* conn.c, for conn_io.c and conn_events.c. */
void wf_conn_set_draining(struct wf_conn *conn);
void wf_conn_transport_is_up(struct wf_conn *conn);
void wf_conn_update_timer(struct wf_conn *conn);
/* Frees what wf_conn_close() left. At the end of a turn. */
void wf_conn_free(struct wf_conn *conn);

#endif
