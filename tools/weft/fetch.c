/* One client, one completion queue, one loop: events mark transfers as readable, and each readable
 * transfer whose sink may be written to moves one piece a round. A body that waits for its turn on
 * the standard output is not read, so that its window holds it back and nobody else.
 *
 * The turn goes over the transfers in argument order and stands at the first unfinished one that
 * writes to the standard output; with -w at the first unfinished one of all. */
#include "fetch.h"

#include "common/clock.h"
#include "common/interrupt.h"
#include "common/memory.h"
#include "common/trace.h"
#include "exit_code.h"
#include "transfer.h"

#include "weft/weft.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Requests at once; those beyond wait here, where they cost nothing. */
#define MAX_IN_FLIGHT  256
#define BUFFERED_LEN   ((size_t)24 << 20)
#define MAX_WINDOW     ((size_t)1 << 20)
#define MIN_WINDOW     ((size_t)65535)
#define EVENTS_A_ROUND 64
#define NS_PER_MS      1000000u

struct fetch {
    const struct wf_fetch_options *options;
    struct weft_client *client;
    struct weft_cq *cq;
    int cq_fd;
    struct wf_fetch_transfer *transfers;
    size_t count;
    size_t first;     /* all before it are finished */
    size_t next;      /* the first that was not submitted */
    size_t in_flight; /* submitted and not finished */
    size_t turn;
    size_t head_turn; /* the first whose head is not in the file of -D */
    struct wf_fetch_sink heads;
    int heads_status;     /* what writing there failed with */
    uint64_t progress_ns; /* when something arrived last */
    char *buf;
};

uint32_t wf_fetch_stream_window(size_t transfers)
{
    size_t window = BUFFERED_LEN;

    if (transfers > MAX_IN_FLIGHT)
        transfers = MAX_IN_FLIGHT;
    if (transfers)
        window /= transfers;
    if (window > MAX_WINDOW)
        window = MAX_WINDOW;
    return (uint32_t)(window < MIN_WINDOW ? MIN_WINDOW : window);
}

static int complain(const struct fetch *fetch, int exit_code, const char *text)
{
    if (!fetch->options->silent || fetch->options->show_error)
        fprintf(stderr, "weft: (%d) %s\n", exit_code, text);
    return exit_code;
}

static int client_failed(const struct fetch *fetch, const struct weft_error *error)
{
    int exit_code = (int)wf_fetch_exit_code(error);

    /* A file of authorities that cannot be used is an exit status of its own in curl. */
    if ((fetch->options->ca_file || fetch->options->tls.ca_path) &&
        exit_code != WF_FETCH_EXIT_NO_MEMORY && strstr(error->text, " CA "))
        exit_code = WF_FETCH_EXIT_CA_FILE;
    return complain(fetch, exit_code, error->text[0] ? error->text : weft_code_name(error->code));
}

/* Returns an exit status. */
static int open_client(struct fetch *fetch)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_tries = 1; /* whoever types a command sees what happened */
    struct weft_error error = {.code = WEFT_ERR_INTERNAL};

    config.deadline_ms = WEFT_FOREVER;
    if (fetch->options->connect_timeout_ms)
        config.connect_timeout_ms = fetch->options->connect_timeout_ms;
    config.ca_file = fetch->options->ca_file;
    config.insecure_skip_verify = fetch->options->insecure;
    wf_fetch_tls_apply(&fetch->options->tls, &config);
    wf_fetch_net_apply(&fetch->options->net, &config);
    config.http2_prior_knowledge = fetch->options->http2_prior_knowledge;
    config.versions = fetch->options->http1 ? WEFT_HTTP_1_1 : WEFT_HTTP_AUTO;
    if (fetch->options->expect_timeout_ms >= 0)
        config.expect_timeout_ms = fetch->options->expect_timeout_ms;
    config.stream_window = wf_fetch_stream_window(fetch->count);
    if (fetch->options->verbose) {
        config.trace = wf_tool_trace;
        config.trace_user = stderr;
    }
    fetch->client = weft_client_new(&config, &error);
    if (!fetch->client)
        return client_failed(fetch, &error);
    fetch->cq = weft_cq_new();
    if (!fetch->cq)
        wf_tool_die_no_memory();
    fetch->cq_fd = weft_cq_fd(fetch->cq);
    if (fetch->cq_fd < 0)
        return complain(fetch, WF_FETCH_EXIT_INTERNAL, strerror(errno));
    return WF_FETCH_EXIT_OK;
}

