#include "base/field_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* RFC 9110 section 5.6.2, written out independently of the table. */
static bool is_token_octet(int octet)
{
    return (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') ||
           (octet >= 'A' && octet <= 'Z') ||
           (octet != 0 && strchr("!#$%&'*+-.^_`|~", octet) != NULL);
}

static void test_names_are_lower_case_tokens(void **state)
{
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        uint8_t name[3] = {'x', (uint8_t)octet, 'y'};
        bool upper = octet >= 'A' && octet <= 'Z';
        assert_int_equal(wf_field_name_is_valid(wf_slice(name, 3)),
                         is_token_octet(octet) && !upper);
        assert_int_equal(wf_field_name_bad_octet(wf_slice(name, 3)), is_token_octet(octet) ? 3 : 1);
    }
}

static void test_an_empty_name_is_invalid(void **state)
{
    (void)state;
    assert_false(wf_field_name_is_valid(wf_slice_str("")));
}

static void test_a_pseudo_header_name_is_no_field_name(void **state)
{
    (void)state;
    assert_false(wf_field_name_is_valid(wf_slice_str(":path")));
}

static void test_values_hold_no_nul_cr_or_lf(void **state)
{
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        uint8_t value[3] = {'x', (uint8_t)octet, 'y'};
        bool valid = octet != 0 && octet != '\r' && octet != '\n';
        assert_int_equal(wf_field_value_is_valid(wf_slice(value, 3)), valid);
    }
}

static void test_values_to_send_hold_no_control_octet_but_tab(void **state)
{
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        uint8_t value[3] = {'x', (uint8_t)octet, 'y'};
        bool sendable = octet == '\t' || (octet >= 0x20 && octet != 0x7f);
        assert_int_equal(wf_field_value_bad_octet(wf_slice(value, 3)), sendable ? 3 : 1);
    }
}

static void test_white_space_at_either_end_makes_a_value_invalid(void **state)
{
    (void)state;
    assert_false(wf_field_value_is_valid(wf_slice_str(" a")));
    assert_false(wf_field_value_is_valid(wf_slice_str("a ")));
    assert_false(wf_field_value_is_valid(wf_slice_str("\ta")));
    assert_false(wf_field_value_is_valid(wf_slice_str("a\t")));
    assert_true(wf_field_value_is_valid(wf_slice_str("a \t b")));
    assert_true(wf_field_value_is_valid(wf_slice_str("")));
}

static void test_methods_are_tokens_of_either_case(void **state)
{
    (void)state;
    assert_true(wf_method_is_valid(wf_slice_str("GET")));
    assert_true(wf_method_is_valid(wf_slice_str("m-search")));
    assert_false(wf_method_is_valid(wf_slice_str("")));
    assert_false(wf_method_is_valid(wf_slice_str("GET /")));
    assert_false(wf_method_is_valid(wf_slice_str("G\xc3\x84T")));
}

static void test_connection_specific_fields_are_known(void **state)
{
    (void)state;
    static const char *const yes[] = {"connection", "proxy-connection", "keep-alive",
                                      "transfer-encoding", "upgrade"};
    static const char *const no[] = {"", "connectio", "connections", "te", "host", "trailer"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(wf_field_is_connection_specific(wf_slice_str(yes[i])));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(wf_field_is_connection_specific(wf_slice_str(no[i])));
}

static void test_trim_takes_spaces_and_tabs_from_both_ends(void **state)
{
    (void)state;
    assert_true(wf_slice_is(wf_slice_trim(wf_slice_str(" \ta b\t ")), "a b"));
    assert_true(wf_slice_is(wf_slice_trim(wf_slice_str("a")), "a"));
    assert_int_equal(wf_slice_trim(wf_slice_str(" \t ")).len, 0);
    assert_int_equal(wf_slice_trim(wf_slice_str("")).len, 0);
}

static void test_comparison_ignores_the_case_of_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(wf_slice_is_nocase(wf_slice_str("TrAilers"), "trailers"));
    assert_false(wf_slice_is_nocase(wf_slice_str("trailer"), "trailers"));
    assert_false(wf_slice_is_nocase(wf_slice_str("trailersx"), "trailers"));
    assert_false(wf_slice_is_nocase(wf_slice_str("@"), "`"));
    assert_false(wf_slice_is_nocase(wf_slice_str("\xc4"), "\xe4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_lower_case_tokens),
        cmocka_unit_test(test_an_empty_name_is_invalid),
        cmocka_unit_test(test_a_pseudo_header_name_is_no_field_name),
        cmocka_unit_test(test_values_hold_no_nul_cr_or_lf),
        cmocka_unit_test(test_values_to_send_hold_no_control_octet_but_tab),
        cmocka_unit_test(test_white_space_at_either_end_makes_a_value_invalid),
        cmocka_unit_test(test_methods_are_tokens_of_either_case),
        cmocka_unit_test(test_connection_specific_fields_are_known),
        cmocka_unit_test(test_trim_takes_spaces_and_tabs_from_both_ends),
        cmocka_unit_test(test_comparison_ignores_the_case_of_ascii_letters_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
