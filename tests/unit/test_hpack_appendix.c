/* RFC 7541 appendix C, octet by octet: integers, then each example with the dynamic table after it.
 */
#include "h2/hpack_decode.h"
#include "h2/hpack_dyntab.h"
#include "h2/hpack_encode.h"
#include "h2/hpack_int.h"

#include "support/cmocka.h"
#include "support/hex.h"

#define MAX_FIELDS 8

struct example {
    const char *block;
    const char *fields[MAX_FIELDS][2];
    const char *table[MAX_FIELDS][2]; /* newest first */
    uint32_t table_size;
};

#define METHOD_GET                                                                                 \
    {                                                                                              \
        ":method", "GET"                                                                           \
    }
#define SCHEME_HTTP                                                                                \
    {                                                                                              \
        ":scheme", "http"                                                                          \
    }
#define EXAMPLE_COM                                                                                \
    {                                                                                              \
        ":authority", "www.example.com"                                                            \
    }
#define NO_CACHE                                                                                   \
    {                                                                                              \
        "cache-control", "no-cache"                                                                \
    }
#define CUSTOM                                                                                     \
    {                                                                                              \
        "custom-key", "custom-value"                                                               \
    }
#define PRIVATE                                                                                    \
    {                                                                                              \
        "cache-control", "private"                                                                 \
    }
#define DATE_21                                                                                    \
    {                                                                                              \
        "date", "Mon, 21 Oct 2013 20:13:21 GMT"                                                    \
    }
#define DATE_22                                                                                    \
    {                                                                                              \
        "date", "Mon, 21 Oct 2013 20:13:22 GMT"                                                    \
    }
#define LOCATION                                                                                   \
    {                                                                                              \
        "location", "https://www.example.com"                                                      \
    }
#define GZIP                                                                                       \
    {                                                                                              \
        "content-encoding", "gzip"                                                                 \
    }
#define SET_COOKIE                                                                                 \
    {                                                                                              \
        "set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"                   \
    }

static const struct example c3[] = {
    {"8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
     {METHOD_GET, SCHEME_HTTP, {":path", "/"}, EXAMPLE_COM},
     {EXAMPLE_COM},
     57},
    {"8286 84be 5808 6e6f 2d63 6163 6865",
     {METHOD_GET, SCHEME_HTTP, {":path", "/"}, EXAMPLE_COM, NO_CACHE},
     {NO_CACHE, EXAMPLE_COM},
     110},
    {"8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
     {METHOD_GET, {":scheme", "https"}, {":path", "/index.html"}, EXAMPLE_COM, CUSTOM},
     {CUSTOM, NO_CACHE, EXAMPLE_COM},
     164},
};

static const struct example c4[] = {
    {"8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
     {METHOD_GET, SCHEME_HTTP, {":path", "/"}, EXAMPLE_COM},
     {EXAMPLE_COM},
     57},
    {"8286 84be 5886 a8eb 1064 9cbf",
     {METHOD_GET, SCHEME_HTTP, {":path", "/"}, EXAMPLE_COM, NO_CACHE},
     {NO_CACHE, EXAMPLE_COM},
     110},
    {"8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
     {METHOD_GET, {":scheme", "https"}, {":path", "/index.html"}, EXAMPLE_COM, CUSTOM},
     {CUSTOM, NO_CACHE, EXAMPLE_COM},
     164},
};

static const struct example c5[] = {
    {"4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133"
     "2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70"
     "6c65 2e63 6f6d",
     {{":status", "302"}, PRIVATE, DATE_21, LOCATION},
     {LOCATION, DATE_21, PRIVATE, {":status", "302"}},
     222},
    {"4803 3330 37c1 c0bf",
     {{":status", "307"}, PRIVATE, DATE_21, LOCATION},
     {{":status", "307"}, LOCATION, DATE_21, PRIVATE},
     222},
    {"88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d"
     "54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049"
     "5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e"
     "3d31",
     {{":status", "200"}, PRIVATE, DATE_22, LOCATION, GZIP, SET_COOKIE},
     {SET_COOKIE, GZIP, DATE_22},
     215},
};

static const struct example c6[] = {
    {"4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6"
     "2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
     {{":status", "302"}, PRIVATE, DATE_21, LOCATION},
     {LOCATION, DATE_21, PRIVATE, {":status", "302"}},
     222},
    {"4883 640e ffc1 c0bf",
     {{":status", "307"}, PRIVATE, DATE_21, LOCATION},
     {{":status", "307"}, LOCATION, DATE_21, PRIVATE},
     222},
    {"88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab"
     "77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f"
     "9587 3160 65c0 03ed 4ee5 b106 3d50 07",
     {{":status", "200"}, PRIVATE, DATE_22, LOCATION, GZIP, SET_COOKIE},
     {SET_COOKIE, GZIP, DATE_22},
     215},
};

