/* Rules of RFC 9113 that hold for all frames or cut across them. */
#include "support/h2_twice.h"

static void test_unused_flags_are_ignored(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_SETTINGS, 0xfe, 0, NULL, 0);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PING, 0xfe, 0, "12345678", 8);
    peer_send_frame(&rig.peer, WF_H2_FRAME_WINDOW_UPDATE, 0xff, 1, "\0\0\0\1", 4);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PRIORITY, 0xff, 1, "\0\0\0\0\0", 5);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0xd2 & ~WF_H2_FLAG_PADDED, 1, "\x88", 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, 0xff, 1, NULL, 0);
    peer_send_frame(&rig.peer, WF_H2_FRAME_DATA, 0xf6, 1, "hello", 5);
    peer_send_frame(&rig.peer, WF_H2_FRAME_RST_STREAM, 0xff, 1, "\0\0\0\2", 4);
    peer_send_frame(&rig.peer, WF_H2_FRAME_GOAWAY, 0xff, 0, "\0\0\0\1\0\0\0\0", 8);
    rig_expect(&rig, "SETTINGS");
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "DATA 1 5");
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER INTERNAL_ERROR PROCESSED");
    rig_expect(&rig, "GOAWAY 1 NO_ERROR");
    peer_expect_settings_ack(&rig.peer);
    peer_expect_ping(&rig.peer, true, "12345678");
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

/* Checks all frames in @octets and returns a bit for each type seen. */
static unsigned check_headers(struct wf_slice octets)
{
    static const uint8_t defined[] = {
        [WF_H2_FRAME_DATA] = 0x01,      [WF_H2_FRAME_HEADERS] = 0x05, [WF_H2_FRAME_RST_STREAM] = 0,
        [WF_H2_FRAME_SETTINGS] = 0x01,  [WF_H2_FRAME_PING] = 0x01,    [WF_H2_FRAME_GOAWAY] = 0,
        [WF_H2_FRAME_WINDOW_UPDATE] = 0};
    unsigned seen = 0;
    while (octets.len > 0) {
        assert_true(octets.len >= 9);
        uint8_t type = octets.ptr[3];
        size_t len = (size_t)octets.ptr[0] << 16 | (size_t)octets.ptr[1] << 8 | octets.ptr[2];
        assert_true(type < sizeof(defined) && len <= 16384 && octets.len >= 9 + len);
        assert_int_equal(octets.ptr[4] & ~defined[type], 0);
        assert_int_equal(octets.ptr[5] & 0x80, 0);
        seen |= 1u << type;
        octets = wf_slice_skip(octets, 9 + len);
    }
    return seen;
}

static void test_frames_of_ours_have_no_unused_flag_and_no_reserved_bit(void **state)
{
    (void)state;
    static const uint8_t body[20000];
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *get = rig_submit(&rig, "GET", true);
    struct wf_h2_stream *post = rig_submit(&rig, "POST", false);
    wf_h2_session_send_body(rig.session, post, wf_slice(body, sizeof(body)), true);
    assert_true(wf_h2_session_ping(rig.session, (const uint8_t *)"question"));
    peer_send_ping(&rig.peer, 0, "12345678");
    peer_send_settings(&rig.peer, 0);
    peer_send_headers(&rig.peer, 3, 0, ":status", "200", NULL);
    for (int i = 0; i < 33; i++)
        peer_send_data(&rig.peer, 3, 0, 16384);
    rig_run(&rig);
    wf_h2_session_reset(rig.session, get, WF_H2_CANCEL);
    assert_true(wf_h2_session_goaway(rig.session, WF_H2_NO_ERROR, "bye"));
    struct wf_buf out = {0};
    while (rig.peer.transport.recv(rig.peer.transport.user, &out))
        ;
    unsigned seen = check_headers(wf_buf_slice(&out));
    assert_int_equal(seen, 1u << WF_H2_FRAME_DATA | 1u << WF_H2_FRAME_HEADERS |
                               1u << WF_H2_FRAME_RST_STREAM | 1u << WF_H2_FRAME_SETTINGS |
                               1u << WF_H2_FRAME_PING | 1u << WF_H2_FRAME_GOAWAY |
                               1u << WF_H2_FRAME_WINDOW_UPDATE);
    wf_buf_fini(&out);
    rig_fini(&rig);
}

static void test_frames_of_2_14_octets_are_taken(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    uint8_t *block = calloc(1, 16384);
    assert_non_null(block);
    block[0] = 0x88;
    /* A literal without indexing: name "x", and 16,377 octets of value. */
    memcpy(block + 1, "\x00\x01x\x7f\xfa\x7e", 6);
    memset(block + 7, 'v', 16377);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 1, block, 16384);
    free(block);
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 16384);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "DATA 1 16384 END");
    rig_fini(&rig);
}

