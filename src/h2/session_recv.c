/* Frames in: the connection preface, frame headers, and which function takes which type. */
#include "h2/session_internal.h"

void wf_h2_recv_trace_frame(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                            struct wf_slice payload, const struct wf_field_section *section)
{
    struct wf_h2_trace frame = {.type = header->type,
                                .flags = header->flags,
                                .stream_id = header->stream_id,
                                .len = header->len,
                                .payload = payload,
                                .section = section};
    s->config.trace(s->config.trace_user, &frame);
}

/* RFC 9113 section 3.4: what a client sends first. Taken as far as it has come. */
static enum wf_h2_step recv_preface(struct wf_h2_session *s, struct wf_slice *in)
{
    size_t len = in->len < s->preface_left ? in->len : s->preface_left;
    const char *expected = &WF_H2_PREFACE[WF_H2_PREFACE_LEN - s->preface_left];
    if (memcmp(in->ptr, expected, len) != 0) {
        wf_h2_connection_error(s, WF_H2_PROTOCOL_ERROR, "the client's preface is not HTTP/2");
        return WF_H2_STEP_DONE;
    }
    *in = wf_slice_skip(*in, len);
    s->preface_left -= (uint32_t)len;
    return s->preface_left == 0 ? WF_H2_STEP_DONE : WF_H2_STEP_WAIT;
}

/* A TLS alert (RFC 8446 sections 5.1 and 6), which is shorter than a frame's header. */
static bool is_tls_alert(struct wf_slice in)
{
    return in.len >= 5 && in.ptr[0] == 21 && in.ptr[1] == 3 && in.ptr[3] == 0 && in.ptr[4] == 2;
}

/* No frame's header is all text: the upper octets of its length and of its stream would be, too. */
static bool is_text(struct wf_slice in)
{
    for (size_t i = 0; i < WF_H2_FRAME_HEADER_LEN; i++) {
        if ((in.ptr[i] < 0x20 || in.ptr[i] > 0x7e) && in.ptr[i] != '\r' && in.ptr[i] != '\n')
            return false;
    }
    return true;
}

/* Who does not speak HTTP/2 may send less than a frame's header, and then nothing. */
WF_SELDOM static enum wf_h2_step await_header(struct wf_h2_session *s, struct wf_slice in)
{
    if (!is_tls_alert(in))
        return WF_H2_STEP_WAIT;
    wf_h2_connection_error(s, WF_H2_PROTOCOL_ERROR, "the server speaks TLS, not HTTP/2");
    return WF_H2_STEP_DONE;
}

/* RFC 9113 section 3.4: the first frame of each side is SETTINGS, and not an acknowledgement. */
WF_SELDOM static bool first_frame_ok(struct wf_h2_session *s,
                                     const struct wf_h2_frame_header *header, struct wf_slice in)
{
    if (header->type == WF_H2_FRAME_SETTINGS && (header->flags & WF_H2_FLAG_ACK) == 0)
        return true;
    const char *reason = "the first frame of the peer is not SETTINGS";
    if (memcmp(in.ptr, "HTTP/", 5) == 0)
        reason = "the server speaks HTTP/1, not HTTP/2";
    else if (is_text(in))
        reason = "the server answers in text, not HTTP/2";
    else if (is_tls_alert(in))
        reason = "the server speaks TLS, not HTTP/2";
    wf_h2_connection_error(s, WF_H2_PROTOCOL_ERROR, reason);
    return false;
}

/* Takes a frame off that nobody wants, as its octets come. */
static enum wf_h2_step skip(struct wf_h2_session *s, struct wf_slice *in)
{
    size_t len = in->len < s->skip_left ? in->len : s->skip_left;
    *in = wf_slice_skip(*in, len);
    s->skip_left -= (uint32_t)len;
    return s->skip_left == 0 ? WF_H2_STEP_DONE : WF_H2_STEP_WAIT;
}

static enum wf_h2_step skip_frame(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                  struct wf_slice *in)
{
    *in = wf_slice_skip(*in, WF_H2_FRAME_HEADER_LEN);
    struct wf_slice seen = wf_slice(in->ptr, in->len < header->len ? in->len : header->len);
    wf_h2_recv_trace(s, header, seen, NULL);
    s->skip_left = header->len;
    return WF_H2_STEP_DONE;
}

/* RFC 9113 section 4.3: a field block is one run of frames with nothing in between. */
static bool block_order_ok(struct wf_h2_session *s, const struct wf_h2_frame_header *header)
{
    bool is_continuation = header->type == WF_H2_FRAME_CONTINUATION;
    if (WF_LIKELY(s->block.stream_id == 0 && !is_continuation))
        return true;
    if (is_continuation && s->block.stream_id == header->stream_id)
        return true;
    wf_h2_connection_error(s, WF_H2_PROTOCOL_ERROR,
                           is_continuation ? "CONTINUATION without a field block to continue"
                                           : "another frame came inside a field block");
    return false;
}

/* What a frame of this type and header counts as; WF_H2_NUISANCES: as nothing that is in the way.
 * Answers to our own SETTINGS and PING are counted where they turn out to answer nothing. */
