/* The completion queue.
 *
 * Nodes go through a stack of pushes into `stash`, the run that consumers copy from, oldest first.
 * Two kinds of consumer sleep. One sleeps in wf_cq_take() on the word `gate`; the other in an epoll
 * instance of the program, unseen, and is woken by the eventfd, whose state `signalled` follows.
 *
 * The gate counts consumers that announced sleep: those nobody woke yet in the low half, and those
 * a pusher has chosen (tokens) in the high half. Choosing moves one from the low half to the high
 * one in a single step, so each sleep is ended by one pusher and a push finds nobody to wake while
 * a woken consumer is still on its way. Sleepers and tokens together are always the number
 * announced, thus a consumer can take its announcement back at any time: as a token if there is
 * one, else as a sleeper. */
#include "workers/cq.h"

#include "workers/park.h"
#include "workers/spin.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define GATE_SLEEPER  1u
#define GATE_SLEEPERS 0xffffu
#define GATE_TOKEN    0x10000u

struct wf_cq {
    /* Any thread; atomic. Pairs are explained at each access. */
    _Alignas(WF_CACHE_LINE) struct wf_mail_stack mails;

    /* Any thread; atomic. Pushers only read these while consumers keep up. */
    _Alignas(WF_CACHE_LINE) atomic_uint gate;
    atomic_int fd;         /* -1 until somebody asks; immutable after that */
    atomic_uint signalled; /* 1: the fd is readable, or about to be */

    /* Any thread; guarded by lock. */
    _Alignas(WF_CACHE_LINE) pthread_mutex_t lock;
    struct wf_mail *stash;

    /* Any thread; atomic. */
    atomic_uint refs;
    struct wf_spin spin;
};

struct wf_cq *wf_cq_new(void)
{
    struct wf_cq *cq = wf_alloc_aligned(WF_CACHE_LINE, sizeof(*cq));
    if (cq == NULL)
        return NULL;
    if (pthread_mutex_init(&cq->lock, NULL) != 0) {
        wf_free(cq);
        return NULL;
    }
    wf_mail_stack_init(&cq->mails);
    atomic_init(&cq->gate, 0);
    atomic_init(&cq->fd, -1);
    atomic_init(&cq->signalled, 0);
    atomic_init(&cq->refs, 1);
    cq->stash = NULL;
    wf_spin_init(&cq->spin);
    return cq;
}

struct wf_cq *wf_cq_ref(struct wf_cq *cq)
{
    /* Relaxed: the caller holds a reference, so the count cannot reach zero meanwhile. */
    (void)atomic_fetch_add_explicit(&cq->refs, 1, memory_order_relaxed);
    return cq;
}

void wf_cq_unref(struct wf_cq *cq)
{
    /* R5 and A5 in one: each leaver publishes its use, the last receives all of them. */
    if (cq == NULL || atomic_fetch_sub_explicit(&cq->refs, 1, memory_order_acq_rel) != 1)
        return;
    wf_assert(cq->stash == NULL && !wf_mail_stack_peek(&cq->mails));
    /* Relaxed: nobody else is left. */
    int fd = atomic_load_explicit(&cq->fd, memory_order_relaxed);
    if (fd >= 0)
        (void)close(fd);
    (void)pthread_mutex_destroy(&cq->lock);
    wf_free(cq);
}

/* Turns one sleeper into a token and wakes it. Follows whatever made something available. */
static void wake_sleeper(struct wf_cq *cq)
{
    /* F3 with F4 in wf_cq_take(): push, then look for sleepers; there, announce, then look for
     * pushes. */
    unsigned gate = atomic_load_explicit(&cq->gate, memory_order_seq_cst);
    while ((gate & GATE_SLEEPERS) != 0) {
        /* R6: hands what was pushed to the one woken; pairs with A6 in consume_token(). */
        if (atomic_compare_exchange_weak_explicit(&cq->gate, &gate,
                                                  gate - GATE_SLEEPER + GATE_TOKEN,
                                                  memory_order_release, memory_order_relaxed)) {
            wf_park_wake(&cq->gate, 1);
            return;
        }
    }
}

/* Makes the descriptor readable unless it is, or somebody is about to. */
static void signal_fd(struct wf_cq *cq)
{
    /* F5 with F6 in wf_cq_fd(): push, then look for the fd; there, publish the fd, then look. */
    int fd = atomic_load_explicit(&cq->fd, memory_order_seq_cst);
    /* F7 with F8 in clear_fd(): push, then look whether it is signalled; there, clear, then look.
     */
    if (fd < 0 || atomic_exchange_explicit(&cq->signalled, 1, memory_order_seq_cst) != 0)
        return;
    /* Fails only when the count is at its maximum, and then it is readable. */
    (void)eventfd_write(fd, 1);
}

void wf_cq_push(struct wf_cq *cq, struct wf_mail *newest, struct wf_mail *oldest)
{
    wf_mail_stack_push(&cq->mails, newest, oldest);
    wake_sleeper(cq);
    signal_fd(cq);
}

bool wf_cq_is_queued(struct wf_cq *cq)
{
    (void)pthread_mutex_lock(&cq->lock);
    bool queued = cq->stash != NULL || wf_mail_stack_peek(&cq->mails); /* F6, F8 */
    (void)pthread_mutex_unlock(&cq->lock);
    return queued;
}

