/* A server that was heard and then is not, with default settings: it is given up within ten seconds
 * of its first silence, and its other address takes over.
 *
 *   black_hole stopped      its process is stopped
 *   black_hole dropped      its packets are lost: it is in a network namespace whose link is taken
 *                           down; exit status 77 where no namespace can be made
 *   black_hole dropped-h1   the same over HTTP/1.1
 *   black_hole stopped-h1   a process that has stopped cannot be told from one that takes long */
#include "support/cmocka.h"
#include "support/h1_server.h"
#include "support/loop_server.h"
#include "weft/weft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
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
#define STOPPED_MS  9000 /* longer than a host may be silent */
#define SKIPPED     77

struct silence {
    pid_t pid; /* the server's that falls silent */
    uint16_t port;
    const char *address;
    bool drops;
    bool is_h1;
    struct loop_server *healthy; /* on 127.0.0.1, the same port */
    struct h1_server *healthy_h1;
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

/* In the process that falls silent. Returns its port. */
static uint16_t serve(const struct silence *s)
{
    if (s->is_h1)
        return h1_server_port(s->drops ? h1_server_new_anywhere(s->port) : h1_server_new(s->port));
    struct loop_server_config config = {
        .port = s->port, .any_address = s->drops, .ipv6 = !s->drops};
    return loop_server_port(loop_server_new(&config));
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
        uint16_t port = serve(s);
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

/* One end of it is to be given to the server. */
static bool make_link(void)
{
    return run("ip link add weft0 type veth peer name weft1 2>&1") &&
           run("ip addr add 10.201.0.1/24 dev weft0 2>&1") && run("ip link set weft0 up 2>&1");
}

/* A new link may lose what is sent at first, and a client that waited would go elsewhere. */
static void await_server(const struct silence *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(s->port),
                                  .sin_addr.s_addr = inet_addr(s->address)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
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

static struct weft_future *ask_for(const struct silence *s, const char *method, const char *path,
                                   unsigned flags)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "http://weft.test:%u%s", s->port, path);
    struct weft_request *request = weft_request_new(method, url);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = flags;
    struct weft_future *future = weft_submit(s->client, request, &how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

static struct weft_future *ask(const struct silence *s, const char *method, unsigned flags)
{
    return ask_for(s, method, "/bytes/10", flags);
}

static int begin(void **state)
{
    struct silence *s = &silence;
    *state = s;
    s->port = (uint16_t)(12000 + getpid() % 20000);
    if (s->drops)
        assert_true(make_link());
    start_server(s);
    if (s->drops)
        await_server(s);
    if (s->is_h1)
        return 0; /* the other, if there is one, comes later */
    struct loop_server_config healthy = {.port = s->port};
    s->healthy = loop_server_new(&healthy);
    return 0;
}

static int end(void **state)
{
    struct silence *s = *state;
    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, NULL, 0);
    if (s->healthy_h1 != NULL)
        h1_server_free(s->healthy_h1);
    s->healthy_h1 = NULL;
    if (s->healthy != NULL)
        loop_server_free(s->healthy);
    if (s->drops) /* with the server's namespace it may have gone already */
        (void)run("ip link del weft0 2>/dev/null");
    return 0;
}

static void make_client(struct silence *s)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "weft.test:%u:%s%s", s->port, s->address,
                   s->drops || !s->is_h1 ? ",127.0.0.1" : "");
    const char *const resolve[] = {text, NULL};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = !s->is_h1;
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

static void answer_is_from(struct weft_future *future, const char *host)
{
    struct weft_timings timings = {.size = sizeof(timings)};
    enum weft_code code = weft_future_wait(future, WAIT_MS);
    if (code != WEFT_OK)
        print_error("%s\n", weft_future_error(future)->text);
    assert_int_equal(code, WEFT_OK);
    assert_true(weft_future_timings(future, &timings));
    assert_int_equal(strncmp(timings.address, host, strlen(host)), 0);
    weft_future_unref(future);
}

static void close_client(struct silence *s)
{
    assert_int_equal(weft_client_close(s->client, 0), WEFT_OK);
    weft_client_unref(s->client);
}

/* What the kernel holds for the connections to the silent server. */
static void look_at_sockets(const struct silence *s, unsigned *out_unacknowledged,
                            unsigned *out_probes)
{
    char line[512];
    FILE *file = fopen("/proc/self/net/tcp", "r");
    assert_non_null(file);
    *out_unacknowledged = 0;
    *out_probes = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        unsigned address;
        unsigned queued;
        unsigned probes;
        unsigned state;
        if (sscanf(line, "%*d: %*x:%*x %x:%*x %x %x:%*x %*x:%*x %*x %*u %u", &address, &state,
                   &queued, &probes) != 4 ||
            address != inet_addr(s->address) || state != TCP_ESTABLISHED)
            continue;
        *out_unacknowledged += queued;
        *out_probes += probes;
    }
    (void)fclose(file);
}

/* Its connections are there; only now is there a server that would take its place. */
static void lose_host(struct silence *s)
{
    s->healthy_h1 = h1_server_new(s->port);
    fall_silent(s);
}

/* Two connections, so that neither of two requests waits for the other. */
static void warm_two(struct silence *s)
{
    struct weft_future *futures[3];
    make_client(s);
    answer_is_from(ask(s, "GET", 0), s->address);
    for (unsigned i = 0; i < 3; i++)
        futures[i] = ask_for(s, "GET", "/bytes/3000000", 0);
    for (unsigned i = 0; i < 3; i++)
        answer_is_from(futures[i], s->address);
}

