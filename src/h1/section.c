#include "h1/section.h"

#include "base/field_rules.h"

#define FIRST_LINES 32u
/* RFC 9113 section 6.5.2. */
#define LINE_OVERHEAD 32u

void wf_h1_section_fini(struct wf_h1_section *section)
{
    wf_free(section->lines);
    wf_buf_fini(&section->octets);
    wf_h1_section_init(section);
}

void wf_h1_section_clear(struct wf_h1_section *section)
{
    wf_buf_consume(&section->octets, wf_buf_len(&section->octets));
    section->count = 0;
    section->seen = 0;
    section->size = 0;
}

struct wf_h1_err wf_h1_section_count(struct wf_h1_section *section, struct wf_slice name,
                                     struct wf_slice value, uint32_t max_fields, uint32_t max_size)
{
    if (section->seen >= max_fields)
        return wf_h1_err(WF_H1_ERR_LIMIT, "a section has more field lines than we accept");
    uint64_t size = (uint64_t)section->size + name.len + value.len + LINE_OVERHEAD;
    if (size > max_size)
        return wf_h1_err(WF_H1_ERR_LIMIT, "the fields are larger than we accept");
    section->seen++;
    section->size = (uint32_t)size;
    return WF_H1_OK;
}

static bool reserve_line(struct wf_h1_section *section)
{
    if (section->count < section->cap)
        return true;
    uint32_t cap = section->cap == 0 ? FIRST_LINES : section->cap * 2; /* max_fields bounds it */
    struct wf_field_line *lines = wf_realloc(section->lines, cap * sizeof(*lines));
    if (lines == NULL)
        return false;
    section->lines = lines;
    section->cap = cap;
    return true;
}

bool wf_h1_section_add(struct wf_h1_section *section, struct wf_slice name, struct wf_slice value)
{
    if (!reserve_line(section) || !wf_buf_reserve(&section->octets, name.len + value.len))
        return false;
    size_t offset = wf_buf_len(&section->octets);
    uint8_t *to = wf_buf_tail(&section->octets);
    for (size_t i = 0; i < name.len; i++)
        to[i] = wf_ascii_lower(name.ptr[i]);
    if (value.len > 0)
        memcpy(to + name.len, value.ptr, value.len);
    wf_buf_commit(&section->octets, name.len + value.len);
    section->lines[section->count++] = (struct wf_field_line){.offset = (uint32_t)offset,
                                                              .name_len = (uint32_t)name.len,
                                                              .value_len = (uint32_t)value.len};
    return true;
}

struct wf_field_section wf_h1_section_view(const struct wf_h1_section *section)
{
    struct wf_slice octets = wf_buf_slice(&section->octets);
    return (struct wf_field_section){.lines = section->lines,
                                     .octets = octets.ptr,
                                     .count = section->count,
                                     .octets_len = (uint32_t)octets.len,
                                     .size = section->size};
}
