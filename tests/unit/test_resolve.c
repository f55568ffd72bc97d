#include "io_thread/resolve.h"

#include "base/assert.h"
#include "io_thread/bad_addresses.h"
#include "io_thread/poller.h"
#include "io_thread/timers.h"

#include "support/cmocka.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TYPE_A    1
#define TYPE_AAAA 28

#define RCODE_OK       0
#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define RCODE_SILENCE  255

/* A name server on loopback, in the same poller, that knows these names. */
struct zone_entry {
    const char *name;
    uint8_t rcode;
    uint32_t ttl_s;
    uint8_t v4_count; /* 192.0.2.1 and up */
    uint8_t v6_count; /* 2001:db8::1 and up */
};

static const struct zone_entry zone[] = {
    {"both.test", RCODE_OK, 300, 3, 2},      {"four.test", RCODE_OK, 60, 1, 0},
    {"six.test", RCODE_OK, 60, 0, 1},        {"many.test", RCODE_OK, 10, 20, 9},
    {"empty.test", RCODE_OK, 0, 0, 0},       {"broken.test", RCODE_SERVFAIL, 0, 0, 0},
    {"brief.test", RCODE_OK, 0, 1, 0},       {"second.test", RCODE_OK, 1, 1, 0},
    {"silent.test", RCODE_SILENCE, 0, 0, 0},
};

struct answer {
    int count; /* of callbacks */
    enum wf_resolve_result result;
    size_t addresses_count;
    struct wf_address addresses[WF_ADDRESSES_MAX];
    uint32_t ttl_s;
    char text[200];
};

struct fixture {
    struct wf_poller poller;
    struct wf_timers timers;
    struct wf_resolver *resolver;
    struct wf_poll_source server;
    int queries;
    struct answer answer;
};

static struct fixture fixture;

static uint64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The labels of a question as text; returns the length of their wire form, or 0. */
static size_t read_name(const uint8_t *wire, size_t len, char *out, size_t cap)
{
    size_t at = 0, to = 0;
    while (at < len && wire[at] != 0) {
        size_t label = wire[at++];
        if (label > 63 || at + label > len || to + label + 2 > cap)
            return 0;
        if (to > 0)
            out[to++] = '.';
        memcpy(out + to, wire + at, label);
        to += label;
        at += label;
    }
    out[to] = '\0';
    return at + 1;
}

static const struct zone_entry *find_entry(const char *name)
{
    static const struct zone_entry unknown = {"", RCODE_NXDOMAIN, 0, 0, 0};
    for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++) {
        if (strcmp(zone[i].name, name) == 0)
            return &zone[i];
    }
    return &unknown;
}

static size_t put_record(uint8_t *to, unsigned type, uint32_t ttl_s, unsigned number)
{
    uint8_t *start = to;
    size_t len = type == TYPE_A ? 4 : 16;
    const uint8_t head[] = {0xc0,
                            12,
                            0,
                            (uint8_t)type,
                            0,
                            1,
                            (uint8_t)(ttl_s >> 24),
                            (uint8_t)(ttl_s >> 16),
                            (uint8_t)(ttl_s >> 8),
                            (uint8_t)ttl_s,
                            0,
                            (uint8_t)len};
    memcpy(to, head, sizeof(head));
    to += sizeof(head);
    memset(to, 0, len);
    memcpy(to, type == TYPE_A ? "\xc0\x00\x02\x00" : "\x20\x01\x0d\xb8", 4);
    to[len - 1] = (uint8_t)number;
    return (size_t)(to + len - start);
}

static void answer_query(const uint8_t *query, size_t len, const struct sockaddr_in *from)
{
    uint8_t reply[1500];
    char name[256];
    size_t name_len = len > 12 ? read_name(query + 12, len - 12, name, sizeof(name)) : 0;
    size_t at = 12 + name_len + 4;
    if (name_len == 0 || at > len)
        return;
    fixture.queries++;
    const struct zone_entry *entry = find_entry(name);
    unsigned type = query[at - 3];
    size_t count = type == TYPE_A ? entry->v4_count : type == TYPE_AAAA ? entry->v6_count : 0;
    if (entry->rcode == RCODE_SILENCE)
        return;
    memcpy(reply, query, at);
    reply[2] = 0x81;
    reply[3] = (uint8_t)(0x80 | entry->rcode);
    memset(reply + 4, 0, 8);
    reply[5] = 1;
    reply[7] = (uint8_t)count;
    for (size_t i = 0; i < count; i++)
        at += put_record(reply + at, type, entry->ttl_s, (unsigned)i + 1);
    (void)sendto(fixture.server.fd, reply, at, 0, (const struct sockaddr *)from, sizeof(*from));
}