/* The request remembers what is wrong with it, and its future tells. */
static void add_body(const struct wf_fetch_options *options, const struct wf_fetch_source *source,
                     struct weft_request *request)
{
    if (source->path && !source->is_stream)
        (void)weft_request_set_body_fd(request, source->fd, 0, WEFT_TO_END);
    else if (!source->path && options->data.has_body && !options->data.in_query)
        (void)weft_request_borrow_body(request, options->data.body.data, options->data.body.len,
                                       NULL, NULL);
}

/* NULL: the transfer has failed. */
static struct weft_request *make_request(const struct fetch *fetch,
                                         struct wf_fetch_transfer *transfer)
{
    const struct wf_fetch_options *options = fetch->options;
    struct weft_request *request;
    int result = wf_fetch_source_open(&transfer->source);

    if (result != 0) {
        wf_fetch_transfer_fail(transfer, WF_FETCH_EXIT_READ, "cannot read %s: %s",
                               transfer->source.path, strerror(result));
        return NULL;
    }
    request = weft_request_new(transfer->method, transfer->url);
    if (!request)
        wf_tool_die_no_memory();
    wf_tool_headers_apply(&options->headers, &options->defaults, request);
    add_body(options, &transfer->source, request);
    return request;
}

/* One by one, since only some are uploads that are written here. */
static size_t submit_each(struct fetch *fetch, const struct weft_delivery *common,
                          struct weft_request **requests, void **tags, size_t count,
                          struct weft_future **futures)
{
    for (size_t i = 0; i < count; i++) {
        const struct wf_fetch_transfer *transfer = tags[i];
        struct weft_delivery how = *common;

        how.tag = tags[i];
        if (transfer->source.is_stream)
            how.flags |= WEFT_STREAM_UPLOAD;
        futures[i] = weft_submit(fetch->client, requests[i], &how);
        if (!futures[i])
            return i;
    }
    return count;
}

static void submit(struct fetch *fetch, struct weft_request **requests, void **tags, size_t count)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_future *futures[MAX_IN_FLIGHT];
    uint64_t now = wf_tool_now_ns();
    size_t done;

    how.cq = fetch->cq;
    how.flags = WEFT_STREAM_BODY;
    how.deadline_ms = fetch->options->max_time_ms ? fetch->options->max_time_ms : WEFT_FOREVER;
    if (fetch->options->upload_count)
        done = submit_each(fetch, &how, requests, tags, count, futures);
    else
        done = weft_submit_batch(fetch->client, requests, count, &how, tags, futures);
    if (done < count)
        wf_tool_die_no_memory();
    for (size_t i = 0; i < count; i++) {
        struct wf_fetch_transfer *transfer = tags[i];

        transfer->future = futures[i];
        transfer->started_ns = now;
        if (!transfer->first_ns)
            transfer->first_ns = now;
        weft_request_unref(requests[i]);
    }
    fetch->in_flight += count;
    fetch->progress_ns = now;
}

/* Those whose next try is due, as far as there is room. */
static size_t take_due(struct fetch *fetch, struct weft_request **requests, void **tags)
{
    uint64_t now = fetch->options->retry.count ? wf_tool_now_ns() : 0;
    size_t count = 0;

    for (size_t i = fetch->first; now && i < fetch->next; i++) {
        struct wf_fetch_transfer *transfer = &fetch->transfers[i];

        if (!transfer->retry_at_ns || transfer->retry_at_ns > now ||
            fetch->in_flight + count == MAX_IN_FLIGHT)
            continue;
        transfer->retry_at_ns = 0;
        tags[count] = transfer;
        requests[count] = make_request(fetch, transfer);
        count += requests[count] != NULL;
    }
    return count;
}

