/* Everything between a name and the first octet over TLS, with the n-th allocation failing, for
 * each n: an error or a success, never a crash, a leak or a hang. */
#include "io_thread/dial.h"
#include "io_thread/poller.h"
#include "io_thread/resolve.h"
#include "io_thread/timers.h"
#include "io_thread/tls.h"
#include "io_thread/tls_ctx.h"

#include "support/cmocka.h"
#include "support/failing_alloc.h"
#include "support/tls_peer.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALLOCATIONS_MAX 200 /* more than any of the scenarios makes */

struct outcome {
    int ends;
    bool succeeded;
    int fd;
};

/* Runs @scenario with the first, the second, ... allocation failing, until none fails; it returns
 * whether it succeeded, which it must in the end. */
static void with_each_allocation_failing(bool (*scenario)(void))
{
    for (long n = 0; n < ALLOCATIONS_MAX; n++) {
        failing_alloc_after(n);
        bool succeeded = scenario();
        long failures = failing_alloc_failures();
        failing_alloc_after(-1);
        if (failures == 0) {
            assert_true(succeeded);
            assert_true(n > 0);
            return;
        }
    }
    fail_msg("the scenario allocates without end");
}

static void on_resolved(void *user, const struct wf_resolution *resolution)
{
    struct outcome *outcome = user;
    outcome->ends++;
    outcome->succeeded = resolution->result == WF_RESOLVE_OK;
}

static bool resolve_localhost(void)
{
    struct wf_poller poller;
    struct wf_timers timers;
    struct outcome outcome = {0};
    assert_int_equal(wf_poller_init(&poller), 0);
    wf_timers_init(&timers, 0);
    struct wf_resolver *resolver = wf_resolver_new(&poller, &timers);
    if (resolver != NULL && wf_resolver_configure(resolver, "127.0.0.1:1", 50, 1) == 0) {
        bool asked = wf_resolve(resolver, "localhost", 80, on_resolved, &outcome) != NULL;
        (void)wf_timers_advance(&timers, 1);
        assert_int_equal(outcome.ends, asked);
    }
    wf_resolver_free(resolver);
    wf_poller_fini(&poller);
    return outcome.succeeded;
}

static void test_a_lookup_survives_each_allocation_failing(void **state)
{
    (void)state;
    with_each_allocation_failing(resolve_localhost);
}

static void on_dialled(void *user, const struct wf_dial_result *result)
{
    struct outcome *outcome = user;
    outcome->ends++;
    outcome->fd = result->fd;
}

static struct wf_address target;

static bool dial_target(void)
{
    struct wf_poller poller;
    struct wf_timers timers;
    struct outcome outcome = {.fd = -1};
    assert_int_equal(wf_poller_init(&poller), 0);
    wf_timers_init(&timers, 0);
    if (wf_dial_start(&poller, &timers, &target, 1, 250, on_dialled, &outcome) != NULL) {
        (void)wf_timers_advance(&timers, 1);
        while (outcome.ends == 0)
            assert_true(wf_poller_wait(&poller, 1000) > 0);
        struct wf_transport *t = wf_tcp_new(outcome.fd);
        outcome.succeeded = t != NULL;
        if (t == NULL)
            (void)close(outcome.fd);
        wf_transport_free(t);
    }
    wf_poller_fini(&poller);
    return outcome.succeeded;
}

static void test_a_connection_survives_each_allocation_failing(void **state)
{
    (void)state;
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&target.storage;
    *in =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    target.len = sizeof(*in);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)in, sizeof(*in)), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)in, &target.len), 0);
    with_each_allocation_failing(dial_target);
    (void)close(listener);
}

/* The peer must not be what fails. */
static bool peer_step(struct tls_peer *peer, bool accepted)
{
    failing_alloc_pause(true);
    tls_peer_pull(peer);
    accepted = accepted || tls_peer_accept(peer);
    (void)tls_peer_push(peer, SIZE_MAX);
    failing_alloc_pause(false);
    return accepted;
}

static bool exchange(struct wf_transport *client, struct tls_peer *peer)
{
    static uint8_t octets[300000];
    bool accepted = false;
    enum wf_io_result result = WF_IO_AGAIN;
    while (result == WF_IO_AGAIN || (result == WF_IO_OK && !accepted)) {
        if (result == WF_IO_AGAIN)
            result = wf_transport_handshake(client);
        accepted = peer_step(peer, accepted);
    }
    if (result != WF_IO_OK)
        return false;
    const int small = 4096;
    (void)setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    const struct iovec iov = {.iov_base = octets, .iov_len = sizeof(octets)};
    size_t len;
    /* More than the socket takes, so that a remainder is kept; and a read that leaves some. */
    result = wf_transport_write(client, &iov, 1, &len);
    if (result == WF_IO_ERROR)
        return false;
    failing_alloc_pause(true);
    tls_peer_write(peer, octets, 40000);
    (void)tls_peer_push(peer, SIZE_MAX);
    failing_alloc_pause(false);
    return wf_transport_read(client, octets, 100, &len) != WF_IO_ERROR;
}

static bool connect_tls(void)
{
    struct wf_io_error error = {0};
    const struct wf_tls_config config = {.ca_file = WEFT_TEST_CERTS "/root.pem"};
    const struct tls_peer_config peer_config = {.certificate = "good"};
    int fds[2];
    bool succeeded = false;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    struct tls_peer peer;
    failing_alloc_pause(true);
    tls_peer_init(&peer, fds[1], &peer_config);
    failing_alloc_pause(false);
    struct wf_tls_ctx *ctx = wf_tls_ctx_new(&config, &error);
    struct wf_tls_io *io = ctx != NULL ? wf_tls_io_new() : NULL;
    struct wf_transport *client =
        io != NULL ? wf_tls_new(ctx, io, fds[0], "good.test", 443, NULL, &error) : NULL;
    if (client != NULL) {
        succeeded = exchange(client, &peer);
        error = client->error;
    } else {
        (void)close(fds[0]);
    }
    if (!succeeded && io != NULL)
        assert_int_equal(error.kind, WF_IO_ERR_NO_MEMORY);
    wf_transport_free(client);
    wf_tls_io_free(io);
    wf_tls_ctx_free(ctx);
    tls_peer_fini(&peer);
    return succeeded;
}

static void test_tls_survives_each_allocation_failing(void **state)
{
    (void)state;
    with_each_allocation_failing(connect_tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lookup_survives_each_allocation_failing),
        cmocka_unit_test(test_a_connection_survives_each_allocation_failing),
        cmocka_unit_test(test_tls_survives_each_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
