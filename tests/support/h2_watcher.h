/* What a strict server knows of its client: reads the octets that a client session sends, and
 * checks each frame against RFC 9113 as far as a server can see. Knows nothing of the session's
 * inside. The body of each request is checked against a pattern (h2_body_octet).
 * Checks by CHECK(); Thread: one. */
#ifndef WF_TESTS_H2_WATCHER_H
#define WF_TESTS_H2_WATCHER_H

#include "base/buf.h"
#include "h2/frame_decode.h"
#include "h2/hpack_decode.h"
#include "h2/settings.h"

#define WATCHER_MAX_STREAMS  256u
#define WATCHER_MAX_SETTINGS 32u
#define WATCHER_MAX_PINGS    64u
#define WATCHER_NO_CALL      UINT32_MAX

struct watched_stream {
    uint32_t id;
    uint32_t call; /* the request's x-call field */
    bool is_head;
    bool client_ended; /* END_STREAM */
    bool client_reset; /* RST_STREAM */
    uint32_t client_reset_code;
    uint64_t body_len;
    int64_t may_send;  /* the client's window for this stream */
    int64_t credit;    /* ours */
    bool server_ended; /* set by whoever plays the server, as are the next two */
    bool server_reset;
    bool is_excused; /* its body may be cut off or blanked: it was ended under the client's hands */
};

struct h2_watcher {
    struct wf_buf in;
    struct wf_hpack_decoder *decoder;
    struct wf_buf block;
    uint32_t block_id; /* 0: none is open */
    bool block_ends_stream;
    size_t preface_len;
    bool settings_seen;
    bool goaway_seen;
    uint32_t goaway_code;
    /* The server's settings: in force, and sent but not acknowledged. */
    struct wf_h2_settings in_force;
    struct wf_h2_settings unacked[WATCHER_MAX_SETTINGS];
    uint32_t unacked_count;
    int64_t may_send; /* the client's window for the connection */
    int64_t credit;   /* ours */
    /* The client's settings. */
    struct wf_h2_settings client;
    uint32_t client_settings; /* SETTINGS frames that the server has not acknowledged yet */
    uint8_t pings[WATCHER_MAX_PINGS][8]; /* of the client, not answered yet */
    uint32_t ping_count;
    uint32_t ping_acks;
    struct watched_stream streams[WATCHER_MAX_STREAMS];
    uint32_t stream_count;
    uint32_t refused_above; /* set by whoever plays the server, to the last stream of its GOAWAY */
    uint64_t octets;        /* that came in all */
};

void watcher_init(struct h2_watcher *watcher);
void watcher_fini(struct h2_watcher *watcher);
/* What the client sent. */
void watcher_read(struct h2_watcher *watcher, struct wf_slice octets);
/* What the server sent, as far as it binds the client. */
void watcher_note_settings(struct h2_watcher *watcher, const struct wf_h2_settings *settings);
void watcher_note_window_update(struct h2_watcher *watcher, uint32_t id, uint32_t increment);

struct watched_stream *watcher_stream(struct h2_watcher *watcher, uint32_t id);
struct watched_stream *watcher_call(struct h2_watcher *watcher, uint32_t call);

/* The octet at @at of the body of call @call; bodies of responses are those of call + 1000. */
static inline uint8_t h2_body_octet(uint32_t call, uint64_t at)
{
    return (uint8_t)(call * 31u + (uint32_t)at * 7u + (uint32_t)(at >> 8));
}

#endif
