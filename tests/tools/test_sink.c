/* Files that bodies go to. */
#include "sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_a_file_is_made_when_opened(void **state)
{
    char directory[] = "/tmp/weft-test-XXXXXX";
    char path[64];
    char read_back[8] = "";
    struct wf_fetch_sink sink;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/body", directory);
    wf_fetch_sink_init(&sink, path);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(wf_fetch_sink_open(&sink), 0);
    assert_int_equal(wf_fetch_sink_write(&sink, "abc", 3), 0);
    assert_int_equal(wf_fetch_sink_open(&sink), 0);
    assert_int_equal(wf_fetch_sink_write(&sink, "d", 1), 0);
    assert_int_equal(sink.written, 4);
    assert_int_equal(wf_fetch_sink_close(&sink), 0);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(read_back, 1, sizeof(read_back), file), 4);
    assert_string_equal(read_back, "abcd");
    fclose(file);
    unlink(path);
    rmdir(directory);
}

static void test_a_file_that_cannot_be_made_is_an_error(void **state)
{
    struct wf_fetch_sink sink;

    (void)state;
    wf_fetch_sink_init(&sink, "/nonexistent/file");
    assert_int_equal(wf_fetch_sink_open(&sink), ENOENT);
    assert_int_equal(wf_fetch_sink_close(&sink), 0);
}

static void test_a_full_device_is_an_error(void **state)
{
    struct wf_fetch_sink sink;

    (void)state;
    wf_fetch_sink_init(&sink, "/dev/full");
    assert_int_equal(wf_fetch_sink_open(&sink), 0);
    assert_int_equal(wf_fetch_sink_write(&sink, "abc", 3), ENOSPC);
    assert_int_equal(sink.written, 0);
    assert_int_equal(wf_fetch_sink_close(&sink), 0);
}

static void test_the_standard_output_is_named_in_words(void **state)
{
    struct wf_fetch_sink sink;

    (void)state;
    wf_fetch_sink_init(&sink, NULL);
    assert_string_equal(wf_fetch_sink_name(&sink), "the standard output");
    assert_int_equal(sink.fd, STDOUT_FILENO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_made_when_opened),
        cmocka_unit_test(test_a_file_that_cannot_be_made_is_an_error),
        cmocka_unit_test(test_a_full_device_is_an_error),
        cmocka_unit_test(test_the_standard_output_is_named_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
