/* Submission: from the caller's thread into an I/O thread's mailbox. */
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/io_thread.h"
#include "io_thread/preconnect.h"
#include "weft/client.h"
#include "workers/park.h"

#include <stdatomic.h>
#include <string.h>

/* Threads are numbered in the order of their first submission. The number belongs to the thread and
 * says nothing of any client, so that clients stay independent of each other. */
static unsigned thread_number(void)
{
    static atomic_uint threads_seen;
    static _Thread_local unsigned number; /* 0: none yet */

    /* Relaxed: only that numbers differ matters. */
    if (number == 0)
        number = 1 + atomic_fetch_add_explicit(&threads_seen, 1, memory_order_relaxed);
    return number;
}

static struct wf_io_thread *io_thread_near(const struct weft_client *client)
{
    if (client->io_thread_count == 1)
        return client->io_threads[0];
    /* A thread keeps to one I/O thread, so that its batches stay together; as many submitting
     * threads as I/O threads use them all. */
    return client->io_threads[thread_number() % client->io_thread_count];
}

/* The caller's version of the struct, brought to ours. */
static void read_delivery(struct weft_delivery *delivery, const struct weft_delivery *given)
{
    *delivery = (struct weft_delivery)WEFT_DELIVERY_INIT;
    if (given == NULL)
        return;
    size_t size = given->size < sizeof(*delivery) ? given->size : sizeof(*delivery);
    memcpy(delivery, given, size);
}

static bool needs_workers(const struct weft_delivery *delivery)
{
    return delivery->done != NULL || delivery->event != NULL ||
           (delivery->flags & WEFT_BODY_TO_FD) != 0;
}

size_t weft_submit_batch(struct weft_client *client, struct weft_request *const *requests,
                         size_t count, const struct weft_delivery *how, void *const *tags,
                         struct weft_future **out_futures)
{
    if (client == NULL)
        return 0;
    struct weft_delivery delivery;
    read_delivery(&delivery, how);
    bool forked = wf_engine_is_forked(client);
    if (needs_workers(&delivery) && !forked && wf_engine_workers(client) == NULL &&
        !wf_engine_is_closed(client))
        return 0;
    struct wf_io_thread *io = io_thread_near(client);
    uint64_t now_ns = wf_now_ns();
    struct wf_mail *newest = NULL;
    struct wf_mail *oldest = NULL;
    size_t made = 0;
    size_t taken = 0;
    for (; made < count; made++) {
        if (made == taken) {
            taken += wf_exchange_take(client, out_futures + made, count - made);
            if (made == taken)
                break;
        }
        if (tags != NULL)
            delivery.tag = tags[made];
        /* A file is read by a worker. */
        if (requests[made]->has_file && !forked && wf_engine_workers(client) == NULL &&
            !wf_engine_is_closed(client))
            break;
        struct weft_future *x = out_futures[made];
        if (!wf_exchange_init(x, io, requests[made], &delivery, now_ns))
            break;
        wf_request_submitted(requests[made]);
        if (WF_UNLIKELY(forked)) {
            wf_exchange_fail_forked(x);
            continue;
        }
        x->item.mail.next = newest;
        newest = &x->item.mail;
        if (oldest == NULL)
            oldest = newest;
    }
    if (newest != NULL)
        wf_io_thread_push(io, newest, oldest);
    while (taken > made) {
        wf_exchange_give(client, out_futures[--taken]);
        out_futures[taken] = NULL;
    }
    return made;
}

struct weft_future *weft_submit(struct weft_client *client, struct weft_request *request,
                                const struct weft_delivery *how)
{
    if (request == NULL)
        return NULL;
    struct weft_future *future;
    return weft_submit_batch(client, &request, 1, how, NULL, &future) == 1 ? future : NULL;
}

enum weft_code weft_preconnect(struct weft_client *client, const char *url)
{
    if (client == NULL || url == NULL)
        return WEFT_ERR_INVALID_ARGUMENT;
    if (wf_engine_is_forked(client))
        return WEFT_ERR_FORKED;
    struct wf_item *item;
    enum weft_code code = wf_preconnect_new(url, &item);
    if (code == WEFT_OK)
        wf_io_thread_push(io_thread_near(client), &item->mail, &item->mail);
    return code;
}

struct weft_future *weft_get(struct weft_client *client, const char *url)
{
    struct weft_request *request = weft_request_new("GET", url);
    if (request == NULL)
        return NULL;
    struct weft_future *future = weft_submit(client, request, NULL);
    weft_request_unref(request);
    return future;
}
