/* Every allocation of an HTTP/1.1 session fails once: an ordinary error, and nothing leaks. */
#include "h1/session.h"
#include "support/cmocka.h"
#include "support/failing_alloc.h"

static const char wire[] =
    "HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n"
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"
    "x-long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
    "\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n";

struct outcome {
    unsigned complete;
    unsigned no_memory;
};

static void handle(const struct wf_h1_event *event, struct outcome *outcome)
{
    if (event->type == WF_H1_EVENT_COMPLETE)
        outcome->complete++;
    if (event->type != WF_H1_EVENT_ERROR)
        return;
    assert_int_equal(event->error.kind, WF_H1_ERR_NO_MEMORY);
    outcome->no_memory++;
}

static void read_all(struct wf_h1_session *session, struct outcome *outcome)
{
    for (size_t at = 0; at < sizeof(wire) - 1; at += 7) {
        size_t left = sizeof(wire) - 1 - at;
        struct wf_slice in = wf_slice(wire + at, left < 7 ? left : 7);
        struct wf_h1_event event;
        while (wf_h1_session_next(session, &in, &event))
            handle(&event, outcome);
    }
}

static bool upload(struct wf_h1_session *session)
{
    const struct wf_field fields[] = {{wf_slice_str(":method"), wf_slice_str("POST"), false},
                                      {wf_slice_str(":scheme"), wf_slice_str("http"), false},
                                      {wf_slice_str(":authority"), wf_slice_str("a"), false},
                                      {wf_slice_str(":path"), wf_slice_str("/"), false}};
    const struct wf_field trailer = {wf_slice_str("x"), wf_slice_str("y"), false};
    const struct wf_h1_message message = {.fields = fields, .count = 4, .has_trailers = true};
    struct wf_slice slices[3];
    struct wf_slice nothing = wf_slice(NULL, 0);
    struct wf_h1_event event;
    enum wf_h1_submit submitted = wf_h1_session_request(session, &message);
    if (submitted != WF_H1_SUBMITTED) {
        assert_int_equal(submitted, WF_H1_SUBMIT_NO_MEMORY);
        return false;
    }
    if (wf_h1_session_send_body(session, wf_slice_str("body"), false) != NULL)
        return false;
    size_t count;
    while ((count = wf_h1_session_output(session, slices, 3)) > 0)
        wf_h1_session_wrote(session, slices[0].len);
    assert_true(wf_h1_session_next(session, &nothing, &event));
    if (wf_h1_session_send_trailers(session, &trailer, 1) != NULL)
        return false;
    while ((count = wf_h1_session_output(session, slices, 3)) > 0)
        wf_h1_session_wrote(session, slices[0].len);
    return true;
}

/* True: nothing failed. */
static bool run(long allocations)
{
    const struct wf_h1_config config = WF_H1_CONFIG_INIT;
    struct outcome outcome = {0};
    failing_alloc_after(allocations);
    struct wf_h1_session *session = wf_h1_session_new(&config);
    if (session != NULL && upload(session)) {
        read_all(session, &outcome);
        assert_int_equal(outcome.complete + outcome.no_memory, 1);
    }
    bool failed = failing_alloc_failures() > 0;
    assert_true(failed || outcome.complete == 1);
    failing_alloc_after(-1);
    wf_h1_session_free(session);
    return !failed;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    long allocations = 0;
    while (!run(allocations))
        assert_true(++allocations < 100);
    assert_true(allocations > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
