/* The body of weft-load's -d: in memory, in its file, or not there. */
#include "body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct file {
    char dir[32];
    char path[48];
};

static int set_up(void **state)
{
    struct file *file = calloc(1, sizeof(*file));

    assert_non_null(file);
    (void)snprintf(file->dir, sizeof(file->dir), "/tmp/weft-body-XXXXXX");
    assert_non_null(mkdtemp(file->dir));
    (void)snprintf(file->path, sizeof(file->path), "%s/body", file->dir);
    *state = file;
    return 0;
}

static int tear_down(void **state)
{
    struct file *file = *state;

    (void)unlink(file->path);
    (void)rmdir(file->dir);
    free(file);
    return 0;
}

static void write_file(const struct file *file, const char *text)
{
    FILE *out = fopen(file->path, "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void test_a_file_is_read(void **state)
{
    struct file *file = *state;
    struct wf_load_body body;

    write_file(file, "ten octets");
    assert_true(wf_load_body_open(&body, file->path));
    assert_int_equal(body.fd, -1);
    assert_int_equal(body.len, 10);
    assert_memory_equal(body.data, "ten octets", 10);
    wf_load_body_close(&body);
    assert_null(body.data);
}

static void test_a_large_file_is_kept_as_it_was(void **state)
{
    struct file *file = *state;
    struct wf_load_body body;
    char octets[4096];
    FILE *out = fopen(file->path, "w");

    assert_non_null(out);
    for (size_t i = 0; i < 700; i++) {
        (void)memset(octets, (int)('a' + i % 26), sizeof(octets));
        assert_int_equal(fwrite(octets, 1, sizeof(octets) - 1, out), sizeof(octets) - 1);
    }
    assert_int_equal(fclose(out), 0);
    assert_true(wf_load_body_open(&body, file->path));
    /* Were it mapped, looking at it would now be the end. */
    assert_int_equal(truncate(file->path, 0), 0);
    assert_int_equal(body.fd, -1);
    assert_int_equal(body.len, 700 * (sizeof(octets) - 1));
    for (size_t i = 0; i < body.len; i++) {
        if (body.data[i] != (char)('a' + i / (sizeof(octets) - 1) % 26))
            fail_msg("octet %zu is another", i);
    }
    wf_load_body_close(&body);
    assert_null(body.data);
}

static void test_a_file_too_large_for_memory_stays_where_it_is(void **state)
{
    struct file *file = *state;
    struct wf_load_body body;
    const off_t len = ((off_t)256 << 20) + 1;

    write_file(file, "");
    assert_int_equal(truncate(file->path, len), 0); /* takes no room on a disk */
    assert_true(wf_load_body_open(&body, file->path));
    assert_true(body.fd >= 0);
    assert_null(body.data);
    assert_int_equal(body.len, len);
    wf_load_body_close(&body);
    assert_int_equal(body.fd, -1);
}

static void test_an_empty_file_is_an_empty_body(void **state)
{
    struct file *file = *state;
    struct wf_load_body body;

    write_file(file, "");
    assert_true(wf_load_body_open(&body, file->path));
    assert_int_equal(body.fd, -1);
    assert_int_equal(body.len, 0);
    wf_load_body_close(&body);
}

/* Another program may have the other end of a pipe: here it is a child. */
static void test_a_pipe_is_read(void **state)
{
    struct file *file = *state;
    struct wf_load_body body;
    char command[128];
    FILE *child;

    assert_int_equal(mkfifo(file->path, 0600), 0);
    (void)snprintf(command, sizeof(command), "printf piped >%s", file->path);
    child = popen(command, "r");
    assert_non_null(child);
    assert_true(wf_load_body_open(&body, file->path));
    assert_int_equal(body.fd, -1);
    assert_int_equal(body.len, 5);
    assert_memory_equal(body.data, "piped", 5);
    wf_load_body_close(&body);
    (void)pclose(child);
}

static void test_a_file_that_is_not_there_is_an_error(void **state)
{
    struct file *file = *state;
    struct wf_load_body body;

    assert_false(wf_load_body_open(&body, file->path));
    assert_int_equal(errno, ENOENT);
    wf_load_body_close(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_file_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_large_file_is_kept_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_too_large_for_memory_stays_where_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_file_is_an_empty_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_pipe_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_not_there_is_an_error, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
