/* Numbers of the command line. */
#include "common/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_a_count_is_digits_in_its_range(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_true(wf_tool_parse_count("1", 1, 10, &value));
    assert_int_equal(value, 1);
    assert_true(wf_tool_parse_count("0010", 1, 10, &value));
    assert_int_equal(value, 10);
    assert_true(wf_tool_parse_count("18446744073709551615", 0, UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
}

static void test_a_count_out_of_range_is_refused(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_false(wf_tool_parse_count("0", 1, 10, &value));
    assert_false(wf_tool_parse_count("11", 1, 10, &value));
    assert_false(wf_tool_parse_count("9", 1, 5, &value));
    assert_false(wf_tool_parse_count("18446744073709551616", 0, UINT64_MAX, &value));
    assert_false(wf_tool_parse_count("184467440737095516150", 0, UINT64_MAX, &value));
}

static void test_a_count_with_other_characters_is_refused(void **state)
{
    static const char *const texts[] = {"", "-1", "+1", " 1", "1 ", "1k", "0x1", "1.0"};
    uint64_t value = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(wf_tool_parse_count(texts[i], 0, 100, &value));
}

static void expect_seconds(const char *text, int64_t expected_ms)
{
    int64_t ms = -1;

    assert_true(wf_tool_parse_seconds(text, &ms));
    assert_int_equal(ms, expected_ms);
}

static void test_seconds_may_have_a_fraction(void **state)
{
    (void)state;
    expect_seconds("0", 0);
    expect_seconds("0.0", 0);
    expect_seconds("2", 2000);
    expect_seconds("1.5", 1500);
    expect_seconds(".25", 250);
    expect_seconds("0.123456789", 123);
    expect_seconds("1000000000", INT64_C(1000000000000));
}

static void test_the_least_time_above_zero_is_a_millisecond(void **state)
{
    (void)state;
    expect_seconds("0.000001", 1);
}

static void test_what_is_no_number_of_seconds_is_refused(void **state)
{
    static const char *const texts[] = {"",    ".",          "1.",  "-1", "1s",
                                        "1e3", "1000000001", "inf", " 1"};
    int64_t ms = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(wf_tool_parse_seconds(texts[i], &ms));
}

static void expect_duration(const char *text, int64_t expected_ms)
{
    int64_t ms = -1;

    assert_true(wf_tool_parse_duration(text, &ms));
    assert_int_equal(ms, expected_ms);
}

static void test_a_duration_may_have_a_unit(void **state)
{
    (void)state;
    expect_duration("10", 10000);
    expect_duration("10s", 10000);
    expect_duration("500ms", 500);
    expect_duration("2m", 120000);
    expect_duration("1.5h", 5400000);
}

static void test_a_duration_with_another_unit_is_refused(void **state)
{
    static const char *const texts[] = {"1d", "1 s", "ms", "1S", "1000000000h", "300000h"};
    int64_t ms = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(wf_tool_parse_duration(texts[i], &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_count_is_digits_in_its_range),
        cmocka_unit_test(test_a_count_out_of_range_is_refused),
        cmocka_unit_test(test_a_count_with_other_characters_is_refused),
        cmocka_unit_test(test_seconds_may_have_a_fraction),
        cmocka_unit_test(test_the_least_time_above_zero_is_a_millisecond),
        cmocka_unit_test(test_what_is_no_number_of_seconds_is_refused),
        cmocka_unit_test(test_a_duration_may_have_a_unit),
        cmocka_unit_test(test_a_duration_with_another_unit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
