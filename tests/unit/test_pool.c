/* The block pool: reuse, alignment, blocks that outlive their creator. */
#include "base/pool.h"

#include "base/assert.h"
#include "support/random.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCKS 1000

struct fixture {
    struct wf_pool *pool;
    void *blocks[BLOCKS];
};

static int compare_addresses(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (void *const *)a;
    uintptr_t y = (uintptr_t) * (void *const *)b;
    return x < y ? -1 : x > y;
}

static void take_and_fill(struct fixture *f, size_t len, size_t alignment)
{
    assert_non_null(f->pool);
    for (int i = 0; i < BLOCKS; i++) {
        f->blocks[i] = wf_pool_take(f->pool);
        assert_non_null(f->blocks[i]);
        assert_int_equal((uintptr_t)f->blocks[i] % alignment, 0);
        memset(f->blocks[i], i, len);
    }
    for (int i = 0; i < BLOCKS; i++) {
        assert_int_equal(((unsigned char *)f->blocks[i])[0], (unsigned char)i);
        assert_int_equal(((unsigned char *)f->blocks[i])[len - 1], (unsigned char)i);
    }
    qsort(f->blocks, BLOCKS, sizeof(f->blocks[0]), compare_addresses);
    for (int i = 1; i < BLOCKS; i++)
        assert_true((uintptr_t)f->blocks[i] - (uintptr_t)f->blocks[i - 1] >= len);
    for (int i = 0; i < BLOCKS; i++)
        wf_pool_give(f->pool, f->blocks[i]);
    wf_pool_unref(f->pool);
}

static void test_blocks_are_aligned_apart_and_writable(void **state)
{
    (void)state;
    static struct fixture f;
    f.pool = wf_pool_new(200);
    take_and_fill(&f, 200, WF_CACHE_LINE);
    f.pool = wf_pool_new_long(1016);
    take_and_fill(&f, 1016, sizeof(void *));
}

static void test_a_given_block_is_the_next_one_taken(void **state)
{
    (void)state;
    struct wf_pool *pool = wf_pool_new(sizeof(void *));
    assert_non_null(pool);
    void *first = wf_pool_take(pool);
    wf_pool_give(pool, first);
    assert_ptr_equal(wf_pool_take(pool), first);
    wf_pool_give(pool, first);
    wf_pool_unref(pool);
    wf_pool_unref(NULL);
}

static void test_many_are_taken_of_those_that_are_free(void **state)
{
    (void)state;
    void *given[10];
    void *taken[100];
    struct wf_pool *pool = wf_pool_new_long(24);
    assert_non_null(pool);
    /* Nothing is free yet. */
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(wf_pool_take_many(pool, &given[i], 1), 1);
    for (size_t i = 0; i < 10; i++)
        wf_pool_give(pool, given[i]);
    assert_int_equal(wf_pool_take_many(pool, taken, 4), 4);
    assert_int_equal(wf_pool_take_many(pool, taken + 4, 96), 6);
    assert_int_equal(wf_pool_take_many(pool, taken + 10, 90), 1);
    qsort(taken, 11, sizeof(taken[0]), compare_addresses);
    for (size_t i = 1; i < 11; i++)
        assert_true((uintptr_t)taken[i] - (uintptr_t)taken[i - 1] >= 24);
    for (size_t i = 0; i < 11; i++)
        wf_pool_give(pool, taken[i]);
    wf_pool_unref(pool);
}

static void test_lengths_that_cannot_be_are_refused(void **state)
{
    (void)state;
    assert_null(wf_pool_new_long(0));
    assert_null(wf_pool_new_long(SIZE_MAX / 2));
    assert_null(wf_pool_new(0));
    assert_null(wf_pool_new(SIZE_MAX));
    assert_null(wf_pool_new(SIZE_MAX / 2));
}

static void test_blocks_larger_than_a_small_chunk_work(void **state)
{
    (void)state;
    struct wf_pool *pool = wf_pool_new(100000);
    assert_non_null(pool);
    void *blocks[20];
    for (int i = 0; i < 20; i++) {
        blocks[i] = wf_pool_take(pool);
        assert_non_null(blocks[i]);
        memset(blocks[i], i, 100000);
    }
    for (int i = 0; i < 20; i++)
        wf_pool_give(pool, blocks[i]);
    wf_pool_unref(pool);
}

static void test_blocks_outlive_the_creators_reference(void **state)
{
    (void)state;
    struct wf_pool *pool = wf_pool_new(64);
    assert_non_null(pool);
    char *one = wf_pool_take(pool);
    char *two = wf_pool_take(pool);
    char *three = wf_pool_take(pool);
    wf_pool_give(pool, two);
    wf_pool_unref(pool);
    one[0] = 'a';
    three[63] = 'b';
    wf_pool_give(pool, one);
    three[0] = 'c';
    wf_pool_give(pool, three); /* frees all; the leak checker looks */
}