/* Submits what there is room for, in one batch. */
static void submit_more(struct fetch *fetch)
{
    struct weft_request *requests[MAX_IN_FLIGHT];
    void *tags[MAX_IN_FLIGHT];
    size_t count = take_due(fetch, requests, tags);

    for (; fetch->next < fetch->count && fetch->in_flight + count < MAX_IN_FLIGHT; fetch->next++) {
        struct wf_fetch_transfer *transfer = &fetch->transfers[fetch->next];

        if (transfer->finished)
            continue;
        tags[count] = transfer;
        requests[count] = make_request(fetch, transfer);
        count += requests[count] != NULL;
    }
    if (count)
        submit(fetch, requests, tags, count);
}

static void print_write_out(struct fetch *fetch, struct wf_fetch_transfer *transfer)
{
    struct wf_fetch_result result;
    struct wf_fetch_sink sink;
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);

    if (!memory)
        wf_tool_die_no_memory();
    wf_fetch_transfer_result(transfer, &result);
    wf_fetch_write_out(memory, fetch->options->write_out, &result, stderr,
                       fetch->options->silent ? NULL : stderr);
    if (fclose(memory) != 0)
        wf_tool_die_no_memory();
    /* Past stdio, as the bodies. Where it cannot be written, a body's write has said so or will. */
    wf_fetch_sink_init(&sink, NULL);
    (void)wf_fetch_sink_write(&sink, text, len);
    free(text);
    weft_future_unref(transfer->response);
    transfer->response = NULL;
}

static void advance_turn(struct fetch *fetch)
{
    const char *write_out = fetch->options->write_out;

    for (; fetch->turn < fetch->count; fetch->turn++) {
        struct wf_fetch_transfer *transfer = &fetch->transfers[fetch->turn];

        if (!transfer->finished && (write_out || wf_fetch_transfer_needs_turn(transfer)))
            return;
        if (transfer->finished && write_out)
            print_write_out(fetch, transfer);
    }
}

/* Nobody reads the standard output any more, or it is full: what still wants to go there ends. */
static void give_up_stdout(struct fetch *fetch)
{
    for (size_t i = fetch->first; i < fetch->count; i++) {
        struct wf_fetch_transfer *transfer = &fetch->transfers[i];

        if (!wf_fetch_transfer_needs_turn(transfer) || transfer->finished)
            continue;
        if (transfer->future)
            fetch->in_flight--;
        wf_fetch_transfer_fail(transfer, WF_FETCH_EXIT_WRITE,
                               "the standard output cannot be written to");
    }
}

/* -D: the heads in argument order, each as soon as those before it are there and no retry can bring
 * another. */
static void write_heads(struct fetch *fetch)
{
    char text[320];

    for (; fetch->head_turn < fetch->count; fetch->head_turn++) {
        const struct wf_fetch_transfer *transfer = &fetch->transfers[fetch->head_turn];
        int result;

        if (!transfer->finished && (!transfer->head_done || fetch->options->retry.count))
            return;
        result = wf_fetch_sink_write(&fetch->heads, transfer->head.data, transfer->head.len);
        if (result == 0)
            continue;
        snprintf(text, sizeof(text), "cannot write to %s: %s", wf_fetch_sink_name(&fetch->heads),
                 strerror(result));
        fetch->heads_status = complain(fetch, WF_FETCH_EXIT_WRITE, text);
        return;
    }
}

static void finish_one(struct fetch *fetch, const struct wf_fetch_transfer *transfer)
{
    fetch->in_flight--;
    if (wf_fetch_transfer_needs_turn(transfer) && transfer->exit_code == WF_FETCH_EXIT_WRITE)
        give_up_stdout(fetch);
    advance_turn(fetch);
}

/* Up to a piece in each direction; false: nothing moved. */
static bool pump_one(struct fetch *fetch, struct wf_fetch_transfer *transfer)
{
    enum wf_fetch_pump sent = wf_fetch_transfer_send(transfer);
    enum wf_fetch_pump got = WF_FETCH_PUMP_NOTHING;
    bool waits = wf_fetch_transfer_needs_turn(transfer) && transfer->index != fetch->turn;

    if (sent != WF_FETCH_PUMP_FINISHED && transfer->readable && !waits)
        got = wf_fetch_transfer_pump(transfer, fetch->buf);
    if (sent == WF_FETCH_PUMP_FINISHED || got == WF_FETCH_PUMP_FINISHED)
        finish_one(fetch, transfer);
    else if (got == WF_FETCH_PUMP_RETRY)
        fetch->in_flight--;
    return sent != WF_FETCH_PUMP_NOTHING || got != WF_FETCH_PUMP_NOTHING;
}

