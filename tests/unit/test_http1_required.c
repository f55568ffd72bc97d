/* A server that agrees on HTTP/2 and then wants HTTP/1.1 (RFC 9113 section 7). */
#include "support/fixture.h"
#include "support/raw_server.h"
#include "support/tls_peer.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define HEADERS           1
#define RST_STREAM        3
#define GOAWAY            7
#define END_OF_ALL        5 /* END_HEADERS and END_STREAM */
#define HTTP_1_1_REQUIRED 13
#define PREFACE_LEN       24u
#define FRAME_HEADER_LEN  9u
#define WRITTEN_LEN       40000u /* less than the first window of a stream */
#define BODY_LEN          100000u

/* What happens to the first stream, once there are so many and so many octets of content. */
struct demands {
    uint8_t by; /* RST_STREAM or GOAWAY */
    unsigned streams;
    size_t content;
};

struct server {
    struct raw_server raw;
    struct demands demands;
    struct tls_peer peer; /* of the connection that is played */
    struct wf_buf in;
    atomic_uint http2; /* connections */
    atomic_uint http1;
    atomic_size_t content; /* octets of the last request over HTTP/1.1 */
};

/* False: nothing more comes. */
static bool receive(struct server *server)
{
    struct tls_peer *peer = &server->peer;
    uint8_t buf[16384];
    int len;
    while ((len = tls_peer_read(peer, buf, sizeof(buf))) == 0) {
        while (tls_peer_push(peer, SIZE_MAX) > 0)
            ;
        struct pollfd source = {.fd = peer->fd, .events = POLLIN};
        if (peer->end_seen || poll(&source, 1, TEST_WAIT_MS) != 1)
            return false;
        tls_peer_pull(peer);
    }
    return len > 0 && wf_buf_append(&server->in, buf, (size_t)len);
}

static bool await_len(struct server *server, size_t len)
{
    while (wf_buf_len(&server->in) < len) {
        if (!receive(server))
            return false;
    }
    return true;
}

static void send_octets(struct server *server, const void *octets, size_t len)
{
    tls_peer_write(&server->peer, octets, len);
    while (tls_peer_push(&server->peer, SIZE_MAX) > 0)
        ;
}

static void send_frame(struct server *server, uint8_t type, uint8_t flags, uint8_t id,
                       const void *payload, uint8_t len)
{
    uint8_t frame[64] = {0, 0, len, type, flags, 0, 0, 0, id};
    if (len > 0)
        memcpy(frame + FRAME_HEADER_LEN, payload, len);
    send_octets(server, frame, FRAME_HEADER_LEN + len);
}

static void demand_http1(struct server *server)
{
    static const uint8_t code[4] = {0, 0, 0, HTTP_1_1_REQUIRED};
    static const uint8_t none[8] = {0, 0, 0, 0, 0, 0, 0, HTTP_1_1_REQUIRED};
    send_frame(server, 4, 0, 0, NULL, 0);
    if (server->demands.by == GOAWAY)
        send_frame(server, GOAWAY, 0, 0, none, sizeof(none));
    else
        send_frame(server, RST_STREAM, 0, 1, code, sizeof(code));
    for (unsigned i = 1; i < server->demands.streams; i++)
        send_frame(server, HEADERS, END_OF_ALL, (uint8_t)(2 * i + 1), "\x88", 1);
}

static void play_http2(struct server *server)
{
    unsigned streams = 0;
    size_t content = 0;
    bool demanded = false;
    wf_buf_consume(&server->in, PREFACE_LEN);
    while (await_len(server, FRAME_HEADER_LEN)) {
        const uint8_t *p = server->in.data + server->in.start;
        size_t len = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
        streams += p[3] == HEADERS;
        content += p[3] == 0 ? len : 0;
        if (!await_len(server, FRAME_HEADER_LEN + len))
            return;
        wf_buf_consume(&server->in, FRAME_HEADER_LEN + len);
        if (demanded || streams < server->demands.streams || content < server->demands.content)
            continue;
        demanded = true;
        demand_http1(server);
    }
}

