/* URLs from lines. */
#include "url_list.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static bool add_lines(struct wf_load_url_list *list, const char *text)
{
    return wf_load_url_list_add_lines(list, text, strlen(text));
}

static void test_each_line_is_a_url(void **state)
{
    struct wf_load_url_list list = {NULL, 0};

    (void)state;
    assert_true(add_lines(&list, "https://a/1\r\n\n  \nhttps://b/2"));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.urls[0], "https://a/1");
    assert_string_equal(list.urls[1], "https://b/2");
    wf_load_url_list_fini(&list);
}

static void test_a_path_belongs_to_the_first_origin(void **state)
{
    struct wf_load_url_list list = {NULL, 0};

    (void)state;
    assert_true(add_lines(&list, "https://a:1?q\nhttps://b/\n/x?y\n"));
    assert_int_equal(list.count, 3);
    assert_string_equal(list.urls[2], "https://a:1/x?y");
    wf_load_url_list_fini(&list);
}

static void test_a_path_without_an_origin_is_refused(void **state)
{
    struct wf_load_url_list list = {NULL, 0};

    (void)state;
    assert_false(add_lines(&list, "/x\n"));
    assert_true(add_lines(&list, "nonsense\n"));
    assert_false(add_lines(&list, "/x\n"));
    wf_load_url_list_fini(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_line_is_a_url),
        cmocka_unit_test(test_a_path_belongs_to_the_first_origin),
        cmocka_unit_test(test_a_path_without_an_origin_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
