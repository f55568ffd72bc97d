/* What the field at each position of a block was the last time: the requests of one client have the
 * same fields in the same order nearly always, and then comparing is all it takes to find the index
 * of a field, or of its name. Thread: owner.
 *
 * A guess is never trusted. The entry that it names may have been evicted, which its number shows,
 * or may be another one; whoever uses it compares the octets. */
#ifndef WF_H2_HPACK_GUESS_H
#define WF_H2_HPACK_GUESS_H

#include "base/assert.h"
#include "h2/hpack_dyntab.h"
#include "h2/hpack_static.h"
#include "h2/octets.h"

/* Positions beyond have a guess together with an earlier one, which costs time only. */
#define WF_HPACK_GUESSES 32u

struct wf_hpack_guess {
    uint32_t number;       /* of an entry of the dynamic table; counts when static_index is 0 */
    uint32_t name_hash;    /* as in struct wf_hpack_key */
    uint32_t static_index; /* of an entry of the static table, or 0 */
};

/* Names an entry that there is only after 2^32 insertions; that its hash is then not that of the
 * name costs a search that finds nothing. */
#define WF_HPACK_NO_GUESS ((struct wf_hpack_guess){.number = UINT32_MAX})

/* The entry that a guess names, while it is there. */
struct wf_hpack_guessed {
    const struct wf_field_line *line;
    const uint8_t *octets; /* its name and its value */
    uint32_t index;        /* as it goes out */
};

/* False: the entry was evicted. */
static inline bool wf_hpack_guess_find(const struct wf_hpack_guess *guess,
                                       const struct wf_hpack_dyntab *table,
                                       struct wf_hpack_guessed *out)
{
    if (guess->static_index != 0) {
        out->line = &wf_hpack_static_lines[guess->static_index];
        out->octets = wf_hpack_static_octets + out->line->offset;
        out->index = guess->static_index;
        return true;
    }
    uint32_t age = table->next - 1 - guess->number;
    if (WF_UNLIKELY(age >= table->count))
        return false;
    out->line = wf_hpack_dyntab_at(table, age);
    out->octets = wf_hpack_dyntab_octets(table, out->line);
    out->index = WF_HPACK_STATIC_COUNT + 1 + age;
    return true;
}

static inline bool wf_hpack_guessed_has_name(const struct wf_hpack_guessed *guessed,
                                             struct wf_slice name)
{
    return guessed->line->name_len == name.len &&
           wf_octets_equal(guessed->octets, name.ptr, name.len);
}

/* @value: of a field with the name of this entry. */
static inline bool wf_hpack_guessed_has_value(const struct wf_hpack_guessed *guessed,
                                              struct wf_slice value)
{
    return guessed->line->value_len == value.len &&
           wf_octets_equal(guessed->octets + guessed->line->name_len, value.ptr, value.len);
}

#endif
