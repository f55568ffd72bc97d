#include "io_thread/exchange.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/pool.h"
#include "io_thread/body_sink.h"
#include "io_thread/body_stream.h"
#include "io_thread/delivery.h"
#include "io_thread/engine.h"
#include "io_thread/extra.h"
#include "io_thread/io_thread.h"
#include "io_thread/protocol.h"
#include "io_thread/retry.h"
#include "io_thread/upload.h"
#include "message/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS     1000000u
#define TAKEN_AT_ONCE 64u

static uint64_t deadline_of(const struct weft_client *engine, const struct weft_delivery *how,
                            uint64_t now_ns)
{
    int64_t given = how->deadline_ms != 0 ? how->deadline_ms : engine->config.deadline_ms;
    if (given < 0)
        return WF_TIMER_NONE;
    /* Rounded up: a deadline is never early. */
    return (now_ns + NS_PER_MS - 1) / NS_PER_MS + (uint64_t)given;
}

static void fill_delivery(struct weft_future *x, const struct weft_delivery *how)
{
    bool has_callback = how->done != NULL || how->event != NULL;
    x->is_told_twice = has_callback && how->cq != NULL;
    if (has_callback) {
        x->delivery = WF_DELIVER_CALLBACK;
        x->done = how->done;
        x->context = how->user;
    } else if (how->cq != NULL) {
        x->delivery = WF_DELIVER_CQ;
        x->cq = how->cq;
        x->context = how->tag;
        wf_delivery_cq_ref(how->cq);
    } else {
        x->delivery = WF_DELIVER_NONE;
        x->cq = NULL;
        x->context = how->tag;
    }
}

/* In a child the pool's locks may be held by threads that are not there; malloc() takes care of its
 * own. */
WF_SELDOM static size_t take_forked(struct weft_future **out)
{
    out[0] = wf_calloc(1, sizeof(*out[0]));
    if (out[0] == NULL)
        return 0;
    out[0]->is_forked = true;
    return 1;
}

size_t wf_exchange_take(struct weft_client *engine, struct weft_future **out, size_t count)
{
    if (WF_UNLIKELY(wf_engine_is_forked(engine)))
        return take_forked(out);
    void *blocks[TAKEN_AT_ONCE];
    size_t taken =
        wf_pool_take_many(engine->exchanges, blocks, count < TAKEN_AT_ONCE ? count : TAKEN_AT_ONCE);
    for (size_t i = 0; i < taken; i++) {
        out[i] = blocks[i];
        out[i]->is_forked = false;
    }
    return taken;
}

void wf_exchange_give(struct weft_client *engine, struct weft_future *x)
{
    if (x->is_forked)
        wf_free(x);
    else
        wf_pool_give(engine->exchanges, x);
}

#define SPECIAL_FLAGS (WEFT_STREAM_BODY | WEFT_DISCARD_BODY | WEFT_STREAM_UPLOAD | WEFT_BODY_TO_FD)

static bool make_bodies(struct weft_future *x, const struct weft_delivery *how)
{
    if ((how->flags & (WEFT_STREAM_BODY | WEFT_BODY_TO_FD)) != 0) {
        x->body_mode = WF_BODY_STREAM;
        x->body = wf_body_stream_new(x, how->event);
        if (x->body == NULL)
            return false;
    } else if ((how->flags & WEFT_DISCARD_BODY) != 0) {
        x->body_mode = WF_BODY_DISCARD;
    }
    bool has_sink = (how->flags & WEFT_BODY_TO_FD) != 0;
    bool has_upload = (how->flags & WEFT_STREAM_UPLOAD) != 0 || wf_request_has_source(x->request);
    if (has_upload)
        x->upload = wf_upload_new(x, how);
    if ((has_upload && x->upload == NULL) ||
        (has_sink && !wf_body_sink_attach(x->body, how->body_fd))) {
        wf_upload_free(x->upload);
        wf_body_stream_free(x->body);
        return false;
    }
    return true;
}