static void server_ready(struct wf_poll_source *source, uint32_t events)
{
    uint8_t query[512];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    (void)events;
    ssize_t len =
        recvfrom(source->fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_len);
    if (len > 0)
        answer_query(query, (size_t)len, &from);
}

static int start_server(char *out_address, size_t cap)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0 ||
        getsockname(fd, (struct sockaddr *)&in, &len) != 0)
        return -1;
    (void)snprintf(out_address, cap, "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
    wf_poll_source_init(&fixture.server, fd, server_ready);
    return wf_poller_add(&fixture.poller, &fixture.server, EPOLLIN);
}

static int set_up(void **state)
{
    (void)state;
    char address[64];
    memset(&fixture, 0, sizeof(fixture));
    wf_timers_init(&fixture.timers, clock_ms());
    if (wf_poller_init(&fixture.poller) != 0 || start_server(address, sizeof(address)) != 0)
        return -1;
    fixture.resolver = wf_resolver_new(&fixture.poller, &fixture.timers);
    return fixture.resolver == NULL ? -1 : wf_resolver_configure(fixture.resolver, address, 100, 2);
}

static int tear_down(void **state)
{
    (void)state;
    wf_resolver_free(fixture.resolver);
    wf_poller_remove(&fixture.poller, &fixture.server);
    (void)close(fixture.server.fd);
    assert_int_equal(wf_timers_next(&fixture.timers), WF_TIMER_NONE);
    wf_poller_fini(&fixture.poller);
    return 0;
}

static void on_answer(void *user, const struct wf_resolution *resolution)
{
    struct answer *answer = user;
    answer->count++;
    answer->result = resolution->result;
    answer->addresses_count = resolution->count;
    memcpy(answer->addresses, resolution->addresses, resolution->count * sizeof(struct wf_address));
    answer->ttl_s = resolution->ttl_s;
    (void)snprintf(answer->text, sizeof(answer->text), "%s", resolution->text);
}

static void turn(void)
{
    uint64_t next_ms = wf_timers_next(&fixture.timers);
    uint64_t now_ms = clock_ms();
    int wait_ms = next_ms <= now_ms ? 0 : next_ms - now_ms > 1000 ? 1000 : (int)(next_ms - now_ms);
    assert_true(wf_poller_wait(&fixture.poller, wait_ms) >= 0);
    (void)wf_timers_advance(&fixture.timers, clock_ms());
}

static const struct answer *resolve(const char *host, uint16_t port)
{
    fixture.answer = (struct answer){0};
    assert_non_null(wf_resolve(fixture.resolver, host, port, on_answer, &fixture.answer));
    assert_int_equal(fixture.answer.count, 0); /* never from inside the call */
    for (int i = 0; i < 2000 && fixture.answer.count == 0; i++)
        turn();
    assert_int_equal(fixture.answer.count, 1);
    return &fixture.answer;
}

static void assert_address(const struct answer *answer, size_t i, const char *expected)
{
    char text[WF_ADDRESS_TEXT_MAX];
    assert_true(i < answer->addresses_count);
    assert_string_equal(wf_address_text(&answer->addresses[i], text, sizeof(text)), expected);
}

static void test_literals_need_no_server(void **state)
{
    (void)state;
    const struct answer *answer = resolve("192.0.2.7", 443);
    assert_int_equal(answer->result, WF_RESOLVE_OK);
    assert_int_equal(answer->addresses_count, 1);
    assert_address(answer, 0, "192.0.2.7:443");
    answer = resolve("2001:db8::7", 8443);
    assert_int_equal(answer->addresses_count, 1);
    assert_address(answer, 0, "[2001:db8::7]:8443");
    assert_int_equal(answer->ttl_s, UINT32_MAX);
    assert_int_equal(fixture.queries, 0);
}

static void test_localhost_is_the_loopback_whoever_is_asked(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost", "LocalHost", "localhost.", "a.b.localhost"};
    for (size_t i = 0; i < 4; i++) {
        const struct answer *answer = resolve(names[i], 80);
        assert_int_equal(answer->result, WF_RESOLVE_OK);
        assert_int_equal(answer->addresses_count, 2);
        assert_address(answer, 0, "[::1]:80");
        assert_address(answer, 1, "127.0.0.1:80");
    }
    assert_int_equal(fixture.queries, 0);
    assert_int_equal(resolve("notlocalhost", 80)->result, WF_RESOLVE_NOT_FOUND);
}

