/* The octets that a session hands to its transport: order, borrowing, and what becomes of them when
 * a stream or the connection ends before they are written. */
#include "h2/session_internal.h"
#include "h2/frame_text.h"
#include "support/cmocka.h"
#include "support/h2_rig.h"

static uint8_t body[300000];

static void fill_body(void)
{
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (uint8_t)(i * 7 + 1);
}

/* Takes @len octets of output, at most, and keeps them; what came is returned. */
static size_t take(struct h2_rig *rig, struct wf_buf *into, size_t len)
{
    struct wf_slice slices[32];
    size_t count = wf_h2_session_output(rig->session, slices, 32, 300000);
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < len; i++) {
        size_t part = slices[i].len < len - taken ? slices[i].len : len - taken;
        assert_true(wf_buf_append(into, slices[i].ptr, part));
        taken += part;
    }
    wf_h2_session_wrote(rig->session, taken);
    return taken;
}

/* The peer reads what was kept, then what is there. */
static void give_to_peer(struct h2_rig *rig, struct wf_buf *octets)
{
    struct wf_slice all = wf_buf_slice(octets);
    assert_true(wf_buf_append(&rig->peer.in, all.ptr, all.len));
    wf_buf_fini(octets);
}

static struct wf_h2_stream *begin_upload(struct h2_rig *rig, size_t len, bool end)
{
    fill_body();
    rig_init_client(rig);
    struct wf_h2_stream *stream = rig_post(rig, 1);
    wf_h2_session_send_body(rig->session, stream, wf_slice(body, len), end);
    return stream;
}

static void test_body_octets_are_not_copied(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_slice slices[8];
    begin_upload(&rig, 20000, true);
    assert_int_equal(wf_h2_session_output(rig.session, slices, 8, 65536), 4);
    assert_int_equal(slices[0].len, 9);
    assert_ptr_equal(slices[1].ptr, body);
    assert_int_equal(slices[1].len, 16384);
    assert_int_equal(slices[2].len, 9);
    assert_ptr_equal(slices[3].ptr, body + 16384);
    assert_int_equal(slices[3].len, 3616);
    rig_fini(&rig);
}

static void test_output_keeps_to_slices_and_budget_and_repeats_itself(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_slice slices[8];
    begin_upload(&rig, 60000, true);
    assert_int_equal(wf_h2_session_output(rig.session, slices, 1, 65536), 1);
    assert_int_equal(slices[0].len, 9);
    assert_int_equal(wf_h2_session_output(rig.session, slices, 8, 100), 2);
    assert_int_equal(slices[0].len + slices[1].len, 100);
    assert_int_equal(wf_h2_session_output(rig.session, slices, 8, 0), 0);
    assert_int_equal(wf_h2_session_output(rig.session, slices, 8, 16393 + 4), 3);
    assert_int_equal(slices[2].len, 4);
    rig_fini(&rig);
}

static void test_what_waits_to_be_written_is_bounded(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_slice slices[200];
    fill_body();
    rig_init_client(&rig);
    peer_send_window_update(&rig.peer, 0, 0x7fffffff - 65535);
    peer_send_settings(&rig.peer, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 0x7fffffffu, 0);
    rig_expect(&rig, "SETTINGS");
    peer_expect_settings_ack(&rig.peer);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, sizeof(body)), true);
    size_t total = 0;
    size_t count = wf_h2_session_output(rig.session, slices, 200, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        total += slices[i].len;
    assert_true(total >= WF_H2_MAX_INSERT_OCTETS && total < WF_H2_MAX_INSERT_OCTETS + 17000);
    rig_fini(&rig);
}

static void test_streams_take_turns_frame_by_frame(void **state)
{
    (void)state;
    struct h2_rig rig;
    fill_body();
    rig_init_client(&rig);
    struct wf_h2_stream *first = rig_post(&rig, 1);
    struct wf_h2_stream *second = rig_post(&rig, 3);
    wf_h2_session_send_body(rig.session, first, wf_slice(body, 30000), true);
    wf_h2_session_send_body(rig.session, second, wf_slice(body, 30000), true);
    peer_expect_data(&rig.peer, 1, 16384, false);
    peer_expect_data(&rig.peer, 3, 16384, false);
    peer_expect_data(&rig.peer, 1, 13616, true);
    peer_expect_data(&rig.peer, 3, 13616, true);
    rig_fini(&rig);
}

