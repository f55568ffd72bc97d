/* The walk over a command line. */
#include "common/args.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct wf_tool_option table[] = {
    {'k', "insecure", NULL, "accept any certificate"},
    {'i', NULL, NULL, "no long name"},
    {'X', "request", "METHOD", "the method"},
    {300, "cacert", "FILE", "a file\nand a second line"},
};

#define WALK(...)                                                                                  \
    char *words[] = {"program", __VA_ARGS__};                                                      \
    struct wf_tool_args args = WF_TOOL_ARGS_INIT(table, sizeof(table) / sizeof(table[0]),          \
                                                 (int)(sizeof(words) / sizeof(words[0])), words)

static void expect_option(struct wf_tool_args *args, int id, const char *value)
{
    assert_int_equal(wf_tool_args_next(args), WF_TOOL_ARG_OPTION);
    assert_int_equal(args->option->id, id);
    if (value)
        assert_string_equal(args->value, value);
    else
        assert_null(args->value);
}

static void expect_operand(struct wf_tool_args *args, const char *value)
{
    assert_int_equal(wf_tool_args_next(args), WF_TOOL_ARG_OPERAND);
    assert_string_equal(args->value, value);
}

static void expect_error(struct wf_tool_args *args, const char *text)
{
    assert_int_equal(wf_tool_args_next(args), WF_TOOL_ARG_ERROR);
    assert_string_equal(args->error, text);
}

static void test_short_options_stand_together(void **state)
{
    WALK("-kiXPOST", "-ki");

    (void)state;
    expect_option(&args, 'k', NULL);
    expect_option(&args, 'i', NULL);
    expect_option(&args, 'X', "POST");
    expect_option(&args, 'k', NULL);
    expect_option(&args, 'i', NULL);
    assert_int_equal(wf_tool_args_next(&args), WF_TOOL_ARG_END);
}

static void test_a_value_may_follow(void **state)
{
    WALK("-kX", "PUT", "--request", "-k", "url");

    (void)state;
    expect_option(&args, 'k', NULL);
    expect_option(&args, 'X', "PUT");
    expect_option(&args, 'X', "-k");
    expect_operand(&args, "url");
    assert_int_equal(wf_tool_args_next(&args), WF_TOOL_ARG_END);
}

static void test_two_dashes_end_the_options(void **state)
{
    WALK("-", "--", "-k", "--");

    (void)state;
    expect_operand(&args, "-");
    expect_operand(&args, "-k");
    expect_operand(&args, "--");
    assert_int_equal(wf_tool_args_next(&args), WF_TOOL_ARG_END);
}

static void test_an_unknown_letter_is_named(void **state)
{
    WALK("-kZ");

    (void)state;
    expect_option(&args, 'k', NULL);
    expect_error(&args, "unknown option -Z");
}

static void test_an_unknown_name_is_named(void **state)
{
    WALK("--insecur");

    (void)state;
    expect_error(&args, "unknown option --insecur");
}

static void test_a_missing_value_is_an_error(void **state)
{
    WALK("-X");

    (void)state;
    expect_error(&args, "option -X needs a value: METHOD");
}

static void test_a_missing_value_of_a_name_is_an_error(void **state)
{
    WALK("--cacert");

    (void)state;
    expect_error(&args, "option --cacert needs a value: FILE");
}

static void test_an_equals_sign_is_part_of_the_name_unless_asked_for(void **state)
{
    WALK("--cacert=x");

    (void)state;
    expect_error(&args, "unknown option --cacert=x");
}

static void test_an_equals_sign_gives_a_value_when_asked_for(void **state)
{
    WALK("--cacert=x=y", "--insecure=1");

    (void)state;
    args.equals = true;
    expect_option(&args, 300, "x=y");
    expect_error(&args, "option --insecure takes no value");
}

static void test_help_shows_each_option_and_line(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    (void)state;
    wf_tool_args_help(table, sizeof(table) / sizeof(table[0]), to);
    assert_int_equal(fclose(to), 0);
    assert_non_null(strstr(text, "  -k, --insecure  "));
    assert_non_null(strstr(text, "  -X, --request METHOD  "));
    assert_non_null(strstr(text, "      --cacert FILE  "));
    assert_non_null(strstr(text, "\n                                  and a second line\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_options_stand_together),
        cmocka_unit_test(test_a_value_may_follow),
        cmocka_unit_test(test_two_dashes_end_the_options),
        cmocka_unit_test(test_an_unknown_letter_is_named),
        cmocka_unit_test(test_an_unknown_name_is_named),
        cmocka_unit_test(test_a_missing_value_is_an_error),
        cmocka_unit_test(test_a_missing_value_of_a_name_is_an_error),
        cmocka_unit_test(test_an_equals_sign_is_part_of_the_name_unless_asked_for),
        cmocka_unit_test(test_an_equals_sign_gives_a_value_when_asked_for),
        cmocka_unit_test(test_help_shows_each_option_and_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
