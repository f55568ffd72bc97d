/* When --retry tries again. */
#include "retry.h"

#include "exit_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static bool wanted(const struct wf_fetch_retry *retry, int exit_code, int status)
{
    struct wf_fetch_try ended = {0, 0, exit_code, status, -1};
    int64_t delay_ms;

    return wf_fetch_retry_wanted(retry, &ended, &delay_ms);
}

static void test_what_may_pass_is_tried_again(void **state)
{
    static const int passing[] = {408, 429, 500, 502, 503, 504};
    struct wf_fetch_retry retry = {.count = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        assert_true(wanted(&retry, 0, passing[i]));
        assert_true(wanted(&retry, WF_FETCH_EXIT_STATUS, passing[i]));
    }
    assert_true(wanted(&retry, WF_FETCH_EXIT_TIMEOUT, 0));
    assert_true(wanted(&retry, WF_FETCH_EXIT_RESOLVE, 0));
    assert_false(wanted(&retry, 0, 200));
    assert_false(wanted(&retry, 0, 404));
    assert_false(wanted(&retry, 0, 501));
    assert_false(wanted(&retry, WF_FETCH_EXIT_CONNECT, 0));
    assert_false(wanted(&retry, WF_FETCH_EXIT_RECEIVE, 0));
    assert_false(wanted(&retry, WF_FETCH_EXIT_PARTIAL, 503));
}

static void test_more_is_tried_again_when_asked_for(void **state)
{
    struct wf_fetch_retry refused = {.count = 1, .connrefused = true};
    struct wf_fetch_retry all = {.count = 1, .all_errors = true};

    (void)state;
    assert_true(wanted(&refused, WF_FETCH_EXIT_CONNECT, 0));
    assert_false(wanted(&refused, WF_FETCH_EXIT_RECEIVE, 0));
    assert_true(wanted(&all, WF_FETCH_EXIT_RECEIVE, 0));
    assert_true(wanted(&all, WF_FETCH_EXIT_STATUS, 404));
    assert_false(wanted(&all, 0, 404));
    assert_false(wanted(&all, WF_FETCH_EXIT_URL, 0));
    assert_false(wanted(&all, WF_FETCH_EXIT_WRITE, 200));
}

static void test_delays_double_up_to_ten_minutes(void **state)
{
    struct wf_fetch_retry retry = {.count = 1000};
    struct wf_fetch_try ended = {0, 0, WF_FETCH_EXIT_TIMEOUT, 0, -1};
    int64_t delay_ms;

    (void)state;
    assert_true(wf_fetch_retry_wanted(&retry, &ended, &delay_ms));
    assert_int_equal(delay_ms, 1000);
    ended.retries = 3;
    assert_true(wf_fetch_retry_wanted(&retry, &ended, &delay_ms));
    assert_int_equal(delay_ms, 8000);
    ended.retries = 999;
    assert_true(wf_fetch_retry_wanted(&retry, &ended, &delay_ms));
    assert_int_equal(delay_ms, 600000);
    ended.retries = 1000;
    assert_false(wf_fetch_retry_wanted(&retry, &ended, &delay_ms));
    retry.delay_ms = 250;
    ended.retries = 9;
    assert_true(wf_fetch_retry_wanted(&retry, &ended, &delay_ms));
    assert_int_equal(delay_ms, 250);
}

static void test_the_time_for_retries_ends(void **state)
{
    struct wf_fetch_retry retry = {.count = 9, .max_time_ms = 5000};
    struct wf_fetch_try ended = {0, 4999, 0, 503, -1};
    int64_t delay_ms;

    (void)state;
    assert_true(wf_fetch_retry_wanted(&retry, &ended, &delay_ms));
    ended.elapsed_ms = 5000;
    assert_false(wf_fetch_retry_wanted(&retry, &ended, &delay_ms));
    ended.elapsed_ms = 3000;
    ended.retry_after_ms = 2000;
    assert_true(wf_fetch_retry_wanted(&retry, &ended, &delay_ms));
    assert_int_equal(delay_ms, 2000);
    ended.retry_after_ms = 3000;
    assert_false(wf_fetch_retry_wanted(&retry, &ended, &delay_ms));
}

static void test_retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    assert_int_equal(wf_fetch_retry_after_ms("120", NOW), 120000);
    assert_int_equal(wf_fetch_retry_after_ms("Sun, 06 Nov 1994 08:49:40 GMT", NOW), 3000);
    assert_int_equal(wf_fetch_retry_after_ms("Sun, 06 Nov 1994 08:49:30 GMT", NOW), 0);
    assert_int_equal(wf_fetch_retry_after_ms("soon", NOW), -1);
    assert_int_equal(wf_fetch_retry_after_ms("-1", NOW), -1);
    assert_int_equal(wf_fetch_retry_after_ms("99999999999999999999", NOW), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_may_pass_is_tried_again),
        cmocka_unit_test(test_more_is_tried_again_when_asked_for),
        cmocka_unit_test(test_delays_double_up_to_ten_minutes),
        cmocka_unit_test(test_the_time_for_retries_ends),
        cmocka_unit_test(test_retry_after_is_seconds_or_a_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
