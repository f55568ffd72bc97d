/* Threads on which callbacks run, never an I/O thread.
 * What is posted under the same key runs on the same worker, in the order in which it was posted
 * (by one poster, or by several that are ordered among themselves). One run at a time on each
 * worker.
 *
 * | may overlap | post | on_worker | stop            |
 * | post        | yes  | yes       | from a callback |
 * | on_worker   | yes  | yes       | yes             |
 * | stop        |      |           | no: once        | */
#ifndef WF_WORKERS_WORKER_POOL_H
#define WF_WORKERS_WORKER_POOL_H

#include "base/alloc.h"
#include "workers/mail.h"

struct wf_worker_pool;

/* Owns @mail. @user is the one given to wf_worker_pool_new(). */
typedef void (*wf_worker_run_fn)(struct wf_mail *mail, void *user);

/* Starts @threads threads (0 counts as 1; at most 4096) named weft-w0 and so on, in which all
 * signals are blocked. NULL: no memory, too many, or a thread could not be started. */
WF_MUST_USE struct wf_worker_pool *wf_worker_pool_new(unsigned threads, wf_worker_run_fn run,
                                                      void *user);

/* Pushes a chain linked from @newest to @oldest by `next`. Takes ownership. Thread: any; once
 * wf_worker_pool_stop() was called only workers may, from within a run. */
void wf_worker_pool_post(struct wf_worker_pool *pool, unsigned key, struct wf_mail *newest,
                         struct wf_mail *oldest);

/* True: the caller is one of the workers. Thread: any. */
WF_MUST_USE bool wf_worker_pool_on_worker(const struct wf_worker_pool *pool);

/* Runs what was posted, and what those runs post in turn to whichever worker, then joins. Once.
 * Thread: any but a worker. */
void wf_worker_pool_stop(struct wf_worker_pool *pool);

/* After stop. NULL is a no-op. */
void wf_worker_pool_free(struct wf_worker_pool *pool);

#endif
