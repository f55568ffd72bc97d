/* Several producers against consumers of every kind on one completion queue. */
#include "workers/cq.h"

#include "workers/park.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#define PRODUCERS 3
#define NODES     40000
#define TAKE      7

struct node {
    struct wf_mail mail;
    int producer;
    int number;
    bool last; /* tells one consumer to go home */
    atomic_uint taken;
};

struct producer {
    struct wf_cq *cq;
    pthread_t thread;
    struct node *nodes;
};

struct consumer {
    struct wf_cq *cq;
    pthread_t thread;
    size_t count;
    int out_of_order;
    int failed;
    int next[PRODUCERS];
};

static struct node nodes[PRODUCERS][NODES];

static void *produce(void *arg)
{
    struct producer *p = arg;
    for (int i = 0; i < NODES; i++) {
        struct node *node = &p->nodes[i];
        if (i % 5 == 0 && i + 1 < NODES) {
            p->nodes[++i].mail.next = &node->mail;
            wf_cq_push(p->cq, &p->nodes[i].mail, &node->mail);
        } else {
            wf_cq_push(p->cq, &node->mail, &node->mail);
        }
    }
    return NULL;
}

/* False: it was told to go home. What else came along goes back. */
static bool account(struct consumer *c, struct wf_mail **out, size_t count)
{
    bool stay = true;
    for (size_t i = 0; i < count; i++) {
        struct node *node = wf_container_of(out[i], struct node, mail);
        if (node->last && !stay) {
            wf_cq_push(c->cq, &node->mail, &node->mail);
            continue;
        }
        if (node->last) {
            stay = false;
            continue;
        }
        c->count++;
        c->out_of_order += node->number < c->next[node->producer];
        c->next[node->producer] = node->number + 1;
        (void)atomic_fetch_add_explicit(&node->taken, 1, memory_order_relaxed);
    }
    return stay;
}

static void *consume_sleeping(void *arg)
{
    struct consumer *c = arg;
    struct wf_mail *out[TAKE];
    size_t count;
    do {
        count = wf_cq_take(c->cq, out, TAKE, WF_NEVER);
        c->failed += count == 0;
    } while (account(c, out, count));
    return NULL;
}

static void *consume_impatiently(void *arg)
{
    struct consumer *c = arg;
    struct wf_mail *out[2];
    size_t count;
    do {
        count = wf_cq_take(c->cq, out, 2, wf_now_ns() + 30000);
    } while (account(c, out, count));
    return NULL;
}

static void *consume_from_epoll(void *arg)
{
    struct consumer *c = arg;
    struct wf_mail *out[TAKE];
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    c->failed += epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wf_cq_fd(c->cq), &event) != 0;
    bool stay = c->failed == 0;
    while (stay) {
        /* The longest pause here is that of a preempted producer: a lost wake-up shows as this. */
        if (epoll_wait(epoll, &event, 1, 30000) != 1) {
            c->failed++;
            break;
        }
        stay = account(c, out, wf_cq_take(c->cq, out, TAKE, 0));
    }
    (void)close(epoll);
    return NULL;
}

