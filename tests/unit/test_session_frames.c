/* Frame rules of RFC 9113 sections 3.4 to 6 as a client session meets them. */
#include "support/h2_twice.h"

static void one_get(struct h2_rig *rig)
{
    rig_init_client(rig);
    rig_get(rig, 1);
}

/* A frame in one line, for rules that one frame breaks while a GET is open on stream 1. */
static void breaks_connection(uint8_t type, uint8_t flags, uint32_t stream_id, const void *payload,
                              size_t len, uint32_t code)
{
    struct h2_rig rig;
    one_get(&rig);
    peer_send_frame(&rig.peer, type, flags, stream_id, payload, len);
    rig_expect_connection_error(&rig, code);
    rig_fini(&rig);
}

static void test_first_flight_is_preface_settings_and_window(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    rig_init(&rig, &config);
    peer_expect_preface(&rig.peer);
    peer_expect_settings(&rig.peer);
    bool push_is_off = false;
    for (size_t at = 0; at < rig.peer.frame.payload.len; at += WF_H2_SETTING_LEN) {
        struct wf_h2_setting_entry entry = wf_h2_setting_decode(rig.peer.frame.payload.ptr + at);
        push_is_off |= entry.id == WF_H2_SETTING_ENABLE_PUSH && entry.value == 0;
    }
    assert_true(push_is_off);
    peer_expect_window_update(&rig.peer, 0, config.connection_window - 65535);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_first_frame_must_be_settings(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.connection_window = 65535;
    rig_init(&rig, &config);
    peer_expect_preface(&rig.peer);
    peer_expect_settings(&rig.peer);
    peer_send_ping(&rig.peer, 0, "12345678");
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_first_frame_must_not_be_a_settings_ack(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.connection_window = 65535;
    rig_init(&rig, &config);
    peer_expect_preface(&rig.peer);
    peer_expect_settings(&rig.peer);
    peer_send_settings_ack(&rig.peer);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void expect_other_protocol(const char *answer, size_t len, const char *named)
{
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    rig_init(&rig, &config);
    peer_expect_preface(&rig.peer);
    peer_expect_settings(&rig.peer);
    peer_expect(&rig.peer, WF_H2_FRAME_WINDOW_UPDATE, 0);
    peer_send_raw(&rig.peer, answer, len);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    assert_non_null(strstr(rig.last_reason, named));
    rig_fini(&rig);
}

static void test_an_http_1_answer_is_named_in_the_reason(void **state)
{
    (void)state;
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    expect_other_protocol(answer, sizeof(answer) - 1, "speaks HTTP/1, not HTTP/2");
}

static void test_an_answer_in_text_or_tls_is_named_in_the_reason(void **state)
{
    (void)state;
    static const char alert[] = "\x15\3\3\0\2\2\x28";
    static const char two_alerts[] = "\x15\3\3\0\2\2\x28\x15\3\3\0\2\1\0";
    static const char page[] = "<!DOCTYPE HTML>\n";
    expect_other_protocol(alert, sizeof(alert) - 1, "speaks TLS, not HTTP/2");
    expect_other_protocol(two_alerts, sizeof(two_alerts) - 1, "speaks TLS, not HTTP/2");
    expect_other_protocol(page, sizeof(page) - 1, "in text, not HTTP/2");
}

static void test_a_server_checks_the_client_preface(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_SERVER);
    config.connection_window = 65535;
    rig_init(&rig, &config);
    peer_expect_settings(&rig.peer);
    peer_send_raw(&rig.peer, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 24);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_a_frame_above_max_frame_size_is_refused_by_its_header(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    static const uint8_t header[] = {0, 0x40, 1, WF_H2_FRAME_DATA, 0, 0, 0, 0, 1};
    peer_send_raw(&rig.peer, header, sizeof(header));
    rig_expect_connection_error(&rig, WF_H2_FRAME_SIZE_ERROR);
    rig_fini(&rig);
}

static void test_unknown_frame_types_are_ignored(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    for (unsigned type = 0xa; type <= 0xff; type += 7)
        peer_send_frame(&rig.peer, (uint8_t)type, 0xff, type % 3, "anything", 8);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, ":status", "200", NULL);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_an_unknown_frame_inside_a_field_block_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0, 1, "\x88", 1);
    peer_send_frame(&rig.peer, 0xbb, 0, 1, NULL, 0);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_the_reserved_bit_of_a_stream_identifier_is_ignored(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    static const uint8_t frame[] = {0, 0, 1, WF_H2_FRAME_HEADERS, 5, 0x80, 0, 0, 1, 0x88};
    peer_send_raw(&rig.peer, frame, sizeof(frame));
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_fini(&rig);
}

static void test_continuation_without_a_block_is_a_connection_error(void **state)
{
    (void)state;
    breaks_connection(WF_H2_FRAME_CONTINUATION, WF_H2_FLAG_END_HEADERS, 1, "\x88", 1,
                      WF_H2_PROTOCOL_ERROR);
}

static void test_continuation_of_another_stream_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    rig_get(&rig, 3);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0, 1, "\x88", 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, WF_H2_FLAG_END_HEADERS, 3, NULL, 0);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_data_inside_a_field_block_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0, 1, "\x88", 1);
    peer_send_data(&rig.peer, 1, 0, 1);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_a_block_in_pieces_is_one_section(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    struct wf_buf block =
        peer_encode_block(&rig.peer, ":status", "200", "x-long", "value of some length", NULL);
    struct wf_slice rest = wf_buf_slice(&block);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_STREAM, 1, rest.ptr, 1);
    for (size_t i = 1; i < 6; i++)
        peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, 0, 1, rest.ptr + i, 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, WF_H2_FLAG_END_HEADERS, 1, rest.ptr + 6,
                    rest.len - 6);
    wf_buf_fini(&block);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_too_many_continuations_are_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0, 1, "\x88", 1);
    for (int i = 0; i < 129; i++)
        peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, 0, 1, NULL, 0);
    rig_expect_connection_error(&rig, WF_H2_ENHANCE_YOUR_CALM);
    rig_fini(&rig);
}

