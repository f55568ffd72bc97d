/* The writer's end of an upload: room, events, who may write. */
#include "support/fixture.h"

#include "io_thread/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static const uint8_t octets[3000000];

static struct weft_future *start(struct fixture *f, const char *path, struct weft_delivery *how)
{
    how->flags |= WEFT_STREAM_UPLOAD;
    struct weft_request *request = weft_request_new("POST", fixture_url(f, path));
    struct weft_future *future = weft_submit(f->client, request, how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static void test_a_queue_tells_when_there_is_room_again(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_event event;
    how.cq = weft_cq_new();
    how.tag = &how;
    struct weft_future *future = start(&f, "/echo", &how);
    size_t sent = 0;
    int writables = 0;
    while (sent < sizeof(octets)) {
        size_t wrote;
        enum weft_code code =
            weft_future_write(future, octets + sent, sizeof(octets) - sent, 0, &wrote);
        sent += wrote;
        if (code == WEFT_OK)
            continue;
        assert_int_equal(code, WEFT_ERR_TIMEOUT);
        assert_int_equal(weft_cq_next(how.cq, &event, 1, TEST_WAIT_MS), 1);
        assert_int_equal(event.type, WEFT_EVENT_WRITABLE);
        assert_ptr_equal(event.future, future);
        assert_ptr_equal(event.tag, &how);
        writables++;
    }
    assert_true(writables > 0);
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    assert_int_equal(weft_cq_next(how.cq, &event, 1, TEST_WAIT_MS), 1);
    assert_int_equal(event.type, WEFT_EVENT_DONE);
    assert_int_equal(weft_future_error(future)->code, WEFT_OK);
    assert_int_equal(weft_future_body(future).len, sizeof(octets));
    weft_future_unref(future);
    weft_cq_unref(how.cq);
    fixture_free(&f);
}

static void test_nothing_is_told_of_room_that_nobody_missed(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_event event;
    how.cq = weft_cq_new();
    struct weft_future *future = start(&f, "/echo", &how);
    size_t wrote;
    assert_int_equal(weft_future_write(future, octets, 200000, 0, &wrote), WEFT_OK);
    assert_int_equal(wrote, 200000);
    assert_int_equal(weft_future_finish(future), WEFT_OK);
    assert_int_equal(weft_cq_next(how.cq, &event, 1, TEST_WAIT_MS), 1);
    assert_int_equal(event.type, WEFT_EVENT_DONE);
    weft_future_unref(future);
    weft_cq_unref(how.cq);
    fixture_free(&f);
}

struct pump {
    atomic_int events;
    atomic_int order; /* 1: an event came after done */
    atomic_int deadlocks;
    atomic_bool done;
    size_t sent; /* on its worker only */
    size_t received;
};

static void pump_write(struct pump *pump, struct weft_future *future)
{
    while (pump->sent < sizeof(octets)) {
        size_t wrote;
        enum weft_code code =
            weft_future_write(future, octets + pump->sent, sizeof(octets) - pump->sent, 0, &wrote);
        pump->sent += wrote;
        if (code != WEFT_OK)
            return;
    }
    (void)weft_future_finish(future);
}

static void pump_read(struct pump *pump, struct weft_future *future)
{
    char buf[20000];
    size_t len;
    while (weft_future_read(future, buf, sizeof(buf), 0, &len) == WEFT_OK && len > 0)
        pump->received += len;
}

static void on_event(void *user, struct weft_future *future, enum weft_event_type type)
{
    struct pump *pump = user;
    size_t wrote;
    atomic_fetch_add(&pump->events, 1);
    if (atomic_load(&pump->done))
        atomic_store(&pump->order, 1);
    /* More than there can be room for: waiting for oneself. */
    if (pump->sent == 0)
        pump_write(pump, future);
    if (pump->sent < sizeof(octets) &&
        weft_future_write(future, octets, sizeof(octets) - pump->sent, TEST_WAIT_MS, &wrote) ==
            WEFT_ERR_WOULD_DEADLOCK)
        atomic_fetch_add(&pump->deadlocks, 1);
    else if (pump->sent < sizeof(octets))
        pump->sent += wrote;
    if (type == WEFT_EVENT_WRITABLE)
        pump_write(pump, future);
    else
        pump_read(pump, future);
    pump_write(pump, future);
}

static void on_done(void *user, struct weft_future *future)
{
    struct pump *pump = user;
    pump_read(pump, future);
    atomic_store(&pump->done, true);
}

static void test_a_callback_reads_and_writes_without_waiting(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct pump pump = {0};
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    how.done = on_done;
    how.event = on_event;
    how.user = &pump;
    /* The head of the response is the first event. */
    struct weft_future *future = start(&f, "/mirror", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_client_close(f.client, TEST_WAIT_MS), WEFT_OK);
    assert_true(atomic_load(&pump.done));
    assert_int_equal(pump.sent, sizeof(octets));
    assert_int_equal(pump.received, sizeof(octets));
    assert_true(atomic_load(&pump.events) > 1);
    assert_int_equal(atomic_load(&pump.order), 0);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_an_event_callback_alone_is_enough(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct pump pump = {0};
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    how.event = on_event;
    how.user = &pump;
    struct weft_future *future = start(&f, "/mirror", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    weft_future_unref(future);
    how.cq = weft_cq_new();
    future = start(&f, "/mirror", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_INVALID_ARGUMENT);
    weft_future_unref(future);
    weft_cq_unref(how.cq);
    fixture_free(&f);
}

struct rival {
    struct weft_future *future;
    enum weft_code code;
    atomic_bool began;
};

static void *write_and_wait(void *user)
{
    struct rival *rival = user;
    size_t wrote;
    atomic_store(&rival->began, true);
    do
        rival->code =
            weft_future_write(rival->future, octets, sizeof(octets), TEST_WAIT_MS, &wrote);
    while (rival->code == WEFT_OK || rival->code == WEFT_ERR_BUSY);
    return NULL;
}

static void test_a_second_writer_is_refused(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct rival rival = {.future = start(&f, "/deaf", &how)};
    pthread_t thread;
    size_t wrote;
    /* Nothing has room any more, so that the other writer stays in its call. */
    while (weft_future_write(rival.future, octets, sizeof(octets), 200, &wrote) == WEFT_OK)
        ;
    assert_int_equal(pthread_create(&thread, NULL, write_and_wait, &rival), 0);
    enum weft_code code = WEFT_ERR_TIMEOUT;
    for (int i = 0; i < TEST_WAIT_MS && code != WEFT_ERR_BUSY; i++) {
        code = weft_future_add_trailer(rival.future, "a", "b");
        assert_true(code == WEFT_OK || code == WEFT_ERR_BUSY || code == WEFT_ERR_FIELDS_TOO_LARGE);
        assert_int_equal(weft_future_wait(rival.future, 1), WEFT_ERR_TIMEOUT);
    }
    assert_int_equal(code, WEFT_ERR_BUSY);
    assert_int_equal(weft_future_write(rival.future, "x", 1, 0, &wrote), WEFT_ERR_BUSY);
    assert_int_equal(weft_future_finish(rival.future), WEFT_ERR_BUSY);
    weft_future_cancel(rival.future);
    pthread_join(thread, NULL);
    assert_int_equal(rival.code, WEFT_ERR_CANCELLED);
    weft_future_unref(rival.future);
    fixture_free(&f);
}

static void test_a_body_is_written_before_there_is_a_connection(void **state)
{
    (void)state;
    struct weft_error error;
    /* No I/O thread runs: nothing is even taken. */
    struct weft_client *client = wf_engine_new_stepped(NULL, &error);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_UPLOAD;
    struct weft_request *request = weft_request_new("POST", "http://127.0.0.1:81/");
    struct weft_future *future = weft_submit(client, request, &how);
    size_t wrote;
    assert_int_equal(weft_future_write(future, octets, 300000, 0, &wrote), WEFT_OK);
    assert_int_equal(wrote, client->config.upload_buffer);
    assert_int_equal(weft_future_write(future, octets, 1, 0, &wrote), WEFT_ERR_TIMEOUT);
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    assert_int_not_equal(weft_future_wait(future, 0), WEFT_OK);
    assert_int_equal(weft_future_error(future)->effect, WEFT_NOT_SENT);
    assert_int_equal(weft_future_write(future, octets, 1, 0, &wrote),
                     weft_future_error(future)->code);
    weft_future_unref(future);
    weft_request_unref(request);
    weft_client_unref(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_queue_tells_when_there_is_room_again),
        cmocka_unit_test(test_nothing_is_told_of_room_that_nobody_missed),
        cmocka_unit_test(test_a_callback_reads_and_writes_without_waiting),
        cmocka_unit_test(test_an_event_callback_alone_is_enough),
        cmocka_unit_test(test_a_second_writer_is_refused),
        cmocka_unit_test(test_a_body_is_written_before_there_is_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
