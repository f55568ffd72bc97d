#include "h2/frame_encode.h"

#include "base/assert.h"

/* Appends the header and leaves room for @len octets behind it. NULL: out of memory. */
static uint8_t *begin_frame(struct wf_buf *out, uint32_t len, uint8_t type, uint8_t flags,
                            uint32_t stream_id)
{
    wf_assert(len <= WF_H2_MAX_MAX_FRAME_SIZE);
    if (!wf_buf_reserve(out, WF_H2_FRAME_HEADER_LEN + (size_t)len))
        return NULL;
    uint8_t *p = wf_buf_tail(out);
    wf_h2_put_frame_header(p, len, type, flags, stream_id);
    wf_buf_commit(out, WF_H2_FRAME_HEADER_LEN + (size_t)len);
    return p + WF_H2_FRAME_HEADER_LEN;
}

static uint8_t *put_slice(uint8_t *p, struct wf_slice octets)
{
    if (octets.len > 0)
        memcpy(p, octets.ptr, octets.len);
    return p + octets.len;
}

bool wf_h2_encode_header(struct wf_buf *out, uint32_t len, uint8_t type, uint8_t flags,
                         uint32_t stream_id)
{
    if (!wf_buf_reserve(out, WF_H2_FRAME_HEADER_LEN))
        return false;
    wf_h2_put_frame_header(wf_buf_tail(out), len, type, flags, stream_id);
    wf_buf_commit(out, WF_H2_FRAME_HEADER_LEN);
    return true;
}

bool wf_h2_encode_frame(struct wf_buf *out, uint8_t type, uint8_t flags, uint32_t stream_id,
                        struct wf_slice payload)
{
    uint8_t *p = begin_frame(out, (uint32_t)payload.len, type, flags, stream_id);
    if (p == NULL)
        return false;
    put_slice(p, payload);
    return true;
}

/* A frame of @front and @rest, padded when @pad_len is not negative. */
static bool encode_padded(struct wf_buf *out, uint8_t type, uint8_t flags, uint32_t stream_id,
                          struct wf_slice front, struct wf_slice rest, int pad_len)
{
    wf_assert(pad_len <= 255);
    size_t extra = pad_len < 0 ? 0 : 1 + (size_t)pad_len;
    if (pad_len >= 0)
        flags |= WF_H2_FLAG_PADDED;
    uint8_t *p = begin_frame(out, (uint32_t)(front.len + rest.len + extra), type, flags, stream_id);
    if (p == NULL)
        return false;
    if (pad_len >= 0)
        *p++ = (uint8_t)pad_len;
    p = put_slice(p, front);
    p = put_slice(p, rest);
    if (pad_len > 0)
        memset(p, 0, (size_t)pad_len);
    return true;
}

bool wf_h2_encode_data(struct wf_buf *out, uint32_t stream_id, uint8_t flags, struct wf_slice data,
                       int pad_len)
{
    return encode_padded(out, WF_H2_FRAME_DATA, flags, stream_id, wf_slice(NULL, 0), data, pad_len);
}

static void put_priority(uint8_t p[5], const struct wf_h2_priority *priority)
{
    wf_h2_put_u32(p, priority->depends_on | (priority->exclusive ? 0x80000000u : 0));
    p[4] = priority->weight;
}

bool wf_h2_encode_headers(struct wf_buf *out, uint32_t stream_id, uint8_t flags,
                          const struct wf_h2_priority *priority, struct wf_slice fragment,
                          int pad_len)
{
    uint8_t front[5];
    size_t front_len = 0;
    if (priority != NULL) {
        put_priority(front, priority);
        front_len = sizeof(front);
        flags |= WF_H2_FLAG_PRIORITY;
    }
    return encode_padded(out, WF_H2_FRAME_HEADERS, flags, stream_id, wf_slice(front, front_len),
                         fragment, pad_len);
}

bool wf_h2_encode_push_promise(struct wf_buf *out, uint32_t stream_id, uint8_t flags,
                               uint32_t promised_id, struct wf_slice fragment, int pad_len)
{
    uint8_t front[4];
    wf_h2_put_u32(front, promised_id);
    return encode_padded(out, WF_H2_FRAME_PUSH_PROMISE, flags, stream_id,
                         wf_slice(front, sizeof(front)), fragment, pad_len);
}

