/* The command line of weft. */
#include "options.h"

#include "exit_code.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define PARSE(options, ...)                                                                        \
    parse((options), (char *[]){"weft", __VA_ARGS__},                                              \
          (int)(sizeof((char *[]){"weft", __VA_ARGS__}) / sizeof(char *)))

static bool parse(struct wf_fetch_options *options, char **words, int count)
{
    return wf_fetch_options_parse(options, count, words);
}

static void expect_usage(struct wf_fetch_options *options, bool parsed, const char *text)
{
    assert_false(parsed);
    assert_int_equal(options->exit_code, 2);
    assert_non_null(strstr(options->error, text));
    wf_fetch_options_fini(options);
}

/* A file with @len octets of @text; its path is put behind "@". */
static void make_file(char *path, const char *text, size_t len)
{
    int fd;

    strcpy(path, "@/tmp/weft-test-XXXXXX");
    fd = mkstemp(path + 1);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static void test_a_plain_url_is_a_get(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "https://a/", "https://b/"));
    assert_int_equal(options.url_count, 2);
    assert_string_equal(options.urls[1], "https://b/");
    assert_string_equal(options.method, "GET");
    assert_false(options.data.has_body);
    assert_true(wf_tool_headers_has(&options.defaults, "user-agent"));
    assert_true(wf_tool_headers_has(&options.defaults, "accept"));
    assert_false(wf_tool_headers_has(&options.defaults, "content-type"));
    wf_fetch_options_fini(&options);
}

static void test_flags_stand_together(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-kisSfvXPUT", "u", "--http2", "--http2-prior-knowledge"));
    assert_true(options.insecure && options.include && options.silent && options.show_error);
    assert_true(options.fail && options.verbose);
    assert_string_equal(options.method, "PUT");
    wf_fetch_options_fini(&options);
}

static void test_tls_is_told_as_curl_is(void **state)
{
    struct wf_fetch_options options;
    struct weft_config config = WEFT_CONFIG_INIT;

    (void)state;
    assert_true(PARSE(&options, "--capath", "d", "-Ec.pem", "--key", "k.pem", "--tlsv1.3",
                      "--tls-max", "1.3", "--ciphers", "A:B", "--tls13-ciphers", "C",
                      "--no-sessionid", "--pinnedpubkey", "x", "--pinnedpubkey",
                      "sha256//a;sha256//b", "u"));
    wf_fetch_tls_apply(&options.tls, &config);
    assert_string_equal(config.ca_path, "d");
    assert_string_equal(config.cert_file, "c.pem");
    assert_string_equal(config.key_file, "k.pem");
    assert_int_equal(config.tls_min_version, WEFT_TLS_1_3);
    assert_int_equal(config.tls_max_version, WEFT_TLS_1_3);
    assert_string_equal(config.ciphers, "A:B");
    assert_string_equal(config.ciphers13, "C");
    assert_int_equal(config.tls_sessions, 0);
    assert_string_equal(config.pins[0], "sha256//a");
    assert_string_equal(config.pins[1], "sha256//b");
    assert_null(config.pins[2]);
    wf_fetch_options_fini(&options);

    assert_true(PARSE(&options, "--tlsv1.2", "--tls-max", "1.2", "u"));
    config = (struct weft_config)WEFT_CONFIG_INIT;
    wf_fetch_tls_apply(&options.tls, &config);
    assert_int_equal(config.tls_min_version, WEFT_TLS_1_2);
    assert_int_equal(config.tls_max_version, WEFT_TLS_1_2);
    assert_int_not_equal(config.tls_sessions, 0);
    assert_null(config.pins);
    wf_fetch_options_fini(&options);

    expect_usage(&options, PARSE(&options, "--tls-max", "1.1", "u"), "1.2 or 1.3");
    expect_usage(&options, PARSE(&options, "--pinnedpubkey", ";", "u"), "sha256//");
    expect_usage(&options, PARSE(&options, "--pinnedpubkey", "", "u"), "sha256//");
}

static void test_data_is_joined_and_makes_a_post_of_a_form(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-da=1", "--data", "b=2", "--data-raw", "@c", "u"));
    assert_string_equal(options.method, "POST");
    assert_int_equal(options.data.body.len, 10);
    assert_memory_equal(options.data.body.data, "a=1&b=2&@c", 10);
    assert_true(wf_tool_headers_has(&options.defaults, "content-type"));
    wf_fetch_options_fini(&options);
}

