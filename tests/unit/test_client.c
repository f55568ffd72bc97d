/* Clients: delivery, closing, configuration, lifetimes. */
#include "support/fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* What a callback saw; CMocka's asserts stay on the test's own thread. */
struct seen {
    atomic_int calls;
    atomic_int code;
    atomic_int status;
    atomic_int wait_code;
    atomic_int close_code;
    pthread_t thread;
    char thread_name[16];
    struct weft_client *client;
    struct weft_future *other; /* not done */
    pthread_mutex_t lock;
    pthread_cond_t called;
};

static void seen_init(struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    pthread_mutex_init(&seen->lock, NULL);
    pthread_cond_init(&seen->called, NULL);
}

static void seen_await(struct seen *seen, int calls)
{
    pthread_mutex_lock(&seen->lock);
    while (seen->calls < calls)
        pthread_cond_wait(&seen->called, &seen->lock);
    pthread_mutex_unlock(&seen->lock);
}

static void on_done(void *user, struct weft_future *future)
{
    struct seen *seen = user;
    seen->code = (int)weft_future_wait(future, 0);
    seen->status = weft_future_status(future);
    seen->thread = pthread_self();
    (void)pthread_getname_np(pthread_self(), seen->thread_name, sizeof(seen->thread_name));
    if (seen->other != NULL)
        seen->wait_code = (int)weft_future_wait(seen->other, 1000);
    if (seen->client != NULL)
        seen->close_code = (int)weft_client_close(seen->client, 0);
    pthread_mutex_lock(&seen->lock);
    seen->calls++;
    pthread_cond_broadcast(&seen->called);
    pthread_mutex_unlock(&seen->lock);
}

static struct weft_delivery callback_to(struct seen *seen)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.done = on_done;
    how.user = seen;
    return how;
}

static void test_a_callback_runs_once_on_a_worker(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct seen seen;
    seen_init(&seen);
    struct weft_delivery how = callback_to(&seen);
    struct weft_future *future = fixture_submit(&f, "/status/204", &how);
    seen_await(&seen, 1);
    assert_int_equal(seen.code, WEFT_OK);
    assert_int_equal(seen.status, 204);
    assert_memory_equal(seen.thread_name, "weft-w", 6);
    weft_future_unref(future);
    fixture_free(&f);
    assert_int_equal(seen.calls, 1);
}

static void test_a_failed_request_is_called_back_too(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct seen seen;
    seen_init(&seen);
    struct weft_delivery how = callback_to(&seen);
    weft_future_unref(fixture_submit(&f, "/refuse", &how));
    fixture_free(&f);
    assert_int_equal(seen.calls, 1);
    assert_true(seen.code == WEFT_ERR_REFUSED || seen.code == WEFT_ERR_CANCELLED);
}

static void test_waiting_and_closing_inside_a_callback_are_errors(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct seen seen;
    seen_init(&seen);
    seen.other = fixture_submit(&f, "/hang", NULL);
    seen.client = f.client;
    struct weft_delivery how = callback_to(&seen);
    struct weft_future *future = fixture_submit(&f, "/status/200", &how);
    seen_await(&seen, 1);
    assert_int_equal(seen.wait_code, WEFT_ERR_WOULD_DEADLOCK);
    assert_int_equal(seen.close_code, WEFT_ERR_WOULD_DEADLOCK);
    weft_future_unref(future);
    weft_future_unref(seen.other);
    fixture_free(&f);
}

static void unref_client(void *user, struct weft_future *future)
{
    struct seen *seen = user;
    weft_client_unref(seen->client);
    on_done(&(struct seen){0}, future);
    pthread_mutex_lock(&seen->lock);
    seen->calls++;
    pthread_cond_broadcast(&seen->called);
    pthread_mutex_unlock(&seen->lock);
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

static void test_a_queue_delivers_each_tag_once(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct fixture f = fixture_new();
    struct weft_cq *cq = weft_cq_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    struct weft_request *request = fixture_request(&f, "/bytes/10");
    struct weft_request *requests[COUNT];
    static char seen[COUNT];
    memset(seen, 0, sizeof(seen));
    void *tags[COUNT];
    struct weft_future *futures[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        requests[i] = request;
        tags[i] = &seen[i];
    }
    assert_int_equal(weft_submit_batch(f.client, requests, COUNT, &how, tags, futures), COUNT);
    size_t done = 0;
    while (done < COUNT) {
        struct weft_event events[64];
        size_t count = weft_cq_next(cq, events, 64, TEST_WAIT_MS);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(events[i].type, WEFT_EVENT_DONE);
            char *tag = events[i].tag;
            assert_int_equal(*tag, 0);
            *tag = 1;
            assert_ptr_equal(events[i].future, futures[tag - seen]);
            assert_int_equal(weft_future_status(events[i].future), 200);
            assert_ptr_equal(weft_future_tag(events[i].future), tag);
        }
        done += count;
    }
    assert_int_equal(weft_cq_next(cq, &(struct weft_event){0}, 1, 0), 0);
    for (size_t i = 0; i < COUNT; i++)
        weft_future_unref(futures[i]);
    weft_request_unref(request);
    weft_cq_unref(cq);
    fixture_free(&f);
}

