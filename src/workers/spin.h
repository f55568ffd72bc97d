/* A short look before falling asleep.
 * A wake-up on another core costs several microseconds; what is about to happen within one or two
 * is cheaper waited for awake. How long that pays is learned: waits that ended soon raise the
 * limit, long ones lower it to nothing, so that an idle program does not burn its cores. On a
 * single CPU nobody spins, since the one waited for could not run.
 *
 * One struct is shared by those who wait for the same kind of thing:
 *
 *     wf_spin_begin(&wait, spin);
 *     while (!happened() && wf_spin_again(&wait))
 *         ;
 *     if (!happened())
 *         sleep;
 *     wf_spin_end(&wait);                  (after the sleep, if there was one) */
#ifndef WF_WORKERS_SPIN_H
#define WF_WORKERS_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct wf_spin {
    /* Immutable after wf_spin_init(). */
    bool allowed;

    /* Any thread; atomic. A hint: lost updates do not matter. */
    atomic_uint limit_ns;
};

struct wf_spin_wait {
    struct wf_spin *spin; /* NULL: do not spin */
    uint64_t began_ns;
    unsigned limit_ns;
    unsigned rounds;
};

/* Counts the CPUs that the calling thread may run on. */
void wf_spin_init(struct wf_spin *spin);
/* @spin may be NULL: then there is no spinning, and no clock is read. Thread: any. */
void wf_spin_begin(struct wf_spin_wait *wait, struct wf_spin *spin);
/* Pauses for an instant. False: time to sleep. */
bool wf_spin_again(struct wf_spin_wait *wait);
/* Learns from how long it took in all. Not after a deadline that passed: that says nothing. */
void wf_spin_end(const struct wf_spin_wait *wait);

#endif
