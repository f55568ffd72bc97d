/* Submit, reap, submit again. */
#include "worker.h"

#include "common/clock.h"
#include "common/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH       512
#define MAX_WAIT_MS 100
#define DRAIN_NS    UINT64_C(1000000000)
#define NS_PER_MS   1000000u
/* With this many errors and no response between them nothing is worth another try. */
#define HOPELESS_ERRORS 1000

static struct weft_request *make_request(const struct wf_load_options *options, const char *url)
{
    struct weft_request *request = weft_request_new(options->method, url);

    if (!request)
        wf_tool_die_no_memory();
    wf_tool_headers_apply(&options->headers, &options->defaults, request);
    /* The request remembers what is wrong with it, and its future tells. */
    if (options->has_body)
        (void)weft_request_borrow_body(request, options->body.data, options->body.len, NULL, NULL);
    return request;
}

/* Each worker begins elsewhere in the list, so that they do not all ask for the same URL at once.
 */
static void make_requests(struct wf_load_worker *worker)
{
    const struct wf_load_options *options = worker->run->options;

    worker->requests = wf_tool_calloc(options->urls.count, sizeof(struct weft_request *));
    for (size_t i = 0; i < options->urls.count; i++)
        worker->requests[i] = make_request(options, options->urls.urls[i]);
    worker->next_request = worker->number * options->urls.count / options->threads;
}

/* Appends @number in hexadecimal. snprintf() would cost more than the rest of a request. */
static char *put_hex(char *to, uint64_t number)
{
    unsigned shift = 60;

    while (shift && !(number >> shift))
        shift -= 4;
    for (;; shift -= 4) {
        *to++ = "0123456789abcdef"[number >> shift & 15];
        if (!shift)
            return to;
    }
}

/* Like @request, and different from all others. The caller's to unref. */
static struct weft_request *make_unique(struct wf_load_worker *worker, struct weft_request *request)
{
    struct weft_request *copy = weft_request_copy(request);
    char value[40];
    char *end;

    if (!copy)
        wf_tool_die_no_memory();
    end = put_hex(value, worker->number);
    *end++ = '-';
    end = put_hex(end, worker->unique++);
    *end = '\0';
    /* Its future tells what is wrong. */
    (void)weft_request_add_field(copy, worker->run->options->unique_field, value);
    return copy;
}

/* With a unique field the request is the caller's to unref, otherwise it is the worker's own. */
static struct weft_request *next_request(struct wf_load_worker *worker)
{
    const struct wf_load_options *options = worker->run->options;
    struct weft_request *request = worker->requests[worker->next_request++];

    if (worker->next_request == options->urls.count)
        worker->next_request = 0;
    return options->unique_field ? make_unique(worker, request) : request;
}

/* Submits one request for each of @count free slots, whose numbers are @tags, in one call. */
static void submit(struct wf_load_worker *worker, void *const *tags, size_t count, uint64_t now_ns)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_request *requests[BATCH];
    struct weft_future *futures[BATCH];
    size_t done;

    if (count > worker->share - worker->submitted)
        count = (size_t)(worker->share - worker->submitted);
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        requests[i] = next_request(worker);
    how.cq = worker->cq;
    how.flags = WEFT_DISCARD_BODY;
    done = weft_submit_batch(worker->run->client, requests, count, &how, tags, futures);
    for (size_t i = 0; i < count && worker->run->options->unique_field; i++)
        weft_request_unref(requests[i]);
    for (size_t i = 0; i < done; i++) {
        struct wf_load_slot *slot = &worker->slots[(uintptr_t)tags[i]];

        slot->future = futures[i];
        slot->start_ns = now_ns;
    }
    worker->submitted += done;
    worker->in_flight += done;
    worker->tally.started += done;
    if (done < count)
        worker->gave_up = true;
}

static void submit_first(struct wf_load_worker *worker)
{
    void *tags[BATCH];

    for (size_t slot = 0; slot < worker->concurrency;) {
        size_t count = 0;

        for (; slot < worker->concurrency && count < BATCH; slot++)
            tags[count++] = (void *)(uintptr_t)slot;
        submit(worker, tags, count, wf_tool_now_ns());
    }
}

static void account(struct wf_load_worker *worker, const struct weft_future *future,
                    uint64_t latency_ns)
{
    const struct weft_error *error = weft_future_error(future);

    if (error->code == WEFT_OK) {
        wf_load_tally_response(&worker->tally, weft_future_status(future),
                               weft_future_body_len(future));
        wf_load_histogram_record(&worker->latency, latency_ns);
        worker->errors_in_a_row = 0;
    } else {
        wf_load_tally_error(&worker->tally, error);
        worker->errors_in_a_row++;
    }
}