/* One piece of each transfer that can go on; false: none could. */
static bool pump_round(struct fetch *fetch)
{
    bool moved = false;

    for (size_t i = fetch->first; i < fetch->next && !wf_tool_interrupt_signal(); i++) {
        if (fetch->transfers[i].future)
            moved |= pump_one(fetch, &fetch->transfers[i]);
    }
    while (fetch->first < fetch->count && fetch->transfers[fetch->first].finished)
        fetch->first++;
    if (fetch->heads.is_open && fetch->heads_status == WF_FETCH_EXIT_OK)
        write_heads(fetch);
    return moved;
}

/* Marks what the queue tells of; false: it told nothing. */
static bool take_events(struct fetch *fetch)
{
    struct weft_event events[EVENTS_A_ROUND];
    size_t total = 0;
    size_t count;

    do {
        count = weft_cq_next(fetch->cq, events, EVENTS_A_ROUND, 0);
        for (size_t i = 0; i < count; i++) {
            struct wf_fetch_transfer *transfer = events[i].tag;

            /* A transfer that was given up here still gets its last event. */
            if (events[i].type == WEFT_EVENT_WRITABLE)
                transfer->source.is_full = false;
            else if (!transfer->finished)
                transfer->readable = true;
        }
        total += count;
    } while (count == EVENTS_A_ROUND);
    return total != 0;
}

/* Nothing came for too long: those that wait for the server end, those that wait for their turn on
 * the standard output do not. */
static void fail_stalled(struct fetch *fetch)
{
    for (size_t i = fetch->first; i < fetch->next; i++) {
        struct wf_fetch_transfer *transfer = &fetch->transfers[i];

        if (transfer->finished || !transfer->future ||
            wf_fetch_source_wants_input(&transfer->source) ||
            (transfer->readable && wf_fetch_transfer_needs_turn(transfer) && i != fetch->turn))
            continue;
        fetch->in_flight--;
        (void)wf_fetch_transfer_fail_try(transfer, WF_FETCH_EXIT_TIMEOUT,
                                         "nothing arrived for %lld ms (see --speed-time)",
                                         (long long)fetch->options->stall_ms);
    }
    fetch->progress_ns = wf_tool_now_ns();
    advance_turn(fetch);
}

/* Time from @now to @then for poll(), so that it has passed when poll() returns. */
static int poll_ms(uint64_t now, uint64_t then)
{
    uint64_t left = then > now ? (then - now) / NS_PER_MS + 1 : 0;

    return left > INT_MAX / 2 ? INT_MAX / 2 : (int)left;
}

/* The next try, or UINT64_MAX. */
static uint64_t next_retry_ns(const struct fetch *fetch)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = fetch->first; fetch->options->retry.count && i < fetch->next; i++) {
        uint64_t at = fetch->transfers[i].retry_at_ns;

        if (at && at < next)
            next = at;
    }
    return next;
}

/* Waits for events; ends stalled transfers when none come. */
static void wait_for_events(struct fetch *fetch)
{
    struct pollfd fds[2 + MAX_IN_FLIGHT] = {{.fd = fetch->cq_fd, .events = POLLIN},
                                            {.fd = wf_tool_interrupt_fd(), .events = POLLIN}};
    nfds_t count = 2;
    uint64_t now = wf_tool_now_ns();
    uint64_t until = next_retry_ns(fetch);

    if (fetch->options->stall_ms && fetch->in_flight) {
        uint64_t stall_ns = fetch->progress_ns + (uint64_t)fetch->options->stall_ms * NS_PER_MS;

        if (now >= stall_ns) {
            fail_stalled(fetch);
            return;
        }
        if (stall_ns < until)
            until = stall_ns;
    }
    for (size_t i = fetch->first; fetch->options->upload_count && i < fetch->next; i++) {
        const struct wf_fetch_transfer *transfer = &fetch->transfers[i];

        if (transfer->future && wf_fetch_source_wants_input(&transfer->source))
            fds[count++] = (struct pollfd){.fd = transfer->source.fd, .events = POLLIN};
    }
    /* Whatever ended it, the loop looks again. */
    (void)poll(fds, count, until == UINT64_MAX ? -1 : poll_ms(now, until));
}

