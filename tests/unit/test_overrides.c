#include "io_thread/overrides.h"

#include "support/cmocka.h"
#include "support/failing_alloc.h"

#include <string.h>
#include <sys/un.h>

static struct weft_config config;
static struct weft_error error;
static struct wf_overrides *overrides;

static int set_up(void **state)
{
    (void)state;
    config = (struct weft_config)WEFT_CONFIG_INIT;
    overrides = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wf_overrides_free(overrides);
    return 0;
}

static void make(void)
{
    overrides = wf_overrides_new(&config, &error);
    if (overrides == NULL)
        print_error("%s\n", error.text);
    assert_non_null(overrides);
}

static void assert_resolves(const char *host, uint16_t port, const char *expected)
{
    struct wf_address addresses[WF_ADDRESSES_MAX];
    char all[512] = "", text[WF_ADDRESS_TEXT_MAX];
    size_t count = wf_overrides_resolve(overrides, host, port, addresses);
    for (size_t i = 0; i < count; i++) {
        (void)strcat(all, i > 0 ? " " : "");
        (void)strcat(all, wf_address_text(&addresses[i], text, sizeof(text)));
    }
    assert_string_equal(all, expected);
}

static void assert_connects(const char *host, uint16_t port, const char *to_host, uint16_t to_port)
{
    const char *out_host;
    uint16_t out_port;
    wf_overrides_connect_to(overrides, host, port, &out_host, &out_port);
    assert_string_equal(out_host, to_host);
    assert_int_equal(out_port, to_port);
}

static void test_resolve_gives_addresses_for_a_host_and_port(void **state)
{
    (void)state;
    const char *const list[] = {"a.test:443:192.0.2.1,[2001:db8::1],2001:db8::2",
                                "+b.test:80:192.0.2.9", "[::1]:81:192.0.2.3", NULL};
    config.resolve = list;
    make();
    assert_resolves("a.test", 443, "192.0.2.1:443 [2001:db8::1]:443 [2001:db8::2]:443");
    assert_resolves("A.TEST", 443, "192.0.2.1:443 [2001:db8::1]:443 [2001:db8::2]:443");
    assert_resolves("a.test", 80, "");
    assert_resolves("b.test", 80, "192.0.2.9:80");
    assert_resolves("::1", 81, "192.0.2.3:81");
    assert_resolves("c.test", 443, "");
}

static void test_a_star_is_any_host_and_comes_last(void **state)
{
    (void)state;
    const char *const list[] = {"*:443:192.0.2.1", "a.test:443:192.0.2.2", NULL};
    config.resolve = list;
    make();
    assert_resolves("a.test", 443, "192.0.2.2:443");
    assert_resolves("other.test", 443, "192.0.2.1:443");
    assert_resolves("other.test", 80, "");
}

static void test_the_last_entry_counts_and_a_minus_takes_one_away(void **state)
{
    (void)state;
    const char *const list[] = {"a.test:443:192.0.2.1", "a.test:443:192.0.2.2",
                                "b.test:443:192.0.2.3", "-B.test:443", NULL};
    config.resolve = list;
    make();
    assert_resolves("a.test", 443, "192.0.2.2:443");
    assert_resolves("b.test", 443, "");
}

static void test_connect_to_changes_host_and_port(void **state)
{
    (void)state;
    const char *const list[] = {
        "a.test:443:b.test:8443", "a.test:80:b.test:", "[2001:db8::1]::[::1]:99",
        "::127.0.0.1:1",          "::never.test:2",    NULL};
    config.connect_to = list;
    make();
    assert_connects("a.test", 443, "b.test", 8443);
    assert_connects("A.test", 80, "b.test", 80);
    assert_connects("2001:db8::1", 5, "::1", 99);
    assert_connects("else.test", 5, "127.0.0.1", 1);
}

static void test_connect_to_leaves_alone_what_fits_no_entry(void **state)
{
    (void)state;
    const char *const list[] = {"a.test:443:b.test:8443", ":81::82", NULL};
    config.connect_to = list;
    make();
    assert_connects("a.test", 444, "a.test", 444);
    assert_connects("b.test", 443, "b.test", 443);
    assert_connects("b.test", 81, "b.test", 82);
}

static void assert_unix(const char *path, const char *octets, size_t len)
{
    struct wf_address addresses[WF_ADDRESSES_MAX];
    config.unix_socket = path;
    make();
    assert_int_equal(wf_overrides_resolve(overrides, "a.test", 443, addresses), 1);
    const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)&addresses[0].storage;
    assert_int_equal(un->sun_family, AF_UNIX);
    assert_int_equal(addresses[0].len, offsetof(struct sockaddr_un, sun_path) + len);
    assert_memory_equal(un->sun_path, octets, len);
    wf_overrides_free(overrides);
    overrides = NULL;
}