static void test_data_from_a_file_loses_its_line_ends(void **state)
{
    struct wf_fetch_options options;
    char path[32];

    (void)state;
    make_file(path, "a\r\nb\0c\n", 7);
    assert_true(PARSE(&options, "-d", path, "-d", path, "u"));
    assert_int_equal(options.data.body.len, 7);
    assert_memory_equal(options.data.body.data, "abc&abc", 7);
    wf_fetch_options_fini(&options);
    unlink(path + 1);
}

static void test_data_is_percent_encoded(void **state)
{
    static const char expected[] =
        "a+b%2Bc%26d~%2F%C3%A9&x%3Dy&n=1+2&f=a%0D%0Ab%00c%0A&a%0D%0Ab%00c%0A";
    struct wf_fetch_options options;
    char path[40] = "f";

    (void)state;
    make_file(path + 1, "a\r\nb\0c\n", 7);
    assert_true(PARSE(&options, "--data-urlencode", "a b+c&d~/\xc3\xa9", "--data-urlencode", "=x=y",
                      "--data-urlencode", "n=1 2", "--data-urlencode", path, "--data-urlencode",
                      path + 1, "u"));
    assert_int_equal(options.data.body.len, strlen(expected));
    assert_memory_equal(options.data.body.data, expected, strlen(expected));
    wf_fetch_options_fini(&options);
    unlink(path + 2);
    assert_false(PARSE(&options, "--data-urlencode", "@/nonexistent/x", "u"));
    assert_int_equal(options.exit_code, 26);
    assert_non_null(strstr(options.error, "/nonexistent/x"));
    wf_fetch_options_fini(&options);
}

static void test_get_takes_the_data_for_the_query(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-G", "-d", "a=b", "u"));
    assert_string_equal(options.method, "GET");
    assert_false(wf_tool_headers_has(&options.defaults, "content-type"));
    wf_fetch_options_fini(&options);
    assert_true(PARSE(&options, "-IGd", "a=b", "u"));
    assert_string_equal(options.method, "HEAD");
    wf_fetch_options_fini(&options);
}

static void test_json_brings_its_fields(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "--json", "{", "--json", "}", "u"));
    assert_string_equal(options.method, "POST");
    assert_string_equal(options.data.body.data, "{}");
    assert_string_equal(options.defaults.items[1].value, "application/json");
    assert_string_equal(options.defaults.items[2].value, "application/json");
    wf_fetch_options_fini(&options);
}

static void test_a_user_becomes_credentials(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-u", "me:pa:ss", "u"));
    assert_string_equal(options.defaults.items[2].name, "authorization");
    assert_string_equal(options.defaults.items[2].value, "Basic bWU6cGE6c3M=");
    wf_fetch_options_fini(&options);
    expect_usage(&options, PARSE(&options, "-u", "me", "u"), "NAME:PASSWORD, not 'me'");
}

static void test_uploads_belong_to_urls_in_turn(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-T", "a", "-T", "", "-T.", "--expect100-timeout", "0.5", "u"));
    assert_int_equal(options.upload_count, 3);
    assert_string_equal(options.uploads[0], "a");
    assert_string_equal(options.uploads[1], "");
    assert_string_equal(options.uploads[2], "-");
    assert_int_equal(options.expect_timeout_ms, 500);
    assert_false(options.method_is_given);
    wf_fetch_options_fini(&options);
    expect_usage(&options, PARSE(&options, "-T-", "-T.", "u"), "only once");
    expect_usage(&options, PARSE(&options, "-Ta", "-dx", "u"), "-d does not go with it");
    expect_usage(&options, PARSE(&options, "-Ta", "-I", "u"), "-I does not go with it");
    expect_usage(&options, PARSE(&options, "--expect100-timeout", "x", "u"), "not 'x'");
}

