/* The decoder against hostile and broken input, its limits, marks, repeated blocks, lack of memory.
 * What is legal and ordinary is in test_hpack_appendix and test_hpack_stories. */
#include "h2/hpack_decode.h"
#include "h2/hpack_dyntab.h"
#include "h2/hpack_int.h"

#include "support/cmocka.h"
#include "support/failing_alloc.h"
#include "support/hex.h"
#include "support/random.h"

static struct wf_hpack_decoder *decoder;
static struct wf_field_section section;

static int set_up(void **state)
{
    (void)state;
    failing_alloc_after(-1);
    decoder = wf_hpack_decoder_new(4096, 16384, 100);
    return decoder == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    failing_alloc_after(-1);
    wf_hpack_decoder_free(decoder);
    return 0;
}

static void use_decoder(uint32_t table_size, uint32_t section_size, uint32_t fields)
{
    wf_hpack_decoder_free(decoder);
    decoder = wf_hpack_decoder_new(table_size, section_size, fields);
    assert_non_null(decoder);
}

/* The block lies in memory of just its size, so that a sanitizer sees a read beyond it. */
static enum wf_hpack_status decode_octets(const uint8_t *octets, size_t len)
{
    uint8_t *copy = malloc(len);
    if (len > 0)
        memcpy(copy, octets, len);
    enum wf_hpack_status status = wf_hpack_decode(decoder, wf_slice(copy, len), &section);
    free(copy);
    if (status != WF_HPACK_OK) {
        assert_int_equal(section.count, 0);
        assert_true(strlen(wf_hpack_decoder_reason(decoder)) > 0);
    }
    return status;
}

static enum wf_hpack_status decode(const char *hex)
{
    uint8_t octets[1024];
    struct wf_slice block = test_hex(hex, octets, sizeof(octets));
    return decode_octets(block.ptr, block.len);
}

static void assert_field(uint32_t i, const char *name, const char *value)
{
    assert_true(i < section.count);
    assert_true(wf_slice_is(wf_section_name(&section, i), name));
    assert_true(wf_slice_is(wf_section_value(&section, i), value));
}

static const struct wf_hpack_dyntab *table(void)
{
    return wf_hpack_decoder_table(decoder);
}

static void test_an_empty_block_is_an_empty_section(void **state)
{
    (void)state;
    assert_int_equal(decode_octets(NULL, 0), WF_HPACK_OK);
    assert_int_equal(section.count, 0);
    assert_int_equal(section.size, 0);
}

static void test_index_zero_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(decode("80"), WF_HPACK_COMPRESSION_ERROR);
}

static void test_an_index_beyond_both_tables_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(decode("bd"), WF_HPACK_OK); /* 61, the last static one */
    assert_int_equal(decode("be"), WF_HPACK_COMPRESSION_ERROR);
    use_decoder(4096, 16384, 100);
    assert_int_equal(decode("40 01 61 01 62 be"), WF_HPACK_OK);
    assert_int_equal(decode("bf"), WF_HPACK_COMPRESSION_ERROR);
    use_decoder(4096, 16384, 100);
    assert_int_equal(decode("ff 80 ff ff ff 0f"), WF_HPACK_COMPRESSION_ERROR);
    use_decoder(4096, 16384, 100);
    assert_int_equal(decode("7f 80 01 01 61"), WF_HPACK_COMPRESSION_ERROR);
}

static void test_integers_that_are_too_long_are_errors(void **state)
{
    (void)state;
    static const char *const blocks[] = {
        "ff ff ff ff ff 7f",          "ff 80 80 80 80 80 00",    "7f 80 80 80 80 80 80 01 61",
        "0f 80 80 80 80 80 80 01 61", "40 7f 80 80 80 80 80 00", "40 01 61 7f ff ff ff ff 7f",
        "3f 80 80 80 80 80 00",
    };
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        use_decoder(4096, 16384, 100);
        assert_int_equal(decode(blocks[i]), WF_HPACK_COMPRESSION_ERROR);
    }
}

