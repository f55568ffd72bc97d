/* CLOCK_MONOTONIC in nanoseconds. Thread: any. */
#ifndef WF_TOOL_CLOCK_H
#define WF_TOOL_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t wf_tool_now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

#endif