static void test_sizes_have_units(void **state)
{
    static const char *const wrong[] = {
        "", "k", "1q", "1kb", "-1", "99999999999999999999", "18446744073709551615k", "1 "};
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "--max-filesize", "3", "u"));
    assert_int_equal(options.max_body, 3);
    wf_fetch_options_fini(&options);
    assert_true(PARSE(&options, "--max-filesize", "2K", "u"));
    assert_int_equal(options.max_body, 2048);
    wf_fetch_options_fini(&options);
    assert_true(PARSE(&options, "--max-filesize", "1g", "u"));
    assert_int_equal(options.max_body, 1 << 30);
    wf_fetch_options_fini(&options);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char *words[] = {"weft", "--max-filesize", (char *)wrong[i], "u"};

        expect_usage(&options, parse(&options, words, 4), wrong[i]);
    }
}

static void test_retries_are_told_as_curl_is(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "--retry", "3", "--retry-delay", "1.5", "--retry-max-time", "60",
                      "--retry-connrefused", "--retry-all-errors", "u"));
    assert_int_equal(options.retry.count, 3);
    assert_int_equal(options.retry.delay_ms, 1500);
    assert_int_equal(options.retry.max_time_ms, 60000);
    assert_true(options.retry.connrefused && options.retry.all_errors);
    wf_fetch_options_fini(&options);
    expect_usage(&options, PARSE(&options, "--retry", "x", "u"), "number of retries, not 'x'");
    expect_usage(&options, PARSE(&options, "--retry-delay", "x", "u"), "seconds, not 'x'");
    expect_usage(&options, PARSE(&options, "--retry-max-time", "", "u"), "seconds, not ''");
}

static void test_binary_data_from_a_file_stays_as_it_is(void **state)
{
    struct wf_fetch_options options;
    char path[32];

    (void)state;
    make_file(path, "a\r\nb\0c\n", 7);
    assert_true(PARSE(&options, "--data-binary", path, "--data-binary", path, "u"));
    assert_int_equal(options.data.body.len, 15);
    assert_memory_equal(options.data.body.data, "a\r\nb\0c\n&a\r\nb\0c\n", 15);
    wf_fetch_options_fini(&options);
    unlink(path + 1);
}

static void test_an_empty_body_is_a_body(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-d", "", "u"));
    assert_true(options.data.has_body);
    assert_int_equal(options.data.body.len, 0);
    assert_string_equal(options.method, "POST");
    wf_fetch_options_fini(&options);
}

static void test_a_body_file_that_is_missing_is_a_read_error(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_false(PARSE(&options, "-d", "@/nonexistent/file", "u"));
    assert_int_equal(options.exit_code, WF_FETCH_EXIT_READ);
    assert_string_equal(options.error, "cannot read /nonexistent/file: No such file or directory");
    wf_fetch_options_fini(&options);
}

static void test_outputs_belong_to_urls_in_order(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-o", "x", "-O", "-o-", "u1", "u2", "u3"));
    assert_int_equal(options.output_count, 3);
    assert_string_equal(options.outputs[0].path, "x");
    assert_true(options.outputs[1].from_url);
    assert_null(options.outputs[2].path);
    assert_false(options.outputs[2].from_url);
    wf_fetch_options_fini(&options);
}

static void test_times_are_seconds(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-m1.5", "--connect-timeout", "2", "-y", "3", "u"));
    assert_int_equal(options.max_time_ms, 1500);
    assert_int_equal(options.connect_timeout_ms, 2000);
    assert_int_equal(options.stall_ms, 3000);
    wf_fetch_options_fini(&options);
}

static void test_a_silent_server_is_given_up_unless_a_time_is_given(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "u"));
    assert_int_equal(options.stall_ms, 30000);
    wf_fetch_options_fini(&options);
    assert_true(PARSE(&options, "-m", "60", "u"));
    assert_int_equal(options.stall_ms, 0);
    wf_fetch_options_fini(&options);
    assert_true(PARSE(&options, "-y", "0", "u"));
    assert_int_equal(options.stall_ms, 0);
    wf_fetch_options_fini(&options);
}

