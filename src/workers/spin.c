/* Adaptive, bounded spinning. */
#include "workers/spin.h"

#include "workers/park.h"

#include <sched.h>

/* Half the price of a sleep and a wake-up on two cores (5 to 6 microseconds of CPU). */
#define SPIN_MAX_NS 2500u
/* A wait that took longer than this, its own wake-up included, could not have been spun away. */
#define SPIN_REACH_NS 8000u
/* The clock costs about as much as these pauses. */
#define ROUNDS_PER_LOOK 8u

static void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

static unsigned cpus_available(void)
{
    cpu_set_t set;
    /* Fails where there are more CPUs than the set has room for, which is more than one. */
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 2;
    return (unsigned)CPU_COUNT(&set);
}

void wf_spin_init(struct wf_spin *spin)
{
    spin->allowed = cpus_available() > 1;
    atomic_init(&spin->limit_ns, 0);
}

void wf_spin_begin(struct wf_spin_wait *wait, struct wf_spin *spin)
{
    *wait = (struct wf_spin_wait){0};
    if (spin == NULL || !spin->allowed)
        return;
    wait->spin = spin;
    wait->began_ns = wf_now_ns();
    /* Relaxed: a hint, nothing hangs on it. */
    wait->limit_ns = atomic_load_explicit(&spin->limit_ns, memory_order_relaxed);
}

bool wf_spin_again(struct wf_spin_wait *wait)
{
    if (wait->limit_ns == 0)
        return false;
    if (++wait->rounds % ROUNDS_PER_LOOK == 0 && wf_now_ns() - wait->began_ns >= wait->limit_ns)
        return false;
    cpu_relax();
    return true;
}

void wf_spin_end(const struct wf_spin_wait *wait)
{
    if (wait->spin == NULL)
        return;
    unsigned limit = wait->limit_ns;
    if (wf_now_ns() - wait->began_ns <= SPIN_REACH_NS)
        limit = SPIN_MAX_NS;
    else
        limit = limit > SPIN_MAX_NS / 8 ? limit - limit / 4 : 0;
    /* Relaxed, as above; and written only when it changes, for the line is shared. */
    if (limit != wait->limit_ns)
        atomic_store_explicit(&wait->spin->limit_ns, limit, memory_order_relaxed);
}
