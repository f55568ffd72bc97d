/* How completions leave: a turn's worth of them per destination in one push, with at most one
 * wake-up. And the completion queue, which may lose its last user while requests that deliver to it
 * are out. */
#ifndef WF_IO_THREAD_DELIVERY_H
#define WF_IO_THREAD_DELIVERY_H

#include "io_thread/exchange.h"
#include "workers/cq.h"
#include "workers/fork.h"

struct weft_cq {
    /* Immutable. */
    struct wf_cq *queue;
    unsigned fork_count; /* wf_fork_watch() of the process that made it */

    /* Any thread; atomic. */
    atomic_uint user_refs;
    atomic_uint
        refs; /* one for all users together, one for each exchange and outbox that delivers here */
    atomic_bool closed; /* no user is left: what arrives is dropped */
};

void wf_delivery_cq_ref(struct weft_cq *cq);
void wf_delivery_cq_unref(struct weft_cq *cq);
/* Pushes a chain; drops it when no user is left. The caller holds a reference. Thread: any. */
void wf_delivery_cq_push(struct weft_cq *cq, struct wf_mail *newest, struct wf_mail *oldest);

/* The exchange of an event that a user takes, or whose queue has gone, and what it tells. The
 * item's reference becomes the caller's. Thread: any. */
struct weft_future *wf_delivery_take(struct wf_item *item, enum weft_event_type *out_type);

/* Destinations of one turn. One more hands all over early: with many threads that read a queue
 * each, that would wake one of them for nearly every completion. */
#define WF_OUTBOX_SLOTS 64u

/* Thread: I/O. */
struct wf_outbox {
    bool runs_callbacks; /* the workers have ended: callbacks run in the flush */
    unsigned count;
    uint8_t guesses[WF_OUTBOX_SLOTS]; /* by a hash of the destination: where its slot may be */
    struct wf_outbox_slot {
        struct weft_cq *cq; /* referenced; NULL: the worker of number `worker` */
        unsigned worker;
        struct wf_mail *newest;
        struct wf_mail *oldest;
    } slots[WF_OUTBOX_SLOTS];
};

/* Queues @item for @cq, or for the worker of number @worker when @cq is NULL. */
void wf_outbox_add(struct wf_outbox *outbox, struct weft_client *engine, struct weft_cq *cq,
                   unsigned worker, struct wf_item *item);
/* Hands everything over. At the end of each turn. */
void wf_outbox_flush(struct wf_outbox *outbox, struct weft_client *engine);

#endif
