/* A peer that falls silent: when it is asked, how often, and when it is given up. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADERS       1
#define PING          6
#define WINDOW_UPDATE 8
#define END_STREAM    1
#define END_HEADERS   4

struct play {
    unsigned pings;
    uint64_t asked_ms[8];
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_gone(int fd)
{
    return raw_await_frame(fd, true, HEADERS) == UINT32_MAX;
}

static void count_ping(struct play *play)
{
    if (play->pings < 8)
        play->asked_ms[play->pings] = now_ms();
    play->pings++;
}

static struct weft_config impatient(void)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.ping_after_ms = 20;
    config.ping_timeout_ms = 100;
    return config;
}

static struct weft_future *ask(struct weft_client *client, const struct raw_server *server,
                               const struct weft_delivery *how, size_t body_len)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server->port);
    struct weft_request *request = weft_request_new(body_len > 0 ? "POST" : "GET", url);
    void *body = body_len > 0 ? calloc(1, body_len) : NULL;
    if (body_len > 0)
        assert_int_equal(weft_request_borrow_body(request, body, body_len, free, body), WEFT_OK);
    struct weft_future *future = weft_submit(client, request, how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static void end(struct weft_client *client, struct raw_server *server, struct weft_future *future)
{
    weft_future_unref(future);
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
    raw_server_stop(server);
}

static void fall_silent(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    (void)raw_send_settings(fd);
    if (is_gone(fd))
        return;
    while (raw_await_frame(fd, false, PING) != UINT32_MAX)
        count_ping(server->user);
}

static void test_a_silent_peer_is_asked_once_and_given_up(void **state)
{
    (void)state;
    struct play play = {0};
    struct raw_server server;
    raw_server_start(&server, fall_silent, &play);
    struct weft_config config = impatient();
    struct weft_client *client = weft_client_new(&config, NULL);
    struct weft_future *future = ask(client, &server, NULL, 5); /* a POST is not tried again */
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECTION_LOST);
    const struct weft_error *error = weft_future_error(future);
    assert_int_equal(error->effect, WEFT_MAYBE_PROCESSED);
    assert_int_equal(error->stage, WEFT_STAGE_WAIT);
    assert_non_null(strstr(error->text, "PING"));
    end(client, &server, future);
    assert_int_equal(play.pings, 1);
}

/* Answers PINGs and nothing else. */
static void answer_pings(struct raw_server *server, int fd, unsigned round)
{
    struct play *play = server->user;
    (void)round;
    (void)raw_send_settings(fd);
    if (is_gone(fd))
        return;
    while (raw_await_frame(fd, false, PING) != UINT32_MAX) {
        const uint8_t opaque[8] = {'w', 'e', 'f', 't', '?', 0, 0, (uint8_t)play->pings};
        count_ping(play);
        (void)raw_send_frame(fd, PING, 1, 0, opaque, sizeof(opaque));
    }
}

static void test_each_silence_is_twice_the_last_and_the_fourth_is_long(void **state)
{
    (void)state;
    struct play play = {0};
    struct raw_server server;
    raw_server_start(&server, answer_pings, &play);
    struct weft_config config = impatient();
    config.ping_timeout_ms = 10000;
    struct weft_client *client = weft_client_new(&config, NULL);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = 2000; /* the fourth would come after 300 */
    uint64_t from_ms = now_ms();
    struct weft_future *future = ask(client, &server, &how, 0);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    end(client, &server, future);
    assert_int_equal(play.pings, 3);
    /* From the submission, since a PING may be read late; clocks are read in milliseconds. */
    assert_true(play.asked_ms[1] - from_ms >= 20 + 40 - 2);
    assert_true(play.asked_ms[2] - from_ms >= 20 + 40 + 80 - 3);
}

