/* A header or trailer section while its lines come, and as a wf_field_section when it is whole.
 * Thread: owner. */
#ifndef WF_H1_SECTION_H
#define WF_H1_SECTION_H

#include "base/buf.h"
#include "base/field.h"
#include "h1/error.h"

struct wf_h1_section {
    struct wf_field_line *lines;
    struct wf_buf octets;
    uint32_t count;
    uint32_t cap;
    uint32_t seen; /* lines, those included that were not kept */
    uint32_t size; /* as RFC 9113 section 6.5.2 counts, likewise */
};

static inline void wf_h1_section_init(struct wf_h1_section *section)
{
    *section = (struct wf_h1_section){0};
}

/* Frees the memory and leaves an empty section that may be used again. */
void wf_h1_section_fini(struct wf_h1_section *section);

/* Empties it and keeps the memory. */
void wf_h1_section_clear(struct wf_h1_section *section);

/* Counts one more line against the limits. */
WF_MUST_USE struct wf_h1_err wf_h1_section_count(struct wf_h1_section *section,
                                                 struct wf_slice name, struct wf_slice value,
                                                 uint32_t max_fields, uint32_t max_size);
/* Keeps a line that was counted, its name in lower case. False: out of memory. */
WF_MUST_USE bool wf_h1_section_add(struct wf_h1_section *section, struct wf_slice name,
                                   struct wf_slice value);

/* Valid until the section changes. */
struct wf_field_section wf_h1_section_view(const struct wf_h1_section *section);

#endif
