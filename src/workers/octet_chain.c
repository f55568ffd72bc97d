#include "workers/octet_chain.h"

#include "base/assert.h"

#define CHUNK_MIN 512u

struct wf_octet_chunk {
    _Atomic(struct wf_octet_chunk *) next;
    atomic_size_t filled; /* octets that the consumer may take */
    size_t cap;
    uint8_t octets[];
};

static struct wf_octet_chunk *chunk_new(const struct wf_octet_chain *chain, size_t wanted)
{
    size_t cap = wanted < CHUNK_MIN ? CHUNK_MIN : wanted;
    if (cap > chain->chunk_max)
        cap = chain->chunk_max;
    struct wf_octet_chunk *chunk = wf_alloc(sizeof(*chunk) + cap);
    if (chunk == NULL)
        return NULL;
    atomic_init(&chunk->next, NULL);
    atomic_init(&chunk->filled, 0);
    chunk->cap = cap;
    return chunk;
}

static void free_from(struct wf_octet_chunk *chunk)
{
    while (chunk != NULL) {
        /* Relaxed: nobody else sees them. */
        struct wf_octet_chunk *next = atomic_load_explicit(&chunk->next, memory_order_relaxed);
        wf_free(chunk);
        chunk = next;
    }
}

bool wf_octet_chain_init(struct wf_octet_chain *chain, size_t chunk_max)
{
    wf_assert(chunk_max >= CHUNK_MIN);
    chain->chunk_max = chunk_max;
    /* The first chunk is empty, so that both ends always have one to stand on. */
    chain->tail = chunk_new(chain, CHUNK_MIN);
    chain->head = chain->tail;
    chain->head_read = 0;
    return chain->tail != NULL;
}

void wf_octet_chain_fini(struct wf_octet_chain *chain)
{
    free_from(chain->head);
    chain->head = NULL;
    chain->tail = NULL;
}

/* Chunks for all of @octets, linked; false: out of memory. */
static bool chunks_for(const struct wf_octet_chain *chain, struct wf_slice octets,
                       struct wf_octet_chunk **out_first, struct wf_octet_chunk **out_last)
{
    struct wf_octet_chunk *first = NULL;
    struct wf_octet_chunk *last = NULL;
    while (octets.len > 0) {
        struct wf_octet_chunk *chunk = chunk_new(chain, octets.len);
        if (chunk == NULL) {
            free_from(first);
            return false;
        }
        size_t len = octets.len < chunk->cap ? octets.len : chunk->cap;
        memcpy(chunk->octets, octets.ptr, len);
        /* Relaxed: private until it is linked. */
        atomic_store_explicit(&chunk->filled, len, memory_order_relaxed);
        octets = wf_slice_skip(octets, len);
        if (last == NULL)
            first = chunk;
        else
            atomic_store_explicit(&last->next, chunk, memory_order_relaxed);
        last = chunk;
    }
    *out_first = first;
    *out_last = last;
    return true;
}

bool wf_octet_chain_append(struct wf_octet_chain *chain, struct wf_slice octets)
{
    struct wf_octet_chunk *tail = chain->tail;
    /* Relaxed: only this thread writes it. */
    size_t filled = atomic_load_explicit(&tail->filled, memory_order_relaxed);
    size_t here = tail->cap - filled;
    if (here > octets.len)
        here = octets.len;
    struct wf_octet_chunk *more;
    struct wf_octet_chunk *last;
    if (!chunks_for(chain, wf_slice_skip(octets, here), &more, &last))
        return false;
    if (here > 0) {
        memcpy(tail->octets + filled, octets.ptr, here);
        /* R10: publishes the octets; pairs with A10. */
        atomic_store_explicit(&tail->filled, filled + here, memory_order_release);
    }
    if (more != NULL) {
        /* R11: publishes the chunks, and that this one is full; pairs with A11. */
        atomic_store_explicit(&tail->next, more, memory_order_release);
        chain->tail = last;
    }
    return true;
}

uint8_t *wf_octet_chain_room(struct wf_octet_chain *chain, size_t *len)
{
    struct wf_octet_chunk *tail = chain->tail;
    /* Relaxed: only this thread writes it. */
    size_t filled = atomic_load_explicit(&tail->filled, memory_order_relaxed);
    if (filled == tail->cap) {
        struct wf_octet_chunk *chunk = chunk_new(chain, *len);
        if (chunk == NULL)
            return NULL;
        atomic_store_explicit(&tail->next, chunk, memory_order_release); /* R11 */
        chain->tail = chunk;
        tail = chunk;
        filled = 0;
    }
    if (*len > tail->cap - filled)
        *len = tail->cap - filled;
    return tail->octets + filled;
}

void wf_octet_chain_wrote(struct wf_octet_chain *chain, size_t len)
{
    /* Relaxed, then R10, as in wf_octet_chain_append(). */
    size_t filled = atomic_load_explicit(&chain->tail->filled, memory_order_relaxed);
    wf_assert(len <= chain->tail->cap - filled);
    atomic_store_explicit(&chain->tail->filled, filled + len, memory_order_release);
}

struct wf_slice wf_octet_chain_peek(struct wf_octet_chain *chain)
{
    for (;;) {
        struct wf_octet_chunk *head = chain->head;
        /* A11 with R11. Read before `filled`: a chunk that has a successor is never filled again.
         */
        struct wf_octet_chunk *next = atomic_load_explicit(&head->next, memory_order_acquire);
        /* A10 with R10. */
        size_t filled = atomic_load_explicit(&head->filled, memory_order_acquire);
        if (filled > chain->head_read || next == NULL)
            return wf_slice(head->octets + chain->head_read, filled - chain->head_read);
        chain->head = next;
        chain->head_read = 0;
        wf_free(head);
    }
}

void wf_octet_chain_advance(struct wf_octet_chain *chain, size_t len)
{
    chain->head_read += len;
}

size_t wf_octet_chain_read(struct wf_octet_chain *chain, void *buf, size_t cap)
{
    size_t total = 0;
    while (total < cap) {
        struct wf_slice octets = wf_octet_chain_peek(chain);
        size_t len = octets.len < cap - total ? octets.len : cap - total;
        if (len == 0)
            break;
        memcpy((uint8_t *)buf + total, octets.ptr, len);
        wf_octet_chain_advance(chain, len);
        total += len;
    }
    return total;
}
