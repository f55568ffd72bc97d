/* How requests end, as their futures say it. */
#include "support/fixture.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_a_response_has_status_fields_and_body(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/bytes/30", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_status(future), 200);
    assert_int_equal(weft_future_error(future)->code, WEFT_OK);
    struct weft_field field;
    assert_true(weft_future_field(future, "server", &field));
    assert_int_equal(field.value_len, 4);
    assert_memory_equal(field.value, "loop", 4);
    assert_false(weft_future_field(future, "absent", &field));
    assert_int_equal(weft_future_field_count(future), 1);
    struct weft_body body = weft_future_body(future);
    assert_int_equal(body.len, 30);
    assert_memory_equal(body.data, "abcdefghijklmnopqrstuvwxyzabcd", 30);
    assert_int_equal(weft_future_body_len(future), 30);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_large_body_is_collected_in_one_piece(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/bytes/5000000", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    struct weft_body body = weft_future_body(future);
    assert_int_equal(body.len, 5000000);
    for (size_t i = 0; i < body.len; i++)
        assert_int_equal(((const char *)body.data)[i], 'a' + (int)(i % 26));
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_request_body_comes_back_from_echo(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    static uint8_t sent[300000];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i * 31 >> 3);
    struct weft_request *request = weft_request_new("POST", fixture_url(&f, "/echo"));
    assert_int_equal(weft_request_set_body(request, sent, sizeof(sent)), WEFT_OK);
    for (int round = 0; round < 3; round++) {
        struct weft_future *future = weft_submit(f.client, request, NULL);
        assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
        struct weft_body body = weft_future_body(future);
        assert_int_equal(body.len, sizeof(sent));
        assert_memory_equal(body.data, sent, sizeof(sent));
        weft_future_unref(future);
    }
    weft_request_unref(request);
    fixture_free(&f);
}

static void test_trailers_are_there_after_completion(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/trailers", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    struct weft_field field;
    assert_int_equal(weft_future_trailer_count(future), 1);
    assert_true(weft_future_trailer_at(future, 0, &field));
    assert_memory_equal(field.name, "x-sum", 5);
    assert_memory_equal(field.value, "42", 2);
    assert_false(weft_future_trailer_at(future, 1, &field));
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_refused_stream_was_not_processed(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    weft_future_unref(fixture_expect(&f, "/status/204", WEFT_OK, 0, 0));
    weft_future_unref(
        fixture_expect(&f, "/refuse", WEFT_ERR_REFUSED, WEFT_STAGE_WAIT, WEFT_NOT_PROCESSED));
    fixture_free(&f);
}

static void test_a_reset_before_the_response_may_have_been_processed(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future =
        fixture_expect(&f, "/reset", WEFT_ERR_RESET, WEFT_STAGE_WAIT, WEFT_MAYBE_PROCESSED);
    assert_int_equal(weft_future_error(future)->h2_code, 2);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_reset_in_mid_body_is_never_a_short_success(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future =
        fixture_expect(&f, "/half", WEFT_ERR_RESET, WEFT_STAGE_BODY, WEFT_PROCESSED);
    assert_int_equal(weft_future_status(future), 200);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_lost_connection_in_mid_body_harms_no_later_request(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    weft_future_unref(
        fixture_expect(&f, "/cut", WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_BODY, WEFT_PROCESSED));
    weft_future_unref(fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0));
    assert_int_equal(loop_server_connections(f.server), 2);
    fixture_free(&f);
}

static void test_a_request_above_the_goaway_was_not_processed(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    weft_future_unref(
        fixture_expect(&f, "/goaway", WEFT_ERR_GOAWAY, WEFT_STAGE_WAIT, WEFT_NOT_PROCESSED));
    weft_future_unref(fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0));
    fixture_free(&f);
}

static void test_the_deadline_counts_from_submission(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = 50;
    struct weft_future *future = fixture_submit(&f, "/hang", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    assert_int_equal(weft_future_error(future)->stage, WEFT_STAGE_WAIT);
    assert_int_equal(weft_future_error(future)->effect, WEFT_MAYBE_PROCESSED);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_the_deadline_also_ends_a_request_that_waits_for_a_stream(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 1};
    struct fixture f = fixture_with(&server, NULL);
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

static void test_requests_beyond_the_streams_wait_in_order(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 2};
    struct fixture f = fixture_with(&server, NULL);
    struct weft_future *futures[200];
    for (size_t i = 0; i < 200; i++)
        futures[i] = fixture_submit(&f, "/bytes/3", NULL);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_OK);
        weft_future_unref(futures[i]);
    }
    fixture_free(&f);
}

