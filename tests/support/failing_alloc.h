/* An allocator that fails on demand, for tests that were given weft_failing_alloc() in CMake.
 * Thread: one. */
#ifndef WF_TESTS_FAILING_ALLOC_H
#define WF_TESTS_FAILING_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* The next @count allocations succeed and all after them fail; negative: none fails. */
void failing_alloc_after(long count);
/* While paused, allocations succeed and do not count: those of a test's own peer. */
void failing_alloc_pause(bool paused);
/* Allocations that failed since the last failing_alloc_after(). */
long failing_alloc_failures(void);
/* The largest request since then, in octets. */
size_t failing_alloc_largest(void);

#endif
