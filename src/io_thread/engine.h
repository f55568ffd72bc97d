/* What all parts of one client share. To the user it is the client.
 *
 * Life. The memory stays until the last exchange has gone back to the pool, since a future may
 * outlive its client and still post to an I/O thread's mailbox; the threads end in
 * weft_client_close(). */
#ifndef WF_IO_THREAD_ENGINE_H
#define WF_IO_THREAD_ENGINE_H

#include "base/pool.h"
#include "io_thread/tls_loader.h"
#include "weft/client.h"
#include "workers/fork.h"
#include "workers/spin.h"
#include "workers/worker_pool.h"

#include <pthread.h>
#include <stdatomic.h>

struct wf_io_thread;
struct wf_overrides;
struct wf_tls_ctx;

enum wf_engine_state { WF_ENGINE_OPEN, WF_ENGINE_CLOSING, WF_ENGINE_CLOSED };

struct weft_client {
    /* Immutable after wf_engine_new(). */
    struct weft_config config; /* strings are copies */
    struct wf_tls_ctx *tls_ctx;
    struct wf_overrides *overrides;
    struct wf_pool *exchanges; /* of struct weft_future; its end frees this */
    struct wf_pool *responses; /* of WF_RESPONSE_BLOCK_LEN */
    struct wf_pool *extras;    /* of struct wf_extra */
    struct wf_io_thread **io_threads;
    unsigned io_thread_count;
    unsigned fork_count; /* wf_fork_watch() of the process that made it */

    /* Written by the loader; read once it is READY. */
    struct weft_error tls_error; /* why https does not work; code WEFT_OK: it does */

    /* Any thread; atomic. */
    struct wf_tls_loader tls_loader;
    struct wf_spin wait_spin;                 /* of weft_future_wait() */
    atomic_uint refs;                         /* users' */
    _Atomic(struct wf_worker_pool *) workers; /* NULL until first needed; then constant */
    atomic_uint trace_waiting;                /* records on their way to the worker */
    atomic_ullong trace_dropped;              /* not yet told to the trace function */
    atomic_ullong trace_dropped_total;
    atomic_uint log_waiting; /* the same for log lines */
    atomic_ullong log_dropped;
    atomic_ullong log_dropped_total;
    atomic_ullong connection_ids;

    /* Any thread; guarded by lock. */
    pthread_mutex_t lock;
    pthread_cond_t state_changed;
    enum wf_engine_state state;
    bool workers_closed; /* none are started any more: all I/O threads have ended */
};

/* This process is a child of the one that made it: no thread of it is here. Thread: any. */
static inline bool wf_engine_is_forked(const struct weft_client *engine)
{
    return wf_is_forked(engine->fork_count);
}

/* NULL: *out_error says why. Threads are running when it returns. */
struct weft_client *wf_engine_new(const struct weft_config *config, struct weft_error *out_error);
/* The same without threads: the caller takes the I/O threads' turns with wf_io_thread_turn(), and
 * closing takes the rest. For measuring a path free of noise. */
struct weft_client *wf_engine_new_stepped(const struct weft_config *config,
                                          struct weft_error *out_error);

/* The worker pool, started when there is none yet. NULL: no thread could be had, or the I/O threads
 * have ended and callbacks run where they are told. Thread: any. */
struct wf_worker_pool *wf_engine_workers(struct weft_client *engine);

/* All I/O threads have ended. Thread: any. */
bool wf_engine_is_closed(struct weft_client *engine);

/* Runs one item that was posted to a worker: a callback or a trace event. Thread: worker. */
void wf_engine_run_item(struct wf_mail *mail, void *engine);

/* True on a worker of this engine. Thread: any. */
bool wf_engine_on_worker(struct weft_client *engine);

/* Closes as weft_client_close() says. Thread: any but the engine's own. */
void wf_engine_close(struct weft_client *engine, int64_t drain_ms);

/* Lets go of the pools: memory goes with the last exchange. After wf_engine_close(). */
void wf_engine_release(struct weft_client *engine);

#endif
