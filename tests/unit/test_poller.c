#include "io_thread/poller.h"

#include "base/assert.h"

#include "support/cmocka.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
    struct wf_poll_source source;
    int calls;
    uint32_t events;
    struct end *removes; /* taken out of the poller by this one's callback */
};

struct fixture {
    struct wf_poller poller;
    struct end ends[2];
};

static struct fixture fixture;

static void end_ready(struct wf_poll_source *source, uint32_t events)
{
    struct end *end = wf_container_of(source, struct end, source);
    end->calls++;
    end->events |= events;
    if (end->removes != NULL)
        wf_poller_remove(&fixture.poller, &end->removes->source);
}

static int set_up(void **state)
{
    (void)state;
    int fds[2];
    fixture = (struct fixture){0};
    if (wf_poller_init(&fixture.poller) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        wf_poll_source_init(&fixture.ends[i].source, fds[i], end_ready);
        if (wf_poller_add(&fixture.poller, &fixture.ends[i].source, WF_POLL_SOCKET) != 0)
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        wf_poller_remove(&fixture.poller, &fixture.ends[i].source);
        if (fixture.ends[i].source.fd >= 0)
            (void)close(fixture.ends[i].source.fd);
    }
    wf_poller_fini(&fixture.poller);
    return 0;
}

static void test_an_edge_is_told_once(void **state)
{
    (void)state;
    assert_int_equal(wf_poller_wait(&fixture.poller, 1000), 2);
    assert_int_equal(fixture.ends[0].calls, 1);
    assert_int_equal(fixture.ends[1].calls, 1);
    assert_true(fixture.ends[0].events & EPOLLOUT);
    assert_false(fixture.ends[0].events & EPOLLIN);
    assert_int_equal(wf_poller_wait(&fixture.poller, 0), 0);
}

static void test_new_data_is_a_new_edge_although_the_old_was_not_read(void **state)
{
    (void)state;
    assert_int_equal(wf_poller_wait(&fixture.poller, 1000), 2);
    for (int i = 0; i < 2; i++) {
        fixture.ends[1].events = 0;
        assert_int_equal(write(fixture.ends[0].source.fd, "x", 1), 1);
        assert_int_equal(wf_poller_wait(&fixture.poller, 1000), 1);
        assert_true(fixture.ends[1].events & EPOLLIN);
    }
    assert_int_equal(fixture.ends[1].calls, 3);
}

static void test_the_peers_end_is_told_as_hangup(void **state)
{
    (void)state;
    assert_int_equal(shutdown(fixture.ends[0].source.fd, SHUT_WR), 0);
    assert_true(wf_poller_wait(&fixture.poller, 1000) > 0);
    assert_true(fixture.ends[1].events & EPOLLRDHUP);
}

static void test_a_source_removed_by_another_of_the_same_batch_is_not_called(void **state)
{
    (void)state;
    fixture.ends[0].removes = &fixture.ends[1];
    fixture.ends[1].removes = &fixture.ends[0];
    assert_int_equal(wf_poller_wait(&fixture.poller, 1000), 2);
    assert_int_equal(fixture.ends[0].calls + fixture.ends[1].calls, 1);
}

static void test_a_source_may_remove_itself_in_its_callback(void **state)
{
    (void)state;
    fixture.ends[0].removes = &fixture.ends[0];
    assert_int_equal(wf_poller_wait(&fixture.poller, 1000), 2);
    assert_int_equal(write(fixture.ends[1].source.fd, "x", 1), 1);
    assert_int_equal(wf_poller_wait(&fixture.poller, 0), 0);
    assert_int_equal(fixture.ends[0].calls, 1);
}

static void test_modify_changes_what_is_told(void **state)
{
    (void)state;
    assert_int_equal(wf_poller_wait(&fixture.poller, 1000), 2);
    assert_int_equal(wf_poller_modify(&fixture.poller, &fixture.ends[0].source, EPOLLIN), 0);
    assert_int_equal(write(fixture.ends[1].source.fd, "x", 1), 1);
    /* Level-triggered now: told again as long as it is true. */
    for (int i = 0; i < 2; i++) {
        fixture.ends[0].events = 0;
        assert_int_equal(wf_poller_wait(&fixture.poller, 1000), 1);
        assert_int_equal(fixture.ends[0].events, EPOLLIN);
    }
}

static void test_a_descriptor_that_is_not_open_cannot_be_added(void **state)
{
    (void)state;
    struct wf_poll_source source;
    wf_poll_source_init(&source, -1, end_ready);
    assert_int_equal(wf_poller_add(&fixture.poller, &source, EPOLLIN), EBADF);
}

static void test_a_poller_that_was_closed_reports_its_error(void **state)
{
    (void)state;
    struct wf_poller poller;
    assert_int_equal(wf_poller_init(&poller), 0);
    wf_poller_fini(&poller);
    assert_int_equal(wf_poller_wait(&poller, 0), -EBADF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_edge_is_told_once),
        TEST(test_new_data_is_a_new_edge_although_the_old_was_not_read),
        TEST(test_the_peers_end_is_told_as_hangup),
        TEST(test_a_source_removed_by_another_of_the_same_batch_is_not_called),
        TEST(test_a_source_may_remove_itself_in_its_callback),
        TEST(test_modify_changes_what_is_told),
        TEST(test_a_descriptor_that_is_not_open_cannot_be_added),
        TEST(test_a_poller_that_was_closed_reports_its_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
