/* The sharded block pool.
 *
 * Each shard has two bins, each with a lock and a cache line of its own. `own` serves those whose
 * identity hashes to the shard; `returned` collects what other threads give back. A taker that
 * finds its own bin empty moves all of `returned` over in one step, so a producer and a consumer of
 * blocks meet once in many blocks, and blocks never pile up with the threads that give.
 *
 * A block finds its home by a pointer behind it, in room that its cache lines mostly leave anyhow,
 * or before it, in a line that is used in any case. An aligned chunk could hold it once for all of
 * its blocks, but an allocator cuts such a chunk out of one twice as long, and what lies between
 * them is lost when pools come and go. */
#include "base/pool.h"

#include "base/assert.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(ptr, len)   ASAN_POISON_MEMORY_REGION(ptr, len)
#define UNPOISON(ptr, len) ASAN_UNPOISON_MEMORY_REGION(ptr, len)
#else
#define POISON(ptr, len)   ((void)(ptr), (void)(len))
#define UNPOISON(ptr, len) ((void)(ptr), (void)(len))
#endif

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11 &&                                  \
    (defined(__x86_64__) || defined(__aarch64__))
#define HAVE_THREAD_POINTER 1
#endif

#define SHARD_BITS         5u
#define SHARDS             (1u << SHARD_BITS)
#define CHUNK_LEN_MIN      32768u
#define CHUNK_BLOCKS_MIN   8u
#define CHUNK_OVERHEAD     (sizeof(struct chunk) + WF_CACHE_LINE - 1)
#define SPINS_BEFORE_YIELD 64u
#define CREATOR_HOLDS      (INT64_C(1) << 62) /* more than all blocks there can be */
#define BLOCK_LEN_MAX      (SIZE_MAX / 4 / CHUNK_BLOCKS_MIN)

struct block {
    struct block *next;
};

struct bin {
    _Alignas(WF_CACHE_LINE) atomic_uint locked;

    /* Guarded by locked. */
    bool closed;
    struct block *free;
    int64_t out; /* blocks taken through this bin less those given; summed when the pool closes */
};

struct chunk {
    struct chunk *next;
};

struct shard {
    struct bin own;

    /* Guarded by own.locked. */
    struct chunk *chunks;
    char *fresh; /* the part of the newest chunk that was never taken */
    size_t fresh_count;

    struct bin returned;
};

struct wf_pool {
    /* Immutable after wf_pool_new(). */
    size_t block_len;
    size_t stride;     /* from block to block */
    ptrdiff_t home_at; /* from a block to the pointer to its home */
    size_t chunk_blocks;
    size_t chunk_len;
    void (*end)(void *user);
    void *end_user;

    struct shard shards[SHARDS];

    /* Any thread; atomic. Blocks that are out, once the pool is closed. */
    _Alignas(WF_CACHE_LINE) atomic_int_fast64_t remaining;
};

WF_SELDOM static void bin_wait(struct bin *bin)
{
    unsigned spins = 0;
    do {
        /* Relaxed: waits for a change without taking the line away from its owner. */
        while (atomic_load_explicit(&bin->locked, memory_order_relaxed) != 0) {
            /* The holder may have lost its CPU; give it ours. */
            if (++spins % SPINS_BEFORE_YIELD == 0)
                (void)sched_yield();
        }
        /* A8 with R8 in bin_unlock(). */
    } while (atomic_exchange_explicit(&bin->locked, 1, memory_order_acquire) != 0);
}

static inline void bin_lock(struct bin *bin)
{
    /* A8 with R8 in bin_unlock(). */
    if (WF_UNLIKELY(atomic_exchange_explicit(&bin->locked, 1, memory_order_acquire) != 0))
        bin_wait(bin);
}

static void bin_unlock(struct bin *bin)
{
    /* R8: publishes what the lock guards; pairs with A8. */
    atomic_store_explicit(&bin->locked, 0, memory_order_release);
}

static void bin_init(struct bin *bin)
{
    atomic_init(&bin->locked, 0);
    bin->closed = false;
    bin->free = NULL;
    bin->out = 0;
}

