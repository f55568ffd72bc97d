/* A client against scripted HTTP/1.1 servers: how requests end, and what becomes of connections. */
#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"

#include "support/fixture.h"
#include "support/raw_server.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK_5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define MIB  1048576u

struct rig {
    struct raw_server server;
    struct weft_client *client;
    char url[64];
};

static void rig_start(struct rig *rig, raw_script *script, void *user,
                      const struct weft_config *given)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    if (given != NULL)
        config = *given;
    config.max_connections_per_origin = 1;
    config.max_tries = 1; /* each end is to be seen */
    raw_server_start(&rig->server, script, user);
    rig->client = weft_client_new(&config, NULL);
    assert_non_null(rig->client);
    (void)snprintf(rig->url, sizeof(rig->url), "http://127.0.0.1:%u/x", rig->server.port);
}

static void rig_stop(struct rig *rig)
{
    assert_int_equal(weft_client_close(rig->client, 0), WEFT_OK);
    weft_client_unref(rig->client);
    raw_server_stop(&rig->server);
}

static struct weft_future *submit(struct rig *rig, const char *method, size_t body_len,
                                  const struct weft_delivery *how)
{
    struct weft_request *request = weft_request_new(method, rig->url);
    assert_non_null(request);
    if (body_len > 0) {
        char *body = malloc(body_len);
        assert_non_null(body);
        memset(body, 'u', body_len);
        assert_int_equal(weft_request_set_body(request, body, body_len), WEFT_OK);
        free(body);
    }
    struct weft_future *future = weft_submit(rig->client, request, how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

/* Waits for the end and checks its three parts. The caller drops the future. */
static void expect(struct weft_future *future, enum weft_code code, enum weft_stage stage,
                   enum weft_effect effect)
{
    enum weft_code got = weft_future_wait(future, TEST_WAIT_MS);
    const struct weft_error *error = weft_future_error(future);
    if (got != code)
        print_error("%s\n", error == NULL ? "not done" : error->text);
    assert_int_equal(got, code);
    if (code == WEFT_OK)
        return;
    assert_int_equal(error->stage, stage);
    assert_int_equal(error->effect, effect);
}

static void expect_body(struct weft_future *future, const char *text)
{
    expect(future, WEFT_OK, 0, 0);
    assert_int_equal(weft_future_body(future).len, strlen(text));
    assert_memory_equal(weft_future_body(future).data, text, strlen(text));
    weft_future_unref(future);
}

static void get_hello(struct rig *rig)
{
    expect_body(submit(rig, "GET", 0, NULL), "hello");
}

/* Reads up to the end of a head; false: the peer has gone. */
static bool read_head(int fd)
{
    char last[4] = "";
    while (memcmp(last, "\r\n\r\n", 4) != 0) {
        memmove(last, last + 1, 3);
        if (recv(fd, last + 3, 1, 0) != 1)
            return false;
    }
    return true;
}

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* The same answer to each request of each connection. */
static void always(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    while (read_head(fd)) {
        if (!say(fd, server->user))
            return;
    }
}

/* One answer, and the end of the connection. */
static void once(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (read_head(fd))
        (void)say(fd, server->user);
}

static void test_a_connection_is_kept_alive(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, always, OK_5, NULL);
    for (int i = 0; i < 5; i++)
        get_hello(&rig);
    assert_int_equal(rig.server.connections, 1);
    struct weft_future *future = submit(&rig, "GET", 0, NULL);
    expect(future, WEFT_OK, 0, 0);
    assert_string_equal(weft_future_protocol(future), "http/1.1");
    weft_future_unref(future);
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(rig.client, &stats);
    assert_int_equal(stats.connections_open, 1);
    assert_int_equal(stats.connections_http1, 1);
    assert_int_equal(weft_client_close(rig.client, 0), WEFT_OK);
    weft_client_stats(rig.client, &stats);
    assert_int_equal(stats.connections_http1, 0);
    rig_stop(&rig);
}

static void test_requests_wait_for_the_one_connection(void **state)
{
    (void)state;
    struct rig rig;
    struct weft_future *futures[20];
    rig_start(&rig, always, OK_5, NULL);
    for (size_t i = 0; i < 20; i++)
        futures[i] = submit(&rig, "GET", 0, NULL);
    for (size_t i = 0; i < 20; i++)
        expect_body(futures[i], "hello");
    assert_int_equal(rig.server.connections, 1);
    rig_stop(&rig);
}

static void test_informational_chunks_and_trailers_arrive(void **state)
{
    (void)state;
    struct rig rig;
    struct weft_field field;
    rig_start(&rig, always,
              "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Name: v\r\n\r\n"
              "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n",
              NULL);
    struct weft_future *future = submit(&rig, "GET", 0, NULL);
    expect(future, WEFT_OK, 0, 0);
    assert_int_equal(weft_future_status(future), 200);
    assert_int_equal(weft_future_informational_count(future), 1);
    assert_int_equal(weft_future_informational_status(future, 0), 103);
    assert_true(weft_future_field(future, "x-name", &field));
    assert_false(weft_future_field(future, "transfer-encoding", &field));
    assert_int_equal(weft_future_trailer_count(future), 1);
    assert_true(weft_future_trailer_at(future, 0, &field));
    assert_memory_equal(field.name, "x-sum", 5);
    expect_body(future, "abcde");
    rig_stop(&rig);
}

static void test_head_has_no_body(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, always, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", NULL);
    expect_body(submit(&rig, "HEAD", 0, NULL), "");
    expect_body(submit(&rig, "HEAD", 0, NULL), "");
    assert_int_equal(rig.server.connections, 1);
    rig_stop(&rig);
}

static void test_a_body_ends_with_the_connection(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, once, "HTTP/1.1 200 OK\r\n\r\nuntil the end", NULL);
    expect_body(submit(&rig, "GET", 0, NULL), "until the end");
    expect_body(submit(&rig, "GET", 0, NULL), "until the end");
    assert_int_equal(rig.server.connections, 2);
    rig_stop(&rig);
}

