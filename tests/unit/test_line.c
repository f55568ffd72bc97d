/* Requests that wait for a stream: those that a server refused before its limit was known, and the
 * last one of a line. By the turn, so that what is looked for happens every time. */
#include "h2/error.h"
#include "support/cmocka.h"
#include "support/stepped.h"

static void test_an_early_request_that_is_refused_is_sent_again_once(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    struct weft_future *first = stepped_submit(&stepped);
    struct weft_future *second = stepped_submit(&stepped);
    /* Both go out with the preface. */
    assert_int_equal(stepped_await_request(&stepped), 1);
    assert_int_equal(stepped_await_request(&stepped), 3);
    stepped_put_settings(&stepped, 2);
    stepped_put_reset(&stepped, 3, WF_H2_REFUSED_STREAM);
    assert_int_equal(stepped_await_request(&stepped), 5);
    assert_false(weft_future_is_done(second));
    stepped_put_answer(&stepped, 5);
    assert_int_equal(stepped_await(&stepped, second), WEFT_OK);
    stepped_put_answer(&stepped, 1);
    assert_int_equal(stepped_await(&stepped, first), WEFT_OK);
    /* Once. */
    assert_int_equal(stepped_next_request(&stepped), 0);
    weft_future_unref(first);
    weft_future_unref(second);
    stepped_fini(&stepped);
}

static void test_what_is_refused_for_ever_ends_and_was_not_processed(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    struct weft_future *future = stepped_submit(&stepped);
    unsigned sent = 0;
    stepped_put_settings(&stepped, 100);
    for (;;) {
        uint32_t stream_id = 0;
        while (stream_id == 0 && !weft_future_is_done(future)) {
            stepped_turn(&stepped);
            stream_id = stepped_next_request(&stepped);
        }
        if (stream_id == 0)
            break;
        sent++;
        stepped_put_reset(&stepped, stream_id, WF_H2_REFUSED_STREAM);
    }
    assert_int_equal(weft_future_wait(future, 0), WEFT_ERR_REFUSED);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_PROCESSED);
    assert_in_range(sent, 1, 10);
    weft_future_unref(future);
    stepped_fini(&stepped);
}

/* RFC 9113 section 5.1.2. What was refused is alone in line when the only stream ends. */
static void test_the_last_request_in_line_is_not_stranded(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    struct weft_future *first = stepped_submit(&stepped);
    struct weft_future *second = stepped_submit(&stepped);
    assert_int_equal(stepped_await_request(&stepped), 1);
    assert_int_equal(stepped_await_request(&stepped), 3);
    stepped_put_settings(&stepped, 1);
    stepped_put_reset(&stepped, 3, WF_H2_REFUSED_STREAM);
    for (int i = 0; i < 10; i++)
        stepped_turn(&stepped);
    assert_int_equal(stepped_next_request(&stepped), 0); /* there is no room */
    stepped_put_answer(&stepped, 1);
    assert_int_equal(stepped_await_request(&stepped), 5);
    assert_int_equal(stepped_await(&stepped, first), WEFT_OK);
    stepped_put_answer(&stepped, 5);
    assert_int_equal(stepped_await(&stepped, second), WEFT_OK);
    weft_future_unref(first);
    weft_future_unref(second);
    stepped_fini(&stepped);
}

static void test_a_line_moves_on_by_one_with_each_stream_that_ends(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    struct stepped stepped;
    struct weft_future *futures[COUNT];
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_tries = 1;
    stepped_init(&stepped, &config);
    stepped_put_settings(&stepped, 1);
    stepped_turn(&stepped);
    for (int i = 0; i < COUNT; i++)
        futures[i] = stepped_submit(&stepped);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t stream_id = stepped_await_request(&stepped);
        assert_int_equal(stream_id, 2 * i + 1);
        assert_int_equal(stepped_next_request(&stepped), 0);
        /* However it ends. */
        if (i % 3 == 0)
            stepped_put_reset(&stepped, stream_id, WF_H2_CANCEL);
        else
            stepped_put_answer(&stepped, stream_id);
        assert_int_equal(stepped_await(&stepped, futures[i]),
                         i % 3 == 0 ? WEFT_ERR_RESET : WEFT_OK);
    }
    for (int i = 0; i < COUNT; i++)
        weft_future_unref(futures[i]);
    stepped_fini(&stepped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_early_request_that_is_refused_is_sent_again_once),
        cmocka_unit_test(test_what_is_refused_for_ever_ends_and_was_not_processed),
        cmocka_unit_test(test_the_last_request_in_line_is_not_stranded),
        cmocka_unit_test(test_a_line_moves_on_by_one_with_each_stream_that_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