static void test_a_field_block_above_the_limit_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.max_field_block_len = 20000;
    rig_init_client_with(&rig, &config);
    rig_get(&rig, 1);
    uint8_t *octets = calloc(1, 16384);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0, 1, octets, 16384);
    rig_expect_no_event(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, 0, 1, octets, 3617);
    free(octets);
    rig_expect_connection_error(&rig, WF_H2_ENHANCE_YOUR_CALM);
    rig_fini(&rig);
}

static void test_a_frame_above_the_limit_of_a_field_block_is_a_connection_error(void **state)
{
    (void)state;
    static const uint8_t octets[3001];
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.max_field_block_len = 3000;
    rig_init_client_with(&rig, &config);
    rig_get(&rig, 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 1, octets, 3001);
    rig_expect_connection_error(&rig, WF_H2_ENHANCE_YOUR_CALM);
    rig_fini(&rig);
}

static void test_a_block_that_does_not_decode_is_a_compression_error(void **state)
{
    (void)state;
    breaks_connection(WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 1, "\x80", 1,
                      WF_H2_COMPRESSION_ERROR);
}

static void test_frames_of_streams_on_stream_0_are_connection_errors(void **state)
{
    (void)state;
    static const uint8_t zeros[8];
    breaks_connection(WF_H2_FRAME_DATA, 0, 0, zeros, 4, WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 0, "\x88", 1,
                      WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_PRIORITY, 0, 0, zeros, 5, WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_RST_STREAM, 0, 0, zeros, 4, WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_PUSH_PROMISE, WF_H2_FLAG_END_HEADERS, 0, zeros, 5,
                      WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_CONTINUATION, 0, 0, zeros, 1, WF_H2_PROTOCOL_ERROR);
}

static void test_frames_of_the_connection_on_a_stream_are_connection_errors(void **state)
{
    (void)state;
    static const uint8_t zeros[8];
    breaks_connection(WF_H2_FRAME_SETTINGS, 0, 1, NULL, 0, WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_PING, 0, 1, zeros, 8, WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_GOAWAY, 0, 1, zeros, 8, WF_H2_PROTOCOL_ERROR);
}

static void test_wrong_lengths_are_frame_size_errors(void **state)
{
    (void)state;
    static const uint8_t zeros[16];
    breaks_connection(WF_H2_FRAME_RST_STREAM, 0, 1, zeros, 3, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_RST_STREAM, 0, 1, zeros, 5, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_SETTINGS, 0, 0, zeros, 5, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_SETTINGS, WF_H2_FLAG_ACK, 0, zeros, 6, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_PING, 0, 0, zeros, 7, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_PING, 0, 0, zeros, 9, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_GOAWAY, 0, 0, zeros, 7, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_WINDOW_UPDATE, 0, 0, zeros, 3, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_WINDOW_UPDATE, 0, 1, zeros, 5, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED, 1, NULL, 0, WF_H2_FRAME_SIZE_ERROR);
    breaks_connection(WF_H2_FRAME_HEADERS, WF_H2_FLAG_PRIORITY, 1, zeros, 4,
                      WF_H2_FRAME_SIZE_ERROR);
}

static void test_priority_of_wrong_length_is_a_stream_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PRIORITY, 0, 1, "1234", 4);
    rig_expect_stream_error(&rig, 1, WF_H2_FRAME_SIZE_ERROR);
    rig_fini(&rig);
}

