/* Another implementation as the judge: libnghttp2 reads what our encoder wrote, and of blocks that
 * both decoders accept both say the same. */
#include "fuzz.h"

#include <nghttp2/nghttp2.h>

#include "h2/hpack_decode.h"
#include "h2/hpack_encode.h"
#include "hpack_fields.h"

#define MAX_LINES 512u

struct lines {
    size_t count;
    struct wf_field fields[MAX_LINES];
};

/* nghttp2 lends a line until the next call, so each is copied. */
static void add_line(struct lines *lines, const nghttp2_nv *nv)
{
    char *name = malloc(nv->namelen + nv->valuelen + 1);
    FUZZ_CHECK(name != NULL && lines->count < MAX_LINES);
    memcpy(name, nv->name, nv->namelen);
    memcpy(name + nv->namelen, nv->value, nv->valuelen);
    lines->fields[lines->count++] =
        (struct wf_field){.name = wf_slice(name, nv->namelen),
                          .value = wf_slice(name + nv->namelen, nv->valuelen),
                          .never_indexed = (nv->flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0};
}

static void drop_lines(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free((void *)(uintptr_t)lines->fields[i].name.ptr);
    lines->count = 0;
}

/* False: it refused the block. */
static bool inflate(nghttp2_hd_inflater *inflater, struct wf_slice block, struct lines *out)
{
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, block.ptr, block.len, 1);
        if (used < 0)
            return false;
        block = wf_slice_skip(block, (size_t)used);
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
            add_line(out, &nv);
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0)
            return nghttp2_hd_inflate_end_headers(inflater) == 0;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && block.len == 0)
            return false;
    }
}

static void check_encoder(struct choice *choice, nghttp2_hd_inflater *inflater, struct lines *lines)
{
    struct wf_hpack_encoder *encoder = wf_hpack_encoder_new((uint32_t)choose_below(choice, 16384));
    struct hpack_fields *fields = malloc(sizeof(*fields));
    FUZZ_CHECK(encoder != NULL && fields != NULL);
    for (unsigned rounds = 0; rounds < 40 && !choice_is_over(choice); rounds++) {
        if (choose_one_in(choice, 5)) {
            size_t max = choose_len(choice, 20000);
            wf_hpack_encoder_set_max_table_size(encoder, (uint32_t)max);
            FUZZ_CHECK(nghttp2_hd_inflate_change_table_size(inflater, max) == 0);
        }
        struct wf_buf block = {0};
        hpack_fields_choose(choice, fields);
        FUZZ_CHECK(wf_hpack_encode(encoder, choose_one_in(choice, 3) ? rounds + 1 : 0,
                                   fields->fields, fields->count, &block));
        /* nghttp2 wants at least one octet to come to an end. */
        if (wf_buf_len(&block) > 0) {
            FUZZ_CHECK(inflate(inflater, wf_buf_slice(&block), lines));
            FUZZ_CHECK(lines->count == fields->count);
            for (size_t i = 0; i < lines->count; i++) {
                FUZZ_CHECK(wf_slice_equal(lines->fields[i].name, fields->fields[i].name));
                FUZZ_CHECK(wf_slice_equal(lines->fields[i].value, fields->fields[i].value));
                if (fields->fields[i].never_indexed)
                    FUZZ_CHECK(lines->fields[i].never_indexed);
            }
            drop_lines(lines);
        }
        wf_buf_fini(&block);
    }
    wf_hpack_encoder_free(encoder);
    free(fields);
}

static void check_decoder(struct choice *choice, nghttp2_hd_inflater *inflater, struct lines *lines)
{
    struct wf_hpack_decoder *decoder = wf_hpack_decoder_new(4096, 1u << 24, MAX_LINES - 1);
    FUZZ_CHECK(decoder != NULL);
    bool usable = true;
    while (usable && !choice_is_over(choice)) {
        size_t len = 1 + choose_octet(choice);
        if (len > choice->octets.len)
            break;
        struct wf_slice block = wf_slice(choice->octets.ptr, len);
        struct wf_field_section section;
        choice->octets = wf_slice_skip(choice->octets, len);
        usable = wf_hpack_decode(decoder, block, &section) == WF_HPACK_OK &&
                 inflate(inflater, block, lines);
        if (usable) {
            FUZZ_CHECK(lines->count == section.count);
            for (uint32_t i = 0; i < section.count; i++) {
                FUZZ_CHECK(wf_slice_equal(lines->fields[i].name, wf_section_name(&section, i)));
                FUZZ_CHECK(wf_slice_equal(lines->fields[i].value, wf_section_value(&section, i)));
            }
        }
        drop_lines(lines);
    }
    wf_hpack_decoder_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choice choice = choice_octets(data, size);
    nghttp2_hd_inflater *inflater;
    struct lines *lines = calloc(1, sizeof(*lines));
    FUZZ_CHECK(lines != NULL && nghttp2_hd_inflate_new(&inflater) == 0);
    if (choose_octet(&choice) % 2 == 0)
        check_encoder(&choice, inflater, lines);
    else
        check_decoder(&choice, inflater, lines);
    drop_lines(lines);
    nghttp2_hd_inflate_del(inflater);
    free(lines);
    return 0;
}
