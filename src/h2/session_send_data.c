/* Bodies out: DATA frames, made one stream after another as the transport takes octets. */
#include "h2/session_internal.h"

/* A payload up to this long is copied: less work than another slice, and its body is free sooner.
 */
#define COPY_LEN 512u

void wf_h2_stream_schedule(struct wf_h2_session *s, struct wf_h2_stream *stream)
{
    if (stream->body_left == 0)
        return;
    bool wanted = stream->send_window > 0;
    bool listed = wf_node_is_linked(&stream->node);
    if (wanted && !listed)
        wf_list_push_back(&s->send_list, &stream->node);
    else if (!wanted && listed)
        wf_list_remove(&stream->node);
}

static void trace_data(struct wf_h2_session *s, const struct wf_h2_stream *stream, uint8_t flags,
                       struct wf_slice payload)
{
    if (WF_LIKELY(s->config.trace == NULL))
        return;
    struct wf_h2_trace frame = {.sent = true,
                                .type = WF_H2_FRAME_DATA,
                                .flags = flags,
                                .stream_id = stream->id,
                                .len = (uint32_t)payload.len,
                                .payload = payload};
    s->config.trace(s->config.trace_user, &frame);
}

/* The stream's last octets may have left for the transport. */
static void after_body(struct wf_h2_session *s, struct wf_h2_stream *stream)
{
    if (stream->body_left > 0 || stream->inserts > 0)
        return;
    wf_h2_stream_end_if_closed(s, stream);
    if (!stream->ended && stream->reports_body) {
        stream->reports_body = false;
        wf_list_push_back(&s->sent, &stream->node);
        s->events_due = true;
    }
}

/* Queues one DATA frame with @payload. False: no memory. */
static bool queue_data(struct wf_h2_session *s, struct wf_h2_stream *stream,
                       struct wf_slice payload, bool end_stream)
{
    uint8_t flags = end_stream ? WF_H2_FLAG_END_STREAM : 0;
    if (payload.len <= COPY_LEN) {
        if (!wf_h2_encode_data(&s->out.buf, stream->id, flags, payload, -1))
            return false;
    } else {
        if (!wf_h2_encode_header(&s->out.buf, (uint32_t)payload.len, WF_H2_FRAME_DATA, flags,
                                 stream->id))
            return false;
        wf_h2_output_insert(&s->out, stream, payload.ptr, (uint32_t)payload.len);
    }
    trace_data(s, stream, flags, payload);
    wf_h2_stream_move_local(stream, WF_H2_SEND_DATA);
    if (end_stream)
        wf_h2_stream_move_local(stream, WF_H2_SEND_END_STREAM);
    return true;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* One frame for the stream whose turn it is. RFC 9113 section 6.9.1: never beyond either window. */
static void make_frame(struct wf_h2_session *s, struct wf_h2_stream *stream)
{
    uint32_t window = smaller((uint32_t)s->send_window, (uint32_t)stream->send_window);
    uint32_t len = smaller(window, smaller(s->remote.max_frame_size, WF_H2_MAX_INSERT_LEN));
    if (stream->body_left < len)
        len = (uint32_t)stream->body_left;
    bool is_last = len == stream->body_left;
    /* A frame that a tiny window cut short is the peer's doing and earns its octets only. */
    bool is_squeezed = !is_last && len == window && len < WF_H2_SQUEEZED_LEN;
    wf_list_remove(&stream->node);
    if (!queue_data(s, stream, wf_slice(stream->body, len), is_last && stream->end_after_body)) {
        wf_h2_no_memory(s);
        return;
    }
    if (is_squeezed)
        s->guard.octets += len;
    else
        wf_h2_guard_earn(&s->guard, len);
    s->send_window -= (int32_t)len;
    stream->send_window -= (int32_t)len;
    stream->body += len;
    stream->body_left -= len;
    stream->body_sent += len;
    wf_h2_stream_schedule(s, stream);
    after_body(s, stream);
}

static void make_frames(struct wf_h2_session *s, size_t budget)
{
    while (!s->dead && s->send_window > 0 && wf_h2_output_len(&s->out) < budget &&
           wf_h2_output_has_room(&s->out)) {
        struct wf_node *node = wf_list_first(&s->send_list);
        if (node == NULL)
            return;
        make_frame(s, wf_container_of(node, struct wf_h2_stream, node));
    }
}

void wf_h2_session_send_body(struct wf_h2_session *s, struct wf_h2_stream *stream,
                             struct wf_slice body, bool end)
{
    if (stream->ended)
        return;
    wf_assert(stream->body_left == 0 && stream->inserts == 0 && !stream->reports_body);
    wf_assert(body.len > 0 || end);
    wf_assert(!wf_node_is_linked(&stream->node)); /* BODY_SENT was not taken yet */
    stream->reports_body = true;
    if (body.len == 0) {
        /* No window holds back a frame without content (RFC 9113 section 6.9.1). */
        if (!queue_data(s, stream, body, true))
            wf_h2_no_memory(s);
        else
            after_body(s, stream);
        return;
    }
    if (!wf_h2_output_prepare(&s->out)) {
        wf_h2_no_memory(s);
        return;
    }
    stream->body = body.ptr;
    stream->body_left = body.len;
    stream->end_after_body = end;
    wf_h2_stream_schedule(s, stream);
}

size_t wf_h2_session_output(struct wf_h2_session *s, struct wf_slice *slices, size_t max,
                            size_t budget)
{
    if (!wf_list_is_empty(&s->send_list))
        make_frames(s, budget);
    return wf_h2_output_slices(&s->out, slices, max, budget);
}

void wf_h2_session_wrote(struct wf_h2_session *s, size_t len)
{
    while (len > 0) {
        struct wf_h2_stream *stream = wf_h2_output_wrote(&s->out, &len);
        if (stream != NULL)
            after_body(s, stream);
    }
}

bool wf_h2_session_wants_write(const struct wf_h2_session *s)
{
    return wf_h2_output_len(&s->out) > 0 ||
           (!s->dead && s->send_window > 0 && !wf_list_is_empty(&s->send_list));
}
