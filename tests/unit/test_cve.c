/* One test for each published weakness of an HTTP/2 implementation since 2016 that a client can
 * have, by its number. docs/CONFORMANCE.md lists those that cannot apply. The script is the
 * attack's; what is checked is that it costs little and ends well. Leaks show under the address
 * sanitizer. */
#include "support/h2_twice.h"

#include "h2/guard.h"

static void one_response(struct h2_rig *rig)
{
    rig_init_client(rig);
    rig_get(rig, 1);
    peer_send_headers(&rig->peer, 1, 0, ":status", "200", NULL);
    rig_expect(rig, "HEADERS 1 RESPONSE 200");
}

/* The connection ended by ENHANCE_YOUR_CALM, its stream with it. */
static void expect_calm(struct h2_rig *rig)
{
    rig_expect(rig, "CONNECTION_ERROR ENHANCE_YOUR_CALM");
    assert_true(wf_h2_session_is_dead(rig->session));
    assert_int_equal(wf_h2_session_open_streams(rig->session), 0);
}

/* Sends one frame @count times while the peer takes nothing: what waits for it stays small. */
static void flood_unread(uint8_t type, const void *payload, size_t len, unsigned count)
{
    struct h2_rig rig;
    rig_init_client(&rig);
    rig.blocked = true;
    for (unsigned i = 0; i < count; i++)
        peer_send_frame(&rig.peer, type, 0, 0, payload, len);
    rig_run(&rig);
    struct wf_slice slices[64];
    size_t octets = 0;
    size_t pieces = wf_h2_session_output(rig.session, slices, 64, SIZE_MAX);
    for (size_t i = 0; i < pieces; i++)
        octets += slices[i].len;
    assert_true(octets <= 65536 + 100);
    rig.event_next = rig.event_count - 1;
    expect_calm(&rig);
    rig_fini(&rig);
}

static void test_cve_2019_9512_ping_flood_is_bounded(void **state)
{
    (void)state;
    flood_unread(WF_H2_FRAME_PING, "12345678", 8, 5000);
}

static void test_cve_2019_9515_settings_flood_is_bounded(void **state)
{
    (void)state;
    flood_unread(WF_H2_FRAME_SETTINGS, NULL, 0, 400);
}

static void test_cve_2019_9511_data_dribble_makes_few_frames(void **state)
{
    (void)state;
    static const uint8_t body[10000];
    struct h2_rig rig;
    rig_init_client(&rig);
    peer_send_settings(&rig.peer, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 0, 0);
    rig_expect(&rig, "SETTINGS");
    peer_expect_settings_ack(&rig.peer);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, sizeof(body)), true);
    /* Credit that came before we wrote makes one frame, however small its pieces were. */
    for (int i = 0; i < 3000; i++)
        peer_send_window_update(&rig.peer, 1, 1);
    rig_run(&rig);
    peer_expect_data(&rig.peer, 1, 3000, false);
    peer_expect_nothing(&rig.peer);
    for (int i = 0; i < 3000; i++)
        peer_send_window_update(&rig.peer, 1, 1);
    rig_expect(&rig, "CONNECTION_ERROR ENHANCE_YOUR_CALM");
    rig_fini(&rig);
}

static void test_cve_2019_9513_priority_churn_keeps_no_tree(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_response(&rig);
    for (uint32_t i = 0; i < 1500; i++) {
        uint8_t payload[5] = {0x80, 1, (uint8_t)(i >> 8), (uint8_t)i, 255};
        peer_send_frame(&rig.peer, WF_H2_FRAME_PRIORITY, 0, 1 + 2 * (i % 7), payload, 5);
    }
    expect_calm(&rig);
    rig_fini(&rig);
}

