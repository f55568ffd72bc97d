/* Frames out, but for DATA: each is queued whole, and traced when it is queued. */
#include "h2/session_internal.h"

/* Reports the frame whose header is at @p, with the fields of the block that it begins, if any. */
static void trace_frame(struct wf_h2_session *s, const uint8_t *p,
                        const struct wf_h2_message *message)
{
    struct wf_h2_frame_header header = wf_h2_frame_header_decode(p);
    struct wf_h2_trace frame = {.sent = true,
                                .type = header.type,
                                .flags = header.flags,
                                .stream_id = header.stream_id,
                                .len = header.len,
                                .payload = wf_slice(p + WF_H2_FRAME_HEADER_LEN, header.len),
                                .fields = message != NULL ? message->fields : NULL,
                                .field_count = message != NULL ? message->count : 0};
    s->config.trace(s->config.trace_user, &frame);
}

/* Reports the whole frames that are queued from @begin, counted from the first readable octet. */
static void trace_from(struct wf_h2_session *s, size_t begin, const struct wf_h2_message *message)
{
    if (WF_LIKELY(s->config.trace == NULL))
        return;
    while (begin < wf_buf_len(&s->out.buf)) {
        const uint8_t *p = s->out.buf.data + s->out.buf.start + begin;
        trace_frame(s, p, message);
        begin += WF_H2_FRAME_HEADER_LEN + wf_h2_frame_header_decode(p).len;
        message = NULL;
    }
}

/* A frame was to be queued; @queued says whether there was memory for it. */
static void after_queueing(struct wf_h2_session *s, size_t begin, bool queued)
{
    if (queued)
        trace_from(s, begin, NULL);
    else
        wf_h2_no_memory(s);
}

/* What a peer makes us queue is bounded while it does not read (CVE-2019-9512 and its like). */
static void note_answer(struct wf_h2_session *s, size_t begin)
{
    if (s->dead)
        return;
    size_t len = wf_buf_len(&s->out.buf) - begin;
    if (wf_h2_output_note_answer(&s->out, len) > s->config.max_queued_control)
        wf_h2_connection_error(s, WF_H2_ENHANCE_YOUR_CALM,
                               "too many answers wait for a peer that does not read");
}

bool wf_h2_send_first_flight(struct wf_h2_session *s)
{
    const struct wf_h2_config *config = &s->config;
    struct wf_h2_setting_entry entries[6];
    size_t count = 0;
    if (!s->is_server && !wf_buf_append(&s->out.buf, WF_H2_PREFACE, WF_H2_PREFACE_LEN))
        return false;
    entries[count++] =
        (struct wf_h2_setting_entry){WF_H2_SETTING_HEADER_TABLE_SIZE, config->header_table_size};
    if (s->is_server)
        entries[count++] = (struct wf_h2_setting_entry){WF_H2_SETTING_MAX_CONCURRENT_STREAMS,
                                                        config->max_concurrent_streams};
    else
        entries[count++] = (struct wf_h2_setting_entry){WF_H2_SETTING_ENABLE_PUSH, 0};
    entries[count++] = (struct wf_h2_setting_entry){WF_H2_SETTING_INITIAL_WINDOW_SIZE,
                                                    config->initial_window_size};
    entries[count++] =
        (struct wf_h2_setting_entry){WF_H2_SETTING_MAX_FRAME_SIZE, config->max_frame_size};
    entries[count++] = (struct wf_h2_setting_entry){WF_H2_SETTING_MAX_HEADER_LIST_SIZE,
                                                    config->max_header_list_size};
    size_t begin = wf_buf_len(&s->out.buf);
    if (!wf_h2_settings_encode(&s->out.buf, entries, count))
        return false;
    uint32_t more = config->connection_window - WF_H2_INITIAL_WINDOW;
    if (more > 0 && !wf_h2_encode_window_update(&s->out.buf, 0, more))
        return false;
    trace_from(s, begin, NULL);
    /* The preface is no frame: whatever happens, it is written as a whole with what follows it. */
    s->out.boundary = wf_h2_output_position(&s->out);
    s->settings_unacked = true;
    return true;
}

void wf_h2_send_settings_ack(struct wf_h2_session *s)
{
    size_t begin = wf_buf_len(&s->out.buf);
    after_queueing(s, begin,
                   wf_h2_encode_header(&s->out.buf, 0, WF_H2_FRAME_SETTINGS, WF_H2_FLAG_ACK, 0));
    note_answer(s, begin);
}

void wf_h2_send_ping_ack(struct wf_h2_session *s, const uint8_t opaque[8])
{
    size_t begin = wf_buf_len(&s->out.buf);
    after_queueing(s, begin, wf_h2_encode_ping(&s->out.buf, WF_H2_FLAG_ACK, opaque));
    note_answer(s, begin);
}

