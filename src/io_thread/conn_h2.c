/* HTTP/2 on a connection: what a session has to say, in terms of exchanges. */
#include "io_thread/conn.h"

#include "base/assert.h"
#include "h2/session.h"
#include "io_thread/conn_watch.h"
#include "io_thread/demand.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/io_thread.h"
#include "io_thread/log.h"
#include "io_thread/origin.h"
#include "io_thread/retry.h"
#include "io_thread/trace.h"
#include "io_thread/upload.h"
#include "message/error.h"

#include <string.h>

static enum weft_effect effect_of(enum wf_h2_effect effect)
{
    switch (effect) {
    case WF_H2_NOT_SENT:
        return WEFT_NOT_SENT;
    case WF_H2_NOT_PROCESSED:
        return WEFT_NOT_PROCESSED;
    case WF_H2_MAYBE_PROCESSED:
        return WEFT_MAYBE_PROCESSED;
    case WF_H2_PROCESSED:
        return WEFT_PROCESSED;
    }
    WF_UNREACHABLE("no other effect");
}

static void give_up_stream(struct wf_conn *conn, struct weft_future *x, uint32_t code)
{
    uint64_t content_sent = wf_h2_stream_body_sent(x->stream);
    wf_h2_session_reset(conn->session, x->stream, code);
    x->content_sent = content_sent;
    wf_conn_let_go(conn, x);
    wf_conn_mark_dirty(conn);
}

static void cancel(struct wf_conn *conn, struct weft_future *x)
{
    give_up_stream(conn, x, WF_H2_CANCEL);
}

/* RFC 9113 section 8.1: the response is complete, and so the rest of the request is not needed. */
static void stop_upload(struct wf_conn *conn, struct weft_future *x)
{
    give_up_stream(conn, x, WF_H2_NO_ERROR);
}

static void describe(const struct wf_conn *conn, const struct weft_future *x,
                     enum weft_stage *out_stage, enum weft_effect *out_effect)
{
    *out_effect = effect_of(wf_h2_stream_effect(conn->session, x->stream));
    *out_stage = wf_h2_stream_was_sent(conn->session, x->stream) ? wf_conn_stage_of(x, *out_effect)
                                                                 : WEFT_STAGE_SEND;
}

static void credit(struct wf_conn *conn, struct weft_future *x, size_t len)
{
    wf_h2_session_set_time(conn->session, conn->io->now_ms);
    wf_h2_session_consume(conn->session, x->stream, len);
    if (wf_h2_session_wants_write(conn->session))
        wf_conn_mark_dirty(conn);
}

static uint32_t capacity(const struct wf_conn *conn)
{
    return wf_h2_session_capacity(conn->session);
}

static uint32_t open_count(const struct wf_conn *conn)
{
    return wf_h2_session_open_streams(conn->session);
}

/* The body is out: trailers, which end the stream, or nothing. */
static bool end_upload(struct wf_conn *conn, struct weft_future *x)
{
    struct wf_h2_message message = {.end_stream = true};
    message.fields = wf_upload_trailers(x->upload, &message.count);
    x->upload->is_sent = true;
    wf_conn_sent(conn, x);
    if (message.count == 0)
        return true;
    switch (wf_h2_session_send_headers(conn->session, x->stream, &message)) {
    case WF_H2_SUBMITTED:
    case WF_H2_SUBMIT_DRAINING: /* its end is due, as an event */
        return true;
    case WF_H2_SUBMIT_TOO_LARGE:
        wf_io_thread_end(x, WEFT_ERR_FIELDS_TOO_LARGE, 0,
                         "the request's trailers are larger than the server accepts");
        return false;
    case WF_H2_SUBMIT_NO_MEMORY:
    case WF_H2_SUBMIT_NO_CAPACITY:
    case WF_H2_SUBMIT_NO_STREAM_IDS:
        break;
    }
    wf_io_thread_end(x, WEFT_ERR_NO_MEMORY, 0, "no memory for the request's trailers");
    return false;
}

