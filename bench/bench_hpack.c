/* HPACK against libnghttp2: time and size over a corpus of header stories, a fresh coder for each
 * story.
 *
 *   bench_hpack FOLDER [ROUNDS [WHAT]]
 *
 * FOLDER holds story_*.json with plain header lists. WHAT is one of weft-encode, weft-decode,
 * nghttp2-encode, nghttp2-decode: only that is run (for a profiler); otherwise all, interleaved.
 * Both decoders read the same blocks, those that libnghttp2 wrote. No cache of whole blocks takes
 * part: our encoder gets no cache key, and blocks that our decoder would recognise as repeated are
 * counted and, for both decoders, made different. */
#include "base/buf.h"
#include "h2/hpack_decode.h"
#include "h2/hpack_encode.h"
#include "support/hpack_story.h"

#include <nghttp2/nghttp2.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct block {
    nghttp2_nv *nv; /* the same fields in libnghttp2's shape */
    uint8_t *wire;
    size_t wire_len;
};

struct corpus {
    struct hpack_story *stories;
    struct block **blocks; /* by story */
    size_t count;
    size_t block_count;
    size_t field_count;
    size_t plain_len;
};

static uint8_t scratch[1 << 18];

static void die(const char *what)
{
    fprintf(stderr, "bench_hpack: %s\n", what);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p == NULL)
        die("out of memory");
    return p;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static nghttp2_nv *fields_for_nghttp2(const struct hpack_case *c)
{
    nghttp2_nv *nv = allocate(c->count + 1, sizeof(*nv));
    for (size_t i = 0; i < c->count; i++) {
        nv[i].name = (uint8_t *)(uintptr_t)c->fields[i].name.ptr;
        nv[i].namelen = c->fields[i].name.len;
        nv[i].value = (uint8_t *)(uintptr_t)c->fields[i].value.ptr;
        nv[i].valuelen = c->fields[i].value.len;
        nv[i].flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    }
    return nv;
}

static void load(struct corpus *corpus, const char *folder)
{
    char pattern[4096];
    glob_t found;
    snprintf(pattern, sizeof(pattern), "%s/story_*.json", folder);
    if (glob(pattern, 0, NULL, &found) != 0)
        die("no stories in that folder");
    corpus->stories = allocate(found.gl_pathc, sizeof(*corpus->stories));
    corpus->blocks = allocate(found.gl_pathc, sizeof(*corpus->blocks));
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct hpack_story *story = &corpus->stories[i];
        if (!hpack_story_load(story, found.gl_pathv[i]))
            die(found.gl_pathv[i]);
        corpus->count++;
        corpus->blocks[i] = allocate(story->count, sizeof(struct block));
        corpus->block_count += story->count;
        for (size_t j = 0; j < story->count; j++) {
            const struct hpack_case *c = &story->cases[j];
            corpus->blocks[i][j].nv = fields_for_nghttp2(c);
            corpus->field_count += c->count;
            for (size_t k = 0; k < c->count; k++)
                corpus->plain_len += c->fields[k].name.len + c->fields[k].value.len;
        }
    }
    globfree(&found);
}

static size_t nghttp2_encode(const struct corpus *corpus, bool keep)
{
    size_t total = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        nghttp2_hd_deflater *deflater;
        if (nghttp2_hd_deflate_new(&deflater, 4096) != 0)
            die("out of memory");
        for (size_t j = 0; j < corpus->stories[i].count; j++) {
            struct block *b = &corpus->blocks[i][j];
            ssize_t len = nghttp2_hd_deflate_hd(deflater, scratch, sizeof(scratch), b->nv,
                                                corpus->stories[i].cases[j].count);
            if (len < 0)
                die("libnghttp2 cannot encode");
            total += (size_t)len;
            if (keep) {
                b->wire = allocate((size_t)len + 1, 1);
                b->wire_len = (size_t)len;
                memcpy(b->wire, scratch, b->wire_len);
            }
        }
        nghttp2_hd_deflate_del(deflater);
    }
    return total;
}

static size_t nghttp2_decode_block(nghttp2_hd_inflater *inflater, const struct block *b)
{
    const uint8_t *p = b->wire;
    size_t len = b->wire_len;
    size_t octets = 0;
    int flags = 0;
    while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
        nghttp2_nv nv;
        flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, p, len, 1);
        if (used < 0)
            die("libnghttp2 cannot decode");
        p += used;
        len -= (size_t)used;
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            octets += nv.namelen + nv.valuelen;
    }
    nghttp2_hd_inflate_end_headers(inflater);
    return octets;
}

static size_t nghttp2_decode(const struct corpus *corpus)
{
    size_t octets = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        nghttp2_hd_inflater *inflater;
        if (nghttp2_hd_inflate_new(&inflater) != 0)
            die("out of memory");
        for (size_t j = 0; j < corpus->stories[i].count; j++)
            octets += nghttp2_decode_block(inflater, &corpus->blocks[i][j]);
        nghttp2_hd_inflate_del(inflater);
    }
    return octets;
}

static size_t weft_encode(const struct corpus *corpus)
{
    size_t total = 0;
    struct wf_buf out;
    wf_buf_init(&out);
    for (size_t i = 0; i < corpus->count; i++) {
        struct wf_hpack_encoder *encoder = wf_hpack_encoder_new(4096);
        if (encoder == NULL)
            die("out of memory");
        for (size_t j = 0; j < corpus->stories[i].count; j++) {
            const struct hpack_case *c = &corpus->stories[i].cases[j];
            if (!wf_hpack_encode(encoder, 0, c->fields, c->count, &out))
                die("out of memory");
            total += wf_buf_len(&out);
            wf_buf_consume(&out, wf_buf_len(&out));
        }
        wf_hpack_encoder_free(encoder);
    }
    wf_buf_fini(&out);
    return total;
}