static void test_a_reset_is_never_answered_by_a_reset(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_PROTOCOL_ERROR);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_PROTOCOL_ERROR);
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER PROTOCOL_ERROR MAYBE_PROCESSED");
    struct wf_h2_stream *stream = rig_get(&rig, 3);
    wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
    peer_expect_rst_stream(&rig.peer, 3, WF_H2_CANCEL);
    peer_send_rst_stream(&rig.peer, 3, WF_H2_CANCEL);
    rig_expect_no_event(&rig);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_unknown_error_codes_change_nothing(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    rig_get(&rig, 3);
    peer_send_rst_stream(&rig.peer, 1, 0xdeadbeef);
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER unknown error code MAYBE_PROCESSED");
    peer_send_goaway(&rig.peer, 3, 0xdeadbeef);
    rig_expect(&rig, "GOAWAY 3 unknown error code");
    peer_send_headers(&rig.peer, 3, WF_H2_FLAG_END_STREAM, ":status", "200", NULL);
    rig_expect(&rig, "HEADERS 3 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 3 COMPLETE NO_ERROR PROCESSED");
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_only_data_needs_window(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.initial_window_size = 10;
    rig_init_client_with(&rig, &config);
    rig.keeps_credit = true;
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    peer_send_data(&rig.peer, 1, 0, 10);
    peer_send_window_update(&rig.peer, 1, 1);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, "x-trailer", "fits", NULL);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "DATA 1 10");
    rig_expect(&rig, "HEADERS 1 TRAILERS 0 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_nothing_is_sent_on_a_stream_that_the_peer_reset(void **state)
{
    (void)state;
    static const uint8_t body[100000];
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, sizeof(body)), true);
    for (size_t left = 65535; left > 0;) {
        size_t len = left < 16384 ? left : 16384;
        peer_expect_data(&rig.peer, 1, len, false);
        left -= len;
    }
    peer_send_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    peer_send_window_update(&rig.peer, 0, 100000);
    peer_send_window_update(&rig.peer, 1, 100000);
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER CANCEL MAYBE_PROCESSED");
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_settings_apply_at_once_in_order_and_are_each_acknowledged(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    peer_send_settings(&rig.peer, WF_H2_SETTING_MAX_CONCURRENT_STREAMS, 7,
                       WF_H2_SETTING_MAX_CONCURRENT_STREAMS, 3, 0);
    peer_send_settings(&rig.peer, WF_H2_SETTING_HEADER_TABLE_SIZE, 100, 0);
    rig_expect(&rig, "SETTINGS");
    assert_int_equal(wf_h2_session_capacity(rig.session), 3);
    rig_expect(&rig, "SETTINGS");
    peer_expect_settings_ack(&rig.peer);
    peer_expect_settings_ack(&rig.peer);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_a_promise_wherever_it_comes_is_a_connection_error(void **state)
{
    (void)state;
    static const uint32_t ids[] = {1, 2, 3, 77};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct h2_rig rig;
        rig_init_client(&rig);
        rig_get(&rig, 1);
        rig_get(&rig, 3);
        peer_send_headers(&rig.peer, 3, WF_H2_FLAG_END_STREAM, ":status", "204", NULL);
        rig_expect(&rig, "HEADERS 3 RESPONSE 204 END");
        rig_expect(&rig, "CLOSED 3 COMPLETE NO_ERROR PROCESSED");
        peer_send_frame(&rig.peer, WF_H2_FRAME_PUSH_PROMISE, 0, ids[i], "\0\0\0\4\x82", 5);
        rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
        rig_fini(&rig);
    }
}

static void test_a_promise_with_too_much_padding_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PUSH_PROMISE, WF_H2_FLAG_PADDED | WF_H2_FLAG_END_HEADERS,
                    1, "\x06\0\0\0\2\x82", 6);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    assert_non_null(strstr(rig.last_reason, "padding"));
    rig_fini(&rig);
}

static void test_a_frame_of_any_type_inside_a_field_block_is_a_connection_error(void **state)
{
    (void)state;
    static const uint8_t zeros[8];
    static const uint8_t lens[] = {1, 1, 5, 4, 0, 5, 8, 8, 4};
    for (uint8_t type = 0; type < sizeof(lens); type++) {
        struct h2_rig rig;
        rig_init_client(&rig);
        rig_get(&rig, 1);
        bool on_connection =
            type == WF_H2_FRAME_SETTINGS || type == WF_H2_FRAME_PING || type == WF_H2_FRAME_GOAWAY;
        peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0, 1, "\x88", 1);
        peer_send_frame(&rig.peer, type, 0, on_connection ? 0 : 1, zeros, lens[type]);
        rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
        assert_non_null(strstr(rig.last_reason, "inside a field block"));
        rig_fini(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unused_flags_are_ignored),
        cmocka_unit_test(test_frames_of_ours_have_no_unused_flag_and_no_reserved_bit),
        cmocka_unit_test(test_frames_of_2_14_octets_are_taken),
        cmocka_unit_test(test_a_reset_is_never_answered_by_a_reset),
        cmocka_unit_test(test_unknown_error_codes_change_nothing),
        cmocka_unit_test(test_only_data_needs_window),
        cmocka_unit_test(test_nothing_is_sent_on_a_stream_that_the_peer_reset),
        cmocka_unit_test(test_settings_apply_at_once_in_order_and_are_each_acknowledged),
        cmocka_unit_test(test_a_promise_wherever_it_comes_is_a_connection_error),
        cmocka_unit_test(test_a_promise_with_too_much_padding_is_a_connection_error),
        cmocka_unit_test(test_a_frame_of_any_type_inside_a_field_block_is_a_connection_error),
    };
    return RUN_TWICE(tests);
}
