/* Receive windows that grow: the rule alone, and in a session. */
#include "h2/growth.h"
#include "h2/session_internal.h"
#include "support/cmocka.h"
#include "support/h2_rig.h"

#define WINDOW 131072u
#define MAX    524288u
#define UNIT   WF_H2_GROWTH_UNIT

static struct wf_h2_growth growth_of(uint32_t left)
{
    return (struct wf_h2_growth){.max_stream_window = MAX,
                                 .max_connection_window = 4 * MAX,
                                 .left = left,
                                 .round_trip_ms = 100};
}

/* Credit for half of the window, of which @waiting octets wait for a reader. */
static struct wf_h2_credit credit_of(const struct wf_h2_window_growth *grown, uint32_t waiting)
{
    uint32_t window = WINDOW + wf_h2_growth_octets(grown);
    return (struct wf_h2_credit){window, window / 2, (int32_t)(window - waiting)};
}

static uint32_t step(struct wf_h2_growth *growth, struct wf_h2_window_growth *stream,
                     uint32_t waiting, uint64_t now_ms)
{
    struct wf_h2_credit credit = credit_of(stream, waiting);
    return wf_h2_growth_of_stream(growth, stream, &credit, now_ms);
}

static void test_a_window_used_up_within_a_round_trip_doubles_up_to_its_limit(void **state)
{
    (void)state;
    struct wf_h2_growth growth = growth_of(UINT32_MAX);
    struct wf_h2_window_growth stream = {0};
    assert_int_equal(step(&growth, &stream, 0, 1000), 0); /* nothing to compare with */
    assert_int_equal(step(&growth, &stream, 0, 1099), WINDOW);
    assert_int_equal(step(&growth, &stream, 0, 1150), 2 * WINDOW);
    assert_int_equal(step(&growth, &stream, 0, 1160), 0);
    assert_int_equal(wf_h2_growth_octets(&stream), MAX - WINDOW);
}

static void test_a_window_that_holds_more_than_twice_what_comes_in_a_round_trip_stays(void **state)
{
    (void)state;
    struct wf_h2_growth growth = growth_of(UINT32_MAX);
    struct wf_h2_window_growth stream = {0};
    for (uint64_t now_ms = 7; now_ms < 1000; now_ms += 134)
        assert_int_equal(step(&growth, &stream, 0, now_ms), 0);
    assert_int_equal(step(&growth, &stream, 0, 1000), WINDOW);
}

static void test_a_round_trip_is_no_longer_than_credit_takes_to_be_used(void **state)
{
    (void)state;
    struct wf_h2_growth growth = growth_of(0);
    struct wf_h2_window_growth stream = {0};
    growth.round_trip_ms = 3000; /* SETTINGS were acknowledged late */
    struct wf_h2_credit credit = {WINDOW, WINDOW / 2, (int32_t)WINDOW};
    (void)wf_h2_growth_of_stream(&growth, &stream, &credit, 1000);
    /* All that was open before the last credit has come, and nothing else. */
    (void)wf_h2_growth_of_stream(&growth, &stream, &credit, 1030);
    assert_int_equal(growth.round_trip_ms, 3000);
    credit.increment++;
    (void)wf_h2_growth_of_stream(&growth, &stream, &credit, 1080);
    assert_int_equal(growth.round_trip_ms, 51);
    (void)wf_h2_growth_of_stream(&growth, &stream, &credit, 1180);
    assert_int_equal(growth.round_trip_ms, 51);
    growth.left = WINDOW;
    (void)wf_h2_growth_of_stream(&growth, &stream, &credit, 1249);
    assert_int_equal(growth.left, WINDOW); /* 51 of 69 parts of half a window */
    (void)wf_h2_growth_of_stream(&growth, &stream, &credit, 1300);
    assert_int_equal(growth.left, 0);
}

static void test_a_round_trip_that_is_not_known_makes_nothing_grow(void **state)
{
    (void)state;
    struct wf_h2_growth growth = growth_of(UINT32_MAX);
    struct wf_h2_window_growth stream = {0};
    growth.round_trip_ms = 0;
    for (int i = 0; i < 10; i++)
        assert_int_equal(step(&growth, &stream, 0, 5), 0);
}

static void test_a_reader_that_falls_behind_makes_nothing_grow(void **state)
{
    (void)state;
    struct wf_h2_growth growth = growth_of(UINT32_MAX);
    struct wf_h2_window_growth stream = {0};
    /* It reads all that waits at once, from time to time. */
    for (uint64_t now_ms = 0; now_ms < 100; now_ms += 10) {
        assert_int_equal(step(&growth, &stream, WINDOW / 2, now_ms), 0);
        assert_int_equal(step(&growth, &stream, 0, now_ms), 0);
    }
}

