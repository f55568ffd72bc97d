/* The completion: done once, changes in between, waiting with and without a deadline. */
#include "workers/completion.h"

#include "workers/park.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS 1000000u

struct shared {
    struct wf_completion c;
    struct wf_spin *spin;
    int result;          /* written before resolve */
    atomic_int received; /* what the waiters read after */
    unsigned seen;
};

static bool has_waiter(struct wf_completion *c)
{
    return (atomic_load_explicit(&c->word, memory_order_acquire) & WF_COMPLETION_WAITERS) != 0;
}

/* Until somebody is about to sleep. Yields; the test's time limit bounds it. */
static void await_waiter(struct wf_completion *c)
{
    while (!has_waiter(c))
        (void)wf_park_wait(&c->word, atomic_load_explicit(&c->word, memory_order_acquire),
                           wf_now_ns() + MS / 10);
}

static void *wait_for_result(void *arg)
{
    struct shared *s = arg;
    if (wf_completion_wait_spin(&s->c, s->spin, WF_NEVER))
        atomic_store_explicit(&s->received, s->result, memory_order_relaxed);
    return NULL;
}

static void *wait_for_change(void *arg)
{
    struct shared *s = arg;
    if (wf_completion_wait_change(&s->c, s->seen, WF_NEVER))
        atomic_store_explicit(&s->received, s->result, memory_order_relaxed);
    return NULL;
}

static void test_it_is_pending_until_resolved(void **state)
{
    (void)state;
    struct wf_completion c;
    wf_completion_init(&c);
    assert_false(wf_completion_is_done(&c));
    assert_false(wf_completion_wait(&c, 0));
    wf_completion_resolve(&c);
    assert_true(wf_completion_is_done(&c));
    assert_true(wf_completion_wait(&c, 0));
    assert_true(wf_completion_wait(&c, WF_NEVER));
    assert_true(wf_completion_wait_spin(&c, NULL, 0));
}

static void test_a_wait_ends_at_its_deadline(void **state)
{
    (void)state;
    struct wf_completion c;
    struct wf_spin spin;
    wf_completion_init(&c);
    wf_spin_init(&spin);
    uint64_t deadline = wf_now_ns() + 5 * MS;
    assert_false(wf_completion_wait(&c, deadline));
    assert_true(wf_now_ns() >= deadline);
    deadline = wf_now_ns() + 5 * MS;
    assert_false(wf_completion_wait_spin(&c, &spin, deadline));
    assert_true(wf_now_ns() >= deadline);
}

static void resolve_while_somebody_sleeps(struct wf_spin *spin)
{
    struct shared s = {.spin = spin};
    wf_completion_init(&s.c);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_result, &s), 0);
    await_waiter(&s.c);
    s.result = 42;
    wf_completion_resolve(&s.c);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(s.received, 42);
}

static void test_resolve_wakes_a_sleeper_that_reads_the_result(void **state)
{
    (void)state;
    resolve_while_somebody_sleeps(NULL);
    struct wf_spin spin;
    wf_spin_init(&spin);
    resolve_while_somebody_sleeps(&spin);
}

static void test_resolve_wakes_every_sleeper(void **state)
{
    (void)state;
    struct shared s = {0};
    wf_completion_init(&s.c);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_result, &s), 0);
    await_waiter(&s.c);
    wf_completion_resolve(&s.c);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_a_notification_is_a_change_but_not_done(void **state)
{
    (void)state;
    struct wf_completion c;
    wf_completion_init(&c);
    unsigned seen = wf_completion_observe(&c);
    assert_false(wf_completion_wait_change(&c, seen, 0));
    wf_completion_notify(&c);
    assert_true(wf_completion_wait_change(&c, seen, 0));
    assert_false(wf_completion_is_done(&c));
    seen = wf_completion_observe(&c);
    assert_false(wf_completion_wait_change(&c, seen, 0));
    wf_completion_resolve(&c);
    assert_true(wf_completion_wait_change(&c, seen, 0));
    assert_true(wf_completion_wait_change(&c, wf_completion_observe(&c), WF_NEVER)); /* done */
}

static void test_a_waiter_alone_is_not_a_change(void **state)
{
    (void)state;
    struct wf_completion c;
    wf_completion_init(&c);
    unsigned seen = wf_completion_observe(&c);
    assert_false(wf_completion_wait_change(&c, seen, wf_now_ns() + MS));
    assert_true(has_waiter(&c));
    assert_int_equal(wf_completion_observe(&c), seen);
    assert_false(wf_completion_wait_change(&c, seen, 0));
}

static void test_notify_wakes_a_sleeper_and_forgets_it(void **state)
{
    (void)state;
    struct shared s = {0};
    wf_completion_init(&s.c);
    s.seen = wf_completion_observe(&s.c);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_change, &s), 0);
    await_waiter(&s.c);
    s.result = 7;
    wf_completion_notify(&s.c);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(s.received, 7);
    assert_false(has_waiter(&s.c)); /* so that the next notify makes no system call */
}

static void test_a_wait_for_done_sleeps_through_notifications(void **state)
{
    (void)state;
    struct shared s = {0};
    wf_completion_init(&s.c);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_result, &s), 0);
    for (int i = 0; i < 3; i++) {
        await_waiter(&s.c);
        wf_completion_notify(&s.c);
    }
    s.result = 9;
    wf_completion_resolve(&s.c);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(s.received, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_pending_until_resolved),
        cmocka_unit_test(test_a_wait_ends_at_its_deadline),
        cmocka_unit_test(test_resolve_wakes_a_sleeper_that_reads_the_result),
        cmocka_unit_test(test_resolve_wakes_every_sleeper),
        cmocka_unit_test(test_a_notification_is_a_change_but_not_done),
        cmocka_unit_test(test_a_waiter_alone_is_not_a_change),
        cmocka_unit_test(test_notify_wakes_a_sleeper_and_forgets_it),
        cmocka_unit_test(test_a_wait_for_done_sleeps_through_notifications),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