static void *give_all(void *arg)
{
    struct fixture *f = arg;
    for (int i = 0; i < BLOCKS; i++)
        wf_pool_give(f->pool, f->blocks[i]);
    return NULL;
}

/* Otherwise a pool whose blocks are taken on one thread and given on another grows for ever. */
static void test_blocks_given_on_another_thread_come_back_to_the_taker(void **state)
{
    (void)state;
    static struct fixture f;
    static void *first[BLOCKS];
    f.pool = wf_pool_new(64);
    assert_non_null(f.pool);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            f.blocks[i] = wf_pool_take(f.pool);
            assert_non_null(f.blocks[i]);
        }
        qsort(f.blocks, BLOCKS, sizeof(f.blocks[0]), compare_addresses);
        if (round == 0)
            memcpy(first, f.blocks, sizeof(first));
        assert_memory_equal(first, f.blocks, sizeof(first));
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, give_all, &f), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    wf_pool_unref(f.pool);
}

static void
test_the_last_block_may_be_given_on_another_thread_after_the_pool_was_closed(void **state)
{
    (void)state;
    static struct fixture f;
    f.pool = wf_pool_new(64);
    assert_non_null(f.pool);
    for (int i = 0; i < BLOCKS; i++)
        f.blocks[i] = wf_pool_take(f.pool);
    struct wf_pool *pool = f.pool;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, give_all, &f), 0);
    wf_pool_unref(pool); /* while it is giving */
    assert_int_equal(pthread_join(thread, NULL), 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define POOLS 300
#define PINS  64

/* A client's pools, opened and closed while others allocate, must fit into the holes that their
 * predecessors left. Chunks that are aligned to their own length do not: a hole of exactly their
 * length is no use to them, and the heap grows to several times of this bound. */
static void test_pools_that_come_and_go_do_not_grow_the_heap(void **state)
{
    (void)state;
    struct test_random random = test_random_start("test_pool");
    void *pins[PINS] = {NULL};
    size_t before = mallinfo2().arena;
    for (int i = 0; i < POOLS; i++) {
        void *blocks[2][120];
        struct wf_pool *pools[2] = {wf_pool_new(500), wf_pool_new(1024)};
        assert_true(pools[0] != NULL && pools[1] != NULL);
        for (size_t j = 0; j < 240; j++) {
            blocks[j % 2][j / 2] = wf_pool_take(pools[j % 2]);
            assert_non_null(blocks[j % 2][j / 2]);
            size_t pin = test_random_below(&random, PINS);
            if (j % 16 == 0) {
                free(pins[pin]);
                pins[pin] = malloc(100 + test_random_below(&random, 20000));
            }
        }
        for (size_t j = 0; j < 240; j++)
            wf_pool_give(pools[j % 2], blocks[j % 2][j / 2]);
        wf_pool_unref(pools[0]);
        wf_pool_unref(pools[1]);
    }
    size_t grown = mallinfo2().arena - before;
    for (size_t i = 0; i < PINS; i++)
        free(pins[i]);
    print_message("the heap grew by %zu octets\n", grown);
    /* 650 KiB of it are pinned, 300 KiB are the pools'. */
    assert_true(grown < 3u << 19);
}
#endif

#if defined(__SANITIZE_ADDRESS__)
static void test_use_after_give_is_seen_by_the_address_sanitizer(void **state)
{
    (void)state;
    struct wf_pool *pool = wf_pool_new(64);
    assert_non_null(pool);
    volatile char *block = wf_pool_take(pool);
    wf_pool_give(pool, (void *)block);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(STDERR_FILENO);
        block[8] = 1;
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    wf_pool_unref(pool);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_aligned_apart_and_writable),
        cmocka_unit_test(test_a_given_block_is_the_next_one_taken),
        cmocka_unit_test(test_many_are_taken_of_those_that_are_free),
        cmocka_unit_test(test_lengths_that_cannot_be_are_refused),
        cmocka_unit_test(test_blocks_larger_than_a_small_chunk_work),
        cmocka_unit_test(test_blocks_outlive_the_creators_reference),
        cmocka_unit_test(test_blocks_given_on_another_thread_come_back_to_the_taker),
        cmocka_unit_test(
            test_the_last_block_may_be_given_on_another_thread_after_the_pool_was_closed),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(test_pools_that_come_and_go_do_not_grow_the_heap),
#endif
#if defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test(test_use_after_give_is_seen_by_the_address_sanitizer),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