static bool make_limits(struct weft_future *x, const struct weft_delivery *how)
{
    struct wf_extra *extra = wf_extra_get(x);
    if (extra != NULL)
        wf_try_init(&extra->limits, &x->io->engine->config, how);
    return extra != NULL;
}

/* What most exchanges do without. False: no memory, and nothing is left. */
static bool make_parts(struct weft_future *x, const struct weft_delivery *how)
{
    if (x->is_timed && !make_limits(x, how))
        return false;
    if (make_bodies(x, how))
        return true;
    wf_extra_free(x->io->engine, x);
    return false;
}

bool wf_exchange_init(struct weft_future *x, struct wf_io_thread *io, struct weft_request *request,
                      const struct weft_delivery *how, uint64_t now_ns)
{
    x->body = NULL;
    x->upload = NULL;
    x->body_mode = WF_BODY_COLLECT;
    x->io = io;
    x->request = request;
    atomic_init(&x->extra, NULL);
    /* A child may not take from pools, and does not try either. */
    x->is_timed = !x->is_forked && wf_try_is_limited(&io->engine->config, how);
    x->is_single = (how->flags & WEFT_NO_RETRY) != 0;
    x->may_repeat = (how->flags & WEFT_RETRY_MAYBE) != 0;
    x->was_buffered = false;
    x->error_is_owned = false;
    bool is_plain =
        (how->flags & SPECIAL_FLAGS) == 0 && !x->is_timed && !wf_request_has_source(request);
    if (WF_UNLIKELY(!is_plain) && !make_parts(x, how))
        return false;
    x->item.kind = WF_ITEM_SUBMIT;
    x->message.kind = WF_ITEM_MESSAGE;
    wf_completion_init(&x->completion);
    atomic_init(&x->item.word, WF_USER_REF + WF_ENGINE_REF);
    atomic_init(&x->message.word, 0);
    atomic_init(&x->head_ready, 0);
    (void)weft_request_ref(request);
    fill_delivery(x, how);
    x->deadline_ms = deadline_of(io->engine, how, now_ns);
    x->submitted_ns = now_ns;
    x->times = (struct wf_times){0};
    x->error = NULL;
    wf_response_init(&x->response);
    return true;
}

_Static_assert(WEFT_STAGE_QUEUE == 0 && WEFT_NOT_SENT == 0 && WF_PROTOCOL_NONE == 0,
               "an exchange that was not yet given to a connection is zeros");

uint64_t wf_exchange_enter(struct weft_future *x, wf_timer_fn *deadline_fired)
{
    const size_t first = offsetof(struct weft_future, conn);
    uint64_t deadline_ms = x->deadline_ms;
    x->body_received = 0;
    x->content_length = -1;
    wf_list_init(&x->node);
    wf_timer_init(&x->deadline, deadline_fired);
    memset((char *)x + first, 0, offsetof(struct weft_future, response) - first);
    return deadline_ms;
}

bool wf_exchange_buffer(struct weft_future *x, uint64_t len)
{
    struct wf_io_thread *io = x->io;
    /* Relaxed: a bound on memory. Only this thread adds, so what it sees is never too little. */
    if (atomic_load_explicit(&io->buffered, memory_order_relaxed) + len > io->max_buffered)
        return false;
    atomic_fetch_add_explicit(&io->buffered, len, memory_order_relaxed);
    x->buffered += len;
    x->was_buffered = true;
    return true;
}

void wf_exchange_unbuffer(struct weft_future *x, uint64_t len)
{
    len = len < x->buffered ? len : x->buffered;
    x->buffered -= len;
    atomic_fetch_sub_explicit(&x->io->buffered, len, memory_order_relaxed); /* as above */
}

static void exchange_free(struct weft_future *x)
{
    struct weft_client *engine = x->io->engine;
    /* What a child has of its parent's exchanges is a copy that stays as it is. */
    if (WF_UNLIKELY(wf_engine_is_forked(engine)) && !x->is_forked)
        return;
    /* Small bodies are not counted, so that most exchanges leave the shared number alone. */
    if (x->was_buffered && x->buffered > 0)
        wf_exchange_unbuffer(x, x->buffered);
    wf_response_fini(&x->response, engine->responses);
    if (WF_UNLIKELY(wf_extra_of(x) != NULL))
        wf_extra_free(engine, x);
    wf_body_stream_free(x->body);
    wf_upload_free(x->upload);
    weft_request_unref(x->request);
    if (x->delivery == WF_DELIVER_CQ)
        wf_delivery_cq_unref(x->cq);
    if (x->error_is_owned)
        wf_free((void *)(uintptr_t)x->error);
    wf_exchange_give(engine, x);
}

