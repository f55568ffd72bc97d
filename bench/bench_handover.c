/* What handing over costs: the mailbox under 1 to 32 producers, the completion resolved and waited
 * for, the block pool.
 *
 *   bench_handover [COUNT]
 *
 * COUNT operations in all for each line (default 2,000,000; waits a hundredth of that). CPU is that
 * of all threads together, in nanoseconds for each operation; with more threads than CPUs the wall
 * clock says little. */
#include "base/pool.h"
#include "workers/completion.h"
#include "workers/mailbox.h"
#include "workers/park.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PRODUCERS_MAX 32

struct stopwatch {
    double cpu;
    double wall;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_handover: %s\n", what);
    exit(1);
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct stopwatch start(void)
{
    return (struct stopwatch){seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC)};
}

static void report(struct stopwatch from, const char *what, size_t count, const char *more)
{
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - from.cpu;
    double wall = seconds(CLOCK_MONOTONIC) - from.wall;
    printf("%-36s %9.1f ns CPU %9.1f ns wall%s\n", what, cpu * 1e9 / (double)count,
           wall * 1e9 / (double)count, more);
}

struct producer {
    struct wf_mailbox *mb;
    struct wf_mail *mails;
    size_t count;
    size_t chain; /* nodes for each push */
    size_t wakes;
    pthread_t thread;
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    for (size_t i = 0; i < p->count; i += p->chain) {
        size_t end = i + p->chain < p->count ? i + p->chain : p->count;
        for (size_t n = i + 1; n < end; n++)
            p->mails[n].next = &p->mails[n - 1];
        if (wf_mailbox_push(p->mb, &p->mails[end - 1], &p->mails[i])) {
            p->wakes++;
            wf_park_wake(&p->mb->asleep, 1);
        }
    }
    return NULL;
}

static void consume(struct wf_mailbox *mb, size_t count)
{
    while (count > 0) {
        struct wf_mail *mail = wf_mailbox_take_all(mb);
        if (mail == NULL) {
            if (wf_mailbox_prepare_sleep(mb)) {
                while (atomic_load_explicit(&mb->asleep, memory_order_relaxed) != 0)
                    (void)wf_park_wait(&mb->asleep, 1, WF_NEVER);
            }
            wf_mailbox_end_sleep(mb);
        }
        for (; mail != NULL; mail = mail->next)
            count--;
    }
}

static void bench_mailbox(size_t producers, size_t count, size_t chain)
{
    static struct wf_mailbox mb;
    static struct producer all[PRODUCERS_MAX];
    wf_mailbox_init(&mb);
    size_t each = count / producers;
    struct wf_mail *mails = calloc(each * producers, sizeof(*mails));
    if (mails == NULL)
        die("out of memory");
    for (size_t i = 0; i < producers; i++)
        all[i] =
            (struct producer){.mb = &mb, .mails = mails + i * each, .count = each, .chain = chain};
    struct stopwatch from = start();
    for (size_t i = 0; i < producers; i++) {
        if (pthread_create(&all[i].thread, NULL, produce, &all[i]) != 0)
            die("cannot start a thread");
    }
    consume(&mb, each * producers);
    size_t wakes = 0;
    for (size_t i = 0; i < producers; i++) {
        (void)pthread_join(all[i].thread, NULL);
        wakes += all[i].wakes;
    }
    char what[64];
    char more[64];
    (void)snprintf(what, sizeof(what), "mailbox, %zu producers, %zu a push", producers, chain);
    (void)snprintf(more, sizeof(more), "   %.4f wakes", (double)wakes / (double)count);
    report(from, what, each * producers, more);
    free(mails);
}

static void bench_mailbox_alone(size_t count)
{
    static struct wf_mailbox mb;
    static struct wf_mail mail;
    wf_mailbox_init(&mb);
    struct stopwatch from = start();
    for (size_t i = 0; i < count; i++) {
        if (wf_mailbox_push(&mb, &mail, &mail) || wf_mailbox_take_all(&mb) != &mail)
            die("the mailbox is broken");
    }
    report(from, "mailbox, push and take on one thread", count, "");
}

static void bench_resolve(size_t count)
{
    struct wf_completion c;
    struct stopwatch from = start();
    for (size_t i = 0; i < count; i++) {
        wf_completion_init(&c);
        wf_completion_resolve(&c);
        if (!wf_completion_wait(&c, WF_NEVER))
            die("the completion is broken");
    }
    report(from, "completion, resolve, wait when done", count, "");
}

struct rally {
    struct wf_completion *to;
    struct wf_completion *back;
    struct wf_spin *spin;
    size_t count;
};

static void *return_all(void *arg)
{
    struct rally *r = arg;
    for (size_t i = 0; i < r->count; i++) {
        if (!wf_completion_wait_spin(&r->to[i], r->spin, WF_NEVER))
            die("a wait failed");
        wf_completion_resolve(&r->back[i]);
    }
    return NULL;
}

static void bench_rally(size_t count, bool spinning)
{
    struct wf_spin spins[2];
    struct wf_completion *all = calloc(2 * count, sizeof(*all));
    if (all == NULL)
        die("out of memory");
    for (size_t i = 0; i < 2 * count; i++)
        wf_completion_init(&all[i]);
    wf_spin_init(&spins[0]);
    wf_spin_init(&spins[1]);
    struct rally r = {all, all + count, spinning ? &spins[1] : NULL, count};
    pthread_t thread;
    struct stopwatch from = start();
    if (pthread_create(&thread, NULL, return_all, &r) != 0)
        die("cannot start a thread");
    for (size_t i = 0; i < count; i++) {
        wf_completion_resolve(&r.to[i]);
        if (!wf_completion_wait_spin(&r.back[i], spinning ? &spins[0] : NULL, WF_NEVER))
            die("a wait failed");
    }
    (void)pthread_join(thread, NULL);
    report(from, spinning ? "completion, there and back, spinning" : "completion, there and back",
           count, "");
    free(all);
}

static void bench_pool(size_t count)
{
    struct wf_pool *pool = wf_pool_new(512);
    if (pool == NULL)
        die("out of memory");
    struct stopwatch from = start();
    for (size_t i = 0; i < count; i++) {
        void *block = wf_pool_take(pool);
        if (block == NULL)
            die("out of memory");
        wf_pool_give(pool, block);
    }
    report(from, "pool, take and give on one thread", count, "");
    wf_pool_unref(pool);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000000;
    if (count < 1000)
        die("COUNT is at least 1000");
    bench_mailbox_alone(count);
    for (size_t producers = 1; producers <= PRODUCERS_MAX; producers *= 2)
        bench_mailbox(producers, count, 1);
    bench_mailbox(PRODUCERS_MAX, count, 16);
    bench_resolve(count);
    bench_rally(count / 100, false);
    bench_rally(count / 100, true);
    bench_pool(count);
    return 0;
}
