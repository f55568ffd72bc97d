/* Lookup in the static table: one multiplication and one comparison for a name. */
#include "h2/hpack_static.h"

#include "h2/hpack_static_tables.h"
#include "h2/octets.h"

unsigned wf_hpack_static_find_name(struct wf_slice name, uint64_t hash)
{
    unsigned index = name_slots[(hash * NAME_FACTOR) >> 56];
    const struct wf_field_line *line = &wf_hpack_static_lines[index];
    if (index == 0 || line->name_len != name.len ||
        !wf_octets_equal(wf_hpack_static_octets + line->offset, name.ptr, name.len))
        return 0;
    return index;
}

unsigned wf_hpack_static_find_value(unsigned name_index, struct wf_slice value)
{
    for (unsigned i = name_index;
         i <= WF_HPACK_STATIC_COUNT && wf_hpack_static_lines[i].static_name == name_index; i++) {
        const struct wf_field_line *line = &wf_hpack_static_lines[i];
        if (line->value_len == value.len &&
            wf_octets_equal(wf_hpack_static_octets + line->offset + line->name_len, value.ptr,
                            value.len))
            return i;
    }
    return 0;
}