static void test_cancel_ends_a_request_in_flight(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/hang", NULL);
    loop_server_await_requests(f.server, 1);
    assert_false(weft_future_is_done(future));
    assert_null(weft_future_error(future));
    weft_future_cancel(future);
    weft_future_cancel(future);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CANCELLED);
    assert_int_equal(weft_future_error(future)->effect, WEFT_MAYBE_PROCESSED);
    weft_future_cancel(future);
    weft_future_unref(future);
    weft_future_unref(fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0));
    assert_int_equal(loop_server_connections(f.server), 1);
    fixture_free(&f);
}

static void test_cancel_after_completion_changes_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0);
    weft_future_cancel(future);
    assert_int_equal(weft_future_wait(future, 0), WEFT_OK);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_dropping_the_last_reference_cancels(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 1};
    struct fixture f = fixture_with(&server, NULL);
    weft_future_unref(fixture_expect(&f, "/status/204", WEFT_OK, 0, 0));
    struct weft_future *future = fixture_submit(&f, "/hang", NULL);
    loop_server_await_requests(f.server, 2);
    weft_future_unref(future);
    /* With one stream allowed this is answered only when the other has gone. */
    weft_future_unref(fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0));
    fixture_free(&f);
}

static void test_a_wait_that_is_over_leaves_the_request_alone(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/hang", NULL);
    assert_int_equal(weft_future_wait(future, 0), WEFT_ERR_TIMEOUT);
    assert_int_equal(weft_future_wait(future, 5), WEFT_ERR_TIMEOUT);
    assert_false(weft_future_is_done(future));
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_refused_connection_names_the_address(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
    struct weft_future *future = weft_get(f.client, url);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECT_REFUSED);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_SENT);
    assert_int_equal(weft_future_error(future)->stage, WEFT_STAGE_CONNECT);
    assert_non_null(strstr(weft_future_error(future)->text, "127.0.0.1"));
    weft_future_unref(future);
    close(fd);
    fixture_free(&f);
}

static void test_a_bad_url_arrives_through_the_future(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = weft_get(f.client, "ftp://127.0.0.1/");
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_INVALID_URL);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_SENT);
    weft_future_unref(future);
    fixture_free(&f);
}

static void *speak_http1(void *user)
{
    int listener = *(int *)user;
    int fd = accept(listener, NULL, NULL);
    char buf[256];
    if (recv(fd, buf, sizeof(buf), 0) > 0) {
        static const char answer[] = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        (void)send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
        while (recv(fd, buf, sizeof(buf), 0) > 0)
            ;
    }
    close(fd);
    return NULL;
}

static void test_a_server_without_http2_is_its_own_error(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, speak_http1, &fd), 0);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
    struct weft_future *future = weft_get(f.client, url);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_NOT_HTTP2);
    weft_future_unref(future);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    pthread_join(thread, NULL);
    close(fd);
    fixture_free(&f);
}

static void test_a_body_above_the_limit_is_refused(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_body_size = 100000;
    struct fixture f = fixture_with(NULL, &config);
    weft_future_unref(fixture_expect(&f, "/bytes/100000", WEFT_OK, 0, 0));
    weft_future_unref(fixture_expect(&f, "/bytes/100001", WEFT_ERR_BODY_TOO_LARGE, WEFT_STAGE_BODY,
                                     WEFT_PROCESSED));
    fixture_free(&f);
}

