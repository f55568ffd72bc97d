/* The data path of TLS; handshakes and certificates are in test_tls_handshake.c. */
#include "io_thread/tls.h"

#include "support/cmocka.h"
#include "support/tls_pair.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define RECORD_DATA 23

static const struct tls_pair_config plain = {.peer = {.certificate = "good"}};

static void assert_equal_to_pattern(const struct wf_buf *buf, size_t len)
{
    uint8_t *expected = malloc(len);
    assert_non_null(expected);
    fill_pattern(expected, len);
    assert_int_equal(wf_buf_len(buf), len);
    assert_memory_equal(buf->data + buf->start, expected, len);
    free(expected);
}

static void test_data_passes_in_both_directions(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct wf_buf got = {0}, there = {0};
    tls_pair_connect(&pair, &plain);
    tls_pair_write(&pair, "question", 8);
    tls_pair_peer_read(&pair, &there, 8);
    assert_memory_equal(there.data, "question", 8);
    tls_peer_write(&pair.peer, "answer", 6);
    assert_int_equal(tls_pair_read_all(&pair, &got), WF_IO_AGAIN);
    assert_int_equal(wf_buf_len(&got), 6);
    assert_memory_equal(got.data, "answer", 6);
    wf_buf_fini(&got);
    wf_buf_fini(&there);
    tls_pair_fini(&pair);
}

static void test_records_that_arrive_octet_by_octet_are_put_together(void **state)
{
    (void)state;
    struct tls_pair_config config = plain;
    config.push_at_once = 1;
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct tls_pair pair;
        struct wf_buf got = {0};
        uint8_t octets[700];
        config.peer.tls12 = tls12 != 0;
        fill_pattern(octets, sizeof(octets));
        tls_pair_connect(&pair, &config);
        for (size_t i = 0; i < sizeof(octets); i += 100)
            tls_peer_write(&pair.peer, octets + i, 100);
        assert_int_equal(tls_pair_read_all(&pair, &got), WF_IO_AGAIN);
        assert_equal_to_pattern(&got, sizeof(octets));
        wf_buf_fini(&got);
        tls_pair_fini(&pair);
    }
}

static void test_one_read_takes_all_records_that_are_there(void **state)
{
    (void)state;
    struct tls_pair pair;
    uint8_t octets[5000], buf[65536];
    size_t len;
    fill_pattern(octets, sizeof(octets));
    tls_pair_connect(&pair, &plain);
    for (size_t i = 0; i < sizeof(octets); i += 100)
        tls_peer_write(&pair.peer, octets + i, 100);
    (void)tls_peer_push(&pair.peer, SIZE_MAX);
    assert_int_equal(wf_transport_read(pair.client, buf, sizeof(buf), &len), WF_IO_AGAIN);
    assert_int_equal(len, sizeof(octets));
    assert_memory_equal(buf, octets, len);
    tls_pair_fini(&pair);
}

static void read_in_steps(size_t cap)
{
    struct tls_pair pair;
    struct wf_buf got = {0};
    const size_t total = 150000;
    uint8_t *octets = malloc(total);
    assert_non_null(octets);
    fill_pattern(octets, total);
    tls_pair_connect(&pair, &plain);
    tls_peer_write(&pair.peer, octets, total);
    free(octets);
    while (wf_buf_len(&got) < total) {
        size_t len;
        (void)tls_peer_push(&pair.peer, SIZE_MAX);
        assert_true(wf_buf_reserve(&got, cap));
        enum wf_io_result result = wf_transport_read(pair.client, wf_buf_tail(&got), cap, &len);
        wf_buf_commit(&got, len);
        assert_true(result == WF_IO_OK || result == WF_IO_AGAIN);
        /* AGAIN must mean that everything was given out, even what was read ahead. */
        if (result == WF_IO_AGAIN && wf_buf_len(&pair.peer.out) == 0)
            break;
    }
    assert_equal_to_pattern(&got, total);
    wf_buf_fini(&got);
    tls_pair_fini(&pair);
}

