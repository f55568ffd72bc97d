/* The text of -w. */
#include "write_out.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct wf_fetch_result sample = {
    .url = "https://host/a",
    .method = "GET",
    .content_type = "text/html",
    .filename = "out",
    .error = "it broke",
    .exit_code = 18,
    .status = 200,
    .index = 3,
    .field_count = 5,
    .body_len = 1234,
    .upload_len = 7,
    .head_len = 99,
    .retries = 2,
    .time_ns = 1500000999,
    .timings = {.queue_ns = 1000000,
                .resolve_ns = -1,
                .connect_ns = 2500000,
                .tls_ns = 3000000,
                .head_ns = 1400000000,
                .connection = 7,
                .protocol = "h2",
                .address = "[::1]:8443"},
};

static void expect_text(const char *format, const char *expected, const char *expected_warnings)
{
    char *text = NULL;
    char *warned = NULL;
    size_t len = 0;
    size_t warned_len = 0;
    FILE *to = open_memstream(&text, &len);
    FILE *warnings = open_memstream(&warned, &warned_len);

    wf_fetch_write_out(to, format, &sample, warnings, warnings);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(fclose(warnings), 0);
    assert_string_equal(text, expected);
    assert_string_equal(warned, expected_warnings);
    free(text);
    free(warned);
}

static void test_variables_become_values(void **state)
{
    (void)state;
    expect_text("%{http_code} %{response_code} %{size_download} %{size_upload}", "200 200 1234 7",
                "");
    expect_text("%{time_total}s %{speed_download}", "1.500000s 822", "");
    expect_text("%{url}|%{url_effective}|%{urlnum}", "https://host/a|https://host/a|3", "");
    expect_text("%{exitcode} %{errormsg}", "18 it broke", "");
    expect_text("%{method} %{content_type} %{filename_effective} %{num_headers} %{http_version}",
                "GET text/html out 5 2", "");
}

static void test_no_response_is_status_000(void **state)
{
    struct wf_fetch_result result = sample;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    (void)state;
    result.status = 0;
    result.time_ns = 0;
    wf_fetch_write_out(to, "%{http_code} %{http_version} %{speed_download}", &result, NULL, NULL);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, "000 0 0");
    free(text);
}

static void test_escapes_are_those_of_c(void **state)
{
    (void)state;
    expect_text("a\\nb\\tc\\rd\\\\e\\x", "a\nb\tc\rd\\e\\x", "");
    expect_text("end\\", "end\\", "");
}

static void test_percent_signs_stand_for_themselves(void **state)
{
    (void)state;
    expect_text("100%% 5% %{open", "100% 5% %{open", "");
}

static void test_an_unknown_variable_is_named_and_left_out(void **state)
{
    (void)state;
    expect_text("<%{time_moon}>", "<>", "weft: -w has no variable 'time_moon'\n");
}

static void test_stages_and_the_connection_become_values(void **state)
{
    (void)state;
    expect_text("%{time_queue} %{time_namelookup} %{time_connect} %{time_starttransfer}",
                "0.001000 0.000000 0.002500 1.400000", "");
    expect_text("%{num_connects} %{conn_id} %{remote_ip} %{remote_port} %{http_version}",
                "1 7 ::1 8443 2", "");
}

static void test_what_curl_calls_the_rest_becomes_values(void **state)
{
    (void)state;
    expect_text("%{time_pretransfer} %{time_redirect} %{num_redirects} %{num_retries}",
                "0.003000 0.000000 0 2", "");
    expect_text("%{scheme} %{size_header} %{speed_upload} %{ssl_verify_result}", "HTTPS 99 4 0",
                "");
    expect_text("<%header{server}>", "<>", "");
}

static void test_text_goes_to_the_other_stream_and_back(void **state)
{
    (void)state;
    expect_text("a%{stderr}b%{urlnum}%{stdout}c%{onerror}d", "acd", "b3");
}

static void test_onerror_ends_the_text_of_a_success(void **state)
{
    struct wf_fetch_result result = sample;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    (void)state;
    result.exit_code = 0;
    wf_fetch_write_out(to, "a%{onerror}b", &result, NULL, NULL);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, "a");
    free(text);
}

static void test_json_quotes_texts_and_has_null_for_none(void **state)
{
    struct wf_fetch_result result = sample;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    (void)state;
    result.error = "a \"b\"\\\n";
    result.filename = "";
    wf_fetch_write_out(to, "%{json}", &result, NULL, NULL);
    assert_int_equal(fclose(to), 0);
    assert_non_null(strstr(text, "\"errormsg\":\"a \\\"b\\\"\\\\\\u000a\",\"exitcode\":18,"));
    assert_non_null(strstr(text, "\"filename_effective\":null,\"http_code\":200,"));
    assert_non_null(strstr(text, "\"time_total\":1.500000,"));
    assert_int_equal(text[0], '{');
    assert_int_equal(text[len - 1], '}');
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables_become_values),
        cmocka_unit_test(test_stages_and_the_connection_become_values),
        cmocka_unit_test(test_what_curl_calls_the_rest_becomes_values),
        cmocka_unit_test(test_text_goes_to_the_other_stream_and_back),
        cmocka_unit_test(test_onerror_ends_the_text_of_a_success),
        cmocka_unit_test(test_json_quotes_texts_and_has_null_for_none),
        cmocka_unit_test(test_no_response_is_status_000),
        cmocka_unit_test(test_escapes_are_those_of_c),
        cmocka_unit_test(test_percent_signs_stand_for_themselves),
        cmocka_unit_test(test_an_unknown_variable_is_named_and_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
