/* A dynamic table of HPACK (RFC 7541 section 2.3.2), of a decoder or an encoder. Thread: owner.
 *
 * Entries are numbered as they come in; `next` is the number of the next one, and those of
 * [next - count, next) are in the table. Name and value lie one behind the other in one store, with
 * WF_OCTETS_SLACK octets of room behind the last. Memory grows with what is stored, to little more
 * than twice max_size. */
#ifndef WF_H2_HPACK_DYNTAB_H
#define WF_H2_HPACK_DYNTAB_H

#include "base/alloc.h"
#include "base/assert.h"
#include "base/field.h"
#include "h2/octets.h"

/* RFC 7541 section 4.1: an entry counts 32 octets more than its name and value. */
#define WF_HPACK_ENTRY_OVERHEAD 32u
/* No table of ours may be larger; positions in the store are 32 bits wide. */
#define WF_HPACK_TABLE_LIMIT (1u << 28)

struct wf_hpack_dyntab {
    struct wf_field_line
        *ring;         /* by number; line.offset counts from the store's beginning of time */
    uint32_t ring_cap; /* a power of two, or 0 */
    uint32_t next;
    uint32_t count;
    uint32_t size;     /* as RFC 7541 section 4.1 counts */
    uint32_t max_size; /* in force */
    uint8_t *octets;
    size_t octets_cap;
    uint32_t base; /* the offset that lies at octets[0] */
    uint32_t end;  /* the offset at which the next entry's octets go */
};

/* @max_size is at most WF_HPACK_TABLE_LIMIT. Allocates nothing. */
void wf_hpack_dyntab_init(struct wf_hpack_dyntab *table, uint32_t max_size);
void wf_hpack_dyntab_fini(struct wf_hpack_dyntab *table);

/* RFC 7541 section 4.3: evicts until the entries fit. */
void wf_hpack_dyntab_resize(struct wf_hpack_dyntab *table, uint32_t max_size);

/* What wf_hpack_dyntab_reserve() does where there is no room. */
WF_MUST_USE bool wf_hpack_dyntab_make_room(struct wf_hpack_dyntab *table, size_t len);

/* RFC 7541 section 4.4: evicts until @line, which wf_hpack_dyntab_fits(), has room, and adds it.
 * Its octets were reserved. Returns where the caller copies name and value. */
uint8_t *wf_hpack_dyntab_add(struct wf_hpack_dyntab *table, const struct wf_field_line *line);

/* Drops all entries, which is what an entry that does not fit does. */
void wf_hpack_dyntab_clear(struct wf_hpack_dyntab *table);

static inline bool wf_hpack_dyntab_fits(const struct wf_hpack_dyntab *table, size_t len)
{
    return table->max_size >= WF_HPACK_ENTRY_OVERHEAD &&
           len <= table->max_size - WF_HPACK_ENTRY_OVERHEAD;
}

/* Makes room for an entry of @len octets of name and value. False: out of memory; nothing changed.
 */
static inline WF_MUST_USE bool wf_hpack_dyntab_reserve(struct wf_hpack_dyntab *table, size_t len)
{
    size_t used = (uint32_t)(table->end - table->base);
    wf_assert(len <= WF_HPACK_TABLE_LIMIT);
    return WF_LIKELY(table->count < table->ring_cap &&
                     used + len + WF_OCTETS_SLACK <= table->octets_cap) ||
           wf_hpack_dyntab_make_room(table, len);
}

/* The @age-th newest entry, from 0; @age is below count. */
static inline const struct wf_field_line *wf_hpack_dyntab_at(const struct wf_hpack_dyntab *table,
                                                             uint32_t age)
{
    return &table->ring[(table->next - 1 - age) & (table->ring_cap - 1)];
}

/* Name and value of an entry of this table. */
static inline const uint8_t *wf_hpack_dyntab_octets(const struct wf_hpack_dyntab *table,
                                                    const struct wf_field_line *line)
{
    return table->octets + (uint32_t)(line->offset - table->base);
}

#endif