static void test_a_reader_with_little_room_loses_nothing(void **state)
{
    (void)state;
    static const size_t caps[] = {7, 1000, 16384, 17000, 40000, 65536, 131072};
    for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
        read_in_steps(caps[i]);
}

static void test_a_write_of_40_kb_makes_three_records(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct wf_buf there = {0};
    uint8_t octets[40000];
    fill_pattern(octets, sizeof(octets));
    tls_pair_connect(&pair, &plain);
    tls_peer_pull(&pair.peer);
    wf_buf_consume(&pair.peer.wire, wf_buf_len(&pair.peer.wire));
    tls_pair_write(&pair, octets, sizeof(octets));
    tls_pair_peer_read(&pair, &there, sizeof(octets));
    assert_equal_to_pattern(&there, sizeof(octets));
    assert_int_equal(tls_count_records(wf_buf_slice(&pair.peer.wire), RECORD_DATA), 3);
    wf_buf_fini(&there);
    tls_pair_fini(&pair);
}

static void test_many_small_slices_share_records(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct wf_buf there = {0};
    static uint8_t octets[33000];
    struct iovec iov[3001];
    size_t taken;
    fill_pattern(octets, sizeof(octets));
    for (size_t i = 0; i < 3000; i++)
        iov[i] = (struct iovec){.iov_base = octets + i * 11, .iov_len = 11};
    iov[3000] = (struct iovec){.iov_base = NULL, .iov_len = 0};
    tls_pair_connect(&pair, &plain);
    tls_peer_pull(&pair.peer);
    wf_buf_consume(&pair.peer.wire, wf_buf_len(&pair.peer.wire));
    assert_int_equal(wf_transport_write(pair.client, iov, 3001, &taken), WF_IO_OK);
    assert_int_equal(taken, sizeof(octets));
    tls_pair_peer_read(&pair, &there, sizeof(octets));
    assert_equal_to_pattern(&there, sizeof(octets));
    assert_int_equal(tls_count_records(wf_buf_slice(&pair.peer.wire), RECORD_DATA), 3);
    wf_buf_fini(&there);
    tls_pair_fini(&pair);
}

static void test_a_write_of_nothing_is_no_record(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct iovec iov[2] = {{.iov_base = NULL, .iov_len = 0}, {.iov_base = NULL, .iov_len = 0}};
    size_t taken = 1;
    tls_pair_connect(&pair, &plain);
    tls_peer_pull(&pair.peer);
    size_t before = wf_buf_len(&pair.peer.wire);
    assert_int_equal(wf_transport_write(pair.client, iov, 2, &taken), WF_IO_OK);
    assert_int_equal(taken, 0);
    tls_peer_pull(&pair.peer);
    assert_int_equal(wf_buf_len(&pair.peer.wire), before);
    tls_pair_fini(&pair);
}

