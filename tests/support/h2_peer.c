#include "support/h2_peer.h"

#include "h2/error.h"
#include "h2/frame_decode.h"
#include "h2/frame_encode.h"
#include "support/cmocka.h"

#define MAX_FIELDS 64

void peer_init(struct h2_peer *peer, const struct h2_peer_transport *transport)
{
    memset(peer, 0, sizeof(*peer));
    peer->transport = *transport;
    peer->encoder = wf_hpack_encoder_new(4096);
    peer->decoder = wf_hpack_decoder_new(4096, 1u << 20, 1024);
    assert_non_null(peer->encoder);
    assert_non_null(peer->decoder);
}

void peer_fini(struct h2_peer *peer)
{
    wf_hpack_encoder_free(peer->encoder);
    wf_hpack_decoder_free(peer->decoder);
    wf_buf_fini(&peer->in);
}

void peer_send_raw(struct h2_peer *peer, const void *octets, size_t len)
{
    peer->transport.send(peer->transport.user, wf_slice(octets, len));
}

static void send_buf(struct h2_peer *peer, struct wf_buf *buf, bool encoded)
{
    assert_true(encoded);
    peer->transport.send(peer->transport.user, wf_buf_slice(buf));
    wf_buf_fini(buf);
}

void peer_send_frame(struct h2_peer *peer, uint8_t type, uint8_t flags, uint32_t stream_id,
                     const void *payload, size_t len)
{
    struct wf_buf buf = {0};
    send_buf(peer, &buf, wf_h2_encode_frame(&buf, type, flags, stream_id, wf_slice(payload, len)));
}

void peer_send_preface(struct h2_peer *peer)
{
    peer_send_raw(peer, WF_H2_PREFACE, WF_H2_PREFACE_LEN);
}

void peer_send_settings(struct h2_peer *peer, ...)
{
    struct wf_h2_setting_entry entries[64];
    size_t count = 0;
    va_list args;
    va_start(args, peer);
    for (;;) {
        uint16_t id = (uint16_t)va_arg(args, int);
        if (id == 0)
            break;
        entries[count++] = (struct wf_h2_setting_entry){id, va_arg(args, uint32_t)};
    }
    va_end(args);
    struct wf_buf buf = {0};
    send_buf(peer, &buf, wf_h2_settings_encode(&buf, entries, count));
}

void peer_send_settings_ack(struct h2_peer *peer)
{
    peer_send_frame(peer, WF_H2_FRAME_SETTINGS, WF_H2_FLAG_ACK, 0, NULL, 0);
}

static struct wf_buf encode_block(struct h2_peer *peer, va_list args)
{
    struct wf_field fields[MAX_FIELDS];
    size_t count = 0;
    for (;;) {
        const char *name = va_arg(args, const char *);
        if (name == NULL)
            break;
        const char *value = va_arg(args, const char *);
        assert_true(count < MAX_FIELDS);
        fields[count++] =
            (struct wf_field){.name = wf_slice_str(name), .value = wf_slice_str(value)};
    }
    struct wf_buf block = {0};
    assert_true(wf_hpack_encode(peer->encoder, 0, fields, count, &block));
    return block;
}

struct wf_buf peer_encode_block(struct h2_peer *peer, ...)
{
    va_list args;
    va_start(args, peer);
    struct wf_buf block = encode_block(peer, args);
    va_end(args);
    return block;
}

void peer_send_headers(struct h2_peer *peer, uint32_t stream_id, unsigned flags, ...)
{
    va_list args;
    va_start(args, flags);
    struct wf_buf block = encode_block(peer, args);
    va_end(args);
    uint8_t all_flags = (uint8_t)(flags | WF_H2_FLAG_END_HEADERS);
    struct wf_slice payload = wf_buf_slice(&block);
    peer_send_frame(peer, WF_H2_FRAME_HEADERS, all_flags, stream_id, payload.ptr, payload.len);
    wf_buf_fini(&block);
}

void peer_send_data(struct h2_peer *peer, uint32_t stream_id, uint8_t flags, size_t len)
{
    static uint8_t octets[65536];
    assert_true(len <= sizeof(octets));
    memset(octets, 'x', len);
    peer_send_frame(peer, WF_H2_FRAME_DATA, flags, stream_id, octets, len);
}

void peer_send_rst_stream(struct h2_peer *peer, uint32_t stream_id, uint32_t code)
{
    struct wf_buf buf = {0};
    send_buf(peer, &buf, wf_h2_encode_rst_stream(&buf, stream_id, code));
}

void peer_send_goaway(struct h2_peer *peer, uint32_t last_stream_id, uint32_t code)
{
    struct wf_buf buf = {0};
    send_buf(peer, &buf, wf_h2_encode_goaway(&buf, last_stream_id, code, wf_slice(NULL, 0)));
}

void peer_send_window_update(struct h2_peer *peer, uint32_t stream_id, uint32_t increment)
{
    struct wf_buf buf = {0};
    send_buf(peer, &buf, wf_h2_encode_window_update(&buf, stream_id, increment));
}

void peer_send_ping(struct h2_peer *peer, uint8_t flags, const char opaque[8])
{
    peer_send_frame(peer, WF_H2_FRAME_PING, flags, 0, opaque, 8);
}

/* Waits until @len octets are there. */
static bool want(struct h2_peer *peer, size_t len)
{
    wf_buf_consume(&peer->in, peer->taken);
    peer->taken = 0;
    while (wf_buf_len(&peer->in) < len) {
        if (!peer->transport.recv(peer->transport.user, &peer->in))
            return false;
    }
    return true;
}