static void test_families_take_turns(void **state)
{
    (void)state;
    const struct answer *answer = resolve("both.test", 443);
    assert_string_equal(answer->text, "");
    assert_int_equal(answer->result, WF_RESOLVE_OK);
    assert_int_equal(answer->addresses_count, 5);
    assert_int_equal(answer->ttl_s, 300);
    int first = answer->addresses[0].storage.ss_family;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(answer->addresses[i].storage.ss_family == first, i % 2 == 0);
    assert_int_equal(answer->addresses[4].storage.ss_family, AF_INET);
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&answer->addresses[i], &answer->addresses[j],
                                    sizeof(struct wf_address));
    }
}

static void test_one_family_alone_is_enough(void **state)
{
    (void)state;
    const struct answer *answer = resolve("four.test", 1);
    assert_int_equal(answer->addresses_count, 1);
    assert_address(answer, 0, "192.0.2.1:1");
    answer = resolve("six.test", 2);
    assert_int_equal(answer->addresses_count, 1);
    assert_address(answer, 0, "[2001:db8::1]:2");
}

static void test_a_long_answer_is_cut_and_keeps_both_families(void **state)
{
    (void)state;
    const struct answer *answer = resolve("many.test", 443);
    assert_int_equal(answer->addresses_count, WF_ADDRESSES_MAX);
    size_t v6 = 0;
    for (size_t i = 0; i < WF_ADDRESSES_MAX; i++)
        v6 += answer->addresses[i].storage.ss_family == AF_INET6;
    assert_int_equal(v6, 8);
}

static void test_an_unknown_name_is_told_as_such(void **state)
{
    (void)state;
    const struct answer *answer = resolve("unknown.test", 443);
    assert_int_equal(answer->result, WF_RESOLVE_NOT_FOUND);
    assert_int_equal(answer->addresses_count, 0);
    assert_string_equal(answer->text, "cannot resolve unknown.test: there is no such name");
}

static void test_a_name_without_addresses_is_told_as_such(void **state)
{
    (void)state;
    const struct answer *answer = resolve("empty.test", 443);
    assert_int_equal(answer->result, WF_RESOLVE_NOT_FOUND);
    assert_string_equal(answer->text, "cannot resolve empty.test: the name has no address");
}

static void test_a_server_that_fails_is_told_as_such(void **state)
{
    (void)state;
    assert_int_equal(resolve("broken.test", 443)->result, WF_RESOLVE_NO_SERVER);
}

static void test_a_server_that_is_silent_ends_in_a_timeout(void **state)
{
    (void)state;
    const struct answer *answer = resolve("silent.test", 443);
    assert_int_equal(answer->result, WF_RESOLVE_TIMEOUT);
    assert_true(fixture.queries >= 4); /* each family asked twice */
}

static void test_no_server_at_all_is_told_as_such(void **state)
{
    (void)state;
    struct wf_resolver *other = wf_resolver_new(&fixture.poller, &fixture.timers);
    assert_non_null(other);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    (void)close(fd); /* nobody listens there now */
    char address[64];
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
    assert_int_equal(wf_resolver_configure(other, address, 100, 1), 0);
    struct wf_resolver *mine = fixture.resolver;
    fixture.resolver = other;
    enum wf_resolve_result result = resolve("four.test", 443)->result;
    fixture.resolver = mine;
    wf_resolver_free(other);
    assert_true(result == WF_RESOLVE_NO_SERVER || result == WF_RESOLVE_TIMEOUT);
}

static void test_what_cannot_be_a_name_is_refused(void **state)
{
    (void)state;
    char huge[400];
    memset(huge, 'a', sizeof(huge));
    huge[sizeof(huge) - 1] = '\0';
    const char *const names[] = {"", ".", ".test", "a b.test", "a\nb.test", "\xc3\xa9.test", huge};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(resolve(names[i], 443)->result, WF_RESOLVE_BAD_NAME);
    assert_int_equal(fixture.queries, 0);
}

/* The first name of the hosts file that is not answered by other means. */
static bool name_of_hosts_file(char *out, size_t cap)
{
    char line[512], address[128], name[128];
    FILE *file = fopen("/etc/hosts", "r");
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        found = line[0] != '#' && sscanf(line, "%127s %127s", address, name) == 2 &&
                strstr(name, "localhost") == NULL && strchr(address, '%') == NULL;
    }
    if (file != NULL)
        (void)fclose(file);
    if (found)
        (void)snprintf(out, cap, "%s", name);
    return found;
}

