/* Connections that cannot be made, and that break. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void say_tls_alert(struct raw_server *server, int fd, unsigned round)
{
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};
    (void)server;
    (void)round;
    char preface[24];
    if (recv(fd, preface, sizeof(preface), MSG_WAITALL) == sizeof(preface))
        (void)send(fd, alert, sizeof(alert), MSG_NOSIGNAL);
}

static void test_a_tls_server_asked_in_cleartext_is_told_as_such(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct raw_server server;
    raw_server_start(&server, say_tls_alert, NULL);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
    struct weft_future *future = weft_get(f.client, url);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_NOT_HTTP2);
    assert_non_null(strstr(weft_future_error(future)->text, "the server speaks TLS, not HTTP/2"));
    weft_future_unref(future);
    fixture_free(&f);
    raw_server_stop(&server);
}

static void test_a_tls_handshake_that_hangs_has_its_own_limit(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.tls_timeout_ms = 50;
    config.insecure_skip_verify = true;
    struct fixture f = fixture_with(NULL, &config);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 8), 0); /* the kernel connects; nobody ever accepts */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    char url[64];
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", ntohs(address.sin_port));
    struct weft_future *future = weft_get(f.client, url);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECT_TIMEOUT);
    assert_int_equal(weft_future_error(future)->stage, WEFT_STAGE_TLS);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_SENT);
    assert_non_null(strstr(weft_future_error(future)->text, "tls_timeout_ms"));
    weft_future_unref(future);
    close(fd);
    fixture_free(&f);
}

static void test_a_connection_that_closes_is_replaced(void **state)
{
    (void)state;
    struct loop_server_config server = {.close_after = 3};
    struct fixture f = fixture_with(&server, NULL);
    for (int i = 0; i < 12; i++) {
        struct weft_future *future = fixture_submit(&f, "/bytes/10", NULL);
        enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
        /* The server closes without a GOAWAY: a request may cross its end, and is told so. */
        assert_true(code == WEFT_OK || code == WEFT_ERR_CONNECTION_LOST);
        weft_future_unref(future);
    }
    assert_true(loop_server_connections(f.server) >= 3);
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

static bool is_closed(struct weft_client *client)
{
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(client, &stats);
    return stats.connections_open == 0;
}

static void test_an_idle_connection_says_goodbye(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.idle_timeout_ms = 30;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_cq *never = weft_cq_new();
    struct weft_event event;
    /* A request that takes longer than the time-out is not idleness. */
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = 100;
    struct weft_future *slow = fixture_submit(&f, "/hang", &how);
    loop_server_await_requests(f.server, 1);
    assert_int_equal(weft_future_wait(slow, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    assert_int_equal(loop_server_connections(f.server), 1);
    weft_future_unref(slow);
    for (int i = 0; i < TEST_WAIT_MS && !is_closed(f.client); i++)
        assert_int_equal(weft_cq_next(never, &event, 1, 1), 0);
    assert_true(is_closed(f.client));
    weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    assert_int_equal(loop_server_connections(f.server), 2);
    weft_cq_unref(never);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refused_connection_names_the_address),
        cmocka_unit_test(test_a_server_without_http2_is_its_own_error),
        cmocka_unit_test(test_a_tls_server_asked_in_cleartext_is_told_as_such),
        cmocka_unit_test(test_a_tls_handshake_that_hangs_has_its_own_limit),
        cmocka_unit_test(test_a_connection_that_closes_is_replaced),
        cmocka_unit_test(test_a_lost_connection_in_mid_body_harms_no_later_request),
        cmocka_unit_test(test_a_request_above_the_goaway_was_not_processed),
        cmocka_unit_test(test_an_idle_connection_says_goodbye),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
