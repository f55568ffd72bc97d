/* Origins: which connection a request goes to, and who waits. */
#include "support/fixture.h"

static void test_requests_are_spread_over_the_connections(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.connections_per_origin = 3;
    config.io_threads = 1;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_future *futures[30];
    for (size_t i = 0; i < 30; i++)
        futures[i] = fixture_submit(&f, "/hang", NULL);
    loop_server_await_requests(f.server, 30);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    for (size_t i = 0; i < 30; i++)
        weft_future_unref(futures[i]);
    assert_int_equal(loop_server_connections(f.server), 3);
    fixture_free(&f);
}

static void test_many_connections_take_turns(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.connections_per_origin = 20;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_future *futures[200];
    for (size_t i = 0; i < 200; i++)
        futures[i] = fixture_submit(&f, "/bytes/1000", NULL);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_OK);
        weft_future_unref(futures[i]);
    }
    assert_int_equal(loop_server_connections(f.server), 20);
    fixture_free(&f);
}

static void test_the_queue_for_an_origin_is_bounded(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 1};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_queued = 5;
    config.max_connections_per_origin = 1;
    struct fixture f = fixture_with(&server, &config);
    weft_future_unref(fixture_expect(&f, "/status/204", WEFT_OK, 0, 0));
    struct weft_future *futures[10];
    for (size_t i = 0; i < 10; i++)
        futures[i] = fixture_submit(&f, "/hang", NULL);
    for (size_t i = 6; i < 10; i++) {
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_ERR_QUEUE_FULL);
        assert_int_equal(weft_future_error(futures[i])->effect, WEFT_NOT_SENT);
    }
    for (size_t i = 0; i < 10; i++)
        weft_future_unref(futures[i]);
    fixture_free(&f);
}

static void test_requests_beyond_the_streams_wait_in_order(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 2};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_connections_per_origin = 1;
    struct fixture f = fixture_with(&server, &config);
    struct weft_future *futures[200];
    for (size_t i = 0; i < 200; i++)
        futures[i] = fixture_submit(&f, "/bytes/3", NULL);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_OK);
        weft_future_unref(futures[i]);
    }
    fixture_free(&f);
}

static void test_the_deadline_also_ends_a_request_that_waits_for_a_stream(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 1};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_connections_per_origin = 1;
    struct fixture f = fixture_with(&server, &config);
    /* Until the peer's SETTINGS are known more than one stream may be opened. */
    weft_future_unref(fixture_expect(&f, "/status/204", WEFT_OK, 0, 0));
    struct weft_future *first = fixture_submit(&f, "/hang", NULL);
    loop_server_await_requests(f.server, 2);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = 30;
    struct weft_future *second = fixture_submit(&f, "/bytes/1", &how);
    assert_int_equal(weft_future_wait(second, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    assert_int_equal(weft_future_error(second)->stage, WEFT_STAGE_QUEUE);
    assert_int_equal(weft_future_error(second)->effect, WEFT_NOT_SENT);
    assert_int_equal(loop_server_requests(f.server), 2);
    weft_future_unref(second);
    weft_future_unref(first);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_spread_over_the_connections),
        cmocka_unit_test(test_many_connections_take_turns),
        cmocka_unit_test(test_the_queue_for_an_origin_is_bounded),
        cmocka_unit_test(test_requests_beyond_the_streams_wait_in_order),
        cmocka_unit_test(test_the_deadline_also_ends_a_request_that_waits_for_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