static void test_all_windows_together_grow_within_one_budget(void **state)
{
    (void)state;
    struct wf_h2_growth growth = growth_of(WINDOW + UNIT + 5);
    struct wf_h2_window_growth streams[3] = {{0}, {0}, {0}};
    for (int i = 0; i < 3; i++)
        assert_int_equal(step(&growth, &streams[i], 0, 7), 0);
    assert_int_equal(step(&growth, &streams[0], 0, 8), WINDOW);
    assert_int_equal(step(&growth, &streams[1], 0, 8), UNIT);
    assert_int_equal(step(&growth, &streams[2], 0, 8), 0);
    wf_h2_growth_end(&growth, &streams[0]);
    assert_int_equal(growth.left, WINDOW + 5);
    assert_int_equal(step(&growth, &streams[2], 0, 9), WINDOW);
}

static void test_sessions_share_what_their_windows_may_grow_by(void **state)
{
    (void)state;
    struct wf_h2_growth_pool pool = {.max = WINDOW + UNIT};
    struct wf_h2_growth one = growth_of(UINT32_MAX);
    struct wf_h2_growth other = growth_of(UINT32_MAX);
    struct wf_h2_window_growth streams[2] = {{0}, {0}};
    one.pool = &pool;
    other.pool = &pool;
    assert_int_equal(step(&one, &streams[0], 0, 7) + step(&other, &streams[1], 0, 7), 0);
    assert_int_equal(step(&one, &streams[0], 0, 8), WINDOW);
    assert_int_equal(step(&other, &streams[1], 0, 8), UNIT);
    assert_int_equal(pool.grown, WINDOW + UNIT);
    wf_h2_growth_end(&one, &streams[0]);
    assert_int_equal(pool.grown, UNIT);
}

static void test_the_connections_window_grows_by_the_same_rule(void **state)
{
    (void)state;
    struct wf_h2_growth growth = growth_of(0); /* it holds nothing that waits for a reader */
    struct wf_h2_window_growth grown = {0};
    struct wf_h2_credit credit = credit_of(&grown, 0);
    assert_int_equal(wf_h2_growth_of_connection(&growth, &grown, &credit, 5), 0);
    for (uint32_t window = WINDOW; window < 4 * MAX; window *= 2) {
        assert_int_equal(wf_h2_growth_of_connection(&growth, &grown, &credit, 6), window);
        credit = credit_of(&grown, 0);
    }
    assert_int_equal(wf_h2_growth_of_connection(&growth, &grown, &credit, 6), 0);
}

static void test_no_window_grows_above_2_31(void **state)
{
    (void)state;
    struct wf_h2_growth growth = growth_of(UINT32_MAX);
    struct wf_h2_window_growth stream = {0};
    uint32_t window = WF_H2_MAX_WINDOW - UNIT - 1;
    growth.max_stream_window = UINT32_MAX;
    struct wf_h2_credit credit = {window, window / 2, (int32_t)window};
    (void)wf_h2_growth_of_stream(&growth, &stream, &credit, 5);
    assert_int_equal(wf_h2_growth_of_stream(&growth, &stream, &credit, 5), UNIT);
    window += UNIT;
    credit = (struct wf_h2_credit){window, window / 2, (int32_t)window};
    assert_int_equal(wf_h2_growth_of_stream(&growth, &stream, &credit, 5), 0);
}

static struct wf_h2_config growing(void)
{
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.initial_window_size = WINDOW;
    config.connection_window = WINDOW;
    config.max_stream_window = MAX;
    config.max_connection_window = MAX;
    config.max_growth = 10 * MAX;
    return config;
}

static void test_the_round_trip_is_that_of_our_settings(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = growing();
    rig_init(&rig, &config);
    peer_expect_preface(&rig.peer);
    peer_expect_settings(&rig.peer);
    peer_send_settings(&rig.peer, 0);
    rig_expect(&rig, "SETTINGS");
    assert_int_equal(rig.session->growth.round_trip_ms, 0);
    rig.now_ms += 80;
    peer_send_settings_ack(&rig.peer);
    rig_run(&rig);
    assert_int_equal(rig.session->growth.round_trip_ms, 80);
    rig_fini(&rig);
}

static void send_octets(struct h2_rig *rig, uint32_t id, uint32_t len)
{
    for (uint32_t sent = 0; sent < len; sent += 8192)
        peer_send_data(&rig->peer, id, 0, 8192);
    rig_run(rig);
}

/* A client whose round trip is 100 ms, and the response that its first stream waits for. */
static struct wf_h2_stream *begin(struct h2_rig *rig, const struct wf_h2_config *config)
{
    rig_init_client_with(rig, config);
    rig->session->growth.round_trip_ms = 100;
    struct wf_h2_stream *stream = rig_get(rig, 1);
    peer_send_headers(&rig->peer, 1, 0, ":status", "200", NULL);
    rig_expect(rig, "HEADERS 1 RESPONSE 200");
    return stream;
}

/* Half of the window, and the other half before an answer to the first WINDOW_UPDATE can be here.
 */
