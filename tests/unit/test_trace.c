/* Frames and notes for people who watch. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <pthread.h>
#include <sys/socket.h>

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

struct transcript {
    pthread_mutex_t lock;
    size_t len;
    char text[4096];
};

/* Lines and notes of HTTP/1.1 connections, with curl's marks. */
static void write_down(void *user, const struct weft_trace_event *event)
{
    struct transcript *transcript = user;
    pthread_mutex_lock(&transcript->lock);
    int len = snprintf(transcript->text + transcript->len,
                       sizeof(transcript->text) - transcript->len, "%c %s\n",
                       !event->is_frame ? '*'
                       : event->sent    ? '>'
                                        : '<',
                       event->text);
    if (len > 0 && (size_t)len < sizeof(transcript->text) - transcript->len)
        transcript->len += (size_t)len;
    pthread_mutex_unlock(&transcript->lock);
}

static void answer_twice(struct raw_server *server, int fd, unsigned round)
{
    char buf[512];
    (void)server;
    (void)round;
    if (recv(fd, buf, sizeof(buf), 0) > 0)
        (void)send(fd, server->user, strlen(server->user), MSG_NOSIGNAL);
    if (recv(fd, buf, sizeof(buf), 0) > 0)
        (void)send(fd, server->user, strlen(server->user), MSG_NOSIGNAL);
    raw_drain(fd);
}

static void expect_lines(const char *text, const char *lines)
{
    if (strstr(text, lines) == NULL)
        fail_msg("%s\nis not in\n%s", lines, text);
}

static void test_each_line_of_an_http_1_head_is_traced(void **state)
{
    (void)state;
    struct transcript transcript = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct raw_server server;
    struct weft_config config = WEFT_CONFIG_INIT;
    char url[64];
    char request[128];
    config.trace = write_down;
    config.trace_user = &transcript;
    raw_server_start(&server, answer_twice,
                     "HTTP/1.1 103 Early Hints\r\nlink: \\\xff\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "2\r\nok\r\n0\r\nX: y\r\n\r\n");
    struct weft_client *client = weft_client_new(&config, NULL);
    assert_non_null(client);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/a", server.port);
    (void)snprintf(request, sizeof(request), "> GET /a HTTP/1.1\n> host: 127.0.0.1:%u\n",
                   server.port);
    for (unsigned i = 0; i < 2; i++) {
        struct weft_future *future = weft_get(client, url);
        assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
        weft_future_unref(future);
    }
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
    raw_server_stop(&server);
    expect_lines(transcript.text, request);
    expect_lines(transcript.text, "\n> \n< HTTP/1.1 103 Early Hints\n< link: \\x5c\\xff\n< \n"
                                  "< HTTP/1.1 200 OK\n< Transfer-Encoding: chunked\n< \n"
                                  "< X: y\n< \n* another request on the connection to http://");
    expect_lines(strstr(transcript.text, "* another request"), request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_frame_is_traced),
        cmocka_unit_test(test_each_line_of_an_http_1_head_is_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
