/* What clients keep in memory: nothing of what was, whatever happened, and little after their end.
 */
#include "support/counting_alloc.h"
#include "support/fixture.h"
#include "support/server_process.h"

#define MANY_IO_THREADS 8u
#define WINDOW          60u
#define ROUNDS          400u
#define ATTEMPTS        5u

/* A process of its own, so that what is counted is the client's alone. */
static struct server_process servers;

static int start_servers(void **state)
{
    (void)state;
    struct test_random random = test_random_start("test_client_memory");
    server_process_choose_ports(&servers, &random);
    server_process_start(&servers);
    return 0;
}

static int stop_servers(void **state)
{
    (void)state;
    server_process_stop(&servers, false);
    return 0;
}

enum protocol { H2, H1, TLS, PROTOCOLS };

static struct weft_client *new_client(enum protocol protocol, unsigned io_threads)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = protocol == H2;
    config.ca_file = WEFT_TEST_CERTS "/root.pem";
    config.io_threads = io_threads;
    struct weft_client *client = weft_client_new(&config, NULL);
    assert_non_null(client);
    return client;
}

static struct weft_future *submit(struct weft_client *client, enum protocol protocol,
                                  const char *path)
{
    const unsigned ports[PROTOCOLS] = {
        [H2] = servers.h2_port, [H1] = servers.h1_port, [TLS] = servers.tls_port};
    char url[128];
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_NO_RETRY;
    how.deadline_ms = TEST_WAIT_MS;
    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u%s", protocol == TLS ? "https" : "http",
                   ports[protocol], path);
    struct weft_request *request = weft_request_new("GET", url);
    struct weft_future *future = weft_submit(client, request, &how);
    weft_request_unref(request);
    assert_non_null(future);
    return future;
}

static enum weft_code fetch(struct weft_client *client, enum protocol protocol, const char *path)
{
    struct weft_future *future = submit(client, protocol, path);
    enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
    weft_future_unref(future);
    return code;
}

static void close_client(struct weft_client *client)
{
    assert_int_equal(weft_client_close(client, TEST_WAIT_MS), WEFT_OK);
    weft_client_unref(client);
}

static void test_clients_that_come_and_go_leave_nothing(void **state)
{
    (void)state;
    size_t blocks = counting_alloc_blocks();
    size_t octets = counting_alloc_octets();
    for (unsigned i = 0; i < 10; i++) {
        enum protocol protocol = (enum protocol)(i % PROTOCOLS);
        struct weft_client *client = new_client(protocol, 2);
        assert_int_equal(fetch(client, protocol, "/bytes/70000"), WEFT_OK);
        struct weft_future *hanging = submit(client, protocol, "/hang");
        assert_int_equal(weft_client_close(client, 0), WEFT_OK);
        assert_int_equal(weft_future_wait(hanging, 0), WEFT_ERR_CLOSED);
        weft_client_unref(client);
        assert_true(counting_alloc_octets() > octets);
        weft_future_unref(hanging);
        assert_int_equal(counting_alloc_blocks(), blocks);
        assert_int_equal(counting_alloc_octets(), octets);
    }
}

static void test_a_future_that_outlives_its_client_keeps_no_buffers(void **state)
{
    (void)state;
    struct weft_client *client = new_client(H2, MANY_IO_THREADS);
    struct weft_future *future = submit(client, H2, "/bytes/10");
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    size_t running = counting_alloc_octets();
    close_client(client);
    size_t kept = counting_alloc_octets();
    print_message("%zu octets while it ran, %zu kept by a future\n", running, kept);
    assert_true(kept < MANY_IO_THREADS * 40960u + 131072u);
    assert_int_equal(weft_future_status(future), 200);
    weft_future_unref(future);
}

/* What lies between two requests changes with what the server does meanwhile; the least of many
 * looks does not. After the first path a connection stays; after others it may still be there or
 * not, as the threads run. */
static size_t least_after_rounds(struct weft_client *client, enum protocol protocol,
                                 unsigned rounds)
{
    static const char *const paths[] = {"/bytes/10", "/bytes/70000", "/reset",
                                        "/cut",      "/goaway",      "/bytes/999"};
    size_t least = SIZE_MAX;
    for (unsigned i = 0; i < rounds; i++) {
        (void)fetch(client, protocol, paths[i % (sizeof(paths) / sizeof(paths[0]))]);
        size_t octets = counting_alloc_octets();
        if (i % (sizeof(paths) / sizeof(paths[0])) == 0 && i + WINDOW >= rounds && octets < least)
            least = octets;
    }
    return least;
}

static void check_requests_and_connections(enum protocol protocol)
{
    struct weft_client *client = new_client(protocol, 1);
    struct weft_stats stats = {.size = sizeof(stats)};
    size_t early = least_after_rounds(client, protocol, ROUNDS / 4);
    size_t late = SIZE_MAX;
    /* A coincidence passes, a leak grows. Four octets a request are too many. */
    for (unsigned i = 0; i < ATTEMPTS && late > early + 4u * ROUNDS; i++)
        late = least_after_rounds(client, protocol, ROUNDS);
    weft_client_stats(client, &stats);
    print_message("%llu requests on %llu connections: %zu octets early, %zu late\n",
                  (unsigned long long)stats.submitted, (unsigned long long)stats.connections_opened,
                  early, late);
    assert_true(stats.connections_opened > ROUNDS / 4);
    assert_true(late <= early + 4u * ROUNDS);
    close_client(client);
}

static void test_requests_and_connections_of_http2_leave_no_memory_behind(void **state)
{
    (void)state;
    check_requests_and_connections(H2);
}

static void test_requests_and_connections_of_http1_leave_no_memory_behind(void **state)
{
    (void)state;
    check_requests_and_connections(H1);
}

static void test_requests_and_connections_over_tls_leave_no_memory_behind(void **state)
{
    (void)state;
    check_requests_and_connections(TLS);
}

int main(int argc, char **argv)
{
    int status = server_process_main(argc, argv);
    if (status >= 0)
        return status;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients_that_come_and_go_leave_nothing),
        cmocka_unit_test(test_a_future_that_outlives_its_client_keeps_no_buffers),
        cmocka_unit_test(test_requests_and_connections_of_http2_leave_no_memory_behind),
        cmocka_unit_test(test_requests_and_connections_of_http1_leave_no_memory_behind),
        cmocka_unit_test(test_requests_and_connections_over_tls_leave_no_memory_behind),
    };
    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
