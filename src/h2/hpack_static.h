/* The static table of HPACK (RFC 7541 appendix A). Thread: any. */
#ifndef WF_H2_HPACK_STATIC_H
#define WF_H2_HPACK_STATIC_H

#include "base/field.h"

#define WF_HPACK_STATIC_COUNT 61u

/* Entry 1 to 61; offsets are into wf_hpack_static_octets, which may be read 32 octets beyond each.
 */
extern const struct wf_field_line wf_hpack_static_lines[WF_HPACK_STATIC_COUNT + 1];
extern const uint8_t wf_hpack_static_octets[];

/* The lowest index with this name, or 0. @hash is wf_octets_hash() of the name. */
unsigned wf_hpack_static_find_name(struct wf_slice name, uint64_t hash);

/* The index of the entry with the name of entry @name_index, which is the lowest of that name, and
 * with @value; 0: there is none. */
unsigned wf_hpack_static_find_value(unsigned name_index, struct wf_slice value);

#endif
