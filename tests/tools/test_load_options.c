/* The command line of weft-load. */
#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define PARSE(options, ...)                                                                        \
    parse((options), (char *[]){"weft-load", __VA_ARGS__},                                         \
          (int)(sizeof((char *[]){"weft-load", __VA_ARGS__}) / sizeof(char *)))

static bool parse(struct wf_load_options *options, char **words, int count)
{
    return wf_load_options_parse(options, count, words);
}

static void expect_error(struct wf_load_options *options, bool parsed, const char *text)
{
    assert_false(parsed);
    if (!strstr(options->error, text))
        fail_msg("'%s' is not in '%s'", text, options->error);
    wf_load_options_fini(options);
}

static void make_file(char *path, const char *text)
{
    int fd;

    strcpy(path, "/tmp/weft-test-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void test_the_defaults_are_those_of_h2load(void **state)
{
    struct wf_load_options options;

    (void)state;
    assert_true(PARSE(&options, "https://a/"));
    assert_int_equal(options.requests, 1);
    assert_int_equal(options.connections, 1);
    assert_int_equal(options.streams, 1);
    assert_int_equal(options.threads, 1);
    assert_int_equal(options.stream_window, (1u << 30) - 1);
    assert_int_equal(options.timeout_ms, 30000);
    assert_string_equal(options.method, "GET");
    wf_load_options_fini(&options);
}

static void test_spellings_of_h2load_are_taken(void **state)
{
    struct wf_load_options options;

    (void)state;
    assert_true(PARSE(&options, "-n1000", "--clients=10", "-m", "100", "--threads", "2", "-w16",
                      "-W31", "-T", "500ms", "-H", "a: b", "-k", "https://a/"));
    assert_int_equal(options.requests, 1000);
    assert_int_equal(options.connections, 10);
    assert_int_equal(options.connections_per_thread, 5);
    assert_int_equal(options.streams, 100);
    assert_int_equal(options.threads, 2);
    assert_int_equal(options.stream_window, 65535);
    assert_int_equal(options.connection_window, 0x7fffffff);
    assert_int_equal(options.timeout_ms, 500);
    assert_int_equal(options.headers.count, 1);
    assert_true(options.insecure);
    wf_load_options_fini(&options);
}

static void test_a_duration_takes_the_place_of_the_number(void **state)
{
    struct wf_load_options options;

    (void)state;
    assert_true(PARSE(&options, "-D", "10", "--warm-up-time=1s", "-c", "4", "https://a/"));
    assert_int_equal(options.duration_ms, 10000);
    assert_int_equal(options.warm_up_ms, 1000);
    wf_load_options_fini(&options);
}

static void test_connections_are_rounded_up_to_the_threads(void **state)
{
    struct wf_load_options options;

    (void)state;
    assert_true(PARSE(&options, "-n100", "-c10", "-t4", "https://a/"));
    assert_int_equal(options.connections_per_thread, 3);
    wf_load_options_fini(&options);
}

static void test_a_body_is_posted(void **state)
{
    struct wf_load_options options;
    char path[32];

    (void)state;
    make_file(path, "octets");
    assert_true(PARSE(&options, "-d", path, "https://a/"));
    assert_string_equal(options.method, "POST");
    assert_int_equal(options.body.len, 6);
    wf_load_options_fini(&options);
    assert_true(PARSE(&options, "-d", path, "-X", "PUT", "https://a/"));
    assert_string_equal(options.method, "PUT");
    wf_load_options_fini(&options);
    unlink(path);
}

static void test_a_file_of_urls_takes_the_place_of_the_command_line(void **state)
{
    struct wf_load_options options;
    char path[32];

    (void)state;
    make_file(path, "https://a/1\n/2\n");
    assert_true(PARSE(&options, "-i", path, "https://b/"));
    assert_int_equal(options.urls.count, 2);
    assert_string_equal(options.urls.urls[1], "https://a/2");
    wf_load_options_fini(&options);
    unlink(path);
}

static void test_numbers_that_do_not_fit_together_are_told(void **state)
{
    struct wf_load_options options;

    (void)state;
    expect_error(&options, PARSE(&options, "-n5", "-c10", "u"), "-n 5 is less than -c 10");
    expect_error(&options, PARSE(&options, "-n5", "-c1", "-t2", "u"), "-c 1 is less than -t 2");
    expect_error(&options, PARSE(&options, "--warm-up-time", "1", "u"), "needs -D");
    expect_error(&options, PARSE(&options, "-n9999", "-c2000", "u"), "raise -t");
    expect_error(&options, PARSE(&options, "-n9999", "-c1000", "-m100000", "u"),
                 "requests in flight");
}

static void test_http1_has_one_request_in_flight(void **state)
{
    struct wf_load_options options;

    (void)state;
    assert_true(PARSE(&options, "--h1", "-c3", "-n3", "http://a/"));
    assert_true(options.http1);
    wf_load_options_fini(&options);
    assert_true(PARSE(&options, "--http1.1", "http://a/"));
    assert_true(options.http1);
    wf_load_options_fini(&options);
    assert_false(PARSE(&options, "--h1", "-m2", "http://a/"));
    assert_non_null(strstr(options.error, "-m 2 is more than the one request"));
    wf_load_options_fini(&options);
}

static void test_a_wrong_command_line_is_told_in_a_sentence(void **state)
{
    struct wf_load_options options;

    (void)state;
    expect_error(&options, PARSE(&options, "-n1"), "no URL given");
    expect_error(&options, PARSE(&options, "-n0", "u"), "-n takes a number from 1 on");
    expect_error(&options, PARSE(&options, "-c", "x", "u"), "-c takes a number from 1 to 65536");
    expect_error(&options, PARSE(&options, "-t65", "u"), "-t takes a number from 1 to 64");
    expect_error(&options, PARSE(&options, "-m0", "u"), "-m takes a number");
    expect_error(&options, PARSE(&options, "-D", "0", "u"), "-D takes a time");
    expect_error(&options, PARSE(&options, "-w15", "u"), "-w takes a number from 16 to 31");
    expect_error(&options, PARSE(&options, "--h3", "u"), "unknown option --h3");
    expect_error(&options, PARSE(&options, "-d", "/nonexistent/x", "u"), "cannot read");
    expect_error(&options, PARSE(&options, "-i", "/dev/null"), "/dev/null holds no URL");
    expect_error(&options, PARSE(&options, "/path"), "follows no URL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_defaults_are_those_of_h2load),
        cmocka_unit_test(test_spellings_of_h2load_are_taken),
        cmocka_unit_test(test_a_duration_takes_the_place_of_the_number),
        cmocka_unit_test(test_connections_are_rounded_up_to_the_threads),
        cmocka_unit_test(test_a_body_is_posted),
        cmocka_unit_test(test_a_file_of_urls_takes_the_place_of_the_command_line),
        cmocka_unit_test(test_numbers_that_do_not_fit_together_are_told),
        cmocka_unit_test(test_http1_has_one_request_in_flight),
        cmocka_unit_test(test_a_wrong_command_line_is_told_in_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
