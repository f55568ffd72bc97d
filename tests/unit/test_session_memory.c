/* Every allocation of a session fails once: nothing crashes or leaks, each stream still ends once.
 */
#include "support/cmocka.h"
#include "support/failing_alloc.h"
#include "support/h2_peer.h"
#include "h2/session.h"

#define MAX_STREAMS 8

static uint8_t body[50000];

struct ends {
    unsigned open;
    unsigned closed;
};

static void capture(void *user, struct wf_slice octets)
{
    struct wf_buf *out = user;
    assert_true(wf_buf_append(out, octets.ptr, octets.len));
}

static bool no_answer(void *user, struct wf_buf *in)
{
    (void)user;
    (void)in;
    return false;
}

/* What a server says to the client's script: a block in pieces, DATA, trailers, a reset, a PING. */
static void server_octets(struct wf_buf *out)
{
    struct h2_peer peer;
    struct h2_peer_transport transport = {out, capture, no_answer};
    peer_init(&peer, &transport);
    peer_send_settings(&peer, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 1000000u, 0);
    peer_send_settings_ack(&peer);
    peer_send_ping(&peer, 0, "12345678");
    struct wf_buf block = peer_encode_block(&peer, ":status", "200", "x-a", "some value", NULL);
    struct wf_slice octets = wf_buf_slice(&block);
    peer_send_frame(&peer, WF_H2_FRAME_HEADERS, 0, 1, octets.ptr, 3);
    peer_send_frame(&peer, WF_H2_FRAME_CONTINUATION, WF_H2_FLAG_END_HEADERS, 1, octets.ptr + 3,
                    octets.len - 3);
    wf_buf_fini(&block);
    for (int i = 0; i < 40; i++)
        peer_send_data(&peer, 1, 0, 16384);
    peer_send_headers(&peer, 1, WF_H2_FLAG_END_STREAM, "x-sum", "1", NULL);
    peer_send_headers(&peer, 5, 0, ":status", "200", "connection", "close", NULL);
    peer_send_rst_stream(&peer, 3, WF_H2_CANCEL);
    peer_fini(&peer);
}

static void client_octets(struct wf_buf *out)
{
    struct h2_peer peer;
    struct h2_peer_transport transport = {out, capture, no_answer};
    peer_init(&peer, &transport);
    peer_send_preface(&peer);
    peer_send_settings(&peer, 0);
    peer_send_settings_ack(&peer);
    for (uint32_t id = 1; id < 200; id += 2)
        peer_send_headers(&peer, id, id % 4 == 1 ? WF_H2_FLAG_END_STREAM : 0, ":method", "GET",
                          ":scheme", "https", ":path", "/", "x-a", "some value", NULL);
    peer_send_data(&peer, 3, WF_H2_FLAG_END_STREAM, 500);
    peer_fini(&peer);
}

static void read_all(struct wf_h2_session *session, struct wf_slice in, struct ends *ends,
                     struct wf_h2_stream **streams)
{
    struct wf_h2_event event;
    while (wf_h2_session_next(session, 0, &in, &event)) {
        if (event.type == WF_H2_EVENT_HEADERS && event.headers.kind == WF_H2_SECTION_REQUEST) {
            ends->open++;
        } else if (event.type == WF_H2_EVENT_CLOSED) {
            ends->closed++;
            for (size_t i = 0; streams != NULL && i < MAX_STREAMS; i++) {
                if (streams[i] == event.stream)
                    streams[i] = NULL;
            }
        } else if (event.type == WF_H2_EVENT_DATA) {
            wf_h2_session_consume(session, event.stream, event.data.bytes.len);
        }
    }
}

static void write_some(struct wf_h2_session *session, size_t max)
{
    struct wf_slice slices[16];
    size_t count = wf_h2_session_output(session, slices, 16, 100000);
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += slices[i].len;
    wf_h2_session_wrote(session, len < max ? len : max);
}

static struct wf_h2_stream *submit(struct wf_h2_session *session, size_t large, bool end)
{
    struct wf_h2_stream *stream = NULL;
    struct wf_field fields[] = {
        {.name = wf_slice_str(":method"), .value = wf_slice_str("GET")},
        {.name = wf_slice_str(":path"), .value = wf_slice_str("/something/else")},
        {.name = wf_slice_str("x-large"), .value = wf_slice(body, large), .never_indexed = true}};
    struct wf_h2_message message = {.fields = fields, .count = 3, .end_stream = end};
    enum wf_h2_submit result = wf_h2_session_request(session, &message, NULL, &stream);
    assert_true((result == WF_H2_SUBMITTED) == (stream != NULL));
    return stream;
}

