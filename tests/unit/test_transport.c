#include "io_thread/transport.h"

#include "support/cmocka.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct wf_transport *t;
    int fd;
    int peer;
};

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return -1;
    fixture.fd = fds[0];
    fixture.peer = fds[1];
    fixture.t = wf_tcp_new(fds[0]);
    return fixture.t == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    wf_transport_free(fixture.t);
    if (fixture.peer >= 0)
        (void)close(fixture.peer);
    return 0;
}

static void close_peer(void)
{
    (void)close(fixture.peer);
    fixture.peer = -1;
}

static void test_cleartext_needs_no_handshake_and_agrees_on_nothing(void **state)
{
    (void)state;
    assert_int_equal(wf_transport_handshake(fixture.t), WF_IO_OK);
    assert_null(wf_transport_protocol(fixture.t));
    assert_int_equal(wf_transport_flush(fixture.t), WF_IO_OK);
    assert_int_equal(wf_transport_unsent(fixture.t), 0);
}

static void test_a_short_read_says_that_this_was_all(void **state)
{
    (void)state;
    char buf[100];
    size_t len = 1;
    assert_int_equal(wf_transport_read(fixture.t, buf, sizeof(buf), &len), WF_IO_AGAIN);
    assert_int_equal(len, 0);
    assert_int_equal(write(fixture.peer, "hello", 5), 5);
    assert_int_equal(wf_transport_read(fixture.t, buf, sizeof(buf), &len), WF_IO_AGAIN);
    assert_int_equal(len, 5);
    assert_memory_equal(buf, "hello", 5);
}

static void test_a_full_read_says_that_there_may_be_more(void **state)
{
    (void)state;
    char buf[3];
    size_t len;
    assert_int_equal(write(fixture.peer, "hello", 5), 5);
    assert_int_equal(wf_transport_read(fixture.t, buf, sizeof(buf), &len), WF_IO_OK);
    assert_int_equal(len, 3);
    assert_int_equal(wf_transport_read(fixture.t, buf, sizeof(buf), &len), WF_IO_AGAIN);
    assert_int_equal(len, 2);
}

static void test_after_a_hangup_reading_goes_on_to_the_end(void **state)
{
    (void)state;
    char buf[100];
    size_t len;
    assert_int_equal(write(fixture.peer, "bye", 3), 3);
    close_peer();
    fixture.t->hangup = true;
    assert_int_equal(wf_transport_read(fixture.t, buf, sizeof(buf), &len), WF_IO_OK);
    assert_int_equal(len, 3);
    assert_int_equal(wf_transport_read(fixture.t, buf, sizeof(buf), &len), WF_IO_END);
    assert_int_equal(len, 0);
}

static void test_a_read_of_nothing_is_not_the_end(void **state)
{
    (void)state;
    char buf[1];
    size_t len;
    assert_int_equal(wf_transport_read(fixture.t, buf, 0, &len), WF_IO_OK);
    assert_int_equal(len, 0);
}

static void test_a_reset_is_an_error_with_its_number(void **state)
{
    (void)state;
    char buf[10];
    size_t len;
    assert_int_equal(write(fixture.fd, "unread", 6), 6);
    close_peer();
    assert_int_equal(wf_transport_read(fixture.t, buf, sizeof(buf), &len), WF_IO_ERROR);
    assert_int_equal(fixture.t->error.kind, WF_IO_ERR_SYSTEM);
    assert_int_equal(fixture.t->error.sys_errno, ECONNRESET);
    assert_non_null(strstr(fixture.t->error.text, strerror(ECONNRESET)));
}

static void test_slices_are_gathered_in_order(void **state)
{
    (void)state;
    char buf[100];
    size_t len;
    struct iovec iov[] = {{.iov_base = "one ", .iov_len = 4},
                          {.iov_base = "", .iov_len = 0},
                          {.iov_base = "two", .iov_len = 3}};
    assert_int_equal(wf_transport_write(fixture.t, iov, 3, &len), WF_IO_OK);
    assert_int_equal(len, 7);
    assert_int_equal(read(fixture.peer, buf, sizeof(buf)), 7);
    assert_memory_equal(buf, "one two", 7);
}

