/* A queue of many producers and one consumer, with the protocol by which the consumer sleeps.
 * The mailbox does not know what its consumer sleeps on (an epoll instance, a futex): it says who
 * has to wake it. The consumer's turn:
 *
 *     if (wf_mailbox_prepare_sleep(mb))
 *         wait;                            (the wait also ends for other reasons)
 *     wf_mailbox_end_sleep(mb);
 *     clear what the wake-up left, for instance the eventfd's count;
 *     mail = wf_mailbox_take_all(mb);
 *
 * The wake-up is cleared while the consumer is awake: once it has announced sleep, a wake-up that
 * is thrown away takes its reason with it. A wake-up may come although the consumer did not sleep
 * after all (a producer was told just before the consumer changed its mind); it is harmless.
 *
 * `asleep` is a word a futex can wait on: 1 while the consumer sleeps and nobody was told to wake
 * it.
 *
 * | may overlap                           | push | take_all, prepare_sleep, end_sleep |
 * | push                                  | yes  | yes                                |
 * | take_all, prepare_sleep, end_sleep    | yes  | no: one consumer                   |
 *
 * The struct is aligned to cache lines; memory for it on the heap is from wf_alloc_aligned(). */
#ifndef WF_WORKERS_MAILBOX_H
#define WF_WORKERS_MAILBOX_H

#include "base/alloc.h"
#include "workers/mail.h"

struct wf_mailbox {
    /* Any thread; atomic. On two lines: producers write the one and, while the consumer is awake,
     * only read the other. */
    _Alignas(WF_CACHE_LINE) struct wf_mail_stack mails;
    _Alignas(WF_CACHE_LINE) atomic_uint asleep;
};

void wf_mailbox_init(struct wf_mailbox *mb);

/* The rest of a push to a consumer that may sleep; see wf_mailbox_push(). */
bool wf_mailbox_claim_wake(struct wf_mailbox *mb);

/* Pushes a chain linked from @newest to @oldest by `next` with one compare-and-swap. True: the
 * consumer sleeps and this caller must wake it; exactly one pusher is told per sleep. Thread: any.
 */
WF_MUST_USE static inline bool wf_mailbox_push(struct wf_mailbox *mb, struct wf_mail *newest,
                                               struct wf_mail *oldest)
{
    wf_mail_stack_push(&mb->mails, newest, oldest);
    /* F1 with F2: push, then look at asleep; there, set asleep, then look at the stack. One of the
     * two sees the other, which takes sequential consistency on all four accesses. */
    if (WF_LIKELY(atomic_load_explicit(&mb->asleep, memory_order_seq_cst) == 0))
        return false;
    return wf_mailbox_claim_wake(mb);
}

/* All that is queued, oldest first; NULL: nothing. Thread: consumer. */
static inline struct wf_mail *wf_mailbox_take_all(struct wf_mailbox *mb)
{
    return wf_mail_stack_take_all(&mb->mails);
}

/* Announces sleep. False: something is queued, stay awake. Thread: consumer. */
WF_MUST_USE bool wf_mailbox_prepare_sleep(struct wf_mailbox *mb);

/* The consumer is awake, whatever woke it; producers need not tell it any more. Also right when
 * prepare_sleep returned false, or was not called. Thread: consumer. */
void wf_mailbox_end_sleep(struct wf_mailbox *mb);

#endif