static void test_strings_that_are_cut_off_are_errors(void **state)
{
    (void)state;
    static const char *const blocks[] = {
        "40", "40 05 61 62", "40 01 61", "40 01 61 02 62", "00 01 61",
        "04", "0f",          "0f 80",    "10 81",          "44 ff ff ff ff 0f 61"};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        use_decoder(4096, 16384, 100);
        assert_int_equal(decode(blocks[i]), WF_HPACK_COMPRESSION_ERROR);
    }
}

static void test_bad_huffman_code_is_an_error(void **state)
{
    (void)state;
    static const char *const blocks[] = {"44 81 00", "44 82 07 ff", "44 84 ff ff ff ff",
                                         "40 81 00 01 61"};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        use_decoder(4096, 16384, 100);
        assert_int_equal(decode(blocks[i]), WF_HPACK_COMPRESSION_ERROR);
    }
}

static void test_two_size_updates_may_open_a_block(void **state)
{
    (void)state;
    assert_int_equal(decode("20 3f e1 1f 82"), WF_HPACK_OK);
    assert_int_equal(table()->max_size, 4096);
    assert_int_equal(section.count, 1);
    assert_int_equal(decode("20"), WF_HPACK_OK);
    assert_int_equal(table()->max_size, 0);
}

static void test_a_third_size_update_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(decode("20 21 22 82"), WF_HPACK_COMPRESSION_ERROR);
}

static void test_a_size_update_behind_a_field_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(decode("82 20"), WF_HPACK_COMPRESSION_ERROR);
}

static void test_a_size_above_the_announced_one_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(decode("3f e1 1f"), WF_HPACK_OK);                /* 4096 */
    assert_int_equal(decode("3f e2 1f"), WF_HPACK_COMPRESSION_ERROR); /* 4097 */
}

static void test_a_reduced_table_must_be_confirmed_by_the_next_block(void **state)
{
    (void)state;
    wf_hpack_decoder_set_max_table_size(decoder, 100);
    assert_int_equal(decode("82"), WF_HPACK_COMPRESSION_ERROR);
    use_decoder(4096, 16384, 100);
    wf_hpack_decoder_set_max_table_size(decoder, 100);
    assert_int_equal(decode("3f 46 82"), WF_HPACK_COMPRESSION_ERROR); /* 101 */
    use_decoder(4096, 16384, 100);
    wf_hpack_decoder_set_max_table_size(decoder, 100);
    assert_int_equal(decode("3f 45 82"), WF_HPACK_OK); /* 100 */
    assert_int_equal(table()->max_size, 100);
    assert_int_equal(decode("82"), WF_HPACK_OK);
}

static void test_the_smallest_of_several_reductions_must_be_confirmed(void **state)
{
    (void)state;
    assert_int_equal(decode("40 01 61 01 62"), WF_HPACK_OK);
    wf_hpack_decoder_set_max_table_size(decoder, 0);
    wf_hpack_decoder_set_max_table_size(decoder, 4096);
    assert_int_equal(decode("20 3f e1 1f 82"), WF_HPACK_OK);
    assert_int_equal(table()->count, 0);
    wf_hpack_decoder_set_max_table_size(decoder, 100);
    wf_hpack_decoder_set_max_table_size(decoder, 50);
    wf_hpack_decoder_set_max_table_size(decoder, 70);
    wf_hpack_decoder_set_max_table_size(decoder, 4096);
    assert_int_equal(decode("3f 14 82"), WF_HPACK_COMPRESSION_ERROR); /* 51 */
}

static void test_a_larger_table_needs_no_word(void **state)
{
    (void)state;
    wf_hpack_decoder_set_max_table_size(decoder, 65536);
    assert_int_equal(decode("82"), WF_HPACK_OK);
    assert_int_equal(table()->max_size, 4096);
    assert_int_equal(decode("3f e1 ff 03"), WF_HPACK_OK);
    assert_int_equal(table()->max_size, 65536);
}

