/* A thread that keeps a number of requests in flight: it takes a batch of completions, counts them,
 * and submits as many again with one call. Nothing is allocated or locked per request, and the
 * clock is read once per batch. */
#ifndef WF_LOAD_WORKER_H
#define WF_LOAD_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "options.h"
#include "tally.h"

#include "weft/weft.h"

/* What all workers share. */
struct wf_load_run {
    /* Immutable once the workers start. Times are CLOCK_MONOTONIC. */
    const struct wf_load_options *options;
    struct weft_client *client;
    uint64_t start_ns;
    uint64_t measure_ns; /* from here on it counts */
    uint64_t end_ns;     /* UINT64_MAX: the number of requests ends it */
    int finished_fd;     /* an eventfd that each worker adds one to when it ends */

    /* Any thread; atomic. */
    atomic_bool stop; /* submit nothing more, and end soon */
};

/* A request in flight; its index is the tag. */
struct wf_load_slot {
    struct weft_future *future; /* NULL: free */
    uint64_t start_ns;
};

struct wf_load_worker {
    /* Immutable once the thread runs. Workers share no cache line with each other. */
    _Alignas(64) struct wf_load_run *run;
    pthread_t thread;
    size_t number;      /* which of the workers */
    uint64_t share;     /* requests to submit; UINT64_MAX: as many as there is time for */
    size_t concurrency; /* requests in flight */

    /* The worker's thread; others after it has ended. */
    struct weft_cq *cq;
    struct weft_request **requests; /* one for each URL, frozen by their first submission */
    size_t next_request;
    uint64_t unique; /* the next number of the field that differs */
    struct wf_load_slot *slots;
    uint64_t submitted;
    size_t in_flight;
    bool measuring;
    uint64_t errors_in_a_row;
    bool gave_up;     /* too many errors in a row, or memory ran out */
    uint64_t last_ns; /* when the last completion was seen */
    struct wf_load_tally tally;
    struct wf_load_histogram latency;

    /* Any thread; atomic, for the progress line. Relaxed: nothing hangs on them. */
    atomic_ullong done;
    atomic_ullong failed;
};

/* False: errno says why the thread could not be started. Thread: main. */
bool wf_load_worker_start(struct wf_load_worker *worker, struct wf_load_run *run, size_t number);
/* Waits for the thread. Thread: main. */
void wf_load_worker_join(struct wf_load_worker *worker);
/* After the join. */
void wf_load_worker_fini(struct wf_load_worker *worker);

#endif
