/* How many connections an origin has: on demand, of age, remembered, held back. */
#include "support/fixture.h"

#include "h2/session_internal.h"
#include "io_thread/conn.h"
#include "io_thread/demand.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "support/memory_wire.h"
#include "support/raw_server.h"

#include <sys/socket.h>
#include <unistd.h>

#define HANGING   20u
#define HEADERS   1
#define SETTINGS  4
#define GOAWAY    7
#define END_FLAGS 5 /* END_STREAM and END_HEADERS */

static struct weft_stats stats_of(struct weft_client *client)
{
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(client, &stats);
    return stats;
}

/* Lets the client go on for @ms. */
static void pass(int64_t ms)
{
    struct weft_cq *never = weft_cq_new();
    struct weft_event event;
    assert_int_equal(weft_cq_next(never, &event, 1, ms), 0);
    weft_cq_unref(never);
}

static void hang(struct fixture *f, struct weft_future **futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        futures[i] = fixture_submit(f, "/hang", NULL);
}

static void drop(struct weft_future **futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        weft_future_unref(futures[i]);
}

static void get(struct fixture *f)
{
    weft_future_unref(fixture_expect(f, "/bytes/5", WEFT_OK, 0, 0));
}

static void test_streams_that_run_out_open_as_many_connections_as_needed(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 4};
    struct fixture f = fixture_with(&server, NULL);
    struct weft_future *futures[HANGING];
    get(&f); /* now the limit is known */
    assert_int_equal(loop_server_connections(f.server), 1);
    hang(&f, futures, HANGING);
    loop_server_await_requests(f.server, 1 + HANGING);
    assert_int_equal(loop_server_connections(f.server), HANGING / 4);
    drop(futures, HANGING);
    fixture_free(&f);
}

static void test_connections_are_bounded_and_the_rest_waits(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 1};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_connections_per_origin = 3;
    struct fixture f = fixture_with(&server, &config);
    struct weft_future *futures[200];
    get(&f);
    for (size_t i = 0; i < 200; i++)
        futures[i] = fixture_submit(&f, "/bytes/3", NULL);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(loop_server_connections(f.server), 3);
    drop(futures, 200);
    fixture_free(&f);
}

static void mute(struct raw_server *server, int fd, unsigned round)
{
    (void)server;
    (void)round;
    raw_drain(fd);
}

/* @in_line of @count requests wait, and for one connection. */
static void burst(const char *scheme, const struct weft_config *config, size_t count,
                  size_t in_line)
{
    struct raw_server server;
    raw_server_start(&server, mute, NULL);
    struct weft_client *client = weft_client_new(config, NULL);
    assert_non_null(client);
    struct weft_future *futures[300];
    char url[64];
    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u/", scheme, server.port);
    for (size_t i = 0; i < count; i++)
        futures[i] = weft_get(client, url);
    while (stats_of(client).submitted < count || server.connections == 0)
        pass(1);
    pass(20);
    assert_int_equal(stats_of(client).requests_queued, in_line);
    assert_int_equal(server.connections, 1);
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    drop(futures, count);
    weft_client_unref(client);
    raw_server_stop(&server);
}

static void test_a_cold_burst_opens_one_probe(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.insecure_skip_verify = true;
    config.connections_per_origin = 4;
    burst("https", &config, 50, 50);
}

static void test_no_further_connection_before_the_streams_of_the_first_are_known(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.versions = WEFT_HTTP_2;
    burst("http", &config, 250, 150);
}

static void test_the_limits_of_an_origin_are_remembered_without_a_connection(void **state)
{
    (void)state;
    struct loop_server_config server = {.max_streams = 4};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.idle_timeout_ms = 20;
    struct fixture f = fixture_with(&server, &config);
    struct weft_future *futures[HANGING];
    get(&f);
    while (stats_of(f.client).connections_open > 0)
        pass(1);
    hang(&f, futures, HANGING);
    loop_server_await_requests(f.server, 1 + HANGING);
    assert_int_equal(loop_server_connections(f.server), 1 + HANGING / 4);
    /* Nothing was sent that had to be refused. */
    assert_int_equal(loop_server_requests(f.server), 1 + HANGING);
    drop(futures, HANGING);
    fixture_free(&f);
}

static struct wf_origin *origin_of(struct wf_io_thread *io, const char *url)
{
    struct weft_request *request = weft_request_new("GET", url);
    assert_non_null(request);
    struct wf_origin *origin = wf_origin_get(io, request);
    assert_non_null(origin);
    weft_request_unref(request);
    return origin;
}

