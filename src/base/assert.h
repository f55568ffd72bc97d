/* Assertions for what only this library can break: contracts, invariants, threads.
 * Input of a peer or a user is checked, never asserted. */
#ifndef WF_BASE_ASSERT_H
#define WF_BASE_ASSERT_H

#include <assert.h>
#include <stdlib.h>

#ifdef NDEBUG
/* Never evaluated, but compiled: what only an assertion uses still counts as used. */
#define wf_assert(condition) ((void)(0 && (condition)))
#else
#define wf_assert(condition) assert(condition)
#endif
#define WF_UNREACHABLE(why) (assert(0 && (why)), abort())

#define wf_container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define WF_LIKELY(x)   __builtin_expect(!!(x), 1)
#define WF_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Of a function that is seldom called: it stays out of its callers, whose prologues it would make
 * longer. */
#define WF_SELDOM __attribute__((noinline, cold))
/* Of a function that is called often but not always, for the same reason. */
#define WF_APART      __attribute__((noinline))
#define WF_CACHE_LINE 64

#endif