static void test_h1_requests_that_nobody_acknowledges_are_given_up(void **state)
{
    struct silence *s = *state;
    warm_two(s);
    lose_host(s);
    uint64_t from_ms = now_ms();
    struct weft_future *get = ask(s, "GET", 0);
    struct weft_future *post = ask(s, "POST", 0);
    assert_int_equal(weft_future_wait(post, WAIT_MS), WEFT_ERR_CONNECTION_LOST);
    assert_int_equal(weft_future_error(post)->effect, WEFT_MAYBE_PROCESSED);
    printf("given up after %llu ms: %s\n", (unsigned long long)(now_ms() - from_ms),
           weft_future_error(post)->text);
    weft_future_unref(post);
    answer_is_from(get, "127.0.0.1");
    assert_true(now_ms() - from_ms < GIVEN_UP_MS);
    close_client(s);
}

static void test_h1_a_host_that_goes_while_a_request_waits_is_given_up(void **state)
{
    struct silence *s = *state;
    struct weft_stats stats = {.size = sizeof(stats)};
    unsigned unacknowledged;
    unsigned probes;
    make_client(s);
    answer_is_from(ask(s, "GET", 0), s->address);
    weft_client_stats(s->client, &stats);
    uint64_t written = stats.octets_written;
    struct weft_future *post = ask_for(s, "POST", "/hang", 0);
    uint64_t by_ms = now_ms() + WAIT_MS;
    do {
        (void)poll(NULL, 0, 5);
        weft_client_stats(s->client, &stats);
        look_at_sockets(s, &unacknowledged, &probes);
        assert_true(now_ms() < by_ms);
    } while (stats.octets_written == written || unacknowledged > 0);

    lose_host(s);
    uint64_t from_ms = now_ms();
    assert_int_equal(weft_future_wait(post, WAIT_MS), WEFT_ERR_CONNECTION_LOST);
    assert_int_equal(weft_future_error(post)->effect, WEFT_MAYBE_PROCESSED);
    printf("given up after %llu ms: %s\n", (unsigned long long)(now_ms() - from_ms),
           weft_future_error(post)->text);
    assert_true(now_ms() - from_ms < GIVEN_UP_MS);
    weft_future_unref(post);
    answer_is_from(ask(s, "POST", WEFT_NO_RETRY), "127.0.0.1");
    close_client(s);
}

/* As soon as one probe has found no answer. */
static void test_h1_a_kept_connection_whose_host_has_gone_is_not_used(void **state)
{
    struct silence *s = *state;
    unsigned unacknowledged;
    unsigned probes;
    make_client(s);
    answer_is_from(ask(s, "GET", 0), s->address);
    lose_host(s);
    uint64_t by_ms = now_ms() + WAIT_MS;
    do {
        (void)poll(NULL, 0, 20);
        look_at_sockets(s, &unacknowledged, &probes);
        assert_true(now_ms() < by_ms);
    } while (probes == 0);
    uint64_t from_ms = now_ms();
    answer_is_from(ask(s, "POST", WEFT_NO_RETRY), "127.0.0.1");
    printf("answered by the other after %llu ms\n", (unsigned long long)(now_ms() - from_ms));
    assert_true(now_ms() - from_ms < 3000);
    close_client(s);
}

/* Its kernel acknowledges for it, and answers probes. */
static void test_h1_a_process_that_has_stopped_is_waited_for(void **state)
{
    struct silence *s = *state;
    make_client(s);
    answer_is_from(ask(s, "GET", 0), s->address);
    fall_silent(s);
    struct weft_future *post = ask(s, "POST", WEFT_NO_RETRY);
    assert_int_equal(weft_future_wait(post, STOPPED_MS), WEFT_ERR_TIMEOUT);
    assert_int_equal(kill(s->pid, SIGCONT), 0);
    answer_is_from(post, s->address);
    close_client(s);
}

/* A namespace of this process's own; false: none may be made. */
static bool enter_namespace(void)
{
    return unshare(CLONE_NEWNET) == 0 && run("ip link set lo up 2>&1") && make_link() &&
           run("ip link del weft0 2>&1") && run("nsenter --version >/dev/null 2>&1");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_silent_server_is_given_up_and_the_other_takes_over,
                                        begin, end),
    };
    const struct CMUnitTest h1_tests[] = {
        cmocka_unit_test_setup_teardown(test_h1_requests_that_nobody_acknowledges_are_given_up,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_h1_a_host_that_goes_while_a_request_waits_is_given_up,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_h1_a_kept_connection_whose_host_has_gone_is_not_used,
                                        begin, end),
    };
    const struct CMUnitTest stopped_h1_tests[] = {
        cmocka_unit_test_setup_teardown(test_h1_a_process_that_has_stopped_is_waited_for, begin,
                                        end),
    };
    const char *how = argc > 1 ? argv[1] : "stopped";
    silence.is_h1 = strstr(how, "-h1") != NULL;
    silence.drops = strncmp(how, "dropped", 7) == 0;
    silence.address = silence.drops ? "10.201.0.2" : silence.is_h1 ? "127.0.0.1" : "[::1]";
    if (silence.drops && !enter_namespace()) {
        printf("skipped: no network namespace can be made here\n");
        return SKIPPED;
    }
    if (!silence.is_h1)
        return cmocka_run_group_tests(tests, NULL, NULL);
    return silence.drops ? cmocka_run_group_tests(h1_tests, NULL, NULL)
                         : cmocka_run_group_tests(stopped_h1_tests, NULL, NULL);
}
