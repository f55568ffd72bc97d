/* The streams of a session: their memory, and the way from an identifier to a stream.
 * Identifiers of one side count up by two, so that a bucket is in effect an index.
 * Thread: owner of the session. */
#ifndef WF_H2_STREAM_SET_H
#define WF_H2_STREAM_SET_H

#include "h2/stream.h"

struct wf_h2_stream_chunk;

struct wf_h2_stream_set {
    struct wf_h2_stream **buckets;
    uint32_t mask;  /* buckets less one; a power of two less one */
    uint32_t count; /* streams that can be found */
    struct wf_h2_stream *free_streams;
    struct wf_h2_stream_chunk *chunks;
};

/* False: out of memory. */
WF_MUST_USE bool wf_h2_stream_set_init(struct wf_h2_stream_set *set);
/* Frees all streams. */
void wf_h2_stream_set_fini(struct wf_h2_stream_set *set);

/* A zeroed stream with identifier @id, not yet to be found. NULL: out of memory. */
WF_MUST_USE struct wf_h2_stream *wf_h2_stream_set_take(struct wf_h2_stream_set *set, uint32_t id);
/* Makes it found. */
void wf_h2_stream_set_insert(struct wf_h2_stream_set *set, struct wf_h2_stream *stream);
/* Makes it not found; the stream stays. */
void wf_h2_stream_set_remove(struct wf_h2_stream_set *set, struct wf_h2_stream *stream);
/* Gives back a stream that cannot be found. */
void wf_h2_stream_set_give(struct wf_h2_stream_set *set, struct wf_h2_stream *stream);

static inline struct wf_h2_stream *wf_h2_stream_set_find(const struct wf_h2_stream_set *set,
                                                         uint32_t id)
{
    struct wf_h2_stream *stream = set->buckets[(id >> 1) & set->mask];
    while (stream != NULL && stream->id != id)
        stream = stream->hash_next;
    return stream;
}

/* Asks for the memory of a stream that is likely to be looked for soon. */
static inline void wf_h2_stream_set_expect(const struct wf_h2_stream_set *set, uint32_t id)
{
    const char *stream = (const char *)set->buckets[(id >> 1) & set->mask];
    __builtin_prefetch(stream, 1);
    __builtin_prefetch(stream + WF_CACHE_LINE, 1);
}

/* Calls @visit for each stream that can be found; it may remove the one it is given. */
void wf_h2_stream_set_each(struct wf_h2_stream_set *set,
                           void (*visit)(void *user, struct wf_h2_stream *stream), void *user);

#endif
