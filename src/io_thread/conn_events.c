/* What a session has to say, in terms of exchanges. */
#include "io_thread/conn.h"

#include "base/assert.h"
#include "io_thread/body_stream.h"
#include "io_thread/conn_watch.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "message/error.h"

#include <inttypes.h>
#include <stdio.h>
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

static enum weft_stage stage_of(const struct weft_future *x, enum weft_effect effect)
{
    if (x->response.status != 0)
        return WEFT_STAGE_BODY;
    bool body_waits = x->stage == WEFT_STAGE_SEND && wf_request_body(x->request).len > 0;
    if (effect == WEFT_NOT_SENT || body_waits)
        return WEFT_STAGE_SEND;
    return WEFT_STAGE_WAIT;
}

/* @x has no stream any more. */
static void let_go(struct wf_conn *conn, struct weft_future *x)
{
    wf_assert(x->conn == conn);
    wf_list_remove(&x->node);
    x->conn = NULL;
    x->stream = NULL;
    wf_stat_sub(&conn->io->stats.streams_open, 1);
    if (conn->origin->waiting_count > 0 || conn->state != WF_CONN_OPEN)
        wf_origin_pump_later(conn->origin);
    if (conn->state == WF_CONN_DRAINING)
        wf_conn_mark_dirty(conn);
}

void wf_conn_cancel(struct wf_conn *conn, struct weft_future *x)
{
    wf_h2_session_reset(conn->session, x->stream, WF_H2_CANCEL);
    let_go(conn, x);
    wf_conn_mark_dirty(conn);
}

void wf_conn_describe(const struct wf_conn *conn, const struct weft_future *x,
                      enum weft_stage *out_stage, enum weft_effect *out_effect)
{
    *out_effect = effect_of(wf_h2_stream_effect(conn->session, x->stream));
    *out_stage = wf_h2_stream_was_sent(conn->session, x->stream) ? stage_of(x, *out_effect)
                                                                 : WEFT_STAGE_SEND;
}

void wf_conn_credit(struct wf_conn *conn, struct weft_future *x, size_t len)
{
    wf_h2_session_consume(conn->session, x->stream, len);
    if (wf_h2_session_wants_write(conn->session))
        wf_conn_mark_dirty(conn);
}

uint32_t wf_conn_capacity(const struct wf_conn *conn)
{
    return conn->state == WF_CONN_OPEN ? wf_h2_session_capacity(conn->session) : 0;
}

enum wf_conn_start wf_conn_start(struct wf_conn *conn, struct weft_future *x)
{
    const struct weft_request *request = x->request;
    struct wf_slice body = wf_request_body(request);
    struct wf_h2_message message = {.fields = wf_request_fields(request),
                                    .count = wf_request_field_count(request),
                                    .cache_key = wf_request_cache_key(request),
                                    .end_stream = body.len == 0,
                                    .is_head = request->is_head};
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
    x->conn = conn;
    x->stage = WEFT_STAGE_SEND;
    x->is_early = !wf_h2_session_is_ready(conn->session);
    wf_list_push_back(&conn->exchanges, &x->node);
    wf_stat_add(&conn->io->stats.streams_open, 1);
    if (body.len > 0)
        wf_h2_session_send_body(conn->session, x->stream, body, true);
    wf_conn_mark_dirty(conn);
    return WF_CONN_STARTED;
}

void wf_conn_give_up(struct wf_conn *conn, struct weft_future *x, enum weft_code code,
                     const char *text)
{
    if (code != WEFT_ERR_NO_MEMORY)
        wf_stat_add(&conn->io->stats.limits_reached, 1);
    wf_conn_cancel(conn, x);
    wf_exchange_fail(x, code, WEFT_STAGE_BODY, WEFT_PROCESSED, "%s: %s", conn->origin->key, text);
}

