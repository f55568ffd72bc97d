/* Legality of names and values. Values are scanned eight octets at a time. */
#include "h2/field_octets.h"

#include "h2/field_octets_table.h"
#include "h2/octets.h"

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* Not zero when some octet of @word is @octet. Octets above the first match may be marked wrongly,
 * which does not matter for a yes or no. */
static uint64_t has_octet(uint64_t word, uint64_t octet)
{
    uint64_t x = word ^ (ONES * octet);
    return (x - ONES) & ~x & HIGHS;
}

bool wf_octets_are_name(const uint8_t *name, size_t len)
{
    size_t at = len > 0 && name[0] == ':';
    if (at == len)
        return false;
    unsigned marks = 0;
    for (; at < len; at++)
        marks |= wf_octet_class[name[at]];
    return (marks & WF_OCTET_BAD_NAME) == 0;
}

bool wf_octets_are_value(const uint8_t *value, size_t len)
{
    uint64_t bad = 0;
    size_t at = 0;
    for (; len - at >= 8; at += 8) {
        uint64_t word = wf_load_64(value + at);
        bad |= has_octet(word, 0) | has_octet(word, '\r') | has_octet(word, '\n');
    }
    for (; at < len; at++)
        bad |= wf_octet_class[value[at]] & WF_OCTET_BAD_VALUE;
    return bad == 0 && wf_octets_end_as_value(value, len);
}
