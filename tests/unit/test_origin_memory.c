/* What an origin makes of what its connections go through, turn by turn. */
#include "io_thread/bad_addresses.h"
#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "support/cmocka.h"
#include "support/stepped.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define TEN_MINUTES_MS 600000u

static struct wf_address address_of(uint8_t last_octet)
{
    struct wf_address address = {.len = sizeof(struct sockaddr_in)};
    struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(443)};
    ip4.sin_addr.s_addr = htonl(UINT32_C(0xc0000200) | last_octet);
    memcpy(&address.storage, &ip4, sizeof(ip4));
    return address;
}

static struct wf_conn *one_more(struct stepped *stepped, uint8_t last_octet)
{
    struct memory_wire *wire = memory_wire_new(0);
    struct wf_conn *conn = wf_conn_adopt(stepped->conn->origin, &wire->base);
    assert_non_null(conn);
    conn->address = address_of(last_octet);
    return conn;
}

/* The same client, as seen from another of its connections. */
static struct stepped beside(const struct stepped *stepped)
{
    struct stepped other = *stepped;
    other.wire = memory_wire_new(24); /* without the preface */
    other.conn = wf_conn_adopt(stepped->conn->origin, &other.wire->base);
    assert_non_null(other.conn);
    return other;
}

static void open_all(struct stepped *conns, size_t count)
{
    stepped_init(&conns[0], NULL);
    for (size_t i = 1; i < count; i++)
        conns[i] = beside(&conns[0]);
    for (size_t i = 0; i < count; i++) {
        stepped_put_settings(&conns[i], 100);
        stepped_turn(&conns[i]);
    }
}

static size_t count_requests(struct stepped *stepped)
{
    size_t count = 0;
    while (stepped_next_request(stepped) != 0)
        count++;
    return count;
}

static void test_streams_that_end_together_are_replaced_together(void **state)
{
    (void)state;
    enum { CONNS = 12, EACH = 10 }; /* more connections than a choice looks at */
    struct stepped conns[CONNS];
    struct weft_future *futures[2 * CONNS * EACH];
    open_all(conns, CONNS);
    for (size_t i = 0; i < CONNS * EACH; i++)
        futures[i] = stepped_submit(&conns[0]);
    for (size_t i = 0; i < CONNS; i++)
        stepped_turn(&conns[i]);
    for (size_t i = 0; i < CONNS; i++)
        assert_int_equal(count_requests(&conns[i]), EACH);

    for (size_t ended = 0; ended < CONNS; ended++) {
        for (uint32_t id = 1; id < 2 * EACH; id += 2)
            stepped_put_answer(&conns[ended], id);
        stepped_turn(&conns[ended]);
        for (size_t i = 0; i < EACH; i++)
            futures[(CONNS + ended) * EACH + i] = stepped_submit(&conns[0]);
        stepped_turn(&conns[0]);
        for (size_t i = 0; i < CONNS; i++)
            assert_int_equal(count_requests(&conns[i]), i == ended ? EACH : 0);
    }
    for (size_t i = 0; i < 2 * CONNS * EACH; i++)
        weft_future_unref(futures[i]);
    stepped_fini(&conns[0]);
}

static void test_those_with_fewer_streams_are_filled_up_until_all_have_the_same(void **state)
{
    (void)state;
    enum { CONNS = 6, EACH = 10, ENDED = 30 };
    struct stepped conns[CONNS];
    struct weft_future *futures[CONNS * EACH + ENDED + CONNS];
    size_t submitted = 0;
    open_all(conns, CONNS);
    while (submitted < CONNS * EACH)
        futures[submitted++] = stepped_submit(&conns[0]);
    stepped_turn(&conns[0]);
    for (size_t i = 0; i < CONNS; i++)
        assert_int_equal(count_requests(&conns[i]), EACH);

    /* None of the first, two of the second, ... all of the last. */
    for (size_t i = 0; i < CONNS; i++) {
        for (uint32_t id = 1; id < 4 * i; id += 2)
            stepped_put_answer(&conns[i], id);
        stepped_turn(&conns[i]);
    }
    while (submitted < CONNS * EACH + ENDED)
        futures[submitted++] = stepped_submit(&conns[0]);
    stepped_turn(&conns[0]);
    for (size_t i = 0; i < CONNS; i++)
        assert_int_equal(count_requests(&conns[i]), 2 * i);
    for (size_t i = 0; i < CONNS; i++)
        futures[submitted++] = stepped_submit(&conns[0]);
    stepped_turn(&conns[0]);
    for (size_t i = 0; i < CONNS; i++)
        assert_int_equal(count_requests(&conns[i]), 1);
    for (size_t i = 0; i < submitted; i++)
        weft_future_unref(futures[i]);
    stepped_fini(&conns[0]);
}

static void test_idle_connections_to_a_silent_address_take_no_more_requests(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    stepped.conn->address = address_of(1);
    struct weft_future *future = stepped_submit(&stepped);
    assert_int_equal(stepped_await_request(&stepped), 1);

    struct wf_conn *silent = one_more(&stepped, 1);
    struct wf_conn *idle = one_more(&stepped, 1);
    struct wf_conn *elsewhere = one_more(&stepped, 2);
    struct wf_io_thread *io = stepped.client->io_threads[0];
    wf_origin_avoid_peer(silent);
    assert_int_equal(idle->state, WF_CONN_DRAINING);
    assert_int_equal(elsewhere->state, WF_CONN_OPEN);
    /* Whoever waits for it there may be answered yet; its own watch tells. */
    assert_int_equal(stepped.conn->state, WF_CONN_OPEN);
    assert_true(wf_bad_addresses_has(&io->bad_addresses, &silent->address, io->now_ms));
    assert_false(wf_bad_addresses_has(&io->bad_addresses, &elsewhere->address, io->now_ms));
    weft_future_unref(future);
    stepped_fini(&stepped);
}

static void test_a_connection_without_an_address_brings_no_other_into_disrepute(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    struct wf_conn *silent = one_more(&stepped, 1);
    struct wf_conn *idle = one_more(&stepped, 1);
    silent->address.len = idle->address.len = 0;
    wf_origin_avoid_peer(silent);
    assert_int_equal(idle->state, WF_CONN_OPEN);
    stepped_fini(&stepped);
}

static void test_that_a_server_wants_http1_is_remembered_for_ten_minutes(void **state)
{
    (void)state;
    struct stepped stepped;
    stepped_init(&stepped, NULL);
    struct wf_io_thread *io = stepped.client->io_threads[0];
    struct weft_request *request = weft_request_new("GET", "https://localhost:8443/");
    struct wf_origin *origin = wf_origin_get(io, request);
    assert_non_null(origin);
    assert_false(wf_origin_requires_http1(origin));
    assert_true(wf_origin_require_http1(origin));
    io->now_ms += TEN_MINUTES_MS - 1;
    assert_true(wf_origin_requires_http1(origin));
    io->now_ms++;
    assert_false(wf_origin_requires_http1(origin));
    wf_origin_release(origin);
    weft_request_unref(request);
    /* In cleartext there is nothing to choose. */
    assert_false(wf_origin_require_http1(stepped.conn->origin));
    stepped_fini(&stepped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_that_end_together_are_replaced_together),
        cmocka_unit_test(test_those_with_fewer_streams_are_filled_up_until_all_have_the_same),
        cmocka_unit_test(test_idle_connections_to_a_silent_address_take_no_more_requests),
        cmocka_unit_test(test_a_connection_without_an_address_brings_no_other_into_disrepute),
        cmocka_unit_test(test_that_a_server_wants_http1_is_remembered_for_ten_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
