/* Frames in: the header, and the payload of each type that is read as a whole. Thread: any.
 * Nothing is stored and nothing copied. Functions return false with @out_err filled in when the
 * frame breaks a rule of RFC 9113 sections 4 to 6 that can be seen in the frame alone. */
#ifndef WF_H2_FRAME_DECODE_H
#define WF_H2_FRAME_DECODE_H

#include "base/alloc.h"
#include "base/slice.h"
#include "h2/error.h"
#include "h2/frame.h"

static inline uint32_t wf_h2_get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* RFC 9113 section 4.1: the reserved bit is ignored. */
static inline uint32_t wf_h2_get_u31(const uint8_t *p)
{
    return wf_h2_get_u32(p) & WF_H2_MAX_STREAM_ID;
}

/* @p: WF_H2_FRAME_HEADER_LEN octets. */
static inline struct wf_h2_frame_header wf_h2_frame_header_decode(const uint8_t *p)
{
    return (struct wf_h2_frame_header){.len = wf_h2_get_u32(p) >> 8,
                                       .type = p[3],
                                       .flags = p[4],
                                       .stream_id = wf_h2_get_u31(p + 5)};
}

/* Length and stream identifier, as far as the type and the flags fix them. */
WF_MUST_USE bool wf_h2_frame_header_check(const struct wf_h2_frame_header *header,
                                          uint32_t max_frame_size, struct wf_h2_err *out_err);

/* A DATA frame without its payload: @pad is its first octet when PADDED is set, otherwise not used.
 * @out_pad_len: octets of padding at the end, the pad length octet not included. */
WF_MUST_USE bool wf_h2_data_decode(const struct wf_h2_frame_header *header, uint8_t pad,
                                   uint32_t *out_data_len, uint32_t *out_pad_len,
                                   struct wf_h2_err *out_err);

struct wf_h2_headers_payload {
    struct wf_slice fragment;
    bool has_priority;
    struct wf_h2_priority priority;
};

/* The functions below need a header that wf_h2_frame_header_check() accepted, and header->len
 * octets. */
WF_MUST_USE bool wf_h2_headers_decode(const struct wf_h2_frame_header *header,
                                      const uint8_t *payload, struct wf_h2_headers_payload *out,
                                      struct wf_h2_err *out_err);
WF_MUST_USE bool wf_h2_push_promise_decode(const struct wf_h2_frame_header *header,
                                           const uint8_t *payload, struct wf_slice *out_fragment,
                                           uint32_t *out_promised_id, struct wf_h2_err *out_err);
WF_MUST_USE bool wf_h2_priority_decode(const struct wf_h2_frame_header *header,
                                       const uint8_t *payload, struct wf_h2_priority *out,
                                       struct wf_h2_err *out_err);
/* A zero increment is an error of the stream, or of the connection for stream 0. */
WF_MUST_USE bool wf_h2_window_update_decode(const struct wf_h2_frame_header *header,
                                            const uint8_t *payload, uint32_t *out_increment,
                                            struct wf_h2_err *out_err);

struct wf_h2_goaway_payload {
    uint32_t last_stream_id;
    uint32_t code;
    struct wf_slice debug;
};

static inline struct wf_h2_goaway_payload
wf_h2_goaway_decode(const struct wf_h2_frame_header *header, const uint8_t *payload)
{
    return (struct wf_h2_goaway_payload){.last_stream_id = wf_h2_get_u31(payload),
                                         .code = wf_h2_get_u32(payload + 4),
                                         .debug = wf_slice(payload + 8, header->len - 8)};
}

#endif
