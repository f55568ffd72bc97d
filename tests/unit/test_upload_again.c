/* Uploads that are interrupted, over both protocols: what is sent again from its beginning, what
 * fails instead, and how much is said to have been sent. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS    1
#define RST_STREAM 3
#define SETTINGS   4
#define GOAWAY     7
#define END_OF_ALL 5 /* END_HEADERS and END_STREAM */
#define LEN        300000u
#define ENOUGH     100000u /* octets of content after which an upload is interrupted */
#define LARGE      50000000u

enum how { REFUSE, LEAVE_OUT, CUT, NOT_EXPECTED, TOO_LARGE };
enum source { MEMORY, A_FILE, WRITTEN };

struct play {
    bool http1;
    enum how how;
    unsigned times;       /* connections, or streams, that are treated so */
    atomic_uint requests; /* of which the head came */
    atomic_uint whole;    /* of which all came */
    atomic_bool wrong;    /* some octet was not the one expected */
};

struct scene {
    struct play play;
    struct raw_server server;
    struct weft_client *client;
};

static uint8_t octet_at(size_t i)
{
    return (uint8_t)(i * 31 >> 3);
}

static void look(struct play *play, const uint8_t *octets, size_t len, size_t at)
{
    for (size_t i = 0; i < len; i++) {
        if (octets[i] != octet_at(at + i))
            atomic_store(&play->wrong, true);
    }
}

static bool receive(int fd, void *octets, size_t len)
{
    return recv(fd, octets, len, MSG_WAITALL) == (ssize_t)len;
}