void wf_exchange_drop(struct weft_future *x, unsigned ref)
{
    /* R12 and A12: each holder's use happens before the memory goes. */
    if (atomic_fetch_sub_explicit(&x->item.word, ref, memory_order_acq_rel) == ref)
        exchange_free(x);
}

void wf_exchange_post(struct weft_future *x, unsigned bits)
{
    /* A wake-up would reach the parent's I/O thread, by the descriptor they share. */
    if (WF_UNLIKELY(wf_engine_is_forked(x->io->engine)))
        return;
    /* R13: what the sender wrote before; pairs with A13 in wf_io_thread_message(). */
    unsigned before =
        atomic_fetch_or_explicit(&x->message.word, bits | WF_MESSAGE_QUEUED, memory_order_acq_rel);
    if ((before & WF_MESSAGE_QUEUED) != 0)
        return;
    wf_exchange_hold(x);
    wf_io_thread_push(x->io, &x->message.mail, &x->message.mail);
}

unsigned wf_exchange_worker(const struct weft_future *x)
{
    /* An exchange stays with one worker; neighbours in memory go to different ones. */
    return (unsigned)((uintptr_t)x / WF_CACHE_LINE) % x->io->engine->config.workers;
}

void wf_exchange_send_event(struct weft_future *x, atomic_uint *notice, weft_event_fn event,
                            struct wf_item *item)
{
    if (x->delivery == WF_DELIVER_NONE || (x->delivery == WF_DELIVER_CALLBACK && event == NULL))
        return;
    struct weft_cq *cq = x->delivery == WF_DELIVER_CQ ? x->cq : NULL;
    /* Relaxed: the queue orders it before the taker's clearing. */
    atomic_fetch_or_explicit(notice, WF_NOTICE_QUEUED, memory_order_relaxed);
    wf_exchange_hold(x);
    wf_outbox_add(&x->io->outbox, x->io->engine, cq, cq == NULL ? wf_exchange_worker(x) : 0, item);
}

static void tell_readable(struct weft_future *x)
{
    wf_completion_notify(&x->completion);
    if (x->body->sink != NULL)
        wf_body_sink_start(x->body->sink);
    if (x->delivery == WF_DELIVER_NONE || x->body->sink != NULL)
        return;
    /* R16: append, then take the mark; pairs with A16 in weft_future_read(): mark, then look. */
    unsigned notice =
        atomic_fetch_and_explicit(&x->body->notice, ~WF_NOTICE_ARMED, memory_order_acq_rel);
    if (notice == WF_NOTICE_ARMED)
        wf_exchange_send_event(x, &x->body->notice, x->body->event, &x->body->readable);
}

void wf_exchange_publish_more(struct weft_future *x)
{
    if (x->body_mode == WF_BODY_STREAM)
        tell_readable(x);
    else if (x->delivery == WF_DELIVER_NONE)
        wf_completion_notify(&x->completion);
}

void wf_exchange_publish_head(struct weft_future *x)
{
    /* R14: publishes status and fields; pairs with A14 in src/future.c. */
    atomic_store_explicit(&x->head_ready, WF_HEAD_READY, memory_order_release);
    wf_exchange_publish_more(x);
}

void wf_exchange_publish_end(struct weft_future *x)
{
    /* R14: all octets were appended before it. */
    atomic_store_explicit(&x->head_ready, WF_BODY_READY, memory_order_release);
    wf_exchange_publish_more(x);
}

