#include "io_thread/dial.h"

#include "io_thread/bad_addresses.h"
#include "io_thread/poller.h"
#include "io_thread/timers.h"

#include "support/cmocka.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Time is the test's own: it passes only where nothing is ready. */
struct fixture {
    struct wf_poller poller;
    struct wf_timers timers;
    uint64_t now_ms;
    int ends;
    struct wf_dial_result result;
};

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof(fixture));
    fixture.result.fd = -1;
    wf_timers_init(&fixture.timers, 0);
    return wf_poller_init(&fixture.poller);
}

static int tear_down(void **state)
{
    (void)state;
    if (fixture.result.fd >= 0)
        (void)close(fixture.result.fd);
    wf_poller_fini(&fixture.poller);
    return 0;
}

static void on_end(void *user, const struct wf_dial_result *result)
{
    assert_ptr_equal(user, &fixture);
    fixture.ends++;
    fixture.result = *result;
}

/* Runs until the dial has ended or @limit_ms have passed. */
static void run(uint64_t limit_ms)
{
    uint64_t end_ms = fixture.now_ms + limit_ms;
    while (fixture.ends == 0) {
        (void)wf_timers_advance(&fixture.timers, fixture.now_ms);
        if (wf_poller_wait(&fixture.poller, 2) > 0)
            continue;
        uint64_t next_ms = wf_timers_next(&fixture.timers);
        if (next_ms > end_ms)
            break;
        fixture.now_ms = next_ms;
    }
}

static struct wf_dial *start(const struct wf_address *addresses, size_t count)
{
    struct wf_dial *dial = wf_dial_start(&fixture.poller, &fixture.timers, addresses, count,
                                         WF_DIAL_STAGGER_MS, on_end, &fixture);
    assert_non_null(dial);
    assert_int_equal(fixture.ends, 0);
    return dial;
}

static struct wf_address loopback(uint16_t port)
{
    struct wf_address address = {.len = sizeof(struct sockaddr_in)};
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&address.storage;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in->sin_port = htons(port);
    return address;
}

/* A listening socket; its queue is full from the start when @backlog is 0 and it is filled. */
static int listen_on(struct wf_address *out_address, int backlog)
{
    *out_address = loopback(0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&out_address->storage, out_address->len), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&out_address->storage, &out_address->len),
                     0);
    return fd;
}

/* An address at which nobody listens. */
static struct wf_address refusing(void)
{
    struct wf_address address;
    (void)close(listen_on(&address, 1));
    return address;
}

