/* The ways in which engines of this shape are known to break, one test each. Those that concern the
 * queues alone stand with the queues' own tests, those of header compression with its. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static void test_a_storm_of_submissions_does_not_starve_the_sockets(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct fixture f = fixture_new();
    struct weft_request *request = fixture_request(&f, "/status/204");
    struct weft_request **requests = calloc(COUNT, sizeof(struct weft_request *));
    struct weft_future **futures = calloc(COUNT, sizeof(struct weft_future *));
    for (size_t i = 0; i < COUNT; i++)
        requests[i] = request;
    struct weft_stats before = {.size = sizeof(before)};
    weft_client_stats(f.client, &before);
    assert_int_equal(weft_submit_batch(f.client, requests, COUNT, NULL, NULL, futures), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_OK);
        weft_future_unref(futures[i]);
    }
    struct weft_stats after = {.size = sizeof(after)};
    weft_client_stats(f.client, &after);
    /* One push, but the thread looked at its sockets many times while it took them in. */
    assert_true(after.turns - before.turns >= COUNT / 1024);
    weft_request_unref(request);
    free(requests);
    free(futures);
    fixture_free(&f);
}

static void test_a_cancel_that_overtakes_its_submission_is_not_lost(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    for (int i = 0; i < 2000; i++) {
        struct weft_future *future = fixture_submit(&f, "/hang", NULL);
        weft_future_cancel(future);
        if (i % 2 == 0)
            assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CANCELLED);
        weft_future_unref(future);
    }
    fixture_free(&f);
}

static void test_cancel_against_completion_gives_one_answer(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    unsigned ok = 0;
    for (int i = 0; i < 2000; i++) {
        struct weft_future *future = fixture_submit(&f, "/bytes/10", NULL);
        if (i % 4 != 0)
            (void)weft_future_wait_response(future, i % 3);
        weft_future_cancel(future);
        enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
        assert_true(code == WEFT_OK || code == WEFT_ERR_CANCELLED);
        assert_int_equal(weft_future_wait(future, 0), code);
        if (code == WEFT_OK) {
            ok++;
            assert_int_equal(weft_future_body(future).len, 10);
        }
        weft_future_unref(future);
    }
    assert_true(ok > 0);
    fixture_free(&f);
}

static void test_credit_that_comes_after_a_cancel_counts_once(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.stream_window = 65535;
    config.connection_window = 65535;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    for (int i = 0; i < 50; i++) {
        struct weft_future *future = fixture_submit(&f, "/bytes/60000", &how);
        char buf[20000];
        size_t len;
        (void)weft_future_read(future, buf, sizeof(buf), TEST_WAIT_MS, &len);
        weft_future_cancel(future);
        while (weft_future_read(future, buf, sizeof(buf), TEST_WAIT_MS, &len) == WEFT_OK && len > 0)
            ;
        weft_future_unref(future);
    }
    /* A window that had grown would let the server send too much, one that had shrunk would stall.
     */
    weft_future_unref(fixture_expect(&f, "/bytes/1000000", WEFT_OK, 0, 0));
    assert_int_equal(loop_server_connections(f.server), 1);
    fixture_free(&f);
}

/* GOAWAY, then a reset: the client is in the middle of an upload that can only fail. */
static void goaway_then_reset(struct raw_server *server, int fd, unsigned round)
{
    static const uint8_t goaway[8] = {0};
    (void)server;
    (void)round;
    (void)raw_send_settings(fd);
    if (raw_await_frame(fd, true, 1) == UINT32_MAX)
        return;
    (void)raw_send_frame(fd, 7, 0, 0, goaway, sizeof(goaway));
    raw_reset_on_close(fd);
}

static void test_a_broken_pipe_does_not_hide_an_unread_goaway(void **state)
{
    (void)state;
    static uint8_t body[4000000];
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    struct weft_client *client = weft_client_new(&config, NULL);
    for (int i = 0; i < 20; i++) {
        struct raw_server server;
        raw_server_start(&server, goaway_then_reset, NULL);
        char url[64];
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
        struct weft_request *request = weft_request_new("POST", url);
        (void)weft_request_borrow_body(request, body, sizeof(body), NULL, NULL);
        struct weft_future *future = weft_submit(client, request, NULL);
        enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
        enum weft_effect effect = weft_future_error(future)->effect;
        /* The reset may overtake the GOAWAY in the client's kernel; what was readable was read. */
        assert_true(code == WEFT_ERR_GOAWAY || code == WEFT_ERR_CONNECTION_LOST);
        assert_int_equal(effect,
                         code == WEFT_ERR_GOAWAY ? WEFT_NOT_PROCESSED : WEFT_MAYBE_PROCESSED);
        weft_future_unref(future);
        weft_request_unref(request);
        raw_server_stop(&server);
    }
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
}

struct slow_trace {
    pthread_mutex_t gate;
    atomic_ulong events;
    atomic_ulong dropped;
};

static void trace_slowly(void *user, const struct weft_trace_event *event)
{
    struct slow_trace *trace = user;
    pthread_mutex_lock(&trace->gate);
    trace->events++;
    trace->dropped += event->dropped;
    pthread_mutex_unlock(&trace->gate);
}

static void test_a_watcher_that_stops_never_stops_the_io_thread(void **state)
{
    (void)state;
    static struct slow_trace trace = {.gate = PTHREAD_MUTEX_INITIALIZER};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.trace = trace_slowly;
    config.trace_user = &trace;
    struct fixture f = fixture_with(NULL, &config);
    pthread_mutex_lock(&trace.gate);
    for (int i = 0; i < 12; i++)
        weft_future_unref(fixture_expect(&f, "/drip/2000", WEFT_OK, 0, 0));
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(f.client, &stats);
    assert_true(stats.trace_dropped > 0);
    pthread_mutex_unlock(&trace.gate);
    weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    weft_client_stats(f.client, &stats);
    /* Whoever watches is told how much it missed, but for what was missed after the last event. */
    assert_true(trace.events > 1000);
    assert_true(trace.dropped > 0);
    assert_true(trace.dropped <= stats.trace_dropped);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_storm_of_submissions_does_not_starve_the_sockets),
        cmocka_unit_test(test_a_cancel_that_overtakes_its_submission_is_not_lost),
        cmocka_unit_test(test_cancel_against_completion_gives_one_answer),
        cmocka_unit_test(test_credit_that_comes_after_a_cancel_counts_once),
        cmocka_unit_test(test_a_broken_pipe_does_not_hide_an_unread_goaway),
        cmocka_unit_test(test_a_watcher_that_stops_never_stops_the_io_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
