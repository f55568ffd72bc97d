/* The body of weft-load's -d: mapped, read, or not there. */
#include "body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static void test_a_regular_file_is_mapped(void **state)
{
    struct file *file = *state;
    struct wf_load_body body;

    write_file(file, "ten octets");
    assert_true(wf_load_body_open(&body, file->path));
    assert_true(body.is_mapped);
    assert_int_equal(body.len, 10);
    assert_memory_equal(body.data, "ten octets", 10);
    wf_load_body_close(&body);
    assert_null(body.data);
}

/* In a child, which is ended by it. */
static void look_at_what_is_gone(const struct wf_load_body *body, const char *file, int told)
{
    volatile char octet;

    if (truncate(file, 0) != 0 || dup2(told, STDERR_FILENO) < 0)
        _exit(2);
    octet = body->data[body->len - 1];
    (void)octet;
    _exit(0);
}

static void test_a_file_that_becomes_shorter_ends_the_program_with_a_word(void **state)
{
    struct file *file = *state;
    struct wf_load_body body;
    char text[128] = "";
    int ends[2];
    int status = 0;
    pid_t child;

    write_file(file, "ten octets");
    assert_true(wf_load_body_open(&body, file->path));
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        look_at_what_is_gone(&body, file->path, ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    assert_non_null(strstr(text, "became shorter"));
    (void)close(ends[0]);
    (void)close(ends[1]);
    wf_load_body_close(&body);
}

static void test_an_empty_file_is_an_empty_body(void **state)
{
    struct file *file = *state;
    struct wf_load_body body;

    write_file(file, "");
    assert_true(wf_load_body_open(&body, file->path));
    assert_false(body.is_mapped);
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
    assert_false(body.is_mapped);
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
        cmocka_unit_test_setup_teardown(test_a_regular_file_is_mapped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_file_that_becomes_shorter_ends_the_program_with_a_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_file_is_an_empty_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_pipe_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_not_there_is_an_error, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
