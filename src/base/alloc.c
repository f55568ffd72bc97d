#include "base/alloc.h"

#include <stdlib.h>

void *wf_alloc(size_t len)
{
    return malloc(len);
}

void *wf_calloc(size_t count, size_t size)
{
    return calloc(count, size);
}

void *wf_realloc(void *ptr, size_t len)
{
    return realloc(ptr, len);
}

void *wf_alloc_aligned(size_t align, size_t len)
{
    return aligned_alloc(align, (len + align - 1) & ~(align - 1));
}

void wf_free(void *ptr)
{
    free(ptr);
}
