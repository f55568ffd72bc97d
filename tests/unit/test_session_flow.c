/* Flow control and SETTINGS, both ways (RFC 9113 sections 5.2, 6.5 and 6.9). */
#include "h2/session_internal.h"
#include "support/h2_twice.h"

static uint8_t body[300000];

static void init_with_windows(struct h2_rig *rig, uint32_t stream_window, uint32_t window)
{
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.initial_window_size = stream_window;
    config.connection_window = window;
    rig_init_client_with(rig, &config);
    rig_get(rig, 1);
    peer_send_headers(&rig->peer, 1, 0, ":status", "200", NULL);
    rig_expect(rig, "HEADERS 1 RESPONSE 200");
}

static void test_data_beyond_the_stream_window_is_a_stream_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    init_with_windows(&rig, 1000, 65535);
    rig.keeps_credit = true;
    peer_send_data(&rig.peer, 1, 0, 1000);
    rig_expect(&rig, "DATA 1 1000");
    peer_send_data(&rig.peer, 1, 0, 1);
    rig_expect_stream_error(&rig, 1, WF_H2_FLOW_CONTROL_ERROR);
    rig_fini(&rig);
}

static void test_data_beyond_the_connection_window_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    init_with_windows(&rig, 1000000, 65535);
    rig.session->recv_window.open = 100;
    rig.session->recv_window.unreturned = 65435;
    peer_send_data(&rig.peer, 1, 0, 101);
    rig_expect_connection_error(&rig, WF_H2_FLOW_CONTROL_ERROR);
    rig_fini(&rig);
}

static void test_a_small_stream_window_binds_only_once_it_is_acknowledged(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.initial_window_size = 100;
    config.connection_window = 65535;
    rig_init(&rig, &config);
    rig.keeps_credit = true;
    rig_submit(&rig, "GET", true);
    peer_expect_preface(&rig.peer);
    peer_expect_settings(&rig.peer);
    peer_expect_headers(&rig.peer, 1);
    peer_send_settings(&rig.peer, 0);
    peer_expect_settings_ack(&rig.peer);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    peer_send_data(&rig.peer, 1, 0, 5000);
    peer_send_settings_ack(&rig.peer);
    rig_expect(&rig, "SETTINGS");
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "DATA 1 5000");
    rig_expect(&rig, "SETTINGS_ACK");
    peer_send_data(&rig.peer, 1, 0, 1);
    rig_expect_stream_error(&rig, 1, WF_H2_FLOW_CONTROL_ERROR);
    rig_fini(&rig);
}

