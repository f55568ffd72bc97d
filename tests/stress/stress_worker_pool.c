/* Several posters, several workers: everything runs once, and in order per poster and key. */
#include "workers/worker_pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define POSTERS 4
#define WORKERS 3
#define KEYS    5
#define JOBS    30000
#define HOPS    2 /* each tenth job goes on to so many further keys */

struct job {
    struct wf_mail mail;
    int poster;
    unsigned key;
    int number;
    int hops;
    int runs;
};

struct arena {
    struct wf_worker_pool *pool;
    int next[KEYS][POSTERS]; /* written by the worker of the key only */
    atomic_int out_of_order;
    atomic_int ran;
    struct job jobs[POSTERS][JOBS];
};

struct poster {
    struct arena *arena;
    pthread_t thread;
    int index;
};

static void run_job(struct wf_mail *mail, void *user)
{
    struct arena *a = user;
    struct job *job = wf_container_of(mail, struct job, mail);
    job->runs++;
    (void)atomic_fetch_add_explicit(&a->ran, 1, memory_order_relaxed);
    if (job->runs == 1) {
        int *next = &a->next[job->key][job->poster];
        if (job->number < *next)
            (void)atomic_fetch_add_explicit(&a->out_of_order, 1, memory_order_relaxed);
        *next = job->number + 1;
    }
    if (job->hops > 0) {
        job->hops--;
        job->key = (job->key + 1) % KEYS;
        wf_worker_pool_post(a->pool, job->key, mail, mail);
    }
}

static void *post_all(void *arg)
{
    struct poster *p = arg;
    for (int i = 0; i < JOBS; i++) {
        struct job *job = &p->arena->jobs[p->index][i];
        *job = (struct job){.poster = p->index,
                            .key = (unsigned)i % KEYS,
                            .number = i,
                            .hops = i % 10 == 0 ? HOPS : 0};
        wf_worker_pool_post(p->arena->pool, job->key, &job->mail, &job->mail);
    }
    return NULL;
}

static void test_everything_runs_once_and_in_order_per_poster_and_key(void **state)
{
    (void)state;
    struct arena *a = test_calloc(1, sizeof(*a));
    a->pool = wf_worker_pool_new(WORKERS, run_job, a);
    assert_non_null(a->pool);
    struct poster posters[POSTERS];
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.arena = a, .index = i};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
    wf_worker_pool_stop(a->pool);
    wf_worker_pool_free(a->pool);
    assert_int_equal(atomic_load(&a->out_of_order), 0);
    assert_int_equal(atomic_load(&a->ran), POSTERS * (JOBS + JOBS / 10 * HOPS));
    test_free(a);
}

static void run_nothing(struct wf_mail *mail, void *user)
{
    (void)mail;
    (void)user;
}

static void test_pools_that_stop_as_soon_as_they_start_do_not_hang(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct wf_worker_pool *pool = wf_worker_pool_new(1 + (unsigned)i % 4, run_nothing, NULL);
        assert_non_null(pool);
        struct wf_mail mail;
        wf_worker_pool_post(pool, (unsigned)i, &mail, &mail);
        wf_worker_pool_stop(pool);
        wf_worker_pool_free(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_runs_once_and_in_order_per_poster_and_key),
        cmocka_unit_test(test_pools_that_stop_as_soon_as_they_start_do_not_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
