/* Uploads that share a connection, seen by a server that gives out window as it likes: bodies that
 * are written, in files and in memory, of unequal sizes. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS       1
#define WINDOW_UPDATE 8
#define END_OF_ALL    5 /* END_HEADERS and END_STREAM */
#define FIRST_WINDOW  65535u
#define TURN          16384u
#define STREAMS       6u
#define BLOCKED       5u /* is never given more than its first window */
#define LONGEST       1000000u

static const size_t body_lens[STREAMS] = {300000, 500000, 800000, 400000, LONGEST, LONGEST};
static const size_t grants[] = {40000, 100000, 7000, 300000, 2 * TURN, 1};

struct watch {
    size_t came[STREAMS]; /* octets of content; the server's thread's */
    size_t ended;
    size_t widest; /* between two streams that both had more to send */
    bool failed;
};

static bool receive(int fd, uint8_t *octets, size_t len)
{
    return recv(fd, octets, len, MSG_WAITALL) == (ssize_t)len;
}

/* The next frame; of DATA the content is counted. False: the client has gone. */
static bool next_frame(struct watch *watch, int fd, uint8_t *out_type, size_t *out_content)
{
    static uint8_t payload[TURN];
    uint8_t header[9];
    if (!receive(fd, header, sizeof(header)))
        return false;
    size_t len = (size_t)header[0] << 16 | (size_t)header[1] << 8 | header[2];
    size_t stream = header[8] / 2u;
    if (len > sizeof(payload) || !receive(fd, payload, len))
        return false;
    *out_type = header[3];
    *out_content = header[3] == 0 ? len : 0;
    if (header[3] == 0 && stream < STREAMS) {
        watch->came[stream] += len;
        watch->ended += header[4] & 1u;
    }
    return true;
}

static bool give(int fd, uint32_t id, size_t len)
{
    const uint8_t increment[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                                  (uint8_t)len};
    return raw_send_frame(fd, WINDOW_UPDATE, 0, id, increment, sizeof(increment));
}

static void compare(struct watch *watch)
{
    size_t least = SIZE_MAX;
    size_t most = 0;
    for (size_t i = 0; i < STREAMS; i++) {
        if (i == BLOCKED || watch->came[i] == body_lens[i])
            continue;
        least = watch->came[i] < least ? watch->came[i] : least;
        most = watch->came[i] > most ? watch->came[i] : most;
    }
    if (least < most && most - least > watch->widest)
        watch->widest = most - least;
}

/* False: less than @len octets of content came. */
static bool take(struct watch *watch, int fd, size_t len)
{
    while (len > 0) {
        uint8_t type;
        size_t content;
        if (!next_frame(watch, fd, &type, &content) || content > len)
            return false;
        len -= content;
    }
    return true;
}

static bool play_all(struct watch *watch, int fd)
{
    uint8_t preface[24];
    uint8_t type;
    size_t content;
    size_t left = 0;
    if (!receive(fd, preface, sizeof(preface)) || !raw_send_settings(fd))
        return false;
    for (unsigned streams = 0; streams < STREAMS; streams += type == HEADERS) {
        if (!next_frame(watch, fd, &type, &content))
            return false;
        left += content;
    }
    /* Each stream comes to the end of its window: none has to wait for its source from here on. */
    if (!give(fd, 0, (STREAMS - 1) * FIRST_WINDOW) ||
        !take(watch, fd, STREAMS * FIRST_WINDOW - left))
        return false;
    left = 0;
    for (uint32_t i = 0; i < STREAMS; i++) {
        left += i == BLOCKED ? 0 : body_lens[i] - FIRST_WINDOW;
        if (i != BLOCKED && !give(fd, 2 * i + 1, LONGEST))
            return false;
    }
    for (size_t i = 0; left > 0; i++) {
        size_t len = grants[i % (sizeof(grants) / sizeof(grants[0]))];
        if (!give(fd, 0, len) || !take(watch, fd, len < left ? len : left))
            return false;
        left -= len < left ? len : left;
        compare(watch);
    }
    for (uint32_t i = 0; i < STREAMS; i++) {
        if (i != BLOCKED && !raw_send_frame(fd, HEADERS, END_OF_ALL, 2 * i + 1, "\x88", 1))
            return false;
    }
    raw_drain(fd);
    return true;
}

static void play(struct raw_server *server, int fd, unsigned round)
{
    struct watch *watch = server->user;
    (void)round;
    watch->failed = !play_all(watch, fd);
}

/* Stream @i of the connection. */
static struct weft_future *upload(struct weft_client *client, const char *url, size_t i)
{
    static const uint8_t octets[LONGEST];
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_request *request = weft_request_new("PUT", url);
    assert_non_null(request);
    if (i % 3 == 0) {
        how.flags = WEFT_STREAM_UPLOAD;
    } else if (i % 3 == 1) {
        int fd = memfd_create("body", MFD_CLOEXEC);
        assert_int_equal(ftruncate(fd, (off_t)body_lens[i]), 0);
        assert_int_equal(weft_request_set_body_fd(request, fd, 0, WEFT_TO_END), WEFT_OK);
        (void)close(fd);
    } else {
        assert_int_equal(weft_request_borrow_body(request, octets, body_lens[i], NULL, NULL),
                         WEFT_OK);
    }
    struct weft_future *future = weft_submit(client, request, &how);
    assert_non_null(future);
    weft_request_unref(request);
    if (i % 3 != 0)
        return future;
    size_t len;
    assert_int_equal(weft_future_write(future, octets, body_lens[i], TEST_WAIT_MS, &len), WEFT_OK);
    assert_int_equal(len, body_lens[i]);
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    return future;
}

static void test_uploads_advance_side_by_side_and_none_waits_for_one_that_is_blocked(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    struct raw_server server;
    struct watch watch = {0};
    struct weft_future *futures[STREAMS];
    char url[64];
    config.http2_prior_knowledge = true;
    config.upload_buffer = LONGEST;
    raw_server_start(&server, play, &watch);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
    struct weft_client *client = weft_client_new(&config, NULL);
    assert_non_null(client);
    for (size_t i = 0; i < STREAMS; i++)
        futures[i] = upload(client, url, i);
    for (size_t i = 0; i < STREAMS; i++) {
        if (i != BLOCKED)
            assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_OK);
    }
    assert_false(weft_future_is_done(futures[BLOCKED]));
    for (size_t i = 0; i < STREAMS; i++)
        weft_future_unref(futures[i]);
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
    raw_server_stop(&server);
    assert_false(watch.failed);
    assert_int_equal(watch.ended, STREAMS - 1);
    assert_int_equal(watch.came[BLOCKED], FIRST_WINDOW);
    /* A turn, and what is left of a piece that ended in the middle of one. */
    print_message("at most %zu octets apart\n", watch.widest);
    assert_in_range(watch.widest, 1, 4 * TURN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uploads_advance_side_by_side_and_none_waits_for_one_that_is_blocked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
