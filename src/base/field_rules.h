/* Which octets methods, field names and field values may have (RFC 9110 sections 5.1, 5.5 and 9.1;
 * RFC 9113 section 8.2), and which fields HTTP/2 forbids. Pure; thread: any. */
#ifndef WF_BASE_FIELD_RULES_H
#define WF_BASE_FIELD_RULES_H

#include "base/slice.h"

/* A token without upper-case letters, at least one octet (RFC 9113 section 8.2.1). Names of
 * pseudo-header fields are not valid here: ':' is no token octet. */
bool wf_field_name_is_valid(struct wf_slice name);
/* What must be treated as malformed when it is received: NUL, CR or LF anywhere, white space at
 * either end (RFC 9113 section 8.2.1). Empty values are valid. */
bool wf_field_value_is_valid(struct wf_slice value);
/* A token, at least one octet; letters of either case. */
bool wf_method_is_valid(struct wf_slice method);

/* For messages: the index of the first octet that may not be sent, or the length when there is
 * none. Names may have upper-case letters here, since they are lowered before they are sent; values
 * are held to RFC 9110 section 5.5, which refuses every control octet but HTAB. White space at the
 * ends of a value is not looked at. */
size_t wf_field_name_bad_octet(struct wf_slice name);
size_t wf_field_value_bad_octet(struct wf_slice value);

/* connection, proxy-connection, keep-alive, transfer-encoding, upgrade (RFC 9113 section 8.2.2).
 * @name is in lower case. */
bool wf_field_is_connection_specific(struct wf_slice name);

/* @s without SP and HTAB at its ends (RFC 9110 section 5.5). */
struct wf_slice wf_slice_trim(struct wf_slice s);

static inline uint8_t wf_ascii_lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20u) : octet;
}

/* Equal but for the case of ASCII letters; @lower is in lower case. */
bool wf_slice_is_nocase(struct wf_slice s, const char *lower);

#endif
