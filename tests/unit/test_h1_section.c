/* A section that grows line by line, its limits and its memory. */
#include "h1/section.h"
#include "support/cmocka.h"
#include "support/failing_alloc.h"

static struct wf_h1_err count(struct wf_h1_section *section, const char *name, const char *value)
{
    return wf_h1_section_count(section, wf_slice_str(name), wf_slice_str(value), 3, 120);
}

static void test_names_are_kept_in_lower_case(void **state)
{
    (void)state;
    struct wf_h1_section section;
    wf_h1_section_init(&section);
    assert_true(
        wf_h1_section_add(&section, wf_slice_str("X-Mixed-Case"), wf_slice_str("As It Is")));
    assert_true(wf_h1_section_add(&section, wf_slice_str("b"), wf_slice_str("")));
    struct wf_field_section view = wf_h1_section_view(&section);
    assert_int_equal(view.count, 2);
    assert_true(wf_slice_is(wf_section_name(&view, 0), "x-mixed-case"));
    assert_true(wf_slice_is(wf_section_value(&view, 0), "As It Is"));
    assert_true(wf_slice_is(wf_section_name(&view, 1), "b"));
    assert_int_equal(wf_section_value(&view, 1).len, 0);
    assert_int_equal(view.octets_len, 21);
    wf_h1_section_clear(&section);
    assert_int_equal(wf_h1_section_view(&section).count, 0);
    wf_h1_section_fini(&section);
}

static void test_field_lines_are_counted(void **state)
{
    (void)state;
    struct wf_h1_section section;
    wf_h1_section_init(&section);
    for (int i = 0; i < 3; i++)
        assert_int_equal(count(&section, "a", "b").kind, WF_H1_ERR_NONE);
    assert_int_equal(count(&section, "a", "b").kind, WF_H1_ERR_LIMIT);
}

static void test_octets_are_counted_as_http_2_does(void **state)
{
    (void)state;
    struct wf_h1_section section;
    wf_h1_section_init(&section);
    assert_int_equal(count(&section, "12345678", "").kind, WF_H1_ERR_NONE);
    assert_int_equal(section.size, 40);
    assert_int_equal(count(&section, "12345678", "90123456").kind, WF_H1_ERR_NONE);
    assert_int_equal(count(&section, "1", "").kind, WF_H1_ERR_LIMIT);
    assert_int_equal(section.size, 88);
}

static void test_lines_grow_and_memory_may_run_out(void **state)
{
    (void)state;
    for (long n = 0; n < 8; n++) {
        struct wf_h1_section section;
        uint32_t kept = 0;
        wf_h1_section_init(&section);
        failing_alloc_after(n);
        while (kept < 200 &&
               wf_h1_section_add(&section, wf_slice_str("name"), wf_slice_str("some value")))
            kept++;
        failing_alloc_after(-1);
        struct wf_field_section view = wf_h1_section_view(&section);
        assert_int_equal(view.count, kept);
        assert_int_equal(view.octets_len, kept * 14);
        wf_h1_section_fini(&section);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_kept_in_lower_case),
        cmocka_unit_test(test_field_lines_are_counted),
        cmocka_unit_test(test_octets_are_counted_as_http_2_does),
        cmocka_unit_test(test_lines_grow_and_memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
