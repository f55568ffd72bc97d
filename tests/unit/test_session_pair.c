/* A client and a server session in memory, at every pace. */
#include "support/cmocka.h"
#include "support/h2_pair.h"

static const struct wf_h2_config client_config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
static const struct wf_h2_config server_config = WF_H2_CONFIG_INIT(WF_H2_SERVER);

static void assert_pattern(const struct wf_buf *body, size_t len)
{
    struct wf_slice got = wf_buf_slice(body);
    assert_int_equal(got.len, len);
    assert_true(wf_slice_equal(got, h2_pattern(len)));
}

static void assert_complete(struct h2_call *call, size_t len)
{
    assert_true(call->ended);
    assert_int_equal(call->end, WF_H2_END_COMPLETE);
    assert_int_equal(call->effect, WF_H2_PROCESSED);
    assert_int_equal(call->status, 200);
    assert_pattern(&call->body, len);
    h2_call_fini(call);
}

/* Some of everything: empty, small and large answers and uploads, many at once. */
static void exchange_all(struct h2_pair *pair)
{
    struct h2_call calls[12];
    static const size_t lens[] = {0, 1, 10, 511, 512, 513, 16384, 16385, 100000};
    for (size_t i = 0; i < 9; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/bytes/%zu", lens[i]);
        h2_pair_call(pair, &calls[i], path, wf_slice(NULL, 0));
    }
    h2_pair_call(pair, &calls[9], "/echo", h2_pattern(70000));
    h2_pair_call(pair, &calls[10], "/echo", h2_pattern(0));
    h2_pair_call(pair, &calls[11], "/echo", h2_pattern(3));
    h2_pair_run(pair);
    for (size_t i = 0; i < 9; i++)
        assert_complete(&calls[i], lens[i]);
    assert_complete(&calls[9], 70000);
    assert_complete(&calls[10], 0);
    assert_complete(&calls[11], 3);
    assert_int_equal(wf_h2_session_open_streams(pair->client), 0);
    assert_int_equal(wf_h2_session_open_streams(pair->server), 0);
    assert_int_equal(pair->server_open, 0);
    assert_false(wf_h2_session_wants_write(pair->client));
    assert_false(wf_h2_session_wants_write(pair->server));
}

static void test_exchanges_complete_when_octets_come_whole(void **state)
{
    (void)state;
    struct h2_pair pair;
    h2_pair_init(&pair, &client_config, &server_config);
    exchange_all(&pair);
    exchange_all(&pair);
    h2_pair_fini(&pair);
}

static void test_exchanges_complete_when_octets_come_one_by_one(void **state)
{
    (void)state;
    struct h2_pair pair;
    h2_pair_init(&pair, &client_config, &server_config);
    pair.pace = H2_PAIR_STEPS;
    pair.step = 1;
    struct h2_call calls[4];
    h2_pair_call(&pair, &calls[0], "/bytes/10", wf_slice(NULL, 0));
    h2_pair_call(&pair, &calls[1], "/bytes/3000", wf_slice(NULL, 0));
    h2_pair_call(&pair, &calls[2], "/echo", h2_pattern(2000));
    h2_pair_call(&pair, &calls[3], "/echo", h2_pattern(0));
    h2_pair_run(&pair);
    assert_complete(&calls[0], 10);
    assert_complete(&calls[1], 3000);
    assert_complete(&calls[2], 2000);
    assert_complete(&calls[3], 0);
    h2_pair_fini(&pair);
}

static void test_exchanges_complete_when_octets_come_in_random_steps(void **state)
{
    (void)state;
    struct test_random random = test_random_start("session_pair");
    for (int i = 0; i < 20; i++) {
        struct h2_pair pair;
        h2_pair_init(&pair, &client_config, &server_config);
        pair.pace = H2_PAIR_RANDOM;
        pair.step = 1 + test_random_below(&random, 20000);
        pair.random.state = test_random_next(&random);
        pair.upload_piece = 1 + test_random_below(&random, 30000);
        pair.server_sends_trailers = i % 2 == 1;
        exchange_all(&pair);
        h2_pair_fini(&pair);
    }
}

static void test_small_windows_slow_exchanges_down_and_stop_none(void **state)
{
    (void)state;
    struct h2_pair pair;
    struct wf_h2_config client = client_config;
    struct wf_h2_config server = server_config;
    client.initial_window_size = 100;
    client.connection_window = 65535;
    server.initial_window_size = 77;
    server.connection_window = 65535;
    h2_pair_init(&pair, &client, &server);
    exchange_all(&pair);
    exchange_all(&pair);
    h2_pair_fini(&pair);
}

static void test_trailers_follow_the_body(void **state)
{
    (void)state;
    struct h2_pair pair;
    struct h2_call call;
    h2_pair_init(&pair, &client_config, &server_config);
    pair.server_sends_trailers = true;
    h2_pair_call(&pair, &call, "/bytes/20000", wf_slice(NULL, 0));
    h2_pair_run(&pair);
    assert_int_equal(call.trailers, 1);
    assert_complete(&call, 20000);
    h2_pair_fini(&pair);
}

static void test_a_thousand_streams_are_open_at_once(void **state)
{
    (void)state;
    static struct h2_call calls[1000];
    struct h2_pair pair;
    struct wf_h2_config server = server_config;
    server.max_concurrent_streams = 1000;
    h2_pair_init(&pair, &client_config, &server);
    h2_pair_run(&pair);
    assert_int_equal(wf_h2_session_capacity(pair.client), 1000);
    for (size_t i = 0; i < 1000; i++)
        h2_pair_call(&pair, &calls[i], "/bytes/10", wf_slice(NULL, 0));
    assert_int_equal(wf_h2_session_capacity(pair.client), 0);
    h2_pair_run(&pair);
    for (size_t i = 0; i < 1000; i++)
        assert_complete(&calls[i], 10);
    h2_pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchanges_complete_when_octets_come_whole),
        cmocka_unit_test(test_exchanges_complete_when_octets_come_one_by_one),
        cmocka_unit_test(test_exchanges_complete_when_octets_come_in_random_steps),
        cmocka_unit_test(test_small_windows_slow_exchanges_down_and_stop_none),
        cmocka_unit_test(test_trailers_follow_the_body),
        cmocka_unit_test(test_a_thousand_streams_are_open_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
