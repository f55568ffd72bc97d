/* The worker pool: order per key, identity of workers, stopping. */
#include "workers/worker_pool.h"

#include "workers/park.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define JOBS 300
#define KEYS 3

/* What runs left behind; each key's part is written by its worker only and read after stop. */
struct record {
    struct wf_worker_pool *pool;
    struct job *jobs;
    int order[KEYS][JOBS];
    int count[KEYS];
    pthread_t ran_on[KEYS];
    bool always_on_worker[KEYS];
    bool one_thread_per_key[KEYS];
    bool signals_blocked;
    char name[16];
    atomic_int chain_runs;
};

struct job {
    struct wf_mail mail;
    struct record *record;
    unsigned key;
    int number;
    int posts_more; /* how many further jobs its run posts, one after another, to other keys */
};

static void run_job(struct wf_mail *mail, void *user)
{
    struct record *r = user;
    struct job *job = wf_container_of(mail, struct job, mail);
    if (job->posts_more > 0) {
        (void)atomic_fetch_add_explicit(&r->chain_runs, 1, memory_order_relaxed);
        job->posts_more--;
        job->key++;
        wf_worker_pool_post(r->pool, job->key, &job->mail, &job->mail);
        return;
    }
    unsigned key = job->key;
    if (r->count[key] == 0) {
        r->ran_on[key] = pthread_self();
        r->always_on_worker[key] = true;
        r->one_thread_per_key[key] = true;
    }
    r->always_on_worker[key] &= wf_worker_pool_on_worker(r->pool);
    r->one_thread_per_key[key] &= pthread_equal(r->ran_on[key], pthread_self()) != 0;
    r->order[key][r->count[key]++] = job->number;
}

static void run_and_look_around(struct wf_mail *mail, void *user)
{
    (void)mail;
    struct record *r = user;
    sigset_t mask;
    r->signals_blocked = pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 &&
                         sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGPIPE) == 1;
    (void)pthread_getname_np(pthread_self(), r->name, sizeof(r->name));
}

static struct job jobs[JOBS];

static void test_callbacks_of_one_key_run_in_order_on_one_worker(void **state)
{
    (void)state;
    static struct record r;
    r.pool = wf_worker_pool_new(2, run_job, &r);
    assert_non_null(r.pool);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.key = (unsigned)i % KEYS, .number = i};
        wf_worker_pool_post(r.pool, jobs[i].key, &jobs[i].mail, &jobs[i].mail);
    }
    wf_worker_pool_stop(r.pool);
    for (int key = 0; key < KEYS; key++) {
        assert_int_equal(r.count[key], JOBS / KEYS);
        assert_true(r.always_on_worker[key]);
        assert_true(r.one_thread_per_key[key]);
        for (int i = 0; i < r.count[key]; i++)
            assert_int_equal(r.order[key][i], i * KEYS + key);
    }
    wf_worker_pool_free(r.pool);
}

static void test_a_chain_runs_oldest_first(void **state)
{
    (void)state;
    static struct record r;
    r.pool = wf_worker_pool_new(1, run_job, &r);
    assert_non_null(r.pool);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.number = i};
        jobs[i].mail.next = i == 0 ? NULL : &jobs[i - 1].mail;
    }
    wf_worker_pool_post(r.pool, 0, &jobs[JOBS - 1].mail, &jobs[0].mail);
    wf_worker_pool_stop(r.pool);
    assert_int_equal(r.count[0], JOBS);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(r.order[0][i], i);
    wf_worker_pool_free(r.pool);
}

static void test_a_caller_is_not_a_worker(void **state)
{
    (void)state;
    struct wf_worker_pool *pool = wf_worker_pool_new(0, run_job, NULL);
    assert_non_null(pool);
    assert_false(wf_worker_pool_on_worker(pool));
    wf_worker_pool_stop(pool);
    wf_worker_pool_free(pool);
    wf_worker_pool_free(NULL);
}

static void test_workers_are_named_and_take_no_signals(void **state)
{
    (void)state;
    static struct record r;
    sigset_t before;
    sigset_t after;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
    struct wf_worker_pool *pool = wf_worker_pool_new(2, run_and_look_around, &r);
    assert_non_null(pool);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
    jobs[0] = (struct job){0};
    wf_worker_pool_post(pool, 1, &jobs[0].mail, &jobs[0].mail);
    wf_worker_pool_stop(pool);
    wf_worker_pool_free(pool);
    assert_true(r.signals_blocked);
    assert_string_equal(r.name, "weft-w1");
}

/* Runs that post to other workers while the pool stops: all of it still runs. */
static void test_stop_runs_what_runs_post_in_turn(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct record *r = test_calloc(1, sizeof(*r));
        r->pool = wf_worker_pool_new(3, run_job, r);
        assert_non_null(r->pool);
        jobs[0] = (struct job){.key = 0, .posts_more = 2};
        jobs[1] = (struct job){.key = 0, .posts_more = 2, .number = 1};
        for (int i = 0; i < 2; i++)
            wf_worker_pool_post(r->pool, 0, &jobs[i].mail, &jobs[i].mail);
        wf_worker_pool_stop(r->pool);
        assert_int_equal(atomic_load(&r->chain_runs), 4);
        assert_int_equal(r->count[2], 2);
        assert_int_equal(r->order[2][0], 0);
        assert_int_equal(r->order[2][1], 1);
        wf_worker_pool_free(r->pool);
        test_free(r);
    }
}

static void test_too_many_threads_are_refused(void **state)
{
    (void)state;
    assert_null(wf_worker_pool_new(1000000, run_job, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_callbacks_of_one_key_run_in_order_on_one_worker),
        cmocka_unit_test(test_a_chain_runs_oldest_first),
        cmocka_unit_test(test_a_caller_is_not_a_worker),
        cmocka_unit_test(test_workers_are_named_and_take_no_signals),
        cmocka_unit_test(test_stop_runs_what_runs_post_in_turn),
        cmocka_unit_test(test_too_many_threads_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