static bool receive_content(struct play *play, int fd, size_t len)
{
    uint8_t buf[5000];
    for (size_t at = 0; at < len;) {
        size_t part = len - at < sizeof(buf) ? len - at : sizeof(buf);
        if (!receive(fd, buf, part))
            return false;
        look(play, buf, part, at);
        at += part;
    }
    return true;
}

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* False: the connection ends. */
static bool treat_http1(struct play *play, int fd, const char *head)
{
    bool is_treated = play->requests++ < play->times;
    if (is_treated && play->how == NOT_EXPECTED) {
        if (say(fd, "HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
            raw_drain(fd);
        return false;
    }
    if (is_treated && play->how == TOO_LARGE) {
        /* What lies unread makes the kernel reset the connection. */
        (void)say(fd, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return false;
    }
    if (is_treated) {
        (void)receive_content(play, fd, ENOUGH);
        raw_reset_on_close(fd);
        return false;
    }
    if (strstr(head, "\r\nexpect: ") != NULL || !receive_content(play, fd, LEN))
        return false;
    play->whole++;
    return say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

static void play_http1(struct play *play, int fd)
{
    char head[2048];
    size_t len = 0;
    while (len + 1 < sizeof(head) && receive(fd, head + len, 1)) {
        head[++len] = '\0';
        if (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0)
            continue;
        if (!treat_http1(play, fd, head))
            return;
        len = 0;
    }
}

static void answer(int fd, uint8_t id, const char *status)
{
    uint8_t block[] = {0x08, 3, (uint8_t)status[0], (uint8_t)status[1], (uint8_t)status[2]};
    (void)raw_send_frame(fd, HEADERS, END_OF_ALL, id, block, sizeof(block));
}

/* False: the connection ends. */
static bool treat_http2(const struct play *play, int fd, uint8_t id)
{
    static const uint8_t refused[4] = {0, 0, 0, 7};
    static const uint8_t none[8] = {0};
    switch (play->how) {
    case REFUSE:
        return raw_send_frame(fd, RST_STREAM, 0, id, refused, sizeof(refused));
    case LEAVE_OUT:
        (void)raw_send_frame(fd, GOAWAY, 0, 0, none, sizeof(none));
        raw_drain(fd);
        return false;
    case CUT:
        raw_reset_on_close(fd);
        return false;
    case NOT_EXPECTED:
        answer(fd, id, "417");
        return true;
    case TOO_LARGE:
        answer(fd, id, "413");
        return raw_send_frame(fd, RST_STREAM, 0, id, none, 4);
    }
    return false;
}

static void play_http2(struct play *play, int fd)
{
    static const uint8_t window[6] = {0, 4, 0, 16, 0, 0};
    static const uint8_t increment[4] = {0, 16, 0, 0};
    uint8_t octets[16384];
    uint8_t header[9];
    size_t at = 0;
    uint8_t treated = 0; /* the stream that is */
    (void)raw_send_frame(fd, SETTINGS, 0, 0, window, sizeof(window));
    (void)raw_send_frame(fd, 8, 0, 0, increment, sizeof(increment));
    if (!receive(fd, octets, 24))
        return;
    while (receive(fd, header, sizeof(header))) {
        size_t len = (size_t)header[0] << 16 | (size_t)header[1] << 8 | header[2];
        uint8_t id = header[8];
        if (len > sizeof(octets) || !receive(fd, octets, len))
            return;
        if (header[3] == HEADERS) {
            at = 0;
            treated = play->requests++ < play->times ? id : 0;
        } else if (header[3] == 0) {
            look(play, octets, len, at);
            at += len;
        } else {
            continue;
        }
        bool is_due = play->how == NOT_EXPECTED ? header[3] == HEADERS : at >= ENOUGH;
        if (treated == id && is_due) {
            treated = UINT8_MAX; /* once */
            if (!treat_http2(play, fd, id))
                return;
        } else if (treated == 0 && header[3] == 0 && (header[4] & 1) != 0) {
            play->whole += at == LEN;
            answer(fd, id, "200");
        }
    }
}

static void play_one(struct raw_server *server, int fd, unsigned round)
{
    struct play *play = server->user;
    (void)round;
    if (play->http1)
        play_http1(play, fd);
    else
        play_http2(play, fd);
}

static void begin(struct scene *scene, bool http1, enum how how, unsigned times)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = !http1;
    config.expect_timeout_ms = WEFT_FOREVER;
    *scene = (struct scene){.play = {.http1 = http1, .how = how, .times = times}};
    raw_server_start(&scene->server, play_one, &scene->play);
    scene->client = weft_client_new(&config, NULL);
    assert_non_null(scene->client);
}

static void end(struct scene *scene)
{
    assert_int_equal(weft_client_close(scene->client, 0), WEFT_OK);
    weft_client_unref(scene->client);
    raw_server_stop(&scene->server);
    assert_false(scene->play.wrong);
}

static const uint8_t *pattern(void)
{
    static uint8_t *octets;
    if (octets == NULL) {
        octets = malloc(LARGE);
        assert_non_null(octets);
        for (size_t i = 0; i < LARGE; i++)
            octets[i] = octet_at(i);
    }
    return octets;
}

static void put_file(struct weft_request *request, size_t len)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t at = 0; at < len;) {
        ssize_t wrote = write(fd, pattern() + at, len - at);
        assert_true(wrote > 0);
        at += (size_t)wrote;
    }
    assert_int_equal(weft_request_set_body_fd(request, fd, 0, WEFT_TO_END), WEFT_OK);
    (void)close(fd);
}

static struct weft_future *send_it(struct scene *scene, const char *method, enum source source,
                                   size_t len, unsigned flags)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    char text[64];
    (void)snprintf(text, sizeof(text), "http://127.0.0.1:%u/", scene->server.port);
    struct weft_request *request = weft_request_new(method, text);
    assert_non_null(request);
    how.flags = flags;
    if (scene->play.how == NOT_EXPECTED)
        assert_int_equal(weft_request_add_field(request, "expect", "100-continue"), WEFT_OK);
    (void)snprintf(text, sizeof(text), "%zu", len);
    if (source == WRITTEN) {
        how.flags |= WEFT_STREAM_UPLOAD;
        assert_int_equal(weft_request_add_field(request, "content-length", text), WEFT_OK);
    } else if (source == A_FILE) {
        put_file(request, len);
    } else {
        assert_int_equal(weft_request_borrow_body(request, pattern(), len, NULL, NULL), WEFT_OK);
    }
    struct weft_future *future = weft_submit(scene->client, request, &how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static enum weft_code write_it(struct weft_future *future, size_t len)
{
    size_t wrote = 0;
    enum weft_code code = WEFT_OK;
    for (size_t at = 0; at < len && code == WEFT_OK; at += wrote)
        code = weft_future_write(future, pattern() + at, len - at, TEST_WAIT_MS, &wrote);
    return code == WEFT_OK ? weft_future_finish(future) : code;
}

static struct weft_timings timings_of(struct weft_future *future)
{
    struct weft_timings timings = {.size = sizeof(timings)};
    assert_true(weft_future_timings(future, &timings));
    return timings;
}

static void expect_status(struct weft_future *future, int status, unsigned tries)
{
    enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
    if (code != WEFT_OK)
        fail_msg("%s: %s", weft_code_name(code),
                 weft_future_is_done(future) ? weft_future_error(future)->text : "not done");
    assert_int_equal(weft_future_status(future), status);
    assert_int_equal(weft_future_tries(future), tries);
}

static void expect_failure(struct weft_future *future, enum weft_code code, enum weft_effect effect)
{
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), code);
    assert_int_equal(weft_future_error(future)->effect, effect);
    assert_int_equal(weft_future_tries(future), 1);
}

struct interruption {
    bool http1;
    enum how how;
    const char *method;
    enum weft_code code; /* of what cannot be sent again; WEFT_OK: it is */
    enum weft_effect effect;
};

static const struct interruption interruptions[] = {
    {false, REFUSE, "POST", WEFT_OK, 0},
    {false, LEAVE_OUT, "POST", WEFT_OK, 0},
    {false, CUT, "PUT", WEFT_OK, 0},
    {true, CUT, "PUT", WEFT_OK, 0},
    {false, CUT, "POST", WEFT_ERR_CONNECTION_LOST, WEFT_MAYBE_PROCESSED},
    {true, CUT, "POST", WEFT_ERR_CONNECTION_LOST, WEFT_MAYBE_PROCESSED},
};