void wf_conn_leave_upload(struct wf_conn *conn, struct weft_future *x)
{
    wf_h2_session_reset(conn->session, x->stream, WF_H2_NO_ERROR);
    let_go(conn, x);
    wf_conn_mark_dirty(conn);
    wf_exchange_finish(x, NULL);
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
    struct wf_pool *pool = conn->io->engine->responses;
    bool stored = true;
    switch (event->headers.kind) {
    case WF_H2_SECTION_INFORMATIONAL:
        stored = wf_informational_append(&x->informational, pool, event->headers.status,
                                         event->headers.section);
        if (stored)
            wf_exchange_publish_more(x);
        break;
    case WF_H2_SECTION_RESPONSE:
        conn->had_response = true;
        stored =
            wf_response_set_head(&x->response, pool, event->headers.status, event->headers.section);
        x->content_length = event->headers.content_length;
        if (stored)
            wf_exchange_publish_head(x);
        break;
    case WF_H2_SECTION_TRAILERS:
        stored = wf_response_set_trailers(&x->response, pool, event->headers.section);
        break;
    case WF_H2_SECTION_REQUEST:
        WF_UNREACHABLE("a client's session makes no requests");
    }
    if (!stored)
        wf_conn_give_up(conn, x, WEFT_ERR_NO_MEMORY, "no memory for the response's fields");
}

/* Bodies that fit into their exchange's own block are not counted. False: the request was ended. */
static bool count_buffered(struct wf_conn *conn, struct weft_future *x, size_t len)
{
    if (x->body_received <= WF_RESPONSE_BLOCK_LEN && x->body_mode == WF_BODY_COLLECT)
        return true;
    uint64_t more = x->body_mode == WF_BODY_COLLECT ? x->body_received - x->buffered : len;
    if (wf_exchange_buffer(x, more))
        return true;
    char text[120];
    (void)snprintf(text, sizeof(text),
                   "the bodies that wait for their readers exceed max_buffered, %" PRIu64 " octets",
                   conn->io->engine->config.max_buffered);
    wf_conn_give_up(conn, x, WEFT_ERR_BODY_TOO_LARGE, text);
    return false;
}

static bool collect(struct wf_conn *conn, struct weft_future *x, struct wf_slice bytes)
{
    struct weft_client *engine = conn->io->engine;
    if (x->body_received > engine->config.max_body_size) {
        char text[120];
        (void)snprintf(text, sizeof(text),
                       "the response's body is larger than max_body_size, %" PRIu64 " octets",
                       engine->config.max_body_size);
        wf_conn_give_up(conn, x, WEFT_ERR_BODY_TOO_LARGE, text);
        return false;
    }
    if (!count_buffered(conn, x, bytes.len))
        return false;
    if (!wf_response_append_body(&x->response, engine->responses, bytes, x->content_length)) {
        wf_conn_give_up(conn, x, WEFT_ERR_NO_MEMORY, "no memory for the response's body");
        return false;
    }
    return true;
}

static void on_data(struct wf_conn *conn, const struct wf_h2_event *event)
{
    struct weft_future *x = wf_h2_stream_user(event->stream);
    struct wf_slice bytes = event->data.bytes;
    if (bytes.len == 0)
        return;
    x->body_received += bytes.len;
    switch ((enum wf_body_mode)x->body_mode) {
    case WF_BODY_COLLECT:
        if (!collect(conn, x, bytes))
            return;
        break;
    case WF_BODY_STREAM:
        if (!count_buffered(conn, x, bytes.len))
            return;
        if (!wf_body_stream_append(x->body, bytes)) {
            wf_conn_give_up(conn, x, WEFT_ERR_NO_MEMORY, "no memory for the response's body");
            return;
        }
        wf_exchange_publish_more(x);
        return; /* the reader gives the credit back */
    case WF_BODY_DISCARD:
        break;
    }
    wf_h2_session_consume(conn->session, event->stream, bytes.len);
}

