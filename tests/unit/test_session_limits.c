/* What a peer may make a session do or keep: each limit reached, and honest traffic that comes
 * close to it. */
#include "support/h2_twice.h"

#include "h2/guard.h"

/* How many frames are sent and read in one go. */
#define BATCH 50

static void expect_limit(struct h2_rig *rig, const char *names)
{
    rig_run(rig);
    assert_true(wf_h2_session_is_dead(rig->session));
    assert_non_null(strstr(rig->last_reason, names));
    rig->event_next = rig->event_count;
    struct wf_h2_event event;
    struct wf_slice none = wf_slice("", 0);
    assert_false(wf_h2_session_next(rig->session, rig->now_ms, &none, &event));
    assert_int_equal(wf_h2_session_open_streams(rig->session), 0);
}

/* Sends one frame over and over while the peer reads what comes back, until the session ends; how
 * many it took. */
static unsigned flood(struct h2_rig *rig, uint8_t type, uint8_t flags, uint32_t id,
                      const void *payload, size_t len, unsigned most)
{
    unsigned count = 0;
    while (count < most && !wf_h2_session_is_dead(rig->session)) {
        for (int i = 0; i < BATCH; i++)
            peer_send_frame(&rig->peer, type, flags, id, payload, len);
        count += BATCH;
        rig_run(rig);
        rig->event_next = rig->event_count = 0;
        while (rig->peer.transport.recv(rig->peer.transport.user, &rig->peer.in))
            wf_buf_consume(&rig->peer.in, wf_buf_len(&rig->peer.in));
    }
    return count;
}

/* A flood while one GET is open ends the connection, by ENHANCE_YOUR_CALM, after about @about. */
static void floods(uint8_t type, uint8_t flags, uint32_t id, const void *payload, size_t len,
                   unsigned about, const char *names)
{
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    unsigned count = flood(&rig, type, flags, id, payload, len, 20000);
    assert_in_range(count, about - BATCH, about + BATCH);
    expect_limit(&rig, names);
    rig_fini(&rig);
}

static void test_a_flood_of_settings_is_calmed(void **state)
{
    (void)state;
    floods(WF_H2_FRAME_SETTINGS, 0, 0, NULL, 0, 250, "SETTINGS");
}

static void test_a_flood_of_pings_is_calmed(void **state)
{
    (void)state;
    floods(WF_H2_FRAME_PING, 0, 0, "12345678", 8, 1000, "PING");
}

static void test_a_flood_of_answers_to_no_ping_is_calmed(void **state)
{
    (void)state;
    floods(WF_H2_FRAME_PING, WF_H2_FLAG_ACK, 0, "12345678", 8, 1000, "PING");
}

static void test_a_flood_of_resets_is_calmed(void **state)
{
    (void)state;
    floods(WF_H2_FRAME_RST_STREAM, 0, 1, "\0\0\0\x8", 4, 1000, "RST_STREAM");
}

static void test_a_flood_of_priorities_is_calmed(void **state)
{
    (void)state;
    floods(WF_H2_FRAME_PRIORITY, 0, 1, "\0\0\0\0\0", 5, 1000, "PRIORITY");
}

static void test_a_flood_of_window_updates_is_calmed(void **state)
{
    (void)state;
    floods(WF_H2_FRAME_WINDOW_UPDATE, 0, 1, "\0\0\0\1", 4, 4000, "WINDOW_UPDATE");
    floods(WF_H2_FRAME_WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4, 4000, "WINDOW_UPDATE");
}

static void test_a_flood_of_empty_data_is_calmed(void **state)
{
    (void)state;
    floods(WF_H2_FRAME_DATA, 0, 1, NULL, 0, 1000, "DATA frames without content");
}

static void test_a_flood_of_padding_is_calmed(void **state)
{
    (void)state;
    static uint8_t padding[256] = {255};
    floods(WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED, 1, padding, 256, 1000,
           "DATA frames without content");
}

static void test_a_flood_of_unknown_frames_is_calmed(void **state)
{
    (void)state;
    floods(0xee, 0, 1, "anything", 8, 1000, "unknown types");
}