static void test_body_sent_comes_when_the_last_octet_is_written(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_buf octets = {0};
    begin_upload(&rig, 20000, false);
    assert_int_equal(take(&rig, &octets, 20000 + 17), 20017);
    rig_expect_no_event(&rig);
    assert_int_equal(take(&rig, &octets, 1), 1);
    rig_expect(&rig, "BODY_SENT 1");
    rig_expect_no_event(&rig);
    wf_buf_fini(&octets);
    rig_fini(&rig);
}

static void test_a_stream_that_ended_stays_until_its_octets_are_written(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_buf octets = {0};
    begin_upload(&rig, 16000, true);
    take(&rig, &octets, 100);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, ":status", "200", NULL);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect_no_event(&rig);
    assert_int_equal(wf_h2_session_open_streams(rig.session), 1);
    take(&rig, &octets, SIZE_MAX);
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_expect_no_event(&rig);
    wf_buf_fini(&octets);
    rig_fini(&rig);
}

/* The body's memory is the owner's again after a reset: what is still to be written is a copy. */
static void test_a_reset_of_ours_copies_what_is_still_to_be_written(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_buf octets = {0};
    struct wf_h2_stream *stream = begin_upload(&rig, 40000, true);
    take(&rig, &octets, 9 + 10000);
    wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
    memset(body, 0xee, sizeof(body));
    give_to_peer(&rig, &octets);
    fill_body();
    uint8_t *expected = malloc(16384);
    memcpy(expected, body, 16384);
    memset(body, 0xee, sizeof(body));
    peer_expect_data(&rig.peer, 1, 16384, false);
    assert_memory_equal(rig.peer.frame.payload.ptr, expected, 16384);
    free(expected);
    peer_expect_data(&rig.peer, 1, 16384, false);
    peer_expect_data(&rig.peer, 1, 7232, true);
    peer_expect_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    peer_expect_nothing(&rig.peer);
    rig_expect_no_event(&rig);
    rig_fini(&rig);
}

