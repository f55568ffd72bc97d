#include "base/buf.h"

#include "base/assert.h"

#define BUF_MIN_CAP 256u

void wf_buf_fini(struct wf_buf *buf)
{
    wf_free(buf->data);
    wf_buf_init(buf);
}

bool wf_buf_reserve_slow(struct wf_buf *buf, size_t len)
{
    size_t used = wf_buf_len(buf);
    if (len > SIZE_MAX / 4 || used > SIZE_MAX / 4)
        return false;
    /* Moving pays when it leaves at least half of the buffer free; otherwise grow. */
    if (buf->cap >= used + len && buf->start >= buf->cap / 2) {
        memmove(buf->data, buf->data + buf->start, used);
        buf->start = 0;
        buf->end = used;
        return true;
    }
    size_t cap = buf->cap < BUF_MIN_CAP ? BUF_MIN_CAP : buf->cap;
    while (cap < used + len)
        cap *= 2;
    uint8_t *data = wf_alloc(cap);
    if (data == NULL)
        return false;
    if (used > 0)
        memcpy(data, buf->data + buf->start, used);
    wf_free(buf->data);
    *buf = (struct wf_buf){.data = data, .start = 0, .end = used, .cap = cap};
    return true;
}

bool wf_buf_append(struct wf_buf *buf, const void *ptr, size_t len)
{
    if (!wf_buf_reserve(buf, len))
        return false;
    if (len > 0)
        memcpy(wf_buf_tail(buf), ptr, len);
    wf_buf_commit(buf, len);
    return true;
}