static void test_a_size_in_use_below_a_reduction_needs_no_word(void **state)
{
    (void)state;
    assert_int_equal(decode("3f 01"), WF_HPACK_OK); /* 32 */
    wf_hpack_decoder_set_max_table_size(decoder, 100);
    assert_int_equal(decode("82"), WF_HPACK_OK);
}

static void test_an_insertion_may_evict_the_entry_of_its_own_name(void **state)
{
    (void)state;
    use_decoder(70, 16384, 100);
    assert_int_equal(decode("40 0a 6e6e6e6e6e6e6e6e6e6e 08 3131313131313131"), WF_HPACK_OK);
    assert_int_equal(decode("7e 09 323232323232323232"), WF_HPACK_OK);
    assert_field(0, "nnnnnnnnnn", "222222222");
    assert_int_equal(table()->count, 1);
    assert_int_equal(decode("be"), WF_HPACK_OK);
    assert_field(0, "nnnnnnnnnn", "222222222");
}

static void test_an_entry_larger_than_the_table_empties_it(void **state)
{
    (void)state;
    use_decoder(40, 16384, 100);
    assert_int_equal(decode("40 01 61 01 62"), WF_HPACK_OK);
    assert_int_equal(table()->count, 1);
    assert_int_equal(decode("40 04 61616161 05 6262626262"), WF_HPACK_OK);
    assert_field(0, "aaaa", "bbbbb");
    assert_int_equal(table()->count, 0);
    assert_int_equal(table()->size, 0);
}

static void test_never_indexed_fields_are_marked(void **state)
{
    (void)state;
    assert_int_equal(decode("10 01 61 01 62 00 01 61 01 62 82"), WF_HPACK_OK);
    assert_int_equal(section.lines[0].flags, WF_FIELD_NEVER_INDEXED);
    assert_int_equal(section.lines[1].flags, 0);
    assert_int_equal(section.lines[2].flags, 0);
    assert_int_equal(table()->count, 0);
}

