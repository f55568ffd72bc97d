/* How streams live and end: RFC 9113 section 5.1, RST_STREAM, GOAWAY, and what is proven at the
 * end. */
#include "h2/session_internal.h"
#include "support/h2_twice.h"

static void answer(struct h2_rig *rig, uint32_t id)
{
    peer_send_headers(&rig->peer, id, WF_H2_FLAG_END_STREAM, ":status", "200", NULL);
}

static void test_a_get_ends_complete(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_get(&rig, 1);
    assert_int_equal(wf_h2_stream_id(stream), 1);
    assert_true(wf_h2_stream_was_sent(rig.session, stream));
    assert_true((rig.peer.frame.header.flags & WF_H2_FLAG_END_STREAM) != 0);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", "content-length", "5", NULL);
    peer_send_data(&rig.peer, 1, 0, 2);
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 3);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "DATA 1 5 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_expect_no_event(&rig);
    assert_int_equal(wf_h2_session_open_streams(rig.session), 0);
    rig_fini(&rig);
}

static void test_identifiers_are_odd_and_count_up(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    for (uint32_t id = 1; id < 20; id += 2)
        rig_get(&rig, id);
    for (uint32_t id = 19; id < 20; id -= 2)
        answer(&rig, id);
    rig_run(&rig);
    assert_int_equal(wf_h2_session_open_streams(rig.session), 0);
    rig_fini(&rig);
}

static void test_reset_by_the_peer_is_maybe_processed(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER CANCEL MAYBE_PROCESSED");
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_refused_stream_is_not_processed(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_REFUSED_STREAM);
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER REFUSED_STREAM NOT_PROCESSED");
    rig_fini(&rig);
}

static void test_refused_stream_after_a_response_began_is_processed(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_REFUSED_STREAM);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER REFUSED_STREAM PROCESSED");
    rig_fini(&rig);
}

static void test_reset_with_no_error_in_the_middle_of_a_response_is_not_complete(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    peer_send_data(&rig.peer, 1, 0, 10);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_NO_ERROR);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "DATA 1 10");
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_reset_with_no_error_after_a_complete_response_is_complete(void **state)
{
    (void)state;
    static uint8_t body[100000];
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, sizeof(body)), true);
    answer(&rig, 1);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_NO_ERROR);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_another_reset_after_a_complete_response_is_a_reset(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_post(&rig, 1);
    answer(&rig, 1);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER CANCEL PROCESSED");
    rig_fini(&rig);
}

static void test_an_upload_goes_on_after_the_response(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    answer(&rig, 1);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect_no_event(&rig);
    wf_h2_session_send_body(rig.session, stream, wf_slice("abc", 3), true);
    peer_expect_data(&rig.peer, 1, 3, true);
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_frames_on_idle_streams_are_connection_errors(void **state)
{
    (void)state;
    struct h2_rig rig;
    for (int kind = 0; kind < 5; kind++) {
        rig_init_client(&rig);
        rig_get(&rig, 1);
        uint32_t id = kind == 4 ? 2 : 3;
        if (kind == 0 || kind == 4)
            answer(&rig, id);
        else if (kind == 1)
            peer_send_data(&rig.peer, id, 0, 1);
        else if (kind == 2)
            peer_send_rst_stream(&rig.peer, id, WF_H2_CANCEL);
        else
            peer_send_window_update(&rig.peer, id, 1);
        rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
        rig_fini(&rig);
    }
}

/* The response has ended, the upload has not. */
static void half_close_remote(struct h2_rig *rig)
{
    rig_init_client(rig);
    rig_post(rig, 1);
    answer(rig, 1);
    rig_expect(rig, "HEADERS 1 RESPONSE 200 END");
}

static void test_headers_after_end_stream_are_a_stream_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    half_close_remote(&rig);
    answer(&rig, 1);
    rig_expect_stream_error(&rig, 1, WF_H2_STREAM_CLOSED);
    rig_fini(&rig);
}

static void test_data_after_end_stream_is_a_stream_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    half_close_remote(&rig);
    peer_send_data(&rig.peer, 1, 0, 5);
    rig_expect_stream_error(&rig, 1, WF_H2_STREAM_CLOSED);
    rig_fini(&rig);
}

