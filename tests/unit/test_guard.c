#include "h2/guard.h"

#include "h2/limits.h"
#include "support/cmocka.h"

static uint64_t take_all(struct wf_h2_guard *guard, enum wf_h2_nuisance kind, uint64_t now_ms)
{
    uint64_t count = 0;
    while (count < 1000000 && wf_h2_guard_take(guard, kind, 1, now_ms))
        count++;
    return count;
}

static void test_a_burst_is_tolerated_and_no_more(void **state)
{
    (void)state;
    static const uint64_t bursts[WF_H2_NUISANCES] = {
        [WF_H2_NUISANCE_SETTINGS] = 250,       [WF_H2_NUISANCE_PING] = 1000,
        [WF_H2_NUISANCE_RST_STREAM] = 1000,    [WF_H2_NUISANCE_PRIORITY] = 1000,
        [WF_H2_NUISANCE_WINDOW_UPDATE] = 4000, [WF_H2_NUISANCE_EMPTY_DATA] = 1000,
        [WF_H2_NUISANCE_UNKNOWN] = 1000,       [WF_H2_NUISANCE_GOAWAY] = 50,
        [WF_H2_NUISANCE_LATE] = 50000,         [WF_H2_NUISANCE_STREAM_ERROR] = 1000,
    };
    struct wf_h2_guard guard;
    wf_h2_guard_init(&guard, WF_H2_DEFAULT_CONTROL_BURST, 65536, 77);
    for (unsigned kind = 0; kind < WF_H2_NUISANCES; kind++) {
        assert_int_equal(take_all(&guard, (enum wf_h2_nuisance)kind, 77), bursts[kind]);
        assert_int_equal(guard.kinds[kind].seen, bursts[kind] + 1);
    }
}

static void test_time_refills_up_to_the_burst(void **state)
{
    (void)state;
    struct wf_h2_guard guard;
    wf_h2_guard_init(&guard, 100, 65536, 0);
    assert_int_equal(take_all(&guard, WF_H2_NUISANCE_PING, 0), 100);
    assert_int_equal(take_all(&guard, WF_H2_NUISANCE_PING, 19), 0);
    assert_int_equal(take_all(&guard, WF_H2_NUISANCE_PING, 1000), 50);
    assert_int_equal(take_all(&guard, WF_H2_NUISANCE_PING, 500), 0); /* a clock never goes back */
    assert_int_equal(take_all(&guard, WF_H2_NUISANCE_PING, UINT64_MAX), 100);
}

static void test_useful_work_pays_first(void **state)
{
    (void)state;
    struct wf_h2_guard guard;
    wf_h2_guard_init(&guard, 100, 65536, 0);
    guard.streams = 10;
    assert_int_equal(take_all(&guard, WF_H2_NUISANCE_PING, 0), 100 + 10 * 4);
    for (int i = 0; i < 64; i++)
        wf_h2_guard_earn(&guard, 16384);
    assert_int_equal(take_all(&guard, WF_H2_NUISANCE_PING, 0), 256 + 64 * 4 / 16);
    assert_int_equal(take_all(&guard, WF_H2_NUISANCE_GOAWAY, 0), 5 + 10);
    /* Late frames: a window for each stream as well. */
    assert_int_equal(take_all(&guard, WF_H2_NUISANCE_LATE, 0), 5000 + 10 * (16 + 8) + 128 + 8);
}

static void test_a_frame_may_cost_several_tokens(void **state)
{
    (void)state;
    struct wf_h2_guard guard;
    wf_h2_guard_init(&guard, 1000, 65536, 0);
    for (int i = 0; i < 50; i++)
        assert_true(wf_h2_guard_take(&guard, WF_H2_NUISANCE_SETTINGS, 5, 0));
    assert_false(wf_h2_guard_take(&guard, WF_H2_NUISANCE_SETTINGS, 5, 0));
}

static void test_every_kind_has_a_reason_that_names_it(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < WF_H2_NUISANCES; kind++) {
        const char *reason = wf_h2_guard_reason((enum wf_h2_nuisance)kind);
        assert_non_null(strstr(reason, "limit on"));
        for (unsigned other = 0; other < kind; other++)
            assert_string_not_equal(reason, wf_h2_guard_reason((enum wf_h2_nuisance)other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_is_tolerated_and_no_more),
        cmocka_unit_test(test_time_refills_up_to_the_burst),
        cmocka_unit_test(test_useful_work_pays_first),
        cmocka_unit_test(test_a_frame_may_cost_several_tokens),
        cmocka_unit_test(test_every_kind_has_a_reason_that_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
