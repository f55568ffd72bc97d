/* What few exchanges need, without memory for it. */
#include "support/failing_alloc.h"
#include "support/fixture.h"
#include "support/stepped.h"

#include "io_thread/exchange.h"
#include "io_thread/extra.h"

#define HEADERS     1
#define END_HEADERS 4

static int tear_down(void **state)
{
    (void)state;
    failing_alloc_after(-1);
    return 0;
}

static struct weft_future *submit(struct stepped *stepped, int64_t try_timeout_ms)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.try_timeout_ms = try_timeout_ms;
    return weft_submit(stepped->client, stepped->request, &how);
}

static void answer_next(struct stepped *stepped, struct weft_future *future)
{
    assert_non_null(future);
    stepped_put_answer(stepped, stepped_await_request(stepped));
    assert_int_equal(stepped_await(stepped, future), WEFT_OK);
    weft_future_unref(future);
}

static void test_a_plain_request_has_none(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    stepped_put_settings(&stepped, 100);
    struct weft_future *future = submit(&stepped, 0);
    assert_non_null(future);
    assert_null(wf_extra_of(future));
    stepped_put_answer(&stepped, stepped_await_request(&stepped));
    assert_int_equal(stepped_await(&stepped, future), WEFT_OK);
    assert_null(wf_extra_of(future));
    assert_int_equal(weft_future_informational_count(future), 0);
    assert_int_equal(weft_future_informational_status(future, 0), 0);
    weft_future_unref(future);
    stepped_fini(&stepped);
}

static void test_without_memory_for_its_limits_a_request_is_not_submitted(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    stepped_put_settings(&stepped, 100);
    answer_next(&stepped, submit(&stepped, 0)); /* its block goes back to the pool */
    failing_alloc_after(0);
    assert_null(submit(&stepped, 10000));
    assert_int_equal(failing_alloc_failures(), 1);
    failing_alloc_after(-1);
    struct weft_future *future = submit(&stepped, 10000);
    assert_non_null(wf_extra_of(future));
    answer_next(&stepped, future);
    stepped_fini(&stepped);
}

static void test_what_a_batch_without_memory_took_too_much_goes_back(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    struct stepped stepped;
    struct weft_request *requests[COUNT];
    struct weft_future *futures[COUNT];
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    stepped_init(&stepped, NULL);
    stepped_put_settings(&stepped, 100);
    for (size_t i = 0; i < COUNT; i++)
        requests[i] = stepped.request;
    /* Afterwards as many blocks lie free. */
    assert_int_equal(weft_submit_batch(stepped.client, requests, COUNT, NULL, NULL, futures),
                     COUNT);
    for (size_t i = 0; i < COUNT; i++)
        answer_next(&stepped, futures[i]);

    how.try_timeout_ms = 10000;
    how.flags = WEFT_STREAM_BODY;
    failing_alloc_after(3);
    size_t made = weft_submit_batch(stepped.client, requests, COUNT, &how, NULL, futures);
    assert_int_equal(failing_alloc_failures(), 1);
    failing_alloc_after(-1);
    assert_in_range(made, 1, COUNT - 1);
    for (size_t i = made; i < COUNT; i++)
        assert_null(futures[i]);
    for (size_t i = 0; i < made; i++)
        weft_future_unref(futures[i]);
    stepped_fini(&stepped); /* the leak checker looks */
}

static void test_without_memory_for_an_informational_response_the_request_ends(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    stepped_put_settings(&stepped, 100);
    answer_next(&stepped, submit(&stepped, 0));
    struct weft_future *future = submit(&stepped, 0);
    uint32_t id = stepped_await_request(&stepped);
    /* ":status: 103", literal, its name indexed. */
    stepped_put(&stepped, HEADERS, END_HEADERS, id,
                "\x08\x03"
                "103",
                5);
    failing_alloc_after(0);
    stepped_turn(&stepped);
    assert_true(failing_alloc_failures() > 0);
    failing_alloc_after(-1);
    assert_int_equal(stepped_await(&stepped, future), WEFT_ERR_NO_MEMORY);
    assert_int_equal(weft_future_informational_count(future), 0);
    weft_future_unref(future);
    answer_next(&stepped, submit(&stepped, 0));
    stepped_fini(&stepped);
}

static void test_without_memory_to_wait_with_a_request_is_not_tried_again(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    stepped_put_settings(&stepped, 100);
    answer_next(&stepped, submit(&stepped, 0));
    struct weft_future *future = submit(&stepped, 0);
    stepped_put_reset(&stepped, stepped_await_request(&stepped), 7); /* REFUSED_STREAM */
    failing_alloc_once(0);
    stepped_turn(&stepped);
    assert_int_equal(failing_alloc_failures(), 1);
    assert_int_equal(stepped_await(&stepped, future), WEFT_ERR_REFUSED);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_PROCESSED);
    assert_int_equal(weft_future_tries(future), 1);
    weft_future_unref(future);
    /* With memory it waits, and is tried again. */
    future = submit(&stepped, 0);
    stepped_put_reset(&stepped, stepped_await_request(&stepped), 7);
    stepped_put_answer(&stepped, stepped_await_request(&stepped));
    assert_int_equal(stepped_await(&stepped, future), WEFT_OK);
    assert_int_equal(weft_future_tries(future), 2);
    weft_future_unref(future);
    stepped_fini(&stepped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_plain_request_has_none, tear_down),
        cmocka_unit_test_teardown(test_without_memory_for_its_limits_a_request_is_not_submitted,
                                  tear_down),
        cmocka_unit_test_teardown(test_what_a_batch_without_memory_took_too_much_goes_back,
                                  tear_down),
        cmocka_unit_test_teardown(
            test_without_memory_for_an_informational_response_the_request_ends, tear_down),
        cmocka_unit_test_teardown(test_without_memory_to_wait_with_a_request_is_not_tried_again,
                                  tear_down),
    };
    return cmocka_run_group_tests_name("extra", tests, NULL, NULL);
}
