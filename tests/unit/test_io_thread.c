/* The loop: what a turn costs, and what wakes it. */
#include "support/fixture.h"

#include <stdlib.h>

static void test_a_request_wakes_the_thread_at_most_once(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    struct weft_stats before = {.size = sizeof(before)};
    weft_client_stats(f.client, &before);
    for (int i = 0; i < 200; i++)
        weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    struct weft_stats after = {.size = sizeof(after)};
    weft_client_stats(f.client, &after);
    assert_true(after.wakeups - before.wakeups <= 200);
    /* One turn sends, one or two read the response, one finds nothing and sleeps. An idle loop that
     * does not sleep would make thousands. */
    assert_true(after.turns - before.turns <= 200 * 6);
    fixture_free(&f);
}

static void test_a_batch_is_one_wake_up(void **state)
{
    (void)state;
    enum { COUNT = 50 };
    struct fixture f = fixture_new();
    weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    struct weft_request *request = fixture_request(&f, "/bytes/10");
    struct weft_request *requests[COUNT];
    struct weft_future *futures[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        requests[i] = request;
    struct weft_stats before = {.size = sizeof(before)};
    weft_client_stats(f.client, &before);
    assert_int_equal(weft_submit_batch(f.client, requests, COUNT, NULL, NULL, futures), COUNT);
    struct weft_stats after = {.size = sizeof(after)};
    weft_client_stats(f.client, &after);
    assert_true(after.wakeups - before.wakeups <= 1);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_OK);
        weft_future_unref(futures[i]);
    }
    weft_request_unref(request);
    fixture_free(&f);
}

static void test_several_io_threads_all_end(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.io_threads = 4;
    struct fixture f = fixture_with(NULL, &config);
    for (int i = 0; i < 20; i++)
        weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    assert_int_equal(weft_client_close(f.client, WEFT_FOREVER), WEFT_OK);
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(f.client, &stats);
    assert_int_equal(stats.submitted, 20);
    assert_int_equal(stats.connections_open, 0);
    assert_int_equal(stats.streams_open, 0);
    assert_int_equal(stats.windows_grown, 0);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_wakes_the_thread_at_most_once),
        cmocka_unit_test(test_a_batch_is_one_wake_up),
        cmocka_unit_test(test_several_io_threads_all_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