static bool pull(struct wf_conn *conn, struct weft_future *x)
{
    struct wf_upload *upload = x->upload;
    if (wf_upload_give_up(upload))
        return false;
    if (upload->is_sending || upload->is_sent ||
        wf_upload_peek(upload, &upload->piece) != WF_UPLOAD_PIECE)
        return true;
    /* What comes after a whole response may be wanted by nobody. */
    if (upload->is_late)
        wf_conn_watch_late(conn, x);
    size_t trailer_count = 0;
    if (upload->piece.is_last) /* until then they are the writer's */
        (void)wf_upload_trailers(upload, &trailer_count);
    wf_conn_mark_dirty(conn);
    if (upload->piece.octets.len == 0 && trailer_count > 0)
        return end_upload(conn, x);
    upload->is_sending = true;
    wf_h2_session_send_body(conn->session, x->stream, upload->piece.octets,
                            upload->piece.is_last && trailer_count == 0);
    return true;
}

/* The session is done with the piece that it had. */
static void on_body_sent(struct wf_conn *conn, struct weft_future *x)
{
    struct wf_upload *upload = x->upload;
    if (upload == NULL) {
        wf_conn_sent(conn, x);
        return;
    }
    upload->is_sending = false;
    wf_upload_advance(upload, upload->piece.octets.len);
    if (upload->piece.is_last)
        (void)end_upload(conn, x);
    else
        (void)pull(conn, x);
}

static void use_upload(const struct wf_upload *upload, struct wf_h2_message *message)
{
    message->fields = wf_upload_fields(upload, &message->count);
    if (upload->own_fields != NULL)
        message->cache_key = 0; /* the key is that of the request's own fields */
}

static enum wf_conn_start start(struct wf_conn *conn, struct weft_future *x)
{
    const struct weft_request *request = x->request;
    struct wf_slice body = wf_request_body(request);
    struct wf_h2_message message = {.fields = wf_request_fields(request),
                                    .count = wf_request_field_count(request),
                                    .cache_key = wf_request_cache_key(request),
                                    .end_stream = body.len == 0 && x->upload == NULL,
                                    .is_head = request->is_head};
    if (x->upload != NULL)
        use_upload(x->upload, &message);
    switch (wf_h2_session_request(conn->session, &message, x, &x->stream)) {
    case WF_H2_SUBMITTED:
        break;
    case WF_H2_SUBMIT_NO_CAPACITY:
        return WF_CONN_FULL;
    case WF_H2_SUBMIT_DRAINING:
    case WF_H2_SUBMIT_NO_STREAM_IDS:
        wf_conn_set_draining(conn);
        wf_conn_mark_dirty(conn);
        return WF_CONN_LEAVING;
    case WF_H2_SUBMIT_TOO_LARGE:
        wf_exchange_fail(x, WEFT_ERR_FIELDS_TOO_LARGE, WEFT_STAGE_SEND, WEFT_NOT_SENT,
                         "the request's fields are larger than %s accepts", conn->origin->key);
        return WF_CONN_ENDED;
    case WF_H2_SUBMIT_NO_MEMORY:
        wf_exchange_fail(x, WEFT_ERR_NO_MEMORY, WEFT_STAGE_SEND, WEFT_NOT_SENT,
                         "no memory to send a request");
        return WF_CONN_ENDED;
    }
    wf_conn_take(conn, x);
    x->is_early = !wf_h2_session_is_ready(conn->session);
    wf_conn_mark_dirty(conn);
    if (x->upload != NULL) {
        wf_upload_begin(x->upload);
        return pull(conn, x) ? WF_CONN_STARTED : WF_CONN_ENDED;
    }
    if (body.len > 0)
        wf_h2_session_send_body(conn->session, x->stream, body, true);
    return WF_CONN_STARTED;
}