/* @out_repeats: blocks that were recognised as a repetition. */
static size_t weft_decode(const struct corpus *corpus, size_t *out_repeats)
{
    size_t octets = 0;
    *out_repeats = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        struct wf_hpack_decoder *decoder = wf_hpack_decoder_new(4096, 1 << 20, 10000);
        uint64_t serial = 0;
        if (decoder == NULL)
            die("out of memory");
        for (size_t j = 0; j < corpus->stories[i].count; j++) {
            const struct block *b = &corpus->blocks[i][j];
            struct wf_field_section section;
            if (wf_hpack_decode(decoder, wf_slice(b->wire, b->wire_len), &section) != WF_HPACK_OK)
                die(wf_hpack_decoder_reason(decoder));
            *out_repeats += section.serial == serial;
            serial = section.serial;
            for (uint32_t k = 0; k < section.count; k++)
                octets += section.lines[k].name_len + section.lines[k].value_len;
        }
        wf_hpack_decoder_free(decoder);
    }
    return octets;
}

/* Makes each block that equals the one before it end in a field that it did not have, so that
 * nothing is recognised. ":method: GET", one octet, does not touch the table. */
static void tell_repeats_apart(const struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++) {
        for (size_t j = 1; j < corpus->stories[i].count; j++) {
            const struct block *before = &corpus->blocks[i][j - 1];
            struct block *b = &corpus->blocks[i][j];
            if (b->wire_len == before->wire_len && memcmp(b->wire, before->wire, b->wire_len) == 0)
                b->wire[b->wire_len++] = 0x82;
        }
    }
}

enum what { WEFT_ENCODE, NGHTTP2_ENCODE, WEFT_DECODE, NGHTTP2_DECODE, WHAT_COUNT };

static const char *const names[WHAT_COUNT] = {"weft-encode", "nghttp2-encode", "weft-decode",
                                              "nghttp2-decode"};

static size_t run(enum what what, const struct corpus *corpus)
{
    size_t repeats;
    switch (what) {
    case WEFT_ENCODE:
        return weft_encode(corpus);
    case NGHTTP2_ENCODE:
        return nghttp2_encode(corpus, false);
    case WEFT_DECODE:
        return weft_decode(corpus, &repeats);
    case NGHTTP2_DECODE:
        return nghttp2_decode(corpus);
    case WHAT_COUNT:
        break;
    }
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void compare(const struct corpus *corpus, size_t rounds)
{
    double *seconds[WHAT_COUNT];
    size_t sums[WHAT_COUNT];
    for (int w = 0; w < WHAT_COUNT; w++)
        seconds[w] = allocate(rounds, sizeof(double));
    for (size_t r = 0; r < rounds; r++) {
        for (int w = 0; w < WHAT_COUNT; w++) {
            double start = cpu_seconds();
            sums[w] = run((enum what)w, corpus);
            seconds[w][r] = cpu_seconds() - start;
        }
    }
    for (int w = 0; w < WHAT_COUNT; w++) {
        qsort(seconds[w], rounds, sizeof(double), by_value);
        printf("%-15s median %7.1f ns/block, %6.2f ns/field, fastest %7.1f ns/block; octets %zu\n",
               names[w], seconds[w][rounds / 2] * 1e9 / (double)corpus->block_count,
               seconds[w][rounds / 2] * 1e9 / (double)corpus->field_count,
               seconds[w][0] * 1e9 / (double)corpus->block_count, sums[w]);
    }
    printf("encode: %.3f of libnghttp2's time, %.4f of its size\n",
           seconds[WEFT_ENCODE][rounds / 2] / seconds[NGHTTP2_ENCODE][rounds / 2],
           (double)sums[WEFT_ENCODE] / (double)sums[NGHTTP2_ENCODE]);
    printf("decode: %.3f of libnghttp2's time\n",
           seconds[WEFT_DECODE][rounds / 2] / seconds[NGHTTP2_DECODE][rounds / 2]);
    for (int w = 0; w < WHAT_COUNT; w++)
        free(seconds[w]);
}

static void unload(struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++) {
        for (size_t j = 0; j < corpus->stories[i].count; j++) {
            free(corpus->blocks[i][j].nv);
            free(corpus->blocks[i][j].wire);
        }
        free(corpus->blocks[i]);
        hpack_story_free(&corpus->stories[i]);
    }
    free(corpus->blocks);
    free(corpus->stories);
}

int main(int argc, char **argv)
{
    struct corpus corpus = {0};
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: bench_hpack FOLDER [ROUNDS [WHAT]]\n");
        return 2;
    }
    size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 101;
    load(&corpus, argv[1]);
    size_t wire_len = nghttp2_encode(&corpus, true);
    size_t repeats;
    weft_decode(&corpus, &repeats);
    tell_repeats_apart(&corpus);
    printf(
        "%zu stories, %zu blocks (%zu repeated at once), %zu fields, %zu octets plain, %zu coded\n",
        corpus.count, corpus.block_count, repeats, corpus.field_count, corpus.plain_len, wire_len);
    weft_decode(&corpus, &repeats);
    if (repeats != 0)
        die("repeated blocks are left");
    if (argc == 4) {
        int what = 0;
        while (what < WHAT_COUNT && strcmp(names[what], argv[3]) != 0)
            what++;
        for (size_t r = 0; r < rounds; r++)
            run((enum what)what, &corpus);
    } else if (rounds > 0) {
        compare(&corpus, rounds);
    }
    unload(&corpus);
    return 0;
}
