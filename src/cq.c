/* The public completion queue. */
#include "weft/cq.h"

#include "io_thread/delivery.h"
#include "workers/park.h"

#define TAKE_MAX 256u

/* The item's reference on its exchange goes with the event. */
static struct weft_event event_of(struct wf_item *item)
{
    struct weft_event event = {.type = WEFT_EVENT_DONE};
    /* Nearly all are completions. */
    struct weft_future *x = WF_LIKELY(item->kind == WF_ITEM_DONE)
                                ? wf_exchange_of_item(item)
                                : wf_delivery_take(item, &event.type);
    event.tag = x->context;
    /* Relaxed: only this caller's own reference is of interest to it. */
    unsigned refs = atomic_load_explicit(&x->item.word, memory_order_relaxed);
    event.future = (refs & WF_USER_REFS) != 0 ? x : NULL;
    wf_exchange_drop(x, WF_ENGINE_REF);
    return event;
}

size_t weft_cq_next(struct weft_cq *cq, struct weft_event *events, size_t max, int64_t timeout_ms)
{
    struct wf_mail *mails[TAKE_MAX];
    if (wf_is_forked(cq->fork_count))
        return 0; /* nobody in this process will ever push to it */
    size_t count =
        wf_cq_take(cq->queue, mails, max < TAKE_MAX ? max : TAKE_MAX, wf_deadline_ns(timeout_ms));
    for (size_t i = 0; i < count; i++)
        events[i] = event_of(wf_item_of(mails[i]));
    return count;
}

int weft_cq_fd(struct weft_cq *cq)
{
    return wf_cq_fd(cq->queue);
}
