/* Blocks that wander between threads, and a pool that is closed under them. */
#include "base/pool.h"

#include "base/assert.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define THREADS   4
#define TURNS     30000
#define SLOTS     64
#define BLOCK_LEN 128

struct table {
    struct wf_pool *pool;
    _Atomic(unsigned char *) slots[SLOTS]; /* what is in transit from thread to thread */
};

struct wanderer {
    struct table *table;
    pthread_t thread;
    uint32_t random;
    int wrong;
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Nobody else may write to a block while it is out. */
static bool is_intact(const unsigned char *block)
{
    return block[0] == block[BLOCK_LEN - 1] && block[0] == block[BLOCK_LEN / 2];
}

static void put_in_transit(struct wanderer *w, unsigned char *block)
{
    struct table *t = w->table;
    memset(block, (int)(next_random(&w->random) & 0xff), BLOCK_LEN);
    block = atomic_exchange_explicit(&t->slots[next_random(&w->random) % SLOTS], block,
                                     memory_order_acq_rel);
    if (block != NULL) {
        w->wrong += !is_intact(block);
        wf_pool_give(t->pool, block);
    }
}

static void *wander(void *arg)
{
    struct wanderer *w = arg;
    struct table *t = w->table;
    for (int i = 0; i < TURNS; i++) {
        void *taken[3];
        size_t count = wf_pool_take_many(t->pool, taken, 1 + next_random(&w->random) % 3);
        w->wrong += count == 0;
        for (size_t j = 0; j < count; j++)
            put_in_transit(w, taken[j]);
    }
    return NULL;
}

static void *give_slots(void *arg)
{
    struct wanderer *w = arg;
    for (int i = 0; i < SLOTS; i++) {
        unsigned char *block =
            atomic_exchange_explicit(&w->table->slots[i], NULL, memory_order_acq_rel);
        if (block != NULL) {
            w->wrong += !is_intact(block);
            wf_pool_give(w->table->pool, block);
        }
    }
    return NULL;
}

static void run_all(struct table *t, void *(*main_fn)(void *), struct wf_pool *close_meanwhile)
{
    struct wanderer wanderers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        wanderers[i] = (struct wanderer){.table = t, .random = (uint32_t)i * 7919u + 1u};
        assert_int_equal(pthread_create(&wanderers[i].thread, NULL, main_fn, &wanderers[i]), 0);
    }
    wf_pool_unref(close_meanwhile);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(wanderers[i].thread, NULL), 0);
        assert_int_equal(wanderers[i].wrong, 0);
    }
}

static void run_on(struct wf_pool *pool)
{
    struct table t = {.pool = pool};
    assert_non_null(t.pool);
    run_all(&t, wander, NULL);
    run_all(&t, give_slots, t.pool);
    for (int i = 0; i < SLOTS; i++)
        assert_null(atomic_load(&t.slots[i]));
}

static void test_no_block_is_out_twice_and_the_last_one_frees_the_pool(void **state)
{
    (void)state;
    run_on(wf_pool_new(BLOCK_LEN));
    run_on(wf_pool_new_long(BLOCK_LEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_block_is_out_twice_and_the_last_one_frees_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
