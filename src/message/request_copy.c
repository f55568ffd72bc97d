/* Copies of requests. They come and go with each submission where a field differs in each, so their
 * blocks are taken from a pool. It is the process's, since a request belongs to no client, and it
 * exists while a request lives that was copied. */
#include "base/assert.h"
#include "base/pool.h"
#include "message/request_build.h"

#include <pthread.h>

#define COPY_TEXT_LEN 224u

struct copy {
    struct weft_request request;
    char text[COPY_TEXT_LEN];
};

/* Guards the pool's coming and going; copies are made and freed without it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wf_pool *shared;
static size_t holders; /* originals that were copied */

/* The first copy of @request: makes it a holder. */
WF_SELDOM static struct wf_pool *hold_pool(struct weft_request *request)
{
    (void)pthread_mutex_lock(&lock);
    /* Relaxed: set under the lock. */
    struct wf_pool *pool = atomic_load_explicit(&request->pool, memory_order_relaxed);
    if (pool == NULL) {
        if (shared == NULL)
            shared = wf_pool_new(sizeof(struct copy));
        pool = shared;
        holders += pool != NULL;
        /* R27: the pool was made before. */
        atomic_store_explicit(&request->pool, pool, memory_order_release);
    }
    (void)pthread_mutex_unlock(&lock);
    return pool;
}

static void let_go_of_pool(void)
{
    struct wf_pool *last = NULL;

    (void)pthread_mutex_lock(&lock);
    wf_assert(holders > 0);
    if (--holders == 0) {
        last = shared;
        shared = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
    wf_pool_unref(last);
}

void wf_request_free_block(struct weft_request *request)
{
    /* Relaxed: the last reference is gone, and with it everybody who could set it. */
    struct wf_pool *pool = atomic_load_explicit(&request->pool, memory_order_relaxed);

    if (request->like != NULL) {
        wf_pool_give(pool, request);
        return;
    }
    wf_free(request);
    if (pool != NULL)
        let_go_of_pool();
}

static bool copy_fields(struct weft_request *copy, const struct weft_request *request)
{
    copy->fields = copy->inline_fields;
    if (WF_UNLIKELY(request->fields != request->inline_fields)) {
        copy->fields = wf_alloc(request->field_cap * sizeof(struct wf_field));
        if (copy->fields == NULL)
            return false;
    }
    memcpy(copy->fields, request->fields, request->field_count * sizeof(struct wf_field));
    return true;
}

/* Of many originals each was last used long ago; what comes between, a lock, waits for no load that
 * is only asked for. */
static void fetch_early(const struct weft_request *request)
{
    const char *at = (const char *)request;

    for (size_t i = 1; i * WF_CACHE_LINE < offsetof(struct weft_request, inline_fields[5]); i++)
        __builtin_prefetch(at + i * WF_CACHE_LINE);
}

struct weft_request *weft_request_copy(struct weft_request *request)
{
    if (request == NULL)
        return NULL;
    fetch_early(request);
    /* A27 with R27 in hold_pool(). */
    struct wf_pool *pool = atomic_load_explicit(&request->pool, memory_order_acquire);
    if (WF_UNLIKELY(pool == NULL))
        pool = hold_pool(request);
    struct copy *block = pool != NULL ? wf_pool_take(pool) : NULL;
    if (block == NULL)
        return NULL;
    struct weft_request *copy = &block->request;
    wf_request_freeze(request);
    /* What comes before may be written by others. */
    memcpy(&copy->failed, &request->failed,
           offsetof(struct weft_request, inline_fields) - offsetof(struct weft_request, failed));
    if (request->failed | request->has_file | request->length_is_given)
        copy->seldom = request->seldom;
    if (!copy_fields(copy, request)) {
        wf_pool_give(pool, block);
        return NULL;
    }
    atomic_init(&copy->refs, 1);
    atomic_init(&copy->frozen, false);
    atomic_init(&copy->repeated, false);
    atomic_init(&copy->pool, pool);
    __builtin_prefetch(copy->origin.text.ptr); /* where the URL's text begins, for the encoder */
    copy->error_is_own = false;
    copy->id = wf_request_next_id();
    copy->like = weft_request_ref(request);
    copy->release = NULL;
    copy->chunks = NULL;
    copy->text = block->text;
    copy->text_left = COPY_TEXT_LEN;
    return copy;
}
