/* Limits as a program meets them: a hostile server on loopback, its sentence and its bound of
 * memory, and another connection of the same client that goes on as if nothing had happened. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* What a flood may make the process hold, octets. */
#define MEMORY_BOUND (24u << 20)

struct flood {
    uint8_t type;
    uint8_t flags;
    uint32_t stream_id;
    const char *payload;
    size_t len;
    int head_flags; /* of the HEADERS that begin a response; -1: none do */
    const char *names;
};

static size_t resident_octets(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        assert_int_equal(fscanf(file, "%*s %ld", &pages), 1);
        (void)fclose(file);
    }
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* SETTINGS, perhaps the beginning of a response, then one frame until nobody listens. */
static void play_flood(struct raw_server *server, int fd, unsigned round)
{
    const struct flood *flood = server->user;
    (void)round;
    (void)raw_send_settings(fd);
    if (raw_await_frame(fd, true, 1) == UINT32_MAX)
        return;
    if (flood->head_flags >= 0)
        (void)raw_send_frame(fd, 1, (uint8_t)flood->head_flags, 1, "\x88", 1);
    while (!server->stopping && raw_send_frame(fd, flood->type, flood->flags, flood->stream_id,
                                               flood->payload, flood->len))
        ;
}

static struct weft_future *ask(struct weft_client *client, uint16_t port, const char *method,
                               const void *body, size_t len)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
    struct weft_request *request = weft_request_new(method, url);
    if (len > 0)
        assert_int_equal(weft_request_set_body(request, body, len), WEFT_OK);
    struct weft_future *future = weft_submit(client, request, NULL);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static uint64_t limits_reached(struct weft_client *client)
{
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(client, &stats);
    return stats.limits_reached;
}

static void expect_sentence(struct weft_future *future, enum weft_code code, const char *names)
{
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), code);
    const struct weft_error *error = weft_future_error(future);
    if (strstr(error->text, names) == NULL)
        fail_msg("\"%s\" does not name \"%s\"", error->text, names);
    weft_future_unref(future);
}

static void flood_is_ended(const struct flood *flood, const struct weft_config *config,
                           enum weft_code code)
{
    struct fixture f = fixture_with(NULL, config);
    struct raw_server server;
    raw_server_start(&server, play_flood, (void *)(uintptr_t)flood);
    weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    struct weft_future *slow = fixture_submit(&f, "/hang", NULL);
    size_t before = resident_octets();
    expect_sentence(ask(f.client, server.port, "GET", NULL, 0), code, flood->names);
    size_t after = resident_octets();
    assert_true(after < before + MEMORY_BOUND);
    assert_int_equal(limits_reached(f.client), 1);
    /* The other connection has lost nothing. */
    assert_int_equal(weft_future_wait(slow, 0), WEFT_ERR_TIMEOUT);
    weft_future_unref(fixture_expect(&f, "/bytes/100000", WEFT_OK, 0, 0));
    assert_int_equal(loop_server_connections(f.server), 1);
    weft_future_unref(slow);
    fixture_free(&f);
    raw_server_stop(&server);
}

static void test_floods_end_with_a_sentence(void **state)
{
    (void)state;
    static const char padding[256] = {(char)255};
    static const struct flood floods[] = {
        {4, 0, 0, NULL, 0, 4, "SETTINGS"},
        {6, 0, 0, "12345678", 8, 4, "PING"},
        {6, 1, 0, "12345678", 8, 4, "PING"},
        {2, 0, 1, "\0\0\0\0\0", 5, 4, "PRIORITY"},
        {8, 0, 0, "\0\0\0\1", 4, 4, "WINDOW_UPDATE"},
        {0, 0, 1, NULL, 0, 4, "DATA frames without content"},
        {0, 8, 1, padding, 256, 4, "DATA frames without content"},
        {0xef, 0, 7, padding, 256, 4, "unknown types"},
    };
    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++)
        flood_is_ended(&floods[i], NULL, WEFT_ERR_PROTOCOL);
}

static void test_endless_informational_responses_end_with_a_sentence(void **state)
{
    (void)state;
    /* 103, as a literal without indexing. */
    static const struct flood flood = {1,
                                       4,
                                       1,
                                       "\x08\x03"
                                       "103",
                                       5,
                                       -1,
                                       "max_informational"};
    flood_is_ended(&flood, NULL, WEFT_ERR_FIELDS_TOO_LARGE);
}

static void test_a_configured_burst_is_used(void **state)
{
    (void)state;
    static const struct flood flood = {6, 0, 0, "12345678", 8, 4, "PING"};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.control_burst = 10;
    flood_is_ended(&flood, &config, WEFT_ERR_PROTOCOL);
}

/* A block that never ends. */
static void test_an_endless_field_block_ends_with_a_sentence(void **state)
{
    (void)state;
    static const struct flood flood = {9, 0, 1, "\x88", 1, 0, "field block"};
    flood_is_ended(&flood, NULL, WEFT_ERR_PROTOCOL);
}

static void more_fields_than(struct raw_server *server, int fd, unsigned round)
{
    (void)server;
    (void)round;
    (void)raw_send_settings(fd);
    if (raw_await_frame(fd, true, 1) == UINT32_MAX)
        return;
    (void)raw_send_frame(fd, 1, 5, 1, "\x88\x88\x90\x90\x90\x90", 6);
    raw_drain(fd);
}