static void test_a_unix_socket_stands_for_every_host(void **state)
{
    (void)state;
    assert_unix("/run/x", "/run/x", 7);
    assert_unix("@name", "\0name", 5);
    char longest[108];
    memset(longest, 'x', sizeof(longest));
    longest[107] = '\0';
    assert_unix(longest, longest, 108);
}

static void assert_refused(const char *why)
{
    struct wf_overrides *made = wf_overrides_new(&config, &error);
    assert_null(made);
    assert_int_equal(error.code, WEFT_ERR_INVALID_ARGUMENT);
    if (strstr(error.text, why) == NULL)
        print_error("%s\n", error.text);
    assert_non_null(strstr(error.text, why));
}

static void test_a_malformed_resolve_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const entries[][2] = {
        {"", "colon"},
        {"a.test", "colon"},
        {"a.test:", "port"},
        {"a.test:0:192.0.2.1", "port"},
        {"a.test:65536:192.0.2.1", "port"},
        {"a.test:x:192.0.2.1", "port"},
        {"a.test:443", "colon"},
        {"a.test:443:", "neither"},
        {"a.test:443:192.0.2.1,", "neither"},
        {"a.test:443:b.test", "neither"},
        {"a.test:443:[192.0.2.1", "neither"},
        {":443:192.0.2.1", "host is missing"},
        {"[::1:443:192.0.2.1", "bracket"},
        {"[a.test]:443:192.0.2.1", "brackets"},
        {"a test:443:192.0.2.1", "character"},
        {"-a.test:443:192.0.2.1", "follow"},
        {"a.test:443:1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
         "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
         "16 addresses"},
    };
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        const char *const list[] = {entries[i][0], NULL};
        config.resolve = list;
        assert_refused(entries[i][1]);
        assert_non_null(strstr(error.text, "config.resolve"));
    }
}

static void test_a_malformed_connect_to_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const entries[][2] = {
        {"", "colon"},          {"a:1:b", "colon"},        {"a:1", "colon"},
        {"a:b:c:1", "port"},    {"a:1:b:c", "port"},       {"a:1:b:70000", "port"},
        {"a:1:b:2:", "follow"}, {"a:1:[b]:2", "brackets"}, {"a:1:b/c:2", "character"},
    };
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        const char *const list[] = {entries[i][0], NULL};
        config.connect_to = list;
        assert_refused(entries[i][1]);
        assert_non_null(strstr(error.text, "config.connect_to"));
    }
}

static void test_a_unix_socket_that_cannot_be_is_refused(void **state)
{
    (void)state;
    char path[120];
    memset(path, 'x', sizeof(path));
    path[108] = '\0';
    config.unix_socket = path;
    assert_refused("longer");
    config.unix_socket = "";
    assert_refused("empty");
    config.unix_socket = "@";
    assert_refused("empty");
}

static void test_name_servers_are_checked_at_once(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1", "127.0.0.1:5353,[::1]", "::1",
                                       "[::1]:53,192.0.2.1"};
    for (size_t i = 0; i < 4; i++) {
        config.dns_servers = good[i];
        make();
        wf_overrides_free(overrides);
        overrides = NULL;
    }
    static const char *const bad[] = {"",           "ns.test",     "127.0.0.1,",
                                      "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000",
                                      "[::1]:x",    "[::1",        "127.0.0.1:53x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        config.dns_servers = bad[i];
        assert_refused("config.dns_servers");
    }
}

static void test_each_allocation_may_fail(void **state)
{
    (void)state;
    const char *const resolve[] = {"a.test:443:192.0.2.1", "b.test:443:192.0.2.2", NULL};
    const char *const connect_to[] = {"a.test:443:b.test:443", NULL};
    config.resolve = resolve;
    config.connect_to = connect_to;
    for (long n = 0; n < 4; n++) {
        failing_alloc_after(n);
        assert_null(wf_overrides_new(&config, &error));
        failing_alloc_after(-1);
        assert_int_equal(error.code, WEFT_ERR_NO_MEMORY);
    }
    make();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_resolve_gives_addresses_for_a_host_and_port),
        TEST(test_a_star_is_any_host_and_comes_last),
        TEST(test_the_last_entry_counts_and_a_minus_takes_one_away),
        TEST(test_connect_to_changes_host_and_port),
        TEST(test_connect_to_leaves_alone_what_fits_no_entry),
        TEST(test_a_unix_socket_stands_for_every_host),
        TEST(test_a_malformed_resolve_is_refused_by_name),
        TEST(test_a_malformed_connect_to_is_refused_by_name),
        TEST(test_a_unix_socket_that_cannot_be_is_refused),
        TEST(test_name_servers_are_checked_at_once),
        TEST(test_each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
