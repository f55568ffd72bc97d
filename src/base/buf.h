/* A growable run of octets with a read and a write end. Thread: owner.
 * Octets between `start` and `end` are readable; room for more lies behind `end`. */
#ifndef WF_BASE_BUF_H
#define WF_BASE_BUF_H

#include "base/alloc.h"
#include "base/slice.h"

struct wf_buf {
    uint8_t *data;
    size_t start;
    size_t end;
    size_t cap;
};

static inline void wf_buf_init(struct wf_buf *buf)
{
    *buf = (struct wf_buf){0};
}

/* Frees the memory and leaves an empty buffer that may be used again. */
void wf_buf_fini(struct wf_buf *buf);

static inline size_t wf_buf_len(const struct wf_buf *buf)
{
    return buf->end - buf->start;
}

static inline struct wf_slice wf_buf_slice(const struct wf_buf *buf)
{
    return wf_slice(wf_octets_at(buf->data, buf->start), buf->end - buf->start);
}

/* Makes room for @len more octets behind `end`, by moving what is readable to the front or by
 * growing. False: out of memory, nothing changed. */
WF_MUST_USE bool wf_buf_reserve_slow(struct wf_buf *buf, size_t len);

static inline WF_MUST_USE bool wf_buf_reserve(struct wf_buf *buf, size_t len)
{
    return buf->cap - buf->end >= len || wf_buf_reserve_slow(buf, len);
}

static inline uint8_t *wf_buf_tail(struct wf_buf *buf)
{
    return buf->data + buf->end; /* there is room, so there is memory */
}

/* Takes the @len octets that were just written behind `end` into the buffer. */
static inline void wf_buf_commit(struct wf_buf *buf, size_t len)
{
    buf->end += len;
}

WF_MUST_USE bool wf_buf_append(struct wf_buf *buf, const void *ptr, size_t len);

/* Drops @len readable octets from the front. An empty buffer starts again at its beginning. */
static inline void wf_buf_consume(struct wf_buf *buf, size_t len)
{
    buf->start += len;
    if (buf->start == buf->end) {
        buf->start = 0;
        buf->end = 0;
    }
}

#endif