static void test_a_response_that_is_cut_was_processed(void **state)
{
    (void)state;
    static char *const cut[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    };
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        rig_start(&rig, once, cut[i], NULL);
        struct weft_future *future = submit(&rig, "GET", 0, NULL);
        expect(future, WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_BODY, WEFT_PROCESSED);
        assert_int_equal(weft_future_status(future), 200);
        weft_future_unref(future);
        rig_stop(&rig);
    }
}

static void test_a_head_that_is_cut_was_processed(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, once, "HTTP/1.1 200 OK\r\nContent-", NULL);
    struct weft_future *future = submit(&rig, "POST", 3, NULL);
    expect(future, WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_WAIT, WEFT_PROCESSED);
    weft_future_unref(future);
    rig_stop(&rig);
}

static void test_an_end_instead_of_a_response_is_maybe(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, once, "", NULL);
    struct weft_future *future = submit(&rig, "POST", 3, NULL);
    expect(future, WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_WAIT, WEFT_MAYBE_PROCESSED);
    weft_future_unref(future);
    rig_stop(&rig);
}

static void test_an_invalid_response_is_a_protocol_error(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, always,
              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", NULL);
    for (int i = 0; i < 2; i++) {
        struct weft_future *future = submit(&rig, "POST", 3, NULL);
        expect(future, WEFT_ERR_PROTOCOL, WEFT_STAGE_WAIT, WEFT_PROCESSED);
        assert_non_null(strstr(weft_future_error(future)->text, "beside transfer-encoding"));
        weft_future_unref(future);
    }
    assert_int_equal(rig.server.connections, 2);
    rig_stop(&rig);
}

