/* Waiting for a completion, and waking those who wait. */
#include "workers/completion.h"

#include "workers/park.h"

#include <limits.h>

#define CHANGE_ONE 4u

void wf_completion_wake(struct wf_completion *c)
{
    wf_park_wake(&c->word, INT_MAX);
}

void wf_completion_notify(struct wf_completion *c)
{
    /* Relaxed: a guess, which the exchange checks. */
    unsigned old = atomic_load_explicit(&c->word, memory_order_relaxed);
    unsigned next;
    do {
        wf_assert((old & WF_COMPLETION_DONE) == 0);
        /* WAITERS is taken back together with the change, so that the next notify costs no system
         * call unless somebody went to sleep again: all who sleep are woken, and say so anew. */
        next = (old + CHANGE_ONE) & ~WF_COMPLETION_WAITERS;
        /* R3: publishes what changed; pairs with A3. */
    } while (!atomic_compare_exchange_weak_explicit(&c->word, &old, next, memory_order_release,
                                                    memory_order_relaxed));
    if ((old & WF_COMPLETION_WAITERS) != 0)
        wf_completion_wake(c);
}

/* Sleeps while the word says neither done nor anything but @seen under @mask. */
static bool sleep_until(struct wf_completion *c, unsigned mask, unsigned seen, uint64_t deadline_ns)
{
    bool in_time = deadline_ns != 0;
    for (;;) {
        /* A2 with R2, A3 with R3. */
        unsigned word = atomic_load_explicit(&c->word, memory_order_acquire);
        if ((word & WF_COMPLETION_DONE) != 0 || ((word ^ seen) & mask) != 0)
            return true;
        if (!in_time)
            return false;
        unsigned waiting = word | WF_COMPLETION_WAITERS;
        /* Relaxed: it publishes nothing, and what it found is looked at again. Failure: start over.
         */
        if (word != waiting &&
            !atomic_compare_exchange_weak_explicit(&c->word, &word, waiting, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        in_time = wf_park_wait(&c->word, waiting, deadline_ns);
    }
}

bool wf_completion_wait(struct wf_completion *c, uint64_t deadline_ns)
{
    return sleep_until(c, 0, 0, deadline_ns);
}

bool wf_completion_wait_spin(struct wf_completion *c, struct wf_spin *spin, uint64_t deadline_ns)
{
    if (wf_completion_is_done(c))
        return true;
    if (deadline_ns == 0)
        return false;
    struct wf_spin_wait wait;
    wf_spin_begin(&wait, spin);
    bool done;
    while (!(done = wf_completion_is_done(c)) && wf_spin_again(&wait))
        ;
    if (!done)
        done = sleep_until(c, 0, 0, deadline_ns);
    if (done)
        wf_spin_end(&wait);
    return done;
}

bool wf_completion_wait_change(struct wf_completion *c, unsigned seen, uint64_t deadline_ns)
{
    return sleep_until(c, ~WF_COMPLETION_WAITERS, seen, deadline_ns);
}