static void test_names_of_the_hosts_file_need_no_server(void **state)
{
    (void)state;
    char name[128];
    if (!name_of_hosts_file(name, sizeof(name))) {
        print_message("the hosts file has no name to try\n");
        skip();
    }
    const struct answer *answer = resolve(name, 443);
    assert_int_equal(answer->result, WF_RESOLVE_OK);
    assert_true(answer->addresses_count > 0);
    assert_int_equal(fixture.queries, 0);
}

static void test_a_cancelled_lookup_calls_nobody(void **state)
{
    (void)state;
    struct answer unwanted = {0};
    struct wf_lookup *literal = wf_resolve(fixture.resolver, "192.0.2.1", 1, on_answer, &unwanted);
    struct wf_lookup *asked = wf_resolve(fixture.resolver, "four.test", 1, on_answer, &unwanted);
    assert_non_null(literal);
    assert_non_null(asked);
    wf_lookup_cancel(literal);
    wf_lookup_cancel(asked);
    wf_lookup_cancel(NULL);
    /* What is asked afterwards is answered after what was asked before. */
    assert_int_equal(resolve("six.test", 1)->result, WF_RESOLVE_OK);
    assert_int_equal(unwanted.count, 0);
}

static void test_freeing_with_lookups_in_flight_calls_nobody(void **state)
{
    (void)state;
    struct answer unwanted = {0};
    assert_non_null(wf_resolve(fixture.resolver, "silent.test", 1, on_answer, &unwanted));
    assert_non_null(wf_resolve(fixture.resolver, "192.0.2.1", 1, on_answer, &unwanted));
    struct wf_lookup *cancelled =
        wf_resolve(fixture.resolver, "four.test", 1, on_answer, &unwanted);
    wf_lookup_cancel(cancelled);
    wf_resolver_free(fixture.resolver);
    fixture.resolver = NULL;
    turn();
    assert_int_equal(unwanted.count, 0);
}

static void on_answer_free_resolver(void *user, const struct wf_resolution *resolution)
{
    on_answer(user, resolution);
    wf_resolver_free(fixture.resolver);
    fixture.resolver = NULL;
}

static void test_the_callback_may_free_the_resolver(void **state)
{
    (void)state;
    struct answer answer = {0}, unwanted = {0};
    assert_non_null(wf_resolve(fixture.resolver, "four.test", 1, on_answer_free_resolver, &answer));
    assert_non_null(wf_resolve(fixture.resolver, "silent.test", 1, on_answer, &unwanted));
    for (int i = 0; i < 2000 && answer.count == 0; i++)
        turn();
    assert_int_equal(answer.count, 1);
    turn();
    assert_int_equal(unwanted.count, 0);
}

static void test_many_lookups_at_once_are_each_answered_once(void **state)
{
    (void)state;
    enum { COUNT = 50 };
    static struct answer answers[COUNT];
    memset(answers, 0, sizeof(answers));
    static const char *const names[] = {"four.test", "unknown.test", "192.0.2.1", "both.test"};
    for (size_t i = 0; i < COUNT; i++)
        assert_non_null(
            wf_resolve(fixture.resolver, names[i % 4], (uint16_t)i, on_answer, &answers[i]));
    int missing = COUNT;
    for (int i = 0; i < 2000 && missing > 0; i++) {
        turn();
        missing = 0;
        for (size_t j = 0; j < COUNT; j++)
            missing += answers[j].count == 0;
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(answers[i].count, 1);
        assert_int_equal(answers[i].result, i % 4 == 1 ? WF_RESOLVE_NOT_FOUND : WF_RESOLVE_OK);
    }
}

static void test_an_answer_is_kept_for_its_ttl(void **state)
{
    (void)state;
    (void)resolve("four.test", 443);
    int asked = fixture.queries;
    assert_true(asked > 0);
    const struct answer *answer = resolve("FOUR.test", 80);
    assert_int_equal(answer->result, WF_RESOLVE_OK);
    assert_address(answer, 0, "192.0.2.1:80");
    assert_in_range(answer->ttl_s, 1, 60);
    assert_int_equal(fixture.queries, asked);
    (void)resolve("brief.test", 443);
    asked = fixture.queries;
    (void)resolve("brief.test", 443); /* a TTL of 0 */
    assert_true(fixture.queries > asked);
}

static void test_an_answer_that_is_too_old_is_asked_for_again(void **state)
{
    (void)state;
    (void)resolve("second.test", 443);
    int asked = fixture.queries;
    uint64_t until_ms = clock_ms() + 1001;
    while (clock_ms() < until_ms)
        turn();
    assert_int_equal(resolve("second.test", 443)->result, WF_RESOLVE_OK);
    assert_true(fixture.queries > asked);
}

