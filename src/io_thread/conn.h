/* One connection: from a name to an address, a socket, TLS, and a protocol (protocol.h) with the
 * exchanges that use it. Thread: I/O, all of it.
 *
 * Life: RESOLVING, CONNECTING, TLS, OPEN, DRAINING (open, but takes no new requests), CLOSED. It
 * closes in one function, which ends its exchanges first; memory goes at the end of the turn. */
#ifndef WF_IO_THREAD_CONN_H
#define WF_IO_THREAD_CONN_H

#include "base/buf.h"
#include "base/list.h"
#include "h2/session.h"
#include "io_thread/address.h"
#include "io_thread/conn_ping.h"
#include "io_thread/conn_probe.h"
#include "io_thread/poller.h"
#include "io_thread/protocol.h"
#include "io_thread/timers.h"
#include "io_thread/transport.h"
#include "weft/error.h"
#include "weft/stats.h"

struct weft_future;
struct wf_dial;
struct wf_field_section;
struct wf_h1_session;
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
    const struct wf_protocol_ops *protocol; /* NULL until the transport is up */
    struct wf_h2_session *session;          /* of wf_protocol_h2 */
    struct wf_h2_windows windows;           /* of it, as the statistics have them */
    struct wf_h1_session *h1;               /* of wf_protocol_h1 */
    size_t unread_body;        /* wf_protocol_h1: octets of content that wait for their reader */
    size_t read_room;          /* octets that one read may take; 0: none, until there is room */
    struct wf_buf leftover;    /* the beginning of a frame, between two reads */
    struct wf_timer timer;     /* time to be ready, then the protocol's deadline */
    struct wf_address address; /* where it is connected to; len 0: nowhere yet */
    struct wf_peer peer;       /* the same for its exchanges */
    bool is_used;              /* was given a request */
    bool offered_http1_only;   /* by ALPN */
    /* ns, 0: not: when its name was known, its socket connected, it could take requests, and its
     * socket last took again what it had refused. */
    uint64_t resolved_at;
    uint64_t connected_at;
    uint64_t up_at;
    uint64_t unblocked_at;
    uint64_t connect_by; /* ms: all of connecting must be over; UINT64_MAX: no limit */

    struct wf_node origin_node; /* origin.conns */
    struct wf_node dirty_node;  /* io_thread.dirty */
    struct wf_node unread_node; /* io_thread.unread */
    struct wf_node trust_node;  /* io_thread.trust_waiting */
    struct wf_node dead_node;   /* io_thread.dead */
    struct wf_node exchanges;   /* exchange.node: has a stream here */

    bool is_polled;
    bool blocked;      /* the socket is full: EPOLLOUT will say */
    bool write_failed; /* nothing more can be sent; what the peer said is still read */
    bool peer_ended;   /* nothing more comes, and the transport says that nothing is missing */
    bool had_response;
    bool is_finishing;   /* the protocol is done; its last words are being written */
    uint64_t stalled_at; /* ms: since then nothing of what is queued went out; UINT64_MAX: not so */
    uint64_t late_at;    /* ms: when uploads after their answer are looked at; UINT64_MAX: not */
    uint64_t rate_at;    /* ms: when body rates are looked at; UINT64_MAX: not */
    uint64_t idle_at;    /* ms: since then no stream is open; UINT64_MAX: not so */
    bool is_trimmed;     /* its buffers were given back since it is idle */
    bool is_aged;        /* it is left when its replacement is up */
    uint64_t retire_at;  /* ms: when it is replaced; UINT64_MAX: never */
    struct wf_conn_ping ping;
    struct wf_conn_probe probe;
    uint32_t goaway_code;
    struct weft_error error; /* why it closed; code WEFT_OK while it has not */
};

/* Begins a connection to @origin. False: no memory, nothing happened. */
WF_MUST_USE bool wf_conn_open(struct wf_origin *origin);

/* It waited for the CA certificates, which are there now, or not to be had. */
void wf_conn_trust_is_ready(struct wf_conn *conn);

/* Begins a connection over @transport, cleartext to this end and not polled: whoever made it puts
 * the connection into io_thread.unread when there is something to read. Takes ownership of
 * @transport when it succeeds. NULL: no memory. For measuring without a socket. */
WF_MUST_USE struct wf_conn *wf_conn_adopt(struct wf_origin *origin, struct wf_transport *transport);

/* Requests that may be started now. */
static inline uint32_t wf_conn_capacity(const struct wf_conn *conn)
{
    return conn->state == WF_CONN_OPEN ? conn->protocol->capacity(conn) : 0;
}