static void test_what_is_remembered_is_bounded_in_time_and_number(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    config.insecure_skip_verify = true;
    struct weft_client *engine = wf_engine_new_stepped(&config, &error);
    assert_non_null(engine);
    struct wf_io_thread *io = engine->io_threads[0];
    struct wf_origin *origin = origin_of(io, "https://a.test/");
    origin->is_known = true;
    origin->protocol = &wf_protocol_h2;
    wf_demand_learn_limit(origin, 7);
    wf_origin_release(origin);
    assert_ptr_equal(origin_of(io, "https://a.test/"), origin);
    assert_int_equal(origin->stream_limit, 7);
    wf_origin_release(origin);
    io->now_ms += 599999;
    (void)origin_of(io, "https://a.test/");
    assert_ptr_equal(origin->protocol, &wf_protocol_h2);
    wf_origin_release(origin);
    io->now_ms += 600000;
    (void)origin_of(io, "https://a.test/");
    assert_null(origin->protocol);
    assert_int_equal(origin->stream_limit, 0);
    wf_origin_release(origin);
    assert_int_equal(io->origins.count, 0);
    for (unsigned i = 0; i < 2 * WF_ORIGINS_REMEMBERED; i++) {
        char url[64];
        (void)snprintf(url, sizeof(url), "https://n%u.test/", i);
        origin = origin_of(io, url);
        origin->is_known = true;
        wf_origin_release(origin);
    }
    assert_int_equal(io->origins.count, WF_ORIGINS_REMEMBERED);
    assert_int_equal(weft_client_close(engine, 0), WEFT_OK);
    assert_int_equal(io->origins.count, 0);
    weft_client_unref(engine);
}

static void test_an_old_connection_is_replaced_before_it_goes(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_age_ms = 300;
    struct fixture f = fixture_with(NULL, &config);
    struct weft_future *old;
    hang(&f, &old, 1);
    loop_server_await_requests(f.server, 1);
    for (uint64_t i = 0; loop_server_connections(f.server) < 2 && i < TEST_WAIT_MS; i++)
        pass(1);
    while (stats_of(f.client).connections_opened < 2)
        pass(1);
    /* What began on the old one goes on there; what is new goes to the new one. */
    get(&f);
    assert_false(weft_future_is_done(old));
    assert_true(stats_of(f.client).connections_open >= 2);
    weft_future_cancel(old);
    drop(&old, 1);
    while (stats_of(f.client).connections_open > 1)
        pass(1);
    fixture_free(&f);
}

static void test_no_request_notices_the_age_of_connections(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_age_ms = 20;
    struct fixture f = fixture_with(NULL, &config);
    while (loop_server_connections(f.server) < 5)
        get(&f);
    fixture_free(&f);
}

static void test_preconnect_opens_what_a_first_request_would(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.connections_per_origin = 3;
    struct fixture f = fixture_with(NULL, &config);
    assert_int_equal(weft_preconnect(f.client, fixture_url(&f, "/")), WEFT_OK);
    while (stats_of(f.client).connections_open < 3)
        pass(1);
    assert_int_equal(loop_server_requests(f.server), 0);
    get(&f);
    assert_int_equal(weft_preconnect(f.client, fixture_url(&f, "/")), WEFT_OK);
    get(&f);
    assert_int_equal(loop_server_connections(f.server), 3);
    fixture_free(&f);
}

static void test_preconnect_says_what_is_wrong_with_its_arguments(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    assert_int_equal(weft_preconnect(NULL, "http://127.0.0.1/"), WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_preconnect(f.client, NULL), WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_preconnect(f.client, "http:/nowhere"), WEFT_ERR_INVALID_URL);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    assert_int_equal(weft_preconnect(f.client, fixture_url(&f, "/")), WEFT_OK);
    assert_int_equal(loop_server_connections(f.server), 0);
    fixture_free(&f);
}

static const uint8_t goaway_1[8] = {0, 0, 0, 1, 0, 0, 0, 0};
static const uint8_t one_stream[6] = {0, 3, 0, 0, 0, 1};
static const uint8_t status_200[1] = {0x88}; /* RFC 7541 appendix A */

/* The first connection says goodbye after a response has begun, which it ends when the second one
 * has answered a request. */