static void test_a_stream_that_depends_on_itself_is_a_stream_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PRIORITY, 0, 1, "\0\0\0\1\0", 5);
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_get(&rig, 3);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS | WF_H2_FLAG_PRIORITY, 3,
                    "\0\0\0\3\0\x88", 6);
    rig_expect_stream_error(&rig, 3, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_priority_changes_nothing_on_any_stream(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PRIORITY, 0, 1, "\x80\0\0\5\x10", 5);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PRIORITY, 0, 77, "\0\0\0\0\0", 5);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, ":status", "204", NULL);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PRIORITY, 0, 1, "\0\0\0\0\0", 5);
    rig_expect(&rig, "HEADERS 1 RESPONSE 204 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_expect_no_event(&rig);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_padding_longer_than_the_frame_is_a_connection_error(void **state)
{
    (void)state;
    breaks_connection(WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED, 1, "\4abc", 4, WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_HEADERS, WF_H2_FLAG_PADDED | WF_H2_FLAG_END_HEADERS, 1, "\2\x88",
                      2, WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_HEADERS,
                      WF_H2_FLAG_PADDED | WF_H2_FLAG_END_HEADERS | WF_H2_FLAG_PRIORITY, 1,
                      "\2\0\0\0\0\0\x88", 7, WF_H2_PROTOCOL_ERROR);
}

static void test_padding_is_taken_off(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS,
                    WF_H2_FLAG_PADDED | WF_H2_FLAG_END_HEADERS | WF_H2_FLAG_PRIORITY, 1,
                    "\4\0\0\0\0\0\x88padd", 11);
    peer_send_frame(&rig.peer, WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED, 1, "\4helloPADD", 10);
    peer_send_frame(&rig.peer, WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED, 1, "\4PADD", 5);
    peer_send_frame(&rig.peer, WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED | WF_H2_FLAG_END_STREAM, 1,
                    "\1aP", 3);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "DATA 1 6 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_push_promise_is_a_connection_error(void **state)
{
    (void)state;
    breaks_connection(WF_H2_FRAME_PUSH_PROMISE, WF_H2_FLAG_END_HEADERS, 1, "\0\0\0\2\x82", 5,
                      WF_H2_PROTOCOL_ERROR);
    breaks_connection(WF_H2_FRAME_PUSH_PROMISE, WF_H2_FLAG_END_HEADERS, 1, "\0\0\0\3\x82", 5,
                      WF_H2_PROTOCOL_ERROR);
}

static void test_ping_is_answered_with_its_octets(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    peer_send_ping(&rig.peer, 0, "abcdefgh");
    peer_expect_ping(&rig.peer, true, "abcdefgh");
    rig_expect_no_event(&rig);
    rig_fini(&rig);
}

static void test_the_answer_to_our_ping_is_an_event_once(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    assert_true(wf_h2_session_ping(rig.session, (const uint8_t *)"question"));
    peer_expect_ping(&rig.peer, false, "question");
    peer_send_ping(&rig.peer, WF_H2_FLAG_ACK, "another!");
    rig_expect_no_event(&rig);
    peer_send_ping(&rig.peer, WF_H2_FLAG_ACK, "question");
    peer_send_ping(&rig.peer, WF_H2_FLAG_ACK, "question");
    rig_expect(&rig, "PING_ACK question");
    rig_expect_no_event(&rig);
    rig_fini(&rig);
}

static void test_more_pings_than_are_remembered_forget_the_oldest(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    for (int i = 0; i < 6; i++) {
        uint8_t opaque[8] = {'p', 'i', 'n', 'g', '0', '0', '0', (uint8_t)('0' + i)};
        assert_true(wf_h2_session_ping(rig.session, opaque));
    }
    peer_send_ping(&rig.peer, WF_H2_FLAG_ACK, "ping0001");
    rig_expect_no_event(&rig);
    peer_send_ping(&rig.peer, WF_H2_FLAG_ACK, "ping0003");
    peer_send_ping(&rig.peer, WF_H2_FLAG_ACK, "ping0002");
    peer_send_ping(&rig.peer, WF_H2_FLAG_ACK, "ping0005");
    rig_expect(&rig, "PING_ACK ping0003");
    rig_expect(&rig, "PING_ACK ping0005");
    rig_fini(&rig);
}

static void test_answers_to_a_peer_that_does_not_read_are_bounded(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig.blocked = true;
    for (int i = 0; i < 65536 / 17; i++) {
        rig.now_ms += 20; /* slowly: it is what waits that is bounded here */
        peer_send_ping(&rig.peer, 0, "12345678");
        rig_expect_no_event(&rig);
    }
    peer_send_ping(&rig.peer, 0, "12345678");
    rig.now_ms += 20;
    rig_expect(&rig, "CONNECTION_ERROR ENHANCE_YOUR_CALM");
    assert_string_equal(rig.last_reason, "too many answers wait for a peer that does not read");
    rig.blocked = false;
    peer_expect_goaway(&rig.peer, WF_H2_ENHANCE_YOUR_CALM);
    rig_fini(&rig);
}

static void test_resets_that_a_peer_provokes_are_bounded(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_server(&rig);
    rig.blocked = true;
    for (uint32_t i = 0; i < 65536 / 13; i++) {
        rig.now_ms += 20; /* slowly, as above */
        peer_send_headers(&rig.peer, 1 + 2 * i, WF_H2_FLAG_END_STREAM, ":method", "GET", NULL);
        rig_expect_no_event(&rig);
    }
    rig.now_ms += 20;
    peer_send_headers(&rig.peer, 20001, WF_H2_FLAG_END_STREAM, ":method", "GET", NULL);
    rig_expect(&rig, "CONNECTION_ERROR ENHANCE_YOUR_CALM");
    rig_fini(&rig);
}

static void test_answers_that_are_read_are_not_bounded(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    for (int i = 0; i < 5000; i++) {
        rig.now_ms += 20;
        peer_send_ping(&rig.peer, 0, "12345678");
        peer_expect_ping(&rig.peer, true, "12345678");
    }
    rig_expect_no_event(&rig);
    rig_fini(&rig);
}

static void test_nothing_is_parsed_after_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_get(&rig);
    peer_send_ping(&rig.peer, WF_H2_FLAG_ACK, "12345678");
    peer_send_frame(&rig.peer, WF_H2_FRAME_PING, 0, 0, "1", 1);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, ":status", "200", NULL);
    peer_send_ping(&rig.peer, 0, "12345678");
    rig_expect(&rig, "CONNECTION_ERROR FRAME_SIZE_ERROR");
    rig_expect(&rig, "CLOSED 1 CONNECTION_ERROR FRAME_SIZE_ERROR MAYBE_PROCESSED");
    rig_expect_no_event(&rig);
    peer_expect_goaway(&rig.peer, WF_H2_FRAME_SIZE_ERROR);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_flight_is_preface_settings_and_window),
        cmocka_unit_test(test_first_frame_must_be_settings),
        cmocka_unit_test(test_first_frame_must_not_be_a_settings_ack),
        cmocka_unit_test(test_an_http_1_answer_is_named_in_the_reason),
        cmocka_unit_test(test_an_answer_in_text_or_tls_is_named_in_the_reason),
        cmocka_unit_test(test_a_server_checks_the_client_preface),
        cmocka_unit_test(test_a_frame_above_max_frame_size_is_refused_by_its_header),
        cmocka_unit_test(test_unknown_frame_types_are_ignored),
        cmocka_unit_test(test_an_unknown_frame_inside_a_field_block_is_a_connection_error),
        cmocka_unit_test(test_the_reserved_bit_of_a_stream_identifier_is_ignored),
        cmocka_unit_test(test_continuation_without_a_block_is_a_connection_error),
        cmocka_unit_test(test_continuation_of_another_stream_is_a_connection_error),
        cmocka_unit_test(test_data_inside_a_field_block_is_a_connection_error),
        cmocka_unit_test(test_a_block_in_pieces_is_one_section),
        cmocka_unit_test(test_too_many_continuations_are_a_connection_error),
        cmocka_unit_test(test_a_field_block_above_the_limit_is_a_connection_error),
        cmocka_unit_test(test_a_frame_above_the_limit_of_a_field_block_is_a_connection_error),
        cmocka_unit_test(test_a_block_that_does_not_decode_is_a_compression_error),
        cmocka_unit_test(test_frames_of_streams_on_stream_0_are_connection_errors),
        cmocka_unit_test(test_frames_of_the_connection_on_a_stream_are_connection_errors),
        cmocka_unit_test(test_wrong_lengths_are_frame_size_errors),
        cmocka_unit_test(test_priority_of_wrong_length_is_a_stream_error),
        cmocka_unit_test(test_a_stream_that_depends_on_itself_is_a_stream_error),
        cmocka_unit_test(test_priority_changes_nothing_on_any_stream),
        cmocka_unit_test(test_padding_longer_than_the_frame_is_a_connection_error),
        cmocka_unit_test(test_padding_is_taken_off),
        cmocka_unit_test(test_push_promise_is_a_connection_error),
        cmocka_unit_test(test_ping_is_answered_with_its_octets),
        cmocka_unit_test(test_the_answer_to_our_ping_is_an_event_once),
        cmocka_unit_test(test_more_pings_than_are_remembered_forget_the_oldest),
        cmocka_unit_test(test_answers_to_a_peer_that_does_not_read_are_bounded),
        cmocka_unit_test(test_resets_that_a_peer_provokes_are_bounded),
        cmocka_unit_test(test_answers_that_are_read_are_not_bounded),
        cmocka_unit_test(test_nothing_is_parsed_after_a_connection_error),
    };
    return RUN_TWICE(tests);
}
