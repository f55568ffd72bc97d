#include "support/failing_alloc.h"

#include "base/alloc.h"

/* The linker sends calls of wf_alloc() to __wrap_wf_alloc(), and so on. */
void *__real_wf_alloc(size_t len);
void *__real_wf_calloc(size_t count, size_t size);
void *__real_wf_realloc(void *ptr, size_t len);
void *__real_wf_alloc_aligned(size_t align, size_t len);
void *__wrap_wf_alloc(size_t len);
void *__wrap_wf_calloc(size_t count, size_t size);
void *__wrap_wf_realloc(void *ptr, size_t len);
void *__wrap_wf_alloc_aligned(size_t align, size_t len);

static long left = -1;
static long failures;
static size_t largest;
static bool is_paused;

void failing_alloc_after(long count)
{
    left = count;
    failures = 0;
    largest = 0;
}

void failing_alloc_pause(bool paused)
{
    is_paused = paused;
}

long failing_alloc_failures(void)
{
    return failures;
}

size_t failing_alloc_largest(void)
{
    return largest;
}

static bool may_allocate(size_t len)
{
    if (is_paused)
        return true;
    if (len > largest)
        largest = len;
    if (left == 0) {
        failures++;
        return false;
    }
    if (left > 0)
        left--;
    return true;
}

void *__wrap_wf_alloc(size_t len)
{
    return may_allocate(len) ? __real_wf_alloc(len) : NULL;
}

void *__wrap_wf_calloc(size_t count, size_t size)
{
    return may_allocate(count * size) ? __real_wf_calloc(count, size) : NULL;
}

void *__wrap_wf_realloc(void *ptr, size_t len)
{
    return may_allocate(len) ? __real_wf_realloc(ptr, len) : NULL;
}

void *__wrap_wf_alloc_aligned(size_t align, size_t len)
{
    return may_allocate(len) ? __real_wf_alloc_aligned(align, len) : NULL;
}
