#include "workers/fork.h"

#include <pthread.h>

/* Of the process, like the process identifier, which costs a system call to ask for. */
atomic_uint wf_fork_count;

static void in_child(void)
{
    atomic_fetch_add_explicit(&wf_fork_count, 1, memory_order_relaxed); /* see wf_is_forked() */
}

static void watch(void)
{
    /* Without memory for it a child is not told; nothing else changes. */
    (void)pthread_atfork(NULL, NULL, in_child);
}

unsigned wf_fork_watch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, watch);
    return atomic_load_explicit(&wf_fork_count, memory_order_relaxed);
}
