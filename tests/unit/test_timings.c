/* What a request took. */
#include "support/fixture.h"

#include "io_thread/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

static struct fixture start(void)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    return fixture_with(NULL, &config);
}

static struct weft_timings timings_of(const struct weft_future *future)
{
    struct weft_timings timings = {.size = sizeof(timings)};
    assert_true(weft_future_timings(future, &timings));
    return timings;
}

static void test_a_new_connection_is_a_part_of_the_time(void **state)
{
    (void)state;
    struct fixture f = start();
    struct weft_future *future = fixture_expect(&f, "/bytes/1000", WEFT_OK, 0, 0);
    struct weft_timings t = timings_of(future);
    assert_true(t.resolve_ns >= 0);
    assert_true(t.connect_ns >= t.resolve_ns);
    assert_int_equal(t.tls_ns, -1);
    assert_true(t.queue_ns >= t.connect_ns);
    assert_true(t.sent_ns >= t.queue_ns);
    assert_true(t.head_ns > 0);
    assert_true(t.head_ns >= t.sent_ns);
    assert_true(t.done_ns >= t.head_ns);
    assert_true(t.done_ns < (int64_t)TEST_WAIT_MS * 1000000);
    assert_int_equal(t.connection, 1);
    assert_false(t.connection_was_reused);
    assert_int_equal(t.tries, 1);
    assert_int_equal(t.octets_sent, 0);
    assert_int_equal(t.octets_received, 1000);
    assert_string_equal(t.protocol, "h2");
    char address[64];
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", loop_server_port(f.server));
    assert_string_equal(t.address, address);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_an_open_connection_is_not(void **state)
{
    (void)state;
    struct fixture f = start();
    weft_future_unref(fixture_expect(&f, "/bytes/1", WEFT_OK, 0, 0));
    struct weft_future *future = fixture_expect(&f, "/bytes/1", WEFT_OK, 0, 0);
    struct weft_timings t = timings_of(future);
    assert_int_equal(t.resolve_ns, -1);
    assert_int_equal(t.connect_ns, -1);
    assert_int_equal(t.tls_ns, -1);
    assert_true(t.queue_ns >= 0);
    assert_true(t.head_ns >= t.queue_ns);
    assert_int_equal(t.connection, 1);
    assert_true(t.connection_was_reused);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_the_octets_of_an_upload_are_counted(void **state)
{
    (void)state;
    struct fixture f = start();
    static char body[300000];
    struct weft_request *request = weft_request_new("POST", fixture_url(&f, "/echo"));
    assert_int_equal(weft_request_set_body(request, body, sizeof(body)), WEFT_OK);
    struct weft_future *future = weft_submit(f.client, request, NULL);
    weft_request_unref(request);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    struct weft_timings t = timings_of(future);
    assert_int_equal(t.octets_sent, sizeof(body));
    assert_int_equal(t.octets_received, sizeof(body));
    assert_true(t.sent_ns >= t.queue_ns);
    assert_true(t.done_ns >= t.sent_ns);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_what_was_not_reached_says_so(void **state)
{
    (void)state;
    struct fixture f = start();
    struct weft_future *future = weft_get(f.client, "http://127.0.0.1:1/");
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECT_REFUSED);
    struct weft_timings t = timings_of(future);
    assert_int_equal(t.queue_ns, -1);
    assert_int_equal(t.sent_ns, -1);
    assert_int_equal(t.head_ns, -1);
    assert_true(t.done_ns >= 0);
    assert_int_equal(t.connection, 0);
    assert_int_equal(t.tries, 0);
    assert_string_equal(t.address, "");
    assert_string_equal(t.protocol, "");
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_a_request_that_waits_in_vain_was_sent(void **state)
{
    (void)state;
    struct fixture f = start();
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = 200;
    struct weft_future *future = fixture_submit(&f, "/hang", &how);
    struct weft_timings t = {.size = sizeof(t)};
    assert_false(weft_future_timings(future, &t)); /* not before it is done */
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    t = timings_of(future);
    assert_true(t.sent_ns >= 0);
    assert_int_equal(t.head_ns, -1);
    assert_true(t.done_ns >= 199 * 1000000);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_an_older_program_gets_what_it_knows(void **state)
{
    (void)state;
    struct fixture f = start();
    struct weft_future *future = fixture_expect(&f, "/bytes/1", WEFT_OK, 0, 0);
    struct weft_timings t;
    memset(&t, 0x55, sizeof(t));
    t.size = offsetof(struct weft_timings, resolve_ns);
    assert_true(weft_future_timings(future, &t));
    assert_true(t.queue_ns >= 0);
    assert_int_equal(t.resolve_ns, 0x5555555555555555);
    weft_future_unref(future);
    fixture_free(&f);
}

static void test_an_address_comes_back_from_its_short_form(void **state)
{
    (void)state;
    struct wf_address in = {.len = sizeof(struct sockaddr_in6)}, out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&in.storage;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(8443);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", &in6->sin6_addr), 1);
    struct wf_peer peer = wf_peer_of(&in);
    assert_true(wf_peer_address(&peer, &out));
    char text[WF_ADDRESS_TEXT_MAX];
    assert_string_equal(wf_address_text(&out, text, sizeof(text)), "[2001:db8::7]:8443");
    in.len = 0;
    peer = wf_peer_of(&in);
    assert_false(wf_peer_address(&peer, &out));
}

static void test_counters_name_errors_limits_and_gauges(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.max_body_size = 100;
    struct fixture f = fixture_with(NULL, &config);
    weft_future_unref(fixture_expect(&f, "/bytes/1", WEFT_OK, 0, 0));
    weft_future_unref(fixture_expect(&f, "/bytes/1000", WEFT_ERR_BODY_TOO_LARGE, WEFT_STAGE_BODY,
                                     WEFT_PROCESSED));
    weft_future_unref(
        fixture_expect(&f, "/refuse", WEFT_ERR_REFUSED, WEFT_STAGE_WAIT, WEFT_NOT_PROCESSED));
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(f.client, &stats);
    assert_int_equal(stats.errors[WEFT_OK], 1);
    assert_int_equal(stats.errors[WEFT_ERR_BODY_TOO_LARGE], 1);
    assert_int_equal(stats.errors[WEFT_ERR_REFUSED], 1);
    assert_int_equal(stats.limits[WEFT_LIMIT_BODY], 1);
    assert_int_equal(stats.limits_reached, 1);
    assert_int_equal(stats.connections_open, 1);
    assert_int_equal(stats.connections_opening, 0);
    assert_int_equal(weft_client_close(f.client, 0), WEFT_OK);
    weft_client_stats(f.client, &stats);
    assert_int_equal(stats.connections_open, 0);
    assert_int_equal(stats.connections_opening, 0);
    assert_int_equal(stats.connections_draining, 0);
    assert_int_equal(stats.buffered, 0);
    fixture_free(&f);
    for (unsigned i = 0; i < WEFT_LIMIT_COUNT; i++)
        assert_true(strlen(weft_limit_name((enum weft_limit)i)) > 3);
    assert_string_equal(weft_limit_name(WEFT_LIMIT_STAGE), "stage_timeout");
    assert_string_equal(weft_limit_name(WEFT_LIMIT_COUNT), "unknown limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_connection_is_a_part_of_the_time),
        cmocka_unit_test(test_an_open_connection_is_not),
        cmocka_unit_test(test_the_octets_of_an_upload_are_counted),
        cmocka_unit_test(test_what_was_not_reached_says_so),
        cmocka_unit_test(test_a_request_that_waits_in_vain_was_sent),
        cmocka_unit_test(test_an_older_program_gets_what_it_knows),
        cmocka_unit_test(test_an_address_comes_back_from_its_short_form),
        cmocka_unit_test(test_counters_name_errors_limits_and_gauges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
