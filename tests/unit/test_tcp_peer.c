#include "io_thread/tcp_peer.h"

#include "support/cmocka.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void connect_pair(int out_fds[2])
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    out_fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(out_fds[0], (struct sockaddr *)&address, len), 0);
    out_fds[1] = accept(listener, NULL, NULL);
    assert_true(out_fds[1] >= 0);
    close(listener);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void test_a_silent_host_is_given_up_by_the_kernel(void **state)
{
    (void)state;
    int fds[2];
    connect_pair(fds);
    wf_tcp_set_timeouts(fds[0], 1234);
    assert_int_equal(option(fds[0], IPPROTO_TCP, TCP_USER_TIMEOUT), 1234);
    assert_int_equal(option(fds[0], SOL_SOCKET, SO_KEEPALIVE), 1);
    int idle = option(fds[0], IPPROTO_TCP, TCP_KEEPIDLE);
    wf_tcp_set_probes(fds[0], true);
    assert_true(option(fds[0], IPPROTO_TCP, TCP_KEEPIDLE) < idle);
    wf_tcp_set_probes(fds[0], false);
    assert_int_equal(option(fds[0], IPPROTO_TCP, TCP_KEEPIDLE), idle);
    wf_tcp_set_timeouts(fds[1], -1);
    assert_int_equal(option(fds[1], IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    close(fds[0]);
    close(fds[1]);
}

static void test_progress_counts_what_the_host_acknowledged(void **state)
{
    (void)state;
    int fds[2];
    struct wf_tcp_progress before;
    struct wf_tcp_progress after;
    char buf[1000] = {0};
    connect_pair(fds);
    assert_true(wf_tcp_progress(fds[0], &before));
    assert_int_equal(send(fds[0], buf, sizeof(buf), 0), sizeof(buf));
    assert_int_equal(recv(fds[1], buf, sizeof(buf), MSG_WAITALL), sizeof(buf));
    assert_int_equal(send(fds[1], buf, 1, 0), 1); /* carries the acknowledgement */
    assert_int_equal(recv(fds[0], buf, 1, 0), 1);
    assert_true(wf_tcp_progress(fds[0], &after));
    assert_int_equal(after.acked - before.acked, sizeof(buf));
    assert_int_equal(after.queued, 0);
    close(fds[0]);
    close(fds[1]);
}

static void test_silence_ends_with_an_acknowledgement_and_with_octets(void **state)
{
    (void)state;
    int fds[2];
    uint64_t ms;
    char octet = 'x';
    connect_pair(fds);
    for (int who = 0; who < 2; who++) {
        unsigned looks = 0;
        while (wf_tcp_silence(fds[0], &ms) && ms < 60)
            assert_true(poll(NULL, 0, 10) == 0 && ++looks < 1000);
        assert_int_equal(send(fds[who], &octet, 1, 0), 1);
        assert_int_equal(recv(fds[1 - who], &octet, 1, 0), 1);
        uint64_t before_ms = ms;
        looks = 0;
        do {
            assert_true(wf_tcp_silence(fds[0], &ms) && ++looks < 1000);
        } while (ms >= before_ms && poll(NULL, 0, 5) == 0); /* acknowledged a little later */
    }
    assert_false(wf_tcp_is_in_doubt(fds[0]));
    close(fds[0]);
    close(fds[1]);
}

static void test_of_a_unix_socket_nothing_is_known(void **state)
{
    (void)state;
    int fds[2];
    struct wf_tcp_progress progress;
    uint64_t ms;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    wf_tcp_set_timeouts(fds[0], 1000);
    assert_false(wf_tcp_progress(fds[0], &progress));
    assert_false(wf_tcp_silence(fds[0], &ms));
    assert_false(wf_tcp_is_in_doubt(fds[0]));
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_silent_host_is_given_up_by_the_kernel),
        cmocka_unit_test(test_progress_counts_what_the_host_acknowledged),
        cmocka_unit_test(test_silence_ends_with_an_acknowledgement_and_with_octets),
        cmocka_unit_test(test_of_a_unix_socket_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
