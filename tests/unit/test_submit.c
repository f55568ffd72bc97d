/* What is wrong with a submission, and when, arrives through its delivery. */
#include "support/fixture.h"
#include "support/seen.h"

static void test_a_late_submission_gets_an_error_in_every_delivery(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_cq *cq = weft_cq_new();
    struct seen seen;
    seen_init(&seen);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    struct weft_future *waited = fixture_submit(&f, "/bytes/1", NULL);
    assert_int_equal(weft_future_wait(waited, TEST_WAIT_MS), WEFT_ERR_CLOSED);
    assert_int_equal(weft_future_error(waited)->effect, WEFT_NOT_SENT);
    assert_int_equal(weft_future_tries(waited), 0);
    assert_int_equal(weft_future_body_len(waited), 0);
    assert_null(weft_future_protocol(waited));
    struct weft_delivery how = seen_delivery(&seen);
    struct weft_future *called = fixture_submit(&f, "/bytes/1", &how);
    seen_await(&seen, 1);
    assert_int_equal(seen.code, WEFT_ERR_CLOSED);
    how = (struct weft_delivery)WEFT_DELIVERY_INIT;
    how.cq = cq;
    struct weft_future *queued = fixture_submit(&f, "/bytes/1", &how);
    struct weft_event event;
    assert_int_equal(weft_cq_next(cq, &event, 1, TEST_WAIT_MS), 1);
    assert_ptr_equal(event.future, queued);
    weft_future_unref(waited);
    weft_future_unref(called);
    weft_future_unref(queued);
    weft_cq_unref(cq);
    fixture_free(&f);
}

static void test_a_callback_and_a_queue_together_are_refused(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct seen seen;
    seen_init(&seen);
    struct weft_delivery how = seen_delivery(&seen);
    how.cq = weft_cq_new();
    struct weft_future *future = fixture_submit(&f, "/bytes/1", &how);
    seen_await(&seen, 1);
    assert_int_equal(seen.code, WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_cq_next(how.cq, &(struct weft_event){0}, 1, 0), 0);
    weft_future_unref(future);
    weft_cq_unref(how.cq);
    fixture_free(&f);
}

static void test_a_bad_url_arrives_through_the_future(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = weft_get(f.client, "ftp://127.0.0.1/");
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_INVALID_URL);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_SENT);
    weft_future_unref(future);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_late_submission_gets_an_error_in_every_delivery),
        cmocka_unit_test(test_a_callback_and_a_queue_together_are_refused),
        cmocka_unit_test(test_a_bad_url_arrives_through_the_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
