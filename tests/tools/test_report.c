/* The report at the end of a run. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_the_lines_of_h2load_are_kept(void **state)
{
    struct wf_load_report report = {
        .total = 10,
        .elapsed_ns = 2000000000,
        .octets_read = 6669214,
        .octets_written = 2048,
        .tally = {.started = 9,
                  .done = 8,
                  .succeeded = 7,
                  .failed = 6,
                  .errored = 5,
                  .timeout = 4,
                  .status = {0, 0, 3, 2, 1, 0},
                  .body_octets = 1023,
                  .errors = {{5, "it broke"}},
                  .other_errors = 2},
    };
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    (void)state;
    wf_load_histogram_init(&report.latency);
    for (uint64_t us = 1; us <= 100; us++)
        wf_load_histogram_record(&report.latency, us * 1000);
    wf_load_report_print(&report, to);
    fclose(to);
    assert_non_null(strstr(text, "\nfinished in 2.00s, 4.00 req/s, 3.18MB/s\n"
                                 "requests: 10 total, 9 started, 8 done, 7 succeeded, 6 failed, "
                                 "5 errored, 4 timeout\n"
                                 "status codes: 3 2xx, 2 3xx, 1 4xx, 0 5xx\n"
                                 "traffic: 6.36MB (6669214) total, 1023B (1023) data, "
                                 "2.00KB (2048) sent\n"));
    assert_non_null(strstr(text, "latency: min 1us, mean 51us, sd 29us, p50 50us, p75 75us, "
                                 "p90 90us, p99 99us, p99.9 100us, max 100us\n"));
    assert_non_null(strstr(text, "error: 5 times: it broke\nerror: 2 times: others\n"));
    assert_non_null(strstr(text, "\nREPORT ok=7 err=6 rps=4.00 p50us=50.0 p99us=99.0\n"));
    wf_load_histogram_fini(&report.latency);
    free(text);
}

static void test_nothing_done_is_a_report_of_zeros(void **state)
{
    struct wf_load_report report = {.total = 1};
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    (void)state;
    wf_load_histogram_init(&report.latency);
    wf_load_report_print(&report, to);
    fclose(to);
    assert_non_null(strstr(text, "\nfinished in 0us, 0.00 req/s, 0B/s\n"));
    assert_non_null(strstr(text, "latency: min 0us,"));
    assert_null(strstr(text, "error:"));
    wf_load_histogram_fini(&report.latency);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_lines_of_h2load_are_kept),
        cmocka_unit_test(test_nothing_done_is_a_report_of_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
