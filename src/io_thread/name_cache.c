#include "io_thread/name_cache.h"

#include "base/alloc.h"
#include "base/assert.h"

#include <string.h>
#include <strings.h>

#define MS_PER_S 1000u

struct entry {
    struct wf_node use_node;    /* cache->by_use */
    struct wf_node bucket_node; /* cache->buckets */
    uint64_t until_ms;
    enum wf_resolve_result result;
    const char *why;
    size_t count;
    char *host; /* behind the addresses */
    struct wf_address addresses[];
};

/* FNV-1a over lower case. What collides on purpose costs a walk of WF_NAME_CACHE_MAX at most. */
static struct wf_node *bucket_of(struct wf_name_cache *cache, const char *host)
{
    uint32_t hash = 2166136261u;
    for (; *host != '\0'; host++) {
        unsigned char c = (unsigned char)*host;
        hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 16777619u;
    }
    return &cache->buckets[hash % WF_NAME_BUCKETS];
}

void wf_name_cache_init(struct wf_name_cache *cache)
{
    cache->count = 0;
    wf_list_init(&cache->by_use);
    for (size_t i = 0; i < WF_NAME_BUCKETS; i++)
        wf_list_init(&cache->buckets[i]);
}

static void drop(struct wf_name_cache *cache, struct entry *entry)
{
    wf_list_remove(&entry->use_node);
    wf_list_remove(&entry->bucket_node);
    cache->count--;
    wf_free(entry);
}

void wf_name_cache_fini(struct wf_name_cache *cache)
{
    struct wf_node *node;
    while ((node = wf_list_first(&cache->by_use)) != NULL)
        drop(cache, wf_container_of(node, struct entry, use_node));
}

static struct entry *find(struct wf_name_cache *cache, const char *host)
{
    struct wf_node *bucket = bucket_of(cache, host);
    for (struct wf_node *node = bucket->next; node != bucket; node = node->next) {
        struct entry *entry = wf_container_of(node, struct entry, bucket_node);
        if (strcasecmp(entry->host, host) == 0)
            return entry;
    }
    return NULL;
}

bool wf_name_cache_find(struct wf_name_cache *cache, const char *host, uint64_t now_ms,
                        struct wf_name_answer *out)
{
    struct entry *entry = find(cache, host);
    if (entry == NULL)
        return false;
    if (entry->until_ms <= now_ms) {
        drop(cache, entry);
        return false;
    }
    wf_list_remove(&entry->use_node);
    wf_list_push_back(&cache->by_use, &entry->use_node);
    out->result = entry->result;
    out->why = entry->why;
    out->ttl_s = (uint32_t)((entry->until_ms - now_ms + MS_PER_S - 1) / MS_PER_S);
    out->count = entry->count;
    memcpy(out->addresses, entry->addresses, entry->count * sizeof(out->addresses[0]));
    return true;
}

/* Seconds. That no server answered says nothing about the name: it is asked again. */
static uint32_t time_to_keep(const struct wf_name_answer *answer)
{
    if (answer->result == WF_RESOLVE_NOT_FOUND)
        return WF_NAME_NEGATIVE_TTL_S;
    if (answer->result != WF_RESOLVE_OK)
        return 0;
    return answer->ttl_s < WF_NAME_TTL_MAX_S ? answer->ttl_s : WF_NAME_TTL_MAX_S;
}

void wf_name_cache_put(struct wf_name_cache *cache, const char *host,
                       const struct wf_name_answer *answer, uint64_t now_ms)
{
    struct entry *old = find(cache, host);
    if (old != NULL)
        drop(cache, old);
    uint32_t ttl_s = time_to_keep(answer);
    if (ttl_s == 0)
        return;
    size_t addresses_len = answer->count * sizeof(answer->addresses[0]);
    size_t host_len = strlen(host) + 1;
    struct entry *entry = wf_alloc(sizeof(*entry) + addresses_len + host_len);
    if (entry == NULL)
        return;
    entry->until_ms = now_ms + (uint64_t)ttl_s * MS_PER_S;
    entry->result = answer->result;
    entry->why = answer->why;
    entry->count = answer->count;
    memcpy(entry->addresses, answer->addresses, addresses_len);
    entry->host = (char *)entry->addresses + addresses_len;
    memcpy(entry->host, host, host_len);
    wf_list_init(&entry->use_node);
    wf_list_init(&entry->bucket_node);
    if (cache->count == WF_NAME_CACHE_MAX)
        drop(cache, wf_container_of(wf_list_first(&cache->by_use), struct entry, use_node));
    wf_list_push_back(&cache->by_use, &entry->use_node);
    wf_list_push_back(bucket_of(cache, host), &entry->bucket_node);
    cache->count++;
}