static void answer_largely(struct raw_server *server, int fd, unsigned round)
{
    char head[2000];
    (void)server;
    (void)round;
    (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nX: %01500d\r\n\r\n", 0);
    if (read_head(fd))
        (void)say(fd, head);
}

static void test_large_fields_are_their_own_error(void **state)
{
    (void)state;
    struct rig rig;
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_stats stats = {.size = sizeof(stats)};
    config.max_header_list_size = 1024;
    rig_start(&rig, answer_largely, NULL, &config);
    struct weft_future *future = submit(&rig, "POST", 3, NULL);
    expect(future, WEFT_ERR_FIELDS_TOO_LARGE, WEFT_STAGE_WAIT, WEFT_PROCESSED);
    weft_future_unref(future);
    weft_client_stats(rig.client, &stats);
    assert_int_equal(stats.limits_reached, 1);
    assert_int_equal(stats.limits[WEFT_LIMIT_FIELDS], 1);
    rig_stop(&rig);
}

static void answer_with_extensions(struct raw_server *server, int fd, unsigned round)
{
    char extension[20000];
    (void)server;
    (void)round;
    memset(extension, 'x', sizeof(extension));
    if (read_head(fd) && say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"))
        (void)send(fd, extension, sizeof(extension), MSG_NOSIGNAL);
}

static void test_a_flood_of_chunk_extensions_is_counted_by_its_name(void **state)
{
    (void)state;
    struct rig rig;
    struct weft_stats stats = {.size = sizeof(stats)};
    rig_start(&rig, answer_with_extensions, NULL, NULL);
    struct weft_future *future = submit(&rig, "POST", 3, NULL);
    expect(future, WEFT_ERR_PROTOCOL, WEFT_STAGE_BODY, WEFT_PROCESSED);
    assert_non_null(strstr(weft_future_error(future)->text, "chunk extensions"));
    weft_future_unref(future);
    weft_client_stats(rig.client, &stats);
    assert_int_equal(stats.limits_reached, 1);
    assert_int_equal(stats.limits[WEFT_LIMIT_FRAMES], 1);
    rig_stop(&rig);
}

/* The end of the connection crossed the request: before its first octet, or later. */
static void expect_crossed(const struct weft_future *future)
{
    const struct weft_error *error = weft_future_error(future);
    assert_non_null(error);
    assert_int_equal(error->code, WEFT_ERR_CONNECTION_LOST);
    assert_true(error->stage == WEFT_STAGE_SEND || error->stage == WEFT_STAGE_WAIT);
    if (error->stage != WEFT_STAGE_SEND || error->effect != WEFT_NOT_SENT)
        assert_int_equal(error->effect, WEFT_MAYBE_PROCESSED);
}

/* Closes each connection behind its first answer, but says so to nobody. */
static void test_a_connection_that_ended_idle_is_replaced(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, once, OK_5, NULL);
    for (unsigned i = 0; i < 10; i++) {
        struct weft_future *future = submit(&rig, "POST", 3, NULL);
        enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
        if (code != WEFT_OK)
            expect_crossed(future);
        weft_future_unref(future);
    }
    rig_stop(&rig);
}

static void answer_and_more(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    /* What follows is the beginning of an answer to nothing. */
    if (read_head(fd) && say(fd, server->user))
        while (read_head(fd))
            (void)say(fd, server->user);
}

static void test_octets_behind_a_response_are_never_the_next_one(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, answer_and_more, OK_5 "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", NULL);
    for (unsigned i = 1; i <= 4; i++) {
        get_hello(&rig);
        assert_int_equal(rig.server.connections, i);
    }
    rig_stop(&rig);
}

