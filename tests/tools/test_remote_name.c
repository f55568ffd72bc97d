/* File names of -O. */
#include "remote_name.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void expect_name(const char *url, const char *expected)
{
    char *name = wf_fetch_remote_name(url);

    assert_non_null(name);
    assert_string_equal(name, expected);
    free(name);
}

static void test_the_name_is_the_last_segment(void **state)
{
    (void)state;
    expect_name("https://host/a/b.tar.gz", "b.tar.gz");
    expect_name("https://host:1/file?x=/y", "file");
    expect_name("https://host/file#top/x", "file");
    expect_name("https://host/a/..b", "..b");
}

static void test_a_url_without_a_name_has_none(void **state)
{
    (void)state;
    assert_null(wf_fetch_remote_name("https://host"));
    assert_null(wf_fetch_remote_name("https://host/"));
    assert_null(wf_fetch_remote_name("https://host/a/"));
    assert_null(wf_fetch_remote_name("https://host?x=/y"));
    assert_null(wf_fetch_remote_name("host/a"));
}

static void test_a_name_never_leaves_the_directory(void **state)
{
    (void)state;
    assert_null(wf_fetch_remote_name("https://host/a/.."));
    assert_null(wf_fetch_remote_name("https://host/."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_name_is_the_last_segment),
        cmocka_unit_test(test_a_url_without_a_name_has_none),
        cmocka_unit_test(test_a_name_never_leaves_the_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
