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

/* What is to be written: `bits` codes' bits from the top of `acc` down. */
struct pending {
    uint64_t acc;
    unsigned bits;
};

static inline void push_code(struct pending *w, uint64_t code)
{
    /* The length comes along at the bottom of the word: below 55 bits nobody looks there. */
    w->acc |= code >> (w->bits & 63);
    w->bits += (unsigned)code & 63;
}

/* Writes the whole octets and keeps the rest, fewer than 8 bits. At most 55 bits are there. */
static inline uint8_t *write_octets(struct pending *w, uint8_t *o)
{
    unsigned len = w->bits >> 3;
    wf_store_be64(o, w->acc);
    w->acc = (w->acc << (8 * len)) & (uint64_t)0xff << 56;
    w->bits &= 7;
    return o + len;
}

size_t wf_huffman_encode(struct wf_slice in, uint8_t *out)
{
    const uint8_t *p = in.ptr;
    const uint8_t *end = p + in.len;
    const uint8_t *limit = out + in.len;
    uint8_t *o = out;
    struct pending w = {0, 0};

    for (; end - p >= 4; p += 4) {
        struct pending four = w;
        push_code(&four, codes[p[0]]);
        push_code(&four, codes[p[1]]);
        push_code(&four, codes[p[2]]);
        push_code(&four, codes[p[3]]);
        if (WF_LIKELY(four.bits <= 55)) {
            w = four;
            o = write_octets(&w, o);
        } else {
            for (unsigned i = 0; i < 4; i++) {
                push_code(&w, codes[p[i]]);
                o = write_octets(&w, o);
            }
        }
        if (o >= limit)
            return 0;
    }
    for (; p < end; p++) {
        push_code(&w, codes[*p]);
        o = write_octets(&w, o);
    }
    if (w.bits > 0)
        *o++ = (uint8_t)(w.acc >> 56 | 0xffu >> w.bits);
    return o < limit ? (size_t)(o - out) : 0;
}
