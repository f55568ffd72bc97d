#include "io_thread/wake.h"

#include "base/assert.h"

#include "support/cmocka.h"

#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

struct counted {
    struct wf_wake wake;
    int count;
};

static struct wf_poller poller;
static struct counted counted;

static void on_wake(struct wf_wake *wake)
{
    wf_container_of(wake, struct counted, wake)->count++;
}

static int set_up(void **state)
{
    (void)state;
    counted.count = 0;
    return wf_poller_init(&poller) != 0 ? -1 : wf_wake_init(&counted.wake, &poller, on_wake);
}

static int tear_down(void **state)
{
    (void)state;
    wf_wake_fini(&counted.wake);
    wf_poller_fini(&poller);
    return 0;
}

static void test_signals_that_come_together_are_told_once(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        wf_wake_signal(&counted.wake);
    assert_int_equal(wf_poller_wait(&poller, 1000), 1);
    assert_int_equal(counted.count, 1);
    assert_int_equal(wf_poller_wait(&poller, 0), 0);
}

static void test_each_signal_after_a_wait_is_told_again(void **state)
{
    (void)state;
    for (int i = 1; i <= 100; i++) {
        wf_wake_signal(&counted.wake);
        assert_int_equal(wf_poller_wait(&poller, 1000), 1);
        assert_int_equal(counted.count, i);
    }
}

static void test_a_full_counter_does_not_swallow_a_signal(void **state)
{
    (void)state;
    const uint64_t most = UINT64_MAX - 1;
    assert_int_equal(write(counted.wake.source.fd, &most, sizeof(most)), sizeof(most));
    assert_int_equal(wf_poller_wait(&poller, 1000), 1);
    wf_wake_signal(&counted.wake);
    assert_int_equal(wf_poller_wait(&poller, 1000), 1);
    assert_int_equal(counted.count, 2);
}

static void test_no_callback_is_needed(void **state)
{
    (void)state;
    struct wf_wake wake;
    assert_int_equal(wf_wake_init(&wake, &poller, NULL), 0);
    wf_wake_signal(&wake);
    assert_int_equal(wf_poller_wait(&poller, 1000), 1);
    wf_wake_fini(&wake);
}

#define ROUNDS 2000

static void *signal_rounds(void *user)
{
    const struct wf_wake *wake = user;
    for (int i = 0; i < ROUNDS; i++)
        wf_wake_signal(wake);
    return NULL;
}

static void test_another_thread_wakes_a_wait_without_end(void **state)
{
    (void)state;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, signal_rounds, &counted.wake), 0);
    /* Would hang when no signal ever arrived. */
    while (counted.count == 0)
        assert_true(wf_poller_wait(&poller, -1) >= 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    int calls = 0;
    while (wf_poller_wait(&poller, 0) > 0)
        calls++;
    assert_true(calls <= 1);
    assert_true(counted.count <= 2 * ROUNDS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_signals_that_come_together_are_told_once),
        TEST(test_each_signal_after_a_wait_is_told_again),
        TEST(test_a_full_counter_does_not_swallow_a_signal),
        TEST(test_no_callback_is_needed),
        TEST(test_another_thread_wakes_a_wait_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