static void test_a_connection_is_made_and_set_up(void **state)
{
    (void)state;
    struct wf_address address;
    int listener = listen_on(&address, 5);
    (void)start(&address, 1);
    run(1000);
    assert_int_equal(fixture.ends, 1);
    assert_true(fixture.result.fd >= 0);
    assert_int_equal(fixture.result.sys_errno, 0);
    assert_int_equal(fixture.result.tried, 1);
    assert_memory_equal(&fixture.result.address.storage, &address.storage, address.len);
    int on = 0;
    socklen_t len = sizeof(on);
    assert_int_equal(getsockopt(fixture.result.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_int_not_equal(on, 0);
    assert_true(fcntl(fixture.result.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fixture.result.fd, F_GETFD) & FD_CLOEXEC);
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    (void)close(accepted);
    (void)close(listener);
}

static void test_a_refusal_names_the_address_and_the_cause(void **state)
{
    (void)state;
    struct wf_address address = refusing();
    char text[WF_ADDRESS_TEXT_MAX], expected[160];
    (void)start(&address, 1);
    run(1000);
    assert_int_equal(fixture.ends, 1);
    assert_int_equal(fixture.result.fd, -1);
    assert_int_equal(fixture.result.sys_errno, ECONNREFUSED);
    (void)snprintf(expected, sizeof(expected), "%s (%s)", strerror(ECONNREFUSED),
                   wf_address_text(&address, text, sizeof(text)));
    assert_string_equal(fixture.result.text, expected);
}

static void test_after_a_refusal_the_next_address_is_tried_without_a_wait(void **state)
{
    (void)state;
    struct wf_address addresses[3];
    addresses[0] = refusing();
    addresses[1] = refusing();
    int listener = listen_on(&addresses[2], 5);
    (void)start(addresses, 3);
    run(WF_DIAL_STAGGER_MS - 1);
    assert_int_equal(fixture.ends, 1);
    assert_true(fixture.result.fd >= 0);
    assert_int_equal(fixture.result.tried, 3);
    assert_int_equal(fixture.now_ms, 0);
    (void)close(listener);
}

/* Connects to @address until the kernel leaves a connection in progress; returns how many there
 * are. */
static size_t fill_queue(const struct wf_address *address, int *fds, size_t cap)
{
    for (size_t i = 0; i < cap; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(fds[i] >= 0);
        (void)connect(fds[i], (const struct sockaddr *)&address->storage, address->len);
        struct sockaddr_in peer;
        socklen_t len = sizeof(peer);
        if (getpeername(fds[i], (struct sockaddr *)&peer, &len) < 0)
            return i + 1;
    }
    return cap;
}

static void test_an_address_that_is_silent_is_overtaken_by_the_next_after_the_stagger(void **state)
{
    (void)state;
    struct wf_address addresses[2];
    int silent = listen_on(&addresses[0], 0);
    int listener = listen_on(&addresses[1], 5);
    int fds[8];
    size_t filled = fill_queue(&addresses[0], fds, 8);
    assert_true(filled < 8);
    (void)start(addresses, 2);
    run(10000);
    assert_int_equal(fixture.ends, 1);
    assert_true(fixture.result.fd >= 0);
    assert_int_equal(fixture.now_ms, WF_DIAL_STAGGER_MS);
    assert_memory_equal(&fixture.result.address.storage, &addresses[1].storage, addresses[1].len);
    for (size_t i = 0; i < filled; i++)
        (void)close(fds[i]);
    (void)close(silent);
    (void)close(listener);
}

static void test_a_cancelled_dial_calls_nobody_and_leaves_nothing_open(void **state)
{
    (void)state;
    struct wf_address address;
    int listener = listen_on(&address, 5);
    int before = dup(0);
    (void)close(before);
    struct wf_dial *dial = start(&address, 1);
    (void)wf_timers_advance(&fixture.timers, 0); /* the attempt is under way now */
    wf_dial_cancel(dial);
    wf_dial_cancel(NULL);
    run(1000);
    assert_int_equal(fixture.ends, 0);
    int after = dup(0);
    (void)close(after);
    assert_int_equal(before, after);
    assert_int_equal(wf_timers_next(&fixture.timers), WF_TIMER_NONE);
    (void)close(listener);
}

static void test_no_address_at_all_is_an_error_like_others(void **state)
{
    (void)state;
    (void)start(NULL, 0);
    run(1000);
    assert_int_equal(fixture.ends, 1);
    assert_int_equal(fixture.result.fd, -1);
    assert_int_equal(fixture.result.sys_errno, EDESTADDRREQ);
    assert_int_equal(fixture.result.tried, 0);
}

static void test_the_limit_on_descriptors_is_reported_before_other_failures(void **state)
{
    (void)state;
    /* The second one fails for what it is, later; that is not what the user must know. */
    struct wf_address addresses[2];
    int listener = listen_on(&addresses[0], 5);
    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    addresses[1] = addresses[0];
    addresses[1].storage.ss_family = 250;
    (void)start(addresses, 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    run(1000);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(fixture.ends, 1);
    assert_int_equal(fixture.result.tried, 2);
    assert_int_equal(fixture.result.sys_errno, EMFILE);
    (void)close(listener);
}

static void test_a_family_that_does_not_exist_gives_way_to_the_next_address(void **state)
{
    (void)state;
    struct wf_address addresses[2];
    int listener = listen_on(&addresses[1], 5);
    addresses[0] = addresses[1];
    addresses[0].storage.ss_family = 250;
    (void)start(addresses, 2);
    run(1000);
    assert_int_equal(fixture.ends, 1);
    assert_true(fixture.result.fd >= 0);
    (void)close(listener);
}

static void test_many_refusals_are_listed_as_far_as_there_is_room(void **state)
{
    (void)state;
    struct wf_address addresses[WF_ADDRESSES_MAX + 4];
    for (size_t i = 0; i < WF_ADDRESSES_MAX + 4; i++)
        addresses[i] = refusing();
    (void)start(addresses, WF_ADDRESSES_MAX + 4);
    run(1000);
    assert_int_equal(fixture.ends, 1);
    assert_int_equal(fixture.result.tried, WF_ADDRESSES_MAX);
    size_t len = strlen(fixture.result.text);
    assert_true(len < sizeof(fixture.result.text));
    assert_string_equal(fixture.result.text + len - 4, "...)");
}

static void test_an_abstract_unix_socket_is_connected_to(void **state)
{
    (void)state;
    struct wf_address address = {0};
    struct sockaddr_un *un = (struct sockaddr_un *)(void *)&address.storage;
    char text[WF_ADDRESS_TEXT_MAX], expected[WF_ADDRESS_TEXT_MAX];
    un->sun_family = AF_UNIX;
    int len = snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1, "weft-test-%d", (int)getpid());
    address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address.storage, address.len), 0);
    assert_int_equal(listen(listener, 1), 0);
    (void)start(&address, 1);
    run(1000);
    assert_int_equal(fixture.ends, 1);
    assert_true(fixture.result.fd >= 0);
    (void)snprintf(expected, sizeof(expected), "@weft-test-%d", (int)getpid());
    assert_string_equal(wf_address_text(&address, text, sizeof(text)), expected);
    (void)close(listener);
}