static void play_http1(struct server *server)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    for (;;) {
        char head[1024];
        const char *end = NULL;
        size_t len = 0;
        while (end == NULL) {
            len =
                wf_buf_len(&server->in) < sizeof(head) ? wf_buf_len(&server->in) : sizeof(head) - 1;
            if (len > 0)
                memcpy(head, server->in.data + server->in.start, len);
            head[len] = '\0';
            end = strstr(head, "\r\n\r\n");
            if (end == NULL && !receive(server))
                return;
        }
        const char *field = strstr(head, "content-length: ");
        size_t content = field == NULL ? 0 : strtoul(field + 16, NULL, 10);
        size_t head_len = (size_t)(end + 4 - head);
        if (!await_len(server, head_len + content))
            return;
        wf_buf_consume(&server->in, head_len + content);
        server->content = content;
        send_octets(server, answer, sizeof(answer) - 1);
    }
}

static void play(struct raw_server *raw, int fd, unsigned round)
{
    struct server *server = raw->user;
    struct tls_peer_config config = {.certificate = "good", .alpn = "h2,http/1.1"};
    (void)round;
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    tls_peer_init(&server->peer, dup(fd), &config);
    wf_buf_init(&server->in);
    /* The handshake is a part of the first read. */
    if (await_len(server, PREFACE_LEN)) {
        bool is_http2 = memcmp(server->in.data + server->in.start, "PRI *", 5) == 0;
        atomic_fetch_add(is_http2 ? &server->http2 : &server->http1, 1);
        if (is_http2)
            play_http2(server);
        else
            play_http1(server);
    }
    wf_buf_fini(&server->in);
    tls_peer_fini(&server->peer);
}

struct scene {
    struct server server;
    struct weft_client *client;
};

static void begin(struct scene *scene, const struct demands *demands, enum weft_versions versions)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.ca_file = WEFT_TEST_CERTS "/root.pem";
    config.versions = versions;
    *scene = (struct scene){.server.demands = *demands};
    raw_server_start(&scene->server.raw, play, &scene->server);
    scene->client = weft_client_new(&config, NULL);
    assert_non_null(scene->client);
}

static void end(struct scene *scene)
{
    assert_int_equal(weft_client_close(scene->client, 0), WEFT_OK);
    weft_client_unref(scene->client);
    raw_server_stop(&scene->server.raw);
}

static struct weft_future *post(struct scene *scene, unsigned flags)
{
    static const uint8_t body[BODY_LEN];
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    char url[64];
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", scene->server.raw.port);
    struct weft_request *request = weft_request_new("POST", url);
    assert_non_null(request);
    how.flags = flags;
    if ((flags & WEFT_STREAM_UPLOAD) == 0)
        assert_int_equal(weft_request_borrow_body(request, body, sizeof(body), NULL, NULL),
                         WEFT_OK);
    struct weft_future *future = weft_submit(scene->client, request, &how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static void expect_answer(struct weft_future *future, const char *protocol, unsigned tries)
{
    enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
    if (code != WEFT_OK)
        print_error("%s\n", weft_future_error(future)->text);
    assert_int_equal(code, WEFT_OK);
    assert_int_equal(weft_future_status(future), 200);
    assert_string_equal(weft_future_protocol(future), protocol);
    assert_int_equal(weft_future_tries(future), tries);
    weft_future_unref(future);
}

static void expect_failure(struct weft_future *future, const char *text)
{
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_NOT_HTTP2);
    const struct weft_error *error = weft_future_error(future);
    assert_int_equal(error->effect, WEFT_NOT_PROCESSED);
    assert_int_equal(error->h2_code, HTTP_1_1_REQUIRED);
    assert_non_null(strstr(error->text, text));
    assert_int_equal(weft_future_tries(future), 1);
    weft_future_unref(future);
}

static void test_the_request_is_tried_again_over_http1_and_so_are_those_that_follow(void **state)
{
    (void)state;
    static const struct demands all[] = {
        {RST_STREAM, 1, 0}, {RST_STREAM, 1, 30000}, {GOAWAY, 1, 0}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct scene scene;
        begin(&scene, &all[i], WEFT_HTTP_AUTO);
        expect_answer(post(&scene, 0), "http/1.1", 2);
        assert_int_equal(scene.server.content, BODY_LEN);
        scene.server.content = 0;
        expect_answer(post(&scene, 0), "http/1.1", 1);
        assert_int_equal(scene.server.content, BODY_LEN);
        assert_int_equal(scene.server.http2, 1);
        assert_int_equal(scene.server.http1, 1);
        end(&scene);
    }
}

static void test_other_streams_of_the_connection_go_on(void **state)
{
    (void)state;
    static const struct demands demands = {RST_STREAM, 3, 0};
    struct scene scene;
    begin(&scene, &demands, WEFT_HTTP_AUTO);
    struct weft_future *futures[3];
    for (size_t i = 0; i < 3; i++)
        futures[i] = post(&scene, WEFT_STREAM_UPLOAD);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(weft_future_finish(futures[i]), WEFT_OK);
        expect_answer(futures[i], "h2", 1);
    }
    assert_int_equal(weft_future_finish(futures[0]), WEFT_OK);
    expect_answer(futures[0], "http/1.1", 2);
    end(&scene);
}

