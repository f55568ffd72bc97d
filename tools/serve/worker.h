/* An event loop: a thread with its own poller, timers, connections and prepared answers. Workers
 * share the listening socket and the site, which do not change while they run; nothing else. */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include "base/list.h"
#include "base/slice.h"
#include "io_thread/poller.h"
#include "io_thread/timers.h"
#include "io_thread/wake.h"
#include "options.h"
#include "reply.h"

#include <pthread.h>

#define SERVE_READ_LEN (256u * 1024)

struct serve_tls;
struct wf_tls_io;

/* What all workers share. Immutable once the first of them runs. */
struct serve_site {
    const struct serve_options *options;
    struct wf_slice pattern; /* a multiple of 26 octets: the alphabet, over and over */
    struct serve_tls *tls;   /* NULL: cleartext */
    int listen_fd;
    int root_fd; /* -1: no files */
};

struct serve_counts {
    uint64_t connections;
    uint64_t requests;
    uint64_t errors; /* connections that ended by an error of the protocol */
};

struct serve_worker {
    const struct serve_site *site;
    pthread_t thread;
    struct wf_poller poller;
    struct wf_timers timers;
    struct wf_wake stop;
    struct wf_poll_source listener;
    struct wf_timer listener_pause; /* set while descriptors have run out */
    struct wf_timer drain_deadline;
    struct wf_node connections;
    struct wf_node ready;          /* connections that have work without waiting for an event */
    struct wf_node idle_exchanges; /* to be used again */
    size_t idle_count;
    struct wf_tls_io *tls_io;
    struct serve_replies replies;
    uint8_t *read_buf; /* SERVE_READ_LEN; filled and emptied within one call */
    struct serve_counts counts;
    uint64_t now_ms; /* read once per turn of the loop: serve_worker_tick() */
    bool ticked;
    bool stopping; /* no new connections or requests */
    bool expired;  /* stopping has taken too long */
    int failure;   /* an errno value that ended the loop */
};

/* 0 or an errno value. Thread: the one that will call serve_worker_free(). */
WF_MUST_USE int serve_worker_init(struct serve_worker *worker, const struct serve_site *site);
void serve_worker_fini(struct serve_worker *worker);
/* The loop, a pthread start routine: until serve_worker_stop(). */
void *serve_worker_run(void *worker);
/* Reads the clock, unless that was done in this turn. Each callback of the poller begins with it.
 * Thread: the worker's. */
void serve_worker_tick(struct serve_worker *worker);
/* Drains: no new connection, GOAWAY on the open ones, a second at most. Thread: any. */
void serve_worker_stop(struct serve_worker *worker);

#endif
