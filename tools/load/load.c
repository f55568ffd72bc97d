/* The main thread of a run: it starts the workers, watches, stops them and reports. */
#include "load.h"

#include "common/clock.h"
#include "common/interrupt.h"
#include "common/memory.h"
#include "common/trace.h"
#include "progress.h"
#include "report.h"
#include "worker.h"

#include "weft/weft.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NS_PER_MS   1000000u
#define TICK_MS     100
#define LIVE_TICKS  2 /* between two live lines */
#define EXIT_FAILED 1
#define EXIT_SIGNAL 128

struct load {
    struct wf_load_run run;
    struct wf_load_worker *workers;
    size_t started; /* workers */
    struct wf_load_progress progress;
    struct weft_stats before; /* at the start of what is measured */
    bool has_before;
};

static void complain(const char *what, const char *why)
{
    fprintf(stderr, "weft-load: %s: %s\n", what, why);
}

static bool open_client(struct load *load)
{
    const struct wf_load_options *options = load->run.options;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_tries = 1; /* what is counted is what the server did */
    struct weft_error error = {.code = WEFT_ERR_INTERNAL};
    uint32_t in_flight = options->connections_per_thread * options->streams * options->threads;

    config.io_threads = options->threads;
    config.connections_per_origin = options->connections_per_thread;
    config.max_connections_per_origin = options->connections_per_thread;
    config.deadline_ms = options->timeout_ms;
    if (config.max_queued < in_flight)
        config.max_queued = in_flight;
    config.ca_file = options->ca_file;
    config.insecure_skip_verify = options->insecure;
    config.http2_prior_knowledge = !options->http1;
    config.versions = options->http1 ? WEFT_HTTP_1_1 : WEFT_HTTP_AUTO;
    config.stream_window = options->stream_window;
    config.connection_window = options->connection_window;
    config.max_stream_window = 0; /* what is measured is what was asked for */
    config.max_connection_window = 0;
    if (options->verbose) {
        config.trace = wf_tool_trace;
        config.trace_user = stderr;
    }
    load->run.client = weft_client_new(&config, &error);
    if (!load->run.client)
        complain("the client cannot start",
                 error.text[0] ? error.text : weft_code_name(error.code));
    return load->run.client != NULL;
}

static void set_times(struct wf_load_run *run)
{
    const struct wf_load_options *options = run->options;

    run->start_ns = wf_tool_now_ns();
    run->measure_ns = run->start_ns + (uint64_t)options->warm_up_ms * NS_PER_MS;
    run->end_ns = UINT64_MAX;
    if (options->duration_ms)
        run->end_ns = run->measure_ns + (uint64_t)options->duration_ms * NS_PER_MS;
}

static bool start_workers(struct load *load)
{
    size_t count = load->run.options->threads;

    load->workers =
        wf_tool_calloc_aligned(_Alignof(struct wf_load_worker), count, sizeof(*load->workers));
    set_times(&load->run);
    for (; load->started < count; load->started++) {
        if (wf_load_worker_start(&load->workers[load->started], &load->run, load->started))
            continue;
        complain("a thread cannot start", strerror(errno));
        wf_load_worker_fini(&load->workers[load->started]);
        return false;
    }
    return true;
}

static struct wf_load_moment look(struct load *load, uint64_t now_ns)
{
    const struct wf_load_run *run = &load->run;
    struct wf_load_moment moment = {.warming_up = now_ns < run->measure_ns};

    for (size_t i = 0; i < load->started; i++) {
        /* Relaxed: counters for people. */
        moment.done += atomic_load_explicit(&load->workers[i].done, memory_order_relaxed);
        moment.failed += atomic_load_explicit(&load->workers[i].failed, memory_order_relaxed);
    }
    moment.elapsed_ns = moment.warming_up ? 0 : now_ns - run->measure_ns;
    if (run->options->duration_ms)
        moment.part = (double)moment.elapsed_ns / (double)(run->end_ns - run->measure_ns);
    else
        moment.part = (double)moment.done / (double)run->options->requests;
    if (moment.part > 1)
        moment.part = 1;
    return moment;
}

static void take_first_stats(struct load *load, uint64_t now_ns)
{
    if (load->has_before || now_ns < load->run.measure_ns)
        return;
    load->before.size = sizeof(load->before);
    weft_client_stats(load->run.client, &load->before);
    load->has_before = true;
}

/* How long to sleep: to the next tick, or to the moment at which measuring begins. */
static int tick_ms(const struct load *load, uint64_t now_ns)
{
    uint64_t left = (load->run.measure_ns - now_ns) / NS_PER_MS;

    if (load->has_before || left >= TICK_MS)
        return TICK_MS;
    return (int)left + 1;
}

