/* The stream states of RFC 9113 section 5.1, each of them with each event. */
#include "h2/stream.h"
#include "support/cmocka.h"

/* What section 5.1 says, written down once more by reading it: the next state by its initials (i,
 * rl, rr, o, hl, hr, c), or what is wrong:
 *   -   we may not do this
 *   CP  connection error PROTOCOL_ERROR      CS  connection error STREAM_CLOSED
 *   SS  stream error STREAM_CLOSED */
static const char *const rfc[WF_H2_STREAM_STATES][WF_H2_STREAM_EVENTS] = {
    /* sent: PUSH_PROMISE HEADERS DATA END_STREAM RST_STREAM WINDOW_UPDATE PRIORITY, and received */
    {"rl", "o", "-", "-", "-", "-", "i", "rr", "o", "CP", "CP", "CP", "CP", "i"},
    {"-", "hr", "-", "-", "c", "-", "rl", "CP", "CP", "CP", "CP", "c", "rl", "rl"},
    {"-", "-", "-", "-", "c", "rr", "rr", "CP", "hl", "CP", "CP", "c", "CP", "rr"},
    {"-", "o", "o", "hl", "c", "o", "o", "CP", "o", "o", "hr", "c", "o", "o"},
    {"-", "-", "-", "-", "c", "hl", "hl", "CP", "hl", "hl", "c", "c", "hl", "hl"},
    {"-", "hr", "hr", "c", "c", "hr", "hr", "CP", "SS", "SS", "SS", "c", "hr", "hr"},
    {"-", "-", "-", "-", "-", "-", "c", "CP", "CS", "CS", "CS", "c", "c", "c"},
};

static const char *const initials[] = {"i", "rl", "rr", "o", "hl", "hr", "c"};

static const char *outcome(const struct wf_h2_stream *stream, bool moved,
                           const struct wf_h2_err *err)
{
    if (moved)
        return initials[stream->state];
    if (err->scope == WF_H2_SCOPE_CONNECTION && err->code == WF_H2_INTERNAL_ERROR)
        return "-";
    if (err->scope == WF_H2_SCOPE_CONNECTION && err->code == WF_H2_PROTOCOL_ERROR)
        return "CP";
    if (err->scope == WF_H2_SCOPE_CONNECTION && err->code == WF_H2_STREAM_CLOSED)
        return "CS";
    if (err->scope == WF_H2_SCOPE_STREAM && err->code == WF_H2_STREAM_CLOSED)
        return "SS";
    return "?";
}

static void test_every_event_in_every_state_does_what_section_5_1_says(void **state)
{
    (void)state;
    for (int from = 0; from < WF_H2_STREAM_STATES; from++) {
        for (int event = 0; event < WF_H2_STREAM_EVENTS; event++) {
            struct wf_h2_stream stream = {.state = (uint8_t)from};
            struct wf_h2_err err = {0};
            bool moved = wf_h2_stream_move(&stream, (enum wf_h2_stream_event)event, &err);
            const char *got = outcome(&stream, moved, &err);
            if (strcmp(got, rfc[from][event]) != 0)
                print_error("state %d, event %d\n", from, event);
            assert_string_equal(got, rfc[from][event]);
            if (!moved) {
                assert_int_equal(stream.state, from);
                assert_non_null(err.reason);
            }
        }
    }
}

static void test_a_stream_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct wf_h2_stream) <= 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_event_in_every_state_does_what_section_5_1_says),
        cmocka_unit_test(test_a_stream_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