static void test_what_must_not_be_repeated_fails_and_the_next_request_uses_http1(void **state)
{
    (void)state;
    static const struct demands demands[] = {{RST_STREAM, 1, 0}, {RST_STREAM, 1, WRITTEN_LEN}};
    static const unsigned flags[] = {WEFT_NO_RETRY, WEFT_STREAM_UPLOAD};
    static const uint8_t octets[WRITTEN_LEN];
    for (size_t i = 0; i < 2; i++) {
        struct scene scene;
        size_t len;
        begin(&scene, &demands[i], WEFT_HTTP_AUTO);
        struct weft_future *future = post(&scene, flags[i]);
        if (flags[i] == WEFT_STREAM_UPLOAD)
            assert_int_equal(weft_future_write(future, octets, sizeof(octets), TEST_WAIT_MS, &len),
                             WEFT_OK);
        expect_failure(future, "requires HTTP/1.1");
        expect_answer(post(&scene, 0), "http/1.1", 1);
        assert_int_equal(scene.server.http2, 1);
        end(&scene);
    }
}

static void test_http2_alone_is_a_clear_error(void **state)
{
    (void)state;
    static const struct demands all[] = {{RST_STREAM, 1, 0}, {GOAWAY, 1, 0}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct scene scene;
        begin(&scene, &all[i], WEFT_HTTP_2);
        expect_failure(post(&scene, 0), "which the configuration does not allow");
        end(&scene);
    }
}

static void refuse_in_cleartext(struct raw_server *server, int fd, unsigned round)
{
    static const uint8_t code[4] = {0, 0, 0, HTTP_1_1_REQUIRED};
    (void)server;
    (void)round;
    (void)raw_send_settings(fd);
    uint32_t id = raw_await_frame(fd, true, HEADERS);
    if (id != UINT32_MAX)
        (void)raw_send_frame(fd, RST_STREAM, 0, id, code, sizeof(code));
    raw_drain(fd);
}

static void test_prior_knowledge_that_was_wrong_is_a_clear_error(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    struct raw_server server;
    char url[64];
    config.http2_prior_knowledge = true;
    raw_server_start(&server, refuse_in_cleartext, NULL);
    struct weft_client *client = weft_client_new(&config, NULL);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
    expect_failure(weft_get(client, url), "prior knowledge");
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
    raw_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_request_is_tried_again_over_http1_and_so_are_those_that_follow),
        cmocka_unit_test(test_other_streams_of_the_connection_go_on),
        cmocka_unit_test(test_what_must_not_be_repeated_fails_and_the_next_request_uses_http1),
        cmocka_unit_test(test_http2_alone_is_a_clear_error),
        cmocka_unit_test(test_prior_knowledge_that_was_wrong_is_a_clear_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
