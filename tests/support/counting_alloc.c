#include "support/counting_alloc.h"

#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>

/* The linker sends calls of wf_alloc() to __wrap_wf_alloc(), and so on. */
void *__real_wf_alloc(size_t len);
void *__real_wf_calloc(size_t count, size_t size);
void *__real_wf_realloc(void *ptr, size_t len);
void *__real_wf_alloc_aligned(size_t align, size_t len);
void __real_wf_free(void *ptr);
void *__wrap_wf_alloc(size_t len);
void *__wrap_wf_calloc(size_t count, size_t size);
void *__wrap_wf_realloc(void *ptr, size_t len);
void *__wrap_wf_alloc_aligned(size_t align, size_t len);
void __wrap_wf_free(void *ptr);

/* Sequentially consistent throughout: a test's counters have no speed to win. */
static atomic_size_t blocks;
static atomic_size_t octets;
static atomic_size_t alignment;

size_t counting_alloc_blocks(void)
{
    return atomic_load(&blocks);
}

size_t counting_alloc_octets(void)
{
    return atomic_load(&octets);
}

size_t counting_alloc_alignment(void)
{
    return atomic_load(&alignment);
}

static void *count(void *ptr)
{
    if (ptr != NULL) {
        atomic_fetch_add(&blocks, 1);
        atomic_fetch_add(&octets, malloc_usable_size(ptr));
    }
    return ptr;
}

static void uncount(size_t len)
{
    atomic_fetch_sub(&blocks, 1);
    atomic_fetch_sub(&octets, len);
}

void *__wrap_wf_alloc(size_t len)
{
    return count(__real_wf_alloc(len));
}

void *__wrap_wf_calloc(size_t number, size_t size)
{
    return count(__real_wf_calloc(number, size));
}

void *__wrap_wf_realloc(void *ptr, size_t len)
{
    size_t before = ptr != NULL ? malloc_usable_size(ptr) : 0;
    void *moved = __real_wf_realloc(ptr, len);
    if (moved != NULL && ptr != NULL)
        uncount(before);
    return count(moved);
}

void *__wrap_wf_alloc_aligned(size_t align, size_t len)
{
    size_t largest = atomic_load(&alignment);
    while (align > largest && !atomic_compare_exchange_weak(&alignment, &largest, align))
        ;
    return count(__real_wf_alloc_aligned(align, len));
}

void __wrap_wf_free(void *ptr)
{
    if (ptr != NULL)
        uncount(malloc_usable_size(ptr));
    __real_wf_free(ptr);
}
