/* Frames out: each type against the public vector's octets where there is one, and split blocks. */
#include "h2/frame_encode.h"

#include "h2/frame_decode.h"
#include "support/cmocka.h"
#include "support/hex.h"

static void assert_frame(struct wf_buf *buf, bool encoded, const char *hex)
{
    uint8_t expected[256];
    struct wf_slice wire = test_hex(hex, expected, sizeof(expected));
    assert_true(encoded);
    assert_int_equal(wf_buf_len(buf), wire.len);
    assert_memory_equal(buf->data + buf->start, wire.ptr, wire.len);
    wf_buf_fini(buf);
}

static void test_each_type_is_written_as_the_rfc_has_it(void **state)
{
    (void)state;
    struct wf_buf buf = {0};
    struct wf_slice dummy = wf_slice_str("dummy");
    struct wf_h2_priority priority = {.depends_on = 20, .weight = 9, .exclusive = true};
    assert_frame(&buf, wf_h2_encode_data(&buf, 2, 1, dummy, 3),
                 "000009 00 09 00000002 03 64756d6d79 000000");
    assert_frame(&buf, wf_h2_encode_data(&buf, 2, 0, dummy, -1),
                 "000005 00 00 00000002 64756d6d79");
    assert_frame(&buf, wf_h2_encode_headers(&buf, 3, 4, &priority, dummy, 0),
                 "00000b 01 2c 00000003 00 80000014 09 64756d6d79");
    assert_frame(&buf, wf_h2_encode_priority(&buf, 9, &priority),
                 "000005 02 00 00000009 80000014 09");
    assert_frame(&buf, wf_h2_encode_rst_stream(&buf, 5, 8), "000004 03 00 00000005 00000008");
    assert_frame(&buf, wf_h2_encode_push_promise(&buf, 10, 4, 12, dummy, 1),
                 "00000b 05 0c 0000000a 01 0000000c 64756d6d79 00");
    assert_frame(&buf, wf_h2_encode_ping(&buf, 1, (const uint8_t *)"deadbeef"),
                 "000008 06 01 00000000 6465616462656566");
    assert_frame(&buf, wf_h2_encode_goaway(&buf, 30, 9, dummy),
                 "00000d 07 00 00000000 0000001e 00000009 64756d6d79");
    assert_frame(&buf, wf_h2_encode_window_update(&buf, 50, 1000),
                 "000004 08 00 00000032 000003e8");
    assert_frame(&buf, wf_h2_encode_continuation(&buf, 50, 4, dummy),
                 "000005 09 04 00000032 64756d6d79");
    assert_frame(&buf, wf_h2_encode_header(&buf, 0xabcdef, 0x12, 0x34, 0x7fffffff),
                 "abcdef 12 34 7fffffff");
}

/* Encodes a block of @len octets behind something else, and puts it together again. */
static void split_and_join(size_t len, uint32_t max_frame_size)
{
    struct wf_buf buf = {0};
    uint8_t *block = malloc(len + 1);
    assert_non_null(block);
    for (size_t i = 0; i < len; i++)
        block[i] = (uint8_t)(i * 13);
    assert_true(wf_buf_append(&buf, "front", 5));
    wf_buf_consume(&buf, 2);
    size_t begin = wf_h2_block_begin(&buf);
    assert_int_equal(begin, 3);
    assert_true(wf_buf_append(&buf, block, len));
    assert_true(wf_h2_block_finish(&buf, begin, 7, WF_H2_FLAG_END_STREAM, max_frame_size));
    struct wf_slice rest = wf_slice_skip(wf_buf_slice(&buf), 3);
    size_t joined = 0;
    uint8_t type = WF_H2_FRAME_HEADERS;
    bool end_headers = false;
    while (!end_headers) {
        struct wf_h2_frame_header header = wf_h2_frame_header_decode(rest.ptr);
        assert_int_equal(header.type, type);
        assert_int_equal(header.stream_id, 7);
        assert_true(header.len <= max_frame_size && joined + header.len <= len);
        assert_int_equal(header.flags & WF_H2_FLAG_END_STREAM, joined == 0 && type == 1);
        assert_memory_equal(rest.ptr + 9, block + joined, header.len);
        end_headers = (header.flags & WF_H2_FLAG_END_HEADERS) != 0;
        joined += header.len;
        rest = wf_slice_skip(rest, 9 + (size_t)header.len);
        type = WF_H2_FRAME_CONTINUATION;
    }
    assert_int_equal(joined, len);
    assert_int_equal(rest.len, 0);
    free(block);
    wf_buf_fini(&buf);
}

static void test_a_block_is_split_where_max_frame_size_says(void **state)
{
    (void)state;
    static const size_t lens[] = {0,     1,     16383, 16384, 16385, 32767,
                                  32768, 32769, 49152, 49153, 200000};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        split_and_join(lens[i], 16384);
        split_and_join(lens[i], 16385);
        split_and_join(lens[i], 16777215);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_is_written_as_the_rfc_has_it),
        cmocka_unit_test(test_a_block_is_split_where_max_frame_size_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
