/* Frames in: the header, and the payload of each type that is read as a whole. Thread: any.
 * Nothing is stored and nothing copied. Functions return false with @out_err filled in when the
 * frame breaks a rule of RFC 9113 sections 4 to 6 that can be seen in the frame alone. */
#ifndef WF_H2_FRAME_DECODE_H
#define WF_H2_FRAME_DECODE_H

#include "base/alloc.h"
#include "base/assert.h"
#include "base/slice.h"
#include "h2/error.h"
#include "h2/frame.h"
#include "h2/octets.h"

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
    uint64_t front = wf_load_be64(p);
    return (struct wf_h2_frame_header){.len = (uint32_t)(front >> 40),
                                       .type = (uint8_t)(front >> 32),
                                       .flags = (uint8_t)(front >> 24),
                                       .stream_id =
                                           ((uint32_t)front << 8 | p[8]) & WF_H2_MAX_STREAM_ID};
}

WF_MUST_USE bool wf_h2_frame_header_check_slow(const struct wf_h2_frame_header *header,
                                               uint32_t max_frame_size, struct wf_h2_err *out_err);

/* Length and stream identifier, as far as the type and the flags fix them. */
static inline WF_MUST_USE bool wf_h2_frame_header_check(const struct wf_h2_frame_header *header,
                                                        uint32_t max_frame_size,
                                                        struct wf_h2_err *out_err)
{
    /* Nearly all frames: DATA or HEADERS of a stream, with nothing optional in it. */
    uint8_t optional = header->flags & (WF_H2_FLAG_PADDED | WF_H2_FLAG_PRIORITY);
    if (WF_LIKELY(header->type <= WF_H2_FRAME_HEADERS && optional == 0 && header->stream_id != 0 &&
                  header->len <= max_frame_size))
        return true;
    return wf_h2_frame_header_check_slow(header, max_frame_size, out_err);
}

WF_MUST_USE bool wf_h2_data_decode_padded(const struct wf_h2_frame_header *header, uint8_t pad,
                                          uint32_t *out_data_len, uint32_t *out_pad_len,
                                          struct wf_h2_err *out_err);

/* A DATA frame without its payload: @pad is its first octet when PADDED is set, otherwise not used.
 * @out_pad_len: octets of padding at the end, the pad length octet not included. */
static inline WF_MUST_USE bool wf_h2_data_decode(const struct wf_h2_frame_header *header,
                                                 uint8_t pad, uint32_t *out_data_len,
                                                 uint32_t *out_pad_len, struct wf_h2_err *out_err)
{
    *out_data_len = header->len;
    *out_pad_len = 0;
    return (header->flags & WF_H2_FLAG_PADDED) == 0 ||
           wf_h2_data_decode_padded(header, pad, out_data_len, out_pad_len, out_err);
}

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
