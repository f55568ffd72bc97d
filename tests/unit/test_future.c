/* Responses, as their futures give them. */
#include "support/fixture.h"

static void test_a_response_has_status_fields_and_body(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/bytes/30", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_status(future), 200);
    assert_int_equal(weft_future_error(future)->code, WEFT_OK);
    struct weft_field field;
    assert_true(weft_future_field(future, "server", &field));
    assert_int_equal(field.value_len, 4);
    assert_memory_equal(field.value, "loop", 4);
    assert_false(weft_future_field(future, "absent", &field));
    assert_int_equal(weft_future_field_count(future), 1);
    struct weft_body body = weft_future_body(future);
    assert_int_equal(body.len, 30);
    assert_memory_equal(body.data, "abcdefghijklmnopqrstuvwxyzabcd", 30);
    assert_int_equal(weft_future_body_len(future), 30);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_large_body_is_collected_in_one_piece(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_submit(&f, "/bytes/5000000", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    struct weft_body body = weft_future_body(future);
    assert_int_equal(body.len, 5000000);
    for (size_t i = 0; i < body.len; i++)
        assert_int_equal(((const char *)body.data)[i], 'a' + (int)(i % 26));
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_request_body_comes_back_from_echo(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    static uint8_t sent[300000];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i * 31 >> 3);
    struct weft_request *request = weft_request_new("POST", fixture_url(&f, "/echo"));
    assert_int_equal(weft_request_set_body(request, sent, sizeof(sent)), WEFT_OK);
    for (int round = 0; round < 3; round++) {
        struct weft_future *future = weft_submit(f.client, request, NULL);
        assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
        struct weft_body body = weft_future_body(future);
        assert_int_equal(body.len, sizeof(sent));
        assert_memory_equal(body.data, sent, sizeof(sent));
        weft_future_unref(future);
    }
    weft_request_unref(request);
    fixture_free(&f);
}

static void test_a_streamed_body_is_read_to_its_end(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = fixture_submit(&f, "/bytes/5000000", &how);
    assert_int_equal(weft_future_wait_response(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_status(future), 200);
    size_t total = 0;
    for (;;) {
        char buf[7001];
        size_t len;
        assert_int_equal(weft_future_read(future, buf, sizeof(buf), TEST_WAIT_MS, &len), WEFT_OK);
        if (len == 0)
            break;
        for (size_t i = 0; i < len; i++)
            assert_int_equal(buf[i], 'a' + (int)((total + i) % 26));
        total += len;
    }
    assert_int_equal(total, 5000000);
    assert_int_equal(weft_future_wait(future, 0), WEFT_OK);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_streamed_body_that_breaks_off_ends_in_its_error(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = fixture_submit(&f, "/half", &how);
    char buf[4096];
    size_t total = 0;
    enum weft_code code;
    size_t len;
    while ((code = weft_future_read(future, buf, sizeof(buf), TEST_WAIT_MS, &len)) == WEFT_OK) {
        assert_true(len > 0);
        total += len;
    }
    assert_int_equal(code, WEFT_ERR_RESET);
    assert_int_equal(total, 1000);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_reader_that_stops_stops_nobody_else(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.stream_window = 65535;
    config.connection_window = 65535;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *stopped = fixture_submit(&f, "/bytes/1000000", &how);
    assert_int_equal(weft_future_wait_response(stopped, TEST_WAIT_MS), WEFT_OK);
    for (int i = 0; i < 10; i++)
        weft_future_unref(fixture_expect(&f, "/bytes/200000", WEFT_OK, 0, 0));
    assert_false(weft_future_is_done(stopped));
    weft_future_unref(stopped);
    fixture_free(&f);
}

static void test_informational_responses_are_kept_in_order(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_expect(&f, "/early-hints", WEFT_OK, 0, 0);
    struct weft_field field;
    assert_int_equal(weft_future_status(future), 200);
    assert_int_equal(weft_future_informational_count(future), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(weft_future_informational_status(future, i), 103);
        assert_true(weft_future_informational_field_at(future, i, 0, &field));
        assert_memory_equal(field.name, "server", 6);
        assert_false(weft_future_informational_field_at(future, i, 1, &field));
    }
    assert_int_equal(weft_future_informational_status(future, 2), 0);
    assert_false(weft_future_informational_field_at(future, 2, 0, &field));
    assert_int_equal(weft_future_informational_count(NULL), 0);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_early_hints_are_told_before_the_response(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_cq *cq = weft_cq_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = fixture_submit(&f, "/hints-only", &how);
    struct weft_event event;
    assert_int_equal(weft_cq_next(cq, &event, 1, TEST_WAIT_MS), 1);
    assert_int_equal(event.type, WEFT_EVENT_READABLE);
    assert_int_equal(weft_future_informational_count(future), 1);
    assert_int_equal(weft_future_status(future), 0);
    assert_false(weft_future_is_done(future));
    weft_future_unref(future);
    weft_cq_unref(cq);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_response_has_status_fields_and_body),
        cmocka_unit_test(test_a_large_body_is_collected_in_one_piece),
        cmocka_unit_test(test_a_request_body_comes_back_from_echo),
        cmocka_unit_test(test_a_streamed_body_is_read_to_its_end),
        cmocka_unit_test(test_a_streamed_body_that_breaks_off_ends_in_its_error),
        cmocka_unit_test(test_a_reader_that_stops_stops_nobody_else),
        cmocka_unit_test(test_informational_responses_are_kept_in_order),
        cmocka_unit_test(test_early_hints_are_told_before_the_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