static void test_stream_credit_goes_back_at_half_a_window(void **state)
{
    (void)state;
    struct h2_rig rig;
    init_with_windows(&rig, 1000, 65535);
    peer_send_data(&rig.peer, 1, 0, 499);
    peer_expect_nothing(&rig.peer);
    peer_send_data(&rig.peer, 1, 0, 10);
    rig_run(&rig);
    peer_expect_window_update(&rig.peer, 1, rig_step == 1 ? 500 : 509);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_no_stream_credit_goes_back_before_it_is_consumed(void **state)
{
    (void)state;
    struct h2_rig rig;
    init_with_windows(&rig, 1000, 65535);
    rig.keeps_credit = true;
    peer_send_data(&rig.peer, 1, 0, 1000);
    rig_expect(&rig, "DATA 1 1000");
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_padding_is_returned_at_once(void **state)
{
    (void)state;
    struct h2_rig rig;
    static uint8_t payload[201];
    payload[0] = 200;
    init_with_windows(&rig, 400, 65535);
    rig.keeps_credit = true;
    peer_send_frame(&rig.peer, WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED, 1, payload, sizeof(payload));
    rig_run(&rig);
    peer_expect_window_update(&rig.peer, 1, 201);
    rig_fini(&rig);
}

static void test_no_stream_credit_goes_back_after_end_stream(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.initial_window_size = 1000;
    rig_init_client_with(&rig, &config);
    rig.keeps_credit = true;
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 900);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "DATA 1 900 END");
    wf_h2_session_consume(rig.session, stream, 900);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_connection_credit_goes_back_although_nobody_consumes(void **state)
{
    (void)state;
    struct h2_rig rig;
    init_with_windows(&rig, 1000000, 65536);
    rig.keeps_credit = true;
    peer_send_data(&rig.peer, 1, 0, 16384);
    rig_run(&rig);
    peer_expect_nothing(&rig.peer);
    peer_send_data(&rig.peer, 1, 0, 16384);
    rig_run(&rig);
    peer_expect_window_update(&rig.peer, 0, 32768);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_data_of_a_stream_that_we_reset_returns_connection_credit(void **state)
{
    (void)state;
    struct h2_rig rig;
    init_with_windows(&rig, 1000000, 65536);
    struct wf_h2_stream *stream = wf_h2_stream_set_find(&rig.session->streams, 1);
    wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
    peer_expect_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    peer_send_data(&rig.peer, 1, 0, 16384);
    peer_send_data(&rig.peer, 1, 0, 16384);
    rig_expect_no_event(&rig);
    peer_expect_window_update(&rig.peer, 0, 32768);
    assert_int_equal(rig.session->recv_window.open, 65536);
    rig_fini(&rig);
}

static void test_window_update_of_zero_is_a_stream_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_window_update(&rig.peer, 1, 0);
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_window_update_of_zero_on_stream_0_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    peer_send_window_update(&rig.peer, 0, 0);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_a_stream_window_above_2_31_is_a_stream_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_window_update(&rig.peer, 1, 0x7fffffff - 65535);
    rig_expect_no_event(&rig);
    peer_send_window_update(&rig.peer, 1, 1);
    rig_expect_stream_error(&rig, 1, WF_H2_FLOW_CONTROL_ERROR);
    rig_fini(&rig);
}

static void test_a_connection_window_above_2_31_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    peer_send_window_update(&rig.peer, 0, 0x7fffffff - 65535);
    rig_expect_no_event(&rig);
    peer_send_window_update(&rig.peer, 0, 1);
    rig_expect_connection_error(&rig, WF_H2_FLOW_CONTROL_ERROR);
    rig_fini(&rig);
}

static void set(struct h2_rig *rig, int id, uint32_t value)
{
    peer_send_settings(&rig->peer, id, value, 0);
    rig_expect(rig, "SETTINGS");
    peer_expect_settings_ack(&rig->peer);
}

static void test_an_upload_stops_at_the_stream_window(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    set(&rig, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 1000);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, 1600), true);
    peer_expect_data(&rig.peer, 1, 1000, false);
    peer_expect_nothing(&rig.peer);
    assert_false(wf_h2_session_wants_write(rig.session));
    peer_send_window_update(&rig.peer, 1, 100);
    peer_expect_data(&rig.peer, 1, 100, false);
    peer_send_window_update(&rig.peer, 1, 1000);
    peer_expect_data(&rig.peer, 1, 500, true);
    rig_expect(&rig, "BODY_SENT 1");
    rig_fini(&rig);
}

static void test_an_upload_stops_at_the_connection_window(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    set(&rig, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 1000000);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, 70000), true);
    peer_expect_data(&rig.peer, 1, 16384, false);
    peer_expect_data(&rig.peer, 1, 16384, false);
    peer_expect_data(&rig.peer, 1, 16384, false);
    peer_expect_data(&rig.peer, 1, 16383, false);
    peer_expect_nothing(&rig.peer);
    peer_send_window_update(&rig.peer, 0, 4465);
    peer_expect_data(&rig.peer, 1, 4465, true);
    rig_fini(&rig);
}

static void test_a_window_that_shrank_below_zero_comes_back(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, 1000), false);
    peer_expect_data(&rig.peer, 1, 1000, false);
    rig_expect(&rig, "BODY_SENT 1");
    set(&rig, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 400);
    assert_int_equal(stream->send_window, -600);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, 5), true);
    peer_expect_nothing(&rig.peer);
    peer_send_window_update(&rig.peer, 1, 600);
    peer_expect_nothing(&rig.peer);
    peer_send_window_update(&rig.peer, 1, 2);
    peer_expect_data(&rig.peer, 1, 2, false);
    set(&rig, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 500);
    peer_expect_data(&rig.peer, 1, 3, true);
    rig_fini(&rig);
}

