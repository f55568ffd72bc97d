/* The frames that carry neither fields nor content: SETTINGS, PING, GOAWAY, RST_STREAM,
 * WINDOW_UPDATE and PRIORITY in. */
#include "h2/session_internal.h"

static enum wf_h2_step raise_step(struct wf_h2_session *s, struct wf_h2_stream *stream, uint32_t id,
                                  const struct wf_h2_err *err)
{
    wf_h2_raise(s, stream, id, err);
    return WF_H2_STEP_DONE;
}

struct shift {
    struct wf_h2_session *session;
    uint32_t before;
    uint32_t after;
    bool failed;
};

static void shift_send_window(void *user, struct wf_h2_stream *stream)
{
    struct shift *shift = user;
    if (!wf_h2_window_shift(&stream->send_window, shift->before, shift->after))
        shift->failed = true;
    else
        wf_h2_stream_schedule(shift->session, stream);
}

/* RFC 9113 section 6.9.2: a change applies to all open streams, and may leave windows below zero.
 */
static bool apply_initial_window(struct wf_h2_session *s, uint32_t before, uint32_t after)
{
    struct shift shift = {s, before, after, false};
    if (before != after)
        wf_h2_stream_set_each(&s->streams, shift_send_window, &shift);
    return !shift.failed;
}

static void shift_recv_window(void *user, struct wf_h2_stream *stream)
{
    struct shift *shift = user;
    /* Only ever down, from 65,535 to what we announced: it cannot leave the range. */
    bool in_range = wf_h2_window_shift(&stream->recv_window.open, shift->before, shift->after);
    wf_assert(in_range);
    (void)in_range;
}

/* What we announced binds the peer from here on (RFC 9113 section 6.5.3). */
static void apply_local_settings(struct wf_h2_session *s)
{
    struct shift shift = {s, s->stream_recv_window, s->config.initial_window_size, false};
    s->settings_unacked = false;
    wf_hpack_decoder_set_max_table_size(s->decoder, s->config.header_table_size);
    if (shift.before != shift.after)
        wf_h2_stream_set_each(&s->streams, shift_recv_window, &shift);
    s->stream_recv_window = s->config.initial_window_size;
}

static enum wf_h2_step recv_settings_ack(struct wf_h2_session *s, struct wf_h2_event *event)
{
    if (!s->settings_unacked) {
        wf_h2_connection_error(s, WF_H2_PROTOCOL_ERROR, "SETTINGS ACK without SETTINGS of ours");
        return WF_H2_STEP_DONE;
    }
    apply_local_settings(s);
    /* They went out with the first octets of the session. */
    uint64_t began_ms = s->settings_deadline - s->config.settings_timeout_ms;
    uint64_t passed_ms = s->now_ms - began_ms;
    s->growth.round_trip_ms = passed_ms < UINT32_MAX ? (uint32_t)passed_ms : UINT32_MAX;
    wf_h2_event_init(event, WF_H2_EVENT_SETTINGS_ACK, NULL);
    return WF_H2_STEP_EVENT;
}

enum wf_h2_step wf_h2_recv_settings(struct wf_h2_session *s,
                                    const struct wf_h2_frame_header *header, const uint8_t *payload,
                                    struct wf_h2_event *event)
{
    if ((header->flags & WF_H2_FLAG_ACK) != 0)
        return recv_settings_ack(s, event);
    struct wf_h2_settings before = s->remote;
    uint32_t smallest_table;
    struct wf_h2_err err;
    if (!wf_h2_settings_apply(&s->remote, wf_slice(payload, header->len), !s->is_server,
                              &smallest_table, &err))
        return raise_step(s, NULL, 0, &err);
    s->ready = true;
    /* RFC 7541 section 4.2: the encoder must announce the smallest size on the way, too. */
    if (smallest_table < before.header_table_size)
        wf_hpack_encoder_set_max_table_size(s->encoder, smallest_table);
    if (s->remote.header_table_size != before.header_table_size ||
        smallest_table != s->remote.header_table_size)
        wf_hpack_encoder_set_max_table_size(s->encoder, s->remote.header_table_size);
    if (!apply_initial_window(s, before.initial_window_size, s->remote.initial_window_size)) {
        wf_h2_connection_error(s, WF_H2_FLOW_CONTROL_ERROR,
                               "INITIAL_WINDOW_SIZE lifts a window above 2^31-1");
        return WF_H2_STEP_DONE;
    }
    wf_h2_send_settings_ack(s);
    if (s->dead)
        return WF_H2_STEP_DONE;
    wf_h2_event_init(event, WF_H2_EVENT_SETTINGS, NULL);
    return WF_H2_STEP_EVENT;
}

