/* The HPACK decoder against arbitrary blocks and table sizes: what it gives lies inside its memory,
 * within its limits and flagged as base/field_rules has it; and a second decoder that is given each
 * block in other memory says the same. */
#include "fuzz.h"

#include "base/field_rules.h"
#include "h2/hpack_decode.h"
#include "h2/hpack_dyntab.h"
#include "support/choice.h"

#define MAX_SECTION 2000u
#define MAX_FIELDS  40u

static bool name_is_valid(struct wf_slice name)
{
    if (name.len > 1 && name.ptr[0] == ':')
        name = wf_slice_skip(name, 1);
    return wf_field_name_is_valid(name);
}

static void check_section(const struct wf_field_section *section)
{
    uint64_t size = 0;
    FUZZ_CHECK(section->count <= MAX_FIELDS && section->size <= MAX_SECTION);
    for (uint32_t i = 0; i < section->count; i++) {
        const struct wf_field_line *line = &section->lines[i];
        FUZZ_CHECK((uint64_t)line->offset + line->name_len + line->value_len <=
                   section->octets_len);
        struct wf_slice name = wf_section_name(section, i);
        struct wf_slice value = wf_section_value(section, i);
        size += (uint64_t)line->name_len + line->value_len + 32;
        bool is_valid = name_is_valid(name) && wf_field_value_is_valid(value);
        FUZZ_CHECK(is_valid == ((line->flags & WF_FIELD_INVALID) == 0));
        FUZZ_CHECK(line->static_name <= 61);
    }
    FUZZ_CHECK(size == section->size);
}

static void check_table(const struct wf_hpack_decoder *decoder)
{
    const struct wf_hpack_dyntab *table = wf_hpack_decoder_table(decoder);
    uint64_t size = 0;
    for (uint32_t age = 0; age < table->count; age++) {
        const struct wf_field_line *line = wf_hpack_dyntab_at(table, age);
        size += (uint64_t)line->name_len + line->value_len + WF_HPACK_ENTRY_OVERHEAD;
    }
    FUZZ_CHECK(size == table->size && table->size <= table->max_size);
}

static enum wf_hpack_status decode_in(struct wf_hpack_decoder *decoder, struct wf_slice block,
                                      uint8_t **out_copy, struct wf_field_section *section)
{
    uint8_t *copy = malloc(block.len > 0 ? block.len : 1);
    FUZZ_CHECK(copy != NULL);
    if (block.len > 0)
        memcpy(copy, block.ptr, block.len);
    *out_copy = copy;
    return wf_hpack_decode(decoder, wf_slice(copy, block.len), section);
}

static void check_same(const struct wf_field_section *a, const struct wf_field_section *b)
{
    FUZZ_CHECK(a->count == b->count && a->size == b->size);
    for (uint32_t i = 0; i < a->count; i++) {
        FUZZ_CHECK(wf_slice_equal(wf_section_name(a, i), wf_section_name(b, i)));
        FUZZ_CHECK(wf_slice_equal(wf_section_value(a, i), wf_section_value(b, i)));
        FUZZ_CHECK(a->lines[i].flags == b->lines[i].flags);
    }
}

/* False: the decoders must not be used any more. */
static bool decode_both(struct wf_hpack_decoder *const *decoders, struct wf_slice block)
{
    struct wf_field_section sections[2];
    uint8_t *copies[2];
    enum wf_hpack_status first = decode_in(decoders[0], block, &copies[0], &sections[0]);
    enum wf_hpack_status second = decode_in(decoders[1], block, &copies[1], &sections[1]);
    FUZZ_CHECK(first == second && first != WF_HPACK_NO_MEMORY);
    /* A section borrows from its decoder, not from the block. */
    free(copies[0]);
    free(copies[1]);
    if (first == WF_HPACK_OK)
        check_section(&sections[0]);
    else
        FUZZ_CHECK(sections[0].count == 0 && wf_hpack_decoder_reason(decoders[0]) != NULL);
    check_same(&sections[0], &sections[1]);
    check_table(decoders[0]);
    return first != WF_HPACK_COMPRESSION_ERROR;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choice choice = choice_octets(data, size);
    uint32_t table_size = (uint32_t)choose_below(&choice, 8192);
    struct wf_hpack_decoder *decoders[2];
    for (size_t i = 0; i < 2; i++) {
        decoders[i] = wf_hpack_decoder_new(table_size, MAX_SECTION, MAX_FIELDS);
        FUZZ_CHECK(decoders[i] != NULL);
    }
    bool usable = true;
    while (usable && !choice_is_over(&choice)) {
        size_t len = choose_octet(&choice);
        if (len == 0xff) {
            table_size = (uint32_t)choose_below(&choice, 8192);
            wf_hpack_decoder_set_max_table_size(decoders[0], table_size);
            wf_hpack_decoder_set_max_table_size(decoders[1], table_size);
            continue;
        }
        if (len == 0xfe)
            len = choose_below(&choice, 65536);
        if (len > choice.octets.len)
            len = choice.octets.len;
        struct wf_slice block = wf_slice(choice.octets.ptr, len);
        choice.octets = wf_slice_skip(choice.octets, len);
        usable = decode_both(decoders, block);
        /* The second time the block may be known already. */
        if (usable && len > 0 && block.ptr[0] % 2 == 0)
            usable = decode_both(decoders, block);
    }
    wf_hpack_decoder_free(decoders[0]);
    wf_hpack_decoder_free(decoders[1]);
    return 0;
}