static void test_cve_2019_9514_provoked_resets_end_one_stream_each(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    for (uint32_t id = 1; id < 200; id += 2)
        rig_get(&rig, id);
    /* Malformed again and again: one RST_STREAM for each stream of ours, and no more. */
    for (int round = 0; round < 3; round++) {
        for (uint32_t id = 1; id < 200; id += 2)
            peer_send_headers(&rig.peer, id, 0, ":status", "1000", NULL);
    }
    for (uint32_t id = 1; id < 200; id += 2)
        rig_expect_stream_error(&rig, id, WF_H2_PROTOCOL_ERROR);
    rig_expect_no_event(&rig);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_cve_2019_9516_empty_names_are_malformed(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    /* :status 200, then literals with neither name nor value: indexed, and not. */
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 1,
                    "\x88\x40\x00\x00\x00\x00\x00", 7);
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_cve_2019_9517_output_is_bounded_while_the_peer_does_not_read(void **state)
{
    (void)state;
    static uint8_t body[4000000];
    struct h2_rig rig;
    rig_init_client(&rig);
    rig.blocked = true;
    peer_send_settings(&rig.peer, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 0x7fffffff, 0);
    peer_send_window_update(&rig.peer, 0, 0x7fff0000);
    rig_expect(&rig, "SETTINGS");
    struct wf_h2_stream *stream = rig_submit(&rig, "POST", false);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, sizeof(body)), true);
    struct wf_slice slices[512];
    size_t octets = 0;
    size_t count = 0;
    for (int again = 0; again < 50; again++) {
        octets = 0;
        count = wf_h2_session_output(rig.session, slices, 512, SIZE_MAX);
        for (size_t i = 0; i < count; i++)
            octets += slices[i].len;
    }
    assert_true(count > 0 && octets <= 300000);
    rig_fini(&rig);
}

static void test_cve_2019_9518_empty_frames_are_counted(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_response(&rig);
    for (int i = 0; i < 1200; i++)
        peer_send_frame(&rig.peer, WF_H2_FRAME_DATA, 0, 1, NULL, 0);
    expect_calm(&rig);
    rig_fini(&rig);
    one_response(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_STREAM, 1, NULL, 0);
    for (int i = 0; i < 140; i++)
        peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, 0, 1, NULL, 0);
    expect_calm(&rig);
    rig_fini(&rig);
}

/* CVE-2023-45288, CVE-2024-27983 and CVE-2024-30255 are the same in other implementations. */
static void test_cve_2024_28182_continuation_flood_is_bounded(void **state)
{
    (void)state;
    static const uint8_t zeros[16384];
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0, 1, "\x88", 1);
    for (int i = 0; i < 9; i++)
        peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, 0, 1, zeros, sizeof(zeros));
    rig_expect_connection_error(&rig, WF_H2_ENHANCE_YOUR_CALM);
    assert_string_equal(rig.last_reason, "a field block is too long");
    rig_fini(&rig);
}

static void test_cve_2020_11080_settings_with_many_entries_are_refused(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    uint8_t *payload = calloc(2730, 6);
    assert_non_null(payload);
    peer_send_frame(&rig.peer, WF_H2_FRAME_SETTINGS, 0, 0, payload, (size_t)2730 * 6);
    free(payload);
    rig_expect_connection_error(&rig, WF_H2_ENHANCE_YOUR_CALM);
    rig_fini(&rig);
}

static void test_cve_2016_6581_hpack_bomb_is_defused(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    /* An entry of 3,000 octets, named 13,000 times by one octet each: 39 MB when decoded. */
    uint8_t *block = malloc(16384);
    assert_non_null(block);
    memcpy(block, "\x88\x40\x01x\x7f\xb9\x16", 7);
    memset(block + 7, 'v', 3000);
    memset(block + 3007, 0xbe, 13000);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 1, block, 16007);
    free(block);
    rig_expect_stream_error(&rig, 1, WF_H2_ENHANCE_YOUR_CALM);
    rig_fini(&rig);
}

/* Blocks that cannot be decoded, each a past overflow or over-read. */
static void expect_compression_error(const void *block, size_t len)
{
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 1, block, len);
    rig_expect_connection_error(&rig, WF_H2_COMPRESSION_ERROR);
    rig_fini(&rig);
}

static void test_cve_2018_14645_an_index_beyond_31_bits_is_an_error(void **state)
{
    (void)state;
    expect_compression_error("\xff\x80\xff\xff\xff\x0f", 6);
    expect_compression_error("\xff\xff\xff\xff\xff\x07", 6);
    expect_compression_error("\x7f\xc1\xff\xff\xff\x0f\x00", 7);
}

static void test_cve_2022_24667_string_lengths_do_not_overflow(void **state)
{
    (void)state;
    expect_compression_error("\x00\x7f\x80\xff\xff\xff\x0f\x61", 8);
    expect_compression_error("\x00\xff\x80\xff\xff\xff\x0f\x61", 8);
}

static void test_cve_2023_36478_huffman_lengths_do_not_overflow(void **state)
{
    (void)state;
    expect_compression_error("\x00\x01x\xff\xff\xff\xff\xff\x0f\x61", 10);
}

