/* Numbers that need not be secret: jitter. The sequence is that of splitmix64. Thread: owner. */
#ifndef WF_BASE_RANDOM_H
#define WF_BASE_RANDOM_H

#include <stdint.h>

struct wf_random {
    uint64_t state; /* any number is a seed */
};

static inline uint64_t wf_random_next(struct wf_random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* From 0 to @count - 1, near enough to evenly for counts that are small against 2^64. @count is not
 * 0. */
static inline uint64_t wf_random_below(struct wf_random *random, uint64_t count)
{
    return wf_random_next(random) % count;
}

#endif
