/* Bodies that come out of a file. */
#include "support/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_LEN 2500000u

static int make_file(uint8_t *content)
{
    char path[] = "/tmp/weft-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    for (size_t i = 0; i < FILE_LEN; i++)
        content[i] = (uint8_t)(i * 13 >> 4);
    assert_int_equal(write(fd, content, FILE_LEN), FILE_LEN);
    return fd;
}

static void test_a_file_is_sent_from_any_offset(void **state)
{
    (void)state;
    static uint8_t content[FILE_LEN];
    struct fixture f = fixture_new();
    int fd = make_file(content);
    static const struct {
        uint64_t offset;
        uint64_t len;
        size_t expected;
    } parts[] = {{0, WEFT_TO_END, FILE_LEN},
                 {1000, WEFT_TO_END, FILE_LEN - 1000},
                 {7, 300001, 300001},
                 {FILE_LEN, WEFT_TO_END, 0},
                 {5, 0, 0}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct weft_request *request = weft_request_new("PUT", fixture_url(&f, "/echo"));
        assert_int_equal(weft_request_set_body_fd(request, fd, parts[i].offset, parts[i].len),
                         WEFT_OK);
        struct weft_future *future = weft_submit(f.client, request, NULL);
        assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
        assert_int_equal(weft_future_body(future).len, parts[i].expected);
        if (parts[i].expected > 0)
            assert_memory_equal(weft_future_body(future).data, content + parts[i].offset,
                                parts[i].expected);
        weft_future_unref(future);
        weft_request_unref(request);
    }
    /* Its position is not ours to move. */
    assert_int_equal(lseek(fd, 0, SEEK_CUR), FILE_LEN);
    close(fd);
    fixture_free(&f);
}

static void test_one_request_is_sent_many_times_at_once(void **state)
{
    (void)state;
    static uint8_t content[FILE_LEN];
    struct fixture f = fixture_new();
    int fd = make_file(content);
    struct weft_request *request = weft_request_new("PUT", fixture_url(&f, "/echo"));
    assert_int_equal(weft_request_set_body_fd(request, fd, 0, WEFT_TO_END), WEFT_OK);
    close(fd); /* the request has its own */
    struct weft_future *futures[4];
    for (size_t i = 0; i < 4; i++)
        futures[i] = weft_submit(f.client, request, NULL);
    struct weft_request *copy = weft_request_copy(request);
    weft_request_unref(request);
    struct weft_future *last = weft_submit(f.client, copy, NULL);
    weft_request_unref(copy);
    for (size_t i = 0; i < 5; i++) {
        struct weft_future *future = i < 4 ? futures[i] : last;
        assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
        assert_int_equal(weft_future_body(future).len, FILE_LEN);
        assert_memory_equal(weft_future_body(future).data, content, FILE_LEN);
        weft_future_unref(future);
    }
    fixture_free(&f);
}

static void test_a_file_that_shrinks_ends_the_request(void **state)
{
    (void)state;
    static uint8_t content[FILE_LEN];
    struct fixture f = fixture_new();
    int fd = make_file(content);
    struct weft_request *request = weft_request_new("PUT", fixture_url(&f, "/echo"));
    assert_int_equal(weft_request_set_body_fd(request, fd, 0, WEFT_TO_END), WEFT_OK);
    assert_int_equal(ftruncate(fd, 400000), 0);
    struct weft_future *future = weft_submit(f.client, request, NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_FILE);
    assert_non_null(strstr(weft_future_error(future)->text, "shorter"));
    weft_future_unref(future);
    weft_request_unref(request);
    loop_server_await_resets(f.server, 1);
    weft_future_unref(fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0));
    close(fd);
    fixture_free(&f);
}

static void test_a_file_that_grows_is_sent_as_long_as_it_was(void **state)
{
    (void)state;
    static uint8_t content[FILE_LEN];
    struct fixture f = fixture_new();
    int fd = make_file(content);
    struct weft_request *request = weft_request_new("PUT", fixture_url(&f, "/echo"));
    assert_int_equal(weft_request_set_body_fd(request, fd, 0, WEFT_TO_END), WEFT_OK);
    assert_int_equal(write(fd, content, FILE_LEN), FILE_LEN);
    struct weft_future *future = weft_submit(f.client, request, NULL);
    weft_request_unref(request);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_body(future).len, FILE_LEN);
    assert_memory_equal(weft_future_body(future).data, content, FILE_LEN);
    weft_future_unref(future);
    close(fd);
    fixture_free(&f);
}