/* Sends @x on an open connection. */
static inline enum wf_conn_start wf_conn_start(struct wf_conn *conn, struct weft_future *x)
{
    return conn->protocol->start(conn, x);
}

/* The source of @x's body has something to say. False: it cannot go on, and @x was ended. */
static inline bool wf_conn_pull(struct wf_conn *conn, struct weft_future *x)
{
    return conn->protocol->pull(conn, x);
}

/* Takes @x away from its connection, which gives its stream up. @x is then free to be finished. */
static inline void wf_conn_cancel(struct wf_conn *conn, struct weft_future *x)
{
    conn->protocol->cancel(conn, x);
}

/* Where @x is, and what is proven about it, if it ended now. */
static inline void wf_conn_describe(const struct wf_conn *conn, const struct weft_future *x,
                                    enum weft_stage *out_stage, enum weft_effect *out_effect)
{
    conn->protocol->describe(conn, x, out_stage, out_effect);
}

/* @x has used @len octets of its body. */
static inline void wf_conn_credit(struct wf_conn *conn, struct weft_future *x, size_t len)
{
    conn->protocol->credit(conn, x, len);
}

/* Says goodbye to an idle or unwanted connection and closes it. Exchanges that are left end with
 * @error. */
void wf_conn_close(struct wf_conn *conn, const struct weft_error *error);

/* conn_io.c: the socket. */
void wf_conn_ready(struct wf_poll_source *source, uint32_t epoll_events);
void wf_conn_read(struct wf_conn *conn);
void wf_conn_write(struct wf_conn *conn);
/* Says goodbye (GOAWAY) as far as the socket takes it now. The connection may be closed afterwards.
 */
void wf_conn_say_goodbye(struct wf_conn *conn);
/* The protocol is done: writes its last words and closes. */
void wf_conn_finish(struct wf_conn *conn);
void wf_conn_mark_dirty(struct wf_conn *conn);

/* Handles what the protocol has to say without new input. */
void wf_conn_drain_events(struct wf_conn *conn);

/* conn_recv.c: exchanges and what comes for them, for the protocols. */
/* @x is on @conn from now on: to be called when start succeeds. */
void wf_conn_take(struct wf_conn *conn, struct weft_future *x);
/* The last octet of the request was written: for requests with a body. */
void wf_conn_sent(struct wf_conn *conn, struct weft_future *x);
/* @x is on no connection any more. */
void wf_conn_let_go(struct wf_conn *conn, struct weft_future *x);
/* Where @x is of which nothing is known but @effect. */
enum weft_stage wf_conn_stage_of(const struct weft_future *x, enum weft_effect effect);
/* Stores the fields of a 1xx response, of the response (@content_length -1: not given), of its
 * trailers. Without memory @x ends. */
void wf_conn_recv_informational(struct wf_conn *conn, struct weft_future *x, uint16_t status,
                                const struct wf_field_section *section);
void wf_conn_recv_head(struct wf_conn *conn, struct weft_future *x, uint16_t status,
                       int64_t content_length, const struct wf_field_section *section);
void wf_conn_recv_trailers(struct wf_conn *conn, struct weft_future *x,
                           const struct wf_field_section *section);
/* Collects, hands out or drops octets of content, at least one. True: they are done with, and
 * credit for them may go back now. False: a reader will give it back, or @x was ended. */
WF_MUST_USE bool wf_conn_recv_body(struct wf_conn *conn, struct weft_future *x,
                                   struct wf_slice bytes);
/* The response is whole, and the upload of @x goes on: after everything else of the response. @x
 * may be ended. */
void wf_conn_recv_end(struct wf_conn *conn, struct weft_future *x);
/* Takes an exchange that cannot go on away from @conn and ends it with "origin: @text". @limit is
 * counted; WEFT_LIMIT_COUNT: it was none. */
void wf_conn_give_up(struct wf_conn *conn, struct weft_future *x, enum weft_code code,
                     enum weft_limit limit, const char *text);
/* The response is whole and the rest of the upload will not be sent: a success. */
void wf_conn_leave_upload(struct wf_conn *conn, struct weft_future *x);

/* conn.c, for the others. */
void wf_conn_set_draining(struct wf_conn *conn);
void wf_conn_transport_is_up(struct wf_conn *conn);
void wf_conn_update_timer(struct wf_conn *conn);
/* Frees what wf_conn_close() left. At the end of a turn. */
void wf_conn_free(struct wf_conn *conn);

#endif