/* A number that no two threads have at the same time. */
static inline uintptr_t caller_identity(void)
{
#ifdef HAVE_THREAD_POINTER
    return (uintptr_t)__builtin_thread_pointer(); /* a load in place of a call */
#else
    return (uintptr_t)pthread_self();
#endif
}

static struct shard *shard_of_caller(struct wf_pool *pool)
{
    /* An identity is an address, alike in its low bits: multiply and take the high ones. */
    uint64_t hash = (uint64_t)caller_identity() * UINT64_C(0x9e3779b97f4a7c15);
    return &pool->shards[hash >> (64 - SHARD_BITS)];
}

static uintptr_t round_up(uintptr_t value)
{
    return (value + WF_CACHE_LINE - 1) & ~(uintptr_t)(WF_CACHE_LINE - 1);
}

static struct wf_pool *make_pool(size_t block_len, bool home_is_first)
{
    if (block_len < sizeof(struct block) || block_len > BLOCK_LEN_MAX)
        return NULL;
    struct wf_pool *pool = wf_alloc_aligned(WF_CACHE_LINE, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    pool->block_len = block_len;
    pool->end = NULL;
    pool->end_user = NULL;
    pool->stride = round_up(block_len + sizeof(struct shard *));
    pool->home_at =
        (home_is_first ? 0 : (ptrdiff_t)pool->stride) - (ptrdiff_t)sizeof(struct shard *);
    pool->chunk_blocks = (CHUNK_LEN_MIN - CHUNK_OVERHEAD) / pool->stride;
    if (pool->chunk_blocks < CHUNK_BLOCKS_MIN)
        pool->chunk_blocks = CHUNK_BLOCKS_MIN;
    pool->chunk_len = CHUNK_OVERHEAD + pool->chunk_blocks * pool->stride;
    atomic_init(&pool->remaining, CREATOR_HOLDS);
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *shard = &pool->shards[i];
        bin_init(&shard->own);
        bin_init(&shard->returned);
        shard->chunks = NULL;
        shard->fresh = NULL;
        shard->fresh_count = 0;
    }
    return pool;
}

struct wf_pool *wf_pool_new(size_t block_len)
{
    return make_pool(block_len, false);
}

struct wf_pool *wf_pool_new_long(size_t block_len)
{
    return make_pool(block_len, true);
}

static void free_chunk(const struct wf_pool *pool, struct chunk *chunk)
{
    UNPOISON(chunk, pool->chunk_len);
    wf_free(chunk);
}

static void free_pool(struct wf_pool *pool)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct chunk *chunk = pool->shards[i].chunks;
        while (chunk != NULL) {
            struct chunk *next = chunk->next;
            free_chunk(pool, chunk);
            chunk = next;
        }
    }
    void (*end)(void *) = pool->end;
    void *end_user = pool->end_user;
    wf_free(pool);
    if (end != NULL)
        end(end_user);
}

void wf_pool_at_end(struct wf_pool *pool, void (*end)(void *user), void *user)
{
    pool->end = end;
    pool->end_user = user;
}

static void add_remaining(struct wf_pool *pool, int64_t count)
{
    /* R9 and A9 in one: each leaver publishes its use of the pool, the last receives all of them.
     */
    int64_t before = atomic_fetch_add_explicit(&pool->remaining, count, memory_order_acq_rel);
    if (before + count == 0)
        free_pool(pool);
}

static void close_bin(struct wf_pool *pool, struct bin *bin)
{
    bin_lock(bin);
    bin->closed = true;
    /* Within the lock: a block given from now on is taken off `remaining`, one given before is part
     * of this sum. The creator still holds its share, so this does not reach zero. */
    add_remaining(pool, bin->out);
    bin_unlock(bin);
}

void wf_pool_unref(struct wf_pool *pool)
{
    if (pool == NULL)
        return;
    for (unsigned i = 0; i < SHARDS; i++) {
        close_bin(pool, &pool->shards[i].own);
        close_bin(pool, &pool->shards[i].returned);
    }
    add_remaining(pool, -CREATOR_HOLDS);
}

static struct shard **home_of(const struct wf_pool *pool, void *block)
{
    return (struct shard **)(void *)((char *)block + pool->home_at);
}

static void unpoison(const struct wf_pool *pool, void *block)
{
    UNPOISON(block, pool->block_len);
    UNPOISON(home_of(pool, block), sizeof(struct shard *));
}

