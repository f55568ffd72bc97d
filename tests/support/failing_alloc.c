#include "support/failing_alloc.h"

#include "base/alloc.h"

#include <stdatomic.h>

/* The linker sends calls of wf_alloc() to __wrap_wf_alloc(), and so on. */
void *__real_wf_alloc(size_t len);
void *__real_wf_calloc(size_t count, size_t size);
void *__real_wf_realloc(void *ptr, size_t len);
void *__real_wf_alloc_aligned(size_t align, size_t len);
void *__wrap_wf_alloc(size_t len);
void *__wrap_wf_calloc(size_t count, size_t size);
void *__wrap_wf_realloc(void *ptr, size_t len);
void *__wrap_wf_alloc_aligned(size_t align, size_t len);

/* Sequentially consistent throughout: a test's counters have no speed to win. */
static atomic_long left = -1;
static atomic_long failures;
static atomic_size_t largest;
static atomic_bool is_once;
static _Thread_local bool is_paused;

static void start(long count, bool once)
{
    atomic_store(&failures, 0);
    atomic_store(&largest, 0);
    atomic_store(&is_once, once);
    atomic_store(&left, count);
}

void failing_alloc_after(long count)
{
    start(count, false);
}

void failing_alloc_once(long count)
{
    start(count, true);
}

void failing_alloc_pause(bool paused)
{
    is_paused = paused;
}

long failing_alloc_failures(void)
{
    return atomic_load(&failures);
}

size_t failing_alloc_largest(void)
{
    return atomic_load(&largest);
}

static void note_len(size_t len)
{
    size_t before = atomic_load(&largest);
    while (len > before && !atomic_compare_exchange_weak(&largest, &before, len))
        ;
}

/* Takes one of those that may succeed. */
static bool may_allocate(size_t len)
{
    if (is_paused)
        return true;
    note_len(len);
    long before = atomic_load(&left);
    for (;;) {
        if (before < 0)
            return true;
        long after = before > 0 ? before - 1 : (atomic_load(&is_once) ? -1 : 0);
        if (atomic_compare_exchange_weak(&left, &before, after))
            break;
    }
    if (before == 0)
        atomic_fetch_add(&failures, 1);
    return before > 0;
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
