/* The completion queue: order, deadlines, several consumers, the descriptor. */
#include "workers/cq.h"

#include "workers/park.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define MS     1000000u
#define NODES  8
#define ENOUGH 16

struct fixture {
    struct wf_cq *cq;
    struct wf_mail mails[NODES];
    struct wf_mail *out[ENOUGH];
};

static int set_up(void **state)
{
    static struct fixture fixture; /* one test at a time */
    fixture = (struct fixture){.cq = wf_cq_new()};
    *state = &fixture;
    return fixture.cq == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    while (wf_cq_take(f->cq, f->out, ENOUGH, 0) > 0)
        ;
    wf_cq_unref(f->cq);
    return 0;
}

/* What another thread does at the worst moment, played by the only thread: calls that the queue
 * makes between two of its steps are wrapped by the linker. */
struct moment {
    struct fixture *fixture; /* NULL: nothing happens */
    unsigned skip;           /* how many calls pass before it does */
};

static struct moment before_fd_read;
static struct moment after_fd_read;
static struct moment after_unlock;

static void push(struct fixture *f, int i);

static void come(struct moment *moment)
{
    struct fixture *f = moment->fixture;
    if (f == NULL || moment->skip-- > 0)
        return;
    moment->fixture = NULL;
    push(f, 7);
}

int __real_eventfd_read(int fd, eventfd_t *value);
int __wrap_eventfd_read(int fd, eventfd_t *value);
int __wrap_eventfd_read(int fd, eventfd_t *value)
{
    come(&before_fd_read);
    int rc = __real_eventfd_read(fd, value);
    come(&after_fd_read);
    return rc;
}

int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int rc = __real_pthread_mutex_unlock(mutex);
    come(&after_unlock);
    return rc;
}

static void push(struct fixture *f, int i)
{
    wf_cq_push(f->cq, &f->mails[i], &f->mails[i]);
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}

static void test_an_empty_queue_gives_nothing_at_once_or_after_the_deadline(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(wf_cq_take(f->cq, f->out, ENOUGH, 0), 0);
    uint64_t deadline = wf_now_ns() + 5 * MS;
    assert_int_equal(wf_cq_take(f->cq, f->out, ENOUGH, deadline), 0);
    assert_true(wf_now_ns() >= deadline);
    assert_int_equal(wf_cq_take(f->cq, f->out, 0, WF_NEVER), 0);
}

static void test_what_was_pushed_is_taken_oldest_first(void **state)
{
    struct fixture *f = *state;
    push(f, 0);
    f->mails[2].next = &f->mails[1];
    wf_cq_push(f->cq, &f->mails[2], &f->mails[1]);
    assert_int_equal(wf_cq_take(f->cq, f->out, ENOUGH, WF_NEVER), 3);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(f->out[i], &f->mails[i]);
}

static void test_a_take_of_few_leaves_the_rest_in_order(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++)
        push(f, i);
    assert_int_equal(wf_cq_take(f->cq, f->out, 2, 0), 2);
    push(f, 3);
    assert_int_equal(wf_cq_take(f->cq, f->out + 2, ENOUGH - 2, 0), 2);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(f->out[i], &f->mails[i]);
}

struct consumer {
    struct wf_cq *cq;
    pthread_t thread;
    size_t max;
    size_t count;
    struct wf_mail *out[ENOUGH];
};

static void *consume_once(void *arg)
{
    struct consumer *c = arg;
    c->count = wf_cq_take(c->cq, c->out, c->max, WF_NEVER);
    return NULL;
}

static void start_consumer(struct consumer *c, struct wf_cq *cq, size_t max)
{
    *c = (struct consumer){.cq = cq, .max = max};
    assert_int_equal(pthread_create(&c->thread, NULL, consume_once, c), 0);
}

static void test_a_push_wakes_a_consumer(void **state)
{
    struct fixture *f = *state;
    struct consumer c;
    start_consumer(&c, f->cq, ENOUGH);
    push(f, 0);
    assert_int_equal(pthread_join(c.thread, NULL), 0);
    assert_int_equal(c.count, 1);
    assert_ptr_equal(c.out[0], &f->mails[0]);
}

/* One push wakes one consumer; the rest of a long chain wakes the others, one after another. */
static void test_a_chain_longer_than_one_take_wakes_all_consumers(void **state)
{
    struct fixture *f = *state;
    struct consumer consumers[4];
    for (int i = 0; i < 4; i++)
        start_consumer(&consumers[i], f->cq, 2);
    for (int i = NODES - 1; i > 0; i--)
        f->mails[i].next = &f->mails[i - 1];
    wf_cq_push(f->cq, &f->mails[NODES - 1], &f->mails[0]);
    size_t total = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(consumers[i].thread, NULL), 0);
        assert_in_range(consumers[i].count, 1, 2);
        total += consumers[i].count;
    }
    total += wf_cq_take(f->cq, f->out, ENOUGH, 0);
    assert_int_equal(total, NODES);
}

static void test_a_deadline_takes_the_announcement_back(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(wf_cq_take(f->cq, f->out, 1, wf_now_ns() + MS / 10), 0);
    struct consumer c;
    start_consumer(&c, f->cq, 1);
    push(f, 0);
    assert_int_equal(pthread_join(c.thread, NULL), 0);
    assert_int_equal(c.count, 1);
}

static void test_the_fd_is_one_and_the_same(void **state)
{
    struct fixture *f = *state;
    int fd = wf_cq_fd(f->cq);
    assert_true(fd >= 0);
    assert_int_equal(wf_cq_fd(f->cq), fd);
    assert_false(is_readable(fd));
}

