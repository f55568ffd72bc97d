/* The Linux futex behind wf_park_wait() and wf_park_wake(). */
#include "workers/park.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000u
#define NS_PER_S  1000000000u

_Static_assert(sizeof(atomic_uint) == sizeof(uint32_t), "a futex word has 32 bits");

uint64_t wf_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t wf_deadline_ns(int64_t timeout_ms)
{
    if (timeout_ms <= 0)
        return timeout_ms == 0 ? 0 : WF_NEVER;
    uint64_t now = wf_now_ns();
    uint64_t wait = (uint64_t)timeout_ms;
    return wait > (WF_NEVER - 1 - now) / NS_PER_MS ? WF_NEVER : now + wait * NS_PER_MS;
}

bool wf_park_wait(atomic_uint *word, unsigned expected, uint64_t deadline_ns)
{
    /* The call with a bit set, since that one takes an absolute time: a loop does not drift. */
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / NS_PER_S),
                             .tv_nsec = (long)(deadline_ns % NS_PER_S)};
    const struct timespec *timeout = deadline_ns == WF_NEVER ? NULL : &until;
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, timeout,
                      NULL, FUTEX_BITSET_MATCH_ANY);
    return rc == 0 || errno != ETIMEDOUT;
}

void wf_park_wake(atomic_uint *word, int count)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
}
