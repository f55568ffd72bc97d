/* Counts by outcome. */
#include "tally.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_statuses_are_counted_by_their_first_digit(void **state)
{
    static const int statuses[] = {200, 204, 301, 404, 500, 503, 599};
    struct wf_load_tally tally = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        wf_load_tally_response(&tally, statuses[i], 10);
    assert_int_equal(tally.done, 7);
    assert_int_equal(tally.succeeded, 3);
    assert_int_equal(tally.failed, 4);
    assert_int_equal(tally.errored, 0);
    assert_int_equal(tally.status[2], 2);
    assert_int_equal(tally.status[3], 1);
    assert_int_equal(tally.status[4], 1);
    assert_int_equal(tally.status[5], 3);
    assert_int_equal(tally.body_octets, 70);
}

static void test_an_error_is_failed_and_errored(void **state)
{
    struct weft_error reset = {.code = WEFT_ERR_RESET, .text = "reset"};
    struct weft_error deadline = {.code = WEFT_ERR_DEADLINE, .text = "late"};
    struct wf_load_tally tally = {0};

    (void)state;
    wf_load_tally_error(&tally, &reset);
    wf_load_tally_error(&tally, &deadline);
    assert_int_equal(tally.done, 2);
    assert_int_equal(tally.failed, 2);
    assert_int_equal(tally.errored, 2);
    assert_int_equal(tally.timeout, 1);
}

static void add_numbered_error(struct wf_load_tally *tally, int number)
{
    struct weft_error error = {.code = WEFT_ERR_RESET};

    snprintf(error.text, sizeof(error.text), "error %d", number);
    wf_load_tally_error(tally, &error);
}

static void test_five_distinct_errors_are_kept(void **state)
{
    struct wf_load_tally tally = {0};

    (void)state;
    for (int i = 0; i < 21; i++)
        add_numbered_error(&tally, i % 7);
    for (int i = 0; i < WF_LOAD_TALLY_ERRORS; i++)
        assert_int_equal(tally.errors[i].count, 3);
    assert_string_equal(tally.errors[4].text, "error 4");
    assert_int_equal(tally.other_errors, 6);
}

static void test_merging_joins_equal_errors(void **state)
{
    struct wf_load_tally a = {.started = 5};
    struct wf_load_tally b = {.started = 6};

    (void)state;
    add_numbered_error(&a, 1);
    add_numbered_error(&b, 2);
    add_numbered_error(&b, 1);
    add_numbered_error(&b, 1);
    wf_load_tally_response(&b, 200, 3);
    wf_load_tally_merge(&a, &b);
    assert_int_equal(a.started, 11);
    assert_int_equal(a.done, 5);
    assert_int_equal(a.succeeded, 1);
    assert_int_equal(a.errored, 4);
    assert_int_equal(a.body_octets, 3);
    assert_int_equal(a.status[2], 1);
    assert_int_equal(a.errors[0].count, 3);
    assert_int_equal(a.errors[1].count, 1);
    assert_int_equal(a.errors[2].count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses_are_counted_by_their_first_digit),
        cmocka_unit_test(test_an_error_is_failed_and_errored),
        cmocka_unit_test(test_five_distinct_errors_are_kept),
        cmocka_unit_test(test_merging_joins_equal_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
