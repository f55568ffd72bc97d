/* Dynamic table: a ring of entries over a store that is written forward and moved back now and
 * then. */
#include "h2/hpack_dyntab.h"

#define RING_MIN_CAP   16u
#define OCTETS_MIN_CAP 512u

void wf_hpack_dyntab_init(struct wf_hpack_dyntab *table, uint32_t max_size)
{
    wf_assert(max_size <= WF_HPACK_TABLE_LIMIT);
    *table = (struct wf_hpack_dyntab){.next = 1, .max_size = max_size};
}

void wf_hpack_dyntab_fini(struct wf_hpack_dyntab *table)
{
    wf_free(table->ring);
    wf_free(table->octets);
    wf_hpack_dyntab_init(table, 0);
}

static uint32_t entry_size(const struct wf_field_line *line)
{
    return line->name_len + line->value_len + WF_HPACK_ENTRY_OVERHEAD;
}

static void evict_to(struct wf_hpack_dyntab *table, uint32_t size)
{
    while (table->size > size) {
        table->size -= entry_size(wf_hpack_dyntab_at(table, table->count - 1));
        table->count--;
    }
    wf_assert(table->count > 0 || table->size == 0);
}

void wf_hpack_dyntab_clear(struct wf_hpack_dyntab *table)
{
    evict_to(table, 0);
}

void wf_hpack_dyntab_resize(struct wf_hpack_dyntab *table, uint32_t max_size)
{
    wf_assert(max_size <= WF_HPACK_TABLE_LIMIT);
    evict_to(table, max_size);
    table->max_size = max_size;
}

static bool grow_ring(struct wf_hpack_dyntab *table)
{
    uint32_t cap = table->ring_cap == 0 ? RING_MIN_CAP : table->ring_cap * 2;
    struct wf_field_line *ring = wf_calloc(cap, sizeof(*ring));
    if (ring == NULL)
        return false;
    for (uint32_t age = 0; age < table->count; age++)
        ring[(table->next - 1 - age) & (cap - 1)] = *wf_hpack_dyntab_at(table, age);
    wf_free(table->ring);
    table->ring = ring;
    table->ring_cap = cap;
    return true;
}

/* Moves the live octets to the front, into more memory when they fill over three quarters of what
 * there is: so each octet that comes in pays for moving at most three. */
static bool make_octets_room(struct wf_hpack_dyntab *table, size_t len)
{
    uint32_t oldest =
        table->count > 0 ? wf_hpack_dyntab_at(table, table->count - 1)->offset : table->end;
    size_t live = (uint32_t)(table->end - oldest);
    size_t need = live + len + WF_OCTETS_SLACK;
    const uint8_t *from = live > 0 ? table->octets + (uint32_t)(oldest - table->base) : NULL;
    if (need <= table->octets_cap / 4 * 3) {
        if (live > 0)
            memmove(table->octets, from, live);
    } else {
        size_t cap = table->octets_cap == 0 ? OCTETS_MIN_CAP : table->octets_cap;
        while (need > cap / 4 * 3)
            cap *= 2;
        uint8_t *octets = wf_alloc(cap);
        if (octets == NULL)
            return false;
        if (live > 0)
            memcpy(octets, from, live);
        wf_free(table->octets);
        table->octets = octets;
        table->octets_cap = cap;
    }
    table->base = oldest;
    return true;
}

bool wf_hpack_dyntab_make_room(struct wf_hpack_dyntab *table, size_t len)
{
    if (table->count == table->ring_cap && !grow_ring(table))
        return false;
    size_t used = (uint32_t)(table->end - table->base);
    return used + len + WF_OCTETS_SLACK <= table->octets_cap || make_octets_room(table, len);
}

uint8_t *wf_hpack_dyntab_add(struct wf_hpack_dyntab *table, const struct wf_field_line *line)
{
    uint32_t size = entry_size(line);
    wf_assert(size <= table->max_size);
    evict_to(table, table->max_size - size);
    struct wf_field_line *entry = &table->ring[table->next & (table->ring_cap - 1)];
    *entry = *line;
    entry->offset = table->end;
    table->end += line->name_len + line->value_len;
    table->size += size;
    table->next++;
    table->count++;
    return table->octets + (uint32_t)(entry->offset - table->base);
}
