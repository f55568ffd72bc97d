/* Whether this process is a child of the one in which something was made. In the child none of the
 * threads exists that the parent's objects count on, and their locks may be held by nobody. */
#ifndef WF_WORKERS_FORK_H
#define WF_WORKERS_FORK_H

#include <stdatomic.h>
#include <stdbool.h>

/* Forks between the first process that called wf_fork_watch() and this one. */
extern atomic_uint wf_fork_count;

/* From the first call on, forks are counted. Returns the count for wf_is_forked(). Thread: any. */
unsigned wf_fork_watch(void);

/* @count was taken in another process. Thread: any. */
static inline bool wf_is_forked(unsigned count)
{
    /* Relaxed: it changes in a child that has one thread, before that goes on. */
    return atomic_load_explicit(&wf_fork_count, memory_order_relaxed) != count;
}

#endif