static void test_what_a_full_socket_left_over_is_sent_by_flush(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct wf_buf there = {0};
    const size_t total = 600000;
    uint8_t *octets = malloc(total);
    size_t sent = 0;
    int blocked = 0;
    assert_non_null(octets);
    fill_pattern(octets, total);
    tls_pair_connect(&pair, &plain);
    const int small = 4096;
    assert_int_equal(setsockopt(pair.client_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    while (sent < total) {
        struct iovec iov = {.iov_base = octets + sent, .iov_len = total - sent};
        size_t taken;
        enum wf_io_result result = wf_transport_write(pair.client, &iov, 1, &taken);
        sent += taken;
        if (result == WF_IO_OK)
            break;
        assert_int_equal(result, WF_IO_AGAIN);
        blocked++;
        /* The remainder is bounded, and stays while the socket is full. */
        assert_true(wf_transport_unsent(pair.client) >= WF_TLS_UNSENT_HIGH_WATER);
        assert_true(wf_transport_unsent(pair.client) < WF_TLS_UNSENT_MAX);
        assert_int_equal(wf_transport_flush(pair.client), WF_IO_AGAIN);
        tls_pair_peer_read(&pair, &there, sent - sent % 16384);
        assert_int_equal(wf_transport_flush(pair.client), WF_IO_OK);
        assert_int_equal(wf_transport_unsent(pair.client), 0);
    }
    assert_true(blocked > 1);
    tls_pair_peer_read(&pair, &there, total);
    assert_equal_to_pattern(&there, total);
    assert_int_equal(wf_transport_flush(pair.client), WF_IO_OK);
    free(octets);
    wf_buf_fini(&there);
    tls_pair_fini(&pair);
}

static void test_close_notify_is_the_orderly_end_and_comes_after_the_data(void **state)
{
    (void)state;
    struct tls_pair pair;
    uint8_t buf[1000];
    size_t len;
    tls_pair_connect(&pair, &plain);
    tls_peer_write(&pair.peer, "last", 4);
    tls_peer_close_notify(&pair.peer);
    (void)tls_peer_push(&pair.peer, SIZE_MAX);
    assert_int_equal(wf_transport_read(pair.client, buf, sizeof(buf), &len), WF_IO_END);
    assert_int_equal(len, 4);
    assert_memory_equal(buf, "last", 4);
    assert_int_equal(wf_transport_read(pair.client, buf, sizeof(buf), &len), WF_IO_END);
    assert_int_equal(len, 0);
    tls_pair_fini(&pair);
}

static void test_the_end_of_tcp_without_close_notify_is_a_truncation(void **state)
{
    (void)state;
    struct tls_pair pair;
    uint8_t buf[65536];
    size_t len;
    tls_pair_connect(&pair, &plain);
    tls_peer_write(&pair.peer, "half", 4);
    (void)tls_peer_push(&pair.peer, SIZE_MAX);
    tls_peer_hang_up(&pair.peer);
    pair.client->hangup = true;
    assert_int_equal(wf_transport_read(pair.client, buf, sizeof(buf), &len), WF_IO_ERROR);
    assert_int_equal(len, 4);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_TRUNCATED);
    assert_non_null(strstr(pair.client->error.text, "good.test"));
    tls_pair_fini(&pair);
}

static void test_the_end_inside_a_record_is_a_truncation(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct wf_buf got = {0};
    tls_pair_connect(&pair, &plain);
    assert_int_equal(tls_pair_read_all(&pair, &got), WF_IO_AGAIN);
    tls_peer_write(&pair.peer, "never whole", 11);
    (void)tls_peer_push(&pair.peer, wf_buf_len(&pair.peer.out) - 1);
    wf_buf_consume(&pair.peer.out, wf_buf_len(&pair.peer.out));
    tls_peer_hang_up(&pair.peer);
    pair.client->hangup = true;
    assert_int_equal(tls_pair_read_all(&pair, &got), WF_IO_ERROR);
    assert_int_equal(wf_buf_len(&got), 0);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_TRUNCATED);
    wf_buf_fini(&got);
    tls_pair_fini(&pair);
}

static void test_an_altered_record_is_an_error_and_not_data(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct wf_buf got = {0};
    tls_pair_connect(&pair, &plain);
    assert_int_equal(tls_pair_read_all(&pair, &got), WF_IO_AGAIN);
    tls_peer_write(&pair.peer, "genuine", 7);
    pair.peer.out.data[pair.peer.out.end - 1] ^= 1;
    assert_int_equal(tls_pair_read_all(&pair, &got), WF_IO_ERROR);
    assert_int_equal(wf_buf_len(&got), 0);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_TLS_PROTOCOL);
    wf_buf_fini(&got);
    tls_pair_fini(&pair);
}

static void test_a_failed_write_does_not_hide_what_the_peer_said(void **state)
{
    (void)state;
    struct tls_pair pair;
    uint8_t buf[65536];
    size_t len;
    struct iovec iov = {.iov_base = buf, .iov_len = 10};
    memset(buf, 0, sizeof(buf));
    tls_pair_connect(&pair, &plain);
    tls_peer_pull(&pair.peer);
    tls_peer_write(&pair.peer, "goodbye", 7);
    (void)tls_peer_push(&pair.peer, SIZE_MAX);
    tls_peer_hang_up(&pair.peer);
    assert_int_equal(wf_transport_write(pair.client, &iov, 1, &len), WF_IO_ERROR);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_SYSTEM);
    assert_int_equal(pair.client->error.sys_errno, EPIPE);
    pair.client->hangup = true;
    assert_int_equal(wf_transport_read(pair.client, buf, sizeof(buf), &len), WF_IO_ERROR);
    assert_int_equal(len, 7);
    assert_memory_equal(buf, "goodbye", 7);
    tls_pair_fini(&pair);
}

