/* Each limit of docs/CONFORMANCE.md that a server can reach, reached over loopback: the error names
 * the limit, a counter counts it, the memory of the process stays within a bound all the while, and
 * requests on another connection of the same client are answered as ever. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What an attack may make the process hold at its peak, octets. */
#ifdef __SANITIZE_THREAD__
#define MEMORY_BOUND (5u * (24u << 20)) /* with its shadow, four octets for each */
#else
#define MEMORY_BOUND (24u << 20)
#endif

#define END_STREAM  1
#define END_HEADERS 4

struct attack {
    const char *what;
    const char *names; /* part of the sentence */
    enum weft_code code;
    raw_script *play;
    void (*configure)(struct weft_config *config); /* NULL: defaults */
    unsigned requests;                             /* the last of which meets the limit */
    size_t body_len;                               /* of requests; 0: GET */
    uint32_t flags;                                /* of their delivery */
};

static unsigned attack_requests(struct raw_server *server)
{
    return ((const struct attack *)server->user)->requests;
}

/* SETTINGS, and all the requests. False: the client has gone. */
static bool meet(struct raw_server *server, int fd)
{
    bool ok = raw_send_settings(fd);
    for (unsigned i = 0; ok && i < attack_requests(server); i++)
        ok = raw_await_frame(fd, i == 0, 1) != UINT32_MAX;
    return ok;
}

static void repeat(struct raw_server *server, int fd, uint8_t type, uint8_t flags,
                   uint32_t stream_id, const void *payload, size_t len)
{
    while (!server->stopping && raw_send_frame(fd, type, flags, stream_id, payload, len))
        ;
}

/* A literal without indexing that fills @block with one field; its length. */
static size_t put_field(uint8_t *block, char name, size_t value_len)
{
    static const size_t prefix = 127;
    size_t at = 0;
    block[at++] = 0;
    block[at++] = 1;
    block[at++] = (uint8_t)name;
    assert_true(value_len >= prefix + 128 && value_len < prefix + 16384);
    block[at++] = 127;
    block[at++] = (uint8_t)((value_len - prefix) % 128 + 128);
    block[at++] = (uint8_t)((value_len - prefix) / 128);
    memset(block + at, 'v', value_len);
    return at + value_len;
}

static void large_section(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    uint8_t field[16384];
    size_t len = put_field(field, 'x', 16000);
    if (!meet(server, fd) || !raw_send_frame(fd, 1, 0, 1, "\x88", 1))
        return;
    for (int i = 0; i < 5; i++)
        (void)raw_send_frame(fd, 9, i == 4 ? END_HEADERS : 0, 1, field, len);
    raw_drain(fd);
}

/* One entry of 4000 octets in the table, and an octet for each time it is meant: 48 MB. */
static void table_bomb(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    uint8_t block[16384];
    size_t len = put_field(block, 'x', 4000);
    block[0] = 0x40;
    memset(block + len, 0xbe, 12000);
    if (meet(server, fd) && raw_send_frame(fd, 1, 0, 1, "\x88", 1) &&
        raw_send_frame(fd, 9, END_HEADERS, 1, block, len + 12000))
        raw_drain(fd);
}

static void many_fields(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    uint8_t block[1001];
    memset(block, 0x90, sizeof(block)); /* accept-encoding: gzip, deflate */
    block[0] = 0x88;
    if (meet(server, fd) && raw_send_frame(fd, 1, END_HEADERS, 1, block, sizeof(block)))
        raw_drain(fd);
}

static void many_large_sections(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    uint8_t block[16384] = "\x08\x03"
                           "103";
    size_t len = 5 + put_field(block + 5, 'x', 16000);
    if (meet(server, fd))
        repeat(server, fd, 1, END_HEADERS, 1, block, len);
}

static void many_informational(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd))
        repeat(server, fd, 1, END_HEADERS, 1,
               "\x08\x03"
               "103",
               5);
}

static void long_block(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    uint8_t field[16384];
    size_t len = put_field(field, 'x', 16000);
    if (meet(server, fd) && raw_send_frame(fd, 1, 0, 1, "\x88", 1))
        repeat(server, fd, 9, 0, 1, field, len);
}

static void many_continuations(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd) && raw_send_frame(fd, 1, 0, 1, "\x88", 1))
        repeat(server, fd, 9, 0, 1, NULL, 0);
}

