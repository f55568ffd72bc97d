/* Memory for the programs: a program that has none left says so and ends with status 27, which is
 * curl's for that. The library, whose callers want to go on, does not do this. Thread: any. */
#ifndef WF_TOOL_MEMORY_H
#define WF_TOOL_MEMORY_H

#include <stddef.h>

#define WF_TOOL_EXIT_NO_MEMORY 27

_Noreturn void wf_tool_die_no_memory(void);

/* Never NULL; what wf_tool_calloc() returns is zeroed. To be given to free(). */
void *wf_tool_calloc(size_t count, size_t size);
/* @align is a power of two that divides @size. */
void *wf_tool_calloc_aligned(size_t align, size_t count, size_t size);
void *wf_tool_realloc(void *ptr, size_t count, size_t size);
char *wf_tool_strndup(const char *text, size_t len);

/* Makes room for one more element of @size in an array of @count whose room doubles: call it before
 * each addition. */
void *wf_tool_grow(void *array, size_t count, size_t size);

#endif