static void test_cve_2023_33953_integers_with_leading_zeros_are_errors(void **state)
{
    (void)state;
    expect_compression_error("\xff\x80\x80\x80\x80\x80\x80\x80\x00", 9);
    expect_compression_error("\x00\x7f\x80\x80\x80\x80\x80\x00\x61", 9);
}

static void test_cve_2022_41723_a_block_in_many_pieces_is_decoded_once(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, 0, 1, "\x88\x40\x01", 3);
    for (int i = 0; i < 14; i++)
        peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, 0, 1, i == 0 ? "x\x0c" : "v",
                        i == 0 ? 2 : 1);
    rig_expect_no_event(&rig); /* and nothing can have been decoded */
    peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, WF_H2_FLAG_END_HEADERS, 1, NULL, 0);
    rig_expect_connection_error(&rig, WF_H2_COMPRESSION_ERROR); /* a 13th "v" is no field */
    rig_fini(&rig);
}

static void test_cve_2023_32731_the_table_is_in_step_or_the_connection_ends(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.max_header_list_size = 100;
    rig_init_client_with(&rig, &config);
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", "x-first", "kept", "x-second",
                      "this one is above the limit of a hundred octets", NULL);
    rig_expect_stream_error(&rig, 1, WF_H2_ENHANCE_YOUR_CALM);
    rig_get(&rig, 3);
    peer_send_headers(&rig.peer, 3, WF_H2_FLAG_END_STREAM, ":status", "200", "x-first", "kept",
                      NULL);
    rig_expect(&rig, "HEADERS 3 RESPONSE 200 END");
    rig_fini(&rig);
}

static void test_cve_2018_1000005_long_trailers_are_whole(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_response(&rig);
    char value[5001];
    memset(value, 't', 5000);
    value[5000] = '\0';
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, "x-trailer", value, NULL);
    rig_expect(&rig, "HEADERS 1 TRAILERS 0 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_cve_2026_33814_max_frame_size_of_zero_is_refused(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 16383, 16777216};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct h2_rig rig;
        rig_init_client(&rig);
        peer_send_settings(&rig.peer, WF_H2_SETTING_MAX_FRAME_SIZE, sizes[i], 0);
        rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
        rig_fini(&rig);
    }
}

static void test_cve_2026_27135_nothing_is_read_after_the_end(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_response(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PING, 0, 0, "1", 1);
    peer_send_frame(&rig.peer, WF_H2_FRAME_WINDOW_UPDATE, 0, 1, "\0\0\0\0", 4);
    peer_send_frame(&rig.peer, WF_H2_FRAME_CONTINUATION, 0, 1, "\0\0\0\0", 4);
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 10);
    rig_expect_connection_error(&rig, WF_H2_FRAME_SIZE_ERROR);
    rig_expect_no_event(&rig);
    rig_fini(&rig);
}

/* CVE-2026-27141 and CVE-2018-1000168 (ALTSVC) are of the same kind. */
static void test_cve_2022_24668_extension_frames_are_skipped(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_response(&rig);
    for (unsigned type = 0xa; type <= 0x10; type++) {
        peer_send_frame(&rig.peer, (uint8_t)type, 0, 0, NULL, 0);
        peer_send_frame(&rig.peer, (uint8_t)type, 0xff, 1, "\0\0", 2);
        peer_send_frame(&rig.peer, (uint8_t)type, 0, 0x7fffffff, "anything at all", 15);
    }
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 1);
    rig_expect(&rig, "DATA 1 1 END");
    rig_fini(&rig);
}

static void test_cve_2018_20615_flags_that_need_octets_are_checked_first(void **state)
{
    (void)state;
    static const uint8_t flags[] = {WF_H2_FLAG_PADDED, WF_H2_FLAG_PRIORITY,
                                    WF_H2_FLAG_PADDED | WF_H2_FLAG_PRIORITY};
    for (size_t i = 0; i < sizeof(flags); i++) {
        for (size_t len = 0; len < (i == 0 ? 1u : i == 1 ? 5u : 6u); len++) {
            struct h2_rig rig;
            rig_init_client(&rig);
            rig_get(&rig, 1);
            peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, flags[i] | WF_H2_FLAG_END_HEADERS, 1,
                            "\0\0\0\0\0", len);
            rig_expect_connection_error(&rig, WF_H2_FRAME_SIZE_ERROR);
            rig_fini(&rig);
        }
    }
}

