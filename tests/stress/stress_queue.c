/* A hundred thousand requests for an origin that never answers: few may wait, the rest fails at
 * once, and memory does not follow the number of requests. */
#include "support/fixture.h"

#include <malloc.h>

#define REQUESTS   100000u
#define BATCH      500u
#define MAX_QUEUED 1000u
#define STREAMS    100u
/* What the allocator may hold more at the end than after the first tenth: far less than the hundred
 * octets a request that a leak of the smallest kind would be. */
#define SLACK (2u << 20)

struct count {
    unsigned full;
    unsigned other;
};

static void take(struct weft_cq *cq, struct count *count, unsigned at_least)
{
    struct weft_event events[256];
    unsigned taken = 0;
    while (taken < at_least) {
        size_t len = weft_cq_next(cq, events, 256, TEST_WAIT_MS);
        assert_true(len > 0);
        for (size_t i = 0; i < len; i++) {
            const struct weft_error *error = weft_future_error(events[i].future);
            if (error->code == WEFT_ERR_QUEUE_FULL && error->effect == WEFT_NOT_SENT)
                count->full++;
            else
                count->other++;
            weft_future_unref(events[i].future);
        }
        taken += (unsigned)len;
    }
}

static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void test_the_surplus_of_a_hundred_thousand_requests_fails_at_once(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = STREAMS};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.max_connections_per_origin = 1;
    config.max_queued = MAX_QUEUED;
    config.deadline_ms = WEFT_FOREVER;
    struct fixture f = fixture_with(&server, &config);
    struct weft_cq *cq = weft_cq_new();
    assert_non_null(cq);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    struct weft_request *request = fixture_request(&f, "/hang");
    struct weft_request *requests[BATCH];
    static struct weft_future *futures[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        requests[i] = request;
    struct count count = {0};
    size_t early = 0;
    for (unsigned sent = 0; sent < REQUESTS; sent += BATCH) {
        assert_int_equal(weft_submit_batch(f.client, requests, BATCH, &how, NULL, futures), BATCH);
        unsigned kept = STREAMS + MAX_QUEUED;
        unsigned done = count.full + count.other;
        unsigned due = sent + BATCH > kept ? sent + BATCH - kept : 0;
        if (due > done)
            take(cq, &count, due - done);
        if (sent == REQUESTS / 10)
            early = in_use();
    }
    assert_int_equal(count.full, REQUESTS - STREAMS - MAX_QUEUED);
    assert_int_equal(count.other, 0);
    assert_true(in_use() < early + SLACK);
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(f.client, &stats);
    assert_int_equal(stats.requests_queued, MAX_QUEUED);
    assert_int_equal(stats.streams_open, STREAMS);
    /* What waited and what was sent end with the client. */
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    take(cq, &count, STREAMS + MAX_QUEUED);
    assert_int_equal(count.full + count.other, REQUESTS);
    weft_request_unref(request);
    weft_cq_unref(cq);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_surplus_of_a_hundred_thousand_requests_fails_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