static void test_illegal_names_are_marked(void **state)
{
    (void)state;
    /* "aA", "a:", "", ":a", ":A", "a b"; then "A" and ":a" in Huffman code. */
    assert_int_equal(
        decode("00 02 6141 01 62  00 02 613a 01 62  00 00 01 62  00 02 3a61 01 62"
               "00 02 3a41 01 62  00 03 612062 01 62  00 81 87 01 62  00 82 b83f 01 62"),
        WF_HPACK_OK);
    static const bool legal[] = {false, false, false, true, false, false, false, true};
    assert_int_equal(section.count, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(section.lines[i].flags,
                         legal[i] ? 0 : WF_FIELD_INVALID | WF_FIELD_INVALID_NAME);
    assert_field(7, ":a", "b");
}

static void test_illegal_values_are_marked(void **state)
{
    (void)state;
    /* " b", "b\t", "a\rb", "a\nb", "a\0b", "", "a b"; then NUL and "a" in Huffman code. */
    assert_int_equal(decode("04 02 2062  04 02 6209  04 03 610d62  04 03 610a62  04 03 610062"
                            "04 00  04 03 612062  04 82 ffc7  04 81 1f"),
                     WF_HPACK_OK);
    static const bool legal[] = {false, false, false, false, false, true, true, false, true};
    assert_int_equal(section.count, 9);
    for (uint32_t i = 0; i < 9; i++)
        assert_int_equal(section.lines[i].flags, legal[i] ? 0 : WF_FIELD_INVALID);
}

static void test_marks_stay_with_entries_of_the_table(void **state)
{
    (void)state;
    /* A bad name, then a good name with a bad value. */
    assert_int_equal(decode("40 01 41 01 62  40 01 61 01 00"), WF_HPACK_OK);
    /* Both by index; then their names with a good value. */
    assert_int_equal(decode("bf be 0f 30 01 62 0f 2f 01 62"), WF_HPACK_OK);
    assert_int_equal(section.lines[0].flags, WF_FIELD_INVALID | WF_FIELD_INVALID_NAME);
    assert_int_equal(section.lines[1].flags, WF_FIELD_INVALID);
    assert_int_equal(section.lines[2].flags, WF_FIELD_INVALID | WF_FIELD_INVALID_NAME);
    assert_int_equal(section.lines[3].flags, 0);
}

static void test_static_names_are_told_however_they_came(void **state)
{
    (void)state;
    /* ":status: 200" by index; "date" as a literal, then by dynamic index; "datf"; ":status" by
     * name. */
    assert_int_equal(decode("88 40 04 64617465 01 62 be 7e 01 63 00 04 64617466 01 62 0b 01 62"),
                     WF_HPACK_OK);
    static const uint8_t expected[] = {8, 33, 33, 33, 0, 8};
    assert_int_equal(section.count, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(section.lines[i].static_name, expected[i]);
}

static void test_a_section_of_the_largest_size_passes_and_one_octet_more_does_not(void **state)
{
    (void)state;
    use_decoder(4096, 84, 100); /* ":method: GET" counts 42 */
    assert_int_equal(decode("82 82"), WF_HPACK_OK);
    assert_int_equal(section.size, 84);
    use_decoder(4096, 83, 100);
    assert_int_equal(decode("82 82"), WF_HPACK_SECTION_TOO_LARGE);
    assert_int_equal(decode("82"), WF_HPACK_OK);
    assert_int_equal(section.count, 1);
}

static void test_more_fields_than_allowed_are_refused(void **state)
{
    (void)state;
    use_decoder(4096, 16384, 2);
    assert_int_equal(decode("82 82"), WF_HPACK_OK);
    assert_int_equal(decode("82 82 82"), WF_HPACK_SECTION_TOO_LARGE);
}

static void test_the_table_stays_in_step_after_a_section_that_is_too_large(void **state)
{
    (void)state;
    use_decoder(4096, 50, 100);
    assert_int_equal(decode("82 82 40 01 61 01 62 be 7e 01 63"), WF_HPACK_SECTION_TOO_LARGE);
    assert_int_equal(table()->count, 2);
    assert_int_equal(decode("be"), WF_HPACK_OK);
    assert_field(0, "a", "c");
    assert_int_equal(decode("bf"), WF_HPACK_OK);
    assert_field(0, "a", "b");
}

static void test_errors_are_found_behind_the_end_of_a_section_that_is_too_large(void **state)
{
    (void)state;
    use_decoder(4096, 50, 100);
    assert_int_equal(decode("82 82 80"), WF_HPACK_COMPRESSION_ERROR);
}

/* A block of one literal whose value is @len octets of @fill, coded or not. */
static enum wf_hpack_status decode_long_value(bool huffman, size_t len, uint8_t fill, uint8_t first)
{
    uint8_t *block = malloc(len + 16);
    uint8_t *o = block;
    *o++ = first;
    o = wf_hpack_int_write(o, huffman ? 0x80 : 0, 7, (uint32_t)len);
    memset(o, fill, len);
    enum wf_hpack_status status = decode_octets(block, (size_t)(o - block) + len);
    free(block);
    return status;
}

static void test_a_literal_longer_than_any_limit_is_not_buffered(void **state)
{
    (void)state;
    use_decoder(4096, 8192, 100);
    assert_int_equal(decode("40 01 61 01 62"), WF_HPACK_OK);
    failing_alloc_after(-1);
    assert_int_equal(decode_long_value(false, 1 << 20, 'v', 0x04), WF_HPACK_SECTION_TOO_LARGE);
    assert_int_equal(table()->count, 1);
    /* "0" in each 5 bits of zeros: 1.6 times as many octets. */
    assert_int_equal(decode_long_value(true, 1 << 20, 0, 0x04), WF_HPACK_SECTION_TOO_LARGE);
    assert_true(failing_alloc_largest() < 32768);
    /* With indexing it would not have fitted, so it empties the table. */
    assert_int_equal(decode_long_value(false, 1 << 20, 'v', 0x44), WF_HPACK_SECTION_TOO_LARGE);
    assert_int_equal(table()->count, 0);
    assert_true(failing_alloc_largest() < 32768);
}

static void test_huffman_code_is_not_decoded_beyond_the_limits(void **state)
{
    (void)state;
    use_decoder(4096, 8192, 100);
    failing_alloc_after(-1);
    /* 30000 octets of zeros announce at least 8000 octets and are 48000. */
    assert_int_equal(decode_long_value(true, 30000, 0, 0x44), WF_HPACK_SECTION_TOO_LARGE);
    assert_int_equal(table()->count, 0);
    assert_true(failing_alloc_largest() < 20000);
    assert_int_equal(decode("82"), WF_HPACK_OK);
}

static void test_many_references_to_a_large_entry_cost_no_memory(void **state)
{
    (void)state;
    uint8_t block[60000];
    use_decoder(4096, 65536, 10000);
    assert_int_equal(decode_long_value(false, 4000, 'v', 0x44), WF_HPACK_OK);
    failing_alloc_after(-1);
    memset(block, 0xbe, sizeof(block));
    assert_int_equal(decode_octets(block, sizeof(block)), WF_HPACK_SECTION_TOO_LARGE);
    assert_true(failing_alloc_largest() <= 131072 + 64);
    assert_int_equal(decode("be"), WF_HPACK_OK);
}

static void test_a_repeated_block_gives_the_same_section(void **state)
{
    (void)state;
    assert_int_equal(decode("40 01 61 01 62"), WF_HPACK_OK);
    uint64_t inserted = section.serial;
    assert_int_equal(decode("82 be 04 01 2f"), WF_HPACK_OK);
    uint64_t serial = section.serial;
    assert_int_not_equal(serial, inserted);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(decode("82 be 04 01 2f"), WF_HPACK_OK);
        assert_int_equal(section.serial, serial);
        assert_int_equal(section.count, 3);
        assert_field(1, "a", "b");
        assert_field(2, ":path", "/");
    }
    assert_int_equal(decode("82 be 04 01 2e"), WF_HPACK_OK);
    assert_int_not_equal(section.serial, serial);
    assert_field(2, ":path", ".");
}

static void test_a_repeated_block_that_inserts_is_decoded_again(void **state)
{
    (void)state;
    assert_int_equal(decode("40 01 61 01 62"), WF_HPACK_OK);
    uint64_t serial = section.serial;
    assert_int_equal(decode("40 01 61 01 62"), WF_HPACK_OK);
    assert_int_not_equal(section.serial, serial);
    assert_int_equal(table()->count, 2);
}

static void test_a_repeated_block_after_an_insertion_is_decoded_again(void **state)
{
    (void)state;
    assert_int_equal(decode("40 01 61 01 62"), WF_HPACK_OK);
    assert_int_equal(decode("be"), WF_HPACK_OK);
    assert_int_equal(decode("82 40 01 61 01 63"), WF_HPACK_OK);
    assert_int_equal(decode("be"), WF_HPACK_OK);
    assert_int_equal(section.count, 1);
    assert_field(0, "a", "c");
}

static void test_a_repeated_block_does_not_hide_a_missing_size_update(void **state)
{
    (void)state;
    assert_int_equal(decode("82"), WF_HPACK_OK);
    wf_hpack_decoder_set_max_table_size(decoder, 0);
    assert_int_equal(decode("82"), WF_HPACK_COMPRESSION_ERROR);
}

static void test_a_block_that_was_too_large_is_not_taken_for_a_repeated_one(void **state)
{
    (void)state;
    use_decoder(4096, 50, 100);
    assert_int_equal(decode("82 82"), WF_HPACK_SECTION_TOO_LARGE);
    assert_int_equal(decode("82 82"), WF_HPACK_SECTION_TOO_LARGE);
    assert_int_equal(decode("82"), WF_HPACK_OK);
    assert_int_equal(decode("82 82"), WF_HPACK_SECTION_TOO_LARGE);
    assert_int_equal(decode("82"), WF_HPACK_OK);
}

static void test_each_failing_allocation_is_an_error_and_no_leak(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        wf_hpack_decoder_free(decoder);
        failing_alloc_after(n);
        decoder = wf_hpack_decoder_new(4096, 16384, 100);
        enum wf_hpack_status status = WF_HPACK_NO_MEMORY;
        if (decoder != NULL)
            status = decode_long_value(false, 2000, 'v', 0x44);
        for (unsigned i = 0; status == WF_HPACK_OK && i < 40; i++)
            status = decode("82 40 01 61 01 62 40 01 61 01 63 be be");
        if (failing_alloc_failures() == 0) {
            assert_int_equal(status, WF_HPACK_OK);
            assert_true(n >= 6);
            return;
        }
        assert_int_equal(status, WF_HPACK_NO_MEMORY);
    }
}