/* After a take that left nothing. The descriptor is read even when `signalled` is 0: a pusher that
 * was late with its write can have left it readable after somebody else had cleared the flag. */
static void clear_fd(struct wf_cq *cq)
{
    /* Acquire: with the publication in wf_cq_fd(). A descriptor not seen here was just made, and
     * its maker looks at the queue itself. */
    int fd = atomic_load_explicit(&cq->fd, memory_order_acquire);
    if (fd < 0)
        return;
    eventfd_t count;
    (void)eventfd_read(fd, &count); /* EAGAIN: it was not readable, which is what we want */
    /* F8 with F7: clear, then look. Reading before clearing, or the write of a pusher that found
     * the flag clear would be swallowed and the flag stay set. */
    atomic_store_explicit(&cq->signalled, 0, memory_order_seq_cst);
    if (wf_cq_is_queued(cq))
        signal_fd(cq);
}

static size_t take_queued(struct wf_cq *cq, struct wf_mail **out, size_t max)
{
    size_t count = 0;
    bool more;
    {
        /* Held for the copy only. */
        (void)pthread_mutex_lock(&cq->lock);
        while (count < max) {
            if (cq->stash == NULL)
                cq->stash = wf_mail_stack_take_all(&cq->mails);
            if (cq->stash == NULL)
                break;
            out[count++] = cq->stash;
            cq->stash = cq->stash->next;
        }
        more = cq->stash != NULL;
        (void)pthread_mutex_unlock(&cq->lock);
    }
    if (more)
        wake_sleeper(cq); /* one push woke one consumer, who could not carry all of it */
    else
        clear_fd(cq);
    return count;
}

/* Takes a token if there is one. @gate is what the gate was and becomes what it is. */
static bool consume_token(struct wf_cq *cq, unsigned *gate)
{
    while (*gate >= GATE_TOKEN) {
        /* A6 with R6. */
        if (atomic_compare_exchange_weak_explicit(&cq->gate, gate, *gate - GATE_TOKEN,
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    }
    return false;
}

/* Takes an announcement back: a token first, so that its pusher's choice is not left to nobody. */
static void withdraw(struct wf_cq *cq)
{
    /* Relaxed: the exchanges check it. */
    unsigned gate = atomic_load_explicit(&cq->gate, memory_order_relaxed);
    for (;;) {
        if (consume_token(cq, &gate))
            return;
        wf_assert((gate & GATE_SLEEPERS) != 0);
        /* Relaxed: it publishes nothing. */
        if (atomic_compare_exchange_weak_explicit(&cq->gate, &gate, gate - GATE_SLEEPER,
                                                  memory_order_relaxed, memory_order_relaxed))
            return;
    }
}

/* Sleeps until a pusher chose this consumer, or another that has not left yet. False: the deadline
 * has passed. Either way the announcement is gone. */
static bool sleep_at_gate(struct wf_cq *cq, uint64_t deadline_ns)
{
    for (;;) {
        /* Relaxed: the exchange in consume_token() acquires. */
        unsigned gate = atomic_load_explicit(&cq->gate, memory_order_relaxed);
        if (consume_token(cq, &gate))
            return true;
        if (!wf_park_wait(&cq->gate, gate, deadline_ns)) {
            withdraw(cq);
            return false;
        }
    }
}

static size_t take_sleeping(struct wf_cq *cq, struct wf_mail **out, size_t max,
                            uint64_t deadline_ns)
{
    for (;;) {
        /* F4 with F3 in wake_sleeper(): announce, then look. */
        unsigned gate = atomic_fetch_add_explicit(&cq->gate, GATE_SLEEPER, memory_order_seq_cst);
        wf_assert((gate & GATE_SLEEPERS) != GATE_SLEEPERS);
        (void)gate;
        if (wf_cq_is_queued(cq)) {
            withdraw(cq);
            size_t count = take_queued(cq, out, max);
            if (count > 0)
                return count;
            continue;
        }
        bool woken = sleep_at_gate(cq, deadline_ns);
        size_t count = take_queued(cq, out, max);
        if (count > 0 || !woken)
            return count;
    }
}

size_t wf_cq_take(struct wf_cq *cq, struct wf_mail **out, size_t max, uint64_t deadline_ns)
{
    if (max == 0)
        return 0;
    size_t count = take_queued(cq, out, max);
    if (count > 0 || deadline_ns == 0)
        return count;
    struct wf_spin_wait wait;
    wf_spin_begin(&wait, &cq->spin);
    while (!wf_mail_stack_peek(&cq->mails) && wf_spin_again(&wait))
        ;
    count = take_queued(cq, out, max);
    if (count == 0)
        count = take_sleeping(cq, out, max, deadline_ns);
    if (count > 0)
        wf_spin_end(&wait);
    return count;
}

int wf_cq_fd(struct wf_cq *cq)
{
    int fd = atomic_load_explicit(&cq->fd, memory_order_acquire);
    if (fd >= 0)
        return fd;
    int made = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (made < 0)
        return -1;
    fd = -1;
    /* F6 with F5: publish the fd, then look. */
    if (!atomic_compare_exchange_strong_explicit(&cq->fd, &fd, made, memory_order_seq_cst,
                                                 memory_order_acquire)) {
        (void)close(made); /* another caller was first */
        return fd;
    }
    if (wf_cq_is_queued(cq))
        signal_fd(cq);
    return made;
}
