#include "worker.h"

#include "base/assert.h"
#include "connection.h"
#include "exchange.h"
#include "listener.h"
#include "io_thread/tls.h"
#include "io_thread/tls_ctx.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_MS 1000u

static uint64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void serve_worker_tick(struct serve_worker *worker)
{
    if (worker->ticked)
        return;
    worker->ticked = true;
    worker->now_ms = clock_ms();
    serve_replies_set_time(&worker->replies, (uint64_t)time(NULL));
}

static void on_drain_deadline(struct wf_timer *timer)
{
    wf_container_of(timer, struct serve_worker, drain_deadline)->expired = true;
}

static void on_stop(struct wf_wake *wake)
{
    struct serve_worker *worker = wf_container_of(wake, struct serve_worker, stop);
    serve_worker_tick(worker);
    if (worker->stopping)
        return;
    worker->stopping = true;
    serve_listener_close(worker);
    wf_timer_set(&worker->timers, &worker->drain_deadline, worker->now_ms + DRAIN_MS);
    struct wf_node *node = worker->connections.next;
    while (node != &worker->connections) {
        struct serve_connection *c = wf_container_of(node, struct serve_connection, node);
        node = node->next;
        serve_connection_drain(c);
    }
}

int serve_worker_init(struct serve_worker *worker, const struct serve_site *site)
{
    *worker = (struct serve_worker){.site = site, .now_ms = clock_ms()};
    wf_list_init(&worker->connections);
    wf_list_init(&worker->ready);
    wf_list_init(&worker->idle_exchanges);
    wf_timers_init(&worker->timers, worker->now_ms);
    wf_timer_init(&worker->drain_deadline, on_drain_deadline);
    serve_replies_init(&worker->replies, (uint64_t)time(NULL));
    int error = wf_poller_init(&worker->poller);
    if (error != 0)
        return error;
    error = wf_wake_init(&worker->stop, &worker->poller, on_stop);
    if (error != 0)
        goto fini_poller;
    error = ENOMEM;
    worker->read_buf = wf_alloc(SERVE_READ_LEN);
    if (worker->read_buf == NULL)
        goto fini_wake;
    if (site->tls != NULL) {
        worker->tls_io = wf_tls_io_new();
        if (worker->tls_io == NULL)
            goto free_buf;
    }
    error = serve_listener_open(worker);
    if (error == 0)
        return 0;
    wf_tls_io_free(worker->tls_io);
free_buf:
    wf_free(worker->read_buf);
fini_wake:
    wf_wake_fini(&worker->stop);
fini_poller:
    wf_poller_fini(&worker->poller);
    return error;
}

void serve_worker_fini(struct serve_worker *worker)
{
    struct wf_node *node;
    while ((node = wf_list_first(&worker->connections)) != NULL)
        serve_connection_close(wf_container_of(node, struct serve_connection, node));
    serve_exchanges_drop_idle(worker);
    serve_listener_close(worker);
    wf_tls_io_free(worker->tls_io);
    wf_free(worker->read_buf);
    wf_wake_fini(&worker->stop);
    wf_poller_fini(&worker->poller);
}

/* Those that ask again while they run have their turn in the next round. */
static void run_ready(struct serve_worker *worker)
{
    struct wf_node round;
    wf_list_init(&round);
    struct wf_node *node;
    while ((node = wf_list_pop_front(&worker->ready)) != NULL)
        wf_list_push_back(&round, node);
    while ((node = wf_list_pop_front(&round)) != NULL)
        serve_connection_run(wf_container_of(node, struct serve_connection, ready_node));
}

static int patience(struct serve_worker *worker)
{
    if (!wf_list_is_empty(&worker->ready))
        return 0;
    uint64_t next = wf_timers_next(&worker->timers);
    if (next == WF_TIMER_NONE)
        return -1;
    if (next <= worker->now_ms)
        return 0;
    return next - worker->now_ms > 60000 ? 60000 : (int)(next - worker->now_ms);
}

static bool is_done(const struct serve_worker *worker)
{
    return worker->failure != 0 ||
           (worker->stopping && (worker->expired || wf_list_is_empty(&worker->connections)));
}

void *serve_worker_run(void *user)
{
    struct serve_worker *worker = user;
    while (!is_done(worker)) {
        worker->ticked = false;
        int got = wf_poller_wait(&worker->poller, patience(worker));
        if (got < 0)
            worker->failure = -got;
        serve_worker_tick(worker);
        (void)wf_timers_advance(&worker->timers, worker->now_ms);
        run_ready(worker);
    }
    wf_tls_thread_end();
    if (worker->failure != 0)
        (void)kill(getpid(), SIGTERM); /* main waits for it, and ends the others */
    return NULL;
}

void serve_worker_stop(struct serve_worker *worker)
{
    wf_wake_signal(&worker->stop);
}