static void run(void *(*const consume[])(void *), int consumers)
{
    struct wf_cq *cq = wf_cq_new();
    assert_non_null(cq);
    struct producer producers[PRODUCERS];
    struct consumer takers[4];
    struct node home[4];
    for (int i = 0; i < consumers; i++) {
        takers[i] = (struct consumer){.cq = cq};
        assert_int_equal(pthread_create(&takers[i].thread, NULL, consume[i], &takers[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        for (int n = 0; n < NODES; n++)
            nodes[i][n] = (struct node){.producer = i, .number = n};
        producers[i] = (struct producer){.cq = cq, .nodes = nodes[i]};
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_join(producers[i].thread, NULL), 0);
    for (int i = 0; i < consumers; i++) {
        home[i] = (struct node){.last = true};
        wf_cq_push(cq, &home[i].mail, &home[i].mail);
    }
    size_t total = 0;
    for (int i = 0; i < consumers; i++) {
        assert_int_equal(pthread_join(takers[i].thread, NULL), 0);
        assert_int_equal(takers[i].failed, 0);
        assert_int_equal(takers[i].out_of_order, 0);
        total += takers[i].count;
    }
    assert_int_equal(total, PRODUCERS * NODES);
    for (int i = 0; i < PRODUCERS; i++)
        for (int n = 0; n < NODES; n++)
            assert_int_equal(atomic_load(&nodes[i][n].taken), 1);
    wf_cq_unref(cq);
}

static void test_one_sleeping_consumer_takes_all_in_order(void **state)
{
    (void)state;
    run((void *(*const[])(void *)){consume_sleeping}, 1);
}

static void test_sleeping_and_impatient_consumers_share_all(void **state)
{
    (void)state;
    run((void *(*const[])(void *)){consume_sleeping, consume_impatiently, consume_sleeping}, 3);
}

static void test_a_foreign_epoll_is_never_left_asleep(void **state)
{
    (void)state;
    run((void *(*const[])(void *)){consume_from_epoll}, 1);
}

/* Two that poll: what one clears must not hide what the other is to be told. */
static void test_pollers_and_sleepers_share_all(void **state)
{
    (void)state;
    run((void *(*const[])(void *)){consume_from_epoll, consume_sleeping, consume_from_epoll,
                                   consume_impatiently},
        4);
}

#define ROUNDS  5000
#define LOST_MS 20000

struct pair {
    struct wf_cq *cq;
    pthread_t thread;
    bool polls;
    int lost;
    atomic_uint arrived;
};

static bool await_readable(int epoll)
{
    struct epoll_event event;
    return epoll_wait(epoll, &event, 1, LOST_MS) == 1;
}

static void *receive_pairs(void *arg)
{
    struct pair *p = arg;
    struct wf_mail *out[TAKE];
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (p->polls && epoll_ctl(epoll, EPOLL_CTL_ADD, wf_cq_fd(p->cq), &event) != 0)
        p->lost++;
    unsigned arrived = 0;
    while (arrived < 2 * ROUNDS && p->lost == 0) {
        size_t count = 0;
        if (!p->polls)
            count = wf_cq_take(p->cq, out, TAKE, wf_now_ns() + LOST_MS * UINT64_C(1000000));
        else if (await_readable(epoll))
            count = wf_cq_take(p->cq, out, TAKE, 0);
        else
            p->lost++;
        p->lost += !p->polls && count == 0;
        arrived += (unsigned)count;
        atomic_store_explicit(&p->arrived, arrived, memory_order_release);
    }
    /* Whatever was lost, the other side is not to wait for it. */
    atomic_store_explicit(&p->arrived, 2 * ROUNDS, memory_order_release);
    (void)close(epoll);
    return NULL;
}

static void await_arrival(struct pair *p, unsigned count)
{
    while (atomic_load_explicit(&p->arrived, memory_order_acquire) < count)
        (void)sched_yield();
}

/* Two pushes and then none until both arrived: no third push comes to make good what was lost. The
 * second comes at an ever different moment of the consumer's way back to sleep. A sleeper is on
 * that way once the first has arrived; a poller clears its descriptor before it tells that. */
static void push_pairs(bool polls)
{
    struct pair p = {.cq = wf_cq_new(), .polls = polls};
    assert_non_null(p.cq);
    assert_int_equal(pthread_create(&p.thread, NULL, receive_pairs, &p), 0);
    struct wf_mail mails[2];
    for (unsigned i = 0; i < ROUNDS; i++) {
        wf_cq_push(p.cq, &mails[0], &mails[0]);
        if (!polls)
            await_arrival(&p, 2 * i + 1);
        for (unsigned spins = i * 7 % (polls ? 8192 : 256); spins > 0; spins--)
            (void)atomic_load_explicit(&p.arrived, memory_order_relaxed);
        wf_cq_push(p.cq, &mails[1], &mails[1]);
        await_arrival(&p, 2 * i + 2);
    }
    assert_int_equal(pthread_join(p.thread, NULL), 0);
    assert_int_equal(p.lost, 0);
    wf_cq_unref(p.cq);
}

static void test_no_push_is_lost_on_the_way_to_sleep(void **state)
{
    (void)state;
    push_pairs(false);
}

static void test_no_push_is_lost_while_the_fd_is_cleared(void **state)
{
    (void)state;
    push_pairs(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_sleeping_consumer_takes_all_in_order),
        cmocka_unit_test(test_sleeping_and_impatient_consumers_share_all),
        cmocka_unit_test(test_a_foreign_epoll_is_never_left_asleep),
        cmocka_unit_test(test_pollers_and_sleepers_share_all),
        cmocka_unit_test(test_no_push_is_lost_on_the_way_to_sleep),
        cmocka_unit_test(test_no_push_is_lost_while_the_fd_is_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
