/* The allocator of everything in this library. Thread: any.
 * All allocation goes through these calls, so that a test can link its own and make the n-th one
 * fail. A NULL result is an ordinary error for every caller. */
#ifndef WF_BASE_ALLOC_H
#define WF_BASE_ALLOC_H

#include <stddef.h>

#define WF_MUST_USE __attribute__((warn_unused_result))

WF_MUST_USE void *wf_alloc(size_t len);
/* Zeroed; NULL when @count times @size overflows. */
WF_MUST_USE void *wf_calloc(size_t count, size_t size);
WF_MUST_USE void *wf_realloc(void *ptr, size_t len);
/* @align is a power of two; @len is rounded up to a multiple of it. */
WF_MUST_USE void *wf_alloc_aligned(size_t align, size_t len);
void wf_free(void *ptr);

#endif
