/* weft in a program with an event loop of its own, here libuv's.
 *
 *     event_loop [--cacert FILE] URL...
 *
 * Fetches all URLs at once and reads the body of the last one piece by piece, as it comes. There is
 * one thread in this file: weft works on threads of its own and tells what has happened through a
 * completion queue, whose descriptor libuv watches like any socket. Nothing below ever blocks. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <weft/weft.h>

#define DEADLINE_MS 10000
#define EVENTS_MAX  16

/* One URL: the tag of its request, which comes back with each event. */
struct fetch {
    const char *url;
    struct weft_future *future;
    bool is_streamed;
    uint64_t octets;
    unsigned pieces;
};

struct program {
    uv_loop_t loop;
    uv_poll_t watcher; /* of the queue's descriptor */
    uv_signal_t interrupt;
    struct weft_client *client;
    struct weft_cq *queue;
    struct fetch *fetches;
    unsigned count;
    unsigned left;   /* not done yet */
    unsigned failed; /* done, without a complete response of a status below 400 */
};

/* Reads what is there. With a timeout of 0 weft_future_read() never waits, and WEFT_ERR_TIMEOUT
 * means "all taken": only after it does the next READABLE event come. Reading gives the server
 * leave to send more, so a slow reader would slow this one sender down and nobody else. */
static void read_body(struct fetch *fetch)
{
    char piece[16384];
    size_t len = 0;
    while (weft_future_read(fetch->future, piece, sizeof(piece), 0, &len) == WEFT_OK && len > 0) {
        fetch->octets += len;
        fetch->pieces++;
    }
}

static void report(struct program *program, struct fetch *fetch)
{
    const struct weft_error *error = weft_future_error(fetch->future);
    if (error->code != WEFT_OK) {
        /* The text is for people; code, stage and effect are for programs. */
        printf("%s: %s (%s, %s)\n", fetch->url, error->text, weft_code_name(error->code),
               weft_effect_name(error->effect));
        program->failed++;
        return;
    }
    int status = weft_future_status(fetch->future);
    if (fetch->is_streamed)
        printf("%s: %d, %" PRIu64 " octets in %u pieces\n", fetch->url, status, fetch->octets,
               fetch->pieces);
    else
        printf("%s: %d, %zu octets\n", fetch->url, status, weft_future_body(fetch->future).len);
    program->failed += status >= 400;
}

/* The last request is done: without watchers libuv's loop ends by itself. */
static void stop_watching(struct program *program)
{
    uv_close((uv_handle_t *)&program->watcher, NULL);
    uv_close((uv_handle_t *)&program->interrupt, NULL);
}

static void on_event(struct program *program, const struct weft_event *event)
{
    struct fetch *fetch = event->tag;
    switch (event->type) {
    case WEFT_EVENT_READABLE:
        read_body(fetch);
        break;
    case WEFT_EVENT_WRITABLE: /* of streamed uploads, of which there are none here */
        break;
    case WEFT_EVENT_DONE: /* once for each request, and its last event */
        if (fetch->is_streamed)
            read_body(fetch); /* what came since the last READABLE */
        report(program, fetch);
        weft_future_unref(fetch->future);
        fetch->future = NULL;
        if (--program->left == 0)
            stop_watching(program);
        break;
    }
}

/* The descriptor is readable: takes events until the queue gives fewer than there was room for. */
static void on_readable(uv_poll_t *watcher, int status, int events)
{
    struct program *program = watcher->data;
    struct weft_event taken[EVENTS_MAX];
    size_t count;
    (void)status;
    (void)events;
    do {
        count = weft_cq_next(program->queue, taken, EVENTS_MAX, 0);
        for (size_t i = 0; i < count; i++)
            on_event(program, &taken[i]);
    } while (count == EVENTS_MAX);
}

/* Ctrl-C: each request that is still open completes with WEFT_ERR_CANCELLED, through the queue like
 * any other end. The program ends when all of them have. */
static void on_interrupt(uv_signal_t *interrupt, int number)
{
    struct program *program = interrupt->data;
    (void)number;
    for (unsigned i = 0; i < program->count; i++) {
        if (program->fetches[i].future != NULL)
            weft_future_cancel(program->fetches[i].future);
    }
}

/* False: out of memory. Whatever else is wrong with a request, be it the URL, is told by its
 * DONE event. */
static bool submit(struct program *program, struct fetch *fetch)
{
    struct weft_request *request = weft_request_new("GET", fetch->url);
    if (request == NULL)
        return false;
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.cq = program->queue;
    how.tag = fetch;
    how.deadline_ms = DEADLINE_MS;
    how.flags = fetch->is_streamed ? WEFT_STREAM_BODY : 0;
    fetch->future = weft_submit(program->client, request, &how);
    weft_request_unref(request); /* the submission has a reference of its own */
    return fetch->future != NULL;
}

static bool watch(struct program *program)
{
    int fd = weft_cq_fd(program->queue); /* the queue's: do not close it */
    program->watcher.data = program;
    program->interrupt.data = program;
    return fd >= 0 && uv_poll_init(&program->loop, &program->watcher, fd) == 0 &&
           uv_poll_start(&program->watcher, UV_READABLE, on_readable) == 0 &&
           uv_signal_init(&program->loop, &program->interrupt) == 0 &&
           uv_signal_start(&program->interrupt, on_interrupt, SIGINT) == 0;
}

static bool start(struct program *program, const char *ca_file, char **urls)
{
    struct weft_config config = WEFT_CONFIG_INIT; /* all defaults */
    struct weft_error error;
    config.ca_file = ca_file; /* NULL, the default too: the system's authorities */
    program->client = weft_client_new(&config, &error);
    if (program->client == NULL) {
        fprintf(stderr, "event_loop: %s\n", error.text);
        return false;
    }
    program->queue = weft_cq_new();
    program->fetches = calloc(program->count, sizeof(*program->fetches));
    if (program->queue == NULL || program->fetches == NULL || uv_loop_init(&program->loop) != 0 ||
        !watch(program)) {
        fprintf(stderr, "event_loop: cannot start\n");
        return false;
    }
    for (unsigned i = 0; i < program->count; i++) {
        struct fetch *fetch = &program->fetches[i];
        fetch->url = urls[i];
        fetch->is_streamed = i + 1 == program->count;
        if (!submit(program, fetch)) {
            fprintf(stderr, "event_loop: out of memory\n");
            return false;
        }
        program->left++;
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *ca_file = NULL;
    char **urls = argv + 1;
    if (argc > 2 && strcmp(argv[1], "--cacert") == 0) {
        ca_file = argv[2];
        urls += 2;
    }
    struct program program = {0};
    while (urls[program.count] != NULL)
        program.count++;
    if (program.count == 0) {
        fprintf(stderr, "usage: event_loop [--cacert FILE] URL...\n");
        return 2;
    }
    if (!start(&program, ca_file, urls))
        return 1; /* the process ends: nothing is tidied up */

    uv_run(&program.loop, UV_RUN_DEFAULT);

    printf("%u of %u failed\n", program.failed, program.count);
    (void)uv_loop_close(&program.loop);
    (void)weft_client_close(program.client, 0); /* waits for weft's threads, never long */
    weft_client_unref(program.client);
    weft_cq_unref(program.queue);
    free(program.fetches);
    return program.failed == 0 ? 0 : 1;
}
