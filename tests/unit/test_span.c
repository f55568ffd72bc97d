#include "io_thread/span.h"

#include "support/cmocka.h"

#define FROM UINT64_C(5000000000000)

static void expect_ns(uint64_t ns, uint64_t expected)
{
    wf_span span = wf_span_between(FROM, FROM + ns);
    assert_true(span != 0);
    assert_int_equal(wf_span_ns(span), expected);
}

static void test_a_short_span_is_exact(void **state)
{
    (void)state;
    for (uint64_t ns = 0; ns < 134000000; ns = ns * 5 / 4 + 1)
        expect_ns(ns, ns);
    expect_ns(134217726, 134217726);
}

static void test_what_came_before_counts_as_come_at_once(void **state)
{
    (void)state;
    assert_int_equal(wf_span_ns(wf_span_between(FROM, FROM - 1)), 0);
    assert_int_equal(wf_span_ns(wf_span_between(FROM, 1)), 0);
}

static void test_a_long_span_is_rounded_down_in_its_ninth_digit(void **state)
{
    (void)state;
    for (uint64_t ns = 134217727; ns < UINT64_C(1) << 58; ns += ns / 7) {
        uint64_t kept = wf_span_ns(wf_span_between(FROM, FROM + ns));
        assert_true(kept <= ns);
        assert_true(ns - kept <= ns / 67000000);
    }
}

static void test_a_later_time_has_never_the_smaller_span(void **state)
{
    (void)state;
    wf_span before = 0;
    for (unsigned bit = 0; bit < 58; bit++) {
        for (int near = -2; near <= 2; near++) {
            uint64_t ns = (UINT64_C(4) << bit) + (uint64_t)(int64_t)near;
            wf_span span = wf_span_between(FROM, FROM + ns);
            assert_true(span >= before);
            before = span;
        }
    }
}

static void test_no_span_is_longer_than_nine_years(void **state)
{
    (void)state;
    wf_span longest = wf_span_between(0, UINT64_MAX);
    assert_int_equal(longest, UINT32_MAX);
    assert_int_equal(wf_span_between(FROM, FROM + (UINT64_C(1) << 60)), longest);
    assert_true(wf_span_ns(longest) / 1000000000 / 86400 / 365 == 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_short_span_is_exact),
        cmocka_unit_test(test_what_came_before_counts_as_come_at_once),
        cmocka_unit_test(test_a_long_span_is_rounded_down_in_its_ninth_digit),
        cmocka_unit_test(test_a_later_time_has_never_the_smaller_span),
        cmocka_unit_test(test_no_span_is_longer_than_nine_years),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