static void assert_fields(const struct wf_field_section *section, const char *const fields[][2])
{
    uint32_t count = 0;
    size_t size = 0;
    for (; count < MAX_FIELDS && fields[count][0] != NULL; count++) {
        assert_true(count < section->count);
        assert_true(wf_slice_is(wf_section_name(section, count), fields[count][0]));
        assert_true(wf_slice_is(wf_section_value(section, count), fields[count][1]));
        size += strlen(fields[count][0]) + strlen(fields[count][1]) + 32;
    }
    assert_int_equal(section->count, count);
    assert_int_equal(section->size, size);
}

static void assert_table(const struct wf_hpack_dyntab *table, const struct example *e)
{
    uint32_t count = 0;
    for (; count < MAX_FIELDS && e->table[count][0] != NULL; count++) {
        assert_true(count < table->count);
        const struct wf_field_line *line = wf_hpack_dyntab_at(table, count);
        const uint8_t *octets = wf_hpack_dyntab_octets(table, line);
        assert_true(wf_slice_is(wf_slice(octets, line->name_len), e->table[count][0]));
        assert_true(
            wf_slice_is(wf_slice(octets + line->name_len, line->value_len), e->table[count][1]));
    }
    assert_int_equal(table->count, count);
    assert_int_equal(table->size, e->table_size);
}

static void decode_examples(const struct example *examples, size_t count, uint32_t table_size)
{
    struct wf_hpack_decoder *decoder = wf_hpack_decoder_new(table_size, 4096, 100);
    assert_non_null(decoder);
    for (size_t i = 0; i < count; i++) {
        uint8_t octets[256];
        struct wf_field_section section;
        struct wf_slice block = test_hex(examples[i].block, octets, sizeof(octets));
        assert_int_equal(wf_hpack_decode(decoder, block, &section), WF_HPACK_OK);
        assert_fields(&section, examples[i].fields);
        assert_table(wf_hpack_decoder_table(decoder), &examples[i]);
    }
    wf_hpack_decoder_free(decoder);
}

static void assert_int_round_trip(uint32_t value, unsigned prefix, const char *hex)
{
    uint8_t expected[8];
    uint8_t out[WF_HPACK_INT_MAX_LEN];
    uint32_t read;
    struct wf_slice octets = test_hex(hex, expected, sizeof(expected));
    assert_ptr_equal(wf_hpack_int_write(out, 0, prefix, value), out + octets.len);
    assert_memory_equal(out, octets.ptr, octets.len);
    const uint8_t *p = octets.ptr;
    assert_true(wf_hpack_int_read(&p, p + octets.len, prefix, &read));
    assert_int_equal(read, value);
    assert_ptr_equal(p, octets.ptr + octets.len);
    for (size_t len = 1; len < octets.len; len++) {
        p = octets.ptr;
        assert_false(wf_hpack_int_read(&p, p + len, prefix, &read));
    }
}

static void test_c1_integers(void **state)
{
    (void)state;
    assert_int_round_trip(10, 5, "0a");
    assert_int_round_trip(1337, 5, "1f 9a 0a");
    assert_int_round_trip(42, 8, "2a");
}

static void test_integers_at_the_ends_of_their_range(void **state)
{
    (void)state;
    assert_int_round_trip(30, 5, "1e");
    assert_int_round_trip(31, 5, "1f 00");
    assert_int_round_trip(31 + 127, 5, "1f 7f");
    assert_int_round_trip(31 + 128, 5, "1f 80 01");
    assert_int_round_trip(UINT32_MAX, 7, "7f 80 ff ff ff 0f");
    assert_int_round_trip(UINT32_MAX, 4, "0f f0 ff ff ff 0f");
}

static void assert_int_refused(const char *hex)
{
    uint8_t octets[16];
    uint32_t value;
    struct wf_slice in = test_hex(hex, octets, sizeof(octets));
    const uint8_t *p = in.ptr;
    assert_false(wf_hpack_int_read(&p, p + in.len, 5, &value));
}