/* When the peer is done with the stream, what becomes of an upload that goes on is watched. */
static void on_peer_end(struct wf_conn *conn, const struct wf_h2_event *event)
{
    if (event->end_stream && wf_h2_stream_late_body(event->stream) > 0)
        wf_conn_watch_late(conn, wf_h2_stream_user(event->stream));
}

static void on_headers(struct wf_conn *conn, const struct wf_h2_event *event)
{
    struct weft_future *x = wf_h2_stream_user(event->stream);
    const struct wf_field_section *section = event->headers.section;
    switch (event->headers.kind) {
    case WF_H2_SECTION_INFORMATIONAL:
        wf_conn_recv_informational(conn, x, event->headers.status, section);
        return;
    case WF_H2_SECTION_RESPONSE:
        wf_conn_recv_head(conn, x, event->headers.status, event->headers.content_length, section);
        return;
    case WF_H2_SECTION_TRAILERS:
        wf_conn_recv_trailers(conn, x, section);
        return;
    case WF_H2_SECTION_REQUEST:
        break;
    }
    WF_UNREACHABLE("a client's session makes no requests");
}

static void on_data(struct wf_conn *conn, const struct wf_h2_event *event)
{
    struct weft_future *x = wf_h2_stream_user(event->stream);
    struct wf_slice bytes = event->data.bytes;
    if (bytes.len > 0 && wf_conn_recv_body(conn, x, bytes))
        wf_h2_session_consume(conn->session, event->stream, bytes.len);
}

/* Errors of ours that say that the peer went beyond what it may: docs/CONFORMANCE.md, Limits. */
static bool is_limit(uint32_t code)
{
    return code == WF_H2_ENHANCE_YOUR_CALM || code == WF_H2_FLOW_CONTROL_ERROR ||
           code == WF_H2_SETTINGS_TIMEOUT;
}

static void on_message(struct wf_conn *conn, const struct wf_h2_event *event)
{
    struct weft_future *x = wf_h2_stream_user(event->stream);
    bool ends_first = event->end_stream && x->upload != NULL && !x->upload->is_sent;
    if (ends_first)
        wf_exchange_hold(x); /* what came may end it */
    else
        on_peer_end(conn, event);
    if (event->type == WF_H2_EVENT_HEADERS)
        on_headers(conn, event);
    else
        on_data(conn, event);
    if (!ends_first)
        return;
    if (x->conn != NULL)
        wf_conn_recv_end(conn, x);
    wf_exchange_drop(x, WF_ENGINE_REF);
}

/* RFC 9113 section 7. Where HTTP/1.1 can be had, the request is tried again with it. */
static void fail_for_http1(struct wf_conn *conn, struct weft_future *x,
                           const struct wf_h2_event *event)
{
    enum weft_effect effect = effect_of(event->closed.effect);
    struct weft_error error;
    const char *but = "";
    if (!wf_origin_require_http1(conn->origin))
        but = conn->origin->https ? ", which the configuration does not allow"
                                  : ", and was spoken to with prior knowledge of HTTP/2";
    wf_error_set(&error, WEFT_ERR_NOT_HTTP2, wf_conn_stage_of(x, effect), effect,
                 "%s requires HTTP/1.1 (HTTP_1_1_REQUIRED)%s", conn->origin->key, but);
    error.h2_code = event->closed.code;
    wf_retry_or_end(x, conn, &error);
}

