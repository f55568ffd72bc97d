/* Many threads on one client: each request completes exactly once, whatever else happens to it. */
#include "support/fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THREADS   16
#define REQUESTS  100000
#define IN_FLIGHT 64

struct submitter {
    struct fixture *f;
    unsigned index;
    size_t share;
    size_t ok;
    size_t wrong; /* completions that should not have been, or not twice */
    pthread_t thread;
};

/* Keeps IN_FLIGHT requests going and marks each completion by its tag. */
static void *submit_through_queue(void *user)
{
    struct submitter *s = user;
    struct weft_cq *cq = weft_cq_new();
    unsigned char *seen = calloc(s->share, 1);
    struct weft_request *request;
    char url[128];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/bytes/10",
                   loop_server_port(s->f->server));
    request = weft_request_new("GET", url);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = cq;
    how.deadline_ms = WEFT_FOREVER;
    size_t submitted = 0;
    size_t done = 0;
    while (done < s->share) {
        while (submitted < s->share && submitted - done < IN_FLIGHT) {
            how.tag = &seen[submitted++];
            if (weft_submit(s->f->client, request, &how) == NULL)
                s->wrong++;
        }
        struct weft_event events[32];
        size_t count = weft_cq_next(cq, events, 32, TEST_WAIT_MS);
        if (count == 0) {
            s->wrong++;
            break;
        }
        for (size_t i = 0; i < count; i++) {
            unsigned char *tag = events[i].tag;
            s->wrong += *tag != 0 || weft_future_body(events[i].future).len != 10;
            *tag = 1;
            s->ok += weft_future_wait(events[i].future, 0) == WEFT_OK;
            weft_future_unref(events[i].future);
        }
        done += count;
    }
    weft_request_unref(request);
    weft_cq_unref(cq);
    free(seen);
    return NULL;
}