static void test_an_empty_end_needs_no_window(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    set(&rig, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 0);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(NULL, 0), true);
    peer_expect_data(&rig.peer, 1, 0, true);
    rig_expect(&rig, "BODY_SENT 1");
    rig_fini(&rig);
}

static void test_initial_window_size_that_overflows_a_window_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_window_update(&rig.peer, 1, 0x7fffffff - 65535);
    peer_send_settings(&rig.peer, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 65536u, 0);
    rig_expect_connection_error(&rig, WF_H2_FLOW_CONTROL_ERROR);
    rig_fini(&rig);
}

static void breaks_by_setting(int id, uint32_t value, uint32_t code)
{
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_settings(&rig.peer, WF_H2_SETTING_MAX_CONCURRENT_STREAMS, 7u, id, value, 0);
    rig_expect_connection_error(&rig, code);
    assert_int_equal(rig.session->remote.max_concurrent_streams, UINT32_MAX);
    rig_fini(&rig);
}

static void test_a_setting_out_of_range_changes_nothing_and_ends_the_connection(void **state)
{
    (void)state;
    breaks_by_setting(WF_H2_SETTING_ENABLE_PUSH, 1, WF_H2_PROTOCOL_ERROR);
    breaks_by_setting(WF_H2_SETTING_ENABLE_PUSH, 2, WF_H2_PROTOCOL_ERROR);
    breaks_by_setting(WF_H2_SETTING_INITIAL_WINDOW_SIZE, 0x80000000, WF_H2_FLOW_CONTROL_ERROR);
    breaks_by_setting(WF_H2_SETTING_MAX_FRAME_SIZE, 16383, WF_H2_PROTOCOL_ERROR);
    breaks_by_setting(WF_H2_SETTING_MAX_FRAME_SIZE, 0, WF_H2_PROTOCOL_ERROR);
    breaks_by_setting(WF_H2_SETTING_MAX_FRAME_SIZE, 16777216, WF_H2_PROTOCOL_ERROR);
}

static void test_unknown_settings_are_ignored(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    peer_send_settings(&rig.peer, 0x7fff, 5u, 0x8, 1u, WF_H2_SETTING_ENABLE_PUSH, 0u, 0);
    rig_expect(&rig, "SETTINGS");
    peer_expect_settings_ack(&rig.peer);
    rig_fini(&rig);
}

static void test_too_many_settings_are_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    static uint8_t payload[33 * 6];
    rig_init_client(&rig);
    peer_send_frame(&rig.peer, WF_H2_FRAME_SETTINGS, 0, 0, payload, 32 * 6);
    rig_expect(&rig, "SETTINGS");
    peer_expect_settings_ack(&rig.peer);
    peer_send_frame(&rig.peer, WF_H2_FRAME_SETTINGS, 0, 0, payload, 33 * 6);
    rig_expect_connection_error(&rig, WF_H2_ENHANCE_YOUR_CALM);
    rig_fini(&rig);
}

static void test_an_ack_without_settings_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    peer_send_settings_ack(&rig.peer);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_settings_that_are_never_acknowledged_time_out(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.connection_window = 65535;
    rig_init(&rig, &config);
    peer_expect_preface(&rig.peer);
    peer_expect_settings(&rig.peer);
    assert_int_equal(wf_h2_session_deadline(rig.session), config.settings_timeout_ms);
    wf_h2_session_timeout(rig.session, config.settings_timeout_ms - 1);
    rig_expect_no_event(&rig);
    wf_h2_session_timeout(rig.session, config.settings_timeout_ms);
    rig_expect_connection_error(&rig, WF_H2_SETTINGS_TIMEOUT);
    assert_true(wf_h2_session_deadline(rig.session) == UINT64_MAX);
    rig_fini(&rig);
}

static void test_acknowledged_settings_have_no_deadline(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    assert_true(wf_h2_session_deadline(rig.session) == UINT64_MAX);
    wf_h2_session_timeout(rig.session, 1000000);
    rig_expect_no_event(&rig);
    rig_fini(&rig);
}

