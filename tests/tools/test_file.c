/* Files read whole. */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_a_file_is_read_behind_what_is_there(void **state)
{
    char path[] = "/tmp/weft-test-XXXXXX";
    int fd = mkstemp(path);
    struct wf_tool_bytes bytes = {NULL, 0};

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "two\0three", 9), 9);
    close(fd);
    wf_tool_bytes_append(&bytes, "one", 3);
    assert_true(wf_tool_read_file(path, &bytes));
    assert_int_equal(bytes.len, 12);
    assert_memory_equal(bytes.data, "onetwo\0three", 13);
    free(bytes.data);
    unlink(path);
}

static void test_a_file_without_a_size_is_read_to_its_end(void **state)
{
    int fds[2];
    char path[64];
    static char octets[200000]; /* more than is read at first */
    struct wf_tool_bytes bytes = {NULL, 0};

    (void)state;
    memset(octets, 'x', sizeof(octets));
    assert_int_equal(pipe(fds), 0);
    assert_true(fcntl(fds[0], F_SETPIPE_SZ, sizeof(octets)) >= (int)sizeof(octets));
    assert_int_equal(write(fds[1], octets, sizeof(octets)), sizeof(octets));
    close(fds[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
    assert_true(wf_tool_read_file(path, &bytes));
    assert_int_equal(bytes.len, sizeof(octets));
    free(bytes.data);
    close(fds[0]);
}

static void test_a_file_larger_than_its_size_says_is_read_to_its_end(void **state)
{
    struct wf_tool_bytes bytes = {NULL, 0};

    (void)state;
    /* The size of files here is zero whatever they hold. */
    assert_true(wf_tool_read_file("/proc/self/status", &bytes));
    assert_true(bytes.len > 100);
    free(bytes.data);
}

static void test_a_missing_file_is_an_error(void **state)
{
    struct wf_tool_bytes bytes = {NULL, 0};

    (void)state;
    assert_false(wf_tool_read_file("/nonexistent/file", &bytes));
    assert_int_equal(errno, ENOENT);
    assert_false(wf_tool_read_file("/tmp", &bytes));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(bytes.len, 0);
    free(bytes.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_read_behind_what_is_there),
        cmocka_unit_test(test_a_file_without_a_size_is_read_to_its_end),
        cmocka_unit_test(test_a_file_larger_than_its_size_says_is_read_to_its_end),
        cmocka_unit_test(test_a_missing_file_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