static void test_integers_beyond_their_range_are_refused(void **state)
{
    (void)state;
    assert_int_refused("1f e1 ff ff ff 0f");    /* 2^32 */
    assert_int_refused("1f ff ff ff ff 7f");    /* about 2^35 */
    assert_int_refused("1f ff ff ff ff ff 01"); /* six octets */
    assert_int_refused("1f 80 80 80 80 80 00"); /* 31, with zeros that are one octet too long */
    assert_int_refused("1f ff ff ff ff ff ff ff ff 7f"); /* what would overflow 64 bits */
    assert_int_refused("1f");
}

static void test_c2_representations(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
         {{"custom-key", "custom-header"}},
         {{"custom-key", "custom-header"}},
         55},
        {"040c 2f73 616d 706c 652f 7061 7468", {{":path", "/sample/path"}}, {{NULL}}, 0},
        {"1008 7061 7373 776f 7264 0673 6563 7265 74", {{"password", "secret"}}, {{NULL}}, 0},
        {"82", {METHOD_GET}, {{NULL}}, 0},
    };
    for (size_t i = 0; i < 4; i++)
        decode_examples(&examples[i], 1, 4096);
}

static void test_c3_requests_without_huffman_code(void **state)
{
    (void)state;
    decode_examples(c3, 3, 4096);
}

static void test_c4_requests_with_huffman_code(void **state)
{
    (void)state;
    decode_examples(c4, 3, 4096);
}

static void test_c5_responses_without_huffman_code(void **state)
{
    (void)state;
    decode_examples(c5, 3, 256);
}

static void test_c6_responses_with_huffman_code(void **state)
{
    (void)state;
    decode_examples(c6, 3, 256);
}

static void test_c4_is_what_our_encoder_writes(void **state)
{
    (void)state;
    struct wf_hpack_encoder *encoder = wf_hpack_encoder_new(4096);
    struct wf_buf out;
    wf_buf_init(&out);
    assert_non_null(encoder);
    for (size_t i = 0; i < 3; i++) {
        struct wf_field fields[MAX_FIELDS];
        uint8_t octets[64];
        size_t count = 0;
        struct wf_slice block = test_hex(c4[i].block, octets, sizeof(octets));
        for (; count < MAX_FIELDS && c4[i].fields[count][0] != NULL; count++)
            fields[count] = (struct wf_field){.name = wf_slice_str(c4[i].fields[count][0]),
                                              .value = wf_slice_str(c4[i].fields[count][1])};
        assert_true(wf_hpack_encode(encoder, 0, fields, count, &out));
        assert_true(wf_slice_equal(wf_buf_slice(&out), block));
        assert_table(wf_hpack_encoder_table(encoder), &c4[i]);
        wf_buf_consume(&out, wf_buf_len(&out));
    }
    wf_buf_fini(&out);
    wf_hpack_encoder_free(encoder);
}

/* Each example cut off anywhere: an error, or, between two field lines, fewer of them. */
static void test_every_prefix_of_the_examples_is_an_error_or_shorter(void **state)
{
    (void)state;
    static const struct example *const all[] = {c3, c4, c5, c6};
    for (size_t i = 0; i < 4; i++) {
        uint8_t octets[256];
        struct wf_slice block = test_hex(all[i][0].block, octets, sizeof(octets));
        uint32_t complete = 0;
        for (size_t len = 0; len < block.len; len++) {
            struct wf_hpack_decoder *decoder = wf_hpack_decoder_new(256, 4096, 100);
            struct wf_field_section section;
            uint8_t *copy = malloc(len + 1);
            memcpy(copy, block.ptr, len);
            if (wf_hpack_decode(decoder, wf_slice(copy, len), &section) == WF_HPACK_OK) {
                assert_int_equal(section.count, complete);
                complete++;
            } else {
                assert_int_equal(section.count, 0);
                assert_true(strlen(wf_hpack_decoder_reason(decoder)) > 0);
            }
            free(copy);
            wf_hpack_decoder_free(decoder);
        }
        assert_int_equal(complete, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c1_integers),
        cmocka_unit_test(test_integers_at_the_ends_of_their_range),
        cmocka_unit_test(test_integers_beyond_their_range_are_refused),
        cmocka_unit_test(test_c2_representations),
        cmocka_unit_test(test_c3_requests_without_huffman_code),
        cmocka_unit_test(test_c4_requests_with_huffman_code),
        cmocka_unit_test(test_c5_responses_without_huffman_code),
        cmocka_unit_test(test_c6_responses_with_huffman_code),
        cmocka_unit_test(test_c4_is_what_our_encoder_writes),
        cmocka_unit_test(test_every_prefix_of_the_examples_is_an_error_or_shorter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
