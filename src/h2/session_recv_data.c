/* DATA in (RFC 9113 section 6.1): accounted when its header is there, passed on as it comes. */
#include "h2/session_internal.h"

/* RFC 9113 section 6.9: the whole payload counts, padding included. Connection credit goes back at
 * once, so that one slow consumer never stops the others. */
static bool take_connection_credit(struct wf_h2_session *s, uint32_t len)
{
    if (WF_UNLIKELY(!wf_h2_recv_window_take(&s->recv_window, len))) {
        wf_h2_connection_error(s, WF_H2_FLOW_CONTROL_ERROR,
                               "DATA is beyond the connection's flow-control window");
        return false;
    }
    uint32_t window = s->config.connection_window + wf_h2_growth_octets(&s->recv_growth);
    uint32_t increment = wf_h2_recv_window_return(&s->recv_window, len, window);
    wf_assert((uint64_t)s->recv_window.open + s->recv_window.unreturned == window);
    if (increment > 0)
        wf_h2_announce_connection_credit(s, window, increment);
    return !s->dead;
}

/* Checks DATA against the stream's state, window and message. NULL in @out_err's reason: it is
 * fine. */
static bool check_stream(struct wf_h2_stream *stream, const struct wf_h2_frame_header *header,
                         uint32_t data_len, struct wf_h2_err *out_err)
{
    bool end_stream = (header->flags & WF_H2_FLAG_END_STREAM) != 0;
    *out_err = (struct wf_h2_err){WF_H2_SCOPE_STREAM, WF_H2_PROTOCOL_ERROR, NULL};
    if (!wf_h2_stream_move(stream, WF_H2_RECV_DATA, out_err))
        return false;
    if (!wf_h2_recv_window_take(&stream->recv_window, header->len)) {
        out_err->code = WF_H2_FLOW_CONTROL_ERROR;
        out_err->reason = "DATA is beyond the stream's flow-control window";
    } else if (!stream->message_began) {
        out_err->reason = "DATA came before the header section"; /* RFC 9113 section 8.1 */
    } else if (stream->content_left >= 0) {
        /* RFC 9113 section 8.1.1. */
        if (data_len > (uint64_t)stream->content_left)
            out_err->reason = "there is more content than there may be";
        else if (end_stream && data_len != (uint64_t)stream->content_left)
            out_err->reason = "there is less content than content-length says";
        else
            stream->content_left -= data_len;
    }
    return out_err->reason == NULL;
}

/* The stream that takes this frame's content; NULL when nobody does. */
static struct wf_h2_stream *find_taker(struct wf_h2_session *s,
                                       const struct wf_h2_frame_header *header, uint32_t data_len)
{
    struct wf_h2_stream *stream = wf_h2_stream_set_find(&s->streams, header->stream_id);
    struct wf_h2_err err;
    if (WF_UNLIKELY(stream == NULL)) {
        struct wf_h2_stream absent = {.id = header->stream_id, .state = WF_H2_CLOSED};
        enum wf_h2_absent how = wf_h2_session_absent(s, header->stream_id);
        if (how == WF_H2_ABSENT_RESET_BY_US) {
            (void)wf_h2_tolerate(s, WF_H2_NUISANCE_LATE, 1);
            return NULL;
        }
        if (how == WF_H2_ABSENT_IDLE)
            absent.state = WF_H2_IDLE;
        if (!wf_h2_stream_move(&absent, WF_H2_RECV_DATA, &err))
            wf_h2_raise(s, NULL, header->stream_id, &err);
        return NULL;
    }
    if (WF_UNLIKELY(!check_stream(stream, header, data_len, &err))) {
        wf_h2_raise(s, stream, header->stream_id, &err);
        return NULL;
    }
    return stream;
}

enum wf_h2_step wf_h2_recv_data(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                struct wf_slice *in, struct wf_h2_event *event)
{
    size_t front_len = WF_H2_FRAME_HEADER_LEN;
    uint8_t pad = 0;
    if ((header->flags & WF_H2_FLAG_PADDED) != 0) {
        front_len++;
        if (in->len < front_len)
            return WF_H2_STEP_WAIT;
        pad = in->ptr[WF_H2_FRAME_HEADER_LEN];
    }
    struct wf_slice rest = wf_slice_skip(*in, WF_H2_FRAME_HEADER_LEN);
    if (rest.len > header->len)
        rest.len = header->len;
    wf_h2_recv_trace(s, header, rest, NULL);
    uint32_t data_len;
    uint32_t pad_len;
    struct wf_h2_err err;
    *in = wf_slice_skip(*in, front_len);
    if (!wf_h2_data_decode(header, pad, &data_len, &pad_len, &err)) {
        wf_h2_raise(s, NULL, header->stream_id, &err);
        return WF_H2_STEP_DONE;
    }
    if (!take_connection_credit(s, header->len))
        return WF_H2_STEP_DONE;
    struct wf_h2_stream *stream = find_taker(s, header, data_len);
    if (stream == NULL) {
        s->skip_left = data_len + pad_len;
        return WF_H2_STEP_DONE;
    }
    bool end_stream = (header->flags & WF_H2_FLAG_END_STREAM) != 0;
    if (WF_LIKELY(data_len > 0))
        wf_h2_guard_earn(&s->guard, data_len);
    else if (!end_stream && !wf_h2_tolerate(s, WF_H2_NUISANCE_EMPTY_DATA, 1))
        return WF_H2_STEP_DONE;
    s->data_stream = stream;
    s->data_left = data_len;
    s->pad_left = pad_len;
    s->data_ends_stream = end_stream;
    /* Padding has no consumer who would return its credit, and no claim to a larger window. */
    if (header->len > data_len && !s->data_ends_stream)
        wf_h2_return_stream_credit(s, stream, header->len - data_len, false);
    return wf_h2_recv_data_piece(s, in, event);
}

/* RFC 9113 section 5.1: the peer is done with the stream. */
static void recv_end_stream(struct wf_h2_session *s, struct wf_h2_stream *stream)
{
    struct wf_h2_err err;
    if (wf_h2_stream_move(stream, WF_H2_RECV_END_STREAM, &err))
        wf_h2_stream_end_if_closed(s, stream);
    else
        wf_h2_raise(s, stream, stream->id, &err);
}

enum wf_h2_step wf_h2_recv_data_piece(struct wf_h2_session *s, struct wf_slice *in,
                                      struct wf_h2_event *event)
{
    struct wf_h2_stream *stream = s->data_stream;
    if (WF_UNLIKELY(stream == NULL))
        return WF_H2_STEP_DONE; /* memory ran out on the way */
    size_t len = in->len < s->data_left ? in->len : s->data_left;
    struct wf_slice bytes = wf_slice(in->ptr, len);
    *in = wf_slice_skip(*in, len);
    s->data_left -= (uint32_t)len;
    if (s->data_left == 0 && s->pad_left > 0) {
        size_t pad_len = in->len < s->pad_left ? in->len : s->pad_left;
        *in = wf_slice_skip(*in, pad_len);
        s->pad_left -= (uint32_t)pad_len;
    }
    bool whole = s->data_left == 0 && s->pad_left == 0;
    bool end_stream = whole && s->data_ends_stream;
    if (whole)
        s->data_stream = NULL;
    if (len == 0 && !end_stream)
        return whole ? WF_H2_STEP_DONE : WF_H2_STEP_WAIT;
    wf_h2_event_init(event, WF_H2_EVENT_DATA, stream);
    event->end_stream = end_stream;
    event->data.bytes = bytes;
    if (end_stream)
        recv_end_stream(s, stream);
    return WF_H2_STEP_EVENT;
}
