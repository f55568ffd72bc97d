/* URLs and credentials that options make. */
#include "request_url.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void expect_and_free(char *made, const char *expected)
{
    assert_string_equal(made, expected);
    free(made);
}

static void test_a_query_goes_before_the_fragment(void **state)
{
    (void)state;
    expect_and_free(wf_fetch_url_with_query("http://h/a", "b=c"), "http://h/a?b=c");
    expect_and_free(wf_fetch_url_with_query("http://h/a?x", "b=c"), "http://h/a?x&b=c");
    expect_and_free(wf_fetch_url_with_query("http://h/a#f?", "b=c"), "http://h/a?b=c#f?");
    expect_and_free(wf_fetch_url_with_query("http://h/a", ""), "http://h/a");
    expect_and_free(wf_fetch_url_with_query("http://h/a#f", NULL), "http://h/a#f");
    expect_and_free(wf_fetch_url_with_query("", NULL), "");
}

static void test_a_folder_gets_the_name_of_the_file(void **state)
{
    (void)state;
    expect_and_free(wf_fetch_url_with_name("http://h/a/", "/x/f 1"), "http://h/a/f%201");
    expect_and_free(wf_fetch_url_with_name("http://h", "f"), "http://h/f");
    expect_and_free(wf_fetch_url_with_name("http://h?q#f", "f"), "http://h/f?q#f");
    expect_and_free(wf_fetch_url_with_name("http://h/a/?q", "f"), "http://h/a/f?q");
    expect_and_free(wf_fetch_url_with_name("http://h/a?q/", "f"), "http://h/a?q/");
    expect_and_free(wf_fetch_url_with_name("nonsense", "f"), "nonsense/f");
}

/* The pairs of RFC 4648 section 10. */
static void test_credentials_are_base64(void **state)
{
    (void)state;
    expect_and_free(wf_fetch_basic_credentials(""), "Basic ");
    expect_and_free(wf_fetch_basic_credentials("f"), "Basic Zg==");
    expect_and_free(wf_fetch_basic_credentials("fo"), "Basic Zm8=");
    expect_and_free(wf_fetch_basic_credentials("foo"), "Basic Zm9v");
    expect_and_free(wf_fetch_basic_credentials("foob"), "Basic Zm9vYg==");
    expect_and_free(wf_fetch_basic_credentials("\xff\xff\xff:"), "Basic ////Og==");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_query_goes_before_the_fragment),
        cmocka_unit_test(test_a_folder_gets_the_name_of_the_file),
        cmocka_unit_test(test_credentials_are_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