static void test_a_wrong_command_line_is_told_in_a_sentence(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    expect_usage(&options, PARSE(&options, "--frobnicate", "u"), "unknown option --frobnicate");
    expect_usage(&options, PARSE(&options, "-Z", "u"), "unknown option -Z");
    expect_usage(&options, PARSE(&options, "-k"), "no URL given");
    expect_usage(&options, PARSE(&options, "u", "-o"), "option -o needs a value: FILE");
    expect_usage(&options, PARSE(&options, "-m", "soon", "u"), "--max-time needs a number");
    expect_usage(&options, PARSE(&options, "-H", "nocolon", "u"), "not 'nocolon'");
    expect_usage(&options, PARSE(&options, "-I", "-d", "x", "u"), "-I asks for no body");
}

static void test_the_user_agent_replaces_or_removes_the_default(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-A", "me/1", "u"));
    assert_string_equal(options.headers.items[0].name, "user-agent");
    assert_string_equal(options.headers.items[0].value, "me/1");
    wf_fetch_options_fini(&options);
    assert_true(PARSE(&options, "-A", "", "u"));
    assert_null(options.headers.items[0].value);
    wf_fetch_options_fini(&options);
}

static void test_head_asks_with_head(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-I", "u"));
    assert_string_equal(options.method, "HEAD");
    wf_fetch_options_fini(&options);
}

static void test_help_needs_no_url(void **state)
{
    struct wf_fetch_options options;

    (void)state;
    assert_true(PARSE(&options, "-h"));
    assert_true(options.show_help);
    wf_fetch_options_fini(&options);
    assert_true(PARSE(&options, "--version"));
    assert_true(options.show_version);
    wf_fetch_options_fini(&options);
}

static void test_where_connections_go_is_handed_to_the_library(void **state)
{
    struct wf_fetch_options options;
    struct weft_config config = WEFT_CONFIG_INIT;

    (void)state;
    assert_true(PARSE(&options, "--resolve", "a:1:192.0.2.1", "--resolve", "b:2:192.0.2.2",
                      "--connect-to", "::c:3", "--dns-servers", "192.0.2.3", "--unix-socket",
                      "@odd", "http://a/"));
    wf_fetch_net_apply(&options.net, &config);
    assert_string_equal(config.resolve[0], "a:1:192.0.2.1");
    assert_string_equal(config.resolve[1], "b:2:192.0.2.2");
    assert_null(config.resolve[2]);
    assert_string_equal(config.connect_to[0], "::c:3");
    assert_null(config.connect_to[1]);
    assert_string_equal(config.dns_servers, "192.0.2.3");
    assert_string_equal(config.unix_socket, "./@odd");
    wf_fetch_options_fini(&options);
    assert_true(PARSE(&options, "--abstract-unix-socket", "name", "http://a/"));
    wf_fetch_net_apply(&options.net, &config);
    assert_null(config.resolve);
    assert_string_equal(config.unix_socket, "@name");
    wf_fetch_options_fini(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_url_is_a_get),
        cmocka_unit_test(test_flags_stand_together),
        cmocka_unit_test(test_tls_is_told_as_curl_is),
        cmocka_unit_test(test_data_is_joined_and_makes_a_post_of_a_form),
        cmocka_unit_test(test_data_from_a_file_loses_its_line_ends),
        cmocka_unit_test(test_data_is_percent_encoded),
        cmocka_unit_test(test_get_takes_the_data_for_the_query),
        cmocka_unit_test(test_json_brings_its_fields),
        cmocka_unit_test(test_a_user_becomes_credentials),
        cmocka_unit_test(test_uploads_belong_to_urls_in_turn),
        cmocka_unit_test(test_sizes_have_units),
        cmocka_unit_test(test_retries_are_told_as_curl_is),
        cmocka_unit_test(test_binary_data_from_a_file_stays_as_it_is),
        cmocka_unit_test(test_an_empty_body_is_a_body),
        cmocka_unit_test(test_a_body_file_that_is_missing_is_a_read_error),
        cmocka_unit_test(test_outputs_belong_to_urls_in_order),
        cmocka_unit_test(test_times_are_seconds),
        cmocka_unit_test(test_a_silent_server_is_given_up_unless_a_time_is_given),
        cmocka_unit_test(test_a_wrong_command_line_is_told_in_a_sentence),
        cmocka_unit_test(test_the_user_agent_replaces_or_removes_the_default),
        cmocka_unit_test(test_head_asks_with_head),
        cmocka_unit_test(test_help_needs_no_url),
        cmocka_unit_test(test_where_connections_go_is_handed_to_the_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