static void test_an_unknown_name_is_not_asked_for_again_at_once(void **state)
{
    (void)state;
    assert_int_equal(resolve("unknown.test", 443)->result, WF_RESOLVE_NOT_FOUND);
    int asked = fixture.queries;
    const struct answer *answer = resolve("unknown.test", 443);
    assert_int_equal(answer->result, WF_RESOLVE_NOT_FOUND);
    assert_non_null(strstr(answer->text, "unknown.test"));
    assert_int_equal(fixture.queries, asked);
    /* That a server failed says nothing about the name. */
    assert_int_equal(resolve("broken.test", 443)->result, WF_RESOLVE_NO_SERVER);
    asked = fixture.queries;
    assert_int_equal(resolve("broken.test", 443)->result, WF_RESOLVE_NO_SERVER);
    assert_true(fixture.queries > asked);
}

static void test_many_who_ask_for_one_name_make_one_query(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    static struct answer answers[COUNT];
    memset(answers, 0, sizeof(answers));
    atomic_ullong queries = 0, hits = 0;
    const struct wf_resolver_setup setup = {.queries = &queries, .cache_hits = &hits};
    wf_resolver_set_up(fixture.resolver, &setup);
    struct wf_lookup *first = wf_resolve(fixture.resolver, "both.test", 1, on_answer, &answers[0]);
    for (size_t i = 1; i < COUNT; i++)
        assert_non_null(
            wf_resolve(fixture.resolver, "both.test", (uint16_t)i, on_answer, &answers[i]));
    wf_lookup_cancel(first); /* the others go on without it */
    for (int i = 0; i < 2000 && answers[COUNT - 1].count == 0; i++)
        turn();
    assert_int_equal(answers[0].count, 0);
    for (size_t i = 1; i < COUNT; i++) {
        char expected[32];
        (void)snprintf(expected, sizeof(expected), ":%zu", i);
        assert_int_equal(answers[i].count, 1);
        assert_int_equal(answers[i].addresses_count, 5);
        char text[WF_ADDRESS_TEXT_MAX];
        (void)wf_address_text(&answers[i].addresses[0], text, sizeof(text));
        assert_string_equal(strrchr(text, ':'), expected);
    }
    assert_int_equal(queries, 1);
    assert_int_equal(hits, 0);
    assert_int_equal(fixture.queries, 2); /* A and AAAA */
    (void)resolve("both.test", 443);
    assert_int_equal(queries, 1);
    assert_int_equal(hits, 1);
}

static void test_an_address_that_failed_comes_last(void **state)
{
    (void)state;
    static struct wf_bad_addresses bad;
    const struct wf_resolver_setup setup = {.bad_addresses = &bad};
    wf_resolver_set_up(fixture.resolver, &setup);
    struct wf_address failed = resolve("both.test", 443)->addresses[0];
    wf_bad_addresses_note(&bad, &failed, fixture.timers.now_ms);
    const struct answer *answer = resolve("both.test", 443);
    assert_int_equal(answer->addresses_count, 5);
    assert_memory_equal(&answer->addresses[4], &failed, sizeof(failed));
    answer = resolve("both.test", 444); /* another port is another service */
    assert_memory_not_equal(&answer->addresses[4], &failed, sizeof(failed));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_literals_need_no_server),
        TEST(test_localhost_is_the_loopback_whoever_is_asked),
        TEST(test_families_take_turns),
        TEST(test_one_family_alone_is_enough),
        TEST(test_a_long_answer_is_cut_and_keeps_both_families),
        TEST(test_an_unknown_name_is_told_as_such),
        TEST(test_a_name_without_addresses_is_told_as_such),
        TEST(test_a_server_that_fails_is_told_as_such),
        TEST(test_a_server_that_is_silent_ends_in_a_timeout),
        TEST(test_no_server_at_all_is_told_as_such),
        TEST(test_what_cannot_be_a_name_is_refused),
        TEST(test_names_of_the_hosts_file_need_no_server),
        TEST(test_a_cancelled_lookup_calls_nobody),
        TEST(test_freeing_with_lookups_in_flight_calls_nobody),
        TEST(test_the_callback_may_free_the_resolver),
        TEST(test_many_lookups_at_once_are_each_answered_once),
        TEST(test_an_answer_is_kept_for_its_ttl),
        TEST(test_an_answer_that_is_too_old_is_asked_for_again),
        TEST(test_an_unknown_name_is_not_asked_for_again_at_once),
        TEST(test_many_who_ask_for_one_name_make_one_query),
        TEST(test_an_address_that_failed_comes_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
