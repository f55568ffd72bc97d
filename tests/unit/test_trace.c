/* Frames and notes for people who watch. */
#include "support/fixture.h"

#include <pthread.h>

struct traced {
    pthread_mutex_t lock;
    unsigned frames_sent;
    unsigned frames_received;
    unsigned notes;
    bool saw_preface_settings;
    bool saw_data;
};

static void on_trace(void *user, const struct weft_trace_event *event)
{
    struct traced *traced = user;
    pthread_mutex_lock(&traced->lock);
    if (!event->is_frame)
        traced->notes++;
    else if (event->sent)
        traced->frames_sent++;
    else
        traced->frames_received++;
    if (event->is_frame && event->sent && strstr(event->text, "SETTINGS") != NULL)
        traced->saw_preface_settings = true;
    if (event->is_frame && !event->sent && strstr(event->text, "DATA") != NULL)
        traced->saw_data = true;
    pthread_mutex_unlock(&traced->lock);
}

static void test_every_frame_is_traced(void **state)
{
    (void)state;
    struct traced traced = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.trace = on_trace;
    config.trace_user = &traced;
    struct fixture f = fixture_with(NULL, &config);
    weft_future_unref(fixture_expect(&f, "/bytes/10", WEFT_OK, 0, 0));
    fixture_free(&f);
    assert_true(traced.saw_preface_settings);
    assert_true(traced.saw_data);
    assert_true(traced.frames_sent >= 3);     /* SETTINGS, HEADERS, SETTINGS ACK */
    assert_true(traced.frames_received >= 3); /* SETTINGS, HEADERS, DATA */
    assert_true(traced.notes >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_frame_is_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