static void many_entries(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    uint8_t entries[33 * 6];
    memset(entries, 0x7a, sizeof(entries));
    if (meet(server, fd) && raw_send_frame(fd, 4, 0, 0, entries, sizeof(entries)))
        raw_drain(fd);
}

static void settings_flood(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd))
        repeat(server, fd, 4, 0, 0, NULL, 0);
}

static void ping_flood(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd))
        repeat(server, fd, 6, 0, 0, "12345678", 8);
}

static void priority_flood(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd))
        repeat(server, fd, 2, 0, 1, "\0\0\0\0\0", 5);
}

static void window_update_flood(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd))
        repeat(server, fd, 8, 0, 1, "\0\0\0\1", 4);
}

/* INITIAL_WINDOW_SIZE 0, and then an octet at a time. */
static void tiny_windows(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (raw_send_frame(fd, 4, 0, 0, "\0\4\0\0\0\0", 6) && meet(server, fd) &&
        raw_send_frame(fd, 8, 0, 0, "\0\1\0\0", 4))
        repeat(server, fd, 8, 0, 1, "\0\0\0\1", 4);
}

static void empty_data(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd) && raw_send_frame(fd, 1, END_HEADERS, 1, "\x88", 1))
        repeat(server, fd, 0, 0, 1, NULL, 0);
}

static void unknown_frames(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    static const uint8_t payload[16384];
    if (meet(server, fd))
        repeat(server, fd, 0xef, 0xff, 7, payload, sizeof(payload));
}

static void goaway_flood(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd))
        repeat(server, fd, 7, 0, 0, "\0\0\0\1\0\0\0\0", 8);
}

/* The first request is answered, and then reset without end. */
static void reset_flood(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd) && raw_send_frame(fd, 1, END_STREAM | END_HEADERS, 1, "\x88", 1))
        repeat(server, fd, 3, 0, 1, "\0\0\0\x08", 4);
}

/* The first response is malformed, and goes on although we reset it. */
static void late_data(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd) && raw_send_frame(fd, 1, END_HEADERS, 1,
                                           "\x08\x03"
                                           "abc",
                                           5))
        repeat(server, fd, 0, 0, 1, "x", 1);
}

/* Of a length that is wrong, on the stream of the answer. */
static void stream_errors(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd) && raw_send_frame(fd, 1, END_STREAM | END_HEADERS, 1, "\x88", 1))
        repeat(server, fd, 2, 0, 1, "\0\0\0\0", 4);
}

static void unread_answers(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    static const uint8_t ping[17] = {0, 0, 8, 6};
    static uint8_t pings[1000 * sizeof(ping)];
    for (size_t i = 0; i < sizeof(pings); i += sizeof(ping))
        memcpy(pings + i, ping, sizeof(ping));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
    if (!meet(server, fd))
        return;
    while (!server->stopping && send(fd, pings, sizeof(pings), MSG_NOSIGNAL) == sizeof(pings))
        ;
}

static void endless_body(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    static const uint8_t payload[16384];
    if (meet(server, fd) && raw_send_frame(fd, 1, END_HEADERS, 1, "\x88", 1))
        repeat(server, fd, 0, 0, 1, payload, sizeof(payload));
}

static void dripping_body(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (meet(server, fd) && raw_send_frame(fd, 1, END_HEADERS, 1, "\x88", 1) &&
        raw_send_frame(fd, 0, 0, 1, "x", 1))
        raw_drain(fd);
}

/* Opens all windows, and reads nothing more until the test ends. */
static void never_read(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (!raw_send_frame(fd, 4, 0, 0, "\0\4\x7f\xff\xff\xff", 6) || !meet(server, fd) ||
        !raw_send_frame(fd, 8, 0, 0, "\x7f\0\0\0", 4))
        return;
    struct pollfd stopped = {.fd = server->listen_fd};
    (void)poll(&stopped, 1, TEST_WAIT_MS);
}

static void calm(struct weft_config *config)
{
    config->control_burst = 10;
}

static void let_everything_pass(struct weft_config *config)
{
    config->control_burst = 1000000;
    config->write_stall_ms = WEFT_FOREVER;
}

static void small_body(struct weft_config *config)
{
    config->max_body_size = 100000;
}

