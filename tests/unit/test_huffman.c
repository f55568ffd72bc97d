/* The Huffman code: RFC 7541's strings, every octet, padding, hostile input, room. */
#include "h2/field_octets.h"
#include "h2/huffman.h"

#include "support/cmocka.h"
#include "support/random.h"

struct example {
    const char *text;
    const char *coded;
    size_t coded_len;
};

/* RFC 7541 appendix C.4 and C.6. */
static const struct example examples[] = {
    {"www.example.com", "\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff", 12},
    {"no-cache", "\xa8\xeb\x10\x64\x9c\xbf", 6},
    {"custom-key", "\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f", 8},
    {"custom-value", "\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf", 9},
    {"302", "\x64\x02", 2},
    {"private", "\xae\xc3\x77\x1a\x4b", 5},
    {"Mon, 21 Oct 2013 20:13:21 GMT",
     "\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff",
     22},
    {"https://www.example.com",
     "\x9d\x29\xad\x17\x18\x63\xc7\x8f\x0b\x97\xc8\xe9\xae\x82\xae\x43\xd3", 17},
    {"307", "\x64\x0e\xff", 3},
    {"gzip", "\x9b\xd9\xab", 3},
};

static enum wf_huffman_status decode(struct wf_slice in, size_t cap, uint8_t *out, size_t *out_len)
{
    bool value_ok;
    return wf_huffman_decode(in, out, cap, out_len, &value_ok);
}

static void assert_status(const char *coded, size_t len, enum wf_huffman_status expected)
{
    uint8_t out[256 + WF_HUFFMAN_SLACK];
    size_t out_len;
    assert_int_equal(decode(wf_slice(coded, len), 256, out, &out_len), expected);
}

static void test_the_examples_of_the_rfc_are_coded_octet_by_octet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const struct example *e = &examples[i];
        uint8_t out[64 + WF_HUFFMAN_SLACK];
        size_t len = wf_huffman_encode(wf_slice_str(e->text), out);
        /* "307" does not get shorter; everything else does. */
        assert_int_equal(len, e->coded_len < strlen(e->text) ? e->coded_len : 0);
        assert_memory_equal(out, e->coded, len);
    }
}

static void test_the_examples_of_the_rfc_are_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const struct example *e = &examples[i];
        uint8_t out[64 + WF_HUFFMAN_SLACK];
        size_t len;
        assert_int_equal(decode(wf_slice(e->coded, e->coded_len), 64, out, &len), WF_HUFFMAN_OK);
        assert_int_equal(len, strlen(e->text));
        assert_memory_equal(out, e->text, len);
    }
}

/* An octet with a long code, in front of and among enough short ones that coding still pays. */
static void test_every_octet_survives_at_every_place(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        for (size_t at = 0; at < 40; at += 1 + at / 8) {
            uint8_t text[40];
            uint8_t coded[40 + WF_HUFFMAN_SLACK];
            uint8_t out[40 + WF_HUFFMAN_SLACK];
            size_t len;
            memset(text, 'e', sizeof(text));
            text[at] = (uint8_t)octet;
            size_t coded_len = wf_huffman_encode(wf_slice(text, sizeof(text)), coded);
            assert_in_range(coded_len, 25, 29);
            assert_int_equal(decode(wf_slice(coded, coded_len), 40, out, &len), WF_HUFFMAN_OK);
            assert_int_equal(len, sizeof(text));
            assert_memory_equal(out, text, len);
        }
    }
}

static void test_coding_that_does_not_shorten_is_refused(void **state)
{
    (void)state;
    uint8_t out[64 + WF_HUFFMAN_SLACK];
    assert_int_equal(wf_huffman_encode(wf_slice("", 0), out), 0);
    assert_int_equal(wf_huffman_encode(wf_slice("a", 1), out), 0);
    assert_int_equal(wf_huffman_encode(wf_slice("X&*", 3), out), 0);
    assert_int_equal(
        wf_huffman_encode(wf_slice("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a", 10), out), 0);
}

