/* Completions by callback and by queue. */
#include "support/fixture.h"
#include "support/seen.h"

#include "io_thread/body_stream.h"
#include "io_thread/delivery.h"

#include <poll.h>

static void test_a_callback_runs_once_on_a_worker(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct seen seen;
    seen_init(&seen);
    struct weft_delivery how = seen_delivery(&seen);
    struct weft_future *future = fixture_submit(&f, "/status/204", &how);
    seen_await(&seen, 1);
    assert_int_equal(seen.code, WEFT_OK);
    assert_int_equal(seen.status, 204);
    assert_memory_equal(seen.thread_name, "weft-w", 6);
    weft_future_unref(future);
    fixture_free(&f);
    assert_int_equal(seen.calls, 1);
}

static void test_a_failed_request_is_called_back_too(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct seen seen;
    seen_init(&seen);
    struct weft_delivery how = seen_delivery(&seen);
    weft_future_unref(fixture_submit(&f, "/refuse", &how));
    fixture_free(&f);
    assert_int_equal(seen.calls, 1);
    assert_true(seen.code == WEFT_ERR_REFUSED || seen.code == WEFT_ERR_CANCELLED);
}

static void test_a_queue_delivers_each_tag_once(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct fixture f = fixture_new();
    struct weft_cq *cq = weft_cq_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    struct weft_request *request = fixture_request(&f, "/bytes/10");
    struct weft_request *requests[COUNT];
    static char seen[COUNT];
    memset(seen, 0, sizeof(seen));
    void *tags[COUNT];
    struct weft_future *futures[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        requests[i] = request;
        tags[i] = &seen[i];
    }
    assert_int_equal(weft_submit_batch(f.client, requests, COUNT, &how, tags, futures), COUNT);
    size_t done = 0;
    while (done < COUNT) {
        struct weft_event events[64];
        size_t count = weft_cq_next(cq, events, 64, TEST_WAIT_MS);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(events[i].type, WEFT_EVENT_DONE);
            char *tag = events[i].tag;
            assert_int_equal(*tag, 0);
            *tag = 1;
            assert_ptr_equal(events[i].future, futures[tag - seen]);
            assert_int_equal(weft_future_status(events[i].future), 200);
            assert_ptr_equal(weft_future_tag(events[i].future), tag);
        }
        done += count;
    }
    assert_int_equal(weft_cq_next(cq, &(struct weft_event){0}, 1, 0), 0);
    for (size_t i = 0; i < COUNT; i++)
        weft_future_unref(futures[i]);
    weft_request_unref(request);
    weft_cq_unref(cq);
    fixture_free(&f);
}

static void test_a_queue_can_be_polled(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_cq *cq = weft_cq_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    int fd = weft_cq_fd(cq);
    assert_true(fd >= 0);
    for (int i = 0; i < 20; i++) {
        struct weft_future *future = fixture_submit(&f, "/bytes/10", &how);
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        struct weft_event event;
        do
            assert_int_equal(poll(&poll_fd, 1, TEST_WAIT_MS), 1);
        while (weft_cq_next(cq, &event, 1, 0) == 0);
        assert_ptr_equal(event.future, future);
        weft_future_unref(future);
    }
    weft_cq_unref(cq);
    fixture_free(&f);
}

static void test_a_queue_whose_user_left_keeps_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_cq *cq = weft_cq_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    struct weft_future *futures[50];
    for (size_t i = 0; i < 50; i++)
        futures[i] = fixture_submit(&f, "/bytes/10", &how);
    weft_cq_unref(cq);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_OK);
        weft_future_unref(futures[i]);
    }
    fixture_free(&f);
}

static void test_a_streamed_body_is_told_through_the_queue(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.stream_window = 65535;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_cq *cq = weft_cq_new();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = fixture_submit(&f, "/bytes/2000000", &how);
    size_t total = 0;
    bool done = false;
    while (!done) {
        struct weft_event event;
        assert_int_equal(weft_cq_next(cq, &event, 1, TEST_WAIT_MS), 1);
        done = event.type == WEFT_EVENT_DONE;
        char buf[10000];
        size_t len;
        enum weft_code code;
        while ((code = weft_future_read(future, buf, sizeof(buf), 0, &len)) == WEFT_OK && len > 0)
            total += len;
        assert_true(code == WEFT_OK || (code == WEFT_ERR_TIMEOUT && !done));
    }
    assert_int_equal(total, 2000000);
    weft_future_unref(future);
    weft_cq_unref(cq);
    fixture_free(&f);
}

static void test_an_outbox_hands_each_queue_its_items_in_order(void **state)
{
    (void)state;
    enum { QUEUES = WF_OUTBOX_SLOTS + 3, ITEMS = 5 * QUEUES };
    struct wf_outbox outbox = {0};
    struct weft_cq *cqs[QUEUES];
    static struct wf_item items[ITEMS];
    for (size_t i = 0; i < QUEUES; i++)
        cqs[i] = weft_cq_new();
    /* More queues than the outbox has places for: the earlier ones are handed over early. */
    for (size_t i = 0; i < ITEMS; i++)
        wf_outbox_add(&outbox, NULL, cqs[i % QUEUES], 0, &items[i]);
    wf_outbox_flush(&outbox, NULL);
    assert_int_equal(outbox.count, 0);
    for (size_t q = 0; q < QUEUES; q++) {
        struct wf_mail *mails[ITEMS];
        size_t count = wf_cq_take(cqs[q]->queue, mails, ITEMS, 0);
        assert_int_equal(count, (ITEMS - q + QUEUES - 1) / QUEUES);
        for (size_t i = 0; i < count; i++)
            assert_ptr_equal(wf_item_of(mails[i]), &items[q + i * QUEUES]);
        weft_cq_unref(cqs[q]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_outbox_hands_each_queue_its_items_in_order),
        cmocka_unit_test(test_a_callback_runs_once_on_a_worker),
        cmocka_unit_test(test_a_failed_request_is_called_back_too),
        cmocka_unit_test(test_a_queue_delivers_each_tag_once),
        cmocka_unit_test(test_a_queue_can_be_polled),
        cmocka_unit_test(test_a_queue_whose_user_left_keeps_nothing),
        cmocka_unit_test(test_a_streamed_body_is_told_through_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
