/* A direct-mapped cache of whole field blocks. */
#include "h2/hpack_cache.h"

struct wf_hpack_cached {
    uint64_t key;
    uint64_t epoch;
    uint32_t len;
    uint8_t octets[WF_HPACK_CACHE_BLOCK_MAX];
};

void wf_hpack_cache_fini(struct wf_hpack_cache *cache)
{
    for (size_t i = 0; cache->slots != NULL && i < WF_HPACK_CACHE_SLOTS; i++)
        wf_free(cache->slots[i]);
    wf_free(cache->slots);
    cache->slots = NULL;
}

struct wf_slice wf_hpack_cache_find(const struct wf_hpack_cache *cache, uint64_t key,
                                    uint64_t epoch)
{
    if (cache->slots == NULL)
        return wf_slice(NULL, 0);
    const struct wf_hpack_cached *cached = cache->slots[key % WF_HPACK_CACHE_SLOTS];
    if (cached == NULL || cached->key != key || cached->epoch != epoch)
        return wf_slice(NULL, 0);
    return wf_slice(cached->octets, cached->len);
}

void wf_hpack_cache_keep(struct wf_hpack_cache *cache, uint64_t key, uint64_t epoch,
                         struct wf_slice block)
{
    if (block.len == 0 || block.len > WF_HPACK_CACHE_BLOCK_MAX)
        return;
    if (cache->slots == NULL)
        cache->slots = wf_calloc(WF_HPACK_CACHE_SLOTS, sizeof(struct wf_hpack_cached *));
    if (cache->slots == NULL)
        return;
    struct wf_hpack_cached **slot = &cache->slots[key % WF_HPACK_CACHE_SLOTS];
    if (*slot == NULL)
        *slot = wf_alloc(sizeof(**slot));
    if (*slot == NULL)
        return;
    (*slot)->key = key;
    (*slot)->epoch = epoch;
    (*slot)->len = (uint32_t)block.len;
    memcpy((*slot)->octets, block.ptr, block.len);
}