static void test_max_header_fields_is_used(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.max_header_fields = 5;
    struct weft_client *client = weft_client_new(&config, NULL);
    struct raw_server server;
    raw_server_start(&server, more_fields_than, NULL);
    expect_sentence(ask(client, server.port, "GET", NULL, 0), WEFT_ERR_FIELDS_TOO_LARGE,
                    "MAX_HEADER_LIST_SIZE");
    assert_int_equal(limits_reached(client), 1);
    weft_client_close(client, 0);
    weft_client_unref(client);
    raw_server_stop(&server);
}

/* Opens all windows and reads nothing more. */
static void never_read(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    (void)raw_send_frame(fd, 4, 0, 0, "\0\4\x7f\xff\xff\xff", 6);
    (void)raw_send_frame(fd, 8, 0, 0, "\x7f\0\0\0", 4);
    if (raw_await_frame(fd, true, 1) == UINT32_MAX)
        return;
    /* The client's FIN stands behind octets that never fit; the end of the test does not. */
    struct pollfd stopped = {.fd = server->listen_fd};
    (void)poll(&stopped, 1, TEST_WAIT_MS);
}

static void test_a_server_that_does_not_read_is_left(void **state)
{
    (void)state;
    enum { LEN = 32 << 20 };
    char *body = calloc(1, LEN);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.write_stall_ms = 100;
    struct fixture f = fixture_with(NULL, &config);
    struct raw_server server;
    raw_server_start(&server, never_read, NULL);
    struct weft_future *other = fixture_submit(&f, "/hang", NULL);
    expect_sentence(ask(f.client, server.port, "POST", body, LEN), WEFT_ERR_CONNECTION_LOST,
                    "write_stall_ms");
    assert_int_equal(limits_reached(f.client), 1);
    assert_int_equal(weft_future_wait(other, 0), WEFT_ERR_TIMEOUT);
    weft_future_unref(other);
    fixture_free(&f);
    raw_server_stop(&server);
    free(body);
}

/* One octet of a body, and then nothing. */
static void drip(struct raw_server *server, int fd, unsigned round)
{
    (void)server;
    (void)round;
    (void)raw_send_settings(fd);
    if (raw_await_frame(fd, true, 1) == UINT32_MAX)
        return;
    (void)raw_send_frame(fd, 1, 4, 1, "\x88", 1);
    (void)raw_send_frame(fd, 0, 0, 1, "x", 1);
    raw_drain(fd);
}

static void test_a_body_that_drips_is_ended(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.min_body_rate = 1000;
    config.min_body_rate_ms = 300;
    struct fixture f = fixture_with(NULL, &config);
    struct raw_server server;
    raw_server_start(&server, drip, NULL);
    struct weft_future *fast = fixture_submit(&f, "/bytes/10000000", NULL);
    struct weft_future *waiting = fixture_submit(&f, "/hang", NULL);
    expect_sentence(ask(f.client, server.port, "GET", NULL, 0), WEFT_ERR_DEADLINE, "min_body_rate");
    assert_int_equal(weft_future_wait(fast, TEST_WAIT_MS), WEFT_OK);
    /* No response yet is the deadline's affair. */
    assert_int_equal(weft_future_wait(waiting, 0), WEFT_ERR_TIMEOUT);
    weft_future_unref(fast);
    weft_future_unref(waiting);
    fixture_free(&f);
    raw_server_stop(&server);
}

static void test_a_slow_reader_is_not_taken_for_a_slow_server(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.stream_window = 65535;
    config.min_body_rate = 1000;
    config.min_body_rate_ms = 100;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = fixture_submit(&f, "/bytes/200000", &how);
    /* Nothing is read for several periods: what is waited for never comes. */
    assert_int_equal(weft_future_wait(future, 350), WEFT_ERR_TIMEOUT);
    size_t total = 0;
    size_t len;
    char buf[16384];
    while (weft_future_read(future, buf, sizeof(buf), TEST_WAIT_MS, &len) == WEFT_OK && len > 0)
        total += len;
    assert_int_equal(total, 200000);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_limits_out_of_range_are_refused(void **state)
{
    (void)state;
    struct weft_error error;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.control_burst = 9;
    assert_null(weft_client_new(&config, &error));
    assert_non_null(strstr(error.text, "control_burst"));
    config = (struct weft_config)WEFT_CONFIG_INIT;
    config.max_header_fields = 0;
    assert_null(weft_client_new(&config, &error));
    assert_non_null(strstr(error.text, "max_header_fields"));
    config = (struct weft_config)WEFT_CONFIG_INIT;
    config.min_body_rate_ms = 9;
    assert_null(weft_client_new(&config, &error));
    assert_non_null(strstr(error.text, "min_body_rate_ms"));
    config = (struct weft_config)WEFT_CONFIG_INIT;
    config.ping_after_ms = -2;
    assert_null(weft_client_new(&config, &error));
    assert_non_null(strstr(error.text, "ping_after_ms"));
    config = (struct weft_config)WEFT_CONFIG_INIT;
    config.ping_timeout_ms = WEFT_FOREVER;
    assert_null(weft_client_new(&config, &error));
    assert_non_null(strstr(error.text, "ping_timeout_ms"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floods_end_with_a_sentence),
        cmocka_unit_test(test_endless_informational_responses_end_with_a_sentence),
        cmocka_unit_test(test_a_configured_burst_is_used),
        cmocka_unit_test(test_an_endless_field_block_ends_with_a_sentence),
        cmocka_unit_test(test_max_header_fields_is_used),
        cmocka_unit_test(test_a_server_that_does_not_read_is_left),
        cmocka_unit_test(test_a_body_that_drips_is_ended),
        cmocka_unit_test(test_a_slow_reader_is_not_taken_for_a_slow_server),
        cmocka_unit_test(test_limits_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
