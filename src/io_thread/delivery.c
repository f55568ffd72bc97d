#include "io_thread/delivery.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io_thread/body_sink.h"
#include "io_thread/body_stream.h"
#include "io_thread/engine.h"
#include "io_thread/upload.h"

struct weft_future *wf_delivery_take(struct wf_item *item, enum weft_event_type *out_type)
{
    struct weft_future *x;
    *out_type = WEFT_EVENT_DONE;
    switch (item->kind) {
    case WF_ITEM_READABLE:
        x = wf_container_of(item, struct wf_body_stream, readable)->exchange;
        *out_type = WEFT_EVENT_READABLE;
        /* A17: what was appended before is seen by the reads that follow. */
        atomic_fetch_and_explicit(&x->body->notice, ~WF_NOTICE_QUEUED, memory_order_acq_rel);
        return x;
    case WF_ITEM_WRITABLE:
        x = wf_container_of(item, struct wf_upload, item)->exchange;
        *out_type = WEFT_EVENT_WRITABLE;
        /* A17: likewise the room that was made. */
        atomic_fetch_and_explicit(&x->upload->notice, ~WF_NOTICE_QUEUED, memory_order_acq_rel);
        return x;
    case WF_ITEM_FILL:
        return wf_container_of(item, struct wf_upload, item)->exchange;
    case WF_ITEM_DRAIN:
        return wf_container_of(item, struct wf_body_sink, item)->stream->exchange;
    case WF_ITEM_DONE:
        return wf_exchange_of_item(item);
    case WF_ITEM_SUBMIT:
    case WF_ITEM_MESSAGE:
    case WF_ITEM_CLOSE:
    case WF_ITEM_PRECONNECT:
    case WF_ITEM_TRUST:
    case WF_ITEM_TRACE:
    case WF_ITEM_LOG:
        break;
    }
    WF_UNREACHABLE("such items go elsewhere");
}

/* The user of a queue has gone: an item that nobody will see gives its reference back. */
static void item_drop(struct wf_item *item)
{
    enum weft_event_type type;
    wf_exchange_drop(wf_delivery_take(item, &type), WF_ENGINE_REF);
}

static void cq_drop_all(struct weft_cq *cq)
{
    struct wf_mail *mails[64];
    size_t count;
    while (wf_cq_is_queued(cq->queue)) {
        count = wf_cq_take(cq->queue, mails, 64, 0);
        for (size_t i = 0; i < count; i++)
            item_drop(wf_item_of(mails[i]));
    }
}

struct weft_cq *weft_cq_new(void)
{
    struct weft_cq *cq = wf_alloc(sizeof(*cq));
    if (cq == NULL)
        return NULL;
    cq->queue = wf_cq_new();
    if (cq->queue == NULL) {
        wf_free(cq);
        return NULL;
    }
    cq->fork_count = wf_fork_watch();
    atomic_init(&cq->user_refs, 1);
    atomic_init(&cq->refs, 1);
    atomic_init(&cq->closed, false);
    return cq;
}

struct weft_cq *weft_cq_ref(struct weft_cq *cq)
{
    /* Relaxed: the caller's reference keeps it. */
    atomic_fetch_add_explicit(&cq->user_refs, 1, memory_order_relaxed);
    return cq;
}

void weft_cq_unref(struct weft_cq *cq)
{
    /* Release what this user did; acquire what the others did before the last of them closes. */
    if (cq == NULL || atomic_fetch_sub_explicit(&cq->user_refs, 1, memory_order_acq_rel) != 1)
        return;
    /* In a child its lock may be held by a thread that is not there. */
    if (wf_is_forked(cq->fork_count))
        return;
    /* F20 with F21: set closed, then look at the queue; there, push, then look at closed. Both need
     * sequential consistency; the queue's own accesses have it. */
    atomic_store_explicit(&cq->closed, true, memory_order_seq_cst);
    cq_drop_all(cq);
    wf_delivery_cq_unref(cq);
}

