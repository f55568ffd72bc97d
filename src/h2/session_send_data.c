/* Bodies out: DATA frames, made one stream after another as the transport takes octets. */
#include "h2/session_internal.h"

/* A payload up to this long is copied: less work than another slice, and its body is free sooner.
 */
#define COPY_LEN 512u
/* A turn of a stream, and the largest frame: RFC 9113 section 6.5.2 has every peer take as much. */
#define TURN_LEN 16384
/* What is left of a turn and makes no frame of its own. */
#define TURN_REST 1024
_Static_assert(TURN_LEN <= WF_H2_MIN_MAX_FRAME_SIZE && TURN_LEN <= WF_H2_MAX_INSERT_LEN,
               "a frame may be that long");

void wf_h2_stream_schedule(struct wf_h2_session *s, struct wf_h2_stream *stream)
{
    if (stream->body_left == 0)
        return;
    bool wanted = stream->send_window > 0;
    bool listed = wf_node_is_linked(&stream->node);
    if (wanted && !listed && stream->turn_sent != 0)
        wf_list_push_front(&s->send_list, &stream->node);
    else if (wanted && !listed)
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

/* A turn that the connection's window cut short goes on when there is window again, and one that
 * the end of a piece cut short is made up for: else some would always be cut and others never. */
static void pass_turn(struct wf_h2_session *s, struct wf_h2_stream *stream, uint32_t len)
{
    int32_t sent = stream->turn_sent + (int32_t)len;
    if (stream->body_left == 0)
        sent = (sent > 0 ? sent : 0) - TURN_LEN;
    else if (sent >= TURN_LEN - TURN_REST || stream->send_window <= 0)
        sent = 0;
    stream->turn_sent = (int16_t)sent;
    wf_h2_stream_schedule(s, stream);
}

/* One frame for the stream whose turn it is. RFC 9113 section 6.9.1: never beyond either window. */
static void make_frame(struct wf_h2_session *s, struct wf_h2_stream *stream)
{
    uint32_t window = smaller((uint32_t)s->send_window, (uint32_t)stream->send_window);
    int32_t turn = TURN_LEN - stream->turn_sent;
    uint32_t len = smaller(window, turn < TURN_LEN ? (uint32_t)turn : TURN_LEN);
    if (stream->body_left < len)
        len = (uint32_t)stream->body_left;
    bool is_last = len == stream->body_left;
    /* A frame that a tiny window cut short is the peer's doing and earns its octets only. */
    bool was_cut = len == window || stream->turn_sent > 0;
    bool is_squeezed = !is_last && was_cut && len < WF_H2_SQUEEZED_LEN;
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
    pass_turn(s, stream, len);
    after_body(s, stream);
}

/* A stream whose piece is used up gets its next one when this one is written. Until then the others
 * go on to the end of the round and no further, or bodies in pieces would get less than others. */
static void make_frames(struct wf_h2_session *s, size_t budget)
{
    struct wf_node *last = NULL;
    if (wf_list_first(&s->send_list) == NULL || wf_h2_output_is_before(&s->out, s->piece_end))
        return;
    while (!s->dead && s->send_window > 0 && wf_h2_output_len(&s->out) < budget &&
           wf_h2_output_has_room(&s->out)) {
        struct wf_node *node = wf_list_first(&s->send_list);
        if (node == NULL)
            return;
        struct wf_h2_stream *stream = wf_container_of(node, struct wf_h2_stream, node);
        struct wf_node *hindmost = s->send_list.prev;
        bool has_more = !stream->end_after_body;
        make_frame(s, stream);
        if (node == last)
            return;
        if (last == NULL && has_more && stream->body_left == 0) {
            last = hindmost;
            s->piece_end = wf_h2_output_position(&s->out);
        }
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