static enum wf_h2_nuisance nuisance_of(const struct wf_h2_frame_header *header)
{
    bool is_ack = (header->flags & WF_H2_FLAG_ACK) != 0;
    switch (header->type) {
    case WF_H2_FRAME_PRIORITY:
        return WF_H2_NUISANCE_PRIORITY;
    case WF_H2_FRAME_RST_STREAM:
        return WF_H2_NUISANCE_RST_STREAM;
    case WF_H2_FRAME_SETTINGS:
        return is_ack ? WF_H2_NUISANCES : WF_H2_NUISANCE_SETTINGS;
    case WF_H2_FRAME_PING:
        return is_ack ? WF_H2_NUISANCES : WF_H2_NUISANCE_PING;
    case WF_H2_FRAME_GOAWAY:
        return WF_H2_NUISANCE_GOAWAY;
    case WF_H2_FRAME_WINDOW_UPDATE:
        return WF_H2_NUISANCE_WINDOW_UPDATE;
    default:
        return WF_H2_NUISANCES;
    }
}

static bool tolerate(struct wf_h2_session *s, const struct wf_h2_frame_header *header)
{
    enum wf_h2_nuisance kind = nuisance_of(header);
    if (kind == WF_H2_NUISANCES)
        return true;
    /* These two may visit every stream. */
    bool visits = kind == WF_H2_NUISANCE_SETTINGS || kind == WF_H2_NUISANCE_GOAWAY;
    return wf_h2_tolerate(s, kind, visits ? 1 + s->streams.count / 64 : 1);
}

static enum wf_h2_step dispatch(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                const uint8_t *payload, struct wf_h2_event *event)
{
    /* Field blocks are traced with what was decoded, by those who decode. */
    switch (header->type) {
    case WF_H2_FRAME_HEADERS:
        return wf_h2_recv_headers(s, header, payload, event);
    case WF_H2_FRAME_CONTINUATION:
        return wf_h2_recv_continuation(s, header, payload, event);
    default:
        break;
    }
    wf_h2_recv_trace(s, header, wf_slice(payload, header->len), NULL);
    if (WF_UNLIKELY(!tolerate(s, header)))
        return WF_H2_STEP_DONE;
    switch (header->type) {
    case WF_H2_FRAME_PRIORITY:
        return wf_h2_recv_priority(s, header, payload);
    case WF_H2_FRAME_RST_STREAM:
        return wf_h2_recv_rst_stream(s, header, payload);
    case WF_H2_FRAME_SETTINGS:
        return wf_h2_recv_settings(s, header, payload, event);
    case WF_H2_FRAME_PUSH_PROMISE:
        return wf_h2_recv_push_promise(s, header, payload);
    case WF_H2_FRAME_PING:
        return wf_h2_recv_ping(s, header, payload, event);
    case WF_H2_FRAME_GOAWAY:
        return wf_h2_recv_goaway(s, header, payload, event);
    case WF_H2_FRAME_WINDOW_UPDATE:
        return wf_h2_recv_window_update(s, header, payload);
    default:
        return WF_H2_STEP_DONE;
    }
}

/* The header alone is wrong: the frame is seen by those who watch, and by nobody else. */
static enum wf_h2_step reject_frame(struct wf_h2_session *s,
                                    const struct wf_h2_frame_header *header, struct wf_slice *in,
                                    const struct wf_h2_err *err)
{
    enum wf_h2_step step = skip_frame(s, header, in);
    struct wf_h2_stream *stream = wf_h2_stream_set_find(&s->streams, header->stream_id);
    if (stream == NULL)
        wf_h2_raise_absent(s, header->stream_id, err);
    else
        wf_h2_raise(s, stream, header->stream_id, err);
    return step;
}

static enum wf_h2_step recv_frame(struct wf_h2_session *s, struct wf_slice *in,
                                  struct wf_h2_event *event)
{
    if (in->len < WF_H2_FRAME_HEADER_LEN)
        return s->ready ? WF_H2_STEP_WAIT : await_header(s, *in);
    struct wf_h2_frame_header header = wf_h2_frame_header_decode(in->ptr);
    struct wf_h2_err err;
    if (WF_UNLIKELY(!s->ready) && !first_frame_ok(s, &header, *in))
        return WF_H2_STEP_DONE;
    if (WF_UNLIKELY(!block_order_ok(s, &header)))
        return WF_H2_STEP_DONE;
    if (WF_UNLIKELY(!wf_h2_frame_header_check(&header, s->config.max_frame_size, &err)))
        return reject_frame(s, &header, in, &err);
    if (header.type == WF_H2_FRAME_DATA)
        return wf_h2_recv_data(s, &header, in, event);
    /* RFC 9113 section 5.5: types that we do not know are ignored. */
    if (WF_UNLIKELY(header.type > WF_H2_FRAME_CONTINUATION)) {
        (void)wf_h2_tolerate(s, WF_H2_NUISANCE_UNKNOWN, 1); /* if not, the session is dead */
        return skip_frame(s, &header, in);
    }
    if (in->len - WF_H2_FRAME_HEADER_LEN < header.len)
        return WF_H2_STEP_WAIT;
    const uint8_t *payload = in->ptr + WF_H2_FRAME_HEADER_LEN;
    *in = wf_slice_skip(*in, WF_H2_FRAME_HEADER_LEN + (size_t)header.len);
    return dispatch(s, &header, payload, event);
}

enum wf_h2_step wf_h2_recv_step(struct wf_h2_session *s, struct wf_slice *in,
                                struct wf_h2_event *event)
{
    if (s->data_stream != NULL)
        return wf_h2_recv_data_piece(s, in, event);
    if (WF_UNLIKELY(s->skip_left > 0))
        return skip(s, in);
    if (WF_UNLIKELY(s->preface_left > 0))
        return in->len == 0 ? WF_H2_STEP_WAIT : recv_preface(s, in);
    return recv_frame(s, in, event);
}
