/* A scripted peer: plays frames, right or wrong ones, and says what it expects in return. A script
 * reads like a transcript. How octets travel is the script's affair: a transport has two functions,
 * so the same scripts run in memory and over a socket. An expectation that is not met fails the
 * test at the line of the script, by CMocka: Thread: the test's own. */
#ifndef WF_TESTS_H2_PEER_H
#define WF_TESTS_H2_PEER_H

#include "base/buf.h"
#include "h2/frame.h"
#include "h2/hpack_decode.h"
#include "h2/hpack_encode.h"
#include "h2/settings.h"

struct h2_peer_transport {
    void *user;
    void (*send)(void *user, struct wf_slice octets);
    /* Appends what has come to @in; waits for it where waiting makes sense. False: nothing came. */
    bool (*recv)(void *user, struct wf_buf *in);
};

struct h2_peer_frame {
    struct wf_h2_frame_header header;
    struct wf_slice payload; /* until the next expectation */
};

struct h2_peer {
    struct h2_peer_transport transport;
    struct wf_buf in;
    size_t taken; /* octets of `in` that the last expectation took */
    struct wf_hpack_encoder *encoder;
    struct wf_hpack_decoder *decoder;
    struct h2_peer_frame frame;
    struct wf_field_section section; /* of the last peer_expect_headers() */
};

void peer_init(struct h2_peer *peer, const struct h2_peer_transport *transport);
void peer_fini(struct h2_peer *peer);

void peer_send_raw(struct h2_peer *peer, const void *octets, size_t len);
void peer_send_frame(struct h2_peer *peer, uint8_t type, uint8_t flags, uint32_t stream_id,
                     const void *payload, size_t len);
void peer_send_preface(struct h2_peer *peer);
/* Pairs of setting and value, ended by 0. */
void peer_send_settings(struct h2_peer *peer, ...);
void peer_send_settings_ack(struct h2_peer *peer);
/* Pairs of name and value, ended by NULL; in one HEADERS frame with END_HEADERS. */
void peer_send_headers(struct h2_peer *peer, uint32_t stream_id, unsigned flags, ...);
/* The block of pairs of name and value, ended by NULL, for frames made by hand. */
struct wf_buf peer_encode_block(struct h2_peer *peer, ...);
/* @len octets, all 'x'. */
void peer_send_data(struct h2_peer *peer, uint32_t stream_id, uint8_t flags, size_t len);
void peer_send_rst_stream(struct h2_peer *peer, uint32_t stream_id, uint32_t code);
void peer_send_goaway(struct h2_peer *peer, uint32_t last_stream_id, uint32_t code);
void peer_send_window_update(struct h2_peer *peer, uint32_t stream_id, uint32_t increment);
void peer_send_ping(struct h2_peer *peer, uint8_t flags, const char opaque[8]);

#define peer_expect_preface(peer) peer_expect_preface_at(peer, __FILE__, __LINE__)
/* The next frame, whose type and stream are these; look at peer->frame for the rest. */
#define peer_expect(peer, type, stream_id) peer_expect_at(peer, type, stream_id, __FILE__, __LINE__)
/* A whole field block, CONTINUATION frames included, decoded into peer->section. */
#define peer_expect_headers(peer, stream_id)                                                       \
    peer_expect_headers_at(peer, stream_id, __FILE__, __LINE__)
/* SETTINGS that are an acknowledgement or not. */
#define peer_expect_settings(peer)     peer_expect_settings_at(peer, false, __FILE__, __LINE__)
#define peer_expect_settings_ack(peer) peer_expect_settings_at(peer, true, __FILE__, __LINE__)
#define peer_expect_data(peer, stream_id, len, end)                                                \
    peer_expect_data_at(peer, stream_id, len, end, __FILE__, __LINE__)
#define peer_expect_rst_stream(peer, stream_id, code)                                              \
    peer_expect_code_at(peer, WF_H2_FRAME_RST_STREAM, stream_id, code, __FILE__, __LINE__)
#define peer_expect_goaway(peer, code)                                                             \
    peer_expect_code_at(peer, WF_H2_FRAME_GOAWAY, 0, code, __FILE__, __LINE__)
#define peer_expect_window_update(peer, stream_id, increment)                                      \
    peer_expect_code_at(peer, WF_H2_FRAME_WINDOW_UPDATE, stream_id, increment, __FILE__, __LINE__)
#define peer_expect_ping(peer, is_ack, opaque)                                                     \
    peer_expect_ping_at(peer, is_ack, opaque, __FILE__, __LINE__)
/* No octet is there. */
#define peer_expect_nothing(peer) peer_expect_nothing_at(peer, __FILE__, __LINE__)

void peer_expect_preface_at(struct h2_peer *peer, const char *file, int line);
void peer_expect_at(struct h2_peer *peer, uint8_t type, uint32_t stream_id, const char *file,
                    int line);
void peer_expect_headers_at(struct h2_peer *peer, uint32_t stream_id, const char *file, int line);
void peer_expect_settings_at(struct h2_peer *peer, bool is_ack, const char *file, int line);
void peer_expect_data_at(struct h2_peer *peer, uint32_t stream_id, size_t len, bool end,
                         const char *file, int line);
void peer_expect_code_at(struct h2_peer *peer, uint8_t type, uint32_t stream_id, uint32_t code,
                         const char *file, int line);
void peer_expect_ping_at(struct h2_peer *peer, bool is_ack, const char opaque[8], const char *file,
                         int line);
void peer_expect_nothing_at(struct h2_peer *peer, const char *file, int line);

#endif
