/* Uploads over HTTP/1.1, as a server that records every octet sees them. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* What came last. */
struct record {
    const char *end; /* of a request: an answer follows */
    const char *after_head;
    char text[4096]; /* the server's thread's */
    size_t len;
    pthread_mutex_t lock;
    char told[4096]; /* guarded by lock: the text, before each answer and at the end */
};

struct rig {
    struct raw_server server;
    struct record record;
    char seen[4096];
    struct weft_client *client;
    char url[64];
};

static void tell(struct record *record)
{
    pthread_mutex_lock(&record->lock);
    memcpy(record->told, record->text, record->len);
    record->told[record->len] = '\0';
    pthread_mutex_unlock(&record->lock);
}

static const char *seen(struct rig *rig)
{
    pthread_mutex_lock(&rig->record.lock);
    memcpy(rig->seen, rig->record.told, sizeof(rig->seen));
    pthread_mutex_unlock(&rig->record.lock);
    return rig->seen;
}

static bool record_until(struct record *record, int fd, const char *end)
{
    size_t end_len = strlen(end);
    bool found = false;
    while (!found) {
        if (record->len + 1 >= sizeof(record->text) ||
            recv(fd, record->text + record->len, 1, 0) != 1)
            break;
        record->len++;
        found = record->len >= end_len &&
                memcmp(record->text + record->len - end_len, end, end_len) == 0;
    }
    if (record->len > 0) /* else it is the end of a connection that was answered */
        tell(record);
    return found;
}

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static void play(struct raw_server *server, int fd, unsigned round)
{
    struct record *record = server->user;
    (void)round;
    for (;;) {
        record->len = 0;
        if (!record_until(record, fd, "\r\n\r\n") ||
            (record->after_head != NULL && !say(fd, record->after_head)) ||
            !record_until(record, fd, record->end) || !say(fd, OK_EMPTY))
            return;
    }
}

static void rig_start_with(struct rig *rig, const char *end, const char *after_head,
                           int64_t expect_timeout_ms)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_connections_per_origin = 1;
    config.max_tries = 1;
    config.expect_timeout_ms = expect_timeout_ms;
    rig->record =
        (struct record){.end = end, .after_head = after_head, .lock = PTHREAD_MUTEX_INITIALIZER};
    raw_server_start(&rig->server, play, &rig->record);
    rig->client = weft_client_new(&config, NULL);
    assert_non_null(rig->client);
    (void)snprintf(rig->url, sizeof(rig->url), "http://127.0.0.1:%u/x", rig->server.port);
}

static void rig_start(struct rig *rig, const char *end, const char *after_head)
{
    rig_start_with(rig, end, after_head, WEFT_FOREVER);
}

static void rig_stop(struct rig *rig)
{
    assert_int_equal(weft_client_close(rig->client, 0), WEFT_OK);
    weft_client_unref(rig->client);
    raw_server_stop(&rig->server);
}

/* @trailer: the value of a field of that name; NULL: none. */
static struct weft_future *submit_writer_with(struct rig *rig, const char *length,
                                              const char *trailer)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_request *request = weft_request_new("POST", rig->url);
    assert_non_null(request);
    how.flags = WEFT_STREAM_UPLOAD;
    if (trailer != NULL)
        assert_int_equal(weft_request_add_field(request, "trailer", trailer), WEFT_OK);
    if (length != NULL)
        assert_int_equal(weft_request_add_field(request, "content-length", length), WEFT_OK);
    struct weft_future *future = weft_submit(rig->client, request, &how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static struct weft_future *submit_writer(struct rig *rig, const char *length)
{
    return submit_writer_with(rig, length, NULL);
}

static void write_text(struct weft_future *future, const char *text)
{
    size_t len;
    assert_int_equal(weft_future_write(future, text, strlen(text), TEST_WAIT_MS, &len), WEFT_OK);
    assert_int_equal(len, strlen(text));
}

static void expect_status(struct weft_future *future, unsigned status)
{
    enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
    if (code != WEFT_OK)
        print_error("%s\n", weft_future_error(future)->text);
    assert_int_equal(code, WEFT_OK);
    assert_int_equal(weft_future_status(future), status);
    weft_future_unref(future);
}

static void expect_body(struct rig *rig, const char *text)
{
    const char *body = strstr(seen(rig), "\r\n\r\n");
    assert_non_null(body);
    assert_string_equal(body + 4, text);
}

static void test_what_is_written_goes_in_chunks_and_trailers_follow(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, "x-sum: 7\r\n\r\n", NULL);
    for (int i = 0; i < 3; i++) {
        struct weft_future *future = submit_writer(&rig, NULL);
        write_text(future, "hello");
        assert_int_equal(weft_future_add_trailer(future, "X-Sum", "7"), WEFT_OK);
        assert_int_equal(weft_future_finish(future), WEFT_OK);
        expect_status(future, 200);
        assert_non_null(strstr(seen(&rig), "transfer-encoding: chunked\r\n"));
        assert_null(strstr(seen(&rig), "content-length"));
        expect_body(&rig, "5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n");
    }
    assert_int_equal(rig.server.connections, 1);
    rig_stop(&rig);
}

static void test_an_empty_body_is_the_last_chunk(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, "0\r\n\r\n", NULL);
    for (int i = 0; i < 2; i++) {
        struct weft_future *future = submit_writer(&rig, NULL);
        assert_int_equal(weft_future_finish(future), WEFT_OK);
        expect_status(future, 200);
        expect_body(&rig, "0\r\n\r\n");
    }
    assert_int_equal(rig.server.connections, 1);
    rig_stop(&rig);
}