static enum weft_code code_of(struct wf_conn *conn, const struct wf_h2_event *event)
{
    switch (event->closed.end) {
    case WF_H2_END_COMPLETE:
        return WEFT_OK;
    case WF_H2_END_RESET_BY_PEER:
        if (event->closed.code == WF_H2_HTTP_1_1_REQUIRED)
            return WEFT_ERR_NOT_HTTP2;
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
        wf_error_set(&error, code, stage_of(x, effect), effect, "%s reset the stream: %s", origin,
                     name);
        break;
    case WF_H2_END_STREAM_ERROR:
        if (event->closed.code == WF_H2_ENHANCE_YOUR_CALM)
            wf_stat_add(&conn->io->stats.limits_reached, 1);
        wf_error_set(&error, code, stage_of(x, effect), effect,
                     "%s sent a response that is not valid: %s (%s)", origin, event->closed.reason,
                     name);
        break;
    case WF_H2_END_GOAWAY:
        wf_error_set(&error, code, stage_of(x, effect), effect,
                     "%s ended the connection (GOAWAY, %s) without processing the request", origin,
                     name);
        break;
    case WF_H2_END_COMPLETE:
    case WF_H2_END_CONNECTION_ERROR:
    case WF_H2_END_CONNECTION_LOST:
        wf_error_set(&error, code, stage_of(x, effect), effect, "%s",
                     conn->error.code != WEFT_OK ? conn->error.text : "the connection was lost");
        error.sys_errno = conn->error.sys_errno;
        error.tls_code = conn->error.tls_code;
        break;
    }
    error.h2_code = event->closed.code;
    wf_exchange_finish_copy(x, &error);
}

/* RFC 9113 section 5.1.2: the peer's limit was not known yet, and what is refused was not processed
 * (section 8.7). Once: now the limit is known. */
static void send_again(struct wf_conn *conn, struct weft_future *x)
{
    x->was_refused = true;
    x->stage = WEFT_STAGE_QUEUE;
    wf_origin_return(conn->origin, x);
}

static void on_closed(struct wf_conn *conn, const struct wf_h2_event *event)
{
    struct weft_future *x = wf_h2_stream_user(event->stream);
    let_go(conn, x);
    if (event->closed.end == WF_H2_END_COMPLETE)
        wf_exchange_finish(x, NULL);
    else if (x->is_early && !x->was_refused && event->closed.end == WF_H2_END_RESET_BY_PEER &&
             event->closed.code == WF_H2_REFUSED_STREAM && x->response.status == 0)
        send_again(conn, x);
    else
        fail_closed(conn, x, event);
}

static void on_connection_error(struct wf_conn *conn, const struct wf_h2_event *event)
{
    const struct wf_h2_err *err = &event->error;
    bool not_http2 = err->reason != NULL && strstr(err->reason, "HTTP/1") != NULL;
    wf_error_set(&conn->error, not_http2 ? WEFT_ERR_NOT_HTTP2 : WEFT_ERR_PROTOCOL, WEFT_STAGE_WAIT,
                 WEFT_NOT_SENT, "%s %s: %s (%s)", conn->origin->key,
                 not_http2 ? "does not speak HTTP/2" : "broke a rule of HTTP/2", err->reason,
                 wf_h2_code_name(err->code));
    conn->error.h2_code = err->code;
    if (err->code == WF_H2_ENHANCE_YOUR_CALM)
        wf_stat_add(&conn->io->stats.limits_reached, 1);
    wf_conn_set_draining(conn);
    wf_conn_mark_dirty(conn);
}

static void on_goaway(struct wf_conn *conn, const struct wf_h2_event *event)
{
    conn->goaway_code = event->goaway.code;
    wf_conn_set_draining(conn);
    wf_conn_mark_dirty(conn);
}

void wf_conn_handle(struct wf_conn *conn, const struct wf_h2_event *event)
{
    switch (event->type) {
    case WF_H2_EVENT_HEADERS:
        on_peer_end(conn, event);
        on_headers(conn, event);
        return;
    case WF_H2_EVENT_DATA:
        on_peer_end(conn, event);
        on_data(conn, event);
        return;
    case WF_H2_EVENT_BODY_SENT: {
        struct weft_future *x = wf_h2_stream_user(event->stream);
        x->stage = WEFT_STAGE_WAIT;
        return;
    }
    case WF_H2_EVENT_CLOSED:
        on_closed(conn, event);
        return;
    case WF_H2_EVENT_SETTINGS:
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

void wf_conn_drain_events(struct wf_conn *conn)
{
    struct wf_slice nothing = {NULL, 0};
    struct wf_h2_event event;
    while (wf_h2_session_next(conn->session, conn->io->now_ms, &nothing, &event))
        wf_conn_handle(conn, &event);
    if (wf_h2_session_is_dead(conn->session))
        wf_conn_finish(conn);
}
