/* Fixed-size blocks that are taken on one thread and may be given back on another.
 * The pool is split into shards, each with a free list behind a spin lock of its own; a thread uses
 * the shard that its identity hashes to, so that threads seldom meet. Memory comes in chunks of
 * many blocks and goes back to the allocator only with the pool.
 *
 * The pool is counted: its creator holds one reference and each block that is out holds one, so
 * blocks may be given back after the creator has let go. The last one to leave frees everything.
 *
 * | may overlap        | take | give | unref |
 * | take, give, unref  | yes  | yes  | yes   |   (take only while the creator's reference is held)
 */
#ifndef WF_BASE_POOL_H
#define WF_BASE_POOL_H

#include "base/alloc.h"

#include <stddef.h>

struct wf_pool;

/* @block_len in octets, at least sizeof(void *); blocks are aligned to a cache line. */
WF_MUST_USE struct wf_pool *wf_pool_new(size_t block_len);
/* The same for blocks that are long and mostly used in their first octets only; they are aligned to
 * a pointer. */
WF_MUST_USE struct wf_pool *wf_pool_new_long(size_t block_len);
/* @end(@user) is called after the pool has gone, on whichever thread let go of the last of it.
 * Before any block is taken. */
void wf_pool_at_end(struct wf_pool *pool, void (*end)(void *user), void *user);
/* Lets go of the creator's reference. Thread: any. NULL is a no-op. */
void wf_pool_unref(struct wf_pool *pool);
/* NULL: out of memory. The content is undefined. Thread: any. */
WF_MUST_USE void *wf_pool_take(struct wf_pool *pool);
/* Takes up to @count blocks, at least one of them, in one step: as many as are free at once.
 * Returns how many; 0: out of memory, nothing was taken. Thread: any. */
WF_MUST_USE size_t wf_pool_take_many(struct wf_pool *pool, void **out_blocks, size_t count);
/* Thread: any. */
void wf_pool_give(struct wf_pool *pool, void *block);

#endif