static void leave(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    if (!raw_send_settings(fd) || raw_await_frame(fd, true, HEADERS) != 1)
        return;
    (void)raw_send_frame(fd, GOAWAY, 0, 0, goaway_1, sizeof(goaway_1));
    (void)raw_send_frame(fd, HEADERS, 4, 1, status_200, 1);
    int next = accept(server->listen_fd, NULL, NULL);
    if (raw_send_settings(next) && raw_await_frame(next, true, HEADERS) == 1)
        (void)raw_send_frame(next, HEADERS, END_FLAGS, 1, status_200, 1);
    (void)raw_send_frame(fd, 0, 1, 1, "whole", 5);
    raw_drain(fd);
    raw_drain(next);
    close(next);
}

static void test_a_connection_that_was_told_to_go_drains_while_another_takes_over(void **state)
{
    (void)state;
    struct raw_server server;
    raw_server_start(&server, leave, NULL);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    struct weft_client *client = weft_client_new(&config, NULL);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_STREAM_BODY;
    struct weft_request *request = weft_request_new("GET", url);
    struct weft_future *first = weft_submit(client, request, &how);
    assert_int_equal(weft_future_wait_response(first, TEST_WAIT_MS), WEFT_OK);
    struct weft_future *second = weft_get(client, url);
    assert_int_equal(weft_future_wait(second, TEST_WAIT_MS), WEFT_OK);
    char body[8];
    size_t len;
    assert_int_equal(weft_future_read(first, body, sizeof(body), TEST_WAIT_MS, &len), WEFT_OK);
    assert_memory_equal(body, "whole", 5);
    assert_int_equal(weft_future_wait(first, TEST_WAIT_MS), WEFT_OK);
    weft_request_unref(request);
    weft_future_unref(first);
    weft_future_unref(second);
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
    raw_server_stop(&server);
}

/* Every connection is told to go away, and stays for the sake of its first request. */
static void send_away(struct raw_server *server, int fd, unsigned round)
{
    int more[8];
    size_t count = 0;
    (void)round;
    for (int at = fd; at >= 0 && count < 8; at = accept(server->listen_fd, NULL, NULL)) {
        more[count++] = at;
        if (raw_send_settings(at) && raw_await_frame(at, true, HEADERS) == 1)
            (void)raw_send_frame(at, GOAWAY, 0, 0, goaway_1, sizeof(goaway_1));
    }
    for (size_t i = 1; i < count; i++)
        close(more[i]);
}

static void test_connections_that_drain_are_bounded_too(void **state)
{
    (void)state;
    struct raw_server server;
    raw_server_start(&server, send_away, NULL);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.versions = WEFT_HTTP_2;
    config.max_connections_per_origin = 2;
    struct weft_client *client = weft_client_new(&config, NULL);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
    struct weft_future *futures[6];
    for (size_t i = 0; i < 6; i++) {
        futures[i] = weft_get(client, url);
        /* SETTINGS and GOAWAY of each connection that there may be. */
        while (stats_of(client).octets_read < (i < 4 ? i + 1 : 4) * (9 + 17))
            pass(1);
    }
    while (stats_of(client).requests_queued < 2)
        pass(1);
    pass(20);
    assert_int_equal(stats_of(client).connections_opened, 4);
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    drop(futures, 6);
    weft_client_unref(client);
    raw_server_stop(&server);
}

/* One connection with one stream, and no further connection. */
static void refuse_more(struct raw_server *server, int fd, unsigned round)
{
    (void)round;
    (void)shutdown(server->listen_fd, SHUT_RDWR);
    (void)raw_send_frame(fd, SETTINGS, 0, 0, one_stream, sizeof(one_stream));
    raw_drain(fd);
}

