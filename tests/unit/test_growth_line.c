/* Receive windows that grow, over a line whose time is counted and not waited for: one download, a
 * server that sends all it may, and a reader that gives credit in lumps, as ours do. */
#include "h2/session_internal.h"
#include "support/cmocka.h"
#include "support/h2_rig.h"
#include "support/random.h"

#define TICKS      4000u /* milliseconds of a run */
#define WINDOW     (1u << 20)
#define LUMP       (WINDOW / 4)
#define FRAME_LEN  16384u
#define UPDATE_LEN (WF_H2_FRAME_HEADER_LEN + 4)

struct line {
    struct h2_rig rig;
    struct wf_h2_stream *stream;
    uint32_t delay_ms; /* one way */
    uint32_t rate;     /* octets a millisecond */
    uint32_t now;      /* milliseconds since the beginning */
    /* The server's. */
    int64_t may_send;
    int64_t may_send_in_all;
    /* On their way, by when they arrive. */
    uint32_t data[TICKS + 1000];
    uint32_t credit[TICKS + 1000];
    uint32_t credit_in_all[TICKS + 1000];
    /* The reader's. */
    uint64_t received;
    uint64_t waiting; /* of these, not read */
    uint32_t read;    /* and of those that are, not yet told */
    bool is_stopped;
};

static struct wf_h2_config config_of_client(void)
{
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.initial_window_size = WINDOW;
    config.max_stream_window = 16 * WINDOW;
    config.max_connection_window = 32 * WINDOW;
    config.max_growth = 32 * WINDOW;
    return config;
}

static void line_init(struct line *line, const struct wf_h2_config *config, uint32_t delay_ms,
                      uint32_t rate)
{
    memset(line, 0, sizeof(*line));
    rig_init_client_with(&line->rig, config);
    line->rig.keeps_credit = true;
    line->rig.now_ms = 1;
    line->rig.session->growth.round_trip_ms = 2 * delay_ms;
    line->stream = rig_get(&line->rig, 1);
    peer_send_headers(&line->rig.peer, 1, 0, ":status", "200", NULL);
    rig_expect(&line->rig, "HEADERS 1 RESPONSE 200");
    line->delay_ms = delay_ms;
    line->rate = rate;
    line->may_send = config->initial_window_size;
    line->may_send_in_all = config->connection_window;
}

/* The server's millisecond. */
static void serve(struct line *line)
{
    line->may_send += line->credit[line->now];
    line->may_send_in_all += line->credit_in_all[line->now];
    int64_t len = line->rate;
    if (len > line->may_send)
        len = line->may_send;
    if (len > line->may_send_in_all)
        len = line->may_send_in_all;
    line->may_send -= len;
    line->may_send_in_all -= len;
    line->data[line->now + line->delay_ms] += (uint32_t)len;
}

/* What the session writes are WINDOW_UPDATE frames, and nothing else: no PING. */
static void take_updates(struct line *line)
{
    struct wf_slice slices[4];
    size_t count = wf_h2_session_output(line->rig.session, slices, 4, SIZE_MAX);
    if (count == 0)
        return;
    assert_int_equal(count, 1);
    assert_int_equal(slices[0].len % UPDATE_LEN, 0);
    uint32_t at = line->now + line->delay_ms + 1;
    for (const uint8_t *p = slices[0].ptr; p < slices[0].ptr + slices[0].len; p += UPDATE_LEN) {
        assert_int_equal(p[3], WF_H2_FRAME_WINDOW_UPDATE);
        uint32_t *credit = wf_h2_get_u32(p + 5) == 0 ? line->credit_in_all : line->credit;
        credit[at] += wf_h2_get_u32(p + WF_H2_FRAME_HEADER_LEN);
    }
    wf_h2_session_wrote(line->rig.session, slices[0].len);
}

static uint32_t window_of(const struct line *line)
{
    return WINDOW + wf_h2_growth_octets(&line->stream->growth);
}

static void receive(struct line *line)
{
    uint32_t len = line->data[line->now];
    for (uint32_t left = len; left > 0;) {
        uint32_t piece = left < FRAME_LEN ? left : FRAME_LEN;
        peer_send_data(&line->rig.peer, 1, 0, piece);
        left -= piece;
    }
    rig_run(&line->rig);
    line->received += len;
    line->waiting += len;
    if (line->is_stopped)
        return;
    line->read += (uint32_t)line->waiting;
    line->waiting = 0;
    if (line->read < LUMP)
        return;
    wf_h2_session_set_time(line->rig.session, line->rig.now_ms);
    wf_h2_session_consume(line->rig.session, line->stream, line->read);
    line->read = 0;
}

