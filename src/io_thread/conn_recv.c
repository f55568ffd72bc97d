/* Exchanges on a connection, and what comes for them: the same in every protocol. */
#include "io_thread/conn.h"

#include "base/assert.h"
#include "base/field.h"
#include "io_thread/body_stream.h"
#include "io_thread/conn_watch.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/extra.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "io_thread/retry.h"
#include "io_thread/upload.h"

#include <inttypes.h>
#include <stdio.h>

/* 0 of 0, as @when_ns has it. */
static wf_span span_until(const struct weft_future *x, uint64_t when_ns)
{
    return when_ns == 0 ? 0 : wf_span_between(x->submitted_ns, when_ns);
}

static void stamp(struct wf_conn *conn, struct weft_future *x)
{
    x->start.started = wf_span_between(x->submitted_ns, conn->io->now_ns);
    x->start.sent = 0;
    x->conn_id = conn->id;
    x->peer = conn->peer;
    x->conn_was_used = conn->is_used;
    conn->is_used = true;
    if (WF_UNLIKELY(conn->up_at > x->submitted_ns)) {
        x->start.resolved = span_until(x, conn->resolved_at);
        x->start.connected = span_until(x, conn->connected_at);
        x->start.secured = conn->origin->https ? span_until(x, conn->up_at) : 0;
    }
}

static void begin_limits(struct weft_future *x)
{
    wf_try_began(x);
    if (x->upload == NULL && wf_request_body(x->request).len == 0)
        wf_try_sent(x);
}

void wf_conn_take(struct wf_conn *conn, struct weft_future *x)
{
    x->conn = conn;
    x->protocol = (uint8_t)conn->protocol->id;
    x->stage = WEFT_STAGE_SEND;
    stamp(conn, x);
    x->tries++;
    if (WF_UNLIKELY(x->is_timed))
        begin_limits(x);
    wf_list_push_back(&conn->exchanges, &x->node);
    wf_stat_add(&conn->io->stats.streams_open, 1);
}

void wf_conn_sent(struct wf_conn *conn, struct weft_future *x)
{
    x->stage = WEFT_STAGE_WAIT;
    x->start.sent = wf_span_between(x->submitted_ns, conn->io->now_ns);
    if (WF_UNLIKELY(x->is_timed))
        wf_try_sent(x);
}

void wf_conn_let_go(struct wf_conn *conn, struct weft_future *x)
{
    wf_assert(x->conn == conn);
    wf_list_remove(&x->node);
    x->conn = NULL;
    if (WF_UNLIKELY(x->is_timed))
        wf_timer_cancel(&wf_extra_of(x)->limits.timer);
    wf_stat_sub(&conn->io->stats.streams_open, 1);
    if (conn->protocol->one_at_a_time)
        wf_origin_prefer(conn);
    if (conn->origin->waiting_count > 0 || conn->state != WF_CONN_OPEN)
        wf_origin_pump_later(conn->origin);
    if (conn->state == WF_CONN_DRAINING)
        wf_conn_mark_dirty(conn);
}

enum weft_stage wf_conn_stage_of(const struct weft_future *x, enum weft_effect effect)
{
    if (x->response.status != 0)
        return WEFT_STAGE_BODY;
    bool has_body = x->upload != NULL || wf_request_body(x->request).len > 0;
    bool body_waits = x->stage == WEFT_STAGE_SEND && has_body;
    if (effect == WEFT_NOT_SENT || body_waits)
        return WEFT_STAGE_SEND;
    return WEFT_STAGE_WAIT;
}

void wf_conn_give_up(struct wf_conn *conn, struct weft_future *x, enum weft_code code,
                     enum weft_limit limit, const char *text)
{
    if (limit != WEFT_LIMIT_COUNT)
        wf_io_thread_count_limit(conn->io, limit);
    wf_conn_cancel(conn, x);
    wf_exchange_fail(x, code, WEFT_STAGE_BODY, WEFT_PROCESSED, "%s: %s", conn->origin->key, text);
}

void wf_conn_leave_upload(struct wf_conn *conn, struct weft_future *x)
{
    conn->protocol->stop_upload(conn, x);
    wf_exchange_finish(x, NULL);
}

static void no_memory_for_fields(struct wf_conn *conn, struct weft_future *x)
{
    wf_conn_give_up(conn, x, WEFT_ERR_NO_MEMORY, WEFT_LIMIT_COUNT,
                    "no memory for the response's fields");
}

void wf_conn_recv_informational(struct wf_conn *conn, struct weft_future *x, uint16_t status,
                                const struct wf_field_section *section)
{
    wf_conn_ping_served(&conn->ping);
    struct wf_extra *extra = wf_extra_get(x);
    if (extra == NULL || !wf_informational_append(&extra->informational,
                                                  conn->io->engine->responses, status, section)) {
        no_memory_for_fields(conn, x);
        return;
    }
    wf_exchange_publish_more(x);
    if (status == 100 && x->upload != NULL && wf_upload_release(x->upload))
        (void)wf_conn_pull(conn, x);
}

/* RFC 9110 section 10.1.1: a final answer ends the waiting for "100 Continue". One that refuses
 * wants no body; what becomes of the stream is seen when the response is whole. */