static void test_random_blocks_stay_within_the_limits(void **state)
{
    (void)state;
    struct test_random random = test_random_start("decode");
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t block[80];
        size_t len = test_random_below(&random, sizeof(block));
        if (i % 8 == 0)
            use_decoder(200, 1000, 10);
        for (size_t k = 0; k < len; k++) {
            size_t kind = test_random_below(&random, 4);
            block[k] = (uint8_t)(kind == 0   ? test_random_below(&random, 256)
                                 : kind == 1 ? 0x80 + test_random_below(&random, 66)
                                 : kind == 2 ? 0x40 + test_random_below(&random, 4)
                                             : test_random_below(&random, 8));
        }
        enum wf_hpack_status status = decode_octets(block, len);
        assert_true(section.size <= 1000 && section.count <= 10);
        assert_true(table()->size <= 200);
        if (status == WF_HPACK_COMPRESSION_ERROR)
            use_decoder(200, 1000, 10);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_block_is_an_empty_section),
        TEST(test_index_zero_is_an_error),
        TEST(test_an_index_beyond_both_tables_is_an_error),
        TEST(test_integers_that_are_too_long_are_errors),
        TEST(test_strings_that_are_cut_off_are_errors),
        TEST(test_bad_huffman_code_is_an_error),
        TEST(test_two_size_updates_may_open_a_block),
        TEST(test_a_third_size_update_is_an_error),
        TEST(test_a_size_update_behind_a_field_is_an_error),
        TEST(test_a_size_above_the_announced_one_is_an_error),
        TEST(test_a_reduced_table_must_be_confirmed_by_the_next_block),
        TEST(test_the_smallest_of_several_reductions_must_be_confirmed),
        TEST(test_a_larger_table_needs_no_word),
        TEST(test_a_size_in_use_below_a_reduction_needs_no_word),
        TEST(test_an_insertion_may_evict_the_entry_of_its_own_name),
        TEST(test_an_entry_larger_than_the_table_empties_it),
        TEST(test_never_indexed_fields_are_marked),
        TEST(test_illegal_names_are_marked),
        TEST(test_illegal_values_are_marked),
        TEST(test_marks_stay_with_entries_of_the_table),
        TEST(test_static_names_are_told_however_they_came),
        TEST(test_a_section_of_the_largest_size_passes_and_one_octet_more_does_not),
        TEST(test_more_fields_than_allowed_are_refused),
        TEST(test_the_table_stays_in_step_after_a_section_that_is_too_large),
        TEST(test_errors_are_found_behind_the_end_of_a_section_that_is_too_large),
        TEST(test_a_literal_longer_than_any_limit_is_not_buffered),
        TEST(test_huffman_code_is_not_decoded_beyond_the_limits),
        TEST(test_many_references_to_a_large_entry_cost_no_memory),
        TEST(test_a_repeated_block_gives_the_same_section),
        TEST(test_a_repeated_block_that_inserts_is_decoded_again),
        TEST(test_a_repeated_block_after_an_insertion_is_decoded_again),
        TEST(test_a_repeated_block_does_not_hide_a_missing_size_update),
        TEST(test_a_block_that_was_too_large_is_not_taken_for_a_repeated_one),
        TEST(test_each_failing_allocation_is_an_error_and_no_leak),
        TEST(test_random_blocks_stay_within_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
