/* The vocabulary of frames: types, flags, identifiers and limits (RFC 9113 sections 4 and 6). */
#ifndef WF_H2_FRAME_H
#define WF_H2_FRAME_H

#include <stdbool.h>
#include <stdint.h>

enum wf_h2_frame_type {
    WF_H2_FRAME_DATA = 0x0,
    WF_H2_FRAME_HEADERS = 0x1,
    WF_H2_FRAME_PRIORITY = 0x2,
    WF_H2_FRAME_RST_STREAM = 0x3,
    WF_H2_FRAME_SETTINGS = 0x4,
    WF_H2_FRAME_PUSH_PROMISE = 0x5,
    WF_H2_FRAME_PING = 0x6,
    WF_H2_FRAME_GOAWAY = 0x7,
    WF_H2_FRAME_WINDOW_UPDATE = 0x8,
    WF_H2_FRAME_CONTINUATION = 0x9
};

#define WF_H2_FLAG_END_STREAM  0x01u /* DATA, HEADERS */
#define WF_H2_FLAG_ACK         0x01u /* SETTINGS, PING */
#define WF_H2_FLAG_END_HEADERS 0x04u /* HEADERS, PUSH_PROMISE, CONTINUATION */
#define WF_H2_FLAG_PADDED      0x08u /* DATA, HEADERS, PUSH_PROMISE */
#define WF_H2_FLAG_PRIORITY    0x20u /* HEADERS */

#define WF_H2_FRAME_HEADER_LEN   9u
#define WF_H2_PREFACE            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" /* RFC 9113 section 3.4 */
#define WF_H2_PREFACE_LEN        24u
#define WF_H2_MAX_STREAM_ID      0x7fffffffu
#define WF_H2_MAX_WINDOW         0x7fffffff
#define WF_H2_INITIAL_WINDOW     65535u
#define WF_H2_INITIAL_TABLE_SIZE 4096u
#define WF_H2_MIN_MAX_FRAME_SIZE 16384u
#define WF_H2_MAX_MAX_FRAME_SIZE 16777215u

/* RFC 9113 section 4.1. */
struct wf_h2_frame_header {
    uint32_t len; /* of the payload */
    uint32_t stream_id;
    uint8_t type; /* enum wf_h2_frame_type, or one that we do not know */
    uint8_t flags;
};

/* RFC 9113 section 5.3.2: deprecated; read, checked and kept, and of no consequence. */
struct wf_h2_priority {
    uint32_t depends_on;
    uint8_t weight; /* as on the wire: one less than the weight meant */
    bool exclusive;
};

#endif