static void end_waiting(struct wf_conn *conn, struct weft_future *x, uint16_t status)
{
    if (status >= 400)
        wf_upload_refuse(x->upload);
    else if (wf_upload_release(x->upload))
        (void)wf_conn_pull(conn, x);
}

void wf_conn_recv_end(struct wf_conn *conn, struct weft_future *x)
{
    x->upload->is_late = true;
    wf_exchange_publish_end(x);
    if (x->upload->is_held)
        wf_conn_leave_upload(conn, x);
    else if (conn->protocol->late_body(x) > 0)
        wf_conn_watch_late(conn, x);
}

/* The socket was full in the turn in which @x started, so that its request left it later. */
static void note_unblocked(const struct wf_conn *conn, struct weft_future *x)
{
    wf_span unblocked = wf_span_between(x->submitted_ns, conn->unblocked_at);
    if (unblocked > x->start.started && x->start.sent == 0)
        x->start.sent = unblocked;
}

/* Answers mostly come in the order of the requests. */
static void expect_next(const struct weft_future *x)
{
    const char *next = (const char *)wf_container_of(x->node.next, struct weft_future, node);
    for (size_t i = 0; i < sizeof(*x); i += WF_CACHE_LINE)
        __builtin_prefetch(next + i, 1);
}

void wf_conn_recv_head(struct wf_conn *conn, struct weft_future *x, uint16_t status,
                       int64_t content_length, const struct wf_field_section *section)
{
    conn->had_response = true;
    wf_conn_ping_served(&conn->ping);
    if (WF_UNLIKELY(status == 417) && x->upload != NULL && wf_retry_without_expect(x, conn))
        return;
    expect_next(x);
    x->content_length = content_length;
    x->times.head = wf_span_between(x->submitted_ns, conn->io->now_ns);
    if (WF_UNLIKELY(conn->unblocked_at > x->submitted_ns))
        note_unblocked(conn, x);
    if (!wf_response_set_head(&x->response, conn->io->engine->responses, status, section)) {
        no_memory_for_fields(conn, x);
        return;
    }
    wf_exchange_publish_head(x);
    if (WF_UNLIKELY(x->upload != NULL))
        end_waiting(conn, x, status);
}

void wf_conn_recv_trailers(struct wf_conn *conn, struct weft_future *x,
                           const struct wf_field_section *section)
{
    if (!wf_response_set_trailers(&x->response, conn->io->engine->responses, section))
        no_memory_for_fields(conn, x);
}

WF_SELDOM static void too_much_is_buffered(struct wf_conn *conn, struct weft_future *x)
{
    char text[120];
    (void)snprintf(text, sizeof(text),
                   "the bodies that wait for their readers exceed max_buffered, %" PRIu64 " octets",
                   conn->io->engine->config.max_buffered);
    wf_conn_give_up(conn, x, WEFT_ERR_BODY_TOO_LARGE, WEFT_LIMIT_BUFFERED, text);
}

/* Counts @more octets that wait for their reader. False: the request was ended. */
static bool count_buffered(struct wf_conn *conn, struct weft_future *x, uint64_t more)
{
    if (wf_exchange_buffer(x, more))
        return true;
    too_much_is_buffered(conn, x);
    return false;
}

WF_SELDOM static void body_is_too_large(struct wf_conn *conn, struct weft_future *x)
{
    char text[120];
    (void)snprintf(text, sizeof(text),
                   "the response's body is larger than max_body_size, %" PRIu64 " octets",
                   conn->io->engine->config.max_body_size);
    wf_conn_give_up(conn, x, WEFT_ERR_BODY_TOO_LARGE, WEFT_LIMIT_BODY, text);
}

WF_SELDOM static void no_memory_for_body(struct wf_conn *conn, struct weft_future *x)
{
    wf_conn_give_up(conn, x, WEFT_ERR_NO_MEMORY, WEFT_LIMIT_COUNT,
                    "no memory for the response's body");
}

static bool collect(struct wf_conn *conn, struct weft_future *x, struct wf_slice bytes)
{
    struct weft_client *engine = conn->io->engine;
    if (x->body_received > engine->config.max_body_size) {
        body_is_too_large(conn, x);
        return false;
    }
    /* What fits into its exchange's own block is not counted. */
    if (x->body_received > WF_RESPONSE_BLOCK_LEN &&
        !count_buffered(conn, x, x->body_received - x->buffered))
        return false;
    if (!wf_response_append_body(&x->response, engine->responses, bytes, x->content_length)) {
        no_memory_for_body(conn, x);
        return false;
    }
    return true;
}

/* The reader gives the credit back. */
static void stream(struct wf_conn *conn, struct weft_future *x, struct wf_slice bytes)
{
    if (!count_buffered(conn, x, bytes.len))
        return;
    if (wf_body_stream_append(x->body, bytes))
        wf_exchange_publish_more(x);
    else
        no_memory_for_body(conn, x);
}

bool wf_conn_recv_body(struct wf_conn *conn, struct weft_future *x, struct wf_slice bytes)
{
    x->body_received += bytes.len;
    wf_conn_ping_served(&conn->ping);
    switch ((enum wf_body_mode)x->body_mode) {
    case WF_BODY_COLLECT:
        return collect(conn, x, bytes);
    case WF_BODY_STREAM:
        stream(conn, x, bytes);
        return false;
    case WF_BODY_DISCARD:
        return true;
    }
    WF_UNREACHABLE("no other mode");
}
