/* Clients: lifetimes, closing, counters. */
#include "support/fixture.h"
#include "support/seen.h"

#include <pthread.h>

static void unref_client(void *user, struct weft_future *future)
{
    struct seen *seen = user;
    (void)future;
    weft_client_unref(seen->client);
    seen_count(seen);
}

static void test_close_completes_everything(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *futures[20];
    for (size_t i = 0; i < 20; i++)
        futures[i] = fixture_submit(&f, "/hang", NULL);
    loop_server_await_requests(f.server, 20);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(weft_future_wait(futures[i], 0), WEFT_ERR_CLOSED);
        assert_int_equal(weft_future_error(futures[i])->effect, WEFT_MAYBE_PROCESSED);
    }
    weft_client_unref(f.client);
    f.client = NULL;
    /* Futures outlive their client. */
    for (size_t i = 0; i < 20; i++) {
        weft_future_cancel(futures[i]);
        weft_future_unref(futures[i]);
    }
    fixture_free(&f);
}

static void test_close_drains_what_is_open(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *futures[50];
    for (size_t i = 0; i < 50; i++)
        futures[i] = fixture_submit(&f, "/bytes/100000", NULL);
    assert_int_equal(weft_client_close(f.client, TEST_WAIT_MS), WEFT_OK);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(weft_future_wait(futures[i], 0), WEFT_OK);
        weft_future_unref(futures[i]);
    }
    fixture_free(&f);
}

static void test_the_last_reference_may_go_inside_a_callback(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct seen seen;
    seen_init(&seen);
    seen.client = f.client;
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.done = unref_client;
    how.user = &seen;
    struct weft_future *hanging = fixture_submit(&f, "/hang", NULL);
    struct weft_future *future = fixture_submit(&f, "/status/200", &how);
    seen_await(&seen, 1);
    /* The client is closed by a thread of its own; what was open is ended. */
    assert_int_equal(weft_future_wait(hanging, TEST_WAIT_MS), WEFT_ERR_CLOSED);
    weft_future_unref(hanging);
    weft_future_unref(future);
    f.client = NULL;
    fixture_free(&f);
}

static void test_the_future_that_memory_ran_out_for_answers_every_question(void **state)
{
    (void)state;
    struct weft_field field;
    char octet;
    size_t len = 1;
    assert_null(weft_get(NULL, "http://127.0.0.1/"));
    assert_null(weft_submit(NULL, NULL, NULL));
    assert_int_equal(weft_future_wait(NULL, WEFT_FOREVER), WEFT_ERR_NO_MEMORY);
    assert_int_equal(weft_future_wait_response(NULL, WEFT_FOREVER), WEFT_ERR_NO_MEMORY);
    assert_int_equal(weft_future_error(NULL)->code, WEFT_ERR_NO_MEMORY);
    assert_int_equal(weft_future_read(NULL, &octet, 1, 0, &len), WEFT_ERR_NO_MEMORY);
    assert_int_equal(len, 0);
    assert_int_equal(weft_future_status(NULL), 0);
    assert_int_equal(weft_future_field_count(NULL), 0);
    assert_false(weft_future_field(NULL, "a", &field));
    assert_false(weft_future_field_at(NULL, 0, &field));
    assert_int_equal(weft_future_trailer_count(NULL), 0);
    assert_int_equal(weft_future_body(NULL).len, 0);
    assert_int_equal(weft_future_body_len(NULL), 0);
    assert_null(weft_future_tag(NULL));
    weft_future_cancel(NULL);
    weft_future_unref(NULL);
    weft_client_unref(NULL);
    assert_int_equal(weft_client_close(NULL, 0), WEFT_ERR_INVALID_ARGUMENT);
}

static void test_statistics_add_up(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    for (int i = 0; i < 5; i++)
        weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    weft_future_unref(
        fixture_expect(&f, "/refuse", WEFT_ERR_REFUSED, WEFT_STAGE_WAIT, WEFT_NOT_PROCESSED));
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(f.client, &stats);
    assert_int_equal(stats.submitted, 6);
    assert_int_equal(stats.succeeded, 5);
    assert_int_equal(stats.failed, 1);
    assert_int_equal(stats.connections_opened, 1);
    assert_int_equal(stats.requests_queued, 0);
    assert_true(stats.octets_written > 100);
    fixture_free(&f);
}

static void test_gauges_of_connections_origins_and_windows_come_and_go(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_stats stats = {.size = sizeof(stats)};
    struct weft_config config = WEFT_CONFIG_INIT;
    weft_client_stats(f.client, &stats);
    assert_int_equal(stats.origins + stats.send_window + stats.receive_window, 0);
    weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    weft_client_stats(f.client, &stats);
    assert_int_equal(stats.connections_open, 1);
    assert_int_equal(stats.connections_http1, 0);
    assert_int_equal(stats.origins, 1);
    assert_true(stats.send_window >= 65535);
    assert_true(stats.receive_window > 65535);
    assert_true(stats.receive_window <= config.connection_window);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    weft_client_stats(f.client, &stats);
    assert_int_equal(stats.connections_open, 0);
    assert_int_equal(stats.origins + stats.send_window + stats.receive_window, 0);
    weft_client_unref(f.client);
    f.client = NULL;
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close_completes_everything),
        cmocka_unit_test(test_close_drains_what_is_open),
        cmocka_unit_test(test_the_last_reference_may_go_inside_a_callback),
        cmocka_unit_test(test_the_future_that_memory_ran_out_for_answers_every_question),
        cmocka_unit_test(test_statistics_add_up),
        cmocka_unit_test(test_gauges_of_connections_origins_and_windows_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
