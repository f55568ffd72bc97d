/* Which octets may stand in a field line of HTTP/2 (RFC 9113 section 8.2.1). Thread: any.
 * The rules are those of base/field_rules.h, in the shape that HPACK needs: pseudo-header names
 * count as names, classes of single octets combine with the Huffman tables, and values are read in
 * words. */
#ifndef WF_H2_FIELD_OCTETS_H
#define WF_H2_FIELD_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WF_OCTET_BAD_NAME  0x01u /* no lower-case token octet; ':' is one of these */
#define WF_OCTET_BAD_VALUE 0x02u /* NUL, CR or LF */

extern const uint8_t wf_octet_class[256];

/* A token without upper-case letters, one ':' before it allowed. */
bool wf_octets_are_name(const uint8_t *name, size_t len);
/* No NUL, CR or LF, and no white space at either end. */
bool wf_octets_are_value(const uint8_t *value, size_t len);

static inline bool wf_octets_end_as_value(const uint8_t *value, size_t len)
{
    return len == 0 ||
           (value[0] != ' ' && value[0] != '\t' && value[len - 1] != ' ' && value[len - 1] != '\t');
}

#endif