static void test_freeing_sends_close_notify_behind_all_data(void **state)
{
    (void)state;
    struct tls_pair pair;
    uint8_t buf[100];
    tls_pair_connect(&pair, &plain);
    tls_pair_write(&pair, "bye", 3);
    wf_transport_free(pair.client);
    pair.client = NULL;
    tls_peer_pull(&pair.peer);
    assert_true(pair.peer.end_seen);
    assert_int_equal(tls_peer_read(&pair.peer, buf, sizeof(buf)), 3);
    assert_int_equal(tls_peer_read(&pair.peer, buf, sizeof(buf)), -1);
    tls_pair_fini(&pair);
}

static void test_a_key_update_is_answered_inside_a_read(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct wf_buf got = {0}, there = {0};
    tls_pair_connect(&pair, &plain);
    tls_peer_update_keys(&pair.peer);
    tls_peer_write(&pair.peer, "new keys", 8);
    tls_peer_pull(&pair.peer);
    size_t before = wf_buf_len(&pair.peer.wire);
    assert_int_equal(tls_pair_read_all(&pair, &got), WF_IO_AGAIN);
    assert_int_equal(wf_buf_len(&got), 8);
    tls_peer_pull(&pair.peer);
    assert_true(wf_buf_len(&pair.peer.wire) > before);
    tls_pair_write(&pair, "mine too", 8);
    tls_pair_peer_read(&pair, &there, 8);
    assert_memory_equal(there.data, "mine too", 8);
    wf_buf_fini(&got);
    wf_buf_fini(&there);
    tls_pair_fini(&pair);
}

static void test_key_updates_that_are_never_read_back_end_in_an_error(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct wf_buf got = {0};
    enum wf_io_result result = WF_IO_AGAIN;
    tls_pair_connect(&pair, &plain);
    const int small = 4096;
    assert_int_equal(setsockopt(pair.client_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    for (int i = 0; i < 40000 && result == WF_IO_AGAIN; i++) {
        tls_peer_update_keys(&pair.peer);
        tls_peer_write(&pair.peer, "x", 1); /* without content another limit comes first */
        result = tls_pair_read_all(&pair, &got);
        assert_true(wf_transport_unsent(pair.client) <= WF_TLS_UNSENT_MAX);
    }
    assert_int_equal(result, WF_IO_ERROR);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_TLS_PROTOCOL);
    assert_non_null(strstr(pair.client->error.text, "does not read"));
    wf_buf_fini(&got);
    tls_pair_fini(&pair);
}

static void test_records_without_content_have_a_limit(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct wf_buf got = {0}, there = {0};
    int updates = 0;
    enum wf_io_result result = WF_IO_AGAIN;
    tls_pair_connect(&pair, &plain);
    /* One for each record with content is fine for ever. */
    for (int i = 0; i < 1500; i++) {
        tls_peer_update_keys(&pair.peer);
        tls_peer_write(&pair.peer, "x", 1);
        assert_int_equal(tls_pair_read_all(&pair, &got), WF_IO_AGAIN);
        tls_pair_write(&pair, "x", 1);
        tls_pair_peer_read(&pair, &there, (size_t)i + 1);
    }
    for (; updates < 2000 && result == WF_IO_AGAIN; updates++) {
        tls_peer_update_keys(&pair.peer);
        result = tls_pair_read_all(&pair, &got);
        tls_peer_pull(&pair.peer);
    }
    assert_int_equal(result, WF_IO_ERROR);
    assert_in_range(updates, 1000, 1010);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_TLS_LIMIT);
    assert_non_null(strstr(pair.client->error.text, "the limit on TLS records without content"));
    wf_buf_fini(&got);
    wf_buf_fini(&there);
    tls_pair_fini(&pair);
}

