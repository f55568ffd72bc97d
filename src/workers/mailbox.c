/* The slow paths of the mailbox: going to sleep, and finding out who wakes. */
#include "workers/mailbox.h"

void wf_mailbox_init(struct wf_mailbox *mb)
{
    wf_mail_stack_init(&mb->mails);
    atomic_init(&mb->asleep, 0);
}

bool wf_mailbox_claim_wake(struct wf_mailbox *mb)
{
    /* Of all who saw the consumer asleep, the one that turns the flag back is told. Release, with
     * the acquire in wf_mailbox_end_sleep(): a consumer that finds the flag turned sees the push.
     */
    return atomic_exchange_explicit(&mb->asleep, 0, memory_order_acq_rel) != 0;
}

bool wf_mailbox_prepare_sleep(struct wf_mailbox *mb)
{
    /* F2 with F1: set asleep, then look; the store may not pass the load. */
    atomic_store_explicit(&mb->asleep, 1, memory_order_seq_cst);
    if (!wf_mail_stack_peek(&mb->mails))
        return true;
    wf_mailbox_end_sleep(mb);
    return false;
}

void wf_mailbox_end_sleep(struct wf_mailbox *mb)
{
    /* Acquire: see wf_mailbox_claim_wake(). Relaxed store: a producer that reads the old 1 is told
     * to wake once more than needed, no worse. */
    if (atomic_load_explicit(&mb->asleep, memory_order_acquire) != 0)
        atomic_store_explicit(&mb->asleep, 0, memory_order_relaxed);
}
