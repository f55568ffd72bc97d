/* Huffman coding by tables of whole bit runs: 12 bits give one or two octets a step on the way in,
 * four octets are joined before they meet the accumulator on the way out. */
#include "h2/huffman.h"

#include "base/assert.h"
#include "h2/field_octets.h"
#include "h2/huffman_tables.h"
#include "h2/octets.h"

#define EOS              256u
#define STEPS_PER_REFILL (56 / FIRST_BITS)

/* The symbol at the top of @window whose code is longer than FIRST_BITS; at least 30 bits are
 * there. */
static unsigned long_symbol(uint64_t window, unsigned *out_bits)
{
    uint32_t top = (uint32_t)(window >> 34);
    const struct long_row *row = long_rows;
    while (top >= row->limit)
        row++;
    *out_bits = row->len;
    return long_symbols[row->symbol + ((top - row->first) >> (30u - row->len))];
}

/* The octets of @in from @at on, of which there are fewer than 8, with ones behind them: padding is
 * ones, and as no code of up to FIRST_BITS bits is all ones, decoding stops in it by itself. */
static uint64_t load_last(struct wf_slice in, size_t at)
{
    uint64_t word = 0;
    if (at >= in.len)
        return UINT64_MAX;
    unsigned bits = (unsigned)(in.len - at) * 8;
    if (in.len >= 8) {
        word = wf_load_be64(in.ptr + in.len - 8);
    } else {
        for (; at < in.len; at++)
            word = word << 8 | in.ptr[at];
    }
    return word << (64 - bits) | UINT64_MAX >> bits;
}

/* What is to be read: the next bits from the top of `acc` down, and how many of them the steps
 * since the last refill took, in the lowest octet of `used`. */
struct window {
    uint64_t acc;
    uint32_t used;
};

/* Decodes what the next FIRST_BITS bits begin with to @o, two octets of which are written whatever
 * it is, and moves behind it. At a longer code nothing moves and the result is 0. */
static inline uint32_t decode_step(struct window *w, uint8_t **o)
{
    uint32_t entry = first_table[w->acc >> (64 - FIRST_BITS)];
    wf_store_le16(*o, (uint16_t)(entry >> 16));
    *o += (uint8_t)(entry >> 8);
    w->acc <<= entry & 63;
    w->used += entry; /* the lowest octets of a refill's steps do not sum up beyond one */
    return entry;
}

/* The last step's result: after a longer code the steps that follow change nothing. */
static inline uint32_t decode_steps(struct window *w, uint8_t **o)
{
    _Static_assert(STEPS_PER_REFILL == 4, "there are as many lines below");
    w->used = 0;
    (void)decode_step(w, o);
    (void)decode_step(w, o);
    (void)decode_step(w, o);
    return decode_step(w, o);
}

enum wf_huffman_status wf_huffman_decode(struct wf_slice in, uint8_t *out, size_t cap,
                                         size_t *out_len, bool *out_value_ok)
{
    const uint8_t *limit = out + cap;
    uint8_t *o = out;
    struct window w = {0, 0};
    unsigned avail = 0; /* bits of w.acc that count; further ones are right but come again */
    size_t at = 0;
    unsigned marks = 0;

    for (;;) {
        uint64_t next = WF_LIKELY(at + 8 <= in.len) ? wf_load_be64(in.ptr + at) : load_last(in, at);
        w.acc |= next >> avail;
        at += (63 - avail) >> 3;
        avail |= 56;
        uint32_t entry = decode_steps(&w, &o);
        avail -= w.used & 63;
        if (WF_LIKELY(entry != 0 && o <= limit))
            continue;
        size_t seen = at * 8 - avail;
        if (o > limit)
            return seen > in.len * 8 ? WF_HUFFMAN_INVALID : WF_HUFFMAN_TOO_LONG;
        /* RFC 7541 5.2: up to 7 bits of ones are padding; here are none but ones. */
        if (seen + 8 > in.len * 8) {
            *out_len = (size_t)(o - out);
            *out_value_ok = (marks & WF_OCTET_BAD_VALUE) == 0;
            return seen <= in.len * 8 ? WF_HUFFMAN_OK : WF_HUFFMAN_INVALID;
        }
        if (avail < 30)
            continue;
        unsigned bits;
        unsigned symbol = long_symbol(w.acc, &bits);
        if (symbol == EOS || bits > in.len * 8 - seen)
            return WF_HUFFMAN_INVALID;
        marks |= wf_octet_class[symbol];
        *o++ = (uint8_t)symbol;
        w.acc <<= bits;
        avail -= bits;
    }
}

/* Codes in a row: the lowest `bits` of `acc`, above which it holds what nobody needs. Of more than
 * 64 bits the first are lost. */
struct run {
    uint64_t acc;
    unsigned bits;
};

static inline struct run run_of(uint8_t octet)
{
    return (struct run){codes[octet], code_lens[octet]};
}

static inline struct run join(struct run a, struct run b)
{
    return (struct run){a.acc << (b.bits & 63) | b.acc, a.bits + b.bits};
}

/* Apart from what came before, so that the processor may begin with it early. */
static inline struct run run_of_four(const uint8_t *p)
{
    return join(join(join(run_of(p[0]), run_of(p[1])), run_of(p[2])), run_of(p[3]));
}

/* Writes the whole octets and keeps the rest, fewer than 8 bits. At most 63 bits are there. */
static inline uint8_t *write_octets(struct run *run, uint8_t *o)
{
    wf_store_be64(o, run->acc << ((64 - run->bits) & 63));
    o += run->bits >> 3;
    run->bits &= 7;
    return o;
}

struct written {
    struct run rest;
    uint8_t *o;
};

/* Octet by octet, for codes so long that they do not fit together. */
static WF_SELDOM struct written write_slowly(struct run run, const uint8_t *p, size_t len,
                                             uint8_t *o)
{
    for (size_t i = 0; i < len; i++) {
        run = join(run, run_of(p[i]));
        o = write_octets(&run, o);
    }
    return (struct written){run, o};
}

size_t wf_huffman_encode(struct wf_slice in, uint8_t *out)
{
    const uint8_t *p = in.ptr;
    const uint8_t *limit = out + in.len;
    struct written w = {.o = out};
    size_t left = in.len;

    for (; left >= 8; left -= 8, p += 8) {
        struct run run = join(join(w.rest, run_of_four(p)), run_of_four(p + 4));
        if (WF_LIKELY(run.bits <= 63)) {
            w.o = write_octets(&run, w.o);
            w.rest = run;
        } else {
            w = write_slowly(w.rest, p, 8, w.o);
        }
        if (w.o >= limit)
            return 0;
    }
    struct run run = w.rest;
    size_t i = 0;
    if (left >= 4) {
        run = join(run, run_of_four(p));
        i = 4;
    }
    for (; i < left; i++)
        run = join(run, run_of(p[i]));
    if (WF_LIKELY(run.bits <= 63)) {
        w.o = write_octets(&run, w.o);
        w.rest = run;
    } else {
        w = write_slowly(w.rest, p, left, w.o);
    }
    if (w.rest.bits > 0)
        *w.o++ = (uint8_t)(w.rest.acc << (8 - w.rest.bits) | 0xffu >> w.rest.bits);
    return w.o < limit ? (size_t)(w.o - out) : 0;
}