static void test_connections_that_cannot_be_had_are_not_tried_all_the_time(void **state)
{
    (void)state;
    struct raw_server server;
    raw_server_start(&server, refuse_more, NULL);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.versions = WEFT_HTTP_2;
    config.deadline_ms = 300;
    struct weft_client *client = weft_client_new(&config, NULL);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
    assert_int_equal(weft_preconnect(client, url), WEFT_OK);
    while (stats_of(client).octets_read < 15)
        pass(1);
    struct weft_future *futures[10];
    for (size_t i = 0; i < 10; i++)
        futures[i] = weft_get(client, url);
    while (stats_of(client).connections_failed < 1)
        pass(1);
    /* Those that wait do so for the connection that there is. */
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(weft_future_wait(futures[i], TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    assert_in_range(stats_of(client).connections_failed, 1, 8);
    drop(futures, 10);
    assert_int_equal(weft_client_close(client, 0), WEFT_OK);
    weft_client_unref(client);
    raw_server_stop(&server);
}

static void test_a_connection_that_died_in_the_pool_is_noticed_before_it_is_used(void **state)
{
    (void)state;
    struct loop_server *server = loop_server_new(NULL);
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    config.http2_prior_knowledge = true;
    config.insecure_skip_verify = true;
    struct weft_client *engine = wf_engine_new_stepped(&config, &error);
    assert_non_null(engine);
    struct wf_io_thread *io = engine->io_threads[0];
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/bytes/5", loop_server_port(server));
    struct memory_wire *gone = memory_wire_new(0); /* its peer has ended it, unheard */
    gone->ended = true;
    struct wf_conn *conn = wf_conn_adopt(origin_of(io, url), &gone->base);
    assert_non_null(conn);
    wf_io_thread_turn(io);
    conn->had_response = true;
    conn->idle_at = io->now_ms - 100;
    struct weft_future *future = weft_get(engine, url);
    while (!weft_future_is_done(future))
        wf_io_thread_turn(io);
    assert_int_equal(weft_future_error(future)->code, WEFT_OK);
    assert_int_equal(loop_server_connections(server), 1);
    weft_future_unref(future);
    assert_int_equal(weft_client_close(engine, 0), WEFT_OK);
    weft_client_unref(engine);
    loop_server_free(server);
}

static enum weft_code step_until_done(struct weft_client *engine, const char *url)
{
    struct weft_future *future = weft_get(engine, url);
    while (!weft_future_is_done(future))
        wf_io_thread_turn(engine->io_threads[0]);
    enum weft_code code = weft_future_error(future)->code;
    weft_future_unref(future);
    return code;
}

/* RFC 9113 section 5.1.1. */
static void test_a_connection_without_stream_identifiers_makes_room_for_another(void **state)
{
    (void)state;
    struct loop_server *server = loop_server_new(NULL);
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    config.http2_prior_knowledge = true;
    config.insecure_skip_verify = true;
    config.max_connections_per_origin = 1;
    struct weft_client *engine = wf_engine_new_stepped(&config, &error);
    assert_non_null(engine);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/bytes/5", loop_server_port(server));
    assert_int_equal(step_until_done(engine, url), WEFT_OK);
    struct wf_origin *origin = origin_of(engine->io_threads[0], url);
    struct wf_node *node = wf_list_first(&origin->conns);
    assert_non_null(node);
    wf_container_of(node, struct wf_conn, origin_node)->session->next_id = WF_H2_MAX_STREAM_ID;
    assert_int_equal(step_until_done(engine, url), WEFT_OK);
    assert_int_equal(loop_server_connections(server), 1);
    assert_int_equal(step_until_done(engine, url), WEFT_OK);
    assert_int_equal(loop_server_connections(server), 2);
    assert_int_equal(weft_client_close(engine, 0), WEFT_OK);
    weft_client_unref(engine);
    loop_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_that_run_out_open_as_many_connections_as_needed),
        cmocka_unit_test(test_connections_are_bounded_and_the_rest_waits),
        cmocka_unit_test(test_a_cold_burst_opens_one_probe),
        cmocka_unit_test(test_no_further_connection_before_the_streams_of_the_first_are_known),
        cmocka_unit_test(test_the_limits_of_an_origin_are_remembered_without_a_connection),
        cmocka_unit_test(test_what_is_remembered_is_bounded_in_time_and_number),
        cmocka_unit_test(test_an_old_connection_is_replaced_before_it_goes),
        cmocka_unit_test(test_no_request_notices_the_age_of_connections),
        cmocka_unit_test(test_preconnect_opens_what_a_first_request_would),
        cmocka_unit_test(test_preconnect_says_what_is_wrong_with_its_arguments),
        cmocka_unit_test(test_a_connection_that_was_told_to_go_drains_while_another_takes_over),
        cmocka_unit_test(test_a_connection_without_stream_identifiers_makes_room_for_another),
        cmocka_unit_test(test_connections_that_drain_are_bounded_too),
        cmocka_unit_test(test_connections_that_cannot_be_had_are_not_tried_all_the_time),
        cmocka_unit_test(test_a_connection_that_died_in_the_pool_is_noticed_before_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