static void test_a_reset_of_the_peers_lets_go_of_the_body_at_once(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_buf octets = {0};
    begin_upload(&rig, 20000, true);
    take(&rig, &octets, 9 + 100);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER CANCEL MAYBE_PROCESSED");
    struct wf_slice slices[8];
    size_t count = wf_h2_session_output(rig.session, slices, 8, 65536);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        assert_false(slices[i].ptr >= body && slices[i].ptr < body + sizeof(body));
    give_to_peer(&rig, &octets);
    peer_expect_data(&rig.peer, 1, 16384, false);
    assert_int_equal(rig.peer.frame.payload.ptr[99], body[99]);
    assert_int_equal(rig.peer.frame.payload.ptr[100], 0);
    peer_expect_data(&rig.peer, 1, 3616, true);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

/* A malformed response while the upload is on its way: the peer reads on until RST_STREAM. */
static void test_a_stream_error_keeps_the_octets_that_are_on_their_way(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_buf octets = {0};
    begin_upload(&rig, 10000, true);
    take(&rig, &octets, 20);
    peer_send_headers(&rig.peer, 1, 0, ":status", "1", NULL);
    rig_expect(&rig, "CLOSED 1 STREAM_ERROR PROTOCOL_ERROR MAYBE_PROCESSED");
    memset(body, 0xee, sizeof(body));
    give_to_peer(&rig, &octets);
    peer_expect_data(&rig.peer, 1, 10000, true);
    fill_body();
    assert_memory_equal(rig.peer.frame.payload.ptr, body, 10000);
    peer_expect_rst_stream(&rig.peer, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

/* Breaks the connection after @written octets of an upload: the peer must be able to read GOAWAY.
 */
static void break_after(size_t written)
{
    struct h2_rig rig;
    struct wf_buf octets = {0};
    begin_upload(&rig, 40000, true);
    rig_submit(&rig, "GET", true);
    size_t taken = take(&rig, &octets, written);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PING, 0, 0, "1", 1);
    rig_run(&rig);
    assert_int_equal(wf_h2_session_open_streams(rig.session), 0);
    bool unsent = false;
    for (size_t i = 0; i < rig.event_count; i++)
        unsent |= strcmp(rig.events[i], "CLOSED 3 CONNECTION_ERROR FRAME_SIZE_ERROR NOT_SENT") == 0;
    memset(body, 0xee, sizeof(body));
    give_to_peer(&rig, &octets);
    fill_body();
    bool wrote_get = false;
    for (;;) {
        while (wf_buf_len(&rig.peer.in) < 9 + rig.peer.taken)
            assert_true(rig.peer.transport.recv(&rig, &rig.peer.in));
        uint8_t type = rig.peer.in.data[rig.peer.in.start + rig.peer.taken + 3];
        if (type == WF_H2_FRAME_GOAWAY)
            break;
        if (type == WF_H2_FRAME_HEADERS) {
            peer_expect_headers(&rig.peer, 3);
            wrote_get = true;
            continue;
        }
        peer_expect(&rig.peer, WF_H2_FRAME_DATA, 1);
        assert_int_not_equal(rig.peer.frame.payload.ptr[rig.peer.frame.payload.len - 1], 0xee);
    }
    peer_expect_goaway(&rig.peer, WF_H2_FRAME_SIZE_ERROR);
    peer_expect_nothing(&rig.peer);
    assert_true(wrote_get != unsent);
    assert_true(taken > 0 || unsent);
    rig_fini(&rig);
}

static void test_a_connection_error_leaves_whole_frames_and_goaway(void **state)
{
    (void)state;
    static const size_t cuts[] = {0,  1,  8,   9,     10,    12,    20,    30,    100,
                                  47, 50, 500, 16390, 16420, 16430, 20000, 32800, 40000};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
        break_after(cuts[i]);
    for (size_t written = 0; written < 60; written++)
        break_after(written);
}

/* A request whose fields are @len octets together. */
static void submit_large(struct h2_rig *rig, size_t len)
{
    struct wf_h2_stream *stream;
    struct wf_field fields[] = {
        {.name = wf_slice_str(":method"), .value = wf_slice_str("GET")},
        {.name = wf_slice_str("x-large"), .value = wf_slice(body, len), .never_indexed = true}};
    struct wf_h2_message message = {.fields = fields, .count = 2, .end_stream = true};
    assert_int_equal(wf_h2_session_request(rig->session, &message, NULL, &stream), WF_H2_SUBMITTED);
}

static void test_a_block_above_max_frame_size_is_split(void **state)
{
    (void)state;
    static const size_t lens[] = {100, 16370, 16375, 16384, 32768, 50000, 100000};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct h2_rig rig;
        memset(body, 0xfe, sizeof(body)); /* long in Huffman code: sent as it is */
        rig_init_client(&rig);
        submit_large(&rig, lens[i]);
        peer_expect_headers(&rig.peer, 1);
        assert_int_equal(rig.peer.section.count, 2);
        assert_int_equal(rig.peer.section.lines[1].value_len, lens[i]);
        assert_true((rig.peer.frame.header.flags & WF_H2_FLAG_END_STREAM) != 0);
        peer_expect_nothing(&rig.peer);
        rig_fini(&rig);
    }
}

static void test_a_connection_error_does_not_cut_a_split_block(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_buf octets = {0};
    memset(body, 0xfe, sizeof(body));
    rig_init_client(&rig);
    submit_large(&rig, 50000);
    take(&rig, &octets, 5);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PING, 0, 0, "1", 1);
    rig_expect(&rig, "CONNECTION_ERROR FRAME_SIZE_ERROR");
    rig_expect(&rig, "CLOSED 1 CONNECTION_ERROR FRAME_SIZE_ERROR MAYBE_PROCESSED");
    give_to_peer(&rig, &octets);
    peer_expect_headers(&rig.peer, 1);
    peer_expect_goaway(&rig.peer, WF_H2_FRAME_SIZE_ERROR);
    rig_fini(&rig);
}

static void test_frames_are_as_large_as_the_peer_allows_up_to_16384(void **state)
{
    (void)state;
    struct h2_rig rig;
    fill_body();
    rig_init_client(&rig);
    peer_send_settings(&rig.peer, WF_H2_SETTING_MAX_FRAME_SIZE, 1000000u, 0);
    rig_expect(&rig, "SETTINGS");
    peer_expect_settings_ack(&rig.peer);
    submit_large(&rig, 50000);
    peer_expect(&rig.peer, WF_H2_FRAME_HEADERS, 1);
    assert_true((rig.peer.frame.header.flags & WF_H2_FLAG_END_HEADERS) != 0);
    struct wf_h2_stream *stream = rig_submit(&rig, "POST", false);
    peer_expect(&rig.peer, WF_H2_FRAME_HEADERS, 3);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, 20000), true);
    peer_expect_data(&rig.peer, 3, 16384, false);
    peer_expect_data(&rig.peer, 3, 3616, true);
    rig_fini(&rig);
}