static void test_a_length_that_was_given_needs_no_chunks(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, "hello you", NULL);
    for (int i = 0; i < 2; i++) {
        struct weft_future *future = submit_writer(&rig, "9");
        write_text(future, "hello ");
        write_text(future, "you");
        assert_int_equal(weft_future_finish(future), WEFT_OK);
        expect_status(future, 200);
        assert_null(strstr(seen(&rig), "chunked"));
        expect_body(&rig, "hello you");
    }
    rig_stop(&rig);
}

static void test_a_body_of_its_length_may_be_answered_before_its_end_is_said(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, "hello", NULL);
    struct weft_future *future = submit_writer(&rig, "5");
    write_text(future, "hello");
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    weft_future_unref(future);
    rig_stop(&rig);
}

static void test_trailers_behind_a_length_are_an_error_and_not_dropped(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, "never", "HTTP/1.1 103 Early Hints\r\n\r\n");
    struct weft_future *future = submit_writer(&rig, "5");
    write_text(future, "hello");
    /* The head went without them. */
    while (weft_future_informational_count(future) == 0 &&
           weft_future_wait(future, 1) == WEFT_ERR_TIMEOUT)
        ;
    assert_int_equal(weft_future_add_trailer(future, "x-sum", "7"), WEFT_OK);
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_INVALID_REQUEST);
    assert_non_null(strstr(weft_future_error(future)->text, "\"trailer\" field"));
    weft_future_unref(future);
    rig_stop(&rig);
}

/* RFC 9110 section 6.6.2. */
static void test_trailers_that_are_announced_make_chunks_of_a_body_with_a_length(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, "x-sum: 7\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        struct weft_future *future = submit_writer_with(&rig, "5", "x-sum");
        /* The head is there before the writer knows them. */
        while (weft_future_informational_count(future) == 0 &&
               weft_future_wait(future, 1) == WEFT_ERR_TIMEOUT)
            ;
        write_text(future, "hello");
        assert_int_equal(weft_future_add_trailer(future, "x-sum", "7"), WEFT_OK);
        assert_int_equal(weft_future_finish(future), WEFT_OK);
        expect_status(future, 200);
        assert_null(strstr(seen(&rig), "content-length"));
        expect_body(&rig, "5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n");
    }
    struct weft_future *liar = submit_writer_with(&rig, "5", "x-sum");
    write_text(liar, "hell");
    assert_int_equal(weft_future_finish(liar), WEFT_ERR_INVALID_REQUEST);
    assert_int_equal(weft_future_wait(liar, TEST_WAIT_MS), WEFT_ERR_INVALID_REQUEST);
    weft_future_unref(liar);
    rig_stop(&rig);
}

static struct weft_future *submit_file(struct rig *rig, const char *text)
{
    struct weft_request *request = weft_request_new("PUT", rig->url);
    int fd = memfd_create("body", MFD_CLOEXEC);
    assert_non_null(request);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(weft_request_set_body_fd(request, fd, 0, strlen(text)), WEFT_OK);
    assert_int_equal(weft_request_add_field(request, "expect", "100-continue"), WEFT_OK);
    struct weft_future *future = weft_submit(rig->client, request, NULL);
    assert_non_null(future);
    weft_request_unref(request);
    (void)close(fd);
    return future;
}

static void test_a_file_goes_when_the_server_says_continue(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, "of a file", "HTTP/1.1 100 Continue\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        expect_status(submit_file(&rig, "octets of a file"), 200);
        assert_non_null(strstr(seen(&rig), "content-length: 16\r\n"));
        expect_body(&rig, "octets of a file");
    }
    assert_int_equal(rig.server.connections, 1);
    rig_stop(&rig);
}

/* RFC 9112 section 9.3: the connection cannot be used again, for the body is owed on it. */
static void test_a_file_that_is_refused_is_not_sent(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, "file", "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    expect_status(submit_file(&rig, "octets of a file"), 417);
    expect_status(submit_file(&rig, "octets of a file"), 417);
    rig_stop(&rig);
    assert_int_equal(rig.server.connections, 2);
    expect_body(&rig, "");
}

static void test_a_final_answer_in_place_of_100_is_taken(void **state)
{
    (void)state;
    static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                          "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"};
    static const unsigned statuses[] = {200, 413};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        rig_start(&rig, "file", answers[i]);
        expect_status(submit_file(&rig, "octets of a file"), statuses[i]);
        rig_stop(&rig);
        if (i == 1)
            expect_body(&rig, "");
    }
}

static void test_a_server_that_never_continues_gets_the_file_all_the_same(void **state)
{
    (void)state;
    struct rig rig;
    rig_start_with(&rig, "of a file", NULL, 30);
    expect_status(submit_file(&rig, "octets of a file"), 200);
    expect_body(&rig, "octets of a file");
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_goes_in_chunks_and_trailers_follow),
        cmocka_unit_test(test_an_empty_body_is_the_last_chunk),
        cmocka_unit_test(test_a_length_that_was_given_needs_no_chunks),
        cmocka_unit_test(test_a_body_of_its_length_may_be_answered_before_its_end_is_said),
        cmocka_unit_test(test_trailers_behind_a_length_are_an_error_and_not_dropped),
        cmocka_unit_test(test_trailers_that_are_announced_make_chunks_of_a_body_with_a_length),
        cmocka_unit_test(test_a_file_goes_when_the_server_says_continue),
        cmocka_unit_test(test_a_file_that_is_refused_is_not_sent),
        cmocka_unit_test(test_a_final_answer_in_place_of_100_is_taken),
        cmocka_unit_test(test_a_server_that_never_continues_gets_the_file_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
