/* Unaligned loads, short copies, comparison and hashing of octets, for the inner loops of HPACK.
 * Thread: any. */
#ifndef WF_H2_OCTETS_H
#define WF_H2_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* How far wf_octets_copy() may read and write beyond what it was asked to copy. */
#define WF_OCTETS_SLACK 32u

static inline uint64_t wf_load_64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t wf_load_32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WF_SWAP_IF_BIG_64(v)    (v)
#define WF_SWAP_IF_BIG_32(v)    (v)
#define WF_SWAP_IF_LITTLE_64(v) __builtin_bswap64(v)
#define WF_SWAP_IF_BIG_16(v)    (v)
#else
#define WF_SWAP_IF_BIG_64(v)    __builtin_bswap64(v)
#define WF_SWAP_IF_BIG_32(v)    __builtin_bswap32(v)
#define WF_SWAP_IF_LITTLE_64(v) (v)
#define WF_SWAP_IF_BIG_16(v)    __builtin_bswap16(v)
#endif

static inline uint64_t wf_load_be64(const uint8_t *p)
{
    return WF_SWAP_IF_LITTLE_64(wf_load_64(p));
}

static inline void wf_store_be64(uint8_t *p, uint64_t v)
{
    v = WF_SWAP_IF_LITTLE_64(v);
    memcpy(p, &v, sizeof(v));
}

static inline void wf_store_le16(uint8_t *p, uint16_t v)
{
    v = WF_SWAP_IF_BIG_16(v);
    memcpy(p, &v, sizeof(v));
}

/* Copies @len octets in steps of 32, which is cheaper than a call for what HPACK copies. Both sides
 * have WF_OCTETS_SLACK octets of room beyond @len, and do not overlap. */
static inline void wf_octets_copy(uint8_t *dst, const uint8_t *src, size_t len)
{
    size_t at = 0;
    do {
        memcpy(dst + at, src + at, WF_OCTETS_SLACK);
        at += WF_OCTETS_SLACK;
    } while (at < len);
}

static inline bool wf_octets_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    if (len >= 8) {
        size_t last = len - 8;
        if (wf_load_64(a) != wf_load_64(b) || wf_load_64(a + last) != wf_load_64(b + last))
            return false;
        for (size_t at = 8; at < last; at += 8) {
            if (wf_load_64(a + at) != wf_load_64(b + at))
                return false;
        }
        return true;
    }
    if (len >= 4)
        return wf_load_32(a) == wf_load_32(b) && wf_load_32(a + len - 4) == wf_load_32(b + len - 4);
    return len == 0 || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
}

/* A hash of the length, both ends and the middle: its cost does not grow with the length. Whoever
 * uses it compares the octets, and bounds how often. scripts/make-hpack-tables has a copy. */
static inline uint64_t wf_octets_hash(const uint8_t *p, size_t len)
{
    uint64_t a = 0;
    uint64_t b = 0;
    if (len >= 8) {
        a = WF_SWAP_IF_BIG_64(wf_load_64(p));
        b = WF_SWAP_IF_BIG_64(wf_load_64(p + len - 8));
        if (len > 16) {
            uint64_t m = WF_SWAP_IF_BIG_64(wf_load_64(p + len / 2 - 4));
            b ^= (m << 29) | (m >> 35);
        }
    } else if (len >= 4) {
        a = WF_SWAP_IF_BIG_32(wf_load_32(p));
        b = WF_SWAP_IF_BIG_32(wf_load_32(p + len - 4));
    } else if (len > 0) {
        a = p[0] | (uint64_t)p[len / 2] << 8 | (uint64_t)p[len - 1] << 16;
    }
    uint64_t h = a * 0x9e3779b97f4a7c15u + b * 0xc2b2ae3d27d4eb4fu + len * 0x165667b19e3779f9u;
    h ^= h >> 32;
    return h * 0xd6e8feb86659fd93u;
}

#endif
