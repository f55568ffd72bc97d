/* A dedicated I/O thread: it owns its connections with all their sockets, TLS objects, sessions and
 * windows, and the requests that were submitted to it until they are done. Others reach it by its
 * mailbox only.
 *
 * One turn: wait, read what is ready, take submissions, write what was queued, hand over what
 * completed. The clock is read once, after the wait. */
#ifndef WF_IO_THREAD_IO_THREAD_H
#define WF_IO_THREAD_IO_THREAD_H

#include "base/alloc.h"
#include "base/assert.h"
#include "base/random.h"
#include "h2/growth.h"
#include "io_thread/bad_addresses.h"
#include "io_thread/delivery.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/origin.h"
#include "io_thread/poller.h"
#include "io_thread/retry.h"
#include "io_thread/timers.h"
#include "io_thread/wake.h"
#include "weft/stats.h"
#include "workers/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>

struct wf_resolver;
struct wf_tls_io;

/* Submissions that one turn takes, so that a storm of them cannot starve the sockets. */
#define WF_TURN_ITEMS 1024u
/* What one connection may read in one turn, likewise. */
#define WF_TURN_READ_LEN 524288u
/* Room for what is read at once, and in front of it for what was left of a frame. */
#define WF_READ_LEN      131072u
#define WF_READ_LEFTOVER (16384u + 9u)

/* One writer, the I/O thread; relaxed loads by others. */
struct wf_io_stats {
    atomic_ullong submitted;
    atomic_ullong succeeded;
    atomic_ullong failed;
    atomic_ullong connections_opened;
    atomic_ullong connections_failed;
    atomic_ullong connections_open;
    atomic_ullong requests_queued;
    atomic_ullong streams_open;
    atomic_ullong octets_read;
    atomic_ullong octets_written;
    atomic_ullong turns;
    atomic_ullong limits_reached;
    atomic_ullong name_queries;
    atomic_ullong name_cache_hits;
    atomic_ullong tls_handshakes;
    atomic_ullong tls_resumed;
    atomic_ullong connections_opening;
    atomic_ullong connections_draining;
    atomic_ullong errors[WEFT_STATS_CODES];  /* by enum weft_code */
    atomic_ullong limits[WEFT_STATS_LIMITS]; /* by enum weft_limit */
    atomic_ullong retries;
    atomic_ullong retries_denied;
    atomic_ullong windows_grown;
    atomic_ullong connections_http1;
    atomic_ullong origins;
    atomic_ullong send_window;
    atomic_ullong receive_window;
};
_Static_assert(WEFT_CODE_COUNT <= WEFT_STATS_CODES, "a counter for each code");
_Static_assert(WEFT_LIMIT_COUNT <= WEFT_STATS_LIMITS, "a counter for each limit");

static inline void wf_stat_add(atomic_ullong *stat, unsigned long long count)
{
    /* Relaxed, and no read-modify-write: one writer, and numbers for people. */
    atomic_store_explicit(stat, atomic_load_explicit(stat, memory_order_relaxed) + count,
                          memory_order_relaxed);
}

static inline void wf_stat_sub(atomic_ullong *stat, unsigned long long count)
{
    wf_stat_add(stat, 0 - count);
}

struct wf_io_thread {
    /* Any thread; atomic. */
    struct wf_mailbox mailbox;
    struct wf_wake wake;
    atomic_ullong wakeups;
    atomic_ullong buffered; /* octets of content kept for users; see wf_exchange_buffer() */
    atomic_bool stopped;    /* the thread takes no more mail: whoever pushes drains */

    /* Immutable after wf_io_thread_new(). */
    struct weft_client *engine;
    unsigned index;
    uint64_t max_buffered; /* this thread's share of the client's */

    /* Written by wf_io_thread_start(), read by wf_io_thread_join(). */
    pthread_t thread;
    bool is_started;

    /* I/O thread only. */
    _Alignas(WF_CACHE_LINE) uint64_t now_ns; /* read once per turn */
    uint64_t now_ms;
    struct wf_poller poller;
    struct wf_timers timers;
    struct wf_resolver *resolver;
    struct wf_tls_io *tls_io;
    struct wf_origins origins;
    struct wf_random random; /* jitter */
    struct wf_retry retry;
    struct wf_h2_growth_pool growth; /* of all its connections' windows */
    struct wf_outbox outbox;
    struct wf_mail *backlog;      /* mail taken from the mailbox and not yet looked at */
    struct wf_node dirty;         /* conn.dirty_node: has something to write */
    struct wf_node unread;        /* conn.unread_node: stopped reading with more to come */
    struct wf_node trust_waiting; /* conn.trust_node: until the CA certificates are read */
    struct wf_node sinks;         /* body_sink.node: of exchanges that wait for a worker to end */
    struct wf_node dead;          /* conn.dead_node: to be freed at the end of the turn */
    struct wf_timer close_timer;  /* the end of draining */
    bool skipped_wait;            /* this turn did not look at the sockets */
    bool closing;
    bool close_now; /* draining is over */
    bool is_ending; /* what is left is being ended: nothing is tried again */
    size_t active;  /* exchanges that were taken and are not done */
    struct wf_io_stats stats;
    struct wf_bad_addresses bad_addresses;
    uint8_t *read_buf; /* WF_READ_LEFTOVER and WF_READ_LEN octets */

    /* The closer writes it before it pushes close_item, once. */
    struct wf_item close_item;
    int64_t drain_ms;

    /* The loader pushes it, once. */
    struct wf_item trust_item;

    /* Any thread, once stopped; guarded by stopped_lock. */
    pthread_mutex_t stopped_lock;
};

/* All but the thread. NULL: *out_error says why. */
struct wf_io_thread *wf_io_thread_new(struct weft_client *engine, unsigned index,
                                      struct weft_error *out_error);
/* False: *out_error says why, and nothing happened. */
WF_MUST_USE bool wf_io_thread_start(struct wf_io_thread *io, struct weft_error *out_error);
/* Asks the thread to drain for @drain_ms, to end what is left, and to leave. Once. Thread: any. */
void wf_io_thread_close(struct wf_io_thread *io, int64_t drain_ms);
/* Waits for it to leave; the turns of one that was never started are taken here. After
 * wf_io_thread_close(). */
void wf_io_thread_join(struct wf_io_thread *io);
/* After join, when nobody can push any more. */
void wf_io_thread_free(struct wf_io_thread *io);

/* Pushes a chain of items, linked from newest to oldest, and wakes the thread if it sleeps.
 * Thread: any. */
void wf_io_thread_push(struct wf_io_thread *io, struct wf_mail *newest, struct wf_mail *oldest);

/* Bookkeeping of wf_exchange_finish(). Thread: I/O, or whoever drains a stopped thread's mailbox.
 */
void wf_io_thread_count_end(struct wf_io_thread *io, enum weft_code code);

/* A limit of the configuration ended a request or a connection. Thread: I/O. */
static inline void wf_io_thread_count_limit(struct wf_io_thread *io, enum weft_limit limit)
{
    wf_stat_add(&io->stats.limits[limit], 1);
    wf_stat_add(&io->stats.limits_reached, limit == WEFT_LIMIT_QUEUE ? 0 : 1);
}

/* Ends @x wherever it is: waiting, on a connection, or with a worker. @text NULL: the
 * deadline passed. Thread: I/O. */
void wf_io_thread_end(struct weft_future *x, enum weft_code code, int sys_errno, const char *text);

/* One turn. For who steps an engine by hand, see wf_engine_new_stepped(). Thread: I/O. */
void wf_io_thread_turn(struct wf_io_thread *io);

#endif
