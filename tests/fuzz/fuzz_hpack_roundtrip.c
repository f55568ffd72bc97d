/* What our encoder writes, our decoder reads, under table sizes that change at any time: the same
 * fields, and two dynamic tables that stay equal. */
#include "fuzz.h"

#include "h2/hpack_decode.h"
#include "h2/hpack_dyntab.h"
#include "h2/hpack_encode.h"
#include "hpack_fields.h"

static void check_tables(const struct wf_hpack_encoder *encoder,
                         const struct wf_hpack_decoder *decoder)
{
    const struct wf_hpack_dyntab *ours = wf_hpack_encoder_table(encoder);
    const struct wf_hpack_dyntab *theirs = wf_hpack_decoder_table(decoder);
    FUZZ_CHECK(ours->count == theirs->count && ours->size == theirs->size);
    FUZZ_CHECK(ours->max_size == theirs->max_size);
    for (uint32_t age = 0; age < ours->count; age++) {
        const struct wf_field_line *a = wf_hpack_dyntab_at(ours, age);
        const struct wf_field_line *b = wf_hpack_dyntab_at(theirs, age);
        FUZZ_CHECK(a->name_len == b->name_len && a->value_len == b->value_len);
        FUZZ_CHECK(memcmp(wf_hpack_dyntab_octets(ours, a), wf_hpack_dyntab_octets(theirs, b),
                          (size_t)a->name_len + a->value_len) == 0);
    }
}

static void check_fields(const struct hpack_fields *sent, const struct wf_field_section *got)
{
    FUZZ_CHECK(sent->count == got->count);
    for (uint32_t i = 0; i < got->count; i++) {
        const struct wf_field *field = &sent->fields[i];
        FUZZ_CHECK(wf_slice_equal(field->name, wf_section_name(got, i)));
        FUZZ_CHECK(wf_slice_equal(field->value, wf_section_value(got, i)));
        /* The encoder keeps some names out of its own accord. */
        if (field->never_indexed)
            FUZZ_CHECK((got->lines[i].flags & WF_FIELD_NEVER_INDEXED) != 0);
    }
}

static void transfer(struct wf_hpack_encoder *encoder, struct wf_hpack_decoder *decoder,
                     uint64_t cache_key, const struct hpack_fields *fields)
{
    struct wf_buf block = {0};
    struct wf_field_section section;
    FUZZ_CHECK(wf_hpack_encode(encoder, cache_key, fields->fields, fields->count, &block));
    enum wf_hpack_status status = wf_hpack_decode(decoder, wf_buf_slice(&block), &section);
    FUZZ_CHECK(status == WF_HPACK_OK);
    check_fields(fields, &section);
    check_tables(encoder, decoder);
    wf_buf_fini(&block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choice choice = choice_octets(data, size);
    struct hpack_fields *fields = malloc(sizeof(*fields));
    struct wf_hpack_encoder *encoder = wf_hpack_encoder_new((uint32_t)choose_below(&choice, 16384));
    struct wf_hpack_decoder *decoder = wf_hpack_decoder_new(4096, 1u << 20, 1000);
    FUZZ_CHECK(fields != NULL && encoder != NULL && decoder != NULL);
    if (wf_hpack_encoder_table(encoder)->max_size != 4096) {
        /* What starts below the protocol's value says so in its first block. */
        fields->count = 0;
        transfer(encoder, decoder, 0, fields);
    }
    for (unsigned rounds = 0; rounds < 60 && !choice_is_over(&choice); rounds++) {
        if (choose_one_in(&choice, 5)) {
            uint32_t max = (uint32_t)choose_len(&choice, 20000);
            wf_hpack_encoder_set_max_table_size(encoder, max);
            wf_hpack_decoder_set_max_table_size(decoder, max);
            continue;
        }
        hpack_fields_choose(&choice, fields);
        bool is_frozen = choose_one_in(&choice, 3);
        transfer(encoder, decoder, is_frozen ? rounds + 1 : 0, fields);
        for (unsigned again = 0; is_frozen && again < 2; again++)
            transfer(encoder, decoder, rounds + 1, fields);
    }
    wf_hpack_encoder_free(encoder);
    wf_hpack_decoder_free(decoder);
    free(fields);
    return 0;
}
