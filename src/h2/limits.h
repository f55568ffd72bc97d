/* What a peer may make a session do or keep, in one place. Sizes and counts that a user may want to
 * change are fields of struct wf_h2_config, whose defaults stand in session.h; the rates below
 * follow its control_burst. */
#ifndef WF_H2_LIMITS_H
#define WF_H2_LIMITS_H

#include <stdint.h>

/* Informational responses to one request. One or two are usual; a server that reports progress by
 * 102 every second has a minute. */
#define WF_H2_DEFAULT_MAX_INFORMATIONAL 64u

/* Streams before the peer's SETTINGS have come. RFC 9113 section 6.5.2 recommends that no peer
 * allows fewer. */
#define WF_H2_DEFAULT_ASSUMED_STREAMS 100u

/* Frames of one kind that a peer may send at once for nothing; see the rates. As much work as a few
 * hundred requests, and far above what a server sends that means well. */
#define WF_H2_DEFAULT_CONTROL_BURST 1000u

/* All header sections of one response together, in multiples of max_header_list_size: the final
 * section and its trailers may each be of the largest size, or the 1xx in their place. */
#define WF_H2_SECTIONS_FACTOR 2u

/* How many frames of a kind are harmless: in proportion to what else the connection does, so that
 * no fast transfer trips over its own WINDOW_UPDATEs, and beyond that a burst which time refills.
 */
struct wf_h2_rate {
    uint32_t burst_percent; /* of control_burst */
    uint32_t per_second;    /* refilled */
    uint32_t per_stream;    /* earned by a stream: opened (client), completed (server) */
    uint32_t per_mib;       /* earned by content, in either direction */
    uint32_t per_16_frames; /* earned by DATA frames with content, in either direction */
};

/* clang-format off */
/* Each is applied and answered; a change of windows visits every stream, which costs more. */
#define WF_H2_RATE_SETTINGS {25, 10, 1, 16, 1}
/* Each is answered. Some servers probe the bandwidth by one PING in every few DATA frames. */
#define WF_H2_RATE_PING {100, 50, 4, 256, 4}
/* One for a stream is its due; more hit streams that are gone. */
#define WF_H2_RATE_RST_STREAM {100, 50, 2, 0, 0}
/* Checked and of no consequence. */
#define WF_H2_RATE_PRIORITY {100, 50, 8, 64, 1}
/* Two for each DATA frame of ours is what the most eager servers send. */
#define WF_H2_RATE_WINDOW_UPDATE {400, 1000, 16, 2048, 32}
/* DATA without content and END_STREAM, padding or not: no window stops these. */
#define WF_H2_RATE_EMPTY_DATA {100, 50, 8, 256, 4}
/* Extensions that we do not know, and ones made up to keep us tolerant. */
#define WF_H2_RATE_UNKNOWN {100, 100, 16, 256, 4}
/* Two make a graceful end. Each visits every stream. */
#define WF_H2_RATE_GOAWAY {5, 1, 1, 0, 0}
/* Frames for streams that we reset: a window of them may be on the way for each (the guard adds
 * that), or what the sockets hold in small frames; who goes on for longer does not obey RST_STREAM.
 * They cost us a look each, and no answer. */
#define WF_H2_RATE_LATE {5000, 5000, 16, 128, 2}
/* Stream errors: each makes us send RST_STREAM. */
#define WF_H2_RATE_STREAM_ERROR {100, 50, 1, 0, 0}
/* clang-format on */

/* The stream window in frames of half the usual size: late frames that a stream may have. */
#define WF_H2_LATE_FRAME_LEN 8192u

/* DATA of ours that the peer's window cuts to fewer octets than this is no useful frame. */
#define WF_H2_SQUEEZED_LEN 1024u

#endif
