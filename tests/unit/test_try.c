/* The time limits of one try. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <poll.h>

#define HEADERS     1
#define DATA        0
#define END_STREAM  1
#define END_HEADERS 4

static struct weft_future *ask(struct weft_client *client, const struct raw_server *server,
                               const char *method, const struct weft_delivery *how)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server->port);
    struct weft_request *request = weft_request_new(method, url);
    struct weft_future *future = weft_submit(client, request, how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static void expect_timeout(struct weft_future *future, enum weft_stage stage,
                           enum weft_effect effect, const char *names)
{
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_STAGE_TIMEOUT);
    const struct weft_error *error = weft_future_error(future);
    assert_int_equal(error->stage, stage);
    assert_int_equal(error->effect, effect);
    if (strstr(error->text, names) == NULL || strstr(error->text, weft_stage_name(stage)) == NULL)
        fail_msg("\"%s\" does not name \"%s\"", error->text, names);
    weft_future_unref(future);
}

/* How many tries were ended. */
static void expect_counted(struct weft_client *client, uint64_t count)
{
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(client, &stats);
    assert_int_equal(stats.limits[WEFT_LIMIT_STAGE], count);
    assert_int_equal(stats.limits_reached, count);
}

static void end(struct weft_client *client, struct raw_server *server)
{
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
    raw_server_stop(server);
}

/* Answers every second request. */
static void answer_every_second(struct raw_server *server, int fd, unsigned round)
{
    (void)server;
    (void)round;
    bool first = true;
    (void)raw_send_settings(fd);
    for (;;) {
        if (raw_await_frame(fd, first, HEADERS) == UINT32_MAX)
            return;
        uint32_t id = raw_await_frame(fd, false, HEADERS);
        if (id == UINT32_MAX)
            return;
        first = false;
        (void)raw_send_frame(fd, HEADERS, END_HEADERS | END_STREAM, id, "\x88", 1);
    }
}

static void test_a_try_that_takes_too_long_is_made_again(void **state)
{
    (void)state;
    struct raw_server server;
    raw_server_start(&server, answer_every_second, NULL);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.try_timeout_ms = 50;
    struct weft_client *client = weft_client_new(&config, NULL);
    struct weft_future *future = ask(client, &server, "GET", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_tries(future), 2);
    struct weft_timings timings = {.size = sizeof(timings)};
    assert_true(weft_future_timings(future, &timings));
    assert_int_equal(timings.tries, 2);
    weft_future_unref(future);
    expect_counted(client, 1);
    assert_int_equal(server.connections, 1);
    end(client, &server);
}

static void say_nothing(struct raw_server *server, int fd, unsigned round)
{
    (void)server;
    (void)round;
    (void)raw_send_settings(fd);
    raw_drain(fd);
}

static void test_the_limit_of_a_try_may_be_the_requests_own(void **state)
{
    (void)state;
    struct raw_server server;
    raw_server_start(&server, say_nothing, NULL);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.try_timeout_ms = 30;
    struct weft_config plain = WEFT_CONFIG_INIT;
    plain.http2_prior_knowledge = true;
    struct weft_client *client = weft_client_new(&plain, NULL);
    expect_timeout(ask(client, &server, "POST", &how), WEFT_STAGE_WAIT, WEFT_MAYBE_PROCESSED,
                   "try_timeout_ms");
    end(client, &server);

    raw_server_start(&server, say_nothing, NULL);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.try_timeout_ms = 30;
    how.try_timeout_ms = WEFT_FOREVER;
    how.deadline_ms = 150;
    client = weft_client_new(&config, NULL);
    struct weft_future *future = ask(client, &server, "POST", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    weft_future_unref(future);
    end(client, &server);
}

static void test_a_response_that_does_not_begin_has_a_limit(void **state)
{
    (void)state;
    struct raw_server server;
    raw_server_start(&server, say_nothing, NULL);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.first_byte_timeout_ms = 40;
    struct weft_client *client = weft_client_new(&config, NULL);
    expect_timeout(ask(client, &server, "POST", NULL), WEFT_STAGE_WAIT, WEFT_MAYBE_PROCESSED,
                   "first_byte_timeout_ms");
    expect_counted(client, 1);
    end(client, &server);
}

/* A response that begins, comes in pieces for longer than the limit, and then stops. */
static void drip_then_stop(struct raw_server *server, int fd, unsigned round)
{
    (void)server;
    (void)round;
    (void)raw_send_settings(fd);
    if (raw_await_frame(fd, true, HEADERS) == UINT32_MAX)
        return;
    (void)raw_send_frame(fd, HEADERS, END_HEADERS, 1, "\x88", 1);
    for (int i = 0; i < 10; i++) {
        (void)raw_send_frame(fd, DATA, 0, 1, "x", 1);
        (void)poll(NULL, 0, 20);
    }
    raw_drain(fd);
}

static void test_what_comes_to_a_standstill_is_ended(void **state)
{
    (void)state;
    struct raw_server server;
    raw_server_start(&server, drip_then_stop, NULL);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.first_byte_timeout_ms = 10000;
    config.no_progress_timeout_ms = 150;
    config.ping_after_ms = WEFT_FOREVER;
    struct weft_client *client = weft_client_new(&config, NULL);
    struct weft_future *future = weft_future_ref(ask(client, &server, "GET", NULL));
    expect_timeout(future, WEFT_STAGE_BODY, WEFT_PROCESSED, "no_progress_timeout_ms");
    assert_int_equal(weft_future_body_len(future), 10);
    assert_int_equal(weft_future_tries(future), 1);
    weft_future_unref(future);
    expect_counted(client, 1);
    end(client, &server);
}

static void test_a_reader_that_stops_is_no_standstill(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.stream_window = 65535;
    config.no_progress_timeout_ms = 200;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = fixture_submit(&f, "/bytes/200000", &how);
    static char buf[65536];
    size_t total = 0;
    size_t len;
    assert_int_equal(weft_future_wait_response(future, TEST_WAIT_MS), WEFT_OK);
    (void)poll(NULL, 0, 500); /* what it must not mind */
    while (weft_future_read(future, buf, sizeof(buf), TEST_WAIT_MS, &len) == WEFT_OK && len > 0)
        total += len;
    assert_int_equal(total, 200000);
    weft_future_unref(future);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_try_that_takes_too_long_is_made_again),
        cmocka_unit_test(test_the_limit_of_a_try_may_be_the_requests_own),
        cmocka_unit_test(test_a_response_that_does_not_begin_has_a_limit),
        cmocka_unit_test(test_what_comes_to_a_standstill_is_ended),
        cmocka_unit_test(test_a_reader_that_stops_is_no_standstill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