bool wf_h2_encode_continuation(struct wf_buf *out, uint32_t stream_id, uint8_t flags,
                               struct wf_slice fragment)
{
    return wf_h2_encode_frame(out, WF_H2_FRAME_CONTINUATION, flags, stream_id, fragment);
}

bool wf_h2_encode_priority(struct wf_buf *out, uint32_t stream_id,
                           const struct wf_h2_priority *priority)
{
    uint8_t *p = begin_frame(out, 5, WF_H2_FRAME_PRIORITY, 0, stream_id);
    if (p == NULL)
        return false;
    put_priority(p, priority);
    return true;
}

bool wf_h2_encode_rst_stream(struct wf_buf *out, uint32_t stream_id, uint32_t code)
{
    uint8_t *p = begin_frame(out, 4, WF_H2_FRAME_RST_STREAM, 0, stream_id);
    if (p == NULL)
        return false;
    wf_h2_put_u32(p, code);
    return true;
}

bool wf_h2_encode_ping(struct wf_buf *out, uint8_t flags, const uint8_t opaque[8])
{
    return wf_h2_encode_frame(out, WF_H2_FRAME_PING, flags, 0, wf_slice(opaque, 8));
}

bool wf_h2_encode_goaway(struct wf_buf *out, uint32_t last_stream_id, uint32_t code,
                         struct wf_slice debug)
{
    uint8_t *p = begin_frame(out, (uint32_t)(8 + debug.len), WF_H2_FRAME_GOAWAY, 0, 0);
    if (p == NULL)
        return false;
    wf_h2_put_u32(p, last_stream_id);
    wf_h2_put_u32(p + 4, code);
    put_slice(p + 8, debug);
    return true;
}

bool wf_h2_encode_window_update(struct wf_buf *out, uint32_t stream_id, uint32_t increment)
{
    uint8_t *p = begin_frame(out, 4, WF_H2_FRAME_WINDOW_UPDATE, 0, stream_id);
    if (p == NULL)
        return false;
    wf_h2_put_u32(p, increment);
    return true;
}

size_t wf_h2_block_begin(struct wf_buf *out)
{
    size_t begin = wf_buf_len(out);
    if (!wf_buf_reserve(out, WF_H2_FRAME_HEADER_LEN))
        return SIZE_MAX;
    wf_buf_commit(out, WF_H2_FRAME_HEADER_LEN);
    return begin;
}

/* Moves the pieces of a block of @len octets apart, the last one first, so that a frame header fits
 * in front of each. @max is at least 16,384, so every turn makes progress. */
static bool split_block(struct wf_buf *out, size_t begin, size_t len, uint32_t stream_id,
                        size_t max)
{
    size_t more = (len - 1) / max;
    if (!wf_buf_reserve(out, more * WF_H2_FRAME_HEADER_LEN))
        return false;
    uint8_t *block = out->data + out->start + begin + WF_H2_FRAME_HEADER_LEN;
    wf_buf_commit(out, more * WF_H2_FRAME_HEADER_LEN);
    for (size_t i = more; i > 0; i--) {
        size_t piece_len = i == more ? len - more * max : max;
        uint8_t *to = block + i * (max + WF_H2_FRAME_HEADER_LEN);
        memmove(to, block + i * max, piece_len);
        wf_h2_put_frame_header(to - WF_H2_FRAME_HEADER_LEN, (uint32_t)piece_len,
                               WF_H2_FRAME_CONTINUATION, i == more ? WF_H2_FLAG_END_HEADERS : 0,
                               stream_id);
    }
    return true;
}

bool wf_h2_block_finish(struct wf_buf *out, size_t begin, uint32_t stream_id, uint8_t flags,
                        uint32_t max_frame_size)
{
    wf_assert(max_frame_size >= WF_H2_MIN_MAX_FRAME_SIZE);
    size_t len = wf_buf_len(out) - begin - WF_H2_FRAME_HEADER_LEN;
    size_t first_len = len;
    if (WF_UNLIKELY(len > max_frame_size)) {
        if (!split_block(out, begin, len, stream_id, max_frame_size))
            return false;
        first_len = max_frame_size;
    } else {
        flags |= WF_H2_FLAG_END_HEADERS;
    }
    wf_h2_put_frame_header(out->data + out->start + begin, (uint32_t)first_len, WF_H2_FRAME_HEADERS,
                           flags, stream_id);
    return true;
}
