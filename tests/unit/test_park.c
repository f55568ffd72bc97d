/* Futex waiting: deadlines, the comparison, wake-ups. */
#include "workers/park.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS 1000000u

static void test_the_clock_moves_forward(void **state)
{
    (void)state;
    uint64_t before = wf_now_ns();
    uint64_t after = wf_now_ns();
    assert_true(before > 0 && after >= before);
}

static void test_a_word_that_changed_is_not_waited_for(void **state)
{
    (void)state;
    atomic_uint word;
    atomic_init(&word, 7);
    assert_true(wf_park_wait(&word, 6, WF_NEVER));
}

static void test_a_wait_ends_at_its_deadline_and_not_before(void **state)
{
    (void)state;
    atomic_uint word;
    atomic_init(&word, 0);
    uint64_t deadline = wf_now_ns() + 20 * MS;
    while (wf_park_wait(&word, 0, deadline))
        ;
    assert_true(wf_now_ns() >= deadline);
}

static void test_a_deadline_in_the_past_does_not_wait(void **state)
{
    (void)state;
    atomic_uint word;
    atomic_init(&word, 0);
    assert_false(wf_park_wait(&word, 0, 0));
    assert_false(wf_park_wait(&word, 0, wf_now_ns() - 1));
}

static void test_a_deadline_beyond_any_clock_is_accepted(void **state)
{
    (void)state;
    atomic_uint word;
    atomic_init(&word, 1);
    assert_true(wf_park_wait(&word, 0, WF_NEVER - 1));
}

static void *sleep_on(void *arg)
{
    atomic_uint *word = arg;
    while (atomic_load_explicit(word, memory_order_acquire) == 0)
        (void)wf_park_wait(word, 0, WF_NEVER);
    return NULL;
}

static void test_a_timeout_in_milliseconds_becomes_a_deadline(void **state)
{
    (void)state;
    assert_int_equal(wf_deadline_ns(0), 0);
    assert_true(wf_deadline_ns(-1) == WF_NEVER);
    assert_true(wf_deadline_ns(INT64_MAX) == WF_NEVER);
    uint64_t before = wf_now_ns();
    uint64_t deadline = wf_deadline_ns(20);
    assert_true(deadline >= before + 20000000u && deadline <= wf_now_ns() + 20000000u);
}

static void test_a_wake_up_reaches_all_sleepers(void **state)
{
    (void)state;
    atomic_uint word;
    atomic_init(&word, 0);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sleep_on, &word), 0);
    atomic_store_explicit(&word, 1, memory_order_release);
    wf_park_wake(&word, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_clock_moves_forward),
        cmocka_unit_test(test_a_word_that_changed_is_not_waited_for),
        cmocka_unit_test(test_a_wait_ends_at_its_deadline_and_not_before),
        cmocka_unit_test(test_a_deadline_in_the_past_does_not_wait),
        cmocka_unit_test(test_a_deadline_beyond_any_clock_is_accepted),
        cmocka_unit_test(test_a_timeout_in_milliseconds_becomes_a_deadline),
        cmocka_unit_test(test_a_wake_up_reaches_all_sleepers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
