#include "io_thread/timers.h"

#include "base/assert.h"

#include "support/cmocka.h"

#include <stdlib.h>
#include <time.h>

#define MODEL_TIMERS 200
#define MODEL_STEPS  40000

struct probe {
    struct wf_timer timer;
    struct wf_timers *timers;
    int fired;
    uint64_t fired_at;        /* the caller's now when it fired */
    uint64_t again_in;        /* sets itself anew from its callback; 0: does not */
    struct wf_timer *cancels; /* cancelled from its callback */
    struct wf_timer *sets;    /* set for `sets_for` from its callback */
    uint64_t sets_for;
};

static struct wf_timers timers;
static uint64_t last_fired_when; /* to check the order */
static bool out_of_order;

static void probe_fire(struct wf_timer *timer)
{
    struct probe *probe = wf_container_of(timer, struct probe, timer);
    probe->fired++;
    probe->fired_at = timers.now_ms;
    if (timer->when_ms < last_fired_when)
        out_of_order = true;
    last_fired_when = timer->when_ms;
    if (probe->again_in != 0)
        wf_timer_set(&timers, timer, timers.now_ms + probe->again_in);
    if (probe->cancels != NULL)
        wf_timer_cancel(probe->cancels);
    if (probe->sets != NULL)
        wf_timer_set(&timers, probe->sets, probe->sets_for);
}

static void probe_init(struct probe *probe)
{
    *probe = (struct probe){.timers = &timers};
    wf_timer_init(&probe->timer, probe_fire);
}

static int set_up(void **state)
{
    (void)state;
    wf_timers_init(&timers, 1000);
    last_fired_when = 0;
    out_of_order = false;
    return 0;
}

static void test_an_empty_wheel_has_nothing_next(void **state)
{
    (void)state;
    assert_int_equal(wf_timers_next(&timers), WF_TIMER_NONE);
    assert_int_equal(wf_timers_advance(&timers, 1u << 30), 0);
}

static void test_a_timer_fires_at_its_time_and_not_a_millisecond_before(void **state)
{
    (void)state;
    static const uint64_t delays[] = {1,    2,      63,     64,       65,         4095,      4096,
                                      4097, 262143, 262144, 16777217, 1ull << 35, 1ull << 60};
    for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        struct probe probe;
        probe_init(&probe);
        wf_timers_init(&timers, 1000);
        wf_timer_set(&timers, &probe.timer, 1000 + delays[i]);
        (void)wf_timers_advance(&timers, 1000 + delays[i] - 1);
        assert_int_equal(probe.fired, 0);
        assert_int_equal(wf_timers_next(&timers), 1000 + delays[i]);
        (void)wf_timers_advance(&timers, 1000 + delays[i]);
        assert_int_equal(probe.fired, 1);
        assert_false(wf_timer_is_set(&probe.timer));
    }
}

static void test_the_last_time_that_there_is_can_be_waited_for(void **state)
{
    (void)state;
    struct probe probe;
    probe_init(&probe);
    wf_timer_set(&timers, &probe.timer, UINT64_MAX - 1);
    assert_int_equal(wf_timers_advance(&timers, UINT64_MAX - 2), 0);
    assert_int_equal(wf_timers_advance(&timers, UINT64_MAX - 1), 1);
}

static void test_a_time_that_is_past_fires_in_the_next_advance(void **state)
{
    (void)state;
    struct probe probe;
    probe_init(&probe);
    wf_timer_set(&timers, &probe.timer, 0);
    assert_int_equal(wf_timers_next(&timers), 1000);
    assert_int_equal(wf_timers_advance(&timers, 1000), 1);
    assert_int_equal(wf_timers_next(&timers), WF_TIMER_NONE);
}

static void test_a_timer_that_sets_itself_for_at_once_does_not_hold_the_advance(void **state)
{
    (void)state;
    struct probe probe;
    probe_init(&probe);
    probe.sets = &probe.timer;
    static const uint64_t at_once[] = {0, 1001};
    for (size_t i = 0; i < 2; i++) {
        probe.sets_for = at_once[i];
        wf_timer_set(&timers, &probe.timer, 1001);
        assert_int_equal(wf_timers_advance(&timers, 1001), 1);
        assert_int_equal(wf_timers_advance(&timers, 1001), 1);
        wf_timer_cancel(&probe.timer);
    }
}

static void test_now_is_up_to_date_in_every_callback(void **state)
{
    (void)state;
    struct probe due, later;
    probe_init(&due);
    probe_init(&later);
    wf_timer_set(&timers, &due.timer, 0);
    wf_timer_set(&timers, &later.timer, 1500);
    (void)wf_timers_advance(&timers, 2000);
    assert_int_equal(due.fired_at, 2000);
    assert_int_equal(later.fired_at, 2000);
}

static void test_a_cancelled_timer_does_not_fire_and_leaves_nothing_to_wait_for(void **state)
{
    (void)state;
    struct probe probe;
    probe_init(&probe);
    wf_timer_set(&timers, &probe.timer, 5000);
    wf_timer_cancel(&probe.timer);
    wf_timer_cancel(&probe.timer);
    assert_int_equal(wf_timers_next(&timers), WF_TIMER_NONE);
    assert_int_equal(wf_timers_advance(&timers, 9000), 0);
}

static void test_setting_for_never_cancels(void **state)
{
    (void)state;
    struct probe probe;
    probe_init(&probe);
    wf_timer_set(&timers, &probe.timer, 5000);
    wf_timer_set(&timers, &probe.timer, WF_TIMER_NONE);
    assert_false(wf_timer_is_set(&probe.timer));
    assert_int_equal(wf_timers_next(&timers), WF_TIMER_NONE);
}