static void grow_once(struct h2_rig *rig)
{
    send_octets(rig, 1, WINDOW / 2);
    rig->now_ms += 50;
    send_octets(rig, 1, WINDOW / 2);
    rig_expect(rig, "DATA 1 131072");
}

static void test_the_peer_may_use_all_of_a_window_that_grew_and_no_more(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = growing();
    config.connection_window = 1u << 24;
    struct wf_h2_stream *stream = begin(&rig, &config);
    grow_once(&rig);
    assert_int_equal(stream->recv_window.open, 2 * WINDOW);
    assert_int_equal(wf_h2_growth_octets(&stream->growth), WINDOW);
    rig.keeps_credit = true;
    send_octets(&rig, 1, 2 * WINDOW);
    rig_expect(&rig, "DATA 1 262144");
    assert_int_equal(rig.session->growth.left, 10 * MAX - WINDOW);
    peer_send_data(&rig.peer, 1, 0, 1);
    rig_run(&rig);
    assert_int_equal(rig.session->growth.left, 10 * MAX); /* the stream has ended */
    rig_expect(&rig, "CLOSED 1 STREAM_ERROR FLOW_CONTROL_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_the_connection_may_use_all_of_a_window_that_grew_and_no_more(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = growing();
    (void)begin(&rig, &config);
    grow_once(&rig);
    assert_int_equal(rig.session->recv_window.open, 2 * WINDOW);
    assert_int_equal(wf_h2_growth_octets(&rig.session->recv_growth), WINDOW);
    rig.session->recv_window.open = 8191;
    rig.session->recv_window.unreturned = 2 * WINDOW - 8191;
    peer_send_data(&rig.peer, 1, 0, 8192);
    rig_run(&rig);
    rig_expect_connection_error(&rig, WF_H2_FLOW_CONTROL_ERROR);
    rig_fini(&rig);
}

static void test_a_stream_that_nobody_reads_does_not_grow(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = growing();
    config.connection_window = 1u << 24;
    struct wf_h2_stream *stream = begin(&rig, &config);
    rig.keeps_credit = true;
    send_octets(&rig, 1, WINDOW);
    rig_expect(&rig, "DATA 1 131072");
    assert_int_equal(stream->recv_window.open, 0);
    assert_int_equal(wf_h2_growth_octets(&stream->growth), 0);
    peer_send_data(&rig.peer, 1, 0, 1);
    rig_run(&rig);
    rig_expect(&rig, "CLOSED 1 STREAM_ERROR FLOW_CONTROL_ERROR PROCESSED");
    rig_fini(&rig);
}

/* Its credit goes back at once, whoever reads or does not. */
static void test_padding_makes_nothing_grow(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = growing();
    config.connection_window = 1u << 24;
    struct wf_h2_stream *stream = begin(&rig, &config);
    uint8_t payload[1 + 1 + 255] = {255, 'x'};
    rig.keeps_credit = true;
    for (uint32_t i = 0; i < 3 * WINDOW / sizeof(payload); i++) {
        peer_send_frame(&rig.peer, WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED, 1, payload,
                        sizeof(payload));
        if (i % 100 == 0)
            rig.now_ms++;
        rig_run(&rig);
    }
    assert_int_equal(wf_h2_growth_octets(&stream->growth), 0);
    assert_true(stream->recv_window.open > 0);
    rig_fini(&rig);
}

static void test_a_session_that_ends_gives_back_what_its_streams_had(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_growth_pool pool = {.max = 10 * MAX};
    struct wf_h2_config config = growing();
    config.growth_pool = &pool;
    (void)begin(&rig, &config);
    grow_once(&rig);
    assert_int_equal(pool.grown, WINDOW);
    rig_fini(&rig);
    assert_int_equal(pool.grown, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_used_up_within_a_round_trip_doubles_up_to_its_limit),
        cmocka_unit_test(test_a_window_that_holds_more_than_twice_what_comes_in_a_round_trip_stays),
        cmocka_unit_test(test_a_round_trip_is_no_longer_than_credit_takes_to_be_used),
        cmocka_unit_test(test_a_round_trip_that_is_not_known_makes_nothing_grow),
        cmocka_unit_test(test_a_reader_that_falls_behind_makes_nothing_grow),
        cmocka_unit_test(test_all_windows_together_grow_within_one_budget),
        cmocka_unit_test(test_sessions_share_what_their_windows_may_grow_by),
        cmocka_unit_test(test_the_connections_window_grows_by_the_same_rule),
        cmocka_unit_test(test_no_window_grows_above_2_31),
        cmocka_unit_test(test_the_round_trip_is_that_of_our_settings),
        cmocka_unit_test(test_the_peer_may_use_all_of_a_window_that_grew_and_no_more),
        cmocka_unit_test(test_the_connection_may_use_all_of_a_window_that_grew_and_no_more),
        cmocka_unit_test(test_a_stream_that_nobody_reads_does_not_grow),
        cmocka_unit_test(test_padding_makes_nothing_grow),
        cmocka_unit_test(test_a_session_that_ends_gives_back_what_its_streams_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