static void test_a_flood_of_goaways_is_calmed(void **state)
{
    (void)state;
    floods(WF_H2_FRAME_GOAWAY, 0, 0, "\0\0\0\1\0\0\0\0", 8, 50, "GOAWAY");
}

static void test_data_that_never_stops_after_our_reset_is_calmed(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.control_burst = 100;
    rig_init_client_with(&rig, &config);
    struct wf_h2_stream *stream = rig_get(&rig, 1);
    wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
    peer_expect_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    unsigned count = flood(&rig, WF_H2_FRAME_DATA, 0, 1, "x", 1, 20000);
    assert_in_range(count, 5000 + 128, 5000 + 128 + 16 + BATCH);
    expect_limit(&rig, "streams that were reset");
    rig_fini(&rig);
}

static void test_settings_cost_more_with_many_streams(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.control_burst = 400;
    rig_init_client_with(&rig, &config);
    for (int i = 0; i < 448; i++)
        (void)rig_submit(&rig, "GET", true);
    rig_run(&rig);
    unsigned count = flood(&rig, WF_H2_FRAME_SETTINGS, 0, 0, NULL, 0, 1000);
    assert_in_range(count, BATCH, 100); /* (100 + 448) / 8 */
    expect_limit(&rig, "SETTINGS");
    rig_fini(&rig);
}

static void test_informational_responses_are_counted(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.max_informational = 3;
    rig_init_client_with(&rig, &config);
    rig_get(&rig, 1);
    for (int i = 0; i < 3; i++) {
        peer_send_headers(&rig.peer, 1, 0, ":status", "103", NULL);
        rig_expect(&rig, "HEADERS 1 INFORMATIONAL 103");
    }
    peer_send_headers(&rig.peer, 1, 0, ":status", "103", NULL);
    rig_expect_stream_error(&rig, 1, WF_H2_ENHANCE_YOUR_CALM);
    assert_non_null(strstr(rig.last_reason, "max_informational"));
    rig_fini(&rig);
}

static void test_all_sections_of_a_response_count_together(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.max_header_list_size = 200;
    rig_init_client_with(&rig, &config);
    rig_get(&rig, 1);
    static const char value[] = "one hundred octets are less than the two hundred that may be, so "
                                "this one alone is nothing to worry";
    /* 42 for the status, and 32 + 1 + 98. */
    peer_send_headers(&rig.peer, 1, 0, ":status", "103", "a", value, NULL);
    rig_expect(&rig, "HEADERS 1 INFORMATIONAL 103");
    peer_send_headers(&rig.peer, 1, 0, ":status", "103", "a", value, NULL);
    rig_expect(&rig, "HEADERS 1 INFORMATIONAL 103");
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", "a", value, NULL);
    rig_expect_stream_error(&rig, 1, WF_H2_ENHANCE_YOUR_CALM);
    assert_non_null(strstr(rig.last_reason, "MAX_HEADER_LIST_SIZE"));
    rig_fini(&rig);
}

/* A body in frames of one octet, with a PING in every eighth, and a WINDOW_UPDATE that nobody
 * needs: slow, and honest. */
static void test_a_body_in_octets_with_pings_is_fine(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    for (int i = 0; i < 16000; i++) {
        peer_send_data(&rig.peer, 1, 0, 1);
        if (i % 8 != 0)
            continue;
        peer_send_ping(&rig.peer, 0, "estimate");
        peer_send_window_update(&rig.peer, 0, 1);
        peer_expect_ping(&rig.peer, true, "estimate");
    }
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 0);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "DATA 1 16000 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    assert_int_equal(wf_h2_session_guard(rig.session)->kinds[WF_H2_NUISANCE_PING].seen, 2000);
    rig_fini(&rig);
}

/* 256 MiB up, with credit returned twice for each frame, in no time at all. */
static void test_a_fast_upload_does_not_trip_over_its_credit(void **state)
{
    (void)state;
    enum { FRAMES = 16384 };
    static const uint8_t chunk[16384];
    struct h2_rig rig;
    if (rig_step == 1)
        return; /* the same frames, only slower */
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    for (int i = 0; i < FRAMES; i++) {
        wf_h2_session_send_body(rig.session, stream, wf_slice(chunk, sizeof(chunk)), false);
        peer_expect_data(&rig.peer, 1, sizeof(chunk), false);
        peer_send_window_update(&rig.peer, 1, sizeof(chunk));
        peer_send_window_update(&rig.peer, 0, sizeof(chunk));
        rig_expect(&rig, "BODY_SENT 1");
        rig.event_next = rig.event_count = 0;
    }
    assert_int_equal(wf_h2_session_guard(rig.session)->kinds[WF_H2_NUISANCE_WINDOW_UPDATE].seen,
                     2 * FRAMES);
    rig_fini(&rig);
}

