/* A server that was heard and then is not, with default settings: it is given up within ten seconds
 * of its first silence, and its other address takes over.
 *
 *   black_hole stopped   its process is stopped
 *   black_hole dropped   its packets are lost: it is in a network namespace whose link is taken
 *                        down; exit status 77 where no namespace can be made */
#include "support/cmocka.h"
#include "support/loop_server.h"
#include "weft/weft.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GIVEN_UP_MS 10000
#define WAIT_MS     30000
#define SKIPPED     77

struct silence {
    pid_t pid; /* the server's that falls silent */
    uint16_t port;
    const char *address;
    bool drops;
    struct loop_server *healthy; /* on 127.0.0.1, the same port */
    struct weft_client *client;
};

static struct silence silence;

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...)
{
    char command[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    return system(command) == 0;
}

/* A process that serves until it is killed, or until this one has ended. */
static void start_server(struct silence *s)
{
    int told[2];
    int go[2];
    char octet = 0;
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(go), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (s->drops && unshare(CLONE_NEWNET) != 0)
            _exit(SKIPPED);
        if (write(told[1], &octet, 1) != 1 || read(go[0], &octet, 1) != 1)
            _exit(1);
        struct loop_server_config config = {
            .port = s->port, .any_address = s->drops, .ipv6 = !s->drops};
        struct loop_server *server = loop_server_new(&config);
        uint16_t port = loop_server_port(server);
        if (write(told[1], &port, sizeof(port)) != sizeof(port))
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(told[0], &octet, 1), 1);
    if (s->drops) {
        assert_true(run("ip link set weft1 netns %ld", (long)s->pid));
        assert_true(run("nsenter -t %ld -n ip addr add 10.201.0.2/24 dev weft1", (long)s->pid));
        assert_true(run("nsenter -t %ld -n ip link set weft1 up", (long)s->pid));
    }
    assert_int_equal(write(go[1], &octet, 1), 1);
    assert_int_equal(read(told[0], &s->port, sizeof(s->port)), sizeof(s->port));
    (void)close(told[0]);
    (void)close(told[1]);
    (void)close(go[0]);
    (void)close(go[1]);
}

static void fall_silent(const struct silence *s)
{
    if (s->drops) {
        assert_true(run("ip link set weft0 down"));
        return;
    }
    assert_int_equal(kill(s->pid, SIGSTOP), 0);
    /* A thread of it may run on until all have stopped, which is what its parent is told. */
    int status = 0;
    assert_int_equal(waitpid(s->pid, &status, WUNTRACED), s->pid);
    assert_true(WIFSTOPPED(status));
}

static struct weft_future *ask(const struct silence *s, const char *method, unsigned flags)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "http://weft.test:%u/bytes/10", s->port);
    struct weft_request *request = weft_request_new(method, url);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = flags;
    struct weft_future *future = weft_submit(s->client, request, &how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static int begin(void **state)
{
    struct silence *s = &silence;
    *state = s;
    s->port = (uint16_t)(12000 + getpid() % 20000);
    start_server(s);
    struct loop_server_config healthy = {.port = s->port};
    s->healthy = loop_server_new(&healthy);
    return 0;
}

static int end(void **state)
{
    struct silence *s = *state;
    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, NULL, 0);
    loop_server_free(s->healthy);
    return 0;
}

static void make_client(struct silence *s)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "weft.test:%u:%s,127.0.0.1", s->port, s->address);
    const char *const resolve[] = {text, NULL};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.resolve = resolve;
    s->client = weft_client_new(&config, NULL);
    assert_non_null(s->client);
}

static void test_a_silent_server_is_given_up_and_the_other_takes_over(void **state)
{
    struct silence *s = *state;
    make_client(s);
    struct weft_future *first = ask(s, "GET", 0);
    assert_int_equal(weft_future_wait(first, WAIT_MS), WEFT_OK);
    assert_int_equal(loop_server_requests(s->healthy), 0);
    weft_future_unref(first);

    fall_silent(s);
    uint64_t from_ms = now_ms();
    struct weft_future *get = ask(s, "GET", 0);
    struct weft_future *post = ask(s, "POST", 0);
    assert_int_equal(weft_future_wait(post, WAIT_MS), WEFT_ERR_CONNECTION_LOST);
    uint64_t given_up_ms = now_ms() - from_ms;
    assert_int_equal(weft_future_error(post)->effect, WEFT_MAYBE_PROCESSED);
    enum weft_code code = weft_future_wait(get, WAIT_MS);
    uint64_t answered_ms = now_ms() - from_ms;
    printf("given up after %llu ms, answered by the other after %llu ms: %s\n",
           (unsigned long long)given_up_ms, (unsigned long long)answered_ms,
           weft_future_error(post)->text);
    assert_int_equal(code, WEFT_OK);
    assert_int_equal(loop_server_requests(s->healthy), 1);
    assert_true(given_up_ms < GIVEN_UP_MS);
    assert_true(answered_ms < GIVEN_UP_MS);
    weft_future_unref(get);
    weft_future_unref(post);

    /* The next does not ask the silent one again. */
    from_ms = now_ms();
    struct weft_future *next = ask(s, "GET", WEFT_NO_RETRY);
    assert_int_equal(weft_future_wait(next, WAIT_MS), WEFT_OK);
    assert_true(now_ms() - from_ms < 1000);
    weft_future_unref(next);
    assert_int_equal(weft_client_close(s->client, 0), WEFT_OK);
    weft_client_unref(s->client);
}

/* A namespace of this process's own, with one end of a link; false: none may be made. */
static bool enter_namespace(void)
{
    return unshare(CLONE_NEWNET) == 0 && run("ip link set lo up 2>&1") &&
           run("ip link add weft0 type veth peer name weft1 2>&1") &&
           run("ip addr add 10.201.0.1/24 dev weft0 2>&1") && run("ip link set weft0 up 2>&1") &&
           run("nsenter --version >/dev/null 2>&1");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_silent_server_is_given_up_and_the_other_takes_over,
                                        begin, end),
    };
    silence.drops = argc > 1 && strcmp(argv[1], "dropped") == 0;
    silence.address = silence.drops ? "10.201.0.2" : "[::1]";
    if (silence.drops && !enter_namespace()) {
        printf("skipped: no network namespace can be made here\n");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