static void test_a_table_that_shrinks_and_grows_in_one_frame_is_announced(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_settings(&rig.peer, WF_H2_SETTING_HEADER_TABLE_SIZE, 0u,
                       WF_H2_SETTING_HEADER_TABLE_SIZE, 4096u, 0);
    rig_expect(&rig, "SETTINGS");
    peer_expect_settings_ack(&rig.peer);
    rig_submit(&rig, "GET", true);
    peer_expect(&rig.peer, WF_H2_FRAME_HEADERS, 3);
    /* RFC 7541 section 6.3: size 0, then size 4096. */
    static const uint8_t updates[] = {0x20, 0x3f, 0xe1, 0x1f};
    assert_memory_equal(rig.peer.frame.payload.ptr, updates, sizeof(updates));
    rig_fini(&rig);
}

static void test_the_peers_table_size_of_zero_is_followed(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    set(&rig, WF_H2_SETTING_HEADER_TABLE_SIZE, 0);
    wf_hpack_decoder_set_max_table_size(rig.peer.decoder, 0);
    for (uint32_t id = 3; id < 9; id += 2)
        rig_get(&rig, id);
    rig_fini(&rig);
}

static void test_a_request_above_the_peers_limit_is_too_large(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_stream *stream;
    rig_init_client(&rig);
    set(&rig, WF_H2_SETTING_MAX_HEADER_LIST_SIZE, 41);
    struct wf_field field = {.name = wf_slice_str(":method"), .value = wf_slice_str("GET")};
    struct wf_h2_message message = {.fields = &field, .count = 1, .end_stream = true};
    assert_int_equal(wf_h2_session_request(rig.session, &message, NULL, &stream),
                     WF_H2_SUBMIT_TOO_LARGE);
    peer_expect_nothing(&rig.peer);
    set(&rig, WF_H2_SETTING_MAX_HEADER_LIST_SIZE, 42);
    assert_int_equal(wf_h2_session_request(rig.session, &message, NULL, &stream), WF_H2_SUBMITTED);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_beyond_the_stream_window_is_a_stream_error),
        cmocka_unit_test(test_data_beyond_the_connection_window_is_a_connection_error),
        cmocka_unit_test(test_a_small_stream_window_binds_only_once_it_is_acknowledged),
        cmocka_unit_test(test_stream_credit_goes_back_at_half_a_window),
        cmocka_unit_test(test_no_stream_credit_goes_back_before_it_is_consumed),
        cmocka_unit_test(test_padding_is_returned_at_once),
        cmocka_unit_test(test_no_stream_credit_goes_back_after_end_stream),
        cmocka_unit_test(test_connection_credit_goes_back_although_nobody_consumes),
        cmocka_unit_test(test_data_of_a_stream_that_we_reset_returns_connection_credit),
        cmocka_unit_test(test_window_update_of_zero_is_a_stream_error),
        cmocka_unit_test(test_window_update_of_zero_on_stream_0_is_a_connection_error),
        cmocka_unit_test(test_a_stream_window_above_2_31_is_a_stream_error),
        cmocka_unit_test(test_a_connection_window_above_2_31_is_a_connection_error),
        cmocka_unit_test(test_an_upload_stops_at_the_stream_window),
        cmocka_unit_test(test_an_upload_stops_at_the_connection_window),
        cmocka_unit_test(test_a_window_that_shrank_below_zero_comes_back),
        cmocka_unit_test(test_an_empty_end_needs_no_window),
        cmocka_unit_test(test_initial_window_size_that_overflows_a_window_is_a_connection_error),
        cmocka_unit_test(test_a_setting_out_of_range_changes_nothing_and_ends_the_connection),
        cmocka_unit_test(test_unknown_settings_are_ignored),
        cmocka_unit_test(test_too_many_settings_are_a_connection_error),
        cmocka_unit_test(test_an_ack_without_settings_is_a_connection_error),
        cmocka_unit_test(test_settings_that_are_never_acknowledged_time_out),
        cmocka_unit_test(test_acknowledged_settings_have_no_deadline),
        cmocka_unit_test(test_a_table_that_shrinks_and_grows_in_one_frame_is_announced),
        cmocka_unit_test(test_the_peers_table_size_of_zero_is_followed),
        cmocka_unit_test(test_a_request_above_the_peers_limit_is_too_large),
    };
    return RUN_TWICE(tests);
}