static void test_a_drained_buffer_gives_a_burst_of_memory_back(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_buf octets = {0};
    memset(body, 0xfe, sizeof(body));
    rig_init_client(&rig);
    submit_large(&rig, 200000);
    assert_true(rig.session->out.buf.cap > 65536);
    take(&rig, &octets, SIZE_MAX);
    assert_int_equal(rig.session->out.buf.cap, 0);
    rig_submit(&rig, "GET", true);
    wf_h2_session_trim(rig.session);
    assert_true(rig.session->out.buf.cap > 0);
    take(&rig, &octets, SIZE_MAX);
    wf_h2_session_trim(rig.session);
    assert_int_equal(rig.session->out.buf.cap, 0);
    wf_buf_fini(&octets);
    rig_fini(&rig);
}

struct seen {
    char lines[32][160];
    size_t count;
};

static void see(void *user, const struct wf_h2_trace *frame)
{
    struct seen *seen = user;
    char text[140];
    assert_true(seen->count < 32);
    wf_h2_frame_text(frame, text, sizeof(text));
    snprintf(seen->lines[seen->count++], 160, "%s %s", frame->sent ? ">" : "<", text);
}

static void test_every_frame_is_traced_once(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct seen seen = {.count = 0};
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.trace = see;
    config.trace_user = &seen;
    rig_step = 1;
    rig_init_client_with(&rig, &config);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice("hello", 5), true);
    peer_expect_data(&rig.peer, 1, 5, true);
    struct wf_buf block = peer_encode_block(&rig.peer, ":status", "200", NULL);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0, 1, NULL, 0);
    peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, WF_H2_FLAG_END_HEADERS, 1,
                    block.data + block.start, wf_buf_len(&block));
    wf_buf_fini(&block);
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 300);
    peer_send_frame(&rig.peer, 0x42, 0x80, 0, "unknown", 7);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PING, 0, 0, "1", 1);
    rig_run(&rig);
    rig_step = SIZE_MAX;
    static const char *const expected[] = {
        "> SETTINGS stream=0 len=30 HEADER_TABLE_SIZE=4096 ENABLE_PUSH=0 "
        "INITIAL_WINDOW_SIZE=1048576 MAX_FRAME_SIZE=16384 MAX_HEADER_LIST_SIZE=65536",
        "> WINDOW_UPDATE stream=0 len=4 increment=16711681",
        "< SETTINGS stream=0 len=0",
        "> SETTINGS stream=0 len=0 ACK",
        "< SETTINGS stream=0 len=0 ACK",
        "> HEADERS stream=1 len=11 END_HEADERS [:method: POST] [:scheme: https] "
        "[:authority: localhost] [:path: /]",
        "> DATA stream=1 len=5 END_STREAM",
        "< HEADERS stream=1 len=0",
        "< CONTINUATION stream=1 len=1 END_HEADERS [:status: 200]",
        "< DATA stream=1 len=300 END_STREAM",
        "< UNKNOWN(0x42) stream=0 len=7 0x80",
        "< PING stream=0 len=1 opaque=",
        "> GOAWAY stream=0 len=44 last_stream=0 code=6 (FRAME_SIZE_ERROR) debug=",
    };
    size_t count = sizeof(expected) / sizeof(expected[0]);
    for (size_t i = 0; i < count && i < seen.count; i++) {
        if (strncmp(expected[i], "> GOAWAY", 8) == 0)
            assert_non_null(strstr(seen.lines[i], "(FRAME_SIZE_ERROR) debug="));
        else
            assert_string_equal(seen.lines[i], expected[i]);
    }
    assert_int_equal(seen.count, count);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_octets_are_not_copied),
        cmocka_unit_test(test_output_keeps_to_slices_and_budget_and_repeats_itself),
        cmocka_unit_test(test_what_waits_to_be_written_is_bounded),
        cmocka_unit_test(test_streams_take_turns_frame_by_frame),
        cmocka_unit_test(test_body_sent_comes_when_the_last_octet_is_written),
        cmocka_unit_test(test_a_stream_that_ended_stays_until_its_octets_are_written),
        cmocka_unit_test(test_a_reset_of_ours_copies_what_is_still_to_be_written),
        cmocka_unit_test(test_a_reset_of_the_peers_lets_go_of_the_body_at_once),
        cmocka_unit_test(test_a_stream_error_keeps_the_octets_that_are_on_their_way),
        cmocka_unit_test(test_a_connection_error_leaves_whole_frames_and_goaway),
        cmocka_unit_test(test_a_block_above_max_frame_size_is_split),
        cmocka_unit_test(test_a_connection_error_does_not_cut_a_split_block),
        cmocka_unit_test(test_frames_are_as_large_as_the_peer_allows_up_to_16384),
        cmocka_unit_test(test_a_drained_buffer_gives_a_burst_of_memory_back),
        cmocka_unit_test(test_every_frame_is_traced_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
