/* The worker pool. Each worker has a mailbox and sleeps on the word in it.
 *
 * Stopping goes in rounds. A round sends each worker its `mark` and waits until all marks came
 * back. A worker counts what it ran since its previous mark. A round in which nobody ran anything
 * proves that nothing is queued anywhere: the first mail to run after its worker's mark would have
 * been posted by a run that counted in this round, or before the last one ended. Then a last mark
 * sends them home. */
#include "workers/worker_pool.h"

#include "workers/mailbox.h"
#include "workers/park.h"
#include "workers/spin.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

/* More is a slip in a configuration, not a machine. */
#define MAX_WORKERS 4096u

struct worker {
    struct wf_mailbox inbox;

    /* Immutable after wf_worker_pool_new(). */
    struct wf_worker_pool *pool;
    pthread_t thread;
    unsigned index;

    /* The worker only. */
    struct wf_spin spin;
    size_t ran; /* since the last mark */

    /* The stopper's from the return of all marks to the sending of the next; then the worker's. */
    struct wf_mail mark;
    size_t round_ran;
};

struct wf_worker_pool {
    /* Immutable after wf_worker_pool_new(). */
    wf_worker_run_fn run;
    void *user;
    unsigned count;
    struct worker *workers;

    /* The stopper's; workers read it after a mark, which the mailbox hands over. */
    bool leaving;

    /* Any thread; atomic. How many workers have yet to answer; the stopper sleeps on it. */
    atomic_uint awaited;
};

static void answer(struct wf_worker_pool *pool)
{
    /* R7: publishes round_ran, and at the start that the worker is up; pairs with A7. */
    if (atomic_fetch_sub_explicit(&pool->awaited, 1, memory_order_acq_rel) == 1)
        wf_park_wake(&pool->awaited, INT_MAX);
}

static void await_answers(struct wf_worker_pool *pool)
{
    unsigned left;
    /* A7 with R7. */
    while ((left = atomic_load_explicit(&pool->awaited, memory_order_acquire)) != 0)
        (void)wf_park_wait(&pool->awaited, left, WF_NEVER);
}

static struct wf_mail *next_batch(struct worker *worker)
{
    struct wf_mailbox *inbox = &worker->inbox;
    struct wf_spin_wait wait;
    wf_spin_begin(&wait, &worker->spin);
    while (!wf_mail_stack_peek(&inbox->mails) && wf_spin_again(&wait))
        ;
    if (wf_mailbox_prepare_sleep(inbox)) {
        /* Relaxed: wf_mailbox_end_sleep() acquires. */
        while (atomic_load_explicit(&inbox->asleep, memory_order_relaxed) != 0)
            (void)wf_park_wait(&inbox->asleep, 1, WF_NEVER);
        wf_mailbox_end_sleep(inbox);
    }
    wf_spin_end(&wait);
    return wf_mailbox_take_all(inbox);
}

/* True: the worker may go home. */
static bool run_batch(struct worker *worker, struct wf_mail *mail)
{
    struct wf_worker_pool *pool = worker->pool;
    bool leave = false;
    while (mail != NULL) {
        struct wf_mail *next = mail->next; /* the run may free @mail */
        if (mail == &worker->mark) {
            leave = pool->leaving;
            worker->round_ran = worker->ran;
            worker->ran = 0;
            answer(pool);
        } else {
            worker->ran++;
            pool->run(mail, pool->user);
        }
        mail = next;
    }
    return leave;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    char name[16]; /* the kernel's limit */
    (void)snprintf(name, sizeof(name), "weft-w%u", worker->index);
    (void)pthread_setname_np(pthread_self(), name); /* for people; a failure harms nobody */
    answer(worker->pool);
    bool leave = false;
    while (!leave) {
        struct wf_mail *mail = wf_mailbox_take_all(&worker->inbox);
        leave = run_batch(worker, mail != NULL ? mail : next_batch(worker));
    }
    return NULL;
}

static void post_to(struct worker *worker, struct wf_mail *newest, struct wf_mail *oldest)
{
    if (wf_mailbox_push(&worker->inbox, newest, oldest))
        wf_park_wake(&worker->inbox.asleep, 1);
}

/* One round; how much was run since the previous one. */
static size_t send_marks(struct wf_worker_pool *pool)
{
    /* Relaxed: the marks, pushed after, hand it over. */
    atomic_store_explicit(&pool->awaited, pool->count, memory_order_relaxed);
    for (unsigned i = 0; i < pool->count; i++)
        post_to(&pool->workers[i], &pool->workers[i].mark, &pool->workers[i].mark);
    await_answers(pool);
    size_t ran = 0;
    for (unsigned i = 0; i < pool->count; i++)
        ran += pool->workers[i].round_ran;
    return ran;
}

static bool start_worker(struct wf_worker_pool *pool, unsigned index)
{
    struct worker *worker = &pool->workers[index];
    wf_mailbox_init(&worker->inbox);
    wf_spin_init(&worker->spin);
    worker->pool = pool;
    worker->index = index;
    worker->ran = 0;
    worker->round_ran = 0;
    (void)atomic_fetch_add_explicit(&pool->awaited, 1, memory_order_relaxed); /* read after start */
    if (pthread_create(&worker->thread, NULL, worker_main, worker) == 0)
        return true;
    (void)atomic_fetch_sub_explicit(&pool->awaited, 1, memory_order_relaxed);
    return false;
}

/* Threads inherit the mask of their maker, and no signal of the program may end up in ours. */
static void start_workers(struct wf_worker_pool *pool, unsigned threads)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->count < threads && start_worker(pool, pool->count))
        pool->count++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    await_answers(pool);
}

struct wf_worker_pool *wf_worker_pool_new(unsigned threads, wf_worker_run_fn run, void *user)
{
    if (threads == 0)
        threads = 1;
    if (threads > MAX_WORKERS)
        return NULL;
    struct wf_worker_pool *pool = wf_calloc(1, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    pool->workers = wf_alloc_aligned(WF_CACHE_LINE, threads * sizeof(struct worker));
    if (pool->workers == NULL) {
        wf_free(pool);
        return NULL;
    }
    pool->run = run;
    pool->user = user;
    atomic_init(&pool->awaited, 0);
    start_workers(pool, threads);
    if (pool->count == threads)
        return pool;
    if (pool->count > 0)
        wf_worker_pool_stop(pool);
    wf_worker_pool_free(pool);
    return NULL;
}

void wf_worker_pool_post(struct wf_worker_pool *pool, unsigned key, struct wf_mail *newest,
                         struct wf_mail *oldest)
{
    post_to(&pool->workers[key % pool->count], newest, oldest);
}

bool wf_worker_pool_on_worker(const struct wf_worker_pool *pool)
{
    pthread_t self = pthread_self();
    for (unsigned i = 0; i < pool->count; i++) {
        if (pthread_equal(pool->workers[i].thread, self))
            return true;
    }
    return false;
}

void wf_worker_pool_stop(struct wf_worker_pool *pool)
{
    wf_assert(!wf_worker_pool_on_worker(pool));
    while (send_marks(pool) != 0)
        ;
    pool->leaving = true;
    (void)send_marks(pool);
    for (unsigned i = 0; i < pool->count; i++)
        (void)pthread_join(pool->workers[i].thread, NULL);
}

void wf_worker_pool_free(struct wf_worker_pool *pool)
{
    if (pool == NULL)
        return;
    wf_free(pool->workers);
    wf_free(pool);
}
