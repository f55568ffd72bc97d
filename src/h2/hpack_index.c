/* Hash chains over the ring of a dynamic table. */
#include "h2/hpack_index.h"

#include "base/assert.h"
#include "h2/octets.h"

/* More entries than this with one hash are not worth the time. */
#define CHAIN_MAX 16u

struct wf_hpack_link {
    uint32_t pair_hash;
    uint32_t name_hash;
    uint32_t next_pair;
    uint32_t next_name;
};

#define BUCKET(heads, hash) ((heads)[(hash) % (sizeof(heads) / sizeof((heads)[0]))])

void wf_hpack_index_init(struct wf_hpack_index *index)
{
    *index = (struct wf_hpack_index){0};
}

void wf_hpack_index_fini(struct wf_hpack_index *index)
{
    wf_free(index->links);
    wf_hpack_index_init(index);
}

bool wf_hpack_index_reserve(struct wf_hpack_index *index, const struct wf_hpack_dyntab *table)
{
    if (WF_LIKELY(index->cap == table->ring_cap))
        return true;
    struct wf_hpack_link *links = wf_calloc(table->ring_cap, sizeof(*links));
    if (links == NULL)
        return false;
    /* When an insertion failed between the two growths, table and index may be one step apart. */
    for (uint32_t age = 0; age < table->count; age++) {
        uint32_t number = table->next - 1 - age;
        links[number & (table->ring_cap - 1)] = index->links[number & (index->cap - 1)];
    }
    wf_free(index->links);
    index->links = links;
    index->cap = table->ring_cap;
    return true;
}

void wf_hpack_index_add(struct wf_hpack_index *index, const struct wf_hpack_dyntab *table,
                        const struct wf_hpack_key *key)
{
    uint32_t number = table->next - 1;
    uint32_t *pair_head = &BUCKET(index->pair_heads, key->pair_hash);
    uint32_t *name_head = &BUCKET(index->name_heads, key->name_hash);
    wf_assert(index->cap == table->ring_cap);
    index->links[number & (index->cap - 1)] = (struct wf_hpack_link){
        .pair_hash = key->pair_hash,
        .name_hash = key->name_hash,
        .next_pair = *pair_head,
        .next_name = *name_head,
    };
    *pair_head = number;
    *name_head = number;
}

static bool name_matches(const struct wf_hpack_dyntab *table, const struct wf_field_line *line,
                         const struct wf_hpack_key *key)
{
    return line->name_len == key->name.len &&
           wf_octets_equal(wf_hpack_dyntab_octets(table, line), key->name.ptr, key->name.len);
}

static bool value_matches(const struct wf_hpack_dyntab *table, const struct wf_field_line *line,
                          const struct wf_hpack_key *key)
{
    return line->value_len == key->value.len &&
           wf_octets_equal(wf_hpack_dyntab_octets(table, line) + line->name_len, key->value.ptr,
                           key->value.len);
}

uint32_t wf_hpack_index_find_pair(const struct wf_hpack_index *index,
                                  const struct wf_hpack_dyntab *table,
                                  const struct wf_hpack_key *key)
{
    uint32_t number = BUCKET(index->pair_heads, key->pair_hash);
    for (uint32_t steps = 0; steps < CHAIN_MAX; steps++) {
        uint32_t age = table->next - 1 - number;
        if (age >= table->count)
            break;
        const struct wf_hpack_link *link = &index->links[number & (index->cap - 1)];
        if (link->pair_hash == key->pair_hash) {
            const struct wf_field_line *line = wf_hpack_dyntab_at(table, age);
            if (value_matches(table, line, key) && name_matches(table, line, key))
                return age;
        }
        number = link->next_pair;
    }
    return WF_HPACK_NOT_FOUND;
}

uint32_t wf_hpack_index_find_name(const struct wf_hpack_index *index,
                                  const struct wf_hpack_dyntab *table,
                                  const struct wf_hpack_key *key)
{
    uint32_t number = BUCKET(index->name_heads, key->name_hash);
    for (uint32_t steps = 0; steps < CHAIN_MAX; steps++) {
        uint32_t age = table->next - 1 - number;
        if (age >= table->count)
            break;
        const struct wf_hpack_link *link = &index->links[number & (index->cap - 1)];
        if (link->name_hash == key->name_hash &&
            name_matches(table, wf_hpack_dyntab_at(table, age), key))
            return age;
        number = link->next_name;
    }
    return WF_HPACK_NOT_FOUND;
}
