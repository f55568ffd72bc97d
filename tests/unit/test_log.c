/* Lines for people: levels, order, room, and what must be said. */
#include "io_thread/log.h"

#include "io_thread/engine.h"
#include "io_thread/io_thread.h"

#include "support/cmocka.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LINES_MAX 16

struct seen_lines {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held; /* the callback waits until it is let go */
    bool entered;
    unsigned count;
    uint64_t dropped;
    enum weft_log_level levels[LINES_MAX];
    char texts[LINES_MAX][200];
};

static struct seen_lines lines;

static void on_line(void *user, const struct weft_log_line *line)
{
    struct seen_lines *seen = user;
    pthread_mutex_lock(&seen->lock);
    if (seen->count < LINES_MAX) {
        seen->levels[seen->count] = line->level;
        (void)snprintf(seen->texts[seen->count], sizeof(seen->texts[0]), "%s", line->text);
    }
    seen->count++;
    seen->dropped += line->dropped;
    seen->entered = true;
    pthread_cond_broadcast(&seen->changed);
    while (seen->held)
        pthread_cond_wait(&seen->changed, &seen->lock);
    pthread_mutex_unlock(&seen->lock);
}

static struct weft_client *start(enum weft_log_level level, bool insecure)
{
    lines =
        (struct seen_lines){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.log = on_line;
    config.log_user = &lines;
    config.log_level = level;
    config.insecure_skip_verify = insecure;
    struct weft_error error;
    struct weft_client *engine = wf_engine_new_stepped(&config, &error);
    assert_non_null(engine);
    return engine;
}

/* Closing waits for the workers: every line has been told then. */
static void stop(struct weft_client *engine)
{
    wf_engine_close(engine, 0);
    wf_engine_release(engine);
}

static void hold(bool held)
{
    pthread_mutex_lock(&lines.lock);
    lines.held = held;
    pthread_cond_broadcast(&lines.changed);
    pthread_mutex_unlock(&lines.lock);
}

static void await_entered(void)
{
    pthread_mutex_lock(&lines.lock);
    while (!lines.entered)
        pthread_cond_wait(&lines.changed, &lines.lock);
    pthread_mutex_unlock(&lines.lock);
}

static void test_lines_of_an_io_thread_come_in_order(void **state)
{
    (void)state;
    struct weft_client *engine = start(WEFT_LOG_DEBUG, false);
    struct wf_io_thread *io = engine->io_threads[0];
    wf_log(io, WEFT_LOG_DEBUG, "line %d", 1);
    wf_log(io, WEFT_LOG_ERROR, "line %d", 2);
    wf_log(io, WEFT_LOG_INFO, "line %d", 3);
    stop(engine);
    assert_int_equal(lines.count, 3);
    assert_string_equal(lines.texts[0], "line 1");
    assert_string_equal(lines.texts[1], "line 2");
    assert_string_equal(lines.texts[2], "line 3");
    assert_int_equal(lines.levels[1], WEFT_LOG_ERROR);
    assert_int_equal(lines.dropped, 0);
}

static void test_levels_above_the_asked_one_are_not_delivered(void **state)
{
    (void)state;
    struct weft_client *engine = start(WEFT_LOG_WARNING, false);
    struct wf_io_thread *io = engine->io_threads[0];
    wf_log(io, WEFT_LOG_INFO, "not this");
    wf_log(io, WEFT_LOG_WARNING, "this");
    wf_log_client(engine, WEFT_LOG_DEBUG, "nor this");
    stop(engine);
    assert_int_equal(lines.count, 1);
    assert_string_equal(lines.texts[0], "this");
}

static void test_what_finds_no_room_is_counted(void **state)
{
    (void)state;
    struct weft_client *engine = start(WEFT_LOG_INFO, false);
    hold(true);
    wf_log_client(engine, WEFT_LOG_INFO, "the worker is busy with this one");
    await_entered(); /* it has left the queue */
    for (unsigned i = 0; i < WF_LOG_MAX_WAITING + 7; i++)
        wf_log_client(engine, WEFT_LOG_INFO, "line");
    hold(false);
    stop(engine);
    assert_int_equal(lines.count, WF_LOG_MAX_WAITING + 1);
    assert_int_equal(lines.dropped, 7);
}

static void test_a_line_is_printable_whatever_it_quotes(void **state)
{
    (void)state;
    struct weft_client *engine = start(WEFT_LOG_INFO, false);
    wf_log(engine->io_threads[0], WEFT_LOG_INFO, "a\nb\033[2J\xc3%s", "\x7f");
    stop(engine);
    assert_string_equal(lines.texts[0], "a?b?[2J??");
}

static void test_no_verification_is_said_loudly(void **state)
{
    (void)state;
    stop(start(WEFT_LOG_ERROR, true));
    assert_int_equal(lines.count, 1);
    assert_int_equal(lines.levels[0], WEFT_LOG_ERROR);
    assert_non_null(strstr(lines.texts[0], "insecure_skip_verify"));
    stop(start(WEFT_LOG_DEBUG, false));
    assert_int_equal(lines.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_an_io_thread_come_in_order),
        cmocka_unit_test(test_levels_above_the_asked_one_are_not_delivered),
        cmocka_unit_test(test_what_finds_no_room_is_counted),
        cmocka_unit_test(test_a_line_is_printable_whatever_it_quotes),
        cmocka_unit_test(test_no_verification_is_said_loudly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
