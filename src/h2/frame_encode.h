/* Frames out: each function appends one frame to @out. Thread: owner of @out.
 * False: out of memory, nothing was appended. */
#ifndef WF_H2_FRAME_ENCODE_H
#define WF_H2_FRAME_ENCODE_H

#include "base/buf.h"
#include "h2/frame.h"
#include "h2/octets.h"

static inline void wf_h2_put_u32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

/* @p: room for WF_H2_FRAME_HEADER_LEN octets. */
static inline void wf_h2_put_frame_header(uint8_t *p, uint32_t len, uint8_t type, uint8_t flags,
                                          uint32_t stream_id)
{
    wf_store_be64(p, (uint64_t)len << 40 | (uint64_t)type << 32 | (uint64_t)flags << 24 |
                         stream_id >> 8);
    p[8] = (uint8_t)stream_id;
}

/* The header alone; @len octets of payload are to follow by other means. */
WF_MUST_USE bool wf_h2_encode_header(struct wf_buf *out, uint32_t len, uint8_t type, uint8_t flags,
                                     uint32_t stream_id);
/* Any frame as it is. */
WF_MUST_USE bool wf_h2_encode_frame(struct wf_buf *out, uint8_t type, uint8_t flags,
                                    uint32_t stream_id, struct wf_slice payload);
/* @pad_len: -1 for a frame that is not PADDED, or the octets of padding, at most 255. */
WF_MUST_USE bool wf_h2_encode_data(struct wf_buf *out, uint32_t stream_id, uint8_t flags,
                                   struct wf_slice data, int pad_len);
/* @priority may be NULL. */
WF_MUST_USE bool wf_h2_encode_headers(struct wf_buf *out, uint32_t stream_id, uint8_t flags,
                                      const struct wf_h2_priority *priority,
                                      struct wf_slice fragment, int pad_len);
WF_MUST_USE bool wf_h2_encode_push_promise(struct wf_buf *out, uint32_t stream_id, uint8_t flags,
                                           uint32_t promised_id, struct wf_slice fragment,
                                           int pad_len);
WF_MUST_USE bool wf_h2_encode_continuation(struct wf_buf *out, uint32_t stream_id, uint8_t flags,
                                           struct wf_slice fragment);
WF_MUST_USE bool wf_h2_encode_priority(struct wf_buf *out, uint32_t stream_id,
                                       const struct wf_h2_priority *priority);
WF_MUST_USE bool wf_h2_encode_rst_stream(struct wf_buf *out, uint32_t stream_id, uint32_t code);
WF_MUST_USE bool wf_h2_encode_ping(struct wf_buf *out, uint8_t flags, const uint8_t opaque[8]);
WF_MUST_USE bool wf_h2_encode_goaway(struct wf_buf *out, uint32_t last_stream_id, uint32_t code,
                                     struct wf_slice debug);
WF_MUST_USE bool wf_h2_encode_window_update(struct wf_buf *out, uint32_t stream_id,
                                            uint32_t increment);

/* A field block that is encoded in place: begin, append the block to @out, finish.
 * wf_h2_block_begin() leaves room for a frame header and returns where it is, counted from the
 * first readable octet; SIZE_MAX: out of memory. wf_h2_block_finish() writes the header of the
 * HEADERS frame with
 * @flags (END_HEADERS is its own affair) and splits what is longer than @max_frame_size into
 * CONTINUATION frames. When it fails, the block is still there without its headers. */
WF_MUST_USE size_t wf_h2_block_begin(struct wf_buf *out);
WF_MUST_USE bool wf_h2_block_finish(struct wf_buf *out, size_t begin, uint32_t stream_id,
                                    uint8_t flags, uint32_t max_frame_size);

#endif
