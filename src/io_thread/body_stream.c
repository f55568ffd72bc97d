#include "io_thread/body_stream.h"

#include "base/alloc.h"
#include "base/assert.h"

#define CHUNK_MIN 512u
#define CHUNK_MAX 16384u

struct wf_body_chunk {
    _Atomic(struct wf_body_chunk *) next;
    atomic_uint filled; /* octets that the reader may take */
    unsigned cap;
    uint8_t octets[];
};

static struct wf_body_chunk *chunk_new(size_t wanted)
{
    size_t cap = wanted < CHUNK_MIN ? CHUNK_MIN : wanted > CHUNK_MAX ? CHUNK_MAX : wanted;
    struct wf_body_chunk *chunk = wf_alloc(sizeof(*chunk) + cap);
    if (chunk == NULL)
        return NULL;
    atomic_init(&chunk->next, NULL);
    atomic_init(&chunk->filled, 0);
    chunk->cap = (unsigned)cap;
    return chunk;
}

struct wf_body_stream *wf_body_stream_new(struct weft_future *exchange)
{
    struct wf_body_stream *stream = wf_calloc(1, sizeof(*stream));
    if (stream == NULL)
        return NULL;
    /* The first chunk is empty, so that both ends always have one to stand on. */
    stream->tail = chunk_new(CHUNK_MIN);
    if (stream->tail == NULL) {
        wf_free(stream);
        return NULL;
    }
    stream->head = stream->tail;
    stream->exchange = exchange;
    stream->readable.kind = WF_ITEM_READABLE;
    atomic_init(&stream->notice, WF_NOTICE_ARMED);
    atomic_init(&stream->returned, 0);
    return stream;
}

void wf_body_stream_free(struct wf_body_stream *stream)
{
    if (stream == NULL)
        return;
    struct wf_body_chunk *chunk = stream->head;
    while (chunk != NULL) {
        /* Relaxed: nobody else is left. */
        struct wf_body_chunk *next = atomic_load_explicit(&chunk->next, memory_order_relaxed);
        wf_free(chunk);
        chunk = next;
    }
    wf_free(stream);
}

/* Chunks for all of @bytes beyond the tail's room, linked; NULL with *out_ok false: no memory. */
static struct wf_body_chunk *chunks_for(struct wf_slice bytes, struct wf_body_chunk **out_last,
                                        bool *out_ok)
{
    struct wf_body_chunk *first = NULL;
    struct wf_body_chunk *last = NULL;
    *out_ok = true;
    while (bytes.len > 0) {
        struct wf_body_chunk *chunk = chunk_new(bytes.len);
        if (chunk == NULL) {
            *out_ok = false;
            break;
        }
        size_t len = bytes.len < chunk->cap ? bytes.len : chunk->cap;
        memcpy(chunk->octets, bytes.ptr, len);
        /* Relaxed: private until it is linked. */
        atomic_store_explicit(&chunk->filled, (unsigned)len, memory_order_relaxed);
        bytes = wf_slice_skip(bytes, len);
        if (last == NULL)
            first = chunk;
        else
            atomic_store_explicit(&last->next, chunk, memory_order_relaxed);
        last = chunk;
    }
    if (!*out_ok) {
        while (first != NULL) {
            struct wf_body_chunk *next = atomic_load_explicit(&first->next, memory_order_relaxed);
            wf_free(first);
            first = next;
        }
    }
    *out_last = last;
    return first;
}

bool wf_body_stream_append(struct wf_body_stream *stream, struct wf_slice bytes)
{
    struct wf_body_chunk *tail = stream->tail;
    /* Relaxed: only this thread writes it. */
    unsigned filled = atomic_load_explicit(&tail->filled, memory_order_relaxed);
    size_t here = tail->cap - filled;
    if (here > bytes.len)
        here = bytes.len;
    bool ok;
    struct wf_body_chunk *last;
    struct wf_body_chunk *more = chunks_for(wf_slice_skip(bytes, here), &last, &ok);
    if (!ok)
        return false;
    if (here > 0) {
        memcpy(tail->octets + filled, bytes.ptr, here);
        /* R10: publishes the octets; pairs with A10. */
        atomic_store_explicit(&tail->filled, filled + (unsigned)here, memory_order_release);
    }
    if (more != NULL) {
        /* R11: publishes the chunks, and that this one is full; pairs with A11. */
        atomic_store_explicit(&tail->next, more, memory_order_release);
        stream->tail = last;
    }
    return true;
}

size_t wf_body_stream_read(struct wf_body_stream *stream, void *buf, size_t cap)
{
    size_t total = 0;
    while (total < cap) {
        struct wf_body_chunk *head = stream->head;
        /* A11 with R11. Read before `filled`: a chunk that has a successor is never filled again.
         */
        struct wf_body_chunk *next = atomic_load_explicit(&head->next, memory_order_acquire);
        /* A10 with R10. */
        size_t filled = atomic_load_explicit(&head->filled, memory_order_acquire);
        size_t len = filled - stream->head_read;
        if (len > cap - total)
            len = cap - total;
        if (len > 0) {
            memcpy((uint8_t *)buf + total, head->octets + stream->head_read, len);
            stream->head_read += len;
            total += len;
            continue;
        }
        if (next == NULL)
            break;
        stream->head = next;
        stream->head_read = 0;
        wf_free(head);
    }
    return total;
}
