/* Streamed uploads over HTTP/2, as the user and the server see them. */
#include "support/fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct weft_request *post(struct fixture *f, const char *path)
{
    struct weft_request *request = weft_request_new("POST", fixture_url(f, path));
    assert_non_null(request);
    return request;
}

static struct weft_future *start(struct fixture *f, const char *path,
                                 const struct weft_delivery *given)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    if (given != NULL)
        how = *given;
    how.flags |= WEFT_STREAM_UPLOAD;
    struct weft_request *request = post(f, path);
    struct weft_future *future = weft_submit(f->client, request, &how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static void write_all(struct weft_future *future, const void *data, size_t len)
{
    size_t wrote;
    assert_int_equal(weft_future_write(future, data, len, TEST_WAIT_MS, &wrote), WEFT_OK);
    assert_int_equal(wrote, len);
}

static uint8_t *pattern(size_t len)
{
    uint8_t *octets = malloc(len);
    assert_non_null(octets);
    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)(i * 31 >> 3);
    return octets;
}

static void test_what_is_written_is_the_body(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    size_t len = 3000000;
    uint8_t *octets = pattern(len);
    struct weft_future *future = start(&f, "/echo", NULL);
    size_t written = 0;
    for (size_t step = 1; written < len; step = step * 7 % 100003) {
        size_t piece = step < len - written ? step : len - written;
        write_all(future, octets + written, piece);
        written += piece;
    }
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_body(future).len, len);
    assert_memory_equal(weft_future_body(future).data, octets, len);
    weft_future_unref(future);
    free(octets);
    fixture_free(&f);
}