bool wf_exchange_is_refused(const struct weft_future *x, struct weft_error *out_error)
{
    const char *text = NULL;
    /* Of octets that are yet to be written nobody knows whether content-length is right. */
    bool is_written = x->upload != NULL && x->upload->source == WF_UPLOAD_WRITER;
    if (wf_request_is_invalid(x->request) || (x->request->failed && !is_written)) {
        wf_request_error(x->request, out_error);
        return true;
    }
    if (x->is_told_twice)
        text = "the delivery names a callback and a queue; it can have one of them";
    else if (x->upload != NULL)
        text = wf_upload_refusal(x->upload);
    if (text != NULL)
        wf_error_set(out_error, WEFT_ERR_INVALID_ARGUMENT, WEFT_STAGE_QUEUE, WEFT_NOT_SENT, "%s",
                     text);
    return text != NULL;
}

/* True: a worker still writes the body, and the end waits for it. The deadline goes on. */
static bool postpone(struct weft_future *x)
{
    if (!wf_body_sink_postpone(x->body->sink))
        return false;
    wf_list_remove(&x->node);
    x->conn = NULL;
    return true;
}

void wf_exchange_finish(struct weft_future *x, const struct weft_error *error)
{
    wf_assert(x->conn == NULL);
    struct wf_io_thread *io = x->io;
    x->error = error != NULL ? error : wf_error_static(WEFT_OK);
    if (WF_UNLIKELY(x->body != NULL) && x->body->sink != NULL && postpone(x))
        return;
    if (x->upload != NULL)
        wf_upload_end(x->upload);
    wf_timer_cancel(&x->deadline);
    wf_list_remove(&x->node);
    x->times.done = wf_span_between(x->submitted_ns, io->now_ns);
    wf_io_thread_count_end(io, error == NULL ? WEFT_OK : error->code);
    x->conn = NULL;
    x->item.kind = WF_ITEM_DONE;
    if (x->delivery == WF_DELIVER_NONE) {
        wf_completion_resolve(&x->completion);
        wf_exchange_drop(x, WF_ENGINE_REF);
        return;
    }
    struct weft_cq *cq = x->delivery == WF_DELIVER_CQ ? x->cq : NULL;
    unsigned worker = cq == NULL ? wf_exchange_worker(x) : 0;
    wf_completion_resolve(&x->completion);
    /* The engine's reference goes with the item. */
    wf_outbox_add(&io->outbox, io->engine, cq, worker, &x->item);
}

void wf_exchange_fail_forked(struct weft_future *x)
{
    (void)wf_exchange_enter(x, NULL); /* none comes to pass */
    x->error = wf_error_static(WEFT_ERR_FORKED);
    x->times.done = wf_span_between(x->submitted_ns, x->submitted_ns);
    x->item.kind = WF_ITEM_DONE;
    wf_completion_resolve(&x->completion);
    if (x->delivery == WF_DELIVER_CQ && !wf_is_forked(x->cq->fork_count)) {
        wf_delivery_cq_push(x->cq, &x->item.mail, &x->item.mail);
        return;
    }
    if (x->delivery == WF_DELIVER_CALLBACK && x->done != NULL)
        x->done(x->context, x);
    wf_exchange_drop(x, WF_ENGINE_REF);
}

void wf_exchange_finish_copy(struct weft_future *x, const struct weft_error *error)
{
    struct weft_error *copy = wf_alloc(sizeof(*copy));
    if (copy == NULL) {
        const struct weft_error *plain = wf_error_static(error->code);
        bool is_true =
            plain->effect >= error->effect && plain->effect >= (enum weft_effect)x->worst;
        wf_exchange_finish(x, is_true ? plain : wf_error_static(WEFT_ERR_NO_MEMORY));
        return;
    }
    *copy = *error;
    wf_retry_sum_up(x, copy);
    x->error_is_owned = true;
    wf_exchange_finish(x, copy);
}

void wf_exchange_fail(struct weft_future *x, enum weft_code code, enum weft_stage stage,
                      enum weft_effect effect, const char *format, ...)
{
    char text[WEFT_ERROR_TEXT_LEN];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct weft_error error;
    wf_error_set(&error, code, stage, effect, "%s", text);
    wf_exchange_finish_copy(x, &error);
}
