/* Legality of names and values. Values are scanned eight octets at a time. */
#include "h2/field_octets.h"

#include "h2/field_octets_table.h"
#include "h2/octets.h"

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* Its high bits: not zero when some octet of @word is a control character, below a space. Bits
 * above the first match may be wrong, which does not matter for a yes or no. */
static inline uint64_t controls_of(uint64_t word)
{
    return (word - ONES * ' ') & ~word;
}

static bool has_bad_octet(const uint8_t *value, size_t len)
{
    unsigned marks = 0;
    for (size_t at = 0; at < len; at++)
        marks |= wf_octet_class[value[at]];
    return (marks & WF_OCTET_BAD_VALUE) != 0;
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
    /* What is forbidden is a control character, and there seldom is one: only then is it named. */
    uint64_t controls = HIGHS;
    if (len >= 8) {
        controls = controls_of(wf_load_64(value + len - 8));
        for (size_t at = 0; at < len - 8; at += 8)
            controls |= controls_of(wf_load_64(value + at));
    }
    if ((controls & HIGHS) != 0 && has_bad_octet(value, len))
        return false;
    return wf_octets_end_as_value(value, len);
}
