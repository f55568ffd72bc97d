/* Field blocks of one connection, each behind two octets of length; length 0xffff is a table size
 * that was acknowledged, in two octets more. What decodes stays within the limits, and our
 * encoder's own block of it, through a second decoder, decodes to the same. */
#include "fuzz.h"

#include "h2/hpack_decode.h"
#include "h2/hpack_dyntab.h"
#include "h2/hpack_encode.h"

#define TABLE_SIZE   512u
#define SECTION_SIZE 2048u
#define MAX_FIELDS   24u

struct coders {
    struct wf_hpack_decoder *decoder;
    struct wf_hpack_encoder *encoder;
    struct wf_hpack_decoder *second;
    struct wf_buf out;
    uint64_t key;
};

static void check_encoding(struct coders *c, const struct wf_field_section *section, uint64_t key)
{
    struct wf_field fields[MAX_FIELDS];
    struct wf_field_section again;
    for (uint32_t i = 0; i < section->count; i++)
        fields[i] = (struct wf_field){
            .name = wf_section_name(section, i),
            .value = wf_section_value(section, i),
            .never_indexed = (section->lines[i].flags & WF_FIELD_NEVER_INDEXED) != 0,
        };
    wf_buf_consume(&c->out, wf_buf_len(&c->out));
    FUZZ_CHECK(wf_hpack_encode(c->encoder, key, fields, section->count, &c->out));
    FUZZ_CHECK(wf_hpack_decode(c->second, wf_buf_slice(&c->out), &again) == WF_HPACK_OK);
    FUZZ_CHECK(again.count == section->count && again.size == section->size);
    for (uint32_t i = 0; i < section->count; i++) {
        FUZZ_CHECK(wf_slice_equal(wf_section_name(&again, i), fields[i].name));
        FUZZ_CHECK(wf_slice_equal(wf_section_value(&again, i), fields[i].value));
        FUZZ_CHECK(again.lines[i].static_name == section->lines[i].static_name);
        FUZZ_CHECK(((again.lines[i].flags ^ section->lines[i].flags) & WF_FIELD_INVALID) == 0);
    }
    const struct wf_hpack_dyntab *ours = wf_hpack_encoder_table(c->encoder);
    const struct wf_hpack_dyntab *theirs = wf_hpack_decoder_table(c->second);
    FUZZ_CHECK(ours->size == theirs->size && ours->count == theirs->count);
}

/* False: the connection is over. */
static bool take_block(struct coders *c, struct wf_slice block)
{
    struct wf_field_section section;
    uint8_t *copy = malloc(block.len + 1); /* of its own, so that a read beyond it is seen */
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, block.ptr, block.len);
    enum wf_hpack_status status = wf_hpack_decode(c->decoder, wf_slice(copy, block.len), &section);
    free(copy);
    const struct wf_hpack_dyntab *table = wf_hpack_decoder_table(c->decoder);
    FUZZ_CHECK(table->size <= table->max_size);
    FUZZ_CHECK(section.count <= MAX_FIELDS && section.size <= SECTION_SIZE);
    if (status == WF_HPACK_SECTION_TOO_LARGE)
        return true;
    if (status != WF_HPACK_OK)
        return false;
    c->key++;
    check_encoding(c, &section, c->key);
    check_encoding(c, &section, c->key); /* from the cache, if it inserted nothing */
    return true;
}

static void set_table_size(struct coders *c, uint32_t size)
{
    wf_hpack_decoder_set_max_table_size(c->decoder, size);
    wf_hpack_decoder_set_max_table_size(c->second, size);
    wf_hpack_encoder_set_max_table_size(c->encoder, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct coders c = {
        .decoder = wf_hpack_decoder_new(TABLE_SIZE, SECTION_SIZE, MAX_FIELDS),
        .encoder = wf_hpack_encoder_new(1024),
        .second = wf_hpack_decoder_new(4096, SECTION_SIZE, MAX_FIELDS),
    };
    FUZZ_CHECK(c.decoder != NULL && c.encoder != NULL && c.second != NULL);
    while (size >= 2) {
        size_t len = (size_t)data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        if (len == 0xffff) {
            if (size < 2)
                break;
            set_table_size(&c, (uint32_t)data[0] << 8 | data[1]);
            len = 2;
        } else {
            len = len < size ? len : size;
            if (!take_block(&c, wf_slice(data, len)))
                break;
        }
        data += len;
        size -= len;
    }
    wf_hpack_decoder_free(c.decoder);
    wf_hpack_decoder_free(c.second);
    wf_hpack_encoder_free(c.encoder);
    wf_buf_fini(&c.out);
    return 0;
}
