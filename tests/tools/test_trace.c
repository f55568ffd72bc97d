/* The lines of -v. */
#include "common/trace.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void expect_line(struct weft_trace_event event, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    wf_tool_trace(to, &event);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void test_the_mark_tells_the_direction(void **state)
{
    struct weft_trace_event event = {.connection = 1, .is_frame = true, .text = "PING"};

    (void)state;
    expect_line(event, "< PING\n");
    event.sent = true;
    expect_line(event, "> PING\n");
    event.is_frame = false;
    expect_line(event, "* PING\n");
}

static void test_later_connections_are_numbered(void **state)
{
    struct weft_trace_event event = {.connection = 2, .is_frame = true, .text = "PING"};

    (void)state;
    expect_line(event, "< [2] PING\n");
}

static void test_lost_lines_are_told(void **state)
{
    struct weft_trace_event event = {
        .connection = 1, .is_frame = true, .text = "PING", .dropped = 3};

    (void)state;
    expect_line(event,
                "* 3 lines are missing here: they came faster than they were written\n< PING\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_mark_tells_the_direction),
        cmocka_unit_test(test_later_connections_are_numbered),
        cmocka_unit_test(test_lost_lines_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
