/* Integers of HPACK (RFC 7541 section 5.1). Thread: any. */
#ifndef WF_H2_HPACK_INT_H
#define WF_H2_HPACK_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest integer that we write or take: a prefix and five octets of seven bits. */
#define WF_HPACK_INT_MAX_LEN 6u

/* Reads an integer with a prefix of @prefix bits at *@p, of which one octet is there. False: it is
 * cut off, above 32 bits, or longer than five octets behind the prefix, zero bits included. */
static inline bool wf_hpack_int_read(const uint8_t **p, const uint8_t *end, unsigned prefix,
                                     uint32_t *out_value)
{
    const uint8_t *at = *p;
    uint32_t mask = (1u << prefix) - 1;
    uint64_t value = *at++ & mask;
    if (value == mask) {
        unsigned shift = 0;
        uint8_t octet;
        do {
            if (at == end || shift > 28)
                return false;
            octet = *at++;
            value += (uint64_t)(octet & 0x7fu) << shift;
            shift += 7;
        } while (octet & 0x80);
        if (value > UINT32_MAX)
            return false;
    }
    *p = at;
    *out_value = (uint32_t)value;
    return true;
}

/* Writes @value behind the high bits @flags and returns where the next octet goes. */
static inline uint8_t *wf_hpack_int_write(uint8_t *o, uint8_t flags, unsigned prefix,
                                          uint32_t value)
{
    uint32_t mask = (1u << prefix) - 1;
    if (value < mask) {
        *o++ = (uint8_t)(flags | value);
        return o;
    }
    *o++ = (uint8_t)(flags | mask);
    for (value -= mask; value >= 0x80; value >>= 7)
        *o++ = (uint8_t)(0x80u | (value & 0x7fu));
    *o++ = (uint8_t)value;
    return o;
}

#endif