static void test_a_queue_can_be_polled(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_cq *cq = weft_cq_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    int fd = weft_cq_fd(cq);
    assert_true(fd >= 0);
    for (int i = 0; i < 20; i++) {
        struct weft_future *future = fixture_submit(&f, "/bytes/10", &how);
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        struct weft_event event;
        do
            assert_int_equal(poll(&poll_fd, 1, TEST_WAIT_MS), 1);
        while (weft_cq_next(cq, &event, 1, 0) == 0);
        assert_ptr_equal(event.future, future);
        weft_future_unref(future);
    }
    weft_cq_unref(cq);
    fixture_free(&f);
}

static void test_a_queue_whose_user_left_keeps_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_cq *cq = weft_cq_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    struct weft_future *futures[50];
    for (size_t i = 0; i < 50; i++)
        futures[i] = fixture_submit(&f, "/bytes/10", &how);
    weft_cq_unref(cq);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_OK);
        weft_future_unref(futures[i]);
    }
    fixture_free(&f);
}

static void test_a_streamed_body_is_told_through_the_queue(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.stream_window = 65535;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_cq *cq = weft_cq_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = fixture_submit(&f, "/bytes/2000000", &how);
    size_t total = 0;
    bool done = false;
    while (!done) {
        struct weft_event event;
        assert_int_equal(weft_cq_next(cq, &event, 1, TEST_WAIT_MS), 1);
        done = event.type == WEFT_EVENT_DONE;
        char buf[10000];
        size_t len;
        enum weft_code code;
        while ((code = weft_future_read(future, buf, sizeof(buf), 0, &len)) == WEFT_OK && len > 0)
            total += len;
        assert_true(code == WEFT_OK || (code == WEFT_ERR_TIMEOUT && !done));
    }
    assert_int_equal(total, 2000000);
    weft_future_unref(future);
    weft_cq_unref(cq);
    fixture_free(&f);
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

static void test_a_late_submission_gets_an_error_in_every_delivery(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_cq *cq = weft_cq_new();
    struct seen seen;
    seen_init(&seen);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    struct weft_future *waited = fixture_submit(&f, "/bytes/1", NULL);
    assert_int_equal(weft_future_wait(waited, TEST_WAIT_MS), WEFT_ERR_CLOSED);
    assert_int_equal(weft_future_error(waited)->effect, WEFT_NOT_SENT);
    struct weft_delivery how = callback_to(&seen);
    struct weft_future *called = fixture_submit(&f, "/bytes/1", &how);
    seen_await(&seen, 1);
    assert_int_equal(seen.code, WEFT_ERR_CLOSED);
    how = (struct weft_delivery)WEFT_DELIVERY_INIT;
    how.cq = cq;
    struct weft_future *queued = fixture_submit(&f, "/bytes/1", &how);
    struct weft_event event;
    assert_int_equal(weft_cq_next(cq, &event, 1, TEST_WAIT_MS), 1);
    assert_ptr_equal(event.future, queued);
    weft_future_unref(waited);
    weft_future_unref(called);
    weft_future_unref(queued);
    weft_cq_unref(cq);
    fixture_free(&f);
}

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

static void test_a_connection_that_closes_is_replaced(void **state)
{
    (void)state;
    struct loop_server_config server = {.close_after = 3};
    struct fixture f = fixture_with(&server, NULL);
    for (int i = 0; i < 12; i++) {
        struct weft_future *future = fixture_submit(&f, "/bytes/10", NULL);
        enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
        /* The server closes without a GOAWAY: a request may cross its end, and is told so. */
        assert_true(code == WEFT_OK || code == WEFT_ERR_CONNECTION_LOST);
        weft_future_unref(future);
    }
    assert_true(loop_server_connections(f.server) >= 3);
    fixture_free(&f);
}

static void test_the_queue_for_an_origin_is_bounded(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 1};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_queued = 5;
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

static void test_a_bad_configuration_is_refused_by_name(void **state)
{
    (void)state;
    struct weft_error error;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.io_threads = 0;
    assert_null(weft_client_new(&config, &error));
    assert_int_equal(error.code, WEFT_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.text, "io_threads"));
    config = (struct weft_config)WEFT_CONFIG_INIT;
    config.stream_window = 100;
    assert_null(weft_client_new(&config, &error));
    assert_non_null(strstr(error.text, "stream_window"));
    config = (struct weft_config)WEFT_CONFIG_INIT;
    config.ca_file = "/nonexistent/ca.pem";
    assert_null(weft_client_new(&config, &error));
    assert_non_null(strstr(error.text, "/nonexistent/ca.pem"));
    assert_null(weft_client_new(&config, NULL));
}

