/* Exchanges: cancelling, deadlines, references. */
#include "support/fixture.h"

static void test_cancel_ends_a_request_in_flight(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/hang", NULL);
    loop_server_await_requests(f.server, 1);
    assert_false(weft_future_is_done(future));
    assert_null(weft_future_error(future));
    weft_future_cancel(future);
    weft_future_cancel(future);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CANCELLED);
    assert_int_equal(weft_future_error(future)->effect, WEFT_MAYBE_PROCESSED);
    weft_future_cancel(future);
    weft_future_unref(future);
    weft_future_unref(fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0));
    assert_int_equal(loop_server_connections(f.server), 1);
    fixture_free(&f);
}

static void test_cancel_after_completion_changes_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0);
    weft_future_cancel(future);
    assert_int_equal(weft_future_wait(future, 0), WEFT_OK);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_dropping_the_last_reference_cancels(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 1};
    struct fixture f = fixture_with(&server, NULL);
    weft_future_unref(fixture_expect(&f, "/status/204", WEFT_OK, 0, 0));
    struct weft_future *future = fixture_submit(&f, "/hang", NULL);
    loop_server_await_requests(f.server, 2);
    weft_future_unref(future);
    /* With one stream allowed this is answered only when the other has gone. */
    weft_future_unref(fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0));
    fixture_free(&f);
}

static void test_the_deadline_counts_from_submission(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = 50;
    struct weft_future *future = fixture_submit(&f, "/hang", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    assert_int_equal(weft_future_error(future)->stage, WEFT_STAGE_WAIT);
    assert_int_equal(weft_future_error(future)->effect, WEFT_MAYBE_PROCESSED);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_wait_that_is_over_leaves_the_request_alone(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/hang", NULL);
    assert_int_equal(weft_future_wait(future, 0), WEFT_ERR_TIMEOUT);
    assert_int_equal(weft_future_wait(future, 5), WEFT_ERR_TIMEOUT);
    assert_false(weft_future_is_done(future));
    weft_future_unref(future);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel_ends_a_request_in_flight),
        cmocka_unit_test(test_cancel_after_completion_changes_nothing),
        cmocka_unit_test(test_dropping_the_last_reference_cancels),
        cmocka_unit_test(test_the_deadline_counts_from_submission),
        cmocka_unit_test(test_a_wait_that_is_over_leaves_the_request_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