static void fail_at(const char *file, int line, const char *wanted, const char *got)
{
    print_error("expected %s, got %s\n", wanted, got);
    _fail(file, line);
}

void peer_expect_preface_at(struct h2_peer *peer, const char *file, int line)
{
    if (!want(peer, WF_H2_PREFACE_LEN) ||
        memcmp(peer->in.data + peer->in.start, WF_H2_PREFACE, WF_H2_PREFACE_LEN) != 0)
        fail_at(file, line, "the connection preface", "something else");
    peer->taken = WF_H2_PREFACE_LEN;
}

void peer_expect_at(struct h2_peer *peer, uint8_t type, uint32_t stream_id, const char *file,
                    int line)
{
    char wanted[64];
    char got[64] = "nothing";
    snprintf(wanted, sizeof(wanted), "frame type %u on stream %u", type, stream_id);
    if (!want(peer, WF_H2_FRAME_HEADER_LEN)) {
        fail_at(file, line, wanted, got);
        return;
    }
    struct wf_h2_frame_header header = wf_h2_frame_header_decode(peer->in.data + peer->in.start);
    snprintf(got, sizeof(got), "frame type %u on stream %u", header.type, header.stream_id);
    if (header.type != type || header.stream_id != stream_id)
        fail_at(file, line, wanted, got);
    if (!want(peer, WF_H2_FRAME_HEADER_LEN + header.len))
        fail_at(file, line, wanted, "a part of it");
    peer->frame.header = header;
    peer->frame.payload =
        wf_slice(peer->in.data + peer->in.start + WF_H2_FRAME_HEADER_LEN, header.len);
    peer->taken = WF_H2_FRAME_HEADER_LEN + header.len;
}

void peer_expect_headers_at(struct h2_peer *peer, uint32_t stream_id, const char *file, int line)
{
    struct wf_buf block = {0};
    uint8_t flags;
    peer_expect_at(peer, WF_H2_FRAME_HEADERS, stream_id, file, line);
    flags = peer->frame.header.flags;
    assert_true(wf_buf_append(&block, peer->frame.payload.ptr, peer->frame.payload.len));
    while ((peer->frame.header.flags & WF_H2_FLAG_END_HEADERS) == 0) {
        peer_expect_at(peer, WF_H2_FRAME_CONTINUATION, stream_id, file, line);
        assert_true(wf_buf_append(&block, peer->frame.payload.ptr, peer->frame.payload.len));
    }
    peer->frame.header.flags = flags | WF_H2_FLAG_END_HEADERS;
    if (wf_hpack_decode(peer->decoder, wf_buf_slice(&block), &peer->section) != WF_HPACK_OK)
        fail_at(file, line, "a field block", wf_hpack_decoder_reason(peer->decoder));
    wf_buf_fini(&block);
}

void peer_expect_settings_at(struct h2_peer *peer, bool is_ack, const char *file, int line)
{
    peer_expect_at(peer, WF_H2_FRAME_SETTINGS, 0, file, line);
    if (((peer->frame.header.flags & WF_H2_FLAG_ACK) != 0) != is_ack)
        fail_at(file, line, is_ack ? "SETTINGS ACK" : "SETTINGS", "the other");
}

void peer_expect_data_at(struct h2_peer *peer, uint32_t stream_id, size_t len, bool end,
                         const char *file, int line)
{
    char wanted[64];
    char got[64];
    peer_expect_at(peer, WF_H2_FRAME_DATA, stream_id, file, line);
    bool ends = (peer->frame.header.flags & WF_H2_FLAG_END_STREAM) != 0;
    snprintf(wanted, sizeof(wanted), "%zu octets of DATA%s", len, end ? " and the end" : "");
    snprintf(got, sizeof(got), "%zu%s", peer->frame.payload.len, ends ? " and the end" : "");
    if (peer->frame.payload.len != len || ends != end)
        fail_at(file, line, wanted, got);
}

void peer_expect_code_at(struct h2_peer *peer, uint8_t type, uint32_t stream_id, uint32_t code,
                         const char *file, int line)
{
    char wanted[64];
    char got[64];
    peer_expect_at(peer, type, stream_id, file, line);
    size_t at = type == WF_H2_FRAME_GOAWAY ? 4 : 0;
    uint32_t value = wf_h2_get_u32(peer->frame.payload.ptr + at);
    snprintf(wanted, sizeof(wanted), "frame type %u with %u", type, code);
    snprintf(got, sizeof(got), "%u", value);
    if (value != code)
        fail_at(file, line, wanted, got);
}

void peer_expect_ping_at(struct h2_peer *peer, bool is_ack, const char opaque[8], const char *file,
                         int line)
{
    peer_expect_at(peer, WF_H2_FRAME_PING, 0, file, line);
    if (((peer->frame.header.flags & WF_H2_FLAG_ACK) != 0) != is_ack ||
        memcmp(peer->frame.payload.ptr, opaque, 8) != 0)
        fail_at(file, line, "PING with these octets and this flag", "another");
}

void peer_expect_nothing_at(struct h2_peer *peer, const char *file, int line)
{
    char got[64];
    if (!want(peer, 1))
        return;
    snprintf(got, sizeof(got), "%zu octets", wf_buf_len(&peer->in));
    fail_at(file, line, "nothing", got);
}