static void test_what_cannot_be_read_twice_is_refused(void **state)
{
    (void)state;
    struct weft_error error;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct weft_request *request = weft_request_new("PUT", "http://h/");
    assert_int_equal(weft_request_set_body_fd(request, ends[0], 0, 5), WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_request_check(request, &error), WEFT_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.text, "regular"));
    weft_request_unref(request);
    close(ends[0]);
    close(ends[1]);
    /* Nor what cannot be read at all. */
    char path[] = "/tmp/weft-test-XXXXXX";
    close(mkstemp(path));
    int fd = open(path, O_WRONLY);
    assert_int_equal(unlink(path), 0);
    request = weft_request_new("PUT", "http://h/");
    assert_int_equal(weft_request_set_body_fd(request, fd, 0, WEFT_TO_END), WEFT_ERR_FILE);
    (void)weft_request_check(request, &error);
    assert_int_equal(error.sys_errno, EBADF);
    assert_non_null(strstr(error.text, "not open for reading"));
    weft_request_unref(request);
    close(fd);
    request = weft_request_new("PUT", "http://h/");
    assert_int_equal(weft_request_set_body_fd(request, ends[0], 0, 5), WEFT_ERR_FILE);
    (void)weft_request_check(request, &error);
    assert_int_equal(error.sys_errno, EBADF);
    weft_request_unref(request);
    assert_int_equal(weft_request_set_body_fd(NULL, 0, 0, 0), WEFT_ERR_INVALID_ARGUMENT);
}

static void test_a_part_that_is_not_there_is_refused(void **state)
{
    (void)state;
    static uint8_t content[FILE_LEN];
    int fd = make_file(content);
    struct weft_request *request = weft_request_new("PUT", "http://h/");
    assert_int_equal(weft_request_set_body_fd(request, fd, 1, FILE_LEN), WEFT_ERR_INVALID_ARGUMENT);
    weft_request_unref(request);
    request = weft_request_new("PUT", "http://h/");
    assert_int_equal(weft_request_set_body_fd(request, fd, FILE_LEN + 1, WEFT_TO_END),
                     WEFT_ERR_INVALID_ARGUMENT);
    weft_request_unref(request);
    request = weft_request_new("PUT", "http://h/");
    assert_int_equal(weft_request_add_field(request, "content-length", "7"), WEFT_OK);
    assert_int_equal(weft_request_set_body_fd(request, fd, 0, 8), WEFT_OK);
    assert_int_equal(weft_request_check(request, NULL), WEFT_ERR_INVALID_REQUEST);
    /* Another body takes its place. */
    assert_int_equal(weft_request_set_body(request, "1234567", 7), WEFT_OK);
    assert_int_equal(weft_request_check(request, NULL), WEFT_OK);
    weft_request_unref(request);
    close(fd);
}

static void test_an_upload_of_a_file_can_be_dropped_at_any_time(void **state)
{
    (void)state;
    static uint8_t content[FILE_LEN];
    struct fixture f = fixture_new();
    int fd = make_file(content);
    struct weft_request *request = weft_request_new("PUT", fixture_url(&f, "/deaf"));
    assert_int_equal(weft_request_set_body_fd(request, fd, 0, WEFT_TO_END), WEFT_OK);
    for (uint64_t i = 1; i <= 20; i++) {
        struct weft_future *future = weft_submit(f.client, request, NULL);
        /* Every second one that is dropped was received; those before it may have been. */
        if (i % 2 == 0)
            loop_server_await_requests(f.server, i / 2);
        weft_future_unref(future);
    }
    weft_request_unref(request);
    close(fd);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_sent_from_any_offset),
        cmocka_unit_test(test_one_request_is_sent_many_times_at_once),
        cmocka_unit_test(test_a_file_that_shrinks_ends_the_request),
        cmocka_unit_test(test_a_file_that_grows_is_sent_as_long_as_it_was),
        cmocka_unit_test(test_what_cannot_be_read_twice_is_refused),
        cmocka_unit_test(test_a_part_that_is_not_there_is_refused),
        cmocka_unit_test(test_an_upload_of_a_file_can_be_dropped_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
