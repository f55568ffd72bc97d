/* One resolver against several waiters, some of which wait for changes or give up early. */
#include "workers/completion.h"

#include "workers/park.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ROUNDS  10000
#define WAITERS 3
#define CHANGES 5

struct exchange {
    struct wf_completion c;
    atomic_int octets; /* grows before each notification */
    int result;        /* written before the resolution */
};

struct table {
    struct exchange exchanges[ROUNDS];
    struct wf_spin spin;
};

struct waiter {
    struct table *table;
    pthread_t thread;
    int wrong;
};

static void *resolve_all(void *arg)
{
    struct table *t = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct exchange *x = &t->exchanges[i];
        for (int n = 0; n < CHANGES; n++) {
            (void)atomic_fetch_add_explicit(&x->octets, 1, memory_order_relaxed);
            wf_completion_notify(&x->c);
        }
        x->result = i + 1;
        wf_completion_resolve(&x->c);
    }
    return NULL;
}

static void *wait_for_all(void *arg)
{
    struct waiter *w = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct exchange *x = &w->table->exchanges[i];
        bool done = i % 2 == 0 ? wf_completion_wait(&x->c, WF_NEVER)
                               : wf_completion_wait_spin(&x->c, &w->table->spin, WF_NEVER);
        w->wrong += !done || x->result != i + 1;
    }
    return NULL;
}

static void *wait_impatiently(void *arg)
{
    struct waiter *w = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct exchange *x = &w->table->exchanges[i];
        while (!wf_completion_wait(&x->c, wf_now_ns() + 20000))
            ;
        w->wrong += x->result != i + 1;
    }
    return NULL;
}

static void *follow_changes(void *arg)
{
    struct waiter *w = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct exchange *x = &w->table->exchanges[i];
        int octets = 0;
        while (!wf_completion_is_done(&x->c)) {
            unsigned seen = wf_completion_observe(&x->c);
            int now = atomic_load_explicit(&x->octets, memory_order_relaxed);
            w->wrong += now < octets;
            if (now == octets)
                w->wrong += !wf_completion_wait_change(&x->c, seen, WF_NEVER);
            octets = now;
        }
        w->wrong += atomic_load_explicit(&x->octets, memory_order_relaxed) != CHANGES;
    }
    return NULL;
}

static void run_against_resolver(void *(*wait)(void *))
{
    struct table *t = test_calloc(1, sizeof(*t));
    for (int i = 0; i < ROUNDS; i++)
        wf_completion_init(&t->exchanges[i].c);
    wf_spin_init(&t->spin);
    struct waiter waiters[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (struct waiter){.table = t};
        assert_int_equal(pthread_create(&waiters[i].thread, NULL, wait, &waiters[i]), 0);
    }
    pthread_t resolver;
    assert_int_equal(pthread_create(&resolver, NULL, resolve_all, t), 0);
    assert_int_equal(pthread_join(resolver, NULL), 0);
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
        assert_int_equal(waiters[i].wrong, 0);
    }
    test_free(t);
}

static void test_every_waiter_wakes_and_reads_the_result(void **state)
{
    (void)state;
    run_against_resolver(wait_for_all);
}

static void test_waiters_that_give_up_and_come_back_lose_nothing(void **state)
{
    (void)state;
    run_against_resolver(wait_impatiently);
}

static void test_every_change_is_seen_before_the_end(void **state)
{
    (void)state;
    run_against_resolver(follow_changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_waiter_wakes_and_reads_the_result),
        cmocka_unit_test(test_waiters_that_give_up_and_come_back_lose_nothing),
        cmocka_unit_test(test_every_change_is_seen_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