static void test_window_update_and_priority_after_end_stream_are_fine(void **state)
{
    (void)state;
    struct h2_rig rig;
    half_close_remote(&rig);
    peer_send_window_update(&rig.peer, 1, 10);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PRIORITY, 0, 1, "\0\0\0\0\0", 5);
    rig_expect_no_event(&rig);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void complete_one(struct h2_rig *rig)
{
    rig_init_client(rig);
    rig_get(rig, 1);
    answer(rig, 1);
    rig_expect(rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect(rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
}

static void test_headers_on_a_stream_that_ended_are_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    complete_one(&rig);
    answer(&rig, 1);
    rig_expect_connection_error(&rig, WF_H2_STREAM_CLOSED);
    rig_fini(&rig);
}

static void test_data_on_a_stream_that_ended_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    complete_one(&rig);
    peer_send_data(&rig.peer, 1, 0, 5);
    rig_expect_connection_error(&rig, WF_H2_STREAM_CLOSED);
    rig_fini(&rig);
}

static void test_data_after_the_peer_reset_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    peer_send_data(&rig.peer, 1, 0, 5);
    rig_expect(&rig, "CLOSED 1 RESET_BY_PEER CANCEL MAYBE_PROCESSED");
    rig_expect_connection_error(&rig, WF_H2_STREAM_CLOSED);
    rig_fini(&rig);
}