/* Counts @count completions and frees their slots, whose tags go to @out_tags. */
static void reap(struct wf_load_worker *worker, const struct weft_event *events, size_t count,
                 uint64_t now_ns, void **out_tags)
{
    for (size_t i = 0; i < count; i++) {
        struct wf_load_slot *slot = &worker->slots[(uintptr_t)events[i].tag];

        if (i + 1 < count)
            __builtin_prefetch(&worker->slots[(uintptr_t)events[i + 1].tag], 1);
        account(worker, slot->future, now_ns - slot->start_ns);
        weft_future_unref(slot->future);
        slot->future = NULL;
        out_tags[i] = events[i].tag;
    }
    worker->in_flight -= count;
    worker->last_ns = now_ns;
    /* Relaxed: for people who watch. */
    atomic_store_explicit(&worker->done, worker->tally.done, memory_order_relaxed);
    atomic_store_explicit(&worker->failed, worker->tally.failed, memory_order_relaxed);
}

/* The warm-up is over: what is in flight now ends in the measured time, and counts. */
static void begin_to_measure(struct wf_load_worker *worker)
{
    worker->measuring = true;
    worker->tally = (struct wf_load_tally){.started = worker->in_flight};
    wf_load_histogram_fini(&worker->latency);
    wf_load_histogram_init(&worker->latency);
}

static bool is_hopeless(const struct wf_load_worker *worker)
{
    return worker->errors_in_a_row >= HOPELESS_ERRORS &&
           worker->errors_in_a_row >= 2 * (uint64_t)worker->concurrency;
}

static int64_t wait_ms(const struct wf_load_worker *worker, uint64_t now_ns)
{
    uint64_t left = worker->run->end_ns - now_ns;

    if (left > (uint64_t)MAX_WAIT_MS * NS_PER_MS)
        return MAX_WAIT_MS;
    return (int64_t)(left / NS_PER_MS) + 1;
}

static void run_loop(struct wf_load_worker *worker)
{
    const struct wf_load_run *run = worker->run;
    struct weft_event events[BATCH];
    void *tags[BATCH];
    uint64_t now = wf_tool_now_ns();
    uint64_t drain_end = UINT64_MAX; /* set when no more is submitted */

    while (worker->in_flight && now < run->end_ns && now < drain_end) {
        size_t count = weft_cq_next(worker->cq, events, BATCH, wait_ms(worker, now));

        now = wf_tool_now_ns();
        if (!worker->measuring && now >= run->measure_ns)
            begin_to_measure(worker);
        if (now >= run->end_ns)
            break;
        reap(worker, events, count, now, tags);
        /* Relaxed: a request to stop that is seen a batch later is as good. */
        if (atomic_load_explicit(&run->stop, memory_order_relaxed) || is_hopeless(worker)) {
            worker->gave_up |= is_hopeless(worker);
            if (drain_end == UINT64_MAX)
                drain_end = now + DRAIN_NS;
        } else if (drain_end == UINT64_MAX && !worker->gave_up) {
            submit(worker, tags, count, now);
        }
    }
}

static void *worker_main(void *user)
{
    struct wf_load_worker *worker = user;
    uint64_t one = 1;

    worker->last_ns = wf_tool_now_ns();
    submit_first(worker);
    run_loop(worker);
    /* A reference dropped before the completion cancels the request. */
    for (size_t i = 0; i < worker->concurrency; i++) {
        weft_future_unref(worker->slots[i].future);
        worker->slots[i].future = NULL;
    }
    while (write(worker->run->finished_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    return NULL;
}

static uint64_t share_of(const struct wf_load_options *options, size_t number)
{
    uint64_t rest = options->requests % options->threads;

    if (options->duration_ms)
        return UINT64_MAX;
    return options->requests / options->threads + (number < rest ? 1 : 0);
}

bool wf_load_worker_start(struct wf_load_worker *worker, struct wf_load_run *run, size_t number)
{
    const struct wf_load_options *options = run->options;
    sigset_t all;
    sigset_t before;
    int result;

    *worker = (struct wf_load_worker){.run = run, .number = number};
    worker->share = share_of(options, number);
    worker->concurrency = (size_t)options->connections_per_thread * options->streams;
    if (worker->concurrency > worker->share)
        worker->concurrency = (size_t)worker->share;
    worker->measuring = run->measure_ns <= run->start_ns;
    worker->slots = wf_tool_calloc(worker->concurrency, sizeof(*worker->slots));
    wf_load_histogram_init(&worker->latency);
    make_requests(worker);
    worker->cq = weft_cq_new();
    if (!worker->cq)
        wf_tool_die_no_memory();

    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&worker->thread, NULL, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = result;
    return result == 0;
}

void wf_load_worker_join(struct wf_load_worker *worker)
{
    pthread_join(worker->thread, NULL);
}

void wf_load_worker_fini(struct wf_load_worker *worker)
{
    for (size_t i = 0; worker->requests && i < worker->run->options->urls.count; i++)
        weft_request_unref(worker->requests[i]);
    free(worker->requests);
    free(worker->slots);
    weft_cq_unref(worker->cq);
    wf_load_histogram_fini(&worker->latency);
}
