/* The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B). Thread: any. */
#ifndef WF_H2_HUFFMAN_H
#define WF_H2_HUFFMAN_H

#include "base/alloc.h"
#include "base/slice.h"

/* Room that both calls may use beyond what they return. */
#define WF_HUFFMAN_SLACK 32u

enum wf_huffman_status {
    WF_HUFFMAN_OK,
    WF_HUFFMAN_INVALID, /* the end-of-string symbol, or padding that RFC 7541 section 5.2 forbids */
    WF_HUFFMAN_TOO_LONG /* it decodes to more than @cap octets; the rest was not looked at */
};

/* @len coded octets decode to at most this many: no code is shorter than 5 bits. */
static inline size_t wf_huffman_decoded_max(size_t len)
{
    return len / 5 * 8 + len % 5 * 8 / 5;
}

/* @len coded octets decode to at least this many, if they decode: no code is longer than 30 bits,
 * and at most 7 bits are padding. */
static inline size_t wf_huffman_decoded_min(size_t len)
{
    return len == 0 ? 0 : len / 15 * 4 + (len % 15 * 8 + 22) / 30;
}

/* Decodes @in, of less than SIZE_MAX / 8 octets, to @out, which has room for @cap and
 * WF_HUFFMAN_SLACK octets. @out_value_ok: there is no NUL, CR or LF among the decoded ones, which
 * comes free here since their codes are long. */
WF_MUST_USE enum wf_huffman_status wf_huffman_decode(struct wf_slice in, uint8_t *out, size_t cap,
                                                     size_t *out_len, bool *out_value_ok);

/* Encodes @in to @out, which has room for in.len and WF_HUFFMAN_SLACK octets. Returns the length,
 * or 0 when coding would not make it shorter. */
size_t wf_huffman_encode(struct wf_slice in, uint8_t *out);

#endif
