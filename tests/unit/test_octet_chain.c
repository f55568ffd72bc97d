#include "support/cmocka.h"

#include "workers/octet_chain.h"

#include <pthread.h>
#include <stdlib.h>

static void test_octets_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct wf_octet_chain chain;
    assert_true(wf_octet_chain_init(&chain, 16384));
    static uint8_t in[100000];
    static uint8_t out[100000];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 7 >> 2);
    size_t written = 0;
    size_t read = 0;
    for (size_t step = 1; read < sizeof(in); step = step * 3 % 20011) {
        size_t len = step < sizeof(in) - written ? step : sizeof(in) - written;
        assert_true(wf_octet_chain_append(&chain, wf_slice(in + written, len)));
        written += len;
        size_t cap = step * 5 % 9973 + 1;
        read += wf_octet_chain_read(&chain, out + read,
                                    cap < sizeof(out) - read ? cap : sizeof(out) - read);
    }
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(wf_octet_chain_read(&chain, out, 1), 0);
    wf_octet_chain_fini(&chain);
}

static void test_what_is_unread_is_freed_with_the_chain(void **state)
{
    (void)state;
    struct wf_octet_chain chain;
    assert_true(wf_octet_chain_init(&chain, 16384));
    static uint8_t octets[70000];
    assert_true(wf_octet_chain_append(&chain, wf_slice(octets, sizeof(octets))));
    wf_octet_chain_fini(&chain);
}

static void test_one_octet_frames_share_their_memory(void **state)
{
    (void)state;
    struct wf_octet_chain chain;
    assert_true(wf_octet_chain_init(&chain, 16384));
    /* The first chunk takes them all: it stays both the first and the last. */
    const struct wf_octet_chunk *chunk = chain.tail;
    for (int i = 0; i < 500; i++)
        assert_true(wf_octet_chain_append(&chain, wf_slice("x", 1)));
    assert_ptr_equal(chain.tail, chunk);
    assert_ptr_equal(chain.head, chunk);
    wf_octet_chain_fini(&chain);
}

static void test_a_peek_stays_until_it_is_advanced_over(void **state)
{
    (void)state;
    struct wf_octet_chain chain;
    static uint8_t octets[2000];
    assert_true(wf_octet_chain_init(&chain, 1000));
    assert_int_equal(wf_octet_chain_peek(&chain).len, 0);
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)(i % 251);
    assert_true(wf_octet_chain_append(&chain, wf_slice(octets, 300)));
    struct wf_slice first = wf_octet_chain_peek(&chain);
    assert_int_equal(first.len, 300);
    /* More behind it moves nothing. */
    assert_true(wf_octet_chain_append(&chain, wf_slice(octets + 300, sizeof(octets) - 300)));
    assert_memory_equal(first.ptr, octets, 300);
    wf_octet_chain_advance(&chain, 100);
    assert_ptr_equal(wf_octet_chain_peek(&chain).ptr, first.ptr + 100);
    size_t seen = 100;
    while (seen < sizeof(octets)) {
        struct wf_slice piece = wf_octet_chain_peek(&chain);
        assert_in_range(piece.len, 1, 1000);
        assert_memory_equal(piece.ptr, octets + seen, piece.len);
        wf_octet_chain_advance(&chain, piece.len);
        seen += piece.len;
    }
    assert_int_equal(seen, sizeof(octets));
    assert_int_equal(wf_octet_chain_peek(&chain).len, 0);
    wf_octet_chain_fini(&chain);
}

static void test_octets_can_be_made_in_place(void **state)
{
    (void)state;
    struct wf_octet_chain chain;
    uint8_t out[3000];
    assert_true(wf_octet_chain_init(&chain, 1000));
    size_t total = 0;
    while (total < sizeof(out)) {
        size_t len = sizeof(out) - total;
        uint8_t *room = wf_octet_chain_room(&chain, &len);
        assert_non_null(room);
        assert_in_range(len, 1, 1000);
        len = len > 77 ? 77 : len; /* less than there is room for */
        for (size_t i = 0; i < len; i++)
            room[i] = (uint8_t)((total + i) % 251);
        wf_octet_chain_wrote(&chain, len);
        total += len;
    }
    assert_int_equal(wf_octet_chain_read(&chain, out, sizeof(out)), sizeof(out));
    for (size_t i = 0; i < sizeof(out); i++)
        assert_int_equal(out[i], i % 251);
    wf_octet_chain_fini(&chain);
}

#define RACE_LEN 3000000u

static void *append_all(void *user)
{
    struct wf_octet_chain *chain = user;
    uint8_t octets[1000];
    size_t sent = 0;
    for (size_t step = 1; sent < RACE_LEN; step = step * 31 % 997 + 1) {
        size_t len = step < RACE_LEN - sent ? step : RACE_LEN - sent;
        for (size_t i = 0; i < len; i++)
            octets[i] = (uint8_t)((sent + i) % 251);
        if (!wf_octet_chain_append(chain, wf_slice(octets, len)))
            return chain;
        sent += len;
    }
    return NULL;
}

static void test_a_reader_on_another_thread_sees_each_octet_once(void **state)
{
    (void)state;
    struct wf_octet_chain chain;
    assert_true(wf_octet_chain_init(&chain, 16384));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, append_all, &chain), 0);
    size_t total = 0;
    size_t wrong = 0;
    while (total < RACE_LEN) {
        uint8_t buf[700];
        size_t len = wf_octet_chain_read(&chain, buf, sizeof(buf));
        for (size_t i = 0; i < len; i++)
            wrong += buf[i] != (uint8_t)((total + i) % 251);
        total += len;
    }
    void *failed;
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(wrong, 0);
    wf_octet_chain_fini(&chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_octets_come_out_as_they_went_in),
        cmocka_unit_test(test_what_is_unread_is_freed_with_the_chain),
        cmocka_unit_test(test_one_octet_frames_share_their_memory),
        cmocka_unit_test(test_a_peek_stays_until_it_is_advanced_over),
        cmocka_unit_test(test_octets_can_be_made_in_place),
        cmocka_unit_test(test_a_reader_on_another_thread_sees_each_octet_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
