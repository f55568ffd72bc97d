/* Field lines of the command line. */
#include "common/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_a_line_is_split_at_its_first_colon(void **state)
{
    struct wf_tool_headers headers = {NULL, 0};

    (void)state;
    assert_true(wf_tool_headers_add(&headers, "X-Time:  12:30 \t"));
    assert_int_equal(headers.count, 1);
    assert_string_equal(headers.items[0].name, "X-Time");
    assert_string_equal(headers.items[0].value, "12:30");
    wf_tool_headers_fini(&headers);
}

static void test_a_name_with_a_colon_alone_removes(void **state)
{
    struct wf_tool_headers headers = {NULL, 0};

    (void)state;
    assert_true(wf_tool_headers_add(&headers, "Accept: "));
    assert_null(headers.items[0].value);
    assert_true(wf_tool_headers_has(&headers, "accept"));
    assert_false(wf_tool_headers_has(&headers, "accep"));
    wf_tool_headers_fini(&headers);
}

static void test_a_name_with_a_semicolon_is_sent_empty(void **state)
{
    struct wf_tool_headers headers = {NULL, 0};

    (void)state;
    assert_true(wf_tool_headers_add(&headers, "x-empty;"));
    assert_string_equal(headers.items[0].name, "x-empty");
    assert_string_equal(headers.items[0].value, "");
    wf_tool_headers_fini(&headers);
}

static void test_a_line_without_a_name_or_a_colon_is_refused(void **state)
{
    struct wf_tool_headers headers = {NULL, 0};

    (void)state;
    assert_false(wf_tool_headers_add(&headers, ""));
    assert_false(wf_tool_headers_add(&headers, "name"));
    assert_false(wf_tool_headers_add(&headers, ": value"));
    assert_false(wf_tool_headers_add(&headers, ";"));
    assert_int_equal(headers.count, 0);
    wf_tool_headers_fini(&headers);
}

static void test_many_lines_keep_their_order(void **state)
{
    struct wf_tool_headers headers = {NULL, 0};
    char line[] = "a: 0";

    (void)state;
    for (char c = 'a'; c <= 'z'; c++) {
        line[0] = c;
        assert_true(wf_tool_headers_add(&headers, line));
    }
    assert_int_equal(headers.count, 26);
    for (size_t i = 0; i < 26; i++)
        assert_int_equal(headers.items[i].name[0], 'a' + (int)i);
    wf_tool_headers_fini(&headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_is_split_at_its_first_colon),
        cmocka_unit_test(test_a_name_with_a_colon_alone_removes),
        cmocka_unit_test(test_a_name_with_a_semicolon_is_sent_empty),
        cmocka_unit_test(test_a_line_without_a_name_or_a_colon_is_refused),
        cmocka_unit_test(test_many_lines_keep_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