static void small_buffers(struct weft_config *config)
{
    config->max_buffered = 100000;
}

static void small_window(struct weft_config *config)
{
    config->stream_window = 65535;
}

static void short_stall(struct weft_config *config)
{
    config->write_stall_ms = 100;
}

static void floor_of_speed(struct weft_config *config)
{
    config->min_body_rate = 1000;
    config->min_body_rate_ms = 100;
}

static const struct attack on_messages[] = {
    {"a header section of 80 KB", "MAX_HEADER_LIST_SIZE", WEFT_ERR_FIELDS_TOO_LARGE, large_section,
     NULL, 1, 0, 0},
    {"a table bomb", "MAX_HEADER_LIST_SIZE", WEFT_ERR_FIELDS_TOO_LARGE, table_bomb, NULL, 1, 0, 0},
    {"1000 fields", "MAX_HEADER_LIST_SIZE", WEFT_ERR_FIELDS_TOO_LARGE, many_fields, NULL, 1, 0, 0},
    {"1xx of 16 KB each", "all header sections together", WEFT_ERR_FIELDS_TOO_LARGE,
     many_large_sections, NULL, 1, 0, 0},
    {"1xx without end", "max_informational", WEFT_ERR_FIELDS_TOO_LARGE, many_informational, NULL, 1,
     0, 0},
    {"a field block without end", "a field block is too long", WEFT_ERR_PROTOCOL, long_block, NULL,
     1, 0, 0},
    {"CONTINUATION without end", "too many CONTINUATION frames", WEFT_ERR_PROTOCOL,
     many_continuations, NULL, 1, 0, 0},
};

static const struct attack on_frames[] = {
    {"SETTINGS of 33 entries", "too many entries", WEFT_ERR_PROTOCOL, many_entries, NULL, 1, 0, 0},
    {"SETTINGS", "the limit on SETTINGS frames", WEFT_ERR_PROTOCOL, settings_flood, NULL, 1, 0, 0},
    {"PING", "the limit on PING frames", WEFT_ERR_PROTOCOL, ping_flood, NULL, 1, 0, 0},
    {"RST_STREAM", "the limit on RST_STREAM frames", WEFT_ERR_PROTOCOL, reset_flood, NULL, 2, 0, 0},
    {"PRIORITY", "the limit on PRIORITY frames", WEFT_ERR_PROTOCOL, priority_flood, NULL, 1, 0, 0},
    {"WINDOW_UPDATE", "the limit on WINDOW_UPDATE frames", WEFT_ERR_PROTOCOL, window_update_flood,
     NULL, 1, 0, 0},
    {"windows of one octet", "the limit on WINDOW_UPDATE frames", WEFT_ERR_PROTOCOL, tiny_windows,
     NULL, 1, 1 << 20, 0},
    {"empty DATA", "the limit on DATA frames without content", WEFT_ERR_PROTOCOL, empty_data, NULL,
     1, 0, 0},
    {"unknown frames", "the limit on frames of unknown types", WEFT_ERR_PROTOCOL, unknown_frames,
     NULL, 1, 0, 0},
    {"GOAWAY", "the limit on GOAWAY frames", WEFT_ERR_PROTOCOL, goaway_flood, NULL, 1, 0, 0},
    {"DATA after our reset", "the limit on frames for streams that were reset", WEFT_ERR_PROTOCOL,
     late_data, calm, 2, 0, 0},
    {"stream errors", "the limit on stream errors", WEFT_ERR_PROTOCOL, stream_errors, NULL, 2, 0,
     0},
    {"answers that nobody reads", "too many answers wait", WEFT_ERR_PROTOCOL, unread_answers,
     let_everything_pass, 1, 0, 0},
};

static const struct attack on_bodies[] = {
    {"a large body", "max_body_size, 100000 octets", WEFT_ERR_BODY_TOO_LARGE, endless_body,
     small_body, 1, 0, 0},
    {"bodies above what all may take", "max_buffered, 100000 octets", WEFT_ERR_BODY_TOO_LARGE,
     endless_body, small_buffers, 1, 0, 0},
    {"DATA beyond the window of a reader that is slow", "the stream's flow-control window",
     WEFT_ERR_PROTOCOL, endless_body, small_window, 1, 0, WEFT_STREAM_BODY},
    {"a body that drips", "min_body_rate", WEFT_ERR_DEADLINE, dripping_body, floor_of_speed, 1, 0,
     0},
    {"a server that reads nothing", "write_stall_ms", WEFT_ERR_CONNECTION_LOST, never_read,
     short_stall, 1, 8 << 20, 0},
};

