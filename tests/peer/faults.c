/* The whole library over sockets whose system calls do less than they could, or fail: requests
 * come out the same when that is no error, and end once and truly when it is. */
#include "support/cmocka.h"
#include "support/faulty_socket.h"
#include "support/loop_server.h"
#include "weft/weft.h"

#include <errno.h>
#include <poll.h>

#define WAIT_MS    20000
#define UPLOAD_LEN 3000u

struct scene {
    struct loop_server *server;
    struct weft_client *client;
};

static uint8_t upload[UPLOAD_LEN];

static struct loop_server *server_of_all;

static struct loop_server *new_server(void)
{
    struct loop_server_config config = {.thread_started = faulty_socket_spare};
    return loop_server_new(&config);
}

static int start_server(void **state)
{
    (void)state;
    server_of_all = new_server();
    for (size_t i = 0; i < UPLOAD_LEN; i++)
        upload[i] = (uint8_t)(i * 7);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    loop_server_free(server_of_all);
    return 0;
}

static struct scene begin(struct loop_server *server, const struct faults *faults)
{
    struct scene scene = {.server = server};
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    config.max_tries = 1; /* each fault is to be seen */
    config.http2_prior_knowledge = true;
    scene.client = weft_client_new(&config, &error);
    assert_non_null(scene.client);
    faulty_socket_set(faults);
    return scene;
}

static void finish(struct scene *scene)
{
    assert_int_equal(weft_client_close(scene->client, 0), WEFT_OK);
    weft_client_unref(scene->client);
    faulty_socket_set(NULL);
}

