/* Status lines and field lines, one rule after another. */
#include "h1/line.h"
#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *status_of(const char *text, struct wf_h1_status_line *out)
{
    return wf_h1_parse_status_line(wf_slice_str(text), out);
}

static void test_a_status_line_has_version_code_and_reason(void **state)
{
    (void)state;
    struct wf_h1_status_line line;
    assert_null(status_of("HTTP/1.1 200 OK", &line));
    assert_int_equal(line.status, 200);
    assert_false(line.is_1_0);
    assert_null(status_of("HTTP/1.0 404 Not Found", &line));
    assert_int_equal(line.status, 404);
    assert_true(line.is_1_0);
}

static void test_the_reason_phrase_may_be_missing_or_not_ascii(void **state)
{
    (void)state;
    struct wf_h1_status_line line;
    assert_null(status_of("HTTP/1.1 200 ", &line));
    assert_null(status_of("HTTP/1.1 200", &line));
    assert_null(status_of("HTTP/1.1 599 \xc3\xa9t\xc3\xa9\t.", &line));
    assert_int_equal(line.status, 599);
}

static void test_a_higher_minor_version_is_read_as_1_1(void **state)
{
    (void)state;
    struct wf_h1_status_line line;
    assert_null(status_of("HTTP/1.9 200 OK", &line));
    assert_false(line.is_1_0);
}

static void test_bad_status_lines_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "HTTP/1.1",
        "HTTP/1.1 20",
        "HTTP/1.1 2000",
        "HTTP/1.1 200OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 600 OK",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1 -20 OK",
        "HTTP/1.x 200 OK",
        "HTTP/2.0 200 OK",
        "HTTP/11 200 OK!",
        "http/1.1 200 OK",
        " HTTP/1.1 200 OK",
        "HTTP/1.1 200 O\x01K",
        "HTTP/1.1 200 O\x7fK",
        "HTTP/1.1 200\tOK",
    };
    struct wf_h1_status_line line;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (status_of(bad[i], &line) == NULL)
            fail_msg("\"%s\" was taken", bad[i]);
    }
    assert_non_null(wf_h1_parse_status_line(wf_slice("HTTP/1.1 200 a\0b", 16), &line));
}

static void test_a_field_line_is_split_at_its_first_colon(void **state)
{
    (void)state;
    struct wf_slice name;
    struct wf_slice value;
    assert_null(wf_h1_parse_field_line(wf_slice_str("X-Time: \t 10:20 \t"), &name, &value));
    assert_true(wf_slice_is(name, "X-Time"));
    assert_true(wf_slice_is(value, "10:20"));
    assert_null(wf_h1_parse_field_line(wf_slice_str("a:"), &name, &value));
    assert_true(wf_slice_is(name, "a"));
    assert_int_equal(value.len, 0);
    assert_null(wf_h1_parse_field_line(wf_slice_str("a:\xff z"), &name, &value));
}

static void test_bad_field_lines_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a",     ":v",       " a: v",    "\ta: v",    "a : v",
                                      "a\t:v", "a b: v",   "a\xc3: v", "a\"b\": v", "(a): v",
                                      ": ",    "a\x7f: v", "a@b: v"};
    struct wf_slice name;
    struct wf_slice value;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (wf_h1_parse_field_line(wf_slice_str(bad[i]), &name, &value) == NULL)
            fail_msg("\"%s\" was taken", bad[i]);
    }
    assert_non_null(wf_h1_parse_field_line(wf_slice("a: b\0c", 6), &name, &value));
    assert_non_null(wf_h1_parse_field_line(wf_slice("a\0: b", 5), &name, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_status_line_has_version_code_and_reason),
        cmocka_unit_test(test_the_reason_phrase_may_be_missing_or_not_ascii),
        cmocka_unit_test(test_a_higher_minor_version_is_read_as_1_1),
        cmocka_unit_test(test_bad_status_lines_are_refused),
        cmocka_unit_test(test_a_field_line_is_split_at_its_first_colon),
        cmocka_unit_test(test_bad_field_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
