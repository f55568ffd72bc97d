/* Origins (RFC 6454) of one I/O thread: each has its connections and the requests that wait for
 * one. Requests go to the connection with the fewest open streams; those beyond what the peers
 * allow wait in the order in which they came. Thread: I/O. */
#ifndef WF_IO_THREAD_ORIGIN_H
#define WF_IO_THREAD_ORIGIN_H

#include "base/alloc.h"
#include "base/list.h"
#include "base/slice.h"
#include "io_thread/timers.h"
#include "weft/error.h"

struct weft_future;
struct weft_request;
struct wf_url_origin;
struct wf_conn;
struct wf_io_thread;
struct wf_protocol_ops;

/* Origins without connections whose protocol and limits are remembered. */
#define WF_ORIGINS_REMEMBERED 256u

struct wf_origin {
    struct wf_io_thread *io;
    struct wf_origin *next_in_bucket;
    uint64_t hash;
    char *key; /* "https://host:port" */
    size_t key_len;
    char *host; /* for the resolver, SNI and verification */
    uint16_t port;
    bool https;

    struct wf_node conns;     /* conn.origin_node: in any state but closed */
    struct wf_node returned;  /* exchange.node: was sent too early; goes before all of waiting */
    struct wf_node waiting;   /* exchange.node, oldest first */
    struct wf_node pump_node; /* io_thread.origins.pump, while requests may be able to start */
    size_t waiting_count;
    unsigned conn_count;
    unsigned usable_count;  /* connections that take requests */
    unsigned opening_count; /* connections that may become usable */
    uint32_t level;         /* the fewest open streams of the connections but one; see choose() */
    uint64_t level_at;      /* ns: of the turn in which `level` holds; 0: in none */

    /* demand.c: what is known, and what follows for the number of connections. */
    const struct wf_protocol_ops *protocol; /* of its connections; NULL: not known */
    uint32_t stream_limit; /* requests that a connection carries at once; 0: not known */
    bool is_known;         /* a connection has told, so that it is worth remembering */
    bool is_wanted;        /* its connections are to be opened although nothing waits */
    uint64_t hold_ms;      /* how long the next failure is waited out, half of it */
    struct wf_timer hold;  /* until it fires no further connection is tried */
    uint64_t http1_until;  /* ms: until then connections offer HTTP/1.1 only; 0: they do not */
    struct wf_node resting_node; /* io_thread.origins.resting: without connections and requests */
    uint64_t forget_at;          /* ms; of one that rests */

    /* Connections that failed: to be had, or before they carried a response. */
    unsigned failures;                 /* in a row */
    uint64_t failing_since;            /* ms: the first of them */
    bool has_served;                   /* one carried a response, and no failure was final since */
    struct wf_timer backoff;           /* set: no connection is opened before it fires */
    char failure[WEFT_ERROR_TEXT_LEN]; /* the last of them; "" when there is none */
};

struct wf_origins {
    struct wf_origin **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    struct wf_origin *last; /* found last: most callers ask one origin many times */
    struct wf_node pump;
    struct wf_node resting; /* origin.resting_node, the one that rests longest first */
    size_t resting_count;
    bool is_closing; /* nothing is remembered any more */
};

WF_MUST_USE bool wf_origins_init(struct wf_origins *origins);
/* All origins are gone already. */
void wf_origins_fini(struct wf_origins *origins);

/* The origin of @request, new if need be; to be released, see below. NULL: out of memory. */
WF_MUST_USE struct wf_origin *wf_origin_get(struct wf_io_thread *io,
                                            const struct weft_request *request);

/* The one with this key; NULL: there is none. */
struct wf_origin *wf_origin_find(struct wf_io_thread *io, const struct wf_url_origin *key);

/* Starts @x on a connection of its origin, or lets it wait, or ends it. */
void wf_origin_submit(struct wf_io_thread *io, struct weft_future *x);

/* @conn is looked at first for the next request: where a connection carries one at a time, those
 * used last are used first, and the surplus becomes idle; where it carries many, it is filled up.
 */
void wf_origin_prefer(struct wf_conn *conn);
/* The peer of @conn is silent: its address is tried after others, and idle connections to it, which
 * would be as silent, take no more requests. */
void wf_origin_avoid_peer(const struct wf_conn *conn);

/* The server wants HTTP/1.1 in place of HTTP/2 (RFC 9113 section 7, HTTP_1_1_REQUIRED): connections
 * to come speak it for a while, and those that speak HTTP/2 take no more requests. False: the
 * configuration does not allow it, and nothing happens. */
bool wf_origin_require_http1(struct wf_origin *origin);
/* It does now. */
bool wf_origin_requires_http1(const struct wf_origin *origin);

/* A connection of @origin may have room now: the turn's end starts what waits. */
void wf_origin_pump_later(struct wf_origin *origin);
/* Starts what waits on connections that have room; opens connections where some are missing. */
void wf_origins_pump(struct wf_io_thread *io);

/* @x is on no connection and may be sent again: it waits, in front of those that were never sent.
 */
void wf_origin_return(struct wf_origin *origin, struct weft_future *x);

/* @x leaves the waiting list (it ended otherwise). */
void wf_origin_unwait(struct wf_origin *origin, struct weft_future *x);
/* The origin that @x waits for, NULL when it does not wait. */
struct wf_origin *wf_origin_of(struct wf_io_thread *io, const struct weft_future *x);
/* What the oldest waiting request is waiting for. */
enum weft_stage wf_origin_stage(const struct wf_origin *origin);

/* No connection could be had: all that waits ends with @error's code, text and numbers. */
void wf_origin_fail_waiting(struct wf_origin *origin, const struct weft_error *error);

/* A connection is gone with @error and has not served. When it was the last, those that wait go on
 * waiting for the next attempt, or end. @never_ready: it did not speak its protocol. */
void wf_origin_failed(struct wf_origin *origin, const struct weft_error *error, bool never_ready);
/* A connection that has served is gone. */
void wf_origin_served(struct wf_origin *origin);

/* An origin with neither connections nor waiting requests rests for a while, or is freed. */
void wf_origin_release(struct wf_origin *origin);

/* Ends all connections and waiting requests of all origins with WEFT_ERR_CLOSED. */
void wf_origins_close(struct wf_io_thread *io);

#endif