static enum weft_code code_of(struct wf_conn *conn, const struct wf_h2_event *event)
{
    switch (event->closed.end) {
    case WF_H2_END_COMPLETE:
        return WEFT_OK;
    case WF_H2_END_RESET_BY_PEER:
        return event->closed.code == WF_H2_REFUSED_STREAM ? WEFT_ERR_REFUSED : WEFT_ERR_RESET;
    case WF_H2_END_STREAM_ERROR:
        if (event->closed.code == WF_H2_ENHANCE_YOUR_CALM)
            return WEFT_ERR_FIELDS_TOO_LARGE;
        return event->closed.code == WF_H2_INTERNAL_ERROR ? WEFT_ERR_NO_MEMORY : WEFT_ERR_PROTOCOL;
    case WF_H2_END_GOAWAY:
        return WEFT_ERR_GOAWAY;
    case WF_H2_END_CONNECTION_ERROR:
    case WF_H2_END_CONNECTION_LOST:
        return conn->error.code != WEFT_OK ? conn->error.code : WEFT_ERR_CONNECTION_LOST;
    }
    WF_UNREACHABLE("no other end");
}

static void fail_closed(struct wf_conn *conn, struct weft_future *x,
                        const struct wf_h2_event *event)
{
    enum weft_code code = code_of(conn, event);
    enum weft_effect effect = effect_of(event->closed.effect);
    const char *origin = conn->origin->key;
    const char *name = wf_h2_code_name(event->closed.code);
    struct weft_error error;
    switch (event->closed.end) {
    case WF_H2_END_RESET_BY_PEER:
        wf_error_set(&error, code, wf_conn_stage_of(x, effect), effect, "%s reset the stream: %s",
                     origin, name);
        break;
    case WF_H2_END_STREAM_ERROR:
        if (is_limit(event->closed.code))
            wf_io_thread_count_limit(conn->io, event->closed.code == WF_H2_ENHANCE_YOUR_CALM
                                                   ? WEFT_LIMIT_FIELDS
                                                   : WEFT_LIMIT_FRAMES);
        wf_error_set(&error, code, wf_conn_stage_of(x, effect), effect,
                     "%s sent a response that is not valid: %s (%s)", origin, event->closed.reason,
                     name);
        break;
    case WF_H2_END_GOAWAY:
        wf_error_set(&error, code, wf_conn_stage_of(x, effect), effect,
                     "%s ended the connection (GOAWAY, %s) without processing the request", origin,
                     name);
        break;
    case WF_H2_END_COMPLETE:
    case WF_H2_END_CONNECTION_ERROR:
    case WF_H2_END_CONNECTION_LOST:
        wf_error_set(&error, code, wf_conn_stage_of(x, effect), effect, "%s",
                     conn->error.code != WEFT_OK ? conn->error.text : "the connection was lost");
        error.sys_errno = conn->error.sys_errno;
        error.tls_code = conn->error.tls_code;
        break;
    }
    error.h2_code = event->closed.code;
    wf_retry_or_end(x, conn, &error);
}

static bool wants_http1(const struct wf_h2_event *event)
{
    return event->closed.code == WF_H2_HTTP_1_1_REQUIRED &&
           (event->closed.end == WF_H2_END_RESET_BY_PEER || event->closed.end == WF_H2_END_GOAWAY);
}

static void on_closed(struct wf_conn *conn, const struct wf_h2_event *event)
{
    struct weft_future *x = wf_h2_stream_user(event->stream);
    x->content_sent = wf_h2_stream_body_sent(event->stream);
    wf_conn_let_go(conn, x);
    if (event->closed.end == WF_H2_END_COMPLETE) {
        wf_exchange_finish(x, NULL);
        return;
    }
    /* RFC 9113 section 5.1.2: the peer's limit was not known yet, and what is refused was not
     * processed (section 8.7). Now the limit is known. */
    bool is_refused =
        event->closed.end == WF_H2_END_RESET_BY_PEER && event->closed.code == WF_H2_REFUSED_STREAM;
    if (is_refused && wf_retry_early(x, conn))
        return;
    if (wants_http1(event))
        fail_for_http1(conn, x, event);
    else
        fail_closed(conn, x, event);
}

