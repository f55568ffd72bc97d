/* Field blocks that an encoder wrote before, by the number of a frozen request. Thread: owner.
 * A block is valid in the epoch of the dynamic table in which it was written. Bounded: a slot is
 * used by the key that comes last, and memory is taken slot by slot. */
#ifndef WF_H2_HPACK_CACHE_H
#define WF_H2_HPACK_CACHE_H

#include "base/alloc.h"
#include "base/slice.h"

#define WF_HPACK_CACHE_SLOTS     256u
#define WF_HPACK_CACHE_BLOCK_MAX 232u

struct wf_hpack_cache {
    struct wf_hpack_cached **slots; /* WF_HPACK_CACHE_SLOTS, or NULL before the first block */
};

void wf_hpack_cache_fini(struct wf_hpack_cache *cache);

/* The block of @key, not 0, kept in @epoch. Empty: there is none. */
struct wf_slice wf_hpack_cache_find(const struct wf_hpack_cache *cache, uint64_t key,
                                    uint64_t epoch);
/* Keeps @block if it is short enough and there is memory; else nothing happens. */
void wf_hpack_cache_keep(struct wf_hpack_cache *cache, uint64_t key, uint64_t epoch,
                         struct wf_slice block);

#endif
