/* Percentiles and moments of latencies. */
#include "histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void expect_near(uint64_t value, uint64_t expected)
{
    uint64_t slack = expected / 1000 + 1;

    if (value + slack < expected || value > expected + slack)
        fail_msg("%llu is not within 0.1 percent of %llu", (unsigned long long)value,
                 (unsigned long long)expected);
}

static int setup(void **state)
{
    static struct wf_load_histogram histogram;

    wf_load_histogram_init(&histogram);
    *state = &histogram;
    return 0;
}

static int teardown(void **state)
{
    wf_load_histogram_fini(*state);
    return 0;
}

static void test_every_value_keeps_three_digits(void **state)
{
    struct wf_load_histogram *histogram = *state;

    for (uint64_t ns = WF_LOAD_HISTOGRAM_MIN_NS; ns <= WF_LOAD_HISTOGRAM_MAX_NS; ns += ns / 7) {
        wf_load_histogram_fini(histogram);
        wf_load_histogram_init(histogram);
        /* Neighbours on both sides, so that the exact ends do not hide the bucket. */
        wf_load_histogram_record(histogram, WF_LOAD_HISTOGRAM_MIN_NS);
        wf_load_histogram_record(histogram, ns);
        wf_load_histogram_record(histogram, WF_LOAD_HISTOGRAM_MAX_NS);
        expect_near(wf_load_histogram_percentile(histogram, 50), ns);
    }
}

static void test_percentiles_of_a_ramp(void **state)
{
    struct wf_load_histogram *histogram = *state;

    for (uint64_t us = 1; us <= 10000; us++)
        wf_load_histogram_record(histogram, us * 1000);
    expect_near(wf_load_histogram_percentile(histogram, 50), 5000 * 1000);
    expect_near(wf_load_histogram_percentile(histogram, 90), 9000 * 1000);
    expect_near(wf_load_histogram_percentile(histogram, 99), 9900 * 1000);
    expect_near(wf_load_histogram_percentile(histogram, 99.9), 9990 * 1000);
    assert_int_equal(wf_load_histogram_percentile(histogram, 0), 1000);
    assert_int_equal(wf_load_histogram_percentile(histogram, 100), 10000 * 1000);
}

static void test_moments_of_two_values(void **state)
{
    struct wf_load_histogram *histogram = *state;
    struct wf_load_moments moments;

    wf_load_histogram_record(histogram, 100000);
    wf_load_histogram_record(histogram, 300000);
    moments = wf_load_histogram_moments(histogram);
    expect_near((uint64_t)moments.mean_ns, 200000);
    expect_near((uint64_t)moments.sd_ns, 100000);
    assert_true(moments.within_sd > 0.99);
}

static void test_one_outlier_is_outside_a_standard_deviation(void **state)
{
    struct wf_load_histogram *histogram = *state;

    for (int i = 0; i < 99; i++)
        wf_load_histogram_record(histogram, 50000);
    wf_load_histogram_record(histogram, 5000000);
    assert_true(wf_load_histogram_moments(histogram).within_sd > 0.985);
    assert_true(wf_load_histogram_moments(histogram).within_sd < 0.995);
}

static void test_values_out_of_range_count_at_the_ends(void **state)
{
    struct wf_load_histogram *histogram = *state;

    wf_load_histogram_record(histogram, 0);
    wf_load_histogram_record(histogram, UINT64_MAX);
    assert_int_equal(histogram->count, 2);
    assert_int_equal(histogram->min_ns, WF_LOAD_HISTOGRAM_MIN_NS);
    assert_int_equal(histogram->max_ns, WF_LOAD_HISTOGRAM_MAX_NS);
}

static void test_an_empty_histogram_is_all_zero(void **state)
{
    struct wf_load_histogram *histogram = *state;

    assert_int_equal(wf_load_histogram_percentile(histogram, 99), 0);
    assert_true(wf_load_histogram_moments(histogram).mean_ns == 0);
}

static void test_merging_adds_up(void **state)
{
    struct wf_load_histogram *histogram = *state;
    struct wf_load_histogram other;

    wf_load_histogram_init(&other);
    wf_load_histogram_record(histogram, 2000);
    wf_load_histogram_record(&other, 1000);
    wf_load_histogram_record(&other, 9000);
    wf_load_histogram_merge(histogram, &other);
    assert_int_equal(histogram->count, 3);
    assert_int_equal(histogram->min_ns, 1000);
    assert_int_equal(histogram->max_ns, 9000);
    expect_near(wf_load_histogram_percentile(histogram, 50), 2000);
    wf_load_histogram_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_value_keeps_three_digits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_percentiles_of_a_ramp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moments_of_two_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_outlier_is_outside_a_standard_deviation, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_values_out_of_range_count_at_the_ends, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_histogram_is_all_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merging_adds_up, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