static void on_connection_error(struct wf_conn *conn, const struct wf_h2_event *event)
{
    const struct wf_h2_err *err = &event->error;
    bool not_http2 = err->reason != NULL && strstr(err->reason, "not HTTP/2") != NULL;
    wf_error_set(&conn->error, not_http2 ? WEFT_ERR_NOT_HTTP2 : WEFT_ERR_PROTOCOL, WEFT_STAGE_WAIT,
                 WEFT_NOT_SENT, "%s %s: %s (%s)", conn->origin->key,
                 not_http2 ? "does not speak HTTP/2" : "broke a rule of HTTP/2", err->reason,
                 wf_h2_code_name(err->code));
    conn->error.h2_code = err->code;
    if (is_limit(err->code))
        wf_io_thread_count_limit(conn->io, WEFT_LIMIT_FRAMES);
    wf_conn_set_draining(conn);
    wf_conn_mark_dirty(conn);
}

static void on_goaway(struct wf_conn *conn, const struct wf_h2_event *event)
{
    conn->goaway_code = event->goaway.code;
    wf_log_conn(conn, event->goaway.code == WF_H2_NO_ERROR ? WEFT_LOG_INFO : WEFT_LOG_WARNING,
                "GOAWAY: %s", wf_h2_code_name(event->goaway.code));
    if (event->goaway.code == WF_H2_HTTP_1_1_REQUIRED)
        (void)wf_origin_require_http1(conn->origin); /* each request is told if that cannot be */
    wf_conn_set_draining(conn);
    wf_conn_mark_dirty(conn);
}

static void handle(struct wf_conn *conn, const struct wf_h2_event *event)
{
    switch (event->type) {
    case WF_H2_EVENT_HEADERS:
    case WF_H2_EVENT_DATA:
        on_message(conn, event);
        return;
    case WF_H2_EVENT_BODY_SENT:
        on_body_sent(conn, wf_h2_stream_user(event->stream));
        return;
    case WF_H2_EVENT_CLOSED:
        on_closed(conn, event);
        return;
    case WF_H2_EVENT_SETTINGS:
        wf_demand_learn_limit(conn->origin, wf_h2_session_max_streams(conn->session));
        wf_origin_pump_later(conn->origin);
        return;
    case WF_H2_EVENT_SETTINGS_ACK:
    case WF_H2_EVENT_PING_ACK:
        return;
    case WF_H2_EVENT_GOAWAY:
        on_goaway(conn, event);
        return;
    case WF_H2_EVENT_CONNECTION_ERROR:
        on_connection_error(conn, event);
        return;
    }
}

static void count_windows(struct wf_conn *conn, struct wf_h2_windows windows)
{
    struct wf_io_stats *stats = &conn->io->stats;
    wf_stat_add(&stats->send_window, (uint64_t)windows.send - conn->windows.send);
    wf_stat_add(&stats->receive_window, (uint64_t)windows.receive - conn->windows.receive);
    conn->windows = windows;
}

static void feed(struct wf_conn *conn, struct wf_slice *in)
{
    struct wf_h2_event event;
    while (wf_h2_session_next(conn->session, conn->io->now_ms, in, &event))
        handle(conn, &event);
    count_windows(conn, wf_h2_session_windows(conn->session));
}

static size_t output(struct wf_conn *conn, struct wf_slice *slices, size_t max, size_t budget)
{
    return wf_h2_session_output(conn->session, slices, max, budget);
}

static void wrote(struct wf_conn *conn, size_t len)
{
    wf_h2_session_wrote(conn->session, len);
}

static bool wants_write(const struct wf_conn *conn)
{
    return wf_h2_session_wants_write(conn->session);
}

static uint64_t deadline(const struct wf_conn *conn)
{
    return wf_h2_session_deadline(conn->session);
}

static void timeout(struct wf_conn *conn)
{
    wf_h2_session_timeout(conn->session, conn->io->now_ms);
}