static void test_bodies_that_can_be_had_again_are_sent_from_their_beginning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(interruptions) / sizeof(interruptions[0]); i++) {
        const struct interruption *it = &interruptions[i];
        for (enum source source = MEMORY; source <= A_FILE; source++) {
            struct scene scene;
            begin(&scene, it->http1, it->how, 1);
            struct weft_future *future = send_it(&scene, it->method, source, LEN, 0);
            if (it->code == WEFT_OK) {
                expect_status(future, 200, 2);
                assert_int_equal(scene.play.whole, 1);
                assert_int_equal(timings_of(future).octets_sent, LEN);
            } else {
                expect_failure(future, it->code, it->effect);
                assert_int_equal(scene.play.requests, 1);
            }
            weft_future_unref(future);
            end(&scene);
        }
    }
}

static void test_a_written_body_of_which_a_part_is_gone_fails_with_its_true_effect(void **state)
{
    (void)state;
    static const struct interruption all[] = {
        {false, REFUSE, "PUT", WEFT_ERR_REFUSED, WEFT_NOT_PROCESSED},
        {false, LEAVE_OUT, "PUT", WEFT_ERR_GOAWAY, WEFT_NOT_PROCESSED},
        {false, CUT, "PUT", WEFT_ERR_CONNECTION_LOST, WEFT_MAYBE_PROCESSED},
        {true, CUT, "PUT", WEFT_ERR_CONNECTION_LOST, WEFT_MAYBE_PROCESSED},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct scene scene;
        begin(&scene, all[i].http1, all[i].how, 1);
        struct weft_future *future = send_it(&scene, all[i].method, WRITTEN, LEN, 0);
        enum weft_code code = write_it(future, LEN);
        assert_true(code == WEFT_OK || code == all[i].code);
        expect_failure(future, all[i].code, all[i].effect);
        assert_int_equal(scene.play.requests, 1);
        assert_in_range(timings_of(future).octets_sent, ENOUGH, LEN);
        weft_future_unref(future);
        end(&scene);
    }
}

/* RFC 9110 section 10.1.1. */
static void test_417_makes_the_request_go_again_without_expect(void **state)
{
    (void)state;
    for (int http1 = 0; http1 < 2; http1++) {
        for (enum source source = MEMORY; source <= WRITTEN; source++) {
            struct scene scene;
            begin(&scene, http1 != 0, NOT_EXPECTED, 1);
            struct weft_future *future = send_it(&scene, "POST", source, LEN, 0);
            if (source == WRITTEN)
                assert_int_equal(write_it(future, LEN), WEFT_OK);
            expect_status(future, 200, 2);
            assert_int_equal(scene.play.whole, 1);
            struct weft_timings timings = timings_of(future);
            assert_int_equal(timings.octets_sent, LEN);
            assert_true(timings.sent_ns >= timings.queue_ns);
            weft_future_unref(future);
            end(&scene);
        }
    }
}

static void test_417_stands_where_it_comes_twice_or_no_other_try_is_wanted(void **state)
{
    (void)state;
    for (int http1 = 0; http1 < 2; http1++) {
        struct scene scene;
        begin(&scene, http1 != 0, NOT_EXPECTED, 9);
        struct weft_future *twice = send_it(&scene, "POST", MEMORY, LEN, 0);
        expect_status(twice, 417, 2);
        struct weft_future *once = send_it(&scene, "POST", MEMORY, LEN, WEFT_NO_RETRY);
        expect_status(once, 417, 1);
        assert_int_equal(timings_of(once).octets_sent, 0);
        assert_int_equal(timings_of(once).sent_ns, -1);
        weft_future_unref(twice);
        weft_future_unref(once);
        end(&scene);
    }
}

static void test_an_answer_in_the_middle_of_an_upload_ends_it(void **state)
{
    (void)state;
    for (int http1 = 0; http1 < 2; http1++) {
        for (enum source source = MEMORY; source <= WRITTEN; source++) {
            struct scene scene;
            begin(&scene, http1 != 0, TOO_LARGE, 1);
            struct weft_future *future = send_it(&scene, "POST", source, LARGE, 0);
            if (source == WRITTEN)
                assert_int_equal(write_it(future, LARGE), WEFT_ERR_UPLOAD_OVER);
            expect_status(future, 413, 1);
            struct weft_timings timings = timings_of(future);
            assert_true(timings.octets_sent < LARGE);
            assert_int_equal(timings.sent_ns, -1);
            weft_future_unref(future);
            end(&scene);
        }
    }
}

static int free_pattern(void **state)
{
    (void)state;
    free((void *)(uintptr_t)pattern());
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_that_can_be_had_again_are_sent_from_their_beginning),
        cmocka_unit_test(test_a_written_body_of_which_a_part_is_gone_fails_with_its_true_effect),
        cmocka_unit_test(test_417_makes_the_request_go_again_without_expect),
        cmocka_unit_test(test_417_stands_where_it_comes_twice_or_no_other_try_is_wanted),
        cmocka_unit_test(test_an_answer_in_the_middle_of_an_upload_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, free_pattern);
}