static void test_no_fd_is_made_until_somebody_asks(void **state)
{
    struct fixture *f = *state;
    int lowest = dup(STDERR_FILENO);
    assert_true(lowest >= 0);
    assert_int_equal(close(lowest), 0);
    push(f, 0);
    assert_int_equal(wf_cq_take(f->cq, f->out, ENOUGH, 0), 1);
    int still = dup(STDERR_FILENO);
    assert_int_equal(still, lowest);
    assert_int_equal(close(still), 0);
    assert_int_equal(wf_cq_fd(f->cq), lowest);
}

static void test_the_fd_is_readable_while_something_is_queued(void **state)
{
    struct fixture *f = *state;
    int fd = wf_cq_fd(f->cq);
    for (int i = 0; i < 3; i++)
        push(f, i);
    assert_true(is_readable(fd));
    assert_int_equal(wf_cq_take(f->cq, f->out, 2, 0), 2);
    assert_true(is_readable(fd)); /* level-triggered: one is left */
    assert_int_equal(wf_cq_take(f->cq, f->out, 2, 0), 1);
    assert_false(is_readable(fd));
    push(f, 3);
    assert_true(is_readable(fd));
}

static void test_the_fd_of_a_queue_that_holds_something_is_readable_at_once(void **state)
{
    struct fixture *f = *state;
    push(f, 0);
    push(f, 1);
    assert_int_equal(wf_cq_take(f->cq, f->out, 1, 0), 1); /* the other is in the stash now */
    assert_true(is_readable(wf_cq_fd(f->cq)));
}

static void *push_one(void *arg)
{
    struct fixture *f = arg;
    push(f, 0);
    return NULL;
}

static void test_a_completion_queue_whose_user_sleeps_in_a_foreign_epoll_wakes_it(void **state)
{
    struct fixture *f = *state;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    assert_true(epoll >= 0);
    struct epoll_event event = {.events = EPOLLIN};
    assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, wf_cq_fd(f->cq), &event), 0);
    for (int round = 0; round < 50; round++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, push_one, f), 0);
        size_t count = 0;
        while (count == 0) {
            assert_int_equal(epoll_wait(epoll, &event, 1, 10000), 1);
            count = wf_cq_take(f->cq, f->out, ENOUGH, 0);
        }
        assert_int_equal(count, 1);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    assert_int_equal(close(epoll), 0);
}

static void test_a_push_while_the_fd_is_cleared_makes_it_readable_again(void **state)
{
    struct fixture *f = *state;
    int fd = wf_cq_fd(f->cq);
    struct moment *const moments[] = {&before_fd_read, &after_fd_read};
    for (size_t i = 0; i < 2; i++) {
        push(f, 0);
        *moments[i] = (struct moment){.fixture = f};
        assert_int_equal(wf_cq_take(f->cq, f->out, ENOUGH, 0), 1);
        assert_null(moments[i]->fixture); /* it came */
        assert_true(is_readable(fd));
        assert_int_equal(wf_cq_take(f->cq, f->out, ENOUGH, 0), 1);
        assert_false(is_readable(fd));
    }
}

static void test_a_push_just_before_sleep_is_announced_is_not_slept_over(void **state)
{
    struct fixture *f = *state;
    uint64_t deadline = wf_now_ns() + 2000 * (uint64_t)MS;
    after_unlock =
        (struct moment){.fixture = f, .skip = 1}; /* after the second look that finds none */
    assert_int_equal(wf_cq_take(f->cq, f->out, ENOUGH, deadline), 1);
    assert_null(after_unlock.fixture);
    assert_true(wf_now_ns() < deadline);
}

static void test_the_last_reference_closes_the_fd(void **state)
{
    (void)state;
    struct wf_cq *cq = wf_cq_new();
    assert_non_null(cq);
    int fd = wf_cq_fd(cq);
    assert_ptr_equal(wf_cq_ref(cq), cq);
    wf_cq_unref(cq);
    assert_false(is_readable(fd));
    assert_int_equal(wf_cq_fd(cq), fd);
    wf_cq_unref(cq);
    assert_int_equal(close(fd), -1);
    wf_cq_unref(NULL);
}

#define WITH_QUEUE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_QUEUE(test_an_empty_queue_gives_nothing_at_once_or_after_the_deadline),
        WITH_QUEUE(test_what_was_pushed_is_taken_oldest_first),
        WITH_QUEUE(test_a_take_of_few_leaves_the_rest_in_order),
        WITH_QUEUE(test_a_push_wakes_a_consumer),
        WITH_QUEUE(test_a_chain_longer_than_one_take_wakes_all_consumers),
        WITH_QUEUE(test_a_deadline_takes_the_announcement_back),
        WITH_QUEUE(test_the_fd_is_one_and_the_same),
        WITH_QUEUE(test_no_fd_is_made_until_somebody_asks),
        WITH_QUEUE(test_the_fd_is_readable_while_something_is_queued),
        WITH_QUEUE(test_the_fd_of_a_queue_that_holds_something_is_readable_at_once),
        WITH_QUEUE(test_a_completion_queue_whose_user_sleeps_in_a_foreign_epoll_wakes_it),
        WITH_QUEUE(test_a_push_while_the_fd_is_cleared_makes_it_readable_again),
        WITH_QUEUE(test_a_push_just_before_sleep_is_announced_is_not_slept_over),
        cmocka_unit_test(test_the_last_reference_closes_the_fd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
