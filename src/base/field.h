/* Field lines (RFC 9110 section 5) and pseudo-header fields (RFC 9113 section 8.3), in two shapes:
 * a field of two borrowed slices, which is how callers hand over what is to be sent, and a field
 * section of offsets, which is what was received: it can be moved to other memory by copying its
 * two runs, with no pointer to mend. */
#ifndef WF_BASE_FIELD_H
#define WF_BASE_FIELD_H

#include "base/slice.h"

struct wf_field {
    struct wf_slice name;
    struct wf_slice value;
    bool never_indexed; /* RFC 7541 section 6.2.3: not indexed by us nor by an intermediary */
};

/* One received field line. The value follows the name at once:
 * name = octets[offset, +name_len), value = octets[offset + name_len, +value_len). */
struct wf_field_line {
    uint32_t offset;
    uint32_t name_len;
    uint32_t value_len;
    uint8_t static_name; /* lowest static table index (1 to 61) whose name is this one; 0: none */
    uint8_t flags;       /* WF_FIELD_* */
    uint16_t reserved;
};

#define WF_FIELD_NEVER_INDEXED 0x01u
/* A name or value holds an octet that RFC 9113 section 8.2.1 forbids in an HTTP/2 field line: an
 * upper-case letter or other non-token octet in the name (one leading ':' is allowed), NUL, CR or
 * LF in the value, or white space at either end of the value. */
#define WF_FIELD_INVALID 0x02u
/* Together with WF_FIELD_INVALID: the name is not legal, whatever the value. */
#define WF_FIELD_INVALID_NAME 0x04u

struct wf_field_section {
    const struct wf_field_line *lines;
    const uint8_t *octets;
    uint32_t count;
    uint32_t octets_len;
    uint32_t size;   /* RFC 9113 section 6.5.2: each name and value and 32 octets a field line */
    uint64_t serial; /* two sections of one decoder with the same serial have the same content */
};

static inline struct wf_slice wf_section_name(const struct wf_field_section *s, uint32_t i)
{
    return wf_slice(s->octets + s->lines[i].offset, s->lines[i].name_len);
}

static inline struct wf_slice wf_section_value(const struct wf_field_section *s, uint32_t i)
{
    return wf_slice(s->octets + s->lines[i].offset + s->lines[i].name_len, s->lines[i].value_len);
}

#endif
