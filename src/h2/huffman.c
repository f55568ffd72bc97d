/* Huffman coding by tables of whole bit runs: 11 bits give one or two octets a step on the way in,
 * four octets are joined before they meet the accumulator on the way out. */
#include "h2/huffman.h"

#include "base/assert.h"
#include "h2/field_octets.h"
#include "h2/huffman_tables.h"
#include "h2/octets.h"

#define EOS              256u
#define STEPS_PER_REFILL (56 / FIRST_BITS)

/* Fields of an entry of first_table. */
#define ENTRY_BITS(e)       ((e) >> 16 & 31u)
#define ENTRY_FIRST_BITS(e) ((e) >> 21 & 15u)
#define ENTRY_COUNT(e)      ((e) >> 25 & 3u)
#define ENTRY_MARKS(e)      ((e) >> 31)

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

static inline uint8_t *put_entry(uint8_t *o, uint32_t entry)
{
    o[0] = (uint8_t)entry;
    o[1] = (uint8_t)(entry >> 8);
    return o + ENTRY_COUNT(entry);
}

/* The last octets of a string, where less than a whole refill is left. */
static enum wf_huffman_status decode_tail(const uint8_t *p, const uint8_t *end, uint64_t acc,
                                          unsigned avail, uint8_t **out, const uint8_t *limit,
                                          unsigned *marks)
{
    uint8_t *o = *out;
    uint64_t window;
    for (;;) {
        while (avail <= 56 && p < end) {
            acc |= (uint64_t)*p++ << (56 - avail);
            avail += 8;
        }
        if (o > limit)
            return WF_HUFFMAN_TOO_LONG;
        /* Padding is ones, so ones behind the last octet end every code that is cut short. */
        window = avail < 64 ? acc | UINT64_MAX >> avail : acc;
        uint32_t entry = first_table[window >> (64 - FIRST_BITS)];
        unsigned bits = ENTRY_BITS(entry);
        if (WF_UNLIKELY(entry == 0)) {
            unsigned symbol = long_symbol(window, &bits);
            if (bits > avail)
                break;
            if (symbol == EOS)
                return WF_HUFFMAN_INVALID;
            *marks |= wf_octet_class[symbol];
            *o++ = (uint8_t)symbol;
        } else if (bits <= avail) {
            *marks |= ENTRY_MARKS(entry);
            o = put_entry(o, entry);
        } else {
            bits = ENTRY_FIRST_BITS(entry);
            if (bits > avail)
                break;
            *marks |= wf_octet_class[entry & 0xff];
            *o++ = (uint8_t)entry;
        }
        acc <<= bits;
        avail -= bits;
    }
    *out = o;
    if (o > limit)
        return WF_HUFFMAN_TOO_LONG;
    /* RFC 7541 5.2: padding is shorter than 8 bits and is the beginning of EOS, which is all ones.
     */
    return avail < 8 && window == UINT64_MAX ? WF_HUFFMAN_OK : WF_HUFFMAN_INVALID;
}

enum wf_huffman_status wf_huffman_decode(struct wf_slice in, uint8_t *out, size_t cap,
                                         size_t *out_len, unsigned *out_marks)
{
    const uint8_t *p = in.ptr;
    const uint8_t *end = p + in.len;
    const uint8_t *limit = out + cap;
    uint8_t *o = out;
    uint64_t acc = 0;   /* the next bits, from the top down */
    unsigned avail = 0; /* how many of them count; further ones are right but will be read again */
    uint32_t seen = 0;
    unsigned marks = 0;

    while (end - p >= 8 && o <= limit) {
        acc |= wf_load_be64(p) >> avail;
        p += (63 - avail) >> 3;
        avail |= 56;
        for (unsigned step = 0; step < STEPS_PER_REFILL; step++) {
            uint32_t entry = first_table[acc >> (64 - FIRST_BITS)];
            if (WF_UNLIKELY(entry == 0)) {
                unsigned bits;
                if (avail < 30)
                    break;
                unsigned symbol = long_symbol(acc, &bits);
                if (symbol == EOS)
                    return WF_HUFFMAN_INVALID;
                marks |= wf_octet_class[symbol];
                *o++ = (uint8_t)symbol;
                acc <<= bits;
                avail -= bits;
                break;
            }
            seen |= entry;
            o = put_entry(o, entry);
            acc <<= ENTRY_BITS(entry);
            avail -= ENTRY_BITS(entry);
        }
    }
    marks |= ENTRY_MARKS(seen);
    enum wf_huffman_status status = decode_tail(p, end, acc, avail, &o, limit, &marks);
    *out_len = (size_t)(o - out);
    *out_marks = marks;
    return status;
}

/* Appends one code to the accumulator and writes the whole octets out. */
static inline uint8_t *put_code(uint8_t *o, uint64_t *acc, unsigned *bits, uint64_t code,
                                unsigned len)
{
    *acc = *acc << len | code;
    *bits += len;
    wf_store_be64(o, *acc << (64 - *bits));
    o += *bits >> 3;
    *bits &= 7;
    return o;
}

size_t wf_huffman_encode(struct wf_slice in, uint8_t *out)
{
    const uint8_t *p = in.ptr;
    const uint8_t *end = p + in.len;
    const uint8_t *limit = out + in.len;
    uint8_t *o = out;
    uint64_t acc = 0;
    unsigned bits = 0; /* at the bottom of acc, always fewer than 8 between steps */

    while (end - p >= 4) {
        const struct code *c[4] = {&codes[p[0]], &codes[p[1]], &codes[p[2]], &codes[p[3]]};
        unsigned len = c[0]->len + c[1]->len + c[2]->len + c[3]->len;
        if (WF_LIKELY(len <= 56)) {
            uint64_t high = (uint64_t)c[0]->bits << c[1]->len | c[1]->bits;
            uint64_t low = (uint64_t)c[2]->bits << c[3]->len | c[3]->bits;
            o = put_code(o, &acc, &bits, high << (c[2]->len + c[3]->len) | low, len);
        } else {
            for (unsigned i = 0; i < 4; i++)
                o = put_code(o, &acc, &bits, c[i]->bits, c[i]->len);
        }
        p += 4;
        if (o >= limit)
            return 0;
    }
    for (; p < end; p++)
        o = put_code(o, &acc, &bits, codes[*p].bits, codes[*p].len);
    if (bits > 0)
        *o++ = (uint8_t)(acc << (8 - bits) | 0xffu >> bits);
    return o < limit ? (size_t)(o - out) : 0;
}