static void test_a_callback_and_a_queue_together_are_refused(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct seen seen;
    seen_init(&seen);
    struct weft_delivery how = callback_to(&seen);
    how.cq = weft_cq_new();
    struct weft_future *future = fixture_submit(&f, "/bytes/1", &how);
    seen_await(&seen, 1);
    assert_int_equal(seen.code, WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_cq_next(how.cq, &(struct weft_event){0}, 1, 0), 0);
    weft_future_unref(future);
    weft_cq_unref(how.cq);
    fixture_free(&f);
}

static void test_cleartext_without_prior_knowledge_is_refused(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = false;
    struct fixture f = fixture_with(NULL, &config);
    weft_future_unref(
        fixture_expect(&f, "/bytes/1", WEFT_ERR_NOT_HTTP2, WEFT_STAGE_QUEUE, WEFT_NOT_SENT));
    assert_int_equal(loop_server_connections(f.server), 0);
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

struct traced {
    pthread_mutex_t lock;
    unsigned frames_sent;
    unsigned frames_received;
    unsigned notes;
    bool saw_preface_settings;
    bool saw_data;
};

static void on_trace(void *user, const struct weft_trace_event *event)
{
    struct traced *traced = user;
    pthread_mutex_lock(&traced->lock);
    if (!event->is_frame)
        traced->notes++;
    else if (event->sent)
        traced->frames_sent++;
    else
        traced->frames_received++;
    if (event->is_frame && event->sent && strstr(event->text, "SETTINGS") != NULL)
        traced->saw_preface_settings = true;
    if (event->is_frame && !event->sent && strstr(event->text, "DATA") != NULL)
        traced->saw_data = true;
    pthread_mutex_unlock(&traced->lock);
}

static void test_every_frame_is_traced(void **state)
{
    (void)state;
    struct traced traced = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.trace = on_trace;
    config.trace_user = &traced;
    struct fixture f = fixture_with(NULL, &config);
    weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    fixture_free(&f);
    assert_true(traced.saw_preface_settings);
    assert_true(traced.saw_data);
    assert_true(traced.frames_sent >= 3);     /* SETTINGS, HEADERS, SETTINGS ACK */
    assert_true(traced.frames_received >= 3); /* SETTINGS, HEADERS, DATA */
    assert_true(traced.notes >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_callback_runs_once_on_a_worker),
        cmocka_unit_test(test_a_failed_request_is_called_back_too),
        cmocka_unit_test(test_waiting_and_closing_inside_a_callback_are_errors),
        cmocka_unit_test(test_the_last_reference_may_go_inside_a_callback),
        cmocka_unit_test(test_a_queue_delivers_each_tag_once),
        cmocka_unit_test(test_a_queue_can_be_polled),
        cmocka_unit_test(test_a_queue_whose_user_left_keeps_nothing),
        cmocka_unit_test(test_a_streamed_body_is_told_through_the_queue),
        cmocka_unit_test(test_close_completes_everything),
        cmocka_unit_test(test_close_drains_what_is_open),
        cmocka_unit_test(test_a_late_submission_gets_an_error_in_every_delivery),
        cmocka_unit_test(test_requests_are_spread_over_the_connections),
        cmocka_unit_test(test_a_connection_that_closes_is_replaced),
        cmocka_unit_test(test_the_queue_for_an_origin_is_bounded),
        cmocka_unit_test(test_a_bad_configuration_is_refused_by_name),
        cmocka_unit_test(test_a_callback_and_a_queue_together_are_refused),
        cmocka_unit_test(test_cleartext_without_prior_knowledge_is_refused),
        cmocka_unit_test(test_the_future_that_memory_ran_out_for_answers_every_question),
        cmocka_unit_test(test_many_connections_take_turns),
        cmocka_unit_test(test_statistics_add_up),
        cmocka_unit_test(test_every_frame_is_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
