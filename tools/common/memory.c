/* Allocation that ends the program when it fails. */
#include "memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void wf_tool_die_no_memory(void)
{
    fprintf(stderr, "%s: out of memory\n", program_invocation_short_name);
    exit(WF_TOOL_EXIT_NO_MEMORY);
}

void *wf_tool_calloc(size_t count, size_t size)
{
    void *ptr = calloc(count ? count : 1, size ? size : 1);

    if (!ptr)
        wf_tool_die_no_memory();
    return ptr;
}

void *wf_tool_calloc_aligned(size_t align, size_t count, size_t size)
{
    void *ptr = NULL;

    if (count <= SIZE_MAX / size)
        ptr = aligned_alloc(align, count * size);
    if (!ptr)
        wf_tool_die_no_memory();
    return memset(ptr, 0, count * size);
}

void *wf_tool_realloc(void *ptr, size_t count, size_t size)
{
    void *grown = reallocarray(ptr, count ? count : 1, size ? size : 1);

    if (!grown)
        wf_tool_die_no_memory();
    return grown;
}

char *wf_tool_strndup(const char *text, size_t len)
{
    char *copy = wf_tool_calloc(len + 1, 1);

    memcpy(copy, text, len);
    return copy;
}

void *wf_tool_grow(void *array, size_t count, size_t size)
{
    /* Full exactly when the count is zero or a power of two from 8 on. */
    if (count != 0 && (count < 8 || (count & (count - 1)) != 0))
        return array;
    if (count > SIZE_MAX / 2)
        wf_tool_die_no_memory();
    return wf_tool_realloc(array, count ? 2 * count : 8, size);
}