static void test_an_empty_string_decodes_to_nothing(void **state)
{
    (void)state;
    uint8_t out[WF_HUFFMAN_SLACK];
    size_t len = 1;
    assert_int_equal(decode(wf_slice("", 0), 0, out, &len), WF_HUFFMAN_OK);
    assert_int_equal(len, 0);
}

static void test_the_end_of_string_symbol_is_an_error(void **state)
{
    (void)state;
    assert_status("\xff\xff\xff\xff", 4, WF_HUFFMAN_INVALID);
    assert_status("\xff\xff\xff\xfc", 4, WF_HUFFMAN_INVALID);
    assert_status("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, WF_HUFFMAN_INVALID);
    /* "0" and EOS. */
    assert_status("\x07\xff\xff\xff\xff", 5, WF_HUFFMAN_INVALID);
}

static void test_padding_of_eight_bits_is_an_error(void **state)
{
    (void)state;
    assert_status("\xff", 1, WF_HUFFMAN_INVALID);
    assert_status("\xff\xff", 2, WF_HUFFMAN_INVALID);
    /* "www.example.com" with an octet of padding too many. */
    assert_status("\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff\xff", 13, WF_HUFFMAN_INVALID);
    /* "aaaaaaaa" is five octets without padding. */
    assert_status("\x18\xc6\x31\x8c\x63", 5, WF_HUFFMAN_OK);
    assert_status("\x18\xc6\x31\x8c\x63\xff", 6, WF_HUFFMAN_INVALID);
}

static void test_padding_of_zeros_is_an_error(void **state)
{
    (void)state;
    assert_status("\x07", 1, WF_HUFFMAN_OK);      /* 00000 111 */
    assert_status("\x00", 1, WF_HUFFMAN_INVALID); /* 00000 000 */
    assert_status("\x06", 1, WF_HUFFMAN_INVALID); /* 00000 110 */
    assert_status("\x03", 1, WF_HUFFMAN_INVALID); /* 00000 011 */
    assert_status("\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xfe", 12, WF_HUFFMAN_INVALID);
}

static void test_a_string_that_is_cut_off_is_an_error_or_shorter(void **state)
{
    (void)state;
    const struct example *e = &examples[6];
    for (size_t len = 0; len < e->coded_len; len++) {
        uint8_t out[64 + WF_HUFFMAN_SLACK];
        size_t out_len = 0;
        if (decode(wf_slice(e->coded, len), 64, out, &out_len) != WF_HUFFMAN_OK)
            continue;
        assert_true(out_len < strlen(e->text));
        assert_memory_equal(out, e->text, out_len);
    }
}

static void test_no_more_than_the_room_is_decoded(void **state)
{
    (void)state;
    uint8_t text[200];
    uint8_t coded[200 + WF_HUFFMAN_SLACK];
    memset(text, 'a', sizeof(text));
    size_t coded_len = wf_huffman_encode(wf_slice(text, sizeof(text)), coded);
    assert_int_equal(coded_len, 125);
    for (size_t cap = 0; cap <= 201; cap++) {
        uint8_t *out = malloc(cap + WF_HUFFMAN_SLACK);
        size_t len;
        assert_int_equal(decode(wf_slice(coded, coded_len), cap, out, &len),
                         cap < 200 ? WF_HUFFMAN_TOO_LONG : WF_HUFFMAN_OK);
        free(out);
    }
}

static void test_the_bounds_of_a_decoded_length_hold(void **state)
{
    (void)state;
    assert_int_equal(wf_huffman_decoded_max(5), 8);
    assert_int_equal(wf_huffman_decoded_max(0), 0);
    assert_int_equal(wf_huffman_decoded_max(SIZE_MAX), SIZE_MAX / 5 * 8);
    assert_int_equal(wf_huffman_decoded_min(0), 0);
    assert_int_equal(wf_huffman_decoded_min(1), 1);
    assert_int_equal(wf_huffman_decoded_min(15), 4);
    /* Four octets of 30 bits each fill 15 octets exactly; with one octet more a fifth is needed. */
    assert_int_equal(wf_huffman_decoded_min(16), 5);
    assert_int_equal(wf_huffman_decoded_min(4), 1);
    assert_int_equal(wf_huffman_decoded_min(5), 2);
}

static void test_octets_that_no_value_may_hold_are_noticed(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        for (size_t at = 0; at < 33; at++) {
            uint8_t text[33];
            uint8_t coded[33 + WF_HUFFMAN_SLACK];
            uint8_t out[33 + WF_HUFFMAN_SLACK];
            size_t len;
            bool value_ok;
            memset(text, 'e', sizeof(text));
            text[at] = (uint8_t)octet;
            size_t coded_len = wf_huffman_encode(wf_slice(text, sizeof(text)), coded);
            assert_int_equal(
                wf_huffman_decode(wf_slice(coded, coded_len), out, 33, &len, &value_ok),
                WF_HUFFMAN_OK);
            assert_int_equal(value_ok, (wf_octet_class[octet] & WF_OCTET_BAD_VALUE) == 0);
        }
    }
}