void wf_h2_send_rst_stream(struct wf_h2_session *s, uint32_t id, uint32_t code, bool provoked)
{
    if (s->dead)
        return;
    size_t begin = wf_buf_len(&s->out.buf);
    after_queueing(s, begin, wf_h2_encode_rst_stream(&s->out.buf, id, code));
    if (provoked)
        note_answer(s, begin);
}

void wf_h2_send_window_update(struct wf_h2_session *s, uint32_t id, uint32_t increment)
{
    size_t begin = wf_buf_len(&s->out.buf);
    after_queueing(s, begin, wf_h2_encode_window_update(&s->out.buf, id, increment));
}

bool wf_h2_send_goaway(struct wf_h2_session *s, uint32_t last_stream_id, uint32_t code,
                       const char *debug)
{
    size_t begin = wf_buf_len(&s->out.buf);
    struct wf_slice text = debug != NULL ? wf_slice_str(debug) : wf_slice(NULL, 0);
    uint32_t last = last_stream_id;
    /* RFC 9113 section 6.8: the identifier of a later GOAWAY is never higher. */
    if (s->goaway_sent && last > s->refused_above)
        last = s->refused_above;
    if (!wf_h2_encode_goaway(&s->out.buf, last, code, text))
        return false;
    s->refused_above = last;
    s->goaway_sent = true;
    trace_from(s, begin, NULL);
    return true;
}

bool wf_h2_session_ping(struct wf_h2_session *s, const uint8_t opaque[8])
{
    size_t begin = wf_buf_len(&s->out.buf);
    if (s->dead)
        return true; /* nobody is there to answer */
    if (!wf_h2_encode_ping(&s->out.buf, 0, opaque))
        return false;
    trace_from(s, begin, NULL);
    if (s->ping_count == WF_H2_PINGS_IN_FLIGHT) {
        s->ping_first = (s->ping_first + 1) % WF_H2_PINGS_IN_FLIGHT;
        s->ping_count--;
    }
    memcpy(s->pings[(s->ping_first + s->ping_count) % WF_H2_PINGS_IN_FLIGHT], opaque, 8);
    s->ping_count++;
    return true;
}

bool wf_h2_session_goaway(struct wf_h2_session *s, uint32_t code, const char *debug)
{
    return s->dead || wf_h2_send_goaway(s, s->highest_peer_id, code, debug);
}

bool wf_h2_session_goaway_at(struct wf_h2_session *s, uint32_t last_stream_id, uint32_t code,
                             const char *debug)
{
    wf_assert(last_stream_id <= s->highest_peer_id);
    return s->dead || wf_h2_send_goaway(s, last_stream_id, code, debug);
}

/* RFC 9113 section 6.5.2: what the peer says it is willing to take. */
static bool fits_peer(const struct wf_h2_session *s, const struct wf_h2_message *message)
{
    if (WF_LIKELY(s->remote.max_header_list_size == UINT32_MAX))
        return true;
    uint64_t size = 0;
    for (size_t i = 0; i < message->count; i++)
        size += message->fields[i].name.len + message->fields[i].value.len + 32;
    return size <= s->remote.max_header_list_size;
}

/* Encodes the block behind the frame header's place. */
static enum wf_h2_submit queue_block(struct wf_h2_session *s, uint32_t id,
                                     const struct wf_h2_message *message)
{
    struct wf_buf *buf = &s->out.buf;
    size_t begin = wf_h2_block_begin(buf);
    if (begin == SIZE_MAX)
        return WF_H2_SUBMIT_NO_MEMORY;
    if (!wf_hpack_encode(s->encoder, message->cache_key, message->fields, message->count, buf)) {
        buf->end = buf->start + begin;
        return WF_H2_SUBMIT_NO_MEMORY;
    }
    uint8_t flags = message->end_stream ? WF_H2_FLAG_END_STREAM : 0;
    if (WF_UNLIKELY(!wf_h2_block_finish(buf, begin, id, flags, s->remote.max_frame_size))) {
        /* The encoder's table has moved on and the peer's will not: there is no way back. */
        buf->end = buf->start + begin;
        wf_h2_no_memory(s);
        return WF_H2_SUBMIT_NO_MEMORY;
    }
    trace_from(s, begin, message);
    return WF_H2_SUBMITTED;
}

