/* Durations and sizes for people. */
#include "common/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_durations_look_like_those_of_h2load(void **state)
{
    (void)state;
    assert_string_equal(wf_tool_format_duration(0).text, "0us");
    assert_string_equal(wf_tool_format_duration(191000).text, "191us");
    assert_string_equal(wf_tool_format_duration(999499).text, "999us");
    assert_string_equal(wf_tool_format_duration(999500).text, "1.00ms");
    assert_string_equal(wf_tool_format_duration(4720000).text, "4.72ms");
    assert_string_equal(wf_tool_format_duration(999994999).text, "999.99ms");
    assert_string_equal(wf_tool_format_duration(999995000).text, "1.00s");
    assert_string_equal(wf_tool_format_duration(UINT64_C(61230000000)).text, "61.23s");
}

static void test_sizes_look_like_those_of_h2load(void **state)
{
    (void)state;
    assert_string_equal(wf_tool_format_octets(0).text, "0B");
    assert_string_equal(wf_tool_format_octets(1023).text, "1023B");
    assert_string_equal(wf_tool_format_octets(1024).text, "1.00KB");
    assert_string_equal(wf_tool_format_octets(176083).text, "171.96KB");
    assert_string_equal(wf_tool_format_octets(6669214).text, "6.36MB");
    assert_string_equal(wf_tool_format_octets(UINT64_MAX).text, "16.00EB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations_look_like_those_of_h2load),
        cmocka_unit_test(test_sizes_look_like_those_of_h2load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
