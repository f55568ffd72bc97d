#include "support/cmocka.h"

#include "io_thread/body_stream.h"

#include <pthread.h>
#include <stdlib.h>

static void test_octets_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct wf_body_stream *stream = wf_body_stream_new(NULL, NULL);
    assert_non_null(stream);
    static uint8_t in[100000];
    static uint8_t out[100000];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 7 >> 2);
    size_t written = 0;
    size_t read = 0;
    for (size_t step = 1; read < sizeof(in); step = step * 3 % 20011) {
        size_t len = step < sizeof(in) - written ? step : sizeof(in) - written;
        assert_true(wf_body_stream_append(stream, wf_slice(in + written, len)));
        written += len;
        size_t cap = step * 5 % 9973 + 1;
        read += wf_body_stream_read(stream, out + read,
                                    cap < sizeof(out) - read ? cap : sizeof(out) - read);
    }
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(wf_body_stream_read(stream, out, 1), 0);
    wf_body_stream_free(stream);
}

static void test_what_is_unread_is_freed_with_the_stream(void **state)
{
    (void)state;
    struct wf_body_stream *stream = wf_body_stream_new(NULL, NULL);
    static uint8_t octets[70000];
    assert_true(wf_body_stream_append(stream, wf_slice(octets, sizeof(octets))));
    wf_body_stream_free(stream);
    wf_body_stream_free(NULL);
}

static void test_one_octet_frames_share_their_memory(void **state)
{
    (void)state;
    struct wf_body_stream *stream = wf_body_stream_new(NULL, NULL);
    /* The first chunk takes them all: it stays both the first and the last. */
    const struct wf_octet_chunk *chunk = stream->octets.tail;
    for (int i = 0; i < 500; i++)
        assert_true(wf_body_stream_append(stream, wf_slice("x", 1)));
    assert_ptr_equal(stream->octets.tail, chunk);
    assert_ptr_equal(stream->octets.head, chunk);
    wf_body_stream_free(stream);
}

#define RACE_LEN 3000000u

static void *append_all(void *user)
{
    struct wf_body_stream *stream = user;
    uint8_t octets[1000];
    size_t sent = 0;
    for (size_t step = 1; sent < RACE_LEN; step = step * 31 % 997 + 1) {
        size_t len = step < RACE_LEN - sent ? step : RACE_LEN - sent;
        for (size_t i = 0; i < len; i++)
            octets[i] = (uint8_t)((sent + i) % 251);
        if (!wf_body_stream_append(stream, wf_slice(octets, len)))
            return stream;
        sent += len;
    }
    return NULL;
}

static void test_a_reader_on_another_thread_sees_each_octet_once(void **state)
{
    (void)state;
    struct wf_body_stream *stream = wf_body_stream_new(NULL, NULL);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, append_all, stream), 0);
    size_t total = 0;
    size_t wrong = 0;
    while (total < RACE_LEN) {
        uint8_t buf[700];
        size_t len = wf_body_stream_read(stream, buf, sizeof(buf));
        for (size_t i = 0; i < len; i++)
            wrong += buf[i] != (uint8_t)((total + i) % 251);
        total += len;
    }
    void *failed;
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(wrong, 0);
    wf_body_stream_free(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_octets_come_out_as_they_went_in),
        cmocka_unit_test(test_what_is_unread_is_freed_with_the_stream),
        cmocka_unit_test(test_one_octet_frames_share_their_memory),
        cmocka_unit_test(test_a_reader_on_another_thread_sees_each_octet_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