static void test_random_strings_survive(void **state)
{
    (void)state;
    struct test_random random = test_random_start("huffman");
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t text[300];
        size_t len = test_random_below(&random, i % 10 == 0 ? 300 : 30);
        for (size_t k = 0; k < len; k++)
            text[k] = (uint8_t)(i % 3 == 0 ? test_random_below(&random, 256)
                                           : ' ' + test_random_below(&random, 95));
        uint8_t *coded = malloc(len + WF_HUFFMAN_SLACK);
        uint8_t *out = malloc(len + WF_HUFFMAN_SLACK);
        size_t out_len;
        size_t coded_len = wf_huffman_encode(wf_slice(text, len), coded);
        assert_true(coded_len == 0 || coded_len < len);
        if (coded_len > 0) {
            assert_in_range(len, wf_huffman_decoded_min(coded_len),
                            wf_huffman_decoded_max(coded_len));
            assert_int_equal(decode(wf_slice(coded, coded_len), len, out, &out_len), WF_HUFFMAN_OK);
            assert_int_equal(out_len, len);
            assert_memory_equal(out, text, len);
        }
        free(coded);
        free(out);
    }
}

static void test_random_input_decodes_within_its_bounds(void **state)
{
    (void)state;
    struct test_random random = test_random_start("huffman input");
    for (unsigned i = 0; i < 50000; i++) {
        uint8_t in[64];
        size_t len = test_random_below(&random, sizeof(in));
        for (size_t k = 0; k < len; k++)
            in[k] = (uint8_t)(test_random_below(&random, 256) | test_random_below(&random, 256));
        uint8_t *copy = malloc(len);
        size_t cap = wf_huffman_decoded_max(len);
        uint8_t *out = malloc(cap + WF_HUFFMAN_SLACK);
        size_t out_len = 0;
        if (len > 0)
            memcpy(copy, in, len);
        if (decode(wf_slice(copy, len), cap, out, &out_len) == WF_HUFFMAN_OK)
            assert_in_range(out_len, wf_huffman_decoded_min(len), cap);
        free(copy);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_rfc_are_coded_octet_by_octet),
        cmocka_unit_test(test_the_examples_of_the_rfc_are_decoded),
        cmocka_unit_test(test_every_octet_survives_at_every_place),
        cmocka_unit_test(test_coding_that_does_not_shorten_is_refused),
        cmocka_unit_test(test_an_empty_string_decodes_to_nothing),
        cmocka_unit_test(test_the_end_of_string_symbol_is_an_error),
        cmocka_unit_test(test_padding_of_eight_bits_is_an_error),
        cmocka_unit_test(test_padding_of_zeros_is_an_error),
        cmocka_unit_test(test_a_string_that_is_cut_off_is_an_error_or_shorter),
        cmocka_unit_test(test_no_more_than_the_room_is_decoded),
        cmocka_unit_test(test_the_bounds_of_a_decoded_length_hold),
        cmocka_unit_test(test_octets_that_no_value_may_hold_are_noticed),
        cmocka_unit_test(test_random_strings_survive),
        cmocka_unit_test(test_random_input_decodes_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