static void goodbye(struct wf_conn *conn)
{
    /* No memory for it: the peer sees the end of the connection instead. */
    (void)wf_h2_session_goaway(conn->session, WF_H2_NO_ERROR, NULL);
}

static bool ping(struct wf_conn *conn, const uint8_t opaque[8])
{
    return wf_h2_session_ping(conn->session, opaque);
}

static void trim(struct wf_conn *conn)
{
    wf_h2_session_trim(conn->session);
}

static void lost(struct wf_conn *conn)
{
    struct wf_slice nothing = {NULL, 0};
    wf_h2_session_lost(conn->session);
    feed(conn, &nothing);
}

static bool is_dead(const struct wf_conn *conn)
{
    return wf_h2_session_is_dead(conn->session);
}

static bool is_ready(const struct wf_conn *conn)
{
    return wf_h2_session_is_ready(conn->session);
}

/* Without what of the current piece is in frames already. */
static size_t upload_left(const struct weft_future *x)
{
    size_t left = wf_upload_left(x->upload);
    if (x->upload->is_sending)
        left -= x->upload->piece.octets.len - wf_h2_stream_late_body(x->stream);
    return left;
}

static size_t late_body(const struct weft_future *x)
{
    if (x->upload != NULL)
        return x->upload->is_late ? upload_left(x) : 0;
    return wf_h2_stream_late_body(x->stream);
}

static size_t recv_room(const struct weft_future *x)
{
    return wf_h2_stream_recv_room(x->stream);
}

static uint64_t body_sent(const struct weft_future *x)
{
    return wf_h2_stream_body_sent(x->stream);
}

static bool make_session(struct wf_conn *conn)
{
    const struct weft_config *config = &conn->io->engine->config;
    struct wf_h2_config h2 = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    h2.initial_window_size = config->stream_window;
    h2.connection_window = config->connection_window;
    h2.max_stream_window = config->max_stream_window;
    h2.max_connection_window = config->max_connection_window;
    h2.max_growth = config->max_connection_window;
    h2.growth_pool = &conn->io->growth;
    h2.max_header_list_size = config->max_header_list_size;
    /* Huffman code may make a block longer than what it decodes to, though nobody need use it. */
    if (h2.max_field_block_len / 2 < config->max_header_list_size)
        h2.max_field_block_len = config->max_header_list_size * 2;
    h2.max_continuations += h2.max_field_block_len / h2.max_frame_size;
    h2.max_fields = config->max_header_fields;
    h2.max_informational = config->max_informational;
    h2.control_burst = config->control_burst;
    /* What another connection was told most likely holds for this one. */
    if (conn->origin->stream_limit > 0 && conn->origin->stream_limit < h2.assumed_streams)
        h2.assumed_streams = conn->origin->stream_limit;
    if (config->trace != NULL) {
        h2.trace = wf_trace_frame;
        h2.trace_user = conn;
    }
    conn->session = wf_h2_session_new(&h2, conn->io->now_ms);
    return conn->session != NULL;
}

static void free_session(struct wf_conn *conn)
{
    count_windows(conn, (struct wf_h2_windows){0});
    wf_h2_session_free(conn->session);
}

const struct wf_protocol_ops wf_protocol_h2 = {
    .id = WF_PROTOCOL_H2,
    .name = "h2",
    .make = make_session,
    .free = free_session,
    .capacity = capacity,
    .open_count = open_count,
    .start = start,
    .cancel = cancel,
    .pull = pull,
    .stop_upload = stop_upload,
    .describe = describe,
    .credit = credit,
    .late_body = late_body,
    .recv_room = recv_room,
    .body_sent = body_sent,
    .feed = feed,
    .output = output,
    .wrote = wrote,
    .wants_write = wants_write,
    .deadline = deadline,
    .timeout = timeout,
    .goodbye = goodbye,
    .ping = ping,
    .trim = trim,
    .lost = lost,
    .is_dead = is_dead,
    .is_ready = is_ready,
};