static void test_addresses_have_a_text(void **state)
{
    (void)state;
    char text[WF_ADDRESS_TEXT_MAX];
    struct wf_address address = loopback(443);
    assert_string_equal(wf_address_text(&address, text, sizeof(text)), "127.0.0.1:443");
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&address.storage;
    *in6 = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    address.len = sizeof(*in6);
    assert_string_equal(wf_address_text(&address, text, sizeof(text)), "[::1]:80");
    assert_string_equal(wf_address_text(&address, text, 5), "[::1");
}

static void test_an_address_that_fails_is_noted(void **state)
{
    (void)state;
    struct wf_bad_addresses bad = {0};
    struct wf_address addresses[2] = {refusing()};
    int listener = listen_on(&addresses[1], 5);
    wf_dial_watch(start(addresses, 2), &bad);
    run(1000);
    assert_int_equal(fixture.ends, 1);
    assert_true(fixture.result.fd >= 0);
    assert_true(wf_bad_addresses_has(&bad, &addresses[0], fixture.now_ms));
    assert_false(wf_bad_addresses_has(&bad, &addresses[1], fixture.now_ms));
    (void)close(listener);
}

static void test_a_full_unix_socket_is_tried_again(void **state)
{
    (void)state;
    struct wf_address address = {.len = sizeof(sa_family_t)};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address.storage.ss_family = AF_UNIX;
    /* The kernel chooses an abstract name. */
    assert_int_equal(bind(listener, (struct sockaddr *)&address.storage, address.len), 0);
    address.len = sizeof(address.storage);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address.storage, &address.len), 0);
    assert_int_equal(listen(listener, 0), 0);
    int filler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(filler, (struct sockaddr *)&address.storage, address.len), 0);
    (void)start(&address, 1);
    run(500);
    assert_int_equal(fixture.ends, 0); /* neither connected nor failed */
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    run(500);
    assert_int_equal(fixture.ends, 1);
    assert_true(fixture.result.fd >= 0);
    assert_int_equal(fixture.result.tried, 1);
    (void)close(accepted);
    (void)close(filler);
    (void)close(listener);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_connection_is_made_and_set_up),
        TEST(test_a_refusal_names_the_address_and_the_cause),
        TEST(test_after_a_refusal_the_next_address_is_tried_without_a_wait),
        TEST(test_an_address_that_is_silent_is_overtaken_by_the_next_after_the_stagger),
        TEST(test_a_cancelled_dial_calls_nobody_and_leaves_nothing_open),
        TEST(test_no_address_at_all_is_an_error_like_others),
        TEST(test_the_limit_on_descriptors_is_reported_before_other_failures),
        TEST(test_a_family_that_does_not_exist_gives_way_to_the_next_address),
        TEST(test_many_refusals_are_listed_as_far_as_there_is_room),
        TEST(test_an_abstract_unix_socket_is_connected_to),
        TEST(test_addresses_have_a_text),
        TEST(test_an_address_that_fails_is_noted),
        TEST(test_a_full_unix_socket_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
