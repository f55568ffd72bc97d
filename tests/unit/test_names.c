/* Where connections go: names, overrides, Unix sockets, IPv6, and name servers that hang. */
#include "support/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct weft_client *client_of(const struct weft_config *config)
{
    struct weft_error error;
    struct weft_client *client = weft_client_new(config, &error);
    if (client == NULL)
        print_error("%s\n", error.text);
    assert_non_null(client);
    return client;
}

static void expect(struct weft_client *client, const char *url, enum weft_code code)
{
    struct weft_future *future = weft_get(client, url);
    enum weft_code got = weft_future_wait(future, TEST_WAIT_MS);
    if (got != code)
        print_error("%s: %s\n", url, weft_future_error(future)->text);
    assert_int_equal(got, code);
    weft_future_unref(future);
}

static void finish(struct weft_client *client)
{
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
}

static void test_resolve_sends_a_name_to_an_address(void **state)
{
    (void)state;
    struct loop_server *server = loop_server_new(NULL);
    unsigned port = loop_server_port(server);
    char entry[64], url[64];
    (void)snprintf(entry, sizeof(entry), "nowhere.test:%u:127.0.0.1", port);
    (void)snprintf(url, sizeof(url), "http://nowhere.test:%u/bytes/1", port);
    const char *const list[] = {entry, NULL};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.resolve = list;
    struct weft_client *client = client_of(&config);
    (void)memset(entry, 'x', sizeof(entry) - 1); /* the client has its own copy */
    expect(client, url, WEFT_OK);
    finish(client);
    loop_server_free(server);
}

static void test_connect_to_goes_elsewhere_and_then_through_resolve(void **state)
{
    (void)state;
    struct loop_server *server = loop_server_new(NULL);
    char to[64], entry[64];
    (void)snprintf(to, sizeof(to), "a.test:80:b.test:%u", loop_server_port(server));
    (void)snprintf(entry, sizeof(entry), "*:%u:127.0.0.1", loop_server_port(server));
    const char *const connect_to[] = {to, NULL};
    const char *const resolve[] = {entry, NULL};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.connect_to = connect_to;
    config.resolve = resolve;
    struct weft_client *client = client_of(&config);
    expect(client, "http://a.test/bytes/1", WEFT_OK);
    assert_int_equal(loop_server_requests(server), 1);
    finish(client);
    loop_server_free(server);
}

static void test_a_malformed_entry_fails_the_client(void **state)
{
    (void)state;
    const char *const list[] = {"a.test:443", NULL};
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    config.connect_to = list;
    assert_null(weft_client_new(&config, &error));
    assert_int_equal(error.code, WEFT_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.text, "config.connect_to: \"a.test:443\""));
}

static void through_unix_socket(const char *path)
{
    struct loop_server_config there = {.unix_socket = path};
    struct loop_server *server = loop_server_new(&there);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.unix_socket = path;
    struct weft_client *client = client_of(&config);
    expect(client, "http://a.test/bytes/1", WEFT_OK);
    expect(client, "http://[2001:db8::1]:81/bytes/1", WEFT_OK);
    assert_int_equal(loop_server_requests(server), 2);
    finish(client);
    loop_server_free(server);
}

static void test_a_unix_socket_carries_every_connection(void **state)
{
    (void)state;
    char folder[] = "/tmp/weft-test-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/socket", folder);
    through_unix_socket(path);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void test_an_abstract_socket_does_too(void **state)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof(name), "@weft-test-%ld", (long)getpid());
    through_unix_socket(name);
}

static void test_a_missing_unix_socket_is_named(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.unix_socket = "/nonexistent/weft";
    struct weft_client *client = client_of(&config);
    struct weft_future *future = weft_get(client, "http://a.test/");
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECT);
    assert_int_equal(weft_future_error(future)->stage, WEFT_STAGE_CONNECT);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_SENT);
    assert_non_null(strstr(weft_future_error(future)->text, "/nonexistent/weft"));
    weft_future_unref(future);
    finish(client);
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return has;
}