/* Many small messages of an application are no squeezed frames. */
static void test_small_messages_with_credit_for_each_are_fine(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    for (int i = 0; i < 6000; i++) {
        wf_h2_session_send_body(rig.session, stream, wf_slice("message", 7), false);
        peer_expect_data(&rig.peer, 1, 7, false);
        peer_send_window_update(&rig.peer, 1, 7);
        peer_send_window_update(&rig.peer, 0, 7);
        rig_expect(&rig, "BODY_SENT 1");
        rig.event_next = rig.event_count = 0;
    }
    rig_fini(&rig);
}

/* A window of one octet at a time makes a frame of ten for each octet: calmed when it is fast,
 * ended by the request's deadline when it is slow. */
static void test_an_upload_through_one_octet_windows_is_calmed(void **state)
{
    (void)state;
    static const uint8_t body[20000];
    struct h2_rig rig;
    rig_init_client(&rig);
    peer_send_settings(&rig.peer, WF_H2_SETTING_INITIAL_WINDOW_SIZE, 1, 0);
    peer_expect_settings_ack(&rig.peer);
    rig_expect(&rig, "SETTINGS");
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, sizeof(body)), true);
    unsigned count = 0;
    while (!wf_h2_session_is_dead(rig.session) && count < 10000) {
        peer_expect_data(&rig.peer, 1, 1, false);
        peer_send_window_update(&rig.peer, 1, 1);
        rig_run(&rig);
        count++;
    }
    assert_in_range(count, 4000, 4100);
    expect_limit(&rig, "WINDOW_UPDATE");
    rig_fini(&rig);
}

static void test_a_slow_trickle_of_control_frames_is_fine(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    for (int i = 0; i < 3000; i++) {
        rig.now_ms += 100;
        peer_send_ping(&rig.peer, 0, "keepaliv");
        peer_send_settings(&rig.peer, 0);
        peer_send_frame(&rig.peer, 0xcc, 0, 0, NULL, 0);
        peer_expect_ping(&rig.peer, true, "keepaliv");
        peer_expect_settings_ack(&rig.peer);
        rig_expect(&rig, "SETTINGS");
        rig.event_next = rig.event_count = 0;
    }
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_flood_of_settings_is_calmed),
        cmocka_unit_test(test_a_flood_of_pings_is_calmed),
        cmocka_unit_test(test_a_flood_of_answers_to_no_ping_is_calmed),
        cmocka_unit_test(test_a_flood_of_resets_is_calmed),
        cmocka_unit_test(test_a_flood_of_priorities_is_calmed),
        cmocka_unit_test(test_a_flood_of_window_updates_is_calmed),
        cmocka_unit_test(test_a_flood_of_empty_data_is_calmed),
        cmocka_unit_test(test_a_flood_of_padding_is_calmed),
        cmocka_unit_test(test_a_flood_of_unknown_frames_is_calmed),
        cmocka_unit_test(test_a_flood_of_goaways_is_calmed),
        cmocka_unit_test(test_data_that_never_stops_after_our_reset_is_calmed),
        cmocka_unit_test(test_settings_cost_more_with_many_streams),
        cmocka_unit_test(test_informational_responses_are_counted),
        cmocka_unit_test(test_all_sections_of_a_response_count_together),
        cmocka_unit_test(test_a_body_in_octets_with_pings_is_fine),
        cmocka_unit_test(test_a_fast_upload_does_not_trip_over_its_credit),
        cmocka_unit_test(test_small_messages_with_credit_for_each_are_fine),
        cmocka_unit_test(test_an_upload_through_one_octet_windows_is_calmed),
        cmocka_unit_test(test_a_slow_trickle_of_control_frames_is_fine),
    };
    return RUN_TWICE(tests);
}