static void watch(struct load *load)
{
    struct pollfd fds[2] = {{.fd = load->run.finished_fd, .events = POLLIN},
                            {.fd = wf_tool_interrupt_fd(), .events = POLLIN}};
    size_t finished = 0;

    for (unsigned tick = 0; finished < load->started; tick++) {
        struct wf_load_moment moment;
        uint64_t now = wf_tool_now_ns();
        uint64_t count = 0;

        take_first_stats(load, now);
        (void)poll(fds, 2, tick_ms(load, now)); /* whatever ended it, all is looked at */
        if (read(load->run.finished_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
            finished += count;
        if (wf_tool_interrupt_signal()) {
            /* Relaxed: carries no data. */
            atomic_store_explicit(&load->run.stop, true, memory_order_relaxed);
            fds[1].fd = -1;
        }
        moment = look(load, wf_tool_now_ns());
        if (!load->progress.live || tick % LIVE_TICKS == 0 || finished == load->started)
            wf_load_progress_show(&load->progress, &moment);
    }
    wf_load_progress_end(&load->progress);
}

static void collect(struct load *load, struct wf_load_report *report)
{
    const struct wf_load_options *options = load->run.options;
    struct weft_stats after = {.size = sizeof(after)};
    uint64_t last_ns = load->run.measure_ns;

    *report = (struct wf_load_report){0};
    wf_load_histogram_init(&report->latency);
    weft_client_stats(load->run.client, &after);
    report->octets_read = after.octets_read - load->before.octets_read;
    report->octets_written = after.octets_written - load->before.octets_written;
    for (size_t i = 0; i < load->started; i++) {
        struct wf_load_worker *worker = &load->workers[i];

        /* What was done in a warm-up that was cut short does not count. */
        if (!worker->measuring)
            continue;
        wf_load_tally_merge(&report->tally, &worker->tally);
        wf_load_histogram_merge(&report->latency, &worker->latency);
        if (worker->last_ns > last_ns)
            last_ns = worker->last_ns;
    }
    report->elapsed_ns = last_ns - load->run.measure_ns;
    report->total = options->duration_ms ? report->tally.started : options->requests;
}

/* Requests that a worker without hope did not even start have failed too. */
static void charge_given_up(const struct load *load, struct wf_load_report *report)
{
    bool gave_up = false;

    for (size_t i = 0; i < load->started; i++)
        gave_up |= load->workers[i].gave_up;
    if (!gave_up)
        return;
    complain("gave up", "too many errors in a row, and no response between them");
    if (!load->run.options->duration_ms && report->total > report->tally.done) {
        uint64_t missing = report->total - report->tally.done;

        report->tally.failed += missing;
        report->tally.errored += missing;
    }
}

static int finish(struct load *load)
{
    struct wf_load_report report;
    int number = wf_tool_interrupt_signal();
    int status = 0;

    collect(load, &report);
    charge_given_up(load, &report);
    wf_load_report_print(&report, stdout);
    if (report.tally.failed || report.tally.succeeded == 0 ||
        (!load->run.options->duration_ms && report.tally.done < report.total))
        status = EXIT_FAILED;
    if (number)
        status = EXIT_SIGNAL + number;
    if (fflush(stdout) != 0) {
        complain("cannot write the report", strerror(errno));
        status = EXIT_FAILED;
    }
    wf_load_histogram_fini(&report.latency);
    return status;
}

int wf_load_run(const struct wf_load_options *options)
{
    struct load load = {.run = {.options = options}};
    int status = EXIT_FAILED;

    load.run.finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (load.run.finished_fd < 0) {
        complain("cannot make a descriptor", strerror(errno));
        return EXIT_FAILED;
    }
    wf_load_progress_init(&load.progress, stderr, isatty(STDERR_FILENO) == 1);
    if (open_client(&load)) {
        bool all = start_workers(&load);

        /* Relaxed: carries no data. */
        if (!all)
            atomic_store_explicit(&load.run.stop, true, memory_order_relaxed);
        watch(&load);
        for (size_t i = 0; i < load.started; i++)
            wf_load_worker_join(&load.workers[i]);
        if (all)
            status = finish(&load);
        (void)weft_client_close(load.run.client, 0); /* not inside a callback */
        for (size_t i = 0; i < load.started; i++)
            wf_load_worker_fini(&load.workers[i]);
        weft_client_unref(load.run.client);
    }
    free(load.workers);
    close(load.run.finished_fd);
    return status;
}