/* The next taker would wait for it, within the lock. */
static inline void ask_for(struct block *block)
{
    __builtin_prefetch(block, 1);
}

/* The caller holds own.locked, and something is free. */
static inline void *take_free(struct wf_pool *pool, struct shard *shard)
{
    struct block *block = shard->own.free;
    unpoison(pool, block);
    shard->own.free = block->next;
    ask_for(block->next);
    shard->own.out++;
    return block;
}

/* The caller holds own.locked. */
static void *take_from(struct wf_pool *pool, struct shard *shard)
{
    if (shard->own.free != NULL)
        return take_free(pool, shard);
    if (shard->fresh_count == 0)
        return NULL;
    void *block = shard->fresh + (pool->home_at < 0 ? -pool->home_at : 0);
    unpoison(pool, block);
    *home_of(pool, block) = shard;
    shard->fresh += pool->stride;
    shard->fresh_count--;
    shard->own.out++;
    return block;
}

/* The caller holds own.locked; lock order: own, then returned. */
static void move_returned(struct shard *shard)
{
    bin_lock(&shard->returned);
    shard->own.free = shard->returned.free;
    shard->returned.free = NULL;
    bin_unlock(&shard->returned);
}

static void adopt_chunk(struct wf_pool *pool, struct shard *shard, struct chunk *chunk)
{
    char *after = (char *)(chunk + 1);
    chunk->next = shard->chunks;
    shard->chunks = chunk;
    shard->fresh = after + (round_up((uintptr_t)after) - (uintptr_t)after);
    shard->fresh_count = pool->chunk_blocks;
    POISON(shard->fresh, pool->chunk_blocks * pool->stride);
}

static void *take_with_new_chunk(struct wf_pool *pool, struct shard *shard)
{
    /* Outside the lock: the allocator may take its time. */
    struct chunk *chunk = wf_alloc(pool->chunk_len);
    if (chunk == NULL)
        return NULL;
    bin_lock(&shard->own);
    void *block = take_from(pool, shard);
    if (block == NULL) {
        adopt_chunk(pool, shard, chunk);
        chunk = NULL;
        block = take_from(pool, shard);
    }
    bin_unlock(&shard->own);
    wf_free(chunk); /* somebody else was first */
    return block;
}

/* Nothing is free in @shard, whose own bin the caller has locked; it is unlocked. */
WF_SELDOM static void *refill_and_take(struct wf_pool *pool, struct shard *shard)
{
    move_returned(shard);
    void *block = take_from(pool, shard);
    bin_unlock(&shard->own);
    return block != NULL ? block : take_with_new_chunk(pool, shard);
}

void *wf_pool_take(struct wf_pool *pool)
{
    struct shard *shard = shard_of_caller(pool);
    bin_lock(&shard->own);
    if (WF_UNLIKELY(shard->own.free == NULL))
        return refill_and_take(pool, shard);
    void *block = take_free(pool, shard);
    bin_unlock(&shard->own);
    return block;
}

size_t wf_pool_take_many(struct wf_pool *pool, void **out_blocks, size_t count)
{
    struct shard *shard = shard_of_caller(pool);
    size_t taken = 0;
    bin_lock(&shard->own);
    if (WF_UNLIKELY(shard->own.free == NULL)) {
        out_blocks[0] = refill_and_take(pool, shard);
        return out_blocks[0] != NULL ? 1 : 0;
    }
    while (taken < count && shard->own.free != NULL)
        out_blocks[taken++] = take_free(pool, shard);
    bin_unlock(&shard->own);
    return taken;
}

void wf_pool_give(struct wf_pool *pool, void *block)
{
    wf_assert(block != NULL);
    struct shard *home = *home_of(pool, block);
    struct bin *bin = home == shard_of_caller(pool) ? &home->own : &home->returned;
    struct block *node = block;
    bin_lock(bin);
    node->next = bin->free;
    POISON(block, pool->block_len);
    POISON(home_of(pool, block), sizeof(struct shard *));
    bin->free = node;
    bool closed = bin->closed;
    if (!closed)
        bin->out--;
    bin_unlock(bin);
    if (closed)
        add_remaining(pool, -1);
}