void wf_delivery_cq_ref(struct weft_cq *cq)
{
    atomic_fetch_add_explicit(&cq->refs, 1, memory_order_relaxed); /* the caller's keeps it */
}

void wf_delivery_cq_unref(struct weft_cq *cq)
{
    if (atomic_fetch_sub_explicit(&cq->refs, 1, memory_order_acq_rel) != 1)
        return;
    wf_cq_unref(cq->queue);
    wf_free(cq);
}

void wf_delivery_cq_push(struct weft_cq *cq, struct wf_mail *newest, struct wf_mail *oldest)
{
    wf_cq_push(cq->queue, newest, oldest);
    if (WF_UNLIKELY(atomic_load_explicit(&cq->closed, memory_order_seq_cst))) /* F21 */
        cq_drop_all(cq);
}

/* Newest to oldest becomes oldest to newest. */
static struct wf_mail *reversed(struct wf_mail *newest, const struct wf_mail *oldest)
{
    struct wf_mail *first = NULL;
    for (struct wf_mail *mail = newest;;) {
        struct wf_mail *next = mail->next;
        bool was_last = mail == oldest;
        mail->next = first;
        first = mail;
        if (was_last)
            return first;
        mail = next;
    }
}

static void slot_run(struct wf_outbox_slot *slot, struct weft_client *engine)
{
    struct wf_mail *mail = reversed(slot->newest, slot->oldest);
    while (mail != NULL) {
        struct wf_mail *next = mail->next;
        wf_engine_run_item(mail, engine);
        mail = next;
    }
}

static void slot_flush(struct wf_outbox_slot *slot, struct weft_client *engine, bool runs_callbacks)
{
    if (slot->cq != NULL) {
        wf_delivery_cq_push(slot->cq, slot->newest, slot->oldest);
        wf_delivery_cq_unref(slot->cq);
    } else if (runs_callbacks) {
        slot_run(slot, engine);
    } else {
        /* Whoever submitted with a callback started the workers. Relaxed: set before it submitted.
         */
        wf_worker_pool_post(atomic_load_explicit(&engine->workers, memory_order_relaxed),
                            slot->worker, slot->newest, slot->oldest);
    }
}

void wf_outbox_flush(struct wf_outbox *outbox, struct weft_client *engine)
{
    /* A push may run other exchanges' ends on this thread (a closed queue), never additions here.
     */
    for (unsigned i = 0; i < outbox->count; i++)
        slot_flush(&outbox->slots[i], engine, outbox->runs_callbacks);
    outbox->count = 0;
}

static bool is_for(const struct wf_outbox_slot *slot, const struct weft_cq *cq, unsigned worker)
{
    return slot->cq == cq && (cq != NULL || slot->worker == worker);
}

static unsigned find_slot(const struct wf_outbox *outbox, const struct weft_cq *cq, unsigned worker)
{
    unsigned i = 0;
    while (i < outbox->count && !is_for(&outbox->slots[i], cq, worker))
        i++;
    return i;
}

void wf_outbox_add(struct wf_outbox *outbox, struct weft_client *engine, struct weft_cq *cq,
                   unsigned worker, struct wf_item *item)
{
    /* Addresses of queues differ in the middle bits. */
    uint8_t *guess = &outbox->guesses[((uintptr_t)cq >> 5 ^ worker) % WF_OUTBOX_SLOTS];
    unsigned i = *guess;
    if (i >= outbox->count || !is_for(&outbox->slots[i], cq, worker))
        i = find_slot(outbox, cq, worker);
    if (WF_LIKELY(i < outbox->count)) {
        *guess = (uint8_t)i;
        item->mail.next = outbox->slots[i].newest;
        outbox->slots[i].newest = &item->mail;
        return;
    }
    if (outbox->count == WF_OUTBOX_SLOTS)
        wf_outbox_flush(outbox, engine);
    if (cq != NULL)
        wf_delivery_cq_ref(cq);
    *guess = (uint8_t)outbox->count;
    outbox->slots[outbox->count++] = (struct wf_outbox_slot){
        .cq = cq, .worker = worker, .newest = &item->mail, .oldest = &item->mail};
}