static void test_more_slices_than_the_kernel_takes_at_once_are_all_written(void **state)
{
    (void)state;
    enum { COUNT = 3 * IOV_MAX + 7 };
    struct iovec *iov = calloc(COUNT, sizeof(*iov));
    char buf[2 * COUNT];
    size_t len;
    assert_non_null(iov);
    for (size_t i = 0; i < COUNT; i++)
        iov[i] = (struct iovec){.iov_base = i % 2 ? "b" : "a", .iov_len = 1};
    assert_int_equal(wf_transport_write(fixture.t, iov, COUNT, &len), WF_IO_OK);
    assert_int_equal(len, COUNT);
    assert_int_equal(read(fixture.peer, buf, sizeof(buf)), COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(buf[i], i % 2 ? 'b' : 'a');
    free(iov);
}

static void test_a_full_socket_takes_a_part_and_then_nothing(void **state)
{
    (void)state;
    const size_t total = 8u << 20;
    char *octets = calloc(1, total);
    size_t len;
    assert_non_null(octets);
    struct iovec iov = {.iov_base = octets, .iov_len = total};
    assert_int_equal(wf_transport_write(fixture.t, &iov, 1, &len), WF_IO_AGAIN);
    assert_true(len > 0 && len < total);
    assert_int_equal(wf_transport_write(fixture.t, &iov, 1, &len), WF_IO_AGAIN);
    assert_int_equal(len, 0);
    free(octets);
}

static void test_writing_to_a_closed_peer_is_an_error_and_no_signal(void **state)
{
    (void)state;
    char buf[10];
    size_t len;
    struct iovec iov = {.iov_base = "x", .iov_len = 1};
    assert_int_equal(write(fixture.peer, "last", 4), 4);
    close_peer();
    assert_int_equal(wf_transport_write(fixture.t, &iov, 1, &len), WF_IO_ERROR);
    assert_int_equal(len, 0);
    assert_int_equal(fixture.t->error.sys_errno, EPIPE);
    /* What the peer still said is not lost. */
    assert_int_equal(wf_transport_read(fixture.t, buf, sizeof(buf), &len), WF_IO_AGAIN);
    assert_int_equal(len, 4);
}

static void test_the_first_error_stays(void **state)
{
    (void)state;
    assert_int_equal(wf_io_fail(fixture.t, WF_IO_ERR_TRUNCATED, 1, 2, "first %s", "text"),
                     WF_IO_ERROR);
    assert_int_equal(wf_io_fail(fixture.t, WF_IO_ERR_SYSTEM, 3, 4, "second"), WF_IO_ERROR);
    assert_int_equal(fixture.t->error.kind, WF_IO_ERR_TRUNCATED);
    assert_int_equal(fixture.t->error.sys_errno, 1);
    assert_int_equal(fixture.t->error.tls_code, 2);
    assert_int_equal(fixture.t->error.tls_alert, -1);
    assert_string_equal(fixture.t->error.text, "first text");
}

static void test_freeing_closes_in_order_although_octets_were_left_unread(void **state)
{
    (void)state;
    char buf[10];
    struct iovec iov = {.iov_base = "goaway", .iov_len = 6};
    size_t len;
    assert_int_equal(write(fixture.peer, "never read", 10), 10);
    assert_int_equal(wf_transport_write(fixture.t, &iov, 1, &len), WF_IO_OK);
    wf_transport_free(fixture.t);
    fixture.t = NULL;
    assert_int_equal(read(fixture.peer, buf, sizeof(buf)), 6);
    assert_int_equal(read(fixture.peer, buf, sizeof(buf)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cleartext_needs_no_handshake_and_agrees_on_nothing),
        TEST(test_a_short_read_says_that_this_was_all),
        TEST(test_a_full_read_says_that_there_may_be_more),
        TEST(test_after_a_hangup_reading_goes_on_to_the_end),
        TEST(test_a_read_of_nothing_is_not_the_end),
        TEST(test_a_reset_is_an_error_with_its_number),
        TEST(test_slices_are_gathered_in_order),
        TEST(test_more_slices_than_the_kernel_takes_at_once_are_all_written),
        TEST(test_a_full_socket_takes_a_part_and_then_nothing),
        TEST(test_writing_to_a_closed_peer_is_an_error_and_no_signal),
        TEST(test_the_first_error_stays),
        TEST(test_freeing_closes_in_order_although_octets_were_left_unread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
