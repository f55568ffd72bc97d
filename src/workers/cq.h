/* A completion queue: many threads push, one or more consumers take, and a program with an event
 * loop of its own can poll a file descriptor instead of sleeping here.
 *
 * A push makes a system call only when it must: one futex call when a consumer sleeps in
 * wf_cq_take() and was not yet told, one write when the descriptor exists and is not yet readable.
 * Who never asks for the descriptor never pays for it.
 *
 * The queue is counted. It does not own what is pushed: whoever lets go of the last reference has
 * taken everything before.
 *
 * | may overlap           | push | take | fd  | ref, unref |
 * | push, take, fd        | yes  | yes  | yes | yes        |  (each caller holds a reference) */
#ifndef WF_WORKERS_CQ_H
#define WF_WORKERS_CQ_H

#include "base/alloc.h"
#include "workers/mail.h"

#include <stddef.h>
#include <stdint.h>

struct wf_cq;

/* NULL: out of memory. */
WF_MUST_USE struct wf_cq *wf_cq_new(void);
/* Returns @cq. Thread: any. */
struct wf_cq *wf_cq_ref(struct wf_cq *cq);
/* NULL is a no-op. Thread: any. */
void wf_cq_unref(struct wf_cq *cq);

/* Pushes a chain linked from @newest to @oldest by `next`. Thread: any. */
void wf_cq_push(struct wf_cq *cq, struct wf_mail *newest, struct wf_mail *oldest);

/* Takes up to @max nodes, oldest first, into @out; sleeps until there is at least one. 0: the
 * deadline passed; with 0 for a deadline it does not sleep at all. Thread: any. */
size_t wf_cq_take(struct wf_cq *cq, struct wf_mail **out, size_t max, uint64_t deadline_ns);

/* True: something is queued. Sequentially consistent, so that a caller who has just changed a flag
 * that pushers look at misses nothing. Thread: any. */
WF_MUST_USE bool wf_cq_is_queued(struct wf_cq *cq);

/* A descriptor that is readable, level-triggered, while something may be queued: now and then it is
 * readable for nothing, never the other way round. It is made at the first call and closed with the
 * queue; it is for polling only. -1: errno says why. Thread: any. */
WF_MUST_USE int wf_cq_fd(struct wf_cq *cq);

#endif