static struct weft_future *submit(struct scene *scene, const char *path, bool uploads)
{
    char url[128];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", loop_server_port(scene->server),
                   path);
    struct weft_request *request = weft_request_new(uploads ? "POST" : "GET", url);
    if (uploads)
        assert_int_equal(weft_request_set_body(request, upload, UPLOAD_LEN), WEFT_OK);
    struct weft_future *future = weft_submit(scene->client, request, NULL);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static void check_letters(struct weft_body body, size_t len)
{
    assert_int_equal(body.len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(((const char *)body.data)[i], 'a' + (int)(i % 26));
}

/* Three requests at once, which all must be answered in full. */
static void expect_all(const struct faults *faults)
{
    struct scene scene = begin(server_of_all, faults);
    struct weft_future *bytes = submit(&scene, "/bytes/2000", false);
    struct weft_future *echo = submit(&scene, "/echo", true);
    struct weft_future *trailers = submit(&scene, "/trailers", false);
    assert_int_equal(weft_future_wait(bytes, WAIT_MS), WEFT_OK);
    check_letters(weft_future_body(bytes), 2000);
    assert_int_equal(weft_future_wait(echo, WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_body(echo).len, UPLOAD_LEN);
    assert_memory_equal(weft_future_body(echo).data, upload, UPLOAD_LEN);
    assert_int_equal(weft_future_wait(trailers, WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_trailer_count(trailers), 1);
    weft_future_unref(bytes);
    weft_future_unref(echo);
    weft_future_unref(trailers);
    finish(&scene);
}

static void test_short_reads_of_any_length_lose_nothing(void **state)
{
    static const size_t lens[] = {1, 2, 3, 8, 9, 10, 17, 100};
    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
        expect_all(&(struct faults){.max_len = {[FAULTY_RECV] = lens[i]}});
}

static void test_short_writes_of_any_length_lose_nothing(void **state)
{
    static const size_t lens[] = {1, 2, 3, 8, 9, 10, 17, 100};
    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
        expect_all(&(struct faults){.max_len = {[FAULTY_SEND] = lens[i]}});
}

static void test_a_first_read_may_end_at_any_octet(void **state)
{
    (void)state;
    /* SETTINGS, WINDOW_UPDATE, the acknowledgement, and the beginning of the first response. */
    for (size_t len = 1; len < 110; len++)
        expect_all(&(struct faults){.first_len = {[FAULTY_RECV] = len}});
}

static void test_a_first_write_may_end_at_any_octet(void **state)
{
    (void)state;
    /* The preface, SETTINGS, three HEADERS and the beginning of DATA. */
    for (size_t len = 1; len < 260; len += 1 + len / 120)
        expect_all(&(struct faults){.first_len = {[FAULTY_SEND] = len}});
}

static void test_eagain_at_every_other_call_only_costs_time(void **state)
{
    (void)state;
    expect_all(&(struct faults){.again = {true, false}});
    expect_all(&(struct faults){.again = {false, true}});
    expect_all(&(struct faults){.again = {true, true}, .max_len = {5, 5}});
}

static void test_eintr_at_every_other_call_is_not_seen(void **state)
{
    (void)state;
    expect_all(&(struct faults){.interrupted = {true, false}});
    expect_all(&(struct faults){.interrupted = {false, true}});
    expect_all(&(struct faults){.interrupted = {true, true}, .max_len = {100, 100}});
}

/* One of the calls fails and all after it: what is said of each request must be true. Returns how
 * many were not answered. */
static unsigned expect_truth(const struct faults *faults, int error)
{
    enum { COUNT = 4 };
    static const char *const paths[COUNT] = {"/bytes/2000", "/echo", "/hang", "/trailers"};
    struct weft_future *futures[COUNT];
    /* Of its own, so that what it has seen is of this run. */
    struct scene scene = begin(new_server(), faults);
    unsigned failed = 0;
    uint64_t perhaps_sent = 0;
    for (size_t i = 0; i < COUNT; i++)
        futures[i] = submit(&scene, paths[i], i == 1);
    for (size_t i = 0; i < COUNT; i++) {
        if (i == 2)
            continue;
        enum weft_code code = weft_future_wait(futures[i], WAIT_MS);
        assert_true(code == WEFT_OK || code == WEFT_ERR_CONNECTION_LOST);
        if (code == WEFT_ERR_CONNECTION_LOST)
            assert_int_equal(weft_future_error(futures[i])->sys_errno, error);
        failed += code != WEFT_OK;
    }
    weft_future_cancel(futures[2]);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_not_equal(weft_future_wait(futures[i], WAIT_MS), WEFT_ERR_TIMEOUT);
        perhaps_sent += weft_future_error(futures[i])->effect != WEFT_NOT_SENT ||
                        weft_future_error(futures[i])->code == WEFT_OK;
        /* An answer is proof. */
        if (weft_future_status(futures[i]) != 0 && weft_future_error(futures[i])->code != WEFT_OK)
            assert_int_equal(weft_future_error(futures[i])->effect, WEFT_PROCESSED);
        weft_future_unref(futures[i]);
    }
    finish(&scene);
    assert_true(loop_server_requests(scene.server) <= perhaps_sent);
    loop_server_free(scene.server);
    return failed;
}

static void fail_each(enum faulty_call call, int error, size_t max_len)
{
    unsigned failed = 1;
    long at;
    for (at = 1; failed > 0 && at < 400; at++) {
        struct faults faults = {0};
        faults.fails_at[call] = at;
        faults.error[call] = error;
        if (call == FAULTY_RECV || call == FAULTY_SEND)
            faults.max_len[call] = max_len;
        failed = expect_truth(&faults, error);
    }
    /* Some failed, and it came to an end. */
    assert_in_range(at, 3, 399);
}

static void test_a_reset_connection_is_told_truly_at_every_read(void **state)
{
    (void)state;
    fail_each(FAULTY_RECV, ECONNRESET, 97);
}

static void test_a_broken_pipe_is_told_truly_at_every_write(void **state)
{
    (void)state;
    fail_each(FAULTY_SEND, EPIPE, 61);
    fail_each(FAULTY_SEND, ECONNRESET, 0);
}

/* The first attempt ends with @code; the next one finds the trouble over. */
static void expect_no_connection(enum faulty_call call, int error, enum weft_code code)
{
    struct faults faults = {0};
    faults.fails_at[call] = 1;
    faults.error[call] = error;
    struct scene scene = begin(server_of_all, &faults);
    struct weft_future *first = submit(&scene, "/bytes/10", false);
    assert_int_equal(weft_future_wait(first, WAIT_MS), code);
    assert_int_equal(weft_future_error(first)->effect, WEFT_NOT_SENT);
    assert_int_equal(weft_future_error(first)->sys_errno, error);
    weft_future_unref(first);
    faulty_socket_set(NULL);
    struct weft_future *second = submit(&scene, "/bytes/10", false);
    assert_int_equal(weft_future_wait(second, WAIT_MS), WEFT_OK);
    weft_future_unref(second);
    finish(&scene);
}

static void test_no_descriptor_is_an_error_of_connecting(void **state)
{
    (void)state;
    expect_no_connection(FAULTY_SOCKET, EMFILE, WEFT_ERR_CONNECT);
    expect_no_connection(FAULTY_SOCKET, ENFILE, WEFT_ERR_CONNECT);
    expect_no_connection(FAULTY_SOCKET, ENOBUFS, WEFT_ERR_CONNECT);
}

static void test_a_network_that_says_no_is_an_error_of_connecting(void **state)
{
    (void)state;
    expect_no_connection(FAULTY_CONNECT, ENETUNREACH, WEFT_ERR_CONNECT);
    expect_no_connection(FAULTY_CONNECT, EADDRNOTAVAIL, WEFT_ERR_CONNECT);
    expect_no_connection(FAULTY_CONNECT, ECONNREFUSED, WEFT_ERR_CONNECT_REFUSED);
}

static void test_a_socket_that_cannot_be_watched_is_an_error_of_connecting(void **state)
{
    (void)state;
    struct faults faults = {.fails_at = {[FAULTY_EPOLL_ADD] = 1},
                            .error = {[FAULTY_EPOLL_ADD] = ENOSPC}};
    struct scene scene = begin(server_of_all, &faults);
    struct weft_future *future = submit(&scene, "/bytes/10", false);
    enum weft_code code = weft_future_wait(future, WAIT_MS);
    assert_true(code == WEFT_ERR_CONNECT || code == WEFT_ERR_INTERNAL);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_SENT);
    weft_future_unref(future);
    finish(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_reads_of_any_length_lose_nothing),
        cmocka_unit_test(test_short_writes_of_any_length_lose_nothing),
        cmocka_unit_test(test_a_first_read_may_end_at_any_octet),
        cmocka_unit_test(test_a_first_write_may_end_at_any_octet),
        cmocka_unit_test(test_eagain_at_every_other_call_only_costs_time),
        cmocka_unit_test(test_eintr_at_every_other_call_is_not_seen),
        cmocka_unit_test(test_a_reset_connection_is_told_truly_at_every_read),
        cmocka_unit_test(test_a_broken_pipe_is_told_truly_at_every_write),
        cmocka_unit_test(test_no_descriptor_is_an_error_of_connecting),
        cmocka_unit_test(test_a_network_that_says_no_is_an_error_of_connecting),
        cmocka_unit_test(test_a_socket_that_cannot_be_watched_is_an_error_of_connecting),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