/* The most that this process ever held since the last call; 0: the kernel does not say. */
static size_t take_peak(void)
{
    char line[128];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "VmHWM: %zu", &kib) == 1)
            break;
    }
    if (file != NULL)
        (void)fclose(file);
    file = fopen("/proc/self/clear_refs", "w");
    if (file != NULL) {
        (void)fputs("5", file);
        (void)fclose(file);
    }
    return kib << 10;
}

static struct weft_future *ask(struct weft_client *client, uint16_t port,
                               const struct attack *attack)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
    struct weft_request *request = weft_request_new(attack->body_len > 0 ? "POST" : "GET", url);
    char *body = calloc(1, attack->body_len + 1);
    if (attack->body_len > 0)
        assert_int_equal(weft_request_set_body(request, body, attack->body_len), WEFT_OK);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = attack->flags;
    struct weft_future *future = weft_submit(client, request, &how);
    assert_non_null(future);
    weft_request_unref(request);
    free(body);
    return future;
}

/* Requests on the good connection for as long as the attack lasts, and one. */
static void work_meanwhile(struct fixture *f, struct weft_future *attacked)
{
    do {
        weft_future_unref(fixture_expect(f, "/bytes/1000", WEFT_OK, 0, 0));
    } while (!weft_future_is_done(attacked));
}

static void expect_sentence(const struct attack *attack, struct weft_future *future)
{
    enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
    const struct weft_error *error = weft_future_error(future);
    if (code != attack->code || strstr(error->text, attack->names) == NULL)
        fail_msg("%s: (%d) \"%s\" does not name \"%s\"", attack->what, (int)code, error->text,
                 attack->names);
}

static void play(const struct attack *attack)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    if (attack->configure != NULL)
        attack->configure(&config);
    struct fixture f = fixture_with(NULL, &config);
    struct raw_server server;
    raw_server_start(&server, attack->play, (void *)(uintptr_t)attack);
    weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    struct weft_future *slow = fixture_submit(&f, "/hang", NULL);
    (void)take_peak();
    size_t before = take_peak();
    struct weft_future *futures[2] = {NULL, NULL};
    for (unsigned i = 0; i < attack->requests; i++)
        futures[i] = ask(f.client, server.port, attack);
    struct weft_future *last = futures[attack->requests - 1];
    work_meanwhile(&f, last);
    expect_sentence(attack, last);
    size_t peak = take_peak();
    if (peak > before + MEMORY_BOUND)
        fail_msg("%s: %zu octets of memory", attack->what, peak - before);
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(f.client, &stats);
    if (stats.limits_reached != 1)
        fail_msg("%s: counted %d times", attack->what, (int)stats.limits_reached);
    /* The other connection has lost nothing. */
    assert_int_equal(weft_future_wait(slow, 0), WEFT_ERR_TIMEOUT);
    assert_int_equal(loop_server_connections(f.server), 1);
    weft_future_unref(slow);
    weft_future_unref(futures[0]);
    weft_future_unref(futures[1]);
    fixture_free(&f);
    raw_server_stop(&server);
}

static void play_all(const struct attack *attacks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        play(&attacks[i]);
}

static void test_each_limit_on_messages_is_named_counted_and_bounds_memory(void **state)
{
    (void)state;
    play_all(on_messages, sizeof(on_messages) / sizeof(on_messages[0]));
}

static void test_each_limit_on_frames_is_named_counted_and_bounds_memory(void **state)
{
    (void)state;
    play_all(on_frames, sizeof(on_frames) / sizeof(on_frames[0]));
}

static void test_each_limit_on_bodies_is_named_counted_and_bounds_memory(void **state)
{
    (void)state;
    play_all(on_bodies, sizeof(on_bodies) / sizeof(on_bodies[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_limit_on_messages_is_named_counted_and_bounds_memory),
        cmocka_unit_test(test_each_limit_on_frames_is_named_counted_and_bounds_memory),
        cmocka_unit_test(test_each_limit_on_bodies_is_named_counted_and_bounds_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