static void run_submitters(struct fixture *f, void *(*run)(void *), size_t total,
                           struct submitter *sum)
{
    struct submitter submitters[THREADS];
    *sum = (struct submitter){0};
    for (unsigned i = 0; i < THREADS; i++) {
        submitters[i] = (struct submitter){.f = f, .index = i, .share = total / THREADS};
        assert_int_equal(pthread_create(&submitters[i].thread, NULL, run, &submitters[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(submitters[i].thread, NULL);
        sum->ok += submitters[i].ok;
        sum->wrong += submitters[i].wrong;
        sum->share += submitters[i].share;
    }
}

static void test_sixteen_threads_complete_each_request_once(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct submitter sum;
    run_submitters(&f, submit_through_queue, REQUESTS, &sum);
    assert_int_equal(sum.wrong, 0);
    assert_int_equal(sum.ok, REQUESTS);
    assert_int_equal(loop_server_requests(f.server), REQUESTS);
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(f.client, &stats);
    assert_int_equal(stats.submitted, REQUESTS);
    assert_int_equal(stats.succeeded, REQUESTS);
    fixture_free(&f);
}

static void test_two_io_threads_share_the_work(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.io_threads = 2;
    config.connections_per_origin = 2;
    struct fixture f = fixture_with(NULL, &config);
    struct submitter sum;
    run_submitters(&f, submit_through_queue, REQUESTS / 5, &sum);
    assert_int_equal(sum.wrong, 0);
    assert_int_equal(sum.ok, REQUESTS / 5);
    fixture_free(&f);
}

struct storm {
    struct fixture *f;
    atomic_ulong callbacks;
    atomic_ulong submitted_with_callback;
    bool closes;             /* the first thread closes the client half-way */
    atomic_ulong impossible; /* a completion with a code that nothing here can cause */
};

static struct storm storm;

static bool is_possible(enum weft_code code)
{
    return code == WEFT_OK || code == WEFT_ERR_CANCELLED || code == WEFT_ERR_CLOSED ||
           code == WEFT_ERR_RESET || code == WEFT_ERR_REFUSED || code == WEFT_ERR_DEADLINE ||
           code == WEFT_ERR_CONNECTION_LOST || code == WEFT_ERR_GOAWAY;
}

static void storm_done(void *user, struct weft_future *future)
{
    struct storm *s = user;
    atomic_fetch_add(&s->callbacks, 1);
    if (!is_possible(weft_future_wait(future, 0)))
        atomic_fetch_add(&s->impossible, 1);
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void storm_step(struct submitter *s, unsigned *random, struct weft_cq *cq)
{
    static const char *const paths[] = {"/bytes/10",   "/bytes/70000", "/hang",   "/reset",
                                        "/half",       "/cut",         "/goaway", "/trailers",
                                        "/status/204", "/drip/5"};
    char url[128];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", loop_server_port(s->f->server),
                   paths[next_random(random) % 10]);
    struct weft_request *request = weft_request_new("GET", url);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = 1 + next_random(random) % 200;
    unsigned delivery = next_random(random) % 4;
    if (delivery == 0) {
        how.done = storm_done;
        how.user = &storm;
        atomic_fetch_add(&storm.submitted_with_callback, 1);
    } else if (delivery == 1) {
        how.cq = cq;
    }
    if (next_random(random) % 2 == 0 && delivery != 0)
        how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = weft_submit(s->f->client, request, &how);
    weft_request_unref(request);
    if (future == NULL) {
        s->wrong++;
        return;
    }
    if (next_random(random) % 3 == 0)
        weft_future_cancel(future);
    if (next_random(random) % 3 == 0) {
        char buf[512];
        size_t len;
        if ((how.flags & WEFT_STREAM_BODY) != 0)
            (void)weft_future_read(future, buf, sizeof(buf), next_random(random) % 5, &len);
        else
            (void)weft_future_wait(future, next_random(random) % 20);
    }
    if (next_random(random) % 4 == 0) {
        struct weft_event events[8];
        (void)weft_cq_next(cq, events, 8, 0);
    }
    if (next_random(random) % 5 == 0) {
        enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
        if (!is_possible(code)) {
            s->wrong++;
            (void)fprintf(stderr, "%s ended as %s: %s\n", url, weft_code_name(code),
                          code == WEFT_ERR_TIMEOUT ? "" : weft_future_error(future)->text);
        }
    }
    weft_future_unref(future);
}

static void *storm_run(void *user)
{
    struct submitter *s = user;
    unsigned random = 7919u * (s->index + 1);
    struct weft_cq *cq = weft_cq_new();
    for (size_t i = 0; i < s->share; i++) {
        if (storm.closes && s->index == 0 && i == s->share / 2)
            (void)weft_client_close(s->f->client, 0);
        storm_step(s, &random, cq);
    }
    weft_cq_unref(cq);
    return NULL;
}

static void test_a_storm_of_everything_ends_each_request_once(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    storm = (struct storm){.f = &f};
    struct submitter sum;
    run_submitters(&f, storm_run, 6400, &sum);
    assert_int_equal(sum.wrong, 0);
    fixture_free(&f); /* closing runs the callbacks that are left */
    assert_int_equal(storm.impossible, 0);
    assert_int_equal(storm.callbacks, storm.submitted_with_callback);
}

static void test_closing_in_the_middle_of_a_storm_ends_each_request_once(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    storm = (struct storm){.f = &f};
    storm.closes = true;
    struct submitter sum;
    run_submitters(&f, storm_run, 6400, &sum);
    assert_int_equal(sum.wrong, 0);
    fixture_free(&f);
    assert_int_equal(storm.impossible, 0);
    assert_int_equal(storm.callbacks, storm.submitted_with_callback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sixteen_threads_complete_each_request_once),
        cmocka_unit_test(test_two_io_threads_share_the_work),
        cmocka_unit_test(test_a_storm_of_everything_ends_each_request_once),
        cmocka_unit_test(test_closing_in_the_middle_of_a_storm_ends_each_request_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