static void echo(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    size_t len = *(size_t *)server->user;
    char *body = malloc(len);
    while (body != NULL && read_head(fd)) {
        char head[100];
        size_t got = 0;
        while (got < len) {
            ssize_t n = recv(fd, body + got, len - got, 0);
            if (n <= 0)
                break;
            got += (size_t)n;
        }
        (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
        if (!say(fd, head))
            break;
        for (size_t sent = 0; sent < len;) {
            ssize_t n = send(fd, body + sent, len - sent, MSG_NOSIGNAL);
            if (n <= 0)
                break;
            sent += (size_t)n;
        }
    }
    free(body);
}

static void test_a_large_body_goes_and_comes_back(void **state)
{
    (void)state;
    struct rig rig;
    size_t len = 5 * MIB + 17;
    rig_start(&rig, echo, &len, NULL);
    for (int i = 0; i < 2; i++) {
        struct weft_future *future = submit(&rig, "POST", len, NULL);
        expect(future, WEFT_OK, 0, 0);
        struct weft_body body = weft_future_body(future);
        assert_int_equal(body.len, len);
        assert_int_equal(((const char *)body.data)[0], 'u');
        assert_int_equal(((const char *)body.data)[len - 1], 'u');
        weft_future_unref(future);
    }
    assert_int_equal(rig.server.connections, 1);
    rig_stop(&rig);
}

static void refuse_upload(struct raw_server *server, int fd, unsigned round)
{
    (void)server;
    (void)round;
    if (read_head(fd) && say(fd, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"))
        raw_drain(fd);
}

static void test_a_response_before_the_end_of_the_upload_is_taken(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, refuse_upload, NULL, NULL);
    for (unsigned i = 0; i < 2; i++) {
        struct weft_future *future = submit(&rig, "POST", 50 * MIB, NULL);
        expect(future, WEFT_OK, 0, 0);
        assert_int_equal(weft_future_status(future), 413);
        weft_future_unref(future);
        assert_int_equal(rig.server.connections, i + 1);
    }
    rig_stop(&rig);
}

static atomic_bool is_stalling; /* the server has the request */

static void stall_first(struct raw_server *server, int fd, unsigned round)
{
    if (round > 0) {
        always(server, fd, round);
    } else if (read_head(fd)) {
        atomic_store(&is_stalling, true);
        raw_drain(fd);
    }
}

static void test_a_cancel_gives_the_connection_up(void **state)
{
    (void)state;
    struct rig rig;
    atomic_store(&is_stalling, false);
    rig_start(&rig, stall_first, OK_5, NULL);
    struct weft_future *future = submit(&rig, "GET", 0, NULL);
    for (int i = 0; i < TEST_WAIT_MS && !atomic_load(&is_stalling); i++)
        assert_int_equal(weft_future_wait(future, 1), WEFT_ERR_TIMEOUT);
    assert_true(atomic_load(&is_stalling));
    weft_future_cancel(future);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CANCELLED);
    weft_future_unref(future);
    get_hello(&rig);
    assert_int_equal(rig.server.connections, 2);
    rig_stop(&rig);
}

static void test_a_deadline_says_what_it_knows(void **state)
{
    (void)state;
    struct rig rig;
    struct weft_delivery how = {.size = sizeof(how), .deadline_ms = 300};
    rig_start(&rig, stall_first, OK_5, NULL);
    struct weft_future *future = submit(&rig, "POST", 3, &how);
    expect(future, WEFT_ERR_DEADLINE, WEFT_STAGE_WAIT, WEFT_MAYBE_PROCESSED);
    weft_future_unref(future);
    get_hello(&rig);
    rig_stop(&rig);
}

static void flood_body(struct raw_server *server, int fd, unsigned round)
{
    static const char octets[65536];
    size_t len = *(size_t *)server->user;
    char head[100];
    (void)round;
    if (!read_head(fd))
        return;
    (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
    (void)say(fd, head);
    while (len > 0) {
        size_t piece = len < sizeof(octets) ? len : sizeof(octets);
        if (send(fd, octets, piece, MSG_NOSIGNAL) != (ssize_t)piece)
            return;
        len -= piece;
    }
}

static uint64_t octets_read(struct rig *rig)
{
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(rig->client, &stats);
    return stats.octets_read;
}

static void test_a_reader_that_stops_stops_the_socket(void **state)
{
    (void)state;
    struct rig rig;
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_delivery how = {.size = sizeof(how), .flags = WEFT_STREAM_BODY};
    size_t len = 40 * MIB;
    static char buf[100000];
    config.stream_window = 100000;
    rig_start(&rig, flood_body, &len, &config);
    struct weft_future *future = submit(&rig, "GET", 0, &how);
    assert_int_equal(weft_future_wait_response(future, TEST_WAIT_MS), WEFT_OK);
    /* Fills up to the window and stays there. */
    while (octets_read(&rig) < config.stream_window)
        assert_int_equal(weft_future_wait(future, 1), WEFT_ERR_TIMEOUT);
    assert_int_equal(weft_future_wait(future, 50), WEFT_ERR_TIMEOUT);
    assert_in_range(octets_read(&rig), config.stream_window, config.stream_window + 200);
    size_t total = 0;
    for (;;) {
        size_t got;
        assert_int_equal(weft_future_read(future, buf, sizeof(buf), TEST_WAIT_MS, &got), WEFT_OK);
        if (got == 0)
            break;
        total += got;
    }
    assert_int_equal(total, len);
    expect(future, WEFT_OK, 0, 0);
    weft_future_unref(future);
    rig_stop(&rig);
}

static void test_a_body_above_its_limit_ends_the_request(void **state)
{
    (void)state;
    struct rig rig;
    struct weft_config config = WEFT_CONFIG_INIT;
    size_t len = 3 * MIB;
    config.max_body_size = MIB;
    rig_start(&rig, flood_body, &len, &config);
    struct weft_future *future = submit(&rig, "GET", 0, NULL);
    expect(future, WEFT_ERR_BODY_TOO_LARGE, WEFT_STAGE_BODY, WEFT_PROCESSED);
    weft_future_unref(future);
    rig_stop(&rig);
}

/* What a server says that speaks something else. */
struct foreign {
    const char *octets;
    size_t len;
    size_t body_len; /* of the request */
    bool resets;     /* with most of the request unread */
};

static void speak_otherwise(struct raw_server *server, int fd, unsigned round)
{
    const struct foreign *foreign = server->user;
    (void)round;
    if (!read_head(fd) || send(fd, foreign->octets, foreign->len, MSG_NOSIGNAL) < 0)
        return;
    if (foreign->resets)
        raw_reset_on_close(fd);
    else
        (void)shutdown(fd, SHUT_WR);
}

static void expect_foreign(const struct foreign *foreign, enum weft_effect effect, const char *text)
{
    struct rig rig;
    rig_start(&rig, speak_otherwise, (void *)(uintptr_t)foreign, NULL);
    struct weft_future *future = submit(&rig, "POST", foreign->body_len, NULL);
    expect(future, WEFT_ERR_NOT_HTTP1, foreign->body_len > MIB ? WEFT_STAGE_SEND : WEFT_STAGE_WAIT,
           effect);
    const char *got = weft_future_error(future)->text;
    if (strstr(got, text) == NULL)
        fail_msg("%s", got);
    weft_future_unref(future);
    rig_stop(&rig);
}

#define FOREIGN(octets, ...) (&(const struct foreign){octets, sizeof(octets) - 1, __VA_ARGS__})
#define SETTINGS             "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64"
#define ALERT                "\x15\3\3\0\2\2\x28"

static void test_something_else_than_http_is_told_as_such(void **state)
{
    (void)state;
    expect_foreign(FOREIGN("SSH-2.0-OpenSSH_9.2\r\n", 3, false), WEFT_MAYBE_PROCESSED,
                   "does not speak HTTP/1.1");
    expect_foreign(FOREIGN(SETTINGS, 3, false), WEFT_NOT_PROCESSED,
                   "speaks HTTP/2 and not HTTP/1.1: the first octets are a SETTINGS frame; set "
                   "http2_prior_knowledge");
    expect_foreign(FOREIGN(ALERT, 3, false), WEFT_NOT_PROCESSED,
                   "speaks TLS on this port: the first octets are a TLS alert; its URLs begin with "
                   "https://");
}

static void test_what_came_before_a_reset_of_the_upload_is_told(void **state)
{
    (void)state;
    expect_foreign(FOREIGN(SETTINGS, 32 * MIB, true), WEFT_NOT_PROCESSED, "speaks HTTP/2");
    expect_foreign(FOREIGN(ALERT, 32 * MIB, true), WEFT_NOT_PROCESSED, "speaks TLS");
}

/* The peer has spoken and gone before the first octet of the request is written. */
static void test_what_came_is_read_although_writing_failed(void **state)
{
    (void)state;
    int fds[2];
    struct weft_error error;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_tries = 1;
    struct weft_client *client = wf_engine_new_stepped(&config, &error);
    struct weft_request *request = weft_request_new("GET", "http://localhost:8080/");
    assert_non_null(client);
    struct wf_io_thread *io = client->io_threads[0];
    struct wf_origin *origin = wf_origin_get(io, request);
    assert_non_null(origin);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct wf_transport *transport = wf_tcp_new(fds[0]);
    assert_non_null(transport);
    assert_non_null(wf_conn_adopt(origin, transport));
    assert_int_equal(send(fds[1], SETTINGS, sizeof(SETTINGS) - 1, MSG_NOSIGNAL),
                     sizeof(SETTINGS) - 1);
    close(fds[1]);
    struct weft_future *future = weft_submit(client, request, NULL);
    assert_non_null(future);
    for (int i = 0; i < 100 && !weft_future_is_done(future); i++)
        wf_io_thread_turn(io);
    assert_true(weft_future_is_done(future));
    expect(future, WEFT_ERR_NOT_HTTP1, WEFT_STAGE_SEND, WEFT_NOT_SENT);
    assert_non_null(strstr(weft_future_error(future)->text, "speaks HTTP/2"));
    weft_future_unref(future);
    weft_request_unref(request);
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_is_kept_alive),
        cmocka_unit_test(test_requests_wait_for_the_one_connection),
        cmocka_unit_test(test_informational_chunks_and_trailers_arrive),
        cmocka_unit_test(test_head_has_no_body),
        cmocka_unit_test(test_a_body_ends_with_the_connection),
        cmocka_unit_test(test_a_response_that_is_cut_was_processed),
        cmocka_unit_test(test_a_head_that_is_cut_was_processed),
        cmocka_unit_test(test_an_end_instead_of_a_response_is_maybe),
        cmocka_unit_test(test_an_invalid_response_is_a_protocol_error),
        cmocka_unit_test(test_large_fields_are_their_own_error),
        cmocka_unit_test(test_a_flood_of_chunk_extensions_is_counted_by_its_name),
        cmocka_unit_test(test_a_connection_that_ended_idle_is_replaced),
        cmocka_unit_test(test_octets_behind_a_response_are_never_the_next_one),
        cmocka_unit_test(test_a_large_body_goes_and_comes_back),
        cmocka_unit_test(test_a_response_before_the_end_of_the_upload_is_taken),
        cmocka_unit_test(test_a_cancel_gives_the_connection_up),
        cmocka_unit_test(test_a_deadline_says_what_it_knows),
        cmocka_unit_test(test_a_reader_that_stops_stops_the_socket),
        cmocka_unit_test(test_a_body_above_its_limit_ends_the_request),
        cmocka_unit_test(test_something_else_than_http_is_told_as_such),
        cmocka_unit_test(test_what_came_before_a_reset_of_the_upload_is_told),
        cmocka_unit_test(test_what_came_is_read_although_writing_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