static void tick(struct line *line)
{
    serve(line);
    receive(line);
    take_updates(line);
    assert_false(line->stream->ended);
    assert_in_range(line->waiting + line->read, 0, window_of(line));
    line->now++;
    line->rig.now_ms++;
}

/* Octets of @ticks milliseconds, in percent of what the line holds. */
static unsigned filled(struct line *line, uint32_t ticks)
{
    uint64_t before = line->received;
    for (uint32_t i = 0; i < ticks; i++)
        tick(line);
    return (unsigned)((line->received - before) * 100 / ((uint64_t)line->rate * ticks));
}

static void test_a_window_grows_until_a_long_line_is_filled_and_no_further(void **state)
{
    (void)state;
    static struct line line;
    struct wf_h2_config config = config_of_client();
    line_init(&line, &config, 50, 12500);
    assert_in_range(filled(&line, 1500), 0, 95);
    assert_in_range(filled(&line, 2000), 99, 100);
    assert_int_equal(window_of(&line), 4 * WINDOW); /* the line holds 1.2 */
    rig_fini(&line.rig);
}

static void test_a_window_that_may_not_grow_does_not_fill_it(void **state)
{
    (void)state;
    static struct line line;
    struct wf_h2_config config = config_of_client();
    config.max_stream_window = 0;
    line_init(&line, &config, 50, 12500);
    (void)filled(&line, 1500);
    assert_in_range(filled(&line, 2000), 30, 79);
    rig_fini(&line.rig);
}

static void test_a_late_acknowledgement_does_not_make_it_grow_further(void **state)
{
    (void)state;
    static struct line line;
    struct wf_h2_config config = config_of_client();
    line_init(&line, &config, 50, 12500);
    line.rig.session->growth.round_trip_ms = 3000;
    (void)filled(&line, 1500);
    assert_in_range(filled(&line, 2000), 99, 100);
    assert_in_range(line.rig.session->growth.round_trip_ms, 100, 160);
    assert_in_range(window_of(&line), 4 * WINDOW, 8 * WINDOW);
    rig_fini(&line.rig);
}

static void test_a_short_line_leaves_the_window_as_it_is(void **state)
{
    (void)state;
    static struct line line;
    struct wf_h2_config config = config_of_client();
    line_init(&line, &config, 5, 12500);
    assert_in_range(filled(&line, 1000), 98, 100);
    assert_int_equal(window_of(&line), WINDOW);
    rig_fini(&line.rig);
}

static void test_the_connections_window_grows_until_the_line_is_filled(void **state)
{
    (void)state;
    static struct line line;
    struct wf_h2_config config = config_of_client();
    config.connection_window = WINDOW / 2;
    line_init(&line, &config, 50, 12500);
    (void)filled(&line, 2000);
    assert_in_range(filled(&line, 1500), 99, 100);
    assert_in_range(line.rig.session->recv_growth.units * WF_H2_GROWTH_UNIT, 2 * WINDOW,
                    8 * WINDOW);
    rig_fini(&line.rig);
}

/* Whatever the reader does, the server may use its window to the last octet, and nothing grows
 * while the reader stands still. */
static void test_a_reader_that_stops_from_time_to_time_is_never_sent_too_much(void **state)
{
    (void)state;
    static struct line line;
    struct test_random random = test_random_start("growth_line");
    struct wf_h2_config config = config_of_client();
    line_init(&line, &config, 1 + (uint32_t)test_random_below(&random, 100),
              1000 + (uint32_t)test_random_below(&random, 20000));
    uint32_t turn_at = 0;
    for (uint32_t i = 0; i < TICKS - 1000; i++) {
        if (i == turn_at) {
            line.is_stopped = !line.is_stopped;
            turn_at += 1 + (uint32_t)test_random_below(&random, 300);
        }
        uint32_t before = window_of(&line);
        tick(&line);
        if (line.is_stopped)
            assert_int_equal(window_of(&line), before);
    }
    line.is_stopped = true;
    for (uint32_t i = 0; i < 1000; i++)
        tick(&line);
    if (line.may_send == 0) {
        assert_int_equal(line.stream->recv_window.open, 0);
        peer_send_data(&line.rig.peer, 1, 0, 1);
        rig_run(&line.rig);
        assert_true(line.stream->ended);
    }
    rig_fini(&line.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_grows_until_a_long_line_is_filled_and_no_further),
        cmocka_unit_test(test_a_window_that_may_not_grow_does_not_fill_it),
        cmocka_unit_test(test_a_late_acknowledgement_does_not_make_it_grow_further),
        cmocka_unit_test(test_a_short_line_leaves_the_window_as_it_is),
        cmocka_unit_test(test_the_connections_window_grows_until_the_line_is_filled),
        cmocka_unit_test(test_a_reader_that_stops_from_time_to_time_is_never_sent_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
