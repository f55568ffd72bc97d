#include "h2/stream_set.h"

#define MIN_BUCKETS   64u
#define MAX_BUCKETS   (1u << 24)
#define CHUNK_STREAMS 32u

struct wf_h2_stream_chunk {
    struct wf_h2_stream_chunk *next;
    struct wf_h2_stream streams[CHUNK_STREAMS];
};

_Static_assert(sizeof(struct wf_h2_stream) <= 112, "there are as many as requests in flight");

bool wf_h2_stream_set_init(struct wf_h2_stream_set *set)
{
    *set = (struct wf_h2_stream_set){.mask = MIN_BUCKETS - 1};
    set->buckets = wf_calloc(MIN_BUCKETS, sizeof(struct wf_h2_stream *));
    return set->buckets != NULL;
}

void wf_h2_stream_set_fini(struct wf_h2_stream_set *set)
{
    while (set->chunks != NULL) {
        struct wf_h2_stream_chunk *chunk = set->chunks;
        set->chunks = chunk->next;
        wf_free(chunk);
    }
    wf_free(set->buckets);
    *set = (struct wf_h2_stream_set){0};
}

static bool add_chunk(struct wf_h2_stream_set *set)
{
    struct wf_h2_stream_chunk *chunk = wf_alloc(sizeof(*chunk));
    if (chunk == NULL)
        return false;
    chunk->next = set->chunks;
    set->chunks = chunk;
    for (size_t i = CHUNK_STREAMS; i > 0; i--) {
        chunk->streams[i - 1].hash_next = set->free_streams;
        set->free_streams = &chunk->streams[i - 1];
    }
    return true;
}

struct wf_h2_stream *wf_h2_stream_set_take(struct wf_h2_stream_set *set, uint32_t id)
{
    if (set->free_streams == NULL && !add_chunk(set))
        return NULL;
    struct wf_h2_stream *stream = set->free_streams;
    set->free_streams = stream->hash_next;
    *stream = (struct wf_h2_stream){.id = id, .content_left = -1};
    wf_list_init(&stream->node);
    return stream;
}

void wf_h2_stream_set_give(struct wf_h2_stream_set *set, struct wf_h2_stream *stream)
{
    stream->hash_next = set->free_streams;
    set->free_streams = stream;
}

/* More buckets keep chains short; without memory for them the chains just grow. */
static void grow(struct wf_h2_stream_set *set)
{
    uint32_t count = (set->mask + 1) * 2;
    struct wf_h2_stream **buckets = wf_calloc(count, sizeof(struct wf_h2_stream *));
    if (buckets == NULL)
        return;
    for (uint32_t i = 0; i <= set->mask; i++) {
        struct wf_h2_stream *stream = set->buckets[i];
        while (stream != NULL) {
            struct wf_h2_stream *next = stream->hash_next;
            struct wf_h2_stream **bucket = &buckets[(stream->id >> 1) & (count - 1)];
            stream->hash_next = *bucket;
            *bucket = stream;
            stream = next;
        }
    }
    wf_free(set->buckets);
    set->buckets = buckets;
    set->mask = count - 1;
}

void wf_h2_stream_set_insert(struct wf_h2_stream_set *set, struct wf_h2_stream *stream)
{
    if (WF_UNLIKELY(set->count > set->mask && set->mask + 1 < MAX_BUCKETS))
        grow(set);
    struct wf_h2_stream **bucket = &set->buckets[(stream->id >> 1) & set->mask];
    stream->hash_next = *bucket;
    *bucket = stream;
    set->count++;
}

void wf_h2_stream_set_remove(struct wf_h2_stream_set *set, struct wf_h2_stream *stream)
{
    struct wf_h2_stream **link = &set->buckets[(stream->id >> 1) & set->mask];
    while (*link != stream)
        link = &(*link)->hash_next;
    *link = stream->hash_next;
    stream->hash_next = NULL;
    set->count--;
}

void wf_h2_stream_set_each(struct wf_h2_stream_set *set,
                           void (*visit)(void *user, struct wf_h2_stream *stream), void *user)
{
    for (uint32_t i = 0; i <= set->mask; i++) {
        struct wf_h2_stream *stream = set->buckets[i];
        while (stream != NULL) {
            struct wf_h2_stream *next = stream->hash_next;
            visit(user, stream);
            stream = next;
        }
    }
}
