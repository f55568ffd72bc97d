/* Configuration, and what a callback must not wait for. */
#include "support/fixture.h"
#include "support/seen.h"

static void test_a_bad_configuration_is_refused_by_name(void **state)
{
    (void)state;
    struct weft_error error;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.io_threads = 0;
    assert_null(weft_client_new(&config, &error));
    assert_int_equal(error.code, WEFT_ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.text, "io_threads"));
    config = (struct weft_config)WEFT_CONFIG_INIT;
    config.stream_window = 100;
    assert_null(weft_client_new(&config, &error));
    assert_non_null(strstr(error.text, "stream_window"));
    config = (struct weft_config)WEFT_CONFIG_INIT;
    config.ca_file = "/nonexistent/ca.pem";
    assert_null(weft_client_new(&config, &error));
    assert_non_null(strstr(error.text, "/nonexistent/ca.pem"));
    assert_null(weft_client_new(&config, NULL));
}

static void test_waiting_and_closing_inside_a_callback_are_errors(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct seen seen;
    seen_init(&seen);
    seen.other = fixture_submit(&f, "/hang", NULL);
    seen.client = f.client;
    struct weft_delivery how = seen_delivery(&seen);
    struct weft_future *future = fixture_submit(&f, "/status/200", &how);
    seen_await(&seen, 1);
    assert_int_equal(seen.wait_code, WEFT_ERR_WOULD_DEADLOCK);
    assert_int_equal(seen.close_code, WEFT_ERR_WOULD_DEADLOCK);
    weft_future_unref(future);
    weft_future_unref(seen.other);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bad_configuration_is_refused_by_name),
        cmocka_unit_test(test_waiting_and_closing_inside_a_callback_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
