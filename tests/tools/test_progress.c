/* The progress line. */
#include "progress.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char *text;
static size_t len;

static FILE *open_text(void)
{
    FILE *to = open_memstream(&text, &len);

    assert_non_null(to);
    return to;
}

static void test_a_file_gets_a_line_for_each_tenth(void **state)
{
    struct wf_load_progress progress;
    FILE *to = open_text();

    (void)state;
    wf_load_progress_init(&progress, to, false);
    wf_load_progress_show(&progress, &(struct wf_load_moment){.part = 0.05});
    wf_load_progress_show(&progress, &(struct wf_load_moment){.part = 0.25});
    wf_load_progress_show(&progress, &(struct wf_load_moment){.part = 0.29});
    wf_load_progress_show(&progress, &(struct wf_load_moment){.part = 0.30});
    wf_load_progress_end(&progress);
    fclose(to);
    assert_string_equal(text, "progress: 10% done\nprogress: 20% done\nprogress: 30% done\n");
    free(text);
}

static void test_the_last_tenth_is_the_last_line(void **state)
{
    struct wf_load_progress progress;
    FILE *to = open_text();

    (void)state;
    wf_load_progress_init(&progress, to, false);
    wf_load_progress_show(&progress, &(struct wf_load_moment){.part = 1});
    wf_load_progress_show(&progress, &(struct wf_load_moment){.part = 1});
    fclose(to);
    assert_string_equal(text + len - 20, "progress: 100% done\n");
    assert_null(strstr(text, "110"));
    free(text);
}

static void test_a_terminal_gets_one_line_written_over(void **state)
{
    struct wf_load_progress progress;
    FILE *to = open_text();

    (void)state;
    wf_load_progress_init(&progress, to, true);
    wf_load_progress_show(
        &progress,
        &(struct wf_load_moment){.part = 0.25, .done = 100, .failed = 1, .elapsed_ns = 1000000000});
    wf_load_progress_show(
        &progress,
        &(struct wf_load_moment){.part = 0.5, .done = 400, .failed = 2, .elapsed_ns = 2000000000});
    wf_load_progress_end(&progress);
    wf_load_progress_end(&progress);
    fclose(to);
    assert_string_equal(text, "\r#####...............  25%  100 done  1 failed  100 req/s  1.00s"
                              "\033[K"
                              "\r##########..........  50%  400 done  2 failed  300 req/s  2.00s"
                              "\033[K\n");
    free(text);
}

static void test_a_warm_up_shows_no_part(void **state)
{
    struct wf_load_progress progress;
    FILE *to = open_text();

    (void)state;
    wf_load_progress_init(&progress, to, true);
    wf_load_progress_show(&progress, &(struct wf_load_moment){.warming_up = true, .done = 7});
    fclose(to);
    assert_string_equal(text, "\rwarming up  7 done\033[K");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_gets_a_line_for_each_tenth),
        cmocka_unit_test(test_the_last_tenth_is_the_last_line),
        cmocka_unit_test(test_a_terminal_gets_one_line_written_over),
        cmocka_unit_test(test_a_warm_up_shows_no_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
