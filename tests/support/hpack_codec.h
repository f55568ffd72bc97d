/* An encoder and a decoder that follows it, and what is asserted of every block. A test file has
 * one of each at a time. */
#ifndef WF_TESTS_HPACK_CODEC_H
#define WF_TESTS_HPACK_CODEC_H

#include "h2/hpack_decode.h"
#include "h2/hpack_dyntab.h"
#include "h2/hpack_encode.h"

#include "support/cmocka.h"
#include "support/failing_alloc.h"
#include "support/hex.h"

static struct wf_hpack_encoder *encoder;
static struct wf_hpack_decoder *decoder;
static struct wf_buf out;

static inline void use_table_cap(uint32_t cap)
{
    wf_hpack_encoder_free(encoder);
    wf_hpack_decoder_free(decoder);
    encoder = wf_hpack_encoder_new(cap);
    decoder = wf_hpack_decoder_new(4096, 1 << 24, 10000);
    assert_non_null(encoder);
    assert_non_null(decoder);
}

static inline int set_up(void **state)
{
    (void)state;
    failing_alloc_after(-1);
    use_table_cap(4096);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    failing_alloc_after(-1);
    wf_hpack_encoder_free(encoder);
    wf_hpack_decoder_free(decoder);
    encoder = NULL;
    decoder = NULL;
    wf_buf_fini(&out);
    return 0;
}

static inline struct wf_field field(const char *name, const char *value)
{
    return (struct wf_field){.name = wf_slice_str(name), .value = wf_slice_str(value)};
}

/* Encodes, and checks that decoding gives the same. The block is in `out` afterwards. */
static inline void encode_fields(uint64_t key, const struct wf_field *fields, size_t count)
{
    struct wf_field_section section;
    wf_buf_consume(&out, wf_buf_len(&out));
    assert_true(wf_hpack_encode(encoder, key, fields, count, &out));
    enum wf_hpack_status status = wf_hpack_decode(decoder, wf_buf_slice(&out), &section);
    if (status != WF_HPACK_OK)
        print_error("%s\n", wf_hpack_decoder_reason(decoder));
    assert_int_equal(status, WF_HPACK_OK);
    assert_int_equal(section.count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(wf_slice_equal(wf_section_name(&section, i), fields[i].name));
        assert_true(wf_slice_equal(wf_section_value(&section, i), fields[i].value));
        if (fields[i].never_indexed)
            assert_true(section.lines[i].flags & WF_FIELD_NEVER_INDEXED);
    }
    const struct wf_hpack_dyntab *ours = wf_hpack_encoder_table(encoder);
    const struct wf_hpack_dyntab *theirs = wf_hpack_decoder_table(decoder);
    assert_int_equal(ours->size, theirs->size);
    assert_int_equal(ours->count, theirs->count);
    assert_int_equal(ours->max_size, theirs->max_size);
}

static inline void encode(const char *name, const char *value)
{
    struct wf_field one = field(name, value);
    encode_fields(0, &one, 1);
}

static inline void assert_out(const char *hex)
{
    uint8_t octets[256];
    assert_true(wf_slice_equal(wf_buf_slice(&out), test_hex(hex, octets, sizeof(octets))));
}

static inline uint32_t table_count(void)
{
    return wf_hpack_encoder_table(encoder)->count;
}

static inline void set_peer_table_size(uint32_t size)
{
    wf_hpack_encoder_set_max_table_size(encoder, size);
    wf_hpack_decoder_set_max_table_size(decoder, size);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
