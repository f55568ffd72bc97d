#include "exchange.h"

#include "base/assert.h"
#include "connection.h"
#include "h2/session.h"
#include "worker.h"

/* As many as a few busy connections have at once; above, memory goes back. */
#define IDLE_MAX     1024u
#define KEPT_BUF_MAX 65536u
/* What a field section without our own surprises takes in the session's output, roughly. */
#define SECTION_LEN 64u

static void on_timer(struct wf_timer *timer)
{
    struct serve_exchange *x = wf_container_of(timer, struct serve_exchange, timer);
    serve_connection_wake(x->connection);
    x->behaviour->tick(x);
}

static void free_exchange(struct serve_exchange *x)
{
    wf_buf_fini(&x->out);
    wf_buf_fini(&x->waiting);
    wf_free(x);
}

static void reuse_buf(struct wf_buf *buf)
{
    if (buf->cap > KEPT_BUF_MAX)
        wf_buf_fini(buf);
    buf->start = 0;
    buf->end = 0;
}

struct serve_exchange *serve_exchange_begin(struct serve_connection *connection,
                                            const struct serve_request *request,
                                            const struct serve_behaviour *behaviour)
{
    struct serve_worker *worker = connection->worker;
    struct wf_node *node = wf_list_pop_front(&worker->idle_exchanges);
    struct serve_exchange *x;
    if (node != NULL) {
        worker->idle_count--;
        x = wf_container_of(node, struct serve_exchange, node);
    } else {
        x = wf_calloc(1, sizeof(*x));
        if (x == NULL) {
            wf_h2_session_reset(connection->session, request->stream, WF_H2_INTERNAL_ERROR);
            return NULL;
        }
    }
    *x = (struct serve_exchange){.connection = connection,
                                 .stream = request->stream,
                                 .behaviour = behaviour,
                                 .is_head = request->is_head,
                                 .request_ended = request->ended,
                                 .fd = -1,
                                 .out = x->out,
                                 .waiting = x->waiting};
    wf_list_init(&x->node);
    wf_timer_init(&x->timer, on_timer);
    wf_h2_stream_set_user(request->stream, x);
    return x;
}

void serve_exchange_end(struct serve_exchange *x)
{
    struct serve_worker *worker = x->connection->worker;
    if (x->behaviour->over != NULL)
        x->behaviour->over(x);
    wf_timer_cancel(&x->timer);
    if (worker->idle_count >= IDLE_MAX) {
        free_exchange(x);
        return;
    }
    reuse_buf(&x->out);
    reuse_buf(&x->waiting);
    wf_list_push_front(&worker->idle_exchanges, &x->node);
    worker->idle_count++;
}

void serve_exchange_reset(struct serve_exchange *x, uint32_t code)
{
    wf_h2_session_reset(x->connection->session, x->stream, code);
    serve_exchange_end(x);
}

bool serve_exchange_head(struct serve_exchange *x, const struct serve_spec *spec, bool end_stream)
{
    struct serve_connection *c = x->connection;
    const struct serve_reply *reply = serve_replies_get(&c->worker->replies, spec);
    struct wf_h2_message message = {.fields = reply->fields,
                                    .count = reply->count,
                                    .cache_key = reply->key,
                                    .end_stream = end_stream || x->is_head};
    c->queued += SECTION_LEN;
    if (wf_h2_session_send_headers(c->session, x->stream, &message) == WF_H2_SUBMITTED)
        return true;
    serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
    return false;
}

void serve_exchange_give(struct serve_exchange *x, struct wf_slice bytes, bool end)
{
    wf_assert(!x->sending && !x->last_given);
    x->sending = true;
    x->last_given = end;
    wf_h2_session_send_body(x->connection->session, x->stream, bytes, end);
}

void serve_exchange_set_timer(struct serve_exchange *x, uint64_t ms)
{
    struct serve_worker *worker = x->connection->worker;
    wf_timer_set(&worker->timers, &x->timer, worker->now_ms + ms);
}

void serve_exchanges_drop_idle(struct serve_worker *worker)
{
    struct wf_node *node;
    while ((node = wf_list_pop_front(&worker->idle_exchanges)) != NULL)
        free_exchange(wf_container_of(node, struct serve_exchange, node));
    worker->idle_count = 0;
}

void serve_answer(struct serve_connection *c, const struct serve_request *request,
                  const struct serve_spec *spec, struct wf_slice body)
{
    const struct serve_reply *reply = serve_replies_get(&c->worker->replies, spec);
    bool no_body = request->is_head || body.len == 0;
    struct wf_h2_message message = {.fields = reply->fields,
                                    .count = reply->count,
                                    .cache_key = reply->key,
                                    .end_stream = no_body};
    c->queued += SECTION_LEN;
    if (wf_h2_session_send_headers(c->session, request->stream, &message) != WF_H2_SUBMITTED) {
        wf_h2_session_reset(c->session, request->stream, WF_H2_INTERNAL_ERROR);
        return;
    }
    if (!no_body)
        wf_h2_session_send_body(c->session, request->stream, body, true);
    if (request->section == NULL || !request->ended)
        return;
    c->memo = (struct serve_memo){
        .serial = request->section->serial, .spec = *spec, .body = body, .end_stream = no_body};
}

void serve_answer_text(struct serve_connection *c, const struct serve_request *request,
                       uint16_t status, const char *text)
{
    struct serve_spec spec = {
        .status = status, .type = SERVE_TYPE_TEXT, .length = (int64_t)strlen(text)};
    serve_answer(c, request, &spec, wf_slice_str(text));
}