static void test_a_callback_may_cancel_a_timer_that_is_due_with_it(void **state)
{
    (void)state;
    struct probe first, second;
    probe_init(&first);
    probe_init(&second);
    first.cancels = &second.timer;
    second.cancels = &first.timer;
    wf_timer_set(&timers, &first.timer, 1005);
    wf_timer_set(&timers, &second.timer, 1005);
    assert_int_equal(wf_timers_advance(&timers, 1005), 1);
    assert_int_equal(first.fired, 1);
    assert_int_equal(second.fired, 0);
}

static void free_own(struct wf_timer *timer)
{
    free(wf_container_of(timer, struct probe, timer));
}

static void test_a_callback_may_free_its_timer(void **state)
{
    (void)state;
    struct probe *probe = malloc(sizeof(*probe));
    assert_non_null(probe);
    wf_timer_init(&probe->timer, free_own);
    wf_timer_set(&timers, &probe->timer, 1005);
    assert_int_equal(wf_timers_advance(&timers, 70000), 1);
}

static void test_a_time_that_runs_backwards_counts_as_now(void **state)
{
    (void)state;
    struct probe probe;
    probe_init(&probe);
    (void)wf_timers_advance(&timers, 5000);
    assert_int_equal(wf_timers_advance(&timers, 10), 0);
    wf_timer_set(&timers, &probe.timer, 5001);
    assert_int_equal(wf_timers_advance(&timers, 5001), 1);
}

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Delays of all sizes, many of them small. */
static uint64_t random_delay(void)
{
    return random_next() & ((UINT64_C(1) << (random_next() % 26)) - 1);
}

struct model {
    struct probe probes[MODEL_TIMERS];
    uint64_t when[MODEL_TIMERS]; /* WF_TIMER_NONE: not set */
    int fired[MODEL_TIMERS];
};

static void model_advance(struct model *model, uint64_t now_ms)
{
    uint64_t earliest = WF_TIMER_NONE;
    for (size_t i = 0; i < MODEL_TIMERS; i++)
        earliest = model->when[i] < earliest ? model->when[i] : earliest;
    uint64_t next = wf_timers_next(&timers);
    assert_true(earliest == WF_TIMER_NONE ? next == WF_TIMER_NONE
                                          : next <= earliest || next == timers.now_ms);

    size_t expected = 0;
    for (size_t i = 0; i < MODEL_TIMERS; i++) {
        if (model->when[i] > now_ms)
            continue;
        model->fired[i]++;
        model->when[i] = WF_TIMER_NONE;
        expected++;
    }
    last_fired_when = 0;
    assert_int_equal(wf_timers_advance(&timers, now_ms), expected);
    assert_false(out_of_order);
    for (size_t i = 0; i < MODEL_TIMERS; i++) {
        assert_int_equal(model->probes[i].fired, model->fired[i]);
        assert_int_equal(wf_timer_is_set(&model->probes[i].timer), model->when[i] != WF_TIMER_NONE);
    }
}

static void test_random_operations_agree_with_a_naive_model(void **state)
{
    (void)state;
    const char *given = getenv("WEFT_TEST_SEED");
    random_state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    random_state |= UINT64_C(1) << 40;
    print_message("seed %llu\n", (unsigned long long)random_state);

    static struct model model;
    uint64_t now_ms = random_next() >> 20;
    wf_timers_init(&timers, now_ms);
    for (size_t i = 0; i < MODEL_TIMERS; i++) {
        probe_init(&model.probes[i]);
        model.when[i] = WF_TIMER_NONE;
        model.fired[i] = 0;
    }
    for (int step = 0; step < MODEL_STEPS; step++) {
        size_t i = (size_t)(random_next() % MODEL_TIMERS);
        switch (random_next() % 8) {
        case 0:
            wf_timer_cancel(&model.probes[i].timer);
            model.when[i] = WF_TIMER_NONE;
            break;
        case 1:
            now_ms += random_delay();
            model_advance(&model, now_ms);
            break;
        case 2: /* exactly where the wheel says that something may be due */
            if (wf_timers_next(&timers) != WF_TIMER_NONE)
                now_ms = wf_timers_next(&timers);
            model_advance(&model, now_ms);
            break;
        default:
            model.when[i] = now_ms + 1 + random_delay();
            wf_timer_set(&timers, &model.probes[i].timer, model.when[i]);
            break;
        }
    }
}

static void test_waiting_for_next_reaches_a_far_timer_in_few_steps(void **state)
{
    (void)state;
    struct probe probe;
    probe_init(&probe);
    wf_timer_set(&timers, &probe.timer, 1000 + 30000);
    int steps = 0;
    while (probe.fired == 0) {
        (void)wf_timers_advance(&timers, wf_timers_next(&timers));
        steps++;
    }
    assert_int_equal(probe.fired_at, 31000);
    assert_true(steps <= 3);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_wheel_has_nothing_next),
        TEST(test_a_timer_fires_at_its_time_and_not_a_millisecond_before),
        TEST(test_the_last_time_that_there_is_can_be_waited_for),
        TEST(test_a_time_that_is_past_fires_in_the_next_advance),
        TEST(test_a_timer_that_sets_itself_for_at_once_does_not_hold_the_advance),
        TEST(test_now_is_up_to_date_in_every_callback),
        TEST(test_a_cancelled_timer_does_not_fire_and_leaves_nothing_to_wait_for),
        TEST(test_setting_for_never_cancels),
        TEST(test_a_callback_may_cancel_a_timer_that_is_due_with_it),
        TEST(test_a_callback_may_free_its_timer),
        TEST(test_a_time_that_runs_backwards_counts_as_now),
        TEST(test_random_operations_agree_with_a_naive_model),
        TEST(test_waiting_for_next_reaches_a_far_timer_in_few_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
