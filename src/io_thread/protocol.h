/* What a connection speaks: HTTP/2 (conn_h2.c) or another protocol behind the same table. conn.c
 * and conn_io.c know life, socket and time of a connection, conn_recv.c what becomes of a response;
 * only what stands here knows what the octets mean. Thread: I/O, all of it.
 *
 * Who calls what. conn.c: make once, after the transport is up; lost before the end; free at the
 * end. origin.c: capacity, open_count, start. conn_io.c: feed after a read, and with nothing to
 * read after a write; output and wrote. conn_watch.c: late_body, recv_room, trim. No function but
 * feed, timeout and lost ends an exchange of its own accord (start and pull may end their own), and
 * none closes the connection: what is done with a connection says so by is_dead, or by
 * wf_conn_set_draining() and wf_conn_mark_dirty(). */
#ifndef WF_IO_THREAD_PROTOCOL_H
#define WF_IO_THREAD_PROTOCOL_H

#include "base/slice.h"
#include "weft/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_config;
struct weft_future;
struct wf_conn;

enum wf_conn_start {
    WF_CONN_STARTED,
    WF_CONN_FULL,    /* no room now */
    WF_CONN_LEAVING, /* takes no more requests at all */
    WF_CONN_ENDED    /* the request was ended with an error */
};

enum wf_protocol_id { WF_PROTOCOL_NONE, WF_PROTOCOL_H2, WF_PROTOCOL_H1 };

struct wf_protocol_ops {
    enum wf_protocol_id id;
    const char *name;   /* as ALPN has it */
    bool one_at_a_time; /* a connection carries one request and then the next */

    /* Makes the protocol's state in @conn; what it has to say first may be written at once. False:
     * no memory. */
    bool (*make)(struct wf_conn *conn);
    void (*free)(struct wf_conn *conn);

    /* Requests that may be started now, while the connection is open. */
    uint32_t (*capacity)(const struct wf_conn *conn);
    /* Requests that are not done. */
    uint32_t (*open_count)(const struct wf_conn *conn);
    enum wf_conn_start (*start)(struct wf_conn *conn, struct weft_future *x);
    /* x->upload has something to say (upload.h). False: it cannot go on, and @x was ended. */
    bool (*pull)(struct wf_conn *conn, struct weft_future *x);
    /* Takes @x away from the connection, whatever state it is in. */
    void (*cancel)(struct wf_conn *conn, struct weft_future *x);
    /* The same for an exchange whose response is whole and whose upload goes on. */
    void (*stop_upload)(struct wf_conn *conn, struct weft_future *x);
    /* Where @x is, and what is proven about it, if it ended now. */
    void (*describe)(const struct wf_conn *conn, const struct weft_future *x,
                     enum weft_stage *out_stage, enum weft_effect *out_effect);
    /* @x has used @len octets of its body. */
    void (*credit)(struct wf_conn *conn, struct weft_future *x, size_t len);
    /* Octets that are yet to be sent of @x, whose response is whole; 0 while it is not. */
    size_t (*late_body)(const struct weft_future *x);
    /* Octets of content that the peer may send now without waiting for a reader of ours. */
    size_t (*recv_room)(const struct weft_future *x);
    /* Octets of content of its request that were sent so far. NULL: not known. */
    uint64_t (*body_sent)(const struct weft_future *x);

    /* Takes what it can of @in, and handles what follows from it and from earlier writes. What is
     * left of @in comes again in front of the next octets; it is at most WF_READ_LEFTOVER. */
    void (*feed)(struct wf_conn *conn, struct wf_slice *in);
    /* Fills @slices, room for @max, with what is to be written next, some @budget octets; valid
     * until the next call of anything here. */
    size_t (*output)(struct wf_conn *conn, struct wf_slice *slices, size_t max, size_t budget);
    /* The first @len octets of the last output were taken. */
    void (*wrote)(struct wf_conn *conn, size_t len);
    bool (*wants_write)(const struct wf_conn *conn);

    /* When timeout wants to be called, in now_ms; UINT64_MAX: never. */
    uint64_t (*deadline)(const struct wf_conn *conn);
    void (*timeout)(struct wf_conn *conn);
    /* Queues what a connection says that takes no more requests, if there is such a thing. */
    void (*goodbye)(struct wf_conn *conn);
    /* Queues a question that the peer must answer at once. False: no memory. NULL: the protocol has
     * none. */
    bool (*ping)(struct wf_conn *conn, const uint8_t opaque[8]);
    /* Gives back memory that an idle connection does not need. */
    void (*trim)(struct wf_conn *conn);
    /* The transport is gone: ends every exchange, as complete where the end of the connection
     * completes a response (conn->peer_ended), else by conn->error. */
    void (*lost)(struct wf_conn *conn);

    /* Nothing more is read; what output has may be written, then the connection closes. */
    bool (*is_dead)(const struct wf_conn *conn);
    /* The peer has shown that it speaks the protocol. A connection that ended before says something
     * about the origin. */
    bool (*is_ready)(const struct wf_conn *conn);
};

extern const struct wf_protocol_ops wf_protocol_h2; /* conn_h2.c */
extern const struct wf_protocol_ops wf_protocol_h1; /* conn_h1.c */

/* As ALPN has it, static; NULL of WF_PROTOCOL_NONE. Thread: any. */
const char *wf_protocol_name(enum wf_protocol_id id);
/* What is offered by ALPN; @http1_only: to a server that wants no HTTP/2. */
const char *wf_protocol_alpn(const struct weft_config *config, bool http1_only);
/* What connections will speak for all that is known before there is one; NULL: ALPN decides. */
const struct wf_protocol_ops *wf_protocol_expected(const struct weft_config *config, bool https);
/* What a connection speaks on which @alpn was agreed (NULL: nothing, or no TLS). NULL: nothing that
 * @config allows. */
const struct wf_protocol_ops *wf_protocol_choose(const struct weft_config *config, bool https,
                                                 const char *alpn);

#endif