enum wf_h2_step wf_h2_recv_ping(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                const uint8_t *payload, struct wf_h2_event *event)
{
    if ((header->flags & WF_H2_FLAG_ACK) == 0) {
        wf_h2_send_ping_ack(s, payload); /* RFC 9113 section 6.7: the same octets */
        return WF_H2_STEP_DONE;
    }
    for (uint32_t i = 0; i < s->ping_count; i++) {
        uint32_t slot = (s->ping_first + i) % WF_H2_PINGS_IN_FLIGHT;
        if (memcmp(s->pings[slot], payload, 8) != 0)
            continue;
        /* Answers come in order: those before it will not come any more. */
        s->ping_first = (slot + 1) % WF_H2_PINGS_IN_FLIGHT;
        s->ping_count -= i + 1;
        wf_h2_event_init(event, WF_H2_EVENT_PING_ACK, NULL);
        memcpy(event->ping, payload, 8);
        return WF_H2_STEP_EVENT;
    }
    (void)wf_h2_tolerate(s, WF_H2_NUISANCE_PING, 1);
    return WF_H2_STEP_DONE; /* an answer to nothing proves nothing */
}

static void end_above_last_id(void *user, struct wf_h2_stream *stream)
{
    const struct wf_h2_goaway_payload *goaway = ((void **)user)[1];
    struct wf_h2_session *s = ((void **)user)[0];
    if (stream->id <= goaway->last_stream_id)
        return;
    /* The server may still send what it had queued for it. */
    wf_h2_remember_reset(s, stream->id);
    wf_h2_stream_end(s, stream, WF_H2_END_GOAWAY, goaway->code,
                     "the server's GOAWAY left the stream out");
}

enum wf_h2_step wf_h2_recv_goaway(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                  const uint8_t *payload, struct wf_h2_event *event)
{
    struct wf_h2_goaway_payload goaway = wf_h2_goaway_decode(header, payload);
    /* RFC 9113 section 6.8: several are legal, the identifier may not rise. */
    if (s->goaway_received && goaway.last_stream_id > s->goaway_last_id) {
        wf_h2_connection_error(s, WF_H2_PROTOCOL_ERROR,
                               "a second GOAWAY has a higher last stream identifier");
        return WF_H2_STEP_DONE;
    }
    s->goaway_received = true;
    s->goaway_last_id = goaway.last_stream_id;
    wf_h2_event_init(event, WF_H2_EVENT_GOAWAY, NULL);
    event->goaway.last_stream_id = goaway.last_stream_id;
    event->goaway.code = goaway.code;
    event->goaway.debug = goaway.debug;
    /* A client's GOAWAY speaks of pushed streams, of which there are none. */
    if (!s->is_server) {
        void *context[2] = {s, &goaway};
        wf_h2_stream_set_each(&s->streams, end_above_last_id, context);
    }
    return WF_H2_STEP_EVENT;
}

/* A frame that leaves a closed stream as it is but is an error on an idle one. */
static enum wf_h2_step recv_for_absent(struct wf_h2_session *s, uint32_t id,
                                       enum wf_h2_stream_event what)
{
    bool is_idle = wf_h2_session_absent(s, id) == WF_H2_ABSENT_IDLE;
    struct wf_h2_stream absent = {.id = id, .state = is_idle ? WF_H2_IDLE : WF_H2_CLOSED};
    struct wf_h2_err err;
    if (!wf_h2_stream_move(&absent, what, &err))
        wf_h2_raise(s, NULL, id, &err);
    return WF_H2_STEP_DONE;
}

