/* The table from the library's codes to exit statuses. */
#include "exit_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static int code_at(enum weft_code code, enum weft_stage stage)
{
    struct weft_error error = {.code = code, .stage = stage};

    return (int)wf_fetch_exit_code(&error);
}

static void test_each_code_has_its_status(void **state)
{
    static const struct {
        enum weft_code code;
        int status;
    } table[] = {
        {WEFT_OK, 0},
        {WEFT_ERR_NO_MEMORY, 27},
        {WEFT_ERR_INVALID_ARGUMENT, 43},
        {WEFT_ERR_INVALID_URL, 3},
        {WEFT_ERR_INVALID_REQUEST, 43},
        {WEFT_ERR_FROZEN, 43},
        {WEFT_ERR_WOULD_DEADLOCK, 125},
        {WEFT_ERR_TIMEOUT, 28},
        {WEFT_ERR_CANCELLED, 42},
        {WEFT_ERR_DEADLINE, 28},
        {WEFT_ERR_STAGE_TIMEOUT, 28},
        {WEFT_ERR_CLOSED, 42},
        {WEFT_ERR_QUEUE_FULL, 89},
        {WEFT_ERR_FORKED, 125},
        {WEFT_ERR_RESOLVE, 6},
        {WEFT_ERR_CONNECT, 7},
        {WEFT_ERR_CONNECT_REFUSED, 7},
        {WEFT_ERR_CONNECT_TIMEOUT, 28},
        {WEFT_ERR_TLS, 35},
        {WEFT_ERR_CERTIFICATE, 60},
        {WEFT_ERR_CERTIFICATE_TIME, 60},
        {WEFT_ERR_CERTIFICATE_HOST, 60},
        {WEFT_ERR_PIN, 90},
        {WEFT_ERR_CLIENT_CERT, 58},
        {WEFT_ERR_NOT_HTTP2, 1},
        {WEFT_ERR_NOT_HTTP1, 1},
        {WEFT_ERR_CONNECTION_LOST, 56},
        {WEFT_ERR_TRUNCATED, 56},
        {WEFT_ERR_GOAWAY, 16},
        {WEFT_ERR_REFUSED, 92},
        {WEFT_ERR_RESET, 92},
        {WEFT_ERR_PROTOCOL, 8},
        {WEFT_ERR_BODY_TOO_LARGE, 63},
        {WEFT_ERR_FIELDS_TOO_LARGE, 100},
        {WEFT_ERR_BUSY, 125},
        {WEFT_ERR_UPLOAD_OVER, 125},
        {WEFT_ERR_FILE, 26},
        {WEFT_ERR_INTERNAL, 125},
    };

    (void)state;
    /* A new code needs a line here. */
    assert_int_equal(sizeof(table) / sizeof(table[0]), WEFT_CODE_COUNT);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(table[i].code, i);
        assert_int_equal(code_at(table[i].code, WEFT_STAGE_WAIT), table[i].status);
    }
}

static void test_a_lost_connection_tells_how_far_it_came(void **state)
{
    (void)state;
    assert_int_equal(code_at(WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_QUEUE), 7);
    assert_int_equal(code_at(WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_RESOLVE), 7);
    assert_int_equal(code_at(WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_CONNECT), 7);
    assert_int_equal(code_at(WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_TLS), 35);
    assert_int_equal(code_at(WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_SEND), 55);
    assert_int_equal(code_at(WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_WAIT), 56);
    assert_int_equal(code_at(WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_BODY), 18);
    assert_int_equal(code_at(WEFT_ERR_TRUNCATED, WEFT_STAGE_BODY), 18);
}

static void test_http_1_and_http_2_have_statuses_of_their_own(void **state)
{
    struct weft_error error = {.code = WEFT_ERR_PROTOCOL, .stage = WEFT_STAGE_BODY};

    (void)state;
    assert_int_equal(wf_fetch_exit_code(&error), 56);
    error.h2_code = 1;
    assert_int_equal(wf_fetch_exit_code(&error), 16);
    error.stage = WEFT_STAGE_WAIT;
    assert_int_equal(wf_fetch_exit_code(&error), 16);
    error = (struct weft_error){.code = WEFT_ERR_CONNECTION_LOST,
                                .stage = WEFT_STAGE_WAIT,
                                .text = "it ended (the connection ended before a response)"};
    assert_int_equal(wf_fetch_exit_code(&error), 52);
}

static void test_only_success_is_zero(void **state)
{
    (void)state;
    for (int code = 1; code <= WEFT_CODE_COUNT; code++)
        assert_int_not_equal(code_at((enum weft_code)code, WEFT_STAGE_BODY), 0);
}

static const char *hint(enum weft_code code, const char *text)
{
    struct weft_error error = {.code = code};

    (void)snprintf(error.text, sizeof(error.text), "%s", text);
    return wf_fetch_hint(&error);
}

static void test_a_hint_says_what_to_type_and_others_have_none(void **state)
{
    (void)state;
    assert_non_null(strstr(hint(WEFT_ERR_NOT_HTTP1, "h speaks HTTP/2; set http2_prior_knowledge"),
                           "--http2-prior-knowledge"));
    assert_string_equal(hint(WEFT_ERR_NOT_HTTP1, "h does not speak HTTP/1.1"), "");
    assert_non_null(strstr(hint(WEFT_ERR_NOT_HTTP2, "h speaks HTTP/1, not HTTP/2"), "leave"));
    assert_non_null(strstr(hint(WEFT_ERR_NOT_HTTP2, "h speaks TLS, not HTTP/2"), "https://"));
    assert_non_null(strstr(hint(WEFT_ERR_TLS, "h does not speak TLS on this port"), "http://"));
    assert_string_equal(hint(WEFT_ERR_TLS, "h ended TLS by alert 40"), "");
    assert_string_equal(hint(WEFT_ERR_CONNECTION_LOST, "h speaks TLS"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_code_has_its_status),
        cmocka_unit_test(test_a_lost_connection_tells_how_far_it_came),
        cmocka_unit_test(test_http_1_and_http_2_have_statuses_of_their_own),
        cmocka_unit_test(test_only_success_is_zero),
        cmocka_unit_test(test_a_hint_says_what_to_type_and_others_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
