/* What a stream did, as its future tells it. */
#include "support/fixture.h"

static void test_a_refused_stream_was_not_processed(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    weft_future_unref(fixture_expect(&f, "/status/204", WEFT_OK, 0, 0));
    weft_future_unref(
        fixture_expect(&f, "/refuse", WEFT_ERR_REFUSED, WEFT_STAGE_WAIT, WEFT_NOT_PROCESSED));
    fixture_free(&f);
}

static void test_a_reset_before_the_response_may_have_been_processed(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future =
        fixture_expect(&f, "/reset", WEFT_ERR_RESET, WEFT_STAGE_WAIT, WEFT_MAYBE_PROCESSED);
    assert_int_equal(weft_future_error(future)->h2_code, 2);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_reset_in_mid_body_is_never_a_short_success(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future =
        fixture_expect(&f, "/half", WEFT_ERR_RESET, WEFT_STAGE_BODY, WEFT_PROCESSED);
    assert_int_equal(weft_future_status(future), 200);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_trailers_are_there_after_completion(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/trailers", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    struct weft_field field;
    assert_int_equal(weft_future_trailer_count(future), 1);
    assert_true(weft_future_trailer_at(future, 0, &field));
    assert_memory_equal(field.name, "x-sum", 5);
    assert_memory_equal(field.value, "42", 2);
    assert_false(weft_future_trailer_at(future, 1, &field));
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_body_above_the_limit_is_refused(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_body_size = 100000;
    struct fixture f = fixture_with(NULL, &config);
    weft_future_unref(fixture_expect(&f, "/bytes/100000", WEFT_OK, 0, 0));
    weft_future_unref(fixture_expect(&f, "/bytes/100001", WEFT_ERR_BODY_TOO_LARGE, WEFT_STAGE_BODY,
                                     WEFT_PROCESSED));
    fixture_free(&f);
}

static void test_a_discarded_body_is_counted(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_DISCARD_BODY;
    struct weft_future *future = fixture_submit(&f, "/bytes/3000000", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_body_len(future), 3000000);
    assert_int_equal(weft_future_body(future).len, 0);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_response_in_one_octet_frames_is_whole(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_expect(&f, "/drip/3000", WEFT_OK, 0, 0);
    assert_int_equal(weft_future_body(future).len, 3000);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_bodies_that_wait_share_one_budget(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.stream_window = 65535;
    config.max_buffered = 150000;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *stopped[2];
    for (size_t i = 0; i < 2; i++) {
        stopped[i] = fixture_submit(&f, "/bytes/60000", &how);
        /* Complete, though nobody has read it. */
        assert_int_equal(weft_future_wait(stopped[i], TEST_WAIT_MS), WEFT_OK);
    }
    struct weft_future *future = fixture_expect(&f, "/bytes/60000", WEFT_ERR_BODY_TOO_LARGE,
                                                WEFT_STAGE_BODY, WEFT_PROCESSED);
    assert_non_null(strstr(weft_future_error(future)->text, "max_buffered"));
    weft_future_unref(future);
    weft_future_unref(fixture_expect(&f, "/bytes/500", WEFT_OK, 0, 0));
    weft_future_unref(stopped[0]);
    for (int i = 0; i < 5; i++)
        weft_future_unref(fixture_expect(&f, "/bytes/60000", WEFT_OK, 0, 0));
    weft_future_unref(stopped[1]);
    /* What is read is given back while the request goes on. */
    struct weft_future *long_one = fixture_submit(&f, "/bytes/2000000", &how);
    size_t len;
    do {
        char buf[10000];
        assert_int_equal(weft_future_read(long_one, buf, sizeof(buf), TEST_WAIT_MS, &len), WEFT_OK);
    } while (len > 0);
    weft_future_unref(long_one);
    fixture_free(&f);
}

static void test_a_refused_request_is_sent_again_once_whatever_the_connection(void **state)
{
    (void)state;
    /* Each connection refuses its first request, which came before SETTINGS were there, and ends.
     */
    struct loop_server_config server = {.close_after = 1};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_tries = 1; /* what goes back was our own haste, and no retry */
    struct fixture f = fixture_with(&server, &config);
    struct weft_future *future = fixture_submit(&f, "/refuse", NULL);
    enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
    const struct weft_error *error = weft_future_error(future);
    /* The second time may cross the end of the first connection. */
    assert_true(code == WEFT_ERR_REFUSED || code == WEFT_ERR_CONNECTION_LOST);
    if (code == WEFT_ERR_REFUSED)
        assert_int_equal(error->effect, WEFT_NOT_PROCESSED);
    assert_int_not_equal(error->effect, WEFT_NOT_SENT);
    assert_in_range(loop_server_requests(f.server), 1, 2);
    weft_future_unref(future);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refused_stream_was_not_processed),
        cmocka_unit_test(test_a_reset_before_the_response_may_have_been_processed),
        cmocka_unit_test(test_a_reset_in_mid_body_is_never_a_short_success),
        cmocka_unit_test(test_trailers_are_there_after_completion),
        cmocka_unit_test(test_a_body_above_the_limit_is_refused),
        cmocka_unit_test(test_a_discarded_body_is_counted),
        cmocka_unit_test(test_a_response_in_one_octet_frames_is_whole),
        cmocka_unit_test(test_bodies_that_wait_share_one_budget),
        cmocka_unit_test(test_a_refused_request_is_sent_again_once_whatever_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
