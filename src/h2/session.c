/* Making a session, its loop of events, and what the owner may ask. */
#include "h2/session_internal.h"

static void check_config(const struct wf_h2_config *config)
{
    wf_assert(config->initial_window_size <= WF_H2_MAX_WINDOW);
    wf_assert(config->max_frame_size >= WF_H2_MIN_MAX_FRAME_SIZE &&
              config->max_frame_size <= WF_H2_MAX_MAX_FRAME_SIZE);
    wf_assert(config->connection_window >= WF_H2_INITIAL_WINDOW &&
              config->connection_window <= WF_H2_MAX_WINDOW);
    (void)config;
}

static void init_windows(struct wf_h2_session *s)
{
    const struct wf_h2_config *config = &s->config;
    s->remote = WF_H2_SETTINGS_INITIAL;
    s->send_window = (int32_t)WF_H2_INITIAL_WINDOW;
    s->recv_window.open = (int32_t)config->connection_window;
    s->growth = (struct wf_h2_growth){.pool = config->growth_pool,
                                      .left = config->max_growth,
                                      .max_stream_window = config->max_stream_window,
                                      .max_connection_window = config->max_connection_window};
    /* Until the peer has acknowledged a smaller window it may use the protocol's own. */
    s->stream_recv_window = config->initial_window_size > WF_H2_INITIAL_WINDOW
                                ? config->initial_window_size
                                : WF_H2_INITIAL_WINDOW;
}

struct wf_h2_session *wf_h2_session_new(const struct wf_h2_config *config, uint64_t now_ms)
{
    check_config(config);
    struct wf_h2_session *s = wf_calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->config = *config;
    s->is_server = config->role == WF_H2_SERVER;
    s->next_id = 1;
    s->preface_left = s->is_server ? WF_H2_PREFACE_LEN : 0;
    s->now_ms = now_ms;
    wf_h2_guard_init(&s->guard, config->control_burst, config->initial_window_size, now_ms);
    s->settings_deadline = now_ms + config->settings_timeout_ms;
    wf_list_init(&s->ending);
    wf_list_init(&s->sent);
    wf_list_init(&s->send_list);
    init_windows(s);
    s->decoder = wf_hpack_decoder_new(WF_H2_INITIAL_TABLE_SIZE, config->max_header_list_size,
                                      config->max_fields);
    s->encoder = wf_hpack_encoder_new(config->encoder_table_cap);
    if (s->decoder == NULL || s->encoder == NULL || !wf_h2_stream_set_init(&s->streams) ||
        !wf_h2_send_first_flight(s)) {
        wf_h2_session_free(s);
        return NULL;
    }
    return s;
}

void wf_h2_session_free(struct wf_h2_session *s)
{
    if (s == NULL)
        return;
    if (s->growth.pool != NULL) /* what streams had that never ended */
        s->growth.pool->grown -= s->config.max_growth - s->growth.left;
    wf_h2_output_fini(&s->out);
    wf_buf_fini(&s->block.buf);
    wf_hpack_encoder_free(s->encoder);
    wf_hpack_decoder_free(s->decoder);
    wf_h2_stream_set_fini(&s->streams);
    wf_free(s);
}

static void report_closed(struct wf_h2_session *s, struct wf_h2_event *event)
{
    struct wf_node *node = wf_list_pop_front(&s->ending);
    struct wf_h2_stream *stream = wf_container_of(node, struct wf_h2_stream, node);
    wf_h2_event_init(event, WF_H2_EVENT_CLOSED, stream);
    event->closed.end = (enum wf_h2_end)stream->end;
    event->closed.effect = (enum wf_h2_effect)stream->effect;
    event->closed.code = stream->end_code;
    event->closed.reason = stream->reason;
    s->reported = stream;
}

/* Events that do not come from a frame in hand. */
static bool next_queued(struct wf_h2_session *s, struct wf_h2_event *event)
{
    if (WF_UNLIKELY(s->error_pending)) {
        s->error_pending = false;
        wf_h2_event_init(event, WF_H2_EVENT_CONNECTION_ERROR, NULL);
        event->error = s->error;
        return true;
    }
    if (!wf_list_is_empty(&s->ending)) {
        report_closed(s, event);
        return true;
    }
    if (!wf_list_is_empty(&s->sent)) {
        struct wf_node *node = wf_list_pop_front(&s->sent);
        wf_h2_event_init(event, WF_H2_EVENT_BODY_SENT,
                         wf_container_of(node, struct wf_h2_stream, node));
        return true;
    }
    s->events_due = false;
    return false;
}

