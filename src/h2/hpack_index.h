/* Finds entries of an encoder's dynamic table by name, or by name and value. Thread: owner.
 *
 * Chains by hash lead from newer entries to older ones and end at the first number that is no
 * longer in the table, so eviction has nothing to do here. Hashes are of part of the octets: the
 * search compares, and gives up after some steps. */
#ifndef WF_H2_HPACK_INDEX_H
#define WF_H2_HPACK_INDEX_H

#include "h2/hpack_dyntab.h"

#define WF_HPACK_NOT_FOUND  UINT32_MAX
#define WF_HPACK_NAME_HEADS 64u

struct wf_hpack_index {
    struct wf_hpack_link *links; /* by number, like the table's ring */
    uint32_t cap;
    uint32_t pair_heads[128];
    uint32_t name_heads[WF_HPACK_NAME_HEADS];
};

/* A field as it is looked up. */
struct wf_hpack_key {
    struct wf_slice name;
    struct wf_slice value;
    uint32_t name_hash;
    uint32_t pair_hash;
    bool name_is_guessed; /* the guess of its position names an entry with this name */
};

void wf_hpack_index_init(struct wf_hpack_index *index);
void wf_hpack_index_fini(struct wf_hpack_index *index);

/* Makes room for the next entry of @table, whose own room was reserved. False: out of memory. */
WF_MUST_USE bool wf_hpack_index_reserve(struct wf_hpack_index *index,
                                        const struct wf_hpack_dyntab *table);
/* Adds the newest entry of @table. */
void wf_hpack_index_add(struct wf_hpack_index *index, const struct wf_hpack_dyntab *table,
                        const struct wf_hpack_key *key);

/* The age of an entry with this name and value, or WF_HPACK_NOT_FOUND. */
uint32_t wf_hpack_index_find_pair(const struct wf_hpack_index *index,
                                  const struct wf_hpack_dyntab *table,
                                  const struct wf_hpack_key *key);
/* Whether no entry with this name is newer than the one with @number, which has it. False also when
 * that would have to be searched for. */
static inline bool wf_hpack_index_is_newest(const struct wf_hpack_index *index,
                                            const struct wf_hpack_key *key, uint32_t number)
{
    return index->name_heads[key->name_hash % WF_HPACK_NAME_HEADS] == number;
}

/* The age of the newest entry with this name, or WF_HPACK_NOT_FOUND. */
uint32_t wf_hpack_index_find_name(const struct wf_hpack_index *index,
                                  const struct wf_hpack_dyntab *table,
                                  const struct wf_hpack_key *key);

#endif