static void test_an_empty_body_is_finished_alone(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = start(&f, "/mirror", NULL);
    size_t wrote;
    assert_int_equal(weft_future_write(future, NULL, 0, 0, &wrote), WEFT_OK);
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_body(future).len, 0);
    assert_int_equal(weft_future_finish(future), WEFT_ERR_UPLOAD_OVER);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_reading_and_writing_go_on_side_by_side(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = start(&f, "/mirror", &how);
    size_t len;
    char buf[16];
    for (int i = 0; i < 20; i++) {
        char word[16];
        (void)snprintf(word, sizeof(word), "word%02d", i);
        write_all(future, word, 6);
        size_t total = 0;
        while (total < 6) {
            assert_int_equal(weft_future_read(future, buf + total, 6 - total, TEST_WAIT_MS, &len),
                             WEFT_OK);
            assert_int_not_equal(len, 0);
            total += len;
        }
        assert_memory_equal(buf, word, 6);
    }
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    assert_int_equal(weft_future_read(future, buf, 1, TEST_WAIT_MS, &len), WEFT_OK);
    assert_int_equal(len, 0);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_trailers_follow_the_body(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    for (size_t body_len = 0; body_len <= 100000; body_len += 100000) {
        uint8_t *octets = pattern(body_len + 1);
        struct weft_future *future = start(&f, "/mirror", NULL);
        write_all(future, octets, body_len);
        assert_int_equal(weft_future_add_trailer(future, "X-Sum", " 4711 "), WEFT_OK);
        assert_int_equal(weft_future_add_trailer(future, "content-length", "1"),
                         WEFT_ERR_INVALID_REQUEST);
        assert_int_equal(weft_future_add_trailer(future, "Connection", "close"),
                         WEFT_ERR_INVALID_REQUEST);
        assert_int_equal(weft_future_add_trailer(future, "a", "b\r\nc"), WEFT_ERR_INVALID_REQUEST);
        assert_int_equal(weft_future_finish(future), WEFT_OK);
        assert_int_equal(weft_future_add_trailer(future, "late", "1"), WEFT_ERR_UPLOAD_OVER);
        assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
        struct weft_field field;
        assert_int_equal(weft_future_body(future).len, body_len);
        assert_int_equal(weft_future_trailer_count(future), 1);
        assert_true(weft_future_trailer_at(future, 0, &field));
        assert_int_equal(field.name_len, 5);
        assert_memory_equal(field.name, "x-sum", 5);
        assert_int_equal(field.value_len, 4);
        assert_memory_equal(field.value, "4711", 4);
        weft_future_unref(future);
        free(octets);
    }
    fixture_free(&f);
}

static void test_only_finish_ends_a_body_cleanly(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    uint32_t code;
    struct weft_future *dropped = start(&f, "/echo", NULL);
    write_all(dropped, "half", 4);
    loop_server_await_requests(f.server, 1);
    weft_future_unref(dropped);
    loop_server_await_resets(f.server, 1);
    assert_int_equal(loop_server_resets(f.server, &code), 1);
    assert_int_equal(code, 8); /* CANCEL */
    struct weft_future *cancelled = start(&f, "/echo", NULL);
    write_all(cancelled, "half", 4);
    loop_server_await_requests(f.server, 2);
    weft_future_cancel(cancelled);
    assert_int_equal(weft_future_wait(cancelled, TEST_WAIT_MS), WEFT_ERR_CANCELLED);
    loop_server_await_resets(f.server, 2);
    size_t wrote;
    assert_int_equal(weft_future_write(cancelled, "x", 1, 0, &wrote), WEFT_ERR_CANCELLED);
    assert_int_equal(weft_future_finish(cancelled), WEFT_ERR_CANCELLED);
    weft_future_unref(cancelled);
    fixture_free(&f);
}

static void test_a_server_that_does_not_read_stops_the_writer(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.upload_buffer = 100000;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_future *future = start(&f, "/deaf", NULL);
    size_t len = 4000000;
    uint8_t *octets = pattern(len);
    size_t wrote;
    size_t total = 0;
    enum weft_code result = WEFT_OK;
    while (result == WEFT_OK) {
        result = weft_future_write(future, octets, len - total, 100, &wrote);
        total += wrote;
    }
    assert_int_equal(result, WEFT_ERR_TIMEOUT);
    assert_int_equal(wrote, 0);
    /* At most the server's stream window and our buffer. */
    assert_in_range(total, 1048576, 1048576 + 100000);
    assert_int_equal(weft_future_write(future, octets, 1, 0, &wrote), WEFT_ERR_TIMEOUT);
    /* Nobody else is held up. */
    weft_future_unref(fixture_expect(&f, "/bytes/100000", WEFT_OK, 0, 0));
    weft_future_cancel(future);
    assert_int_equal(weft_future_write(future, octets, 1, TEST_WAIT_MS, &wrote),
                     WEFT_ERR_CANCELLED);
    weft_future_unref(future);
    free(octets);
    fixture_free(&f);
}

static void test_content_length_holds_the_writer_to_its_word(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_UPLOAD;
    struct weft_request *request = post(&f, "/echo");
    assert_int_equal(weft_request_add_field(request, "content-length", "5"), WEFT_OK);
    size_t wrote;
    /* Right. */
    struct weft_future *future = weft_submit(f.client, request, &how);
    write_all(future, "12345", 5);
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_body(future).len, 5);
    weft_future_unref(future);
    /* Less. */
    future = weft_submit(f.client, request, &how);
    write_all(future, "1234", 4);
    assert_int_equal(weft_future_finish(future), WEFT_ERR_INVALID_REQUEST);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_INVALID_REQUEST);
    assert_non_null(strstr(weft_future_error(future)->text, "less"));
    weft_future_unref(future);
    /* More. */
    future = weft_submit(f.client, request, &how);
    write_all(future, "1234", 4);
    assert_int_equal(weft_future_write(future, "56", 2, TEST_WAIT_MS, &wrote),
                     WEFT_ERR_INVALID_REQUEST);
    assert_int_equal(wrote, 0);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_INVALID_REQUEST);
    assert_non_null(strstr(weft_future_error(future)->text, "more"));
    weft_future_unref(future);
    weft_request_unref(request);
    weft_future_unref(fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0));
    fixture_free(&f);
}

static void test_a_server_that_has_enough_is_no_error(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    size_t wrote;
    /* It says so by RST_STREAM. */
    struct weft_future *future = start(&f, "/enough-reset", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_status(future), 200);
    assert_int_equal(weft_future_write(future, "x", 1, 0, &wrote), WEFT_ERR_UPLOAD_OVER);
    assert_int_equal(weft_future_finish(future), WEFT_ERR_UPLOAD_OVER);
    weft_future_unref(future);
    /* It answers and gives no more credit: the writer is not left waiting. */
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    future = start(&f, "/enough", &how);
    char buf[4];
    assert_int_equal(weft_future_read(future, buf, 4, TEST_WAIT_MS, &wrote), WEFT_OK);
    assert_int_equal(wrote, 0);
    assert_false(weft_future_is_done(future)); /* the upload goes on, if anybody wants it */
    size_t len = 4000000;
    uint8_t *octets = pattern(len);
    enum weft_code result;
    do
        result = weft_future_write(future, octets, len, TEST_WAIT_MS, &wrote);
    while (result == WEFT_OK);
    assert_int_equal(result, WEFT_ERR_UPLOAD_OVER);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    weft_future_unref(future);
    free(octets);
    fixture_free(&f);
}