static void test_cve_2023_35945_reset_and_then_goaway_leak_nothing(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    for (uint32_t id = 1; id < 100; id += 2)
        rig_get(&rig, id);
    for (uint32_t id = 1; id < 100; id += 2)
        peer_send_rst_stream(&rig.peer, id, WF_H2_REFUSED_STREAM);
    peer_send_goaway(&rig.peer, 0, WF_H2_NO_ERROR);
    rig_run(&rig);
    assert_int_equal(rig.event_count - rig.event_next, 51);
    assert_int_equal(wf_h2_session_open_streams(rig.session), 0);
    rig_fini(&rig);
}

static void test_cve_2024_2398_pushed_headers_leak_nothing(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_response(&rig);
    struct wf_buf block = peer_encode_block(&rig.peer, ":method", "GET", ":path", "/pushed", NULL);
    uint8_t payload[256] = {0, 0, 0, 2};
    memcpy(payload + 4, block.data + block.start, wf_buf_len(&block));
    peer_send_frame(&rig.peer, WF_H2_FRAME_PUSH_PROMISE, WF_H2_FLAG_END_HEADERS, 1, payload,
                    4 + wf_buf_len(&block));
    wf_buf_fini(&block);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_cve_2026_21714_window_overflow_frees_everything(void **state)
{
    (void)state;
    static const uint8_t body[70000];
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, sizeof(body)), true);
    peer_send_window_update(&rig.peer, 0, 0x7fffffff);
    rig_expect(&rig, "CONNECTION_ERROR FLOW_CONTROL_ERROR");
    rig_expect(&rig, "CLOSED 1 CONNECTION_ERROR FLOW_CONTROL_ERROR MAYBE_PROCESSED");
    rig_fini(&rig);
}

static void test_cve_2025_23085_an_end_without_goaway_ends_all_streams(void **state)
{
    (void)state;
    struct h2_rig rig;
    one_response(&rig);
    rig_get(&rig, 3);
    wf_h2_session_lost(rig.session);
    rig_run(&rig);
    assert_int_equal(rig.event_count - rig.event_next, 2);
    assert_int_equal(wf_h2_session_open_streams(rig.session), 0);
    rig_fini(&rig);
}

/* The owner cancels from inside its handling of each kind of event. */
static void test_cve_2021_22930_a_cancel_inside_an_event_is_safe(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    rig_get(&rig, 3);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    peer_send_data(&rig.peer, 3, 0, 10); /* malformed: before its head */
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 10);
    struct wf_slice in = wf_buf_slice(&rig.to_session);
    struct wf_h2_event event;
    assert_true(wf_h2_session_next(rig.session, 0, &in, &event));
    assert_int_equal(event.type, WF_H2_EVENT_HEADERS);
    wf_h2_session_reset(rig.session, event.stream, WF_H2_CANCEL);
    assert_true(wf_h2_session_next(rig.session, 0, &in, &event));
    assert_int_equal(event.type, WF_H2_EVENT_CLOSED);
    assert_int_equal(wf_h2_stream_id(event.stream), 3);
    assert_false(wf_h2_session_next(rig.session, 0, &in, &event));
    wf_buf_consume(&rig.to_session, wf_buf_len(&rig.to_session));
    rig_fini(&rig);
}

static void test_cve_2021_32778_many_resets_leave_nothing_behind(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    for (uint32_t round = 0; round < 10; round++) {
        rig.event_next = rig.event_count = 0;
        for (uint32_t i = 0; i < 400; i++)
            (void)rig_submit(&rig, "GET", true);
        for (uint32_t i = 0; i < 400; i++)
            peer_send_rst_stream(&rig.peer, 1 + 2 * (400 * round + i), WF_H2_CANCEL);
        rig_run(&rig);
        assert_int_equal(rig.event_count, 400);
    }
    assert_int_equal(wf_h2_session_open_streams(rig.session), 0);
    rig_fini(&rig);
}

static void test_cve_2023_38039_endless_heads_are_bounded(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    for (int i = 0; i < 65; i++)
        peer_send_headers(&rig.peer, 1, 0, ":status", "103", "link", "</style.css>", NULL);
    for (int i = 0; i < 64; i++)
        rig_expect(&rig, "HEADERS 1 INFORMATIONAL 103");
    rig_expect_stream_error(&rig, 1, WF_H2_ENHANCE_YOUR_CALM);
    rig_fini(&rig);
}