static void test_window_update_and_reset_on_a_stream_that_ended_are_ignored(void **state)
{
    (void)state;
    struct h2_rig rig;
    complete_one(&rig);
    peer_send_window_update(&rig.peer, 1, 10);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    rig_expect_no_event(&rig);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_frames_that_crossed_our_reset_are_dropped(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_get(&rig, 1);
    wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
    peer_expect_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    /* The block inserts into the dynamic table: a later one must be able to point at it. */
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", "x-name", "kept in step", NULL);
    peer_send_data(&rig.peer, 1, 0, 500);
    peer_send_window_update(&rig.peer, 1, 1);
    peer_send_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    rig_expect_no_event(&rig);
    rig_get(&rig, 3);
    peer_send_headers(&rig.peer, 3, WF_H2_FLAG_END_STREAM, ":status", "200", "x-name",
                      "kept in step", NULL);
    rig_expect(&rig, "HEADERS 3 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 3 COMPLETE NO_ERROR PROCESSED");
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_resets_of_ours_are_remembered_within_bounds(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    answer(&rig, 1);
    for (uint32_t id = 3; id < 3 + 2 * 600; id += 2) {
        struct wf_h2_stream *stream = rig_get(&rig, id);
        wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
        peer_expect_rst_stream(&rig.peer, id, WF_H2_CANCEL);
    }
    rig_get(&rig, 1203);
    answer(&rig, 1203);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_expect(&rig, "HEADERS 1203 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1203 COMPLETE NO_ERROR PROCESSED");
    answer(&rig, 1201);
    answer(&rig, 900);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_a_forgotten_reset_is_forgiven_and_a_later_end_is_not(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    for (uint32_t id = 1; id < 2 * 600; id += 2) {
        struct wf_h2_stream *stream = rig_get(&rig, id);
        wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
        peer_expect_rst_stream(&rig.peer, id, WF_H2_CANCEL);
    }
    answer(&rig, 1);
    answer(&rig, 1199);
    rig_expect_no_event(&rig);
    rig_get(&rig, 1201);
    answer(&rig, 1201);
    rig_expect(&rig, "HEADERS 1201 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1201 COMPLETE NO_ERROR PROCESSED");
    answer(&rig, 1201);
    rig_expect_connection_error(&rig, WF_H2_STREAM_CLOSED);
    rig_fini(&rig);
}

static void test_goaway_ends_the_streams_above_it(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    rig_get(&rig, 3);
    rig_get(&rig, 5);
    peer_send_goaway(&rig.peer, 3, WF_H2_NO_ERROR);
    rig_expect(&rig, "GOAWAY 3 NO_ERROR");
    rig_expect(&rig, "CLOSED 5 GOAWAY NO_ERROR NOT_PROCESSED");
    rig_expect_no_event(&rig);
    assert_int_equal(wf_h2_session_capacity(rig.session), 0);
    assert_true(wf_h2_session_is_draining(rig.session));
    answer(&rig, 3);
    answer(&rig, 1);
    rig_expect(&rig, "HEADERS 3 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 3 COMPLETE NO_ERROR PROCESSED");
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_several_goaways_may_lower_the_last_stream(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    rig_get(&rig, 3);
    peer_send_goaway(&rig.peer, 0x7fffffff, WF_H2_NO_ERROR);
    peer_send_goaway(&rig.peer, 0x7fffffff, WF_H2_NO_ERROR);
    peer_send_goaway(&rig.peer, 1, WF_H2_INTERNAL_ERROR);
    rig_expect(&rig, "GOAWAY 2147483647 NO_ERROR");
    rig_expect(&rig, "GOAWAY 2147483647 NO_ERROR");
    rig_expect(&rig, "GOAWAY 1 INTERNAL_ERROR");
    rig_expect(&rig, "CLOSED 3 GOAWAY INTERNAL_ERROR NOT_PROCESSED");
    rig_expect_no_event(&rig);
    rig_fini(&rig);
}

static void test_a_goaway_that_raises_the_last_stream_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_goaway(&rig.peer, 1, WF_H2_NO_ERROR);
    peer_send_goaway(&rig.peer, 3, WF_H2_NO_ERROR);
    rig_expect(&rig, "GOAWAY 1 NO_ERROR");
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_frames_for_streams_above_goaway_are_dropped(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_goaway(&rig.peer, 0, WF_H2_NO_ERROR);
    answer(&rig, 1);
    rig_expect(&rig, "GOAWAY 0 NO_ERROR");
    rig_expect(&rig, "CLOSED 1 GOAWAY NO_ERROR NOT_PROCESSED");
    rig_expect_no_event(&rig);
    rig_fini(&rig);
}

static void test_no_request_is_taken_after_goaway(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_stream *stream;
    struct wf_field field = {.name = wf_slice_str(":method"), .value = wf_slice_str("GET")};
    struct wf_h2_message message = {.fields = &field, .count = 1, .end_stream = true};
    rig_init_client(&rig);
    assert_true(wf_h2_session_goaway(rig.session, WF_H2_NO_ERROR, "bye"));
    peer_expect_goaway(&rig.peer, WF_H2_NO_ERROR);
    assert_int_equal(wf_h2_session_request(rig.session, &message, NULL, &stream),
                     WF_H2_SUBMIT_DRAINING);
    rig_fini(&rig);
}

static void test_the_peers_limit_of_streams_is_kept(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_stream *stream;
    struct wf_field field = {.name = wf_slice_str(":method"), .value = wf_slice_str("GET")};
    struct wf_h2_message message = {.fields = &field, .count = 1, .end_stream = true};
    rig_init_client(&rig);
    peer_send_settings(&rig.peer, WF_H2_SETTING_MAX_CONCURRENT_STREAMS, 2u, 0);
    rig_expect(&rig, "SETTINGS");
    peer_expect_settings_ack(&rig.peer);
    rig_get(&rig, 1);
    rig_get(&rig, 3);
    assert_int_equal(wf_h2_session_request(rig.session, &message, NULL, &stream),
                     WF_H2_SUBMIT_NO_CAPACITY);
    answer(&rig, 1);
    rig_run(&rig);
    assert_int_equal(wf_h2_session_capacity(rig.session), 1);
    rig_get(&rig, 5);
    rig_fini(&rig);
}

static void test_a_hundred_streams_are_assumed_before_settings(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    rig_init(&rig, &config);
    assert_int_equal(wf_h2_session_capacity(rig.session), 100);
    assert_false(wf_h2_session_is_ready(rig.session));
    rig_submit(&rig, "GET", true);
    assert_int_equal(wf_h2_session_capacity(rig.session), 99);
    rig_fini(&rig);
}

static void test_unwritten_requests_are_not_sent_when_the_connection_is_lost(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    rig_submit(&rig, "GET", true);
    wf_h2_session_lost(rig.session);
    rig_run(&rig);
    bool first_is_maybe = false;
    bool second_is_unsent = false;
    for (size_t i = 2; i < rig.event_count; i++) {
        first_is_maybe |=
            strcmp(rig.events[i], "CLOSED 1 CONNECTION_LOST NO_ERROR MAYBE_PROCESSED") == 0;
        second_is_unsent |=
            strcmp(rig.events[i], "CLOSED 3 CONNECTION_LOST NO_ERROR NOT_SENT") == 0;
    }
    assert_true(first_is_maybe && second_is_unsent);
    assert_int_equal(rig.event_count, 4);
    assert_false(wf_h2_session_wants_write(rig.session));
    rig_fini(&rig);
}

static void test_unwritten_requests_are_dropped_at_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_submit(&rig, "GET", true);
    peer_send_frame(&rig.peer, WF_H2_FRAME_PING, 0, 0, "1", 1);
    rig_expect(&rig, "CONNECTION_ERROR FRAME_SIZE_ERROR");
    rig_expect(&rig, "CLOSED 1 CONNECTION_ERROR FRAME_SIZE_ERROR NOT_SENT");
    peer_expect_goaway(&rig.peer, WF_H2_FRAME_SIZE_ERROR);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_a_lost_connection_does_not_undo_a_complete_response(void **state)
{
    (void)state;
    static uint8_t body[100000];
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_post(&rig, 1);
    wf_h2_session_send_body(rig.session, stream, wf_slice(body, 1000), true);
    struct wf_slice slices[4];
    (void)wf_h2_session_output(rig.session, slices, 4, 65536);
    answer(&rig, 1);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect_no_event(&rig);
    wf_h2_session_lost(rig.session);
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_a_reset_of_ours_makes_no_event(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_submit(&rig, "GET", true);
    assert_false(wf_h2_stream_was_sent(rig.session, stream));
    /* Its HEADERS go out all the same, so nothing better can be promised. */
    assert_int_equal(wf_h2_stream_effect(rig.session, stream), WF_H2_MAYBE_PROCESSED);
    wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
    peer_expect_headers(&rig.peer, 1);
    peer_expect_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    rig_expect_no_event(&rig);
    assert_int_equal(wf_h2_session_open_streams(rig.session), 0);
    rig_fini(&rig);
}

/* Reads one event, and leaves the rest. */
static struct wf_h2_event next_event(struct h2_rig *rig)
{
    struct wf_h2_event event;
    struct wf_slice in = wf_buf_slice(&rig->to_session);
    assert_true(wf_h2_session_next(rig->session, 0, &in, &event));
    wf_buf_consume(&rig->to_session, wf_buf_len(&rig->to_session) - in.len);
    return event;
}

static void test_a_stream_may_be_reset_when_its_end_is_due(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_get(&rig, 1);
    answer(&rig, 1);
    assert_int_equal(next_event(&rig).type, WF_H2_EVENT_HEADERS);
    wf_h2_session_send_body(rig.session, stream, wf_slice("x", 1), true);
    wf_h2_session_consume(rig.session, stream, 1);
    wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
    rig_expect_no_event(&rig);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_a_stream_may_be_reset_in_the_middle_of_data(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    struct wf_h2_stream *stream = rig_get(&rig, 1);
    rig_get(&rig, 3);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    assert_int_equal(next_event(&rig).type, WF_H2_EVENT_HEADERS);
    peer_send_raw(&rig.peer, "\0\0\x0a\0\1\0\0\0\1half-", 14);
    assert_int_equal(next_event(&rig).type, WF_H2_EVENT_DATA);
    wf_h2_session_reset(rig.session, stream, WF_H2_CANCEL);
    peer_expect_rst_stream(&rig.peer, 1, WF_H2_CANCEL);
    peer_send_raw(&rig.peer, "other", 5);
    answer(&rig, 3);
    rig_expect(&rig, "HEADERS 3 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 3 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_identifiers_run_out(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_stream *stream;
    struct wf_field field = {.name = wf_slice_str(":method"), .value = wf_slice_str("GET")};
    struct wf_h2_message message = {.fields = &field, .count = 1, .end_stream = true};
    rig_init_client(&rig);
    rig.session->next_id = WF_H2_MAX_STREAM_ID - 2;
    assert_int_equal(wf_h2_session_capacity(rig.session), 2);
    rig_get(&rig, WF_H2_MAX_STREAM_ID - 2);
    rig_get(&rig, WF_H2_MAX_STREAM_ID);
    assert_int_equal(wf_h2_session_capacity(rig.session), 0);
    assert_int_equal(wf_h2_session_request(rig.session, &message, NULL, &stream),
                     WF_H2_SUBMIT_NO_STREAM_IDS);
    answer(&rig, WF_H2_MAX_STREAM_ID);
    rig_expect(&rig, "HEADERS 2147483647 RESPONSE 200 END");
    rig_fini(&rig);
}

static void test_a_server_refuses_streams_beyond_its_limit(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_server(&rig);
    for (uint32_t id = 1; id <= 2 * 128 + 1; id += 2)
        peer_send_headers(&rig.peer, id, WF_H2_FLAG_END_STREAM, ":method", "GET", ":scheme",
                          "https", ":path", "/", NULL);
    rig_run(&rig);
    assert_int_equal(wf_h2_session_open_streams(rig.session), 128);
    peer_expect_rst_stream(&rig.peer, 257, WF_H2_REFUSED_STREAM);
    rig_fini(&rig);
}

static void test_a_server_ignores_streams_above_its_goaway(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_server(&rig);
    assert_true(wf_h2_session_goaway(rig.session, WF_H2_NO_ERROR, NULL));
    peer_expect_goaway(&rig.peer, WF_H2_NO_ERROR);
    peer_send_headers(&rig.peer, 1, 0, ":method", "GET", ":scheme", "https", ":path", "/", NULL);
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 5);
    rig_expect_no_event(&rig);
    peer_expect_nothing(&rig.peer);
    rig_fini(&rig);
}

static void test_a_stream_that_goes_backwards_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_server(&rig);
    peer_send_headers(&rig.peer, 5, WF_H2_FLAG_END_STREAM, ":method", "GET", ":scheme", "https",
                      ":path", "/", NULL);
    peer_send_headers(&rig.peer, 3, WF_H2_FLAG_END_STREAM, ":method", "GET", ":scheme", "https",
                      ":path", "/", NULL);
    rig_expect(&rig, "HEADERS 5 REQUEST 0 END");
    rig_expect_connection_error(&rig, WF_H2_STREAM_CLOSED);
    rig_fini(&rig);
}

static void test_an_even_stream_of_a_client_is_a_connection_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_server(&rig);
    peer_send_headers(&rig.peer, 2, WF_H2_FLAG_END_STREAM, ":method", "GET", ":scheme", "https",
                      ":path", "/", NULL);
    rig_expect_connection_error(&rig, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_get_ends_complete),
        cmocka_unit_test(test_identifiers_are_odd_and_count_up),
        cmocka_unit_test(test_reset_by_the_peer_is_maybe_processed),
        cmocka_unit_test(test_refused_stream_is_not_processed),
        cmocka_unit_test(test_refused_stream_after_a_response_began_is_processed),
        cmocka_unit_test(test_reset_with_no_error_in_the_middle_of_a_response_is_not_complete),
        cmocka_unit_test(test_reset_with_no_error_after_a_complete_response_is_complete),
        cmocka_unit_test(test_another_reset_after_a_complete_response_is_a_reset),
        cmocka_unit_test(test_an_upload_goes_on_after_the_response),
        cmocka_unit_test(test_frames_on_idle_streams_are_connection_errors),
        cmocka_unit_test(test_headers_after_end_stream_are_a_stream_error),
        cmocka_unit_test(test_data_after_end_stream_is_a_stream_error),
        cmocka_unit_test(test_window_update_and_priority_after_end_stream_are_fine),
        cmocka_unit_test(test_headers_on_a_stream_that_ended_are_a_connection_error),
        cmocka_unit_test(test_data_on_a_stream_that_ended_is_a_connection_error),
        cmocka_unit_test(test_data_after_the_peer_reset_is_a_connection_error),
        cmocka_unit_test(test_window_update_and_reset_on_a_stream_that_ended_are_ignored),
        cmocka_unit_test(test_frames_that_crossed_our_reset_are_dropped),
        cmocka_unit_test(test_resets_of_ours_are_remembered_within_bounds),
        cmocka_unit_test(test_a_forgotten_reset_is_forgiven_and_a_later_end_is_not),
        cmocka_unit_test(test_goaway_ends_the_streams_above_it),
        cmocka_unit_test(test_several_goaways_may_lower_the_last_stream),
        cmocka_unit_test(test_a_goaway_that_raises_the_last_stream_is_a_connection_error),
        cmocka_unit_test(test_frames_for_streams_above_goaway_are_dropped),
        cmocka_unit_test(test_no_request_is_taken_after_goaway),
        cmocka_unit_test(test_the_peers_limit_of_streams_is_kept),
        cmocka_unit_test(test_a_hundred_streams_are_assumed_before_settings),
        cmocka_unit_test(test_unwritten_requests_are_not_sent_when_the_connection_is_lost),
        cmocka_unit_test(test_unwritten_requests_are_dropped_at_a_connection_error),
        cmocka_unit_test(test_a_lost_connection_does_not_undo_a_complete_response),
        cmocka_unit_test(test_a_reset_of_ours_makes_no_event),
        cmocka_unit_test(test_a_stream_may_be_reset_when_its_end_is_due),
        cmocka_unit_test(test_a_stream_may_be_reset_in_the_middle_of_data),
        cmocka_unit_test(test_identifiers_run_out),
        cmocka_unit_test(test_a_server_refuses_streams_beyond_its_limit),
        cmocka_unit_test(test_a_server_ignores_streams_above_its_goaway),
        cmocka_unit_test(test_a_stream_that_goes_backwards_is_a_connection_error),
        cmocka_unit_test(test_an_even_stream_of_a_client_is_a_connection_error),
    };
    return RUN_TWICE(tests);
}