enum wf_h2_step wf_h2_recv_rst_stream(struct wf_h2_session *s,
                                      const struct wf_h2_frame_header *header,
                                      const uint8_t *payload)
{
    uint32_t code = wf_h2_get_u32(payload);
    struct wf_h2_stream *stream = wf_h2_stream_set_find(&s->streams, header->stream_id);
    if (stream == NULL)
        return recv_for_absent(s, header->stream_id, WF_H2_RECV_RST_STREAM);
    /* RFC 9113 section 8.1: a server that has answered in full may ask us to stop sending. */
    bool has_answer = !s->is_server &&
                      (stream->state == WF_H2_HALF_CLOSED_REMOTE || stream->state == WF_H2_CLOSED);
    if (has_answer && code == WF_H2_NO_ERROR)
        wf_h2_stream_end(s, stream, WF_H2_END_COMPLETE, code, NULL);
    else
        wf_h2_stream_end(s, stream, WF_H2_END_RESET_BY_PEER, code, "the peer reset the stream");
    return WF_H2_STEP_DONE;
}

enum wf_h2_step wf_h2_recv_window_update(struct wf_h2_session *s,
                                         const struct wf_h2_frame_header *header,
                                         const uint8_t *payload)
{
    static const struct wf_h2_err overflow = {WF_H2_SCOPE_STREAM, WF_H2_FLOW_CONTROL_ERROR,
                                              "WINDOW_UPDATE lifts a window above 2^31-1"};
    uint32_t increment;
    struct wf_h2_err err;
    struct wf_h2_stream *stream = NULL;
    if (header->stream_id != 0) {
        stream = wf_h2_stream_set_find(&s->streams, header->stream_id);
        if (stream == NULL)
            return recv_for_absent(s, header->stream_id, WF_H2_RECV_WINDOW_UPDATE);
    }
    if (!wf_h2_window_update_decode(header, payload, &increment, &err))
        return raise_step(s, stream, header->stream_id, &err);
    /* RFC 9113 section 6.9.1. */
    if (stream == NULL) {
        if (!wf_h2_window_add(&s->send_window, increment))
            wf_h2_connection_error(s, overflow.code, overflow.reason);
        return WF_H2_STEP_DONE;
    }
    if (!wf_h2_window_add(&stream->send_window, increment))
        return raise_step(s, stream, header->stream_id, &overflow);
    wf_h2_stream_schedule(s, stream);
    return WF_H2_STEP_DONE;
}

void wf_h2_note_priority(struct wf_h2_session *s, uint32_t id,
                         const struct wf_h2_priority *priority)
{
    struct wf_h2_stream *stream = wf_h2_stream_set_find(&s->streams, id);
    if (stream == NULL)
        return;
    stream->depends_on = priority->depends_on & INT32_MAX;
    stream->weight = priority->weight;
    stream->exclusive = priority->exclusive;
}

enum wf_h2_step wf_h2_recv_priority(struct wf_h2_session *s,
                                    const struct wf_h2_frame_header *header, const uint8_t *payload)
{
    struct wf_h2_priority priority;
    struct wf_h2_err err;
    /* RFC 9113 section 6.3: legal in every state, and nothing more than noted. */
    if (wf_h2_priority_decode(header, payload, &priority, &err)) {
        wf_h2_note_priority(s, header->stream_id, &priority);
        return WF_H2_STEP_DONE;
    }
    struct wf_h2_stream *stream = wf_h2_stream_set_find(&s->streams, header->stream_id);
    if (stream == NULL)
        wf_h2_raise_absent(s, header->stream_id, &err);
    else
        wf_h2_raise(s, stream, header->stream_id, &err);
    return WF_H2_STEP_DONE;
}