/* A response is as good an answer as PING ACK; and who has no stream is not asked. */
static void answer_late(struct raw_server *server, int fd, unsigned round)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    (void)round;
    (void)raw_send_settings(fd);
    if (is_gone(fd) || raw_await_frame(fd, false, PING) == UINT32_MAX)
        return;
    (void)raw_send_frame(fd, HEADERS, END_HEADERS | END_STREAM, 1, "\x88", 1);
    /* Nothing can come but an acknowledgement of SETTINGS, and PING that must not. */
    uint64_t end_ms = now_ms() + 200;
    while (now_ms() < end_ms) {
        uint8_t header[9];
        if (poll(&poll_fd, 1, 20) > 0 && recv(fd, header, 9, MSG_WAITALL) == 9 && header[3] == PING)
            count_ping(server->user);
    }
}

static void test_any_answer_will_do_and_an_idle_peer_is_not_asked(void **state)
{
    (void)state;
    struct play play = {0};
    struct raw_server server;
    raw_server_start(&server, answer_late, &play);
    struct weft_config config = impatient();
    config.ping_timeout_ms = 10000;
    struct weft_client *client = weft_client_new(&config, NULL);
    struct weft_future *future = ask(client, &server, NULL, 0);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    raw_server_stop(&server); /* the script has ended */
    weft_future_unref(future);
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
    assert_int_equal(play.pings, 0);
}

/* Takes an upload slowly and says nothing until it has all. */
static void read_slowly(struct raw_server *server, int fd, unsigned round)
{
    static const uint8_t window[6] = {0, 4, 0x7f, 0, 0, 0};
    enum { STEP = 65536 };
    size_t *left = server->user;
    uint8_t *buf = malloc(STEP);
    (void)round;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){65536}, sizeof(int));
    (void)raw_send_frame(fd, 4, 0, 0, window, sizeof(window));
    (void)raw_send_frame(fd, WINDOW_UPDATE, 0, 0, "\x7e\0\0\0", 4);
    while (*left > 0) {
        ssize_t len = recv(fd, buf, STEP, 0);
        if (len <= 0)
            break;
        *left -= (size_t)len < *left ? (size_t)len : *left;
        (void)poll(NULL, 0, 100); /* a slow line, not a race */
    }
    free(buf);
    if (*left > 0)
        return;
    (void)raw_send_frame(fd, HEADERS, END_HEADERS | END_STREAM, 1, "\x88", 1);
    raw_drain(fd);
}

static void test_a_slow_line_is_not_a_dead_peer(void **state)
{
    (void)state;
    enum { LEN = 4000000 };
    size_t left = LEN;
    struct raw_server server;
    raw_server_start(&server, read_slowly, &left);
    struct weft_config config = impatient();
    config.ping_timeout_ms = 2500; /* less than half of what the upload takes */
    struct weft_client *client = weft_client_new(&config, NULL);
    struct weft_future *future = ask(client, &server, NULL, LEN);
    enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
    if (code != WEFT_OK)
        print_error("%s\n", weft_future_error(future)->text);
    assert_int_equal(code, WEFT_OK);
    end(client, &server, future);
}

/* Says nothing for longer than the client is told to wait for an answer to a PING. */
static void think(struct raw_server *server, int fd, unsigned round)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
    char buf[1024];
    (void)server;
    (void)round;
    if (recv(fd, buf, sizeof(buf), 0) <= 0)
        return;
    (void)poll(NULL, 0, 400); /* a slow answer, not a race */
    (void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    raw_drain(fd);
}

/* No probe is as quick as a PING: peer/black_hole has hosts that are gone. */
static void test_over_http1_a_slow_answer_is_waited_for(void **state)
{
    (void)state;
    struct raw_server server;
    raw_server_start(&server, think, NULL);
    struct weft_config config = impatient();
    config.http2_prior_knowledge = false;
    struct weft_client *client = weft_client_new(&config, NULL);
    struct weft_future *future = ask(client, &server, NULL, 5);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    end(client, &server, future);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_silent_peer_is_asked_once_and_given_up),
        cmocka_unit_test(test_each_silence_is_twice_the_last_and_the_fourth_is_long),
        cmocka_unit_test(test_any_answer_will_do_and_an_idle_peer_is_not_asked),
        cmocka_unit_test(test_a_slow_line_is_not_a_dead_peer),
        cmocka_unit_test(test_over_http1_a_slow_answer_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
