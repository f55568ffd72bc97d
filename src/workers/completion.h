/* The completion of one thing: a word that goes from pending to done once, and whoever waits for
 * that. Short of done it can say that something changed, for instance that a body has more octets.
 * A resolver makes a system call only when somebody waits. The word:
 *
 *     bit 0       DONE: set once, never cleared
 *     bit 1       WAITERS: somebody sleeps, or is about to; set by waiters, cleared by notify
 *     the rest    how many times notify was called, modulo 2^30
 *
 * | may overlap                    | resolve, notify       | the others |
 * | resolve, notify                | no: one thread's work | yes        |
 * | is_done, observe, the waits    | yes                   | yes        | */
#ifndef WF_WORKERS_COMPLETION_H
#define WF_WORKERS_COMPLETION_H

#include "base/alloc.h"
#include "base/assert.h"
#include "workers/spin.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WF_COMPLETION_DONE    1u
#define WF_COMPLETION_WAITERS 2u

struct wf_completion {
    atomic_uint word;
};

static inline void wf_completion_init(struct wf_completion *c)
{
    atomic_init(&c->word, 0);
}

/* True: what the resolver wrote before resolving may be read. Thread: any. */
static inline bool wf_completion_is_done(struct wf_completion *c)
{
    /* A2 with R2 in wf_completion_resolve(). */
    return (atomic_load_explicit(&c->word, memory_order_acquire) & WF_COMPLETION_DONE) != 0;
}

/* The rest of a resolve or notify that found waiters. */
void wf_completion_wake(struct wf_completion *c);

/* Publishes everything written before. Exactly once. Once the word is set a waiter may free @c: the
 * wake-up after that uses its address only. Thread: the resolver. */
static inline void wf_completion_resolve(struct wf_completion *c)
{
    /* R2: publishes the result; pairs with A2. One step together with reading WAITERS, so a waiter
     * either is seen here or sees DONE, in the word or when the futex compares it. Adding sets the
     * bit, which is clear, and is one instruction where the old word is asked for. */
    unsigned old = atomic_fetch_add_explicit(&c->word, WF_COMPLETION_DONE, memory_order_release);
    wf_assert((old & WF_COMPLETION_DONE) == 0);
    if (WF_UNLIKELY((old & WF_COMPLETION_WAITERS) != 0))
        wf_completion_wake(c);
}

/* Tells waiters that something changed; not after resolve. Thread: the resolver. */
void wf_completion_notify(struct wf_completion *c);

/* Sleeps until done or @deadline_ns; true: done. Does not spin. Thread: any but the resolver's. */
WF_MUST_USE bool wf_completion_wait(struct wf_completion *c, uint64_t deadline_ns);

/* The same after a short look as @spin allows; NULL: none. */
WF_MUST_USE bool wf_completion_wait_spin(struct wf_completion *c, struct wf_spin *spin,
                                         uint64_t deadline_ns);

/* A value to hand to wait_change. Take it first and look at the data after: then a change that the
 * look missed ends the wait. Thread: any. */
static inline unsigned wf_completion_observe(struct wf_completion *c)
{
    /* A3 with R3 in wf_completion_notify(), and A2 with R2. */
    return atomic_load_explicit(&c->word, memory_order_acquire) & ~WF_COMPLETION_WAITERS;
}

/* Sleeps until something changed since @seen was observed, or done, or @deadline_ns. False: the
 * deadline passed and nothing changed. Thread: any but the resolver's. */
WF_MUST_USE bool wf_completion_wait_change(struct wf_completion *c, unsigned seen,
                                           uint64_t deadline_ns);

#endif