static enum wf_h2_submit may_open(const struct wf_h2_session *s,
                                  const struct wf_h2_message *message)
{
    if (WF_UNLIKELY(s->dead || s->goaway_sent || s->goaway_received))
        return WF_H2_SUBMIT_DRAINING;
    if (WF_UNLIKELY(s->next_id > WF_H2_MAX_STREAM_ID))
        return WF_H2_SUBMIT_NO_STREAM_IDS;
    if (s->streams.count >= wf_h2_max_streams(s))
        return WF_H2_SUBMIT_NO_CAPACITY;
    return fits_peer(s, message) ? WF_H2_SUBMITTED : WF_H2_SUBMIT_TOO_LARGE;
}

enum wf_h2_submit wf_h2_session_request(struct wf_h2_session *s,
                                        const struct wf_h2_message *message, void *user,
                                        struct wf_h2_stream **out_stream)
{
    wf_assert(!s->is_server && message->count > 0);
    enum wf_h2_submit result = may_open(s, message);
    if (result != WF_H2_SUBMITTED)
        return result;
    struct wf_h2_stream *stream = wf_h2_stream_set_take(&s->streams, s->next_id);
    if (stream == NULL)
        return WF_H2_SUBMIT_NO_MEMORY;
    uint64_t headers_at = wf_h2_output_position(&s->out);
    result = queue_block(s, s->next_id, message);
    if (WF_UNLIKELY(result != WF_H2_SUBMITTED)) {
        wf_h2_stream_set_give(&s->streams, stream);
        return result;
    }
    s->next_id += 2;
    s->guard.streams++;
    stream->user = user;
    stream->headers_at = headers_at & (UINT64_MAX >> 8);
    stream->is_head = message->is_head;
    stream->send_window = (int32_t)s->remote.initial_window_size;
    stream->recv_window.open = (int32_t)s->stream_recv_window;
    wf_h2_stream_move_local(stream, WF_H2_SEND_HEADERS);
    if (message->end_stream)
        wf_h2_stream_move_local(stream, WF_H2_SEND_END_STREAM);
    wf_h2_stream_set_insert(&s->streams, stream);
    *out_stream = stream;
    return WF_H2_SUBMITTED;
}

enum wf_h2_submit wf_h2_session_send_headers(struct wf_h2_session *s, struct wf_h2_stream *stream,
                                             const struct wf_h2_message *message)
{
    if (stream->ended)
        return WF_H2_SUBMIT_DRAINING;
    wf_assert(stream->body_left == 0);
    if (!fits_peer(s, message))
        return WF_H2_SUBMIT_TOO_LARGE;
    enum wf_h2_submit result = queue_block(s, stream->id, message);
    if (result != WF_H2_SUBMITTED)
        return result;
    wf_h2_stream_move_local(stream, WF_H2_SEND_HEADERS);
    if (message->end_stream) {
        wf_h2_stream_move_local(stream, WF_H2_SEND_END_STREAM);
        wf_h2_stream_end_if_closed(s, stream);
    }
    return WF_H2_SUBMITTED;
}

/* What is open is at most the window, and that is at most 2^31-1. */
static void widen(struct wf_h2_recv_window *window, uint32_t more)
{
    bool in_range = wf_h2_window_add(&window->open, more);
    wf_assert(in_range);
    (void)in_range;
}

void wf_h2_return_stream_credit(struct wf_h2_session *s, struct wf_h2_stream *stream, uint32_t len,
                                bool content)
{
    uint32_t window = s->config.initial_window_size + wf_h2_growth_octets(&stream->growth);
    uint32_t increment = wf_h2_recv_window_return(&stream->recv_window, len, window);
    if (increment == 0)
        return;
    struct wf_h2_credit credit = {window, increment, stream->recv_window.open};
    uint32_t more = 0;
    if (content)
        more = wf_h2_growth_of_stream(&s->growth, &stream->growth, &credit, s->now_ms);
    widen(&stream->recv_window, more);
    wf_h2_send_window_update(s, stream->id, increment + more);
}

void wf_h2_announce_connection_credit(struct wf_h2_session *s, uint32_t window, uint32_t increment)
{
    struct wf_h2_credit credit = {window, increment, s->recv_window.open};
    uint32_t more = wf_h2_growth_of_connection(&s->growth, &s->recv_growth, &credit, s->now_ms);
    widen(&s->recv_window, more);
    wf_h2_send_window_update(s, 0, increment + more);
}

void wf_h2_session_set_time(struct wf_h2_session *s, uint64_t now_ms)
{
    s->now_ms = now_ms;
}

void wf_h2_session_consume(struct wf_h2_session *s, struct wf_h2_stream *stream, size_t len)
{
    bool peer_may_send = stream->state == WF_H2_OPEN || stream->state == WF_H2_HALF_CLOSED_LOCAL;
    if (stream->ended || !peer_may_send)
        return;
    wf_assert(len <= WF_H2_MAX_WINDOW);
    wf_h2_return_stream_credit(s, stream, (uint32_t)len, true);
}