static void run_loop(struct fetch *fetch)
{
    while (!wf_tool_interrupt_signal()) {
        bool moved;

        submit_more(fetch);
        advance_turn(fetch); /* past files of -T that could not be opened */
        moved = take_events(fetch);
        moved |= pump_round(fetch);
        if (fetch->first == fetch->count)
            return;
        if (moved)
            fetch->progress_ns = wf_tool_now_ns();
        else
            wait_for_events(fetch);
    }
}

static bool output_is_shared(const struct fetch *fetch, const struct wf_fetch_transfer *transfer)
{
    if (!transfer->path || strncmp(transfer->path, "/dev/", 5) == 0)
        return false;
    for (size_t i = 0; i < transfer->index; i++) {
        if (fetch->transfers[i].path && strcmp(fetch->transfers[i].path, transfer->path) == 0)
            return true;
    }
    return false;
}

static void init_transfers(struct fetch *fetch)
{
    fetch->transfers = wf_tool_calloc(fetch->count, sizeof(*fetch->transfers));
    for (size_t i = 0; i < fetch->count; i++) {
        struct wf_fetch_transfer *transfer = &fetch->transfers[i];

        if (wf_fetch_transfer_init(transfer, fetch->options, i) &&
            i < fetch->options->output_count && output_is_shared(fetch, transfer))
            wf_fetch_transfer_fail(transfer, WF_FETCH_EXIT_WRITE,
                                   "%s is the output of another URL already", transfer->path);
    }
    advance_turn(fetch);
}

/* Returns an exit status. */
static int open_heads(struct fetch *fetch)
{
    const char *path = fetch->options->dump_head;
    char text[320];
    int result;

    if (!path || strcmp(path, "-") == 0)
        return WF_FETCH_EXIT_OK;
    wf_fetch_sink_init(&fetch->heads, path);
    result = wf_fetch_sink_open(&fetch->heads);
    if (result == 0)
        return WF_FETCH_EXIT_OK;
    snprintf(text, sizeof(text), "cannot write to %s: %s", path, strerror(result));
    return complain(fetch, WF_FETCH_EXIT_WRITE, text);
}

static int exit_status(const struct fetch *fetch)
{
    int number = wf_tool_interrupt_signal();

    if (number)
        return complain(fetch, WF_FETCH_EXIT_SIGNAL + number, "interrupted");
    for (size_t i = 0; i < fetch->count; i++) {
        if (fetch->transfers[i].exit_code)
            return fetch->transfers[i].exit_code;
    }
    return fetch->heads_status;
}

int wf_fetch_run(const struct wf_fetch_options *options)
{
    struct fetch fetch = {.options = options, .count = options->url_count, .cq_fd = -1};
    int status;

    fetch.buf = wf_tool_calloc(WF_FETCH_CHUNK_LEN, 1);
    init_transfers(&fetch);
    status = open_heads(&fetch);
    if (status == WF_FETCH_EXIT_OK)
        status = open_client(&fetch);
    if (status == WF_FETCH_EXIT_OK) {
        run_loop(&fetch);
        status = exit_status(&fetch);
    }
    if (wf_fetch_sink_close(&fetch.heads) != 0 && status == WF_FETCH_EXIT_OK)
        status = complain(&fetch, WF_FETCH_EXIT_WRITE, "the file of -D cannot be written to");
    for (size_t i = 0; i < fetch.count; i++)
        wf_fetch_transfer_fini(&fetch.transfers[i]);
    if (fetch.client)
        (void)weft_client_close(fetch.client, 0); /* not inside a callback */
    weft_client_unref(fetch.client);
    weft_cq_unref(fetch.cq);
    free(fetch.transfers);
    free(fetch.buf);
    return status;
}
