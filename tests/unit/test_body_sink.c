/* Bodies that go into a descriptor. */
#include "support/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct weft_future *fetch(struct fixture *f, const char *path, int fd)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_BODY_TO_FD;
    how.body_fd = fd;
    return fixture_submit(f, path, &how);
}

static void test_a_file_holds_the_whole_body_once_it_is_done(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    FILE *file = tmpfile();
    assert_non_null(file);
    struct weft_future *future = fetch(&f, "/bytes/5000000", fileno(file));
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_body_len(future), 5000000);
    assert_int_equal(weft_future_body(future).len, 0);
    assert_int_equal(lseek(fileno(file), 0, SEEK_END), 5000000);
    char *content = malloc(5000000);
    assert_int_equal(pread(fileno(file), content, 5000000, 0), 5000000);
    for (size_t i = 0; i < 5000000; i++)
        assert_true(content[i] == (char)('a' + i % 26));
    free(content);
    char buf[4];
    size_t len;
    assert_int_equal(weft_future_read(future, buf, 4, 0, &len), WEFT_ERR_INVALID_ARGUMENT);
    weft_future_unref(future);
    assert_int_equal(fclose(file), 0);
    fixture_free(&f);
}

struct drain {
    int fd;
    size_t total;
    size_t wrong;
};

static void *read_slowly(void *user)
{
    struct drain *drain = user;
    char buf[7000];
    ssize_t len;
    while ((len = read(drain->fd, buf, sizeof(buf))) > 0) {
        for (ssize_t i = 0; i < len; i++)
            drain->wrong += buf[i] != (char)('a' + (drain->total + (size_t)i) % 26);
        drain->total += (size_t)len;
    }
    return NULL;
}

static void into_a_pair(struct fixture *f, int ends[2])
{
    struct drain drain = {.fd = ends[0]};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_slowly, &drain), 0);
    struct weft_future *future = fetch(f, "/bytes/500000", ends[1]);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    weft_future_unref(future);
    close(ends[1]);
    pthread_join(thread, NULL);
    close(ends[0]);
    assert_int_equal(drain.total, 500000);
    assert_int_equal(drain.wrong, 0);
}

static void test_pipes_and_sockets_take_what_they_can(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    into_a_pair(&f, ends);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    into_a_pair(&f, ends);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    into_a_pair(&f, ends);
    fixture_free(&f);
}

static void test_a_pipe_that_nobody_reads_stops_its_sender_alone(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_buffered = 3u << 20;
    struct fixture f = fixture_with(NULL, &config);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct weft_future *stuck = fetch(&f, "/bytes/4000000", ends[1]);
    assert_int_equal(weft_future_wait_response(stuck, TEST_WAIT_MS), WEFT_OK);
    for (int i = 0; i < 3; i++)
        weft_future_unref(fixture_expect(&f, "/bytes/2000000", WEFT_OK, 0, 0));
    assert_int_equal(weft_future_wait(stuck, 0), WEFT_ERR_TIMEOUT);
    weft_future_cancel(stuck);
    assert_int_equal(weft_future_wait(stuck, TEST_WAIT_MS), WEFT_ERR_CANCELLED);
    weft_future_unref(stuck);
    close(ends[0]);
    close(ends[1]);
    fixture_free(&f);
}

static void test_the_deadline_goes_on_while_a_full_pipe_holds_the_rest(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_BODY_TO_FD;
    how.body_fd = ends[1];
    how.deadline_ms = 2000;
    /* All of it fits into the window, so the server is done long before. */
    struct weft_future *future = fixture_submit(&f, "/bytes/300000", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    assert_int_equal(weft_future_error(future)->effect, WEFT_PROCESSED);
    assert_int_equal(weft_future_error(future)->stage, WEFT_STAGE_BODY);
    weft_future_unref(future);
    close(ends[0]);
    close(ends[1]);
    fixture_free(&f);
}

static void test_a_full_disk_ends_the_request_and_says_so(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    if (fd < 0)
        skip();
    struct fixture f = fixture_new();
    struct weft_future *future = fetch(&f, "/bytes/5000000", fd);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_FILE);
    assert_int_equal(weft_future_error(future)->sys_errno, ENOSPC);
    assert_int_equal(weft_future_error(future)->effect, WEFT_PROCESSED);
    weft_future_unref(future);
    /* Also when the response was whole before. */
    future = fetch(&f, "/bytes/5", fd);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_FILE);
    weft_future_unref(future);
    /* What is not open for writing is the same. */
    int closed = open("/dev/null", O_RDONLY);
    future = fetch(&f, "/bytes/5", closed);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_FILE);
    assert_int_equal(weft_future_error(future)->sys_errno, EBADF);
    weft_future_unref(future);
    close(closed);
    /* A reader that has gone is the same, and no signal. */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    future = fetch(&f, "/bytes/5", ends[1]);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_FILE);
    assert_int_equal(weft_future_error(future)->sys_errno, EPIPE);
    weft_future_unref(future);
    close(ends[1]);
    close(fd);
    fixture_free(&f);
}

static void test_a_client_closes_while_a_pipe_is_full(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct weft_future *whole = fetch(&f, "/bytes/300000", ends[1]);
    struct weft_future *endless = fetch(&f, "/bytes/4000000", ends[1]);
    assert_int_equal(weft_future_wait_response(endless, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    assert_int_equal(weft_future_error(whole)->code, WEFT_ERR_CLOSED);
    assert_int_equal(weft_future_error(endless)->code, WEFT_ERR_CLOSED);
    weft_future_unref(whole);
    weft_future_unref(endless);
    close(ends[0]);
    close(ends[1]);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_holds_the_whole_body_once_it_is_done),
        cmocka_unit_test(test_pipes_and_sockets_take_what_they_can),
        cmocka_unit_test(test_a_pipe_that_nobody_reads_stops_its_sender_alone),
        cmocka_unit_test(test_the_deadline_goes_on_while_a_full_pipe_holds_the_rest),
        cmocka_unit_test(test_a_full_disk_ends_the_request_and_says_so),
        cmocka_unit_test(test_a_client_closes_while_a_pipe_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