/* CVE-2021-21409 is the same with HEADERS that end the stream. */
static void test_cve_2021_21295_content_length_is_held_to(void **state)
{
    (void)state;
    static const uint8_t sent[] = {9, 11};
    for (size_t i = 0; i < sizeof(sent); i++) {
        struct h2_rig rig;
        rig_init_client(&rig);
        rig_get(&rig, 1);
        peer_send_headers(&rig.peer, 1, 0, ":status", "200", "content-length", "10", NULL);
        rig_expect(&rig, "HEADERS 1 RESPONSE 200");
        peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, sent[i]);
        rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
        rig_fini(&rig);
    }
}

/* What our own user passes in is held to the same by weft_request_new(), see test_request. */
static void test_cve_2025_57804_cr_lf_and_nul_are_refused_everywhere(void **state)
{
    (void)state;
    static const char *const blocks[] = {"\x88\x00\x01x\x01\r", "\x88\x00\x01x\x01\n",
                                         "\x88\x00\x01\r\x01v", "\x88\x00\x01\n\x01v"};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        struct h2_rig rig;
        rig_init_client(&rig);
        rig_get(&rig, 1);
        uint8_t block[6];
        for (size_t at = 0; at < 6; at++)
            block[at] = (uint8_t)blocks[i][at];
        peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 1, block, 6);
        rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
        rig_get(&rig, 3);
        block[4 - (i < 2 ? 0 : 1)] = i < 2 ? 1 : 0; /* NUL in its place */
        block[i < 2 ? 5 : 3] = 0;
        peer_send_frame(&rig.peer, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 3, block, 6);
        rig_expect_stream_error(&rig, 3, WF_H2_PROTOCOL_ERROR);
        rig_fini(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cve_2016_6581_hpack_bomb_is_defused),
        cmocka_unit_test(test_cve_2018_14645_an_index_beyond_31_bits_is_an_error),
        cmocka_unit_test(test_cve_2018_20615_flags_that_need_octets_are_checked_first),
        cmocka_unit_test(test_cve_2018_1000005_long_trailers_are_whole),
        cmocka_unit_test(test_cve_2019_9511_data_dribble_makes_few_frames),
        cmocka_unit_test(test_cve_2019_9512_ping_flood_is_bounded),
        cmocka_unit_test(test_cve_2019_9513_priority_churn_keeps_no_tree),
        cmocka_unit_test(test_cve_2019_9514_provoked_resets_end_one_stream_each),
        cmocka_unit_test(test_cve_2019_9515_settings_flood_is_bounded),
        cmocka_unit_test(test_cve_2019_9516_empty_names_are_malformed),
        cmocka_unit_test(test_cve_2019_9517_output_is_bounded_while_the_peer_does_not_read),
        cmocka_unit_test(test_cve_2019_9518_empty_frames_are_counted),
        cmocka_unit_test(test_cve_2020_11080_settings_with_many_entries_are_refused),
        cmocka_unit_test(test_cve_2021_21295_content_length_is_held_to),
        cmocka_unit_test(test_cve_2021_22930_a_cancel_inside_an_event_is_safe),
        cmocka_unit_test(test_cve_2021_32778_many_resets_leave_nothing_behind),
        cmocka_unit_test(test_cve_2022_24667_string_lengths_do_not_overflow),
        cmocka_unit_test(test_cve_2022_24668_extension_frames_are_skipped),
        cmocka_unit_test(test_cve_2022_41723_a_block_in_many_pieces_is_decoded_once),
        cmocka_unit_test(test_cve_2023_32731_the_table_is_in_step_or_the_connection_ends),
        cmocka_unit_test(test_cve_2023_33953_integers_with_leading_zeros_are_errors),
        cmocka_unit_test(test_cve_2023_35945_reset_and_then_goaway_leak_nothing),
        cmocka_unit_test(test_cve_2023_36478_huffman_lengths_do_not_overflow),
        cmocka_unit_test(test_cve_2023_38039_endless_heads_are_bounded),
        cmocka_unit_test(test_cve_2024_2398_pushed_headers_leak_nothing),
        cmocka_unit_test(test_cve_2024_28182_continuation_flood_is_bounded),
        cmocka_unit_test(test_cve_2025_23085_an_end_without_goaway_ends_all_streams),
        cmocka_unit_test(test_cve_2025_57804_cr_lf_and_nul_are_refused_everywhere),
        cmocka_unit_test(test_cve_2026_21714_window_overflow_frees_everything),
        cmocka_unit_test(test_cve_2026_27135_nothing_is_read_after_the_end),
        cmocka_unit_test(test_cve_2026_33814_max_frame_size_of_zero_is_refused),
    };
    return RUN_TWICE(tests);
}