static void test_a_discarded_body_is_counted(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_DISCARD_BODY;
    struct weft_future *future = fixture_submit(&f, "/bytes/3000000", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_body_len(future), 3000000);
    assert_int_equal(weft_future_body(future).len, 0);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_streamed_body_is_read_to_its_end(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = fixture_submit(&f, "/bytes/5000000", &how);
    assert_int_equal(weft_future_wait_response(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_status(future), 200);
    size_t total = 0;
    for (;;) {
        char buf[7001];
        size_t len;
        assert_int_equal(weft_future_read(future, buf, sizeof(buf), TEST_WAIT_MS, &len), WEFT_OK);
        if (len == 0)
            break;
        for (size_t i = 0; i < len; i++)
            assert_int_equal(buf[i], 'a' + (int)((total + i) % 26));
        total += len;
    }
    assert_int_equal(total, 5000000);
    assert_int_equal(weft_future_wait(future, 0), WEFT_OK);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_streamed_body_that_breaks_off_ends_in_its_error(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = fixture_submit(&f, "/half", &how);
    char buf[4096];
    size_t total = 0;
    enum weft_code code;
    size_t len;
    while ((code = weft_future_read(future, buf, sizeof(buf), TEST_WAIT_MS, &len)) == WEFT_OK) {
        assert_true(len > 0);
        total += len;
    }
    assert_int_equal(code, WEFT_ERR_RESET);
    assert_int_equal(total, 1000);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_reader_that_stops_stops_nobody_else(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.stream_window = 65535;
    config.connection_window = 65535;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *stopped = fixture_submit(&f, "/bytes/1000000", &how);
    assert_int_equal(weft_future_wait_response(stopped, TEST_WAIT_MS), WEFT_OK);
    for (int i = 0; i < 10; i++)
        weft_future_unref(fixture_expect(&f, "/bytes/200000", WEFT_OK, 0, 0));
    assert_false(weft_future_is_done(stopped));
    weft_future_unref(stopped);
    fixture_free(&f);
}

static void test_a_response_in_one_octet_frames_is_whole(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_expect(&f, "/drip/3000", WEFT_OK, 0, 0);
    assert_int_equal(weft_future_body(future).len, 3000);
    weft_future_unref(future);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_response_has_status_fields_and_body),
        cmocka_unit_test(test_a_large_body_is_collected_in_one_piece),
        cmocka_unit_test(test_a_request_body_comes_back_from_echo),
        cmocka_unit_test(test_trailers_are_there_after_completion),
        cmocka_unit_test(test_a_refused_stream_was_not_processed),
        cmocka_unit_test(test_a_reset_before_the_response_may_have_been_processed),
        cmocka_unit_test(test_a_reset_in_mid_body_is_never_a_short_success),
        cmocka_unit_test(test_a_lost_connection_in_mid_body_harms_no_later_request),
        cmocka_unit_test(test_a_request_above_the_goaway_was_not_processed),
        cmocka_unit_test(test_the_deadline_counts_from_submission),
        cmocka_unit_test(test_the_deadline_also_ends_a_request_that_waits_for_a_stream),
        cmocka_unit_test(test_requests_beyond_the_streams_wait_in_order),
        cmocka_unit_test(test_cancel_ends_a_request_in_flight),
        cmocka_unit_test(test_cancel_after_completion_changes_nothing),
        cmocka_unit_test(test_dropping_the_last_reference_cancels),
        cmocka_unit_test(test_a_wait_that_is_over_leaves_the_request_alone),
        cmocka_unit_test(test_a_refused_connection_names_the_address),
        cmocka_unit_test(test_a_bad_url_arrives_through_the_future),
        cmocka_unit_test(test_a_server_without_http2_is_its_own_error),
        cmocka_unit_test(test_a_body_above_the_limit_is_refused),
        cmocka_unit_test(test_a_discarded_body_is_counted),
        cmocka_unit_test(test_a_streamed_body_is_read_to_its_end),
        cmocka_unit_test(test_a_streamed_body_that_breaks_off_ends_in_its_error),
        cmocka_unit_test(test_a_reader_that_stops_stops_nobody_else),
        cmocka_unit_test(test_a_response_in_one_octet_frames_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