/* RFC 9113 section 9.2.1. What the record says does not matter any more. */
static void test_a_second_handshake_is_an_error(void **state)
{
    (void)state;
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct tls_pair pair;
        struct wf_buf got = {0};
        struct tls_pair_config config = plain;
        config.peer.tls12 = tls12 != 0;
        tls_pair_connect(&pair, &config);
        tls_peer_write(&pair.peer, "first", 5);
        assert_true(wf_buf_append(&pair.peer.out, "\x16\x03\x03\0\x20", 5));
        assert_int_equal(tls_pair_read_all(&pair, &got), WF_IO_ERROR);
        assert_int_equal(wf_buf_len(&got), 5);
        assert_int_equal(pair.client->error.kind, WF_IO_ERR_TLS_PROTOCOL);
        assert_non_null(strstr(pair.client->error.text, "asks for a new TLS handshake"));
        wf_buf_fini(&got);
        tls_pair_fini(&pair);
    }
}

static void test_two_connections_share_the_buffers(void **state)
{
    (void)state;
    struct tls_pair one, two;
    struct wf_buf from_one = {0}, from_two = {0};
    tls_pair_connect(&one, &plain);
    tls_pair_init(&two, &plain);
    /* The second one moves over to the first one's buffers. */
    wf_transport_free(two.client);
    wf_tls_io_free(two.io);
    int fds[2];
    struct wf_io_error error;
    two.io = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    tls_peer_fini(&two.peer);
    tls_peer_init(&two.peer, fds[1], &plain.peer);
    two.client = wf_tls_new(two.ctx, one.io, fds[0], "good.test", 443, NULL, &error);
    assert_non_null(two.client);
    assert_int_equal(tls_pair_handshake(&two), WF_IO_OK);

    tls_peer_write(&one.peer, "for one", 7);
    tls_peer_write(&two.peer, "for two!", 8);
    (void)tls_peer_push(&one.peer, 9);
    (void)tls_peer_push(&two.peer, 12);
    assert_int_equal(tls_pair_read_all(&one, &from_one), WF_IO_AGAIN);
    assert_int_equal(tls_pair_read_all(&two, &from_two), WF_IO_AGAIN);
    assert_int_equal(wf_buf_len(&from_one), 7);
    assert_int_equal(wf_buf_len(&from_two), 8);
    assert_memory_equal(from_one.data, "for one", 7);
    assert_memory_equal(from_two.data, "for two!", 8);
    wf_buf_fini(&from_one);
    wf_buf_fini(&from_two);
    wf_transport_free(two.client);
    two.client = NULL;
    tls_pair_fini(&two);
    tls_pair_fini(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_passes_in_both_directions),
        cmocka_unit_test(test_records_that_arrive_octet_by_octet_are_put_together),
        cmocka_unit_test(test_one_read_takes_all_records_that_are_there),
        cmocka_unit_test(test_a_reader_with_little_room_loses_nothing),
        cmocka_unit_test(test_a_write_of_40_kb_makes_three_records),
        cmocka_unit_test(test_many_small_slices_share_records),
        cmocka_unit_test(test_a_write_of_nothing_is_no_record),
        cmocka_unit_test(test_what_a_full_socket_left_over_is_sent_by_flush),
        cmocka_unit_test(test_close_notify_is_the_orderly_end_and_comes_after_the_data),
        cmocka_unit_test(test_the_end_of_tcp_without_close_notify_is_a_truncation),
        cmocka_unit_test(test_the_end_inside_a_record_is_a_truncation),
        cmocka_unit_test(test_an_altered_record_is_an_error_and_not_data),
        cmocka_unit_test(test_a_failed_write_does_not_hide_what_the_peer_said),
        cmocka_unit_test(test_freeing_sends_close_notify_behind_all_data),
        cmocka_unit_test(test_a_key_update_is_answered_inside_a_read),
        cmocka_unit_test(test_key_updates_that_are_never_read_back_end_in_an_error),
        cmocka_unit_test(test_records_without_content_have_a_limit),
        cmocka_unit_test(test_a_second_handshake_is_an_error),
        cmocka_unit_test(test_two_connections_share_the_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