static void play_client(struct wf_slice in)
{
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    struct wf_h2_session *session = wf_h2_session_new(&config, 0);
    if (session == NULL)
        return;
    struct ends ends = {0};
    struct wf_h2_stream *streams[MAX_STREAMS] = {
        submit(session, 10, true), submit(session, 10, false), submit(session, 40000, false)};
    for (size_t i = 0; i < 3; i++)
        ends.open += streams[i] != NULL;
    for (size_t i = 1; i < 3; i++) {
        if (streams[i] != NULL)
            wf_h2_session_send_body(session, streams[i], wf_slice(body, sizeof(body)), true);
    }
    /* In the middle of the DATA frames. */
    write_some(session, 70000);
    read_all(session, wf_slice(in.ptr, 18), &ends, streams);
    write_some(session, 1000);
    if (streams[2] != NULL) {
        wf_h2_session_reset(session, streams[2], WF_H2_CANCEL);
        ends.closed++;
    }
    (void)wf_h2_session_ping(session, body);
    read_all(session, wf_slice_skip(in, 18), &ends, streams);
    write_some(session, SIZE_MAX);
    (void)wf_h2_session_goaway(session, WF_H2_NO_ERROR, "bye");
    wf_h2_session_lost(session);
    read_all(session, wf_slice(body, 0), &ends, streams);
    assert_int_equal(ends.open, ends.closed);
    wf_h2_session_free(session);
}

static void play_server(struct wf_slice in)
{
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_SERVER);
    config.max_concurrent_streams = 80;
    struct wf_h2_session *session = wf_h2_session_new(&config, 0);
    if (session == NULL)
        return;
    struct ends ends = {0};
    read_all(session, in, &ends, NULL);
    write_some(session, SIZE_MAX);
    wf_h2_session_lost(session);
    read_all(session, wf_slice(body, 0), &ends, NULL);
    assert_int_equal(ends.open, ends.closed);
    wf_h2_session_free(session);
}

static void fail_each(void (*play)(struct wf_slice in), void (*script)(struct wf_buf *out))
{
    struct wf_buf octets = {0};
    script(&octets);
    long n = 0;
    bool failed = true;
    while (failed) {
        failing_alloc_after(n++);
        play(wf_buf_slice(&octets));
        failed = failing_alloc_failures() > 0;
        failing_alloc_after(-1);
    }
    assert_true(n > 10);
    wf_buf_fini(&octets);
}

static void test_a_client_survives_each_failing_allocation(void **state)
{
    (void)state;
    fail_each(play_client, server_octets);
}

static void test_a_server_survives_each_failing_allocation(void **state)
{
    (void)state;
    fail_each(play_server, client_octets);
}

static void test_no_memory_is_an_internal_error_of_the_connection(void **state)
{
    (void)state;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    struct wf_h2_session *session = wf_h2_session_new(&config, 0);
    struct wf_buf octets = {0};
    server_octets(&octets);
    assert_non_null(session);
    struct wf_h2_stream *stream = submit(session, 10, true);
    assert_non_null(stream);
    write_some(session, SIZE_MAX);
    failing_alloc_after(0);
    struct wf_slice in = wf_buf_slice(&octets);
    struct wf_h2_event event;
    bool saw_error = false;
    bool saw_end = false;
    while (wf_h2_session_next(session, 0, &in, &event)) {
        if (event.type == WF_H2_EVENT_CONNECTION_ERROR) {
            saw_error = true;
            assert_int_equal(event.error.code, WF_H2_INTERNAL_ERROR);
            assert_string_equal(event.error.reason, "out of memory");
        } else if (event.type == WF_H2_EVENT_CLOSED) {
            saw_end = true;
            assert_int_equal(event.closed.end, WF_H2_END_CONNECTION_ERROR);
        }
    }
    failing_alloc_after(-1);
    assert_true(saw_error && saw_end);
    wf_h2_session_free(session);
    wf_buf_fini(&octets);
}

static void test_a_request_without_memory_changes_nothing(void **state)
{
    (void)state;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    struct wf_h2_session *session = wf_h2_session_new(&config, 0);
    assert_non_null(session);
    failing_alloc_after(0);
    struct wf_h2_stream *stream = submit(session, 10, true);
    failing_alloc_after(-1);
    assert_null(stream);
    assert_int_equal(wf_h2_session_open_streams(session), 0);
    assert_false(wf_h2_session_is_dead(session));
    stream = submit(session, 10, true);
    assert_non_null(stream);
    assert_int_equal(wf_h2_stream_id(stream), 1);
    wf_h2_session_free(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_survives_each_failing_allocation),
        cmocka_unit_test(test_a_server_survives_each_failing_allocation),
        cmocka_unit_test(test_no_memory_is_an_internal_error_of_the_connection),
        cmocka_unit_test(test_a_request_without_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