bool wf_h2_session_next(struct wf_h2_session *s, uint64_t now_ms, struct wf_slice *in,
                        struct wf_h2_event *out_event)
{
    s->now_ms = now_ms;
    if (s->reported != NULL) {
        wf_h2_stream_set_give(&s->streams, s->reported);
        s->reported = NULL;
    }
    for (;;) {
        if (s->events_due && next_queued(s, out_event))
            return true;
        if (WF_UNLIKELY(s->dead))
            return false;
        switch (wf_h2_recv_step(s, in, out_event)) {
        case WF_H2_STEP_DONE:
            break;
        case WF_H2_STEP_EVENT:
            return true;
        case WF_H2_STEP_WAIT:
            return false;
        }
    }
}

void wf_h2_session_trim(struct wf_h2_session *s)
{
    if (wf_buf_len(&s->out.buf) == 0)
        wf_buf_fini(&s->out.buf);
}

uint64_t wf_h2_session_deadline(const struct wf_h2_session *s)
{
    return s->settings_unacked && !s->dead ? s->settings_deadline : UINT64_MAX;
}

void wf_h2_session_timeout(struct wf_h2_session *s, uint64_t now_ms)
{
    /* RFC 9113 section 6.5.3. */
    if (now_ms >= wf_h2_session_deadline(s))
        wf_h2_connection_error(s, WF_H2_SETTINGS_TIMEOUT,
                               "the peer did not acknowledge our SETTINGS in time");
}

uint32_t wf_h2_session_max_streams(const struct wf_h2_session *s)
{
    return wf_h2_max_streams(s);
}

uint32_t wf_h2_session_capacity(const struct wf_h2_session *s)
{
    uint32_t max = wf_h2_max_streams(s);
    if (wf_h2_session_is_draining(s) || s->streams.count >= max)
        return 0;
    uint32_t ids_left =
        s->next_id > WF_H2_MAX_STREAM_ID ? 0 : (WF_H2_MAX_STREAM_ID - s->next_id) / 2 + 1;
    uint32_t left = max - s->streams.count;
    return left < ids_left ? left : ids_left;
}

uint32_t wf_h2_session_open_streams(const struct wf_h2_session *s)
{
    return s->streams.count;
}

bool wf_h2_session_is_draining(const struct wf_h2_session *s)
{
    return s->dead || s->goaway_sent || s->goaway_received;
}

bool wf_h2_session_is_dead(const struct wf_h2_session *s)
{
    return s->dead;
}

bool wf_h2_session_is_ready(const struct wf_h2_session *s)
{
    return s->ready;
}

struct wf_h2_windows wf_h2_session_windows(const struct wf_h2_session *s)
{
    int32_t receive = s->recv_window.open;
    return (struct wf_h2_windows){.send = s->send_window > 0 ? (uint32_t)s->send_window : 0,
                                  .receive = receive > 0 ? (uint32_t)receive : 0};
}

void *wf_h2_stream_user(const struct wf_h2_stream *stream)
{
    return stream->user;
}

void wf_h2_stream_set_user(struct wf_h2_stream *stream, void *user)
{
    stream->user = user;
}

uint32_t wf_h2_stream_id(const struct wf_h2_stream *stream)
{
    return stream->id;
}

uint32_t wf_h2_stream_recv_room(const struct wf_h2_stream *stream)
{
    return stream->recv_window.open > 0 ? (uint32_t)stream->recv_window.open : 0;
}

size_t wf_h2_stream_late_body(const struct wf_h2_stream *stream)
{
    return stream->state == WF_H2_HALF_CLOSED_REMOTE ? stream->body_left : 0;
}

uint64_t wf_h2_stream_body_sent(const struct wf_h2_stream *stream)
{
    return stream->body_sent;
}

const struct wf_h2_guard *wf_h2_session_guard(const struct wf_h2_session *s)
{
    return &s->guard;
}