static void test_an_ipv6_literal_is_connected_to(void **state)
{
    (void)state;
    if (!has_ipv6()) {
        print_message("this host has no IPv6 loopback\n");
        skip();
    }
    struct loop_server_config there = {.ipv6 = true};
    struct loop_server *server = loop_server_new(&there);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://[::1]:%u/bytes/1", loop_server_port(server));
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    struct weft_client *client = client_of(&config);
    expect(client, url, WEFT_OK);
    finish(client);
    loop_server_free(server);
}

/* A name server that takes questions and says nothing. */
static int black_hole(char *out_servers, size_t cap)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    (void)snprintf(out_servers, cap, "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
    return fd;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void test_a_name_server_that_hangs_does_not_hold_up_close(void **state)
{
    (void)state;
    static const int64_t drains_ms[] = {0, 200};
    for (size_t i = 0; i < 2; i++) {
        char servers[32], octet;
        int hole = black_hole(servers, sizeof(servers));
        struct weft_config config = WEFT_CONFIG_INIT;
        config.http2_prior_knowledge = true;
        config.dns_servers = servers;
        struct weft_client *client = client_of(&config);
        struct weft_future *future = weft_get(client, "http://slow.test/");
        assert_true(recv(hole, &octet, 1, 0) == 1); /* it was asked */
        uint64_t before_ms = now_ms();
        assert_int_equal(weft_client_close(client, drains_ms[i]), WEFT_OK);
        /* c-ares would go on for 10 s. */
        assert_in_range(now_ms() - before_ms, (uint64_t)drains_ms[i], 4000);
        assert_int_equal(weft_future_wait(future, 0), WEFT_ERR_CLOSED);
        assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_SENT);
        weft_future_unref(future);
        weft_client_unref(client);
        (void)close(hole);
    }
}

static void test_a_name_server_that_hangs_is_given_up_at_the_deadline(void **state)
{
    (void)state;
    char servers[32];
    int hole = black_hole(servers, sizeof(servers));
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.dns_servers = servers;
    config.deadline_ms = 100;
    struct weft_client *client = client_of(&config);
    struct weft_future *future = weft_get(client, "http://slow.test/");
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    assert_int_equal(weft_future_error(future)->stage, WEFT_STAGE_RESOLVE);
    weft_future_unref(future);
    finish(client);
    (void)close(hole);
}

struct logged {
    unsigned opened;
    unsigned closed;
    unsigned failed;
};

/* One worker runs it and closing waits for that: the test looks afterwards. */
static void on_line(void *user, const struct weft_log_line *line)
{
    struct logged *logged = user;
    if (strncmp(line->text, "conn=", 5) != 0)
        return;
    logged->opened += strstr(line->text, ": open to 127.0.0.1:") != NULL;
    logged->closed += strstr(line->text, ": closed") != NULL;
    logged->failed += strstr(line->text, ": failed: ") != NULL;
}

static void test_the_log_tells_of_connections(void **state)
{
    (void)state;
    struct loop_server *server = loop_server_new(NULL);
    struct logged logged = {0};
    char url[64];
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.log = on_line;
    config.log_user = &logged;
    config.max_tries = 1;
    struct weft_client *client = client_of(&config);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/bytes/1", loop_server_port(server));
    expect(client, url, WEFT_OK);
    expect(client, "http://127.0.0.1:1/", WEFT_ERR_CONNECT_REFUSED);
    finish(client);
    assert_int_equal(logged.opened, 1);
    assert_int_equal(logged.closed, 1);
    assert_int_equal(logged.failed, 1);
    loop_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve_sends_a_name_to_an_address),
        cmocka_unit_test(test_connect_to_goes_elsewhere_and_then_through_resolve),
        cmocka_unit_test(test_a_malformed_entry_fails_the_client),
        cmocka_unit_test(test_a_unix_socket_carries_every_connection),
        cmocka_unit_test(test_an_abstract_socket_does_too),
        cmocka_unit_test(test_a_missing_unix_socket_is_named),
        cmocka_unit_test(test_an_ipv6_literal_is_connected_to),
        cmocka_unit_test(test_a_name_server_that_hangs_does_not_hold_up_close),
        cmocka_unit_test(test_a_name_server_that_hangs_is_given_up_at_the_deadline),
        cmocka_unit_test(test_the_log_tells_of_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