static void test_a_refused_upload_is_sent_again_from_the_beginning(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    /* The first request of a connection goes out before SETTINGS; refused, it is sent once more. */
    struct weft_future *future = start(&f, "/refuse", NULL);
    write_all(future, "body", 4);
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_REFUSED);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_PROCESSED);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_uploads_wait_for_100_continue(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.expect_timeout_ms = WEFT_FOREVER;
    struct fixture f = fixture_with(NULL, &config);
    static const char *const paths[] = {"/continue", "/echo", "/status/413", "/status/204"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        uint64_t before = loop_server_body_len(f.server);
        struct weft_request *request = post(&f, paths[i]);
        assert_int_equal(weft_request_add_field(request, "Expect", "100-Continue"), WEFT_OK);
        assert_int_equal(weft_request_set_body(request, "12345", 5), WEFT_OK);
        struct weft_future *future = weft_submit(f.client, request, NULL);
        weft_request_unref(request);
        assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
        if (i < 2)
            assert_int_equal(weft_future_body(future).len, 5);
        if (i == 2) /* the body was not wanted, and not sent */
            assert_int_equal(loop_server_body_len(f.server), before);
        weft_future_unref(future);
    }
    fixture_free(&f);
}

static void test_a_server_that_never_continues_gets_the_body_all_the_same(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.expect_timeout_ms = 30;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_UPLOAD;
    struct weft_request *request = post(&f, "/hang");
    assert_int_equal(weft_request_add_field(request, "expect", "100-continue"), WEFT_OK);
    struct weft_future *future = weft_submit(f.client, request, &how);
    weft_request_unref(request);
    write_all(future, "12345", 5);
    for (int i = 0; i < TEST_WAIT_MS && loop_server_body_len(f.server) < 5; i++)
        assert_int_equal(weft_future_wait(future, 1), WEFT_ERR_TIMEOUT);
    assert_int_equal(loop_server_body_len(f.server), 5);
    weft_future_unref(future);
    fixture_free(&f);
}

struct sender {
    struct fixture *f;
    struct weft_future *future;
    size_t len;
    bool failed;
};

static void *send_all(void *user)
{
    struct sender *sender = user;
    static const uint8_t octets[10000];
    for (size_t sent = 0; sent < sender->len && !sender->failed;) {
        size_t wrote;
        size_t len = sender->len - sent < sizeof(octets) ? sender->len - sent : sizeof(octets);
        sender->failed =
            weft_future_write(sender->future, octets, len, TEST_WAIT_MS, &wrote) != WEFT_OK;
        sent += wrote;
    }
    sender->failed = sender->failed || weft_future_finish(sender->future) != WEFT_OK;
    return NULL;
}

static void test_many_threads_upload_over_one_connection(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct sender senders[8];
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) {
        senders[i] = (struct sender){&f, start(&f, "/echo", NULL), 300000 + i * 1000, false};
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_false(senders[i].failed);
        assert_int_equal(weft_future_wait(senders[i].future, TEST_WAIT_MS), WEFT_OK);
        assert_int_equal(weft_future_body(senders[i].future).len, senders[i].len);
        weft_future_unref(senders[i].future);
    }
    assert_int_equal(loop_server_connections(f.server), 1);
    fixture_free(&f);
}

static void test_a_body_and_a_written_body_exclude_each_other(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_UPLOAD;
    struct weft_request *request = post(&f, "/echo");
    assert_int_equal(weft_request_set_body(request, "x", 1), WEFT_OK);
    struct weft_future *future = weft_submit(f.client, request, &how);
    weft_request_unref(request);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_SENT);
    weft_future_unref(future);
    size_t wrote;
    future = fixture_submit(&f, "/bytes/1", NULL);
    assert_int_equal(weft_future_write(future, "x", 1, 0, &wrote), WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_future_finish(future), WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_future_write(NULL, "x", 1, 0, &wrote), WEFT_ERR_NO_MEMORY);
    weft_future_unref(future);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_the_body),
        cmocka_unit_test(test_an_empty_body_is_finished_alone),
        cmocka_unit_test(test_reading_and_writing_go_on_side_by_side),
        cmocka_unit_test(test_trailers_follow_the_body),
        cmocka_unit_test(test_only_finish_ends_a_body_cleanly),
        cmocka_unit_test(test_a_server_that_does_not_read_stops_the_writer),
        cmocka_unit_test(test_content_length_holds_the_writer_to_its_word),
        cmocka_unit_test(test_a_server_that_has_enough_is_no_error),
        cmocka_unit_test(test_a_refused_upload_is_sent_again_from_the_beginning),
        cmocka_unit_test(test_uploads_wait_for_100_continue),
        cmocka_unit_test(test_a_server_that_never_continues_gets_the_body_all_the_same),
        cmocka_unit_test(test_many_threads_upload_over_one_connection),
        cmocka_unit_test(test_a_body_and_a_written_body_exclude_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
