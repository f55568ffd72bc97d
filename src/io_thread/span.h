/* A time since another in 32 bits: a number of five bits and how often it was doubled, so exact to
 * 134 ms, and rounded down in the ninth digit beyond. Of two times the later has never the smaller
 * span. 0: the time has not come. */
#ifndef WF_IO_THREAD_SPAN_H
#define WF_IO_THREAD_SPAN_H

#include "base/assert.h"

#include <stdint.h>

typedef uint32_t wf_span;

#define WF_SPAN_BITS 27u /* of the number; the others say how often it was doubled */
#define WF_SPAN_END  (UINT64_C(1) << (WF_SPAN_BITS + 31)) /* ns: nine years */

/* From @from_ns to @when_ns; what came before counts as come at @from_ns. */
static inline wf_span wf_span_between(uint64_t from_ns, uint64_t when_ns)
{
    uint64_t ns = when_ns > from_ns ? when_ns - from_ns : 0;
    if (WF_LIKELY(ns < (1u << WF_SPAN_BITS) - 1))
        return (wf_span)ns + 1; /* so that 0 is left */
    if (++ns >= WF_SPAN_END || ns == 0)
        return UINT32_MAX;
    unsigned doublings = 64u - WF_SPAN_BITS - (unsigned)__builtin_clzll(ns);
    return (wf_span)(doublings << WF_SPAN_BITS | (ns >> doublings & ((1u << WF_SPAN_BITS) - 1)));
}

/* @span is not 0. */
static inline uint64_t wf_span_ns(wf_span span)
{
    return ((uint64_t)(span & ((1u << WF_SPAN_BITS) - 1)) << (span >> WF_SPAN_BITS)) - 1;
}

#endif
