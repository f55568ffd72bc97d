/* An allocator that fails on demand, for tests that were given weft_failing_alloc() in CMake.
 * Counts the allocations of all threads that are not paused. Thread: any. */
#ifndef WF_TESTS_FAILING_ALLOC_H
#define WF_TESTS_FAILING_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* The next @count allocations succeed and all after them fail; negative: none fails. */
void failing_alloc_after(long count);
/* The next @count allocations succeed, the one after them fails, and all after that succeed. */
void failing_alloc_once(long count);
/* While paused, allocations of this thread succeed and do not count: those of a test's own peer. */
void failing_alloc_pause(bool paused);
/* Allocations that failed since the last failing_alloc_after() or failing_alloc_once(). */
long failing_alloc_failures(void);
/* The largest request since then, in octets. */
size_t failing_alloc_largest(void);

#endif
