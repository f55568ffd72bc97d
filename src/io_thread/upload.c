/* The life of an upload, and its I/O thread's end. */
#include "io_thread/upload.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io_thread/body_stream.h"
#include "io_thread/conn.h"
#include "io_thread/delivery.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"

#include <stdio.h>
#include <string.h>

/* What one DATA frame after another takes its octets from: several frames for one write. */
#define CHUNK_MAX 65536u

static void hold_ended(struct wf_timer *timer)
{
    struct wf_upload *upload = wf_container_of(timer, struct wf_upload, hold_timer);
    struct weft_future *x = upload->exchange;
    if (wf_upload_release(upload) && x->conn != NULL)
        wf_conn_pull(x->conn, x);
}

/* A request has "content-length: 0" of itself where its method expects content. */
static bool take_fields(struct wf_upload *upload, const struct weft_request *request)
{
    if (request->length_index == 0 || request->length_is_given)
        return true;
    size_t count = request->field_count - 1;
    upload->own_fields = wf_alloc(count * sizeof(struct wf_field));
    if (upload->own_fields == NULL)
        return false;
    upload->own_count = count;
    memcpy(upload->own_fields, request->fields, request->length_index * sizeof(struct wf_field));
    memcpy(upload->own_fields + request->length_index, request->fields + request->length_index + 1,
           (count - request->length_index) * sizeof(struct wf_field));
    return true;
}

struct wf_upload *wf_upload_new(struct weft_future *x, const struct weft_delivery *how)
{
    const struct weft_request *request = x->request;
    struct wf_upload *upload = wf_calloc(1, sizeof(*upload));
    if (upload == NULL)
        return NULL;
    upload->exchange = x;
    upload->event = how->event;
    upload->limit = x->io->engine->config.upload_buffer;
    upload->length = (int64_t)wf_request_body_len(request);
    upload->source = request->has_file ? WF_UPLOAD_FILE : WF_UPLOAD_MEMORY;
    upload->item.kind = WF_ITEM_FILL;
    atomic_init(&upload->state, 0);
    atomic_init(&upload->notice, 0);
    atomic_init(&upload->waiting, 0);
    atomic_init(&upload->entered, false);
    wf_timer_init(&upload->hold_timer, hold_ended);
    bool complete = wf_octet_chain_init(&upload->octets, CHUNK_MAX);
    if ((how->flags & WEFT_STREAM_UPLOAD) != 0) {
        upload->source = WF_UPLOAD_WRITER;
        upload->item.kind = WF_ITEM_WRITABLE;
        upload->length = request->length_is_given && request->seldom.given_length <= INT64_MAX
                             ? (int64_t)request->seldom.given_length
                             : -1;
        complete = take_fields(upload, request) && complete;
    }
    if (!complete) {
        wf_upload_free(upload);
        return NULL;
    }
    return upload;
}

void wf_upload_free(struct wf_upload *upload)
{
    if (upload == NULL)
        return;
    wf_octet_chain_fini(&upload->octets);
    for (size_t i = 0; i < upload->trailer_count; i++)
        wf_free((void *)(uintptr_t)upload->trailers[i].name.ptr);
    wf_free(upload->trailers);
    wf_free(upload->own_fields);
    wf_free(upload);
}

const char *wf_upload_refusal(const struct wf_upload *upload)
{
    const struct weft_request *request = upload->exchange->request;
    if (upload->source != WF_UPLOAD_WRITER)
        return NULL;
    if (request->has_file || request->body.len > 0)
        return "the request has a body; it cannot be written as well";
    return request->is_trace ? "a TRACE request must not have a body" : NULL;
}

const struct wf_field *wf_upload_fields(const struct wf_upload *upload, size_t *out_count)
{
    const struct weft_request *request = upload->exchange->request;
    *out_count = upload->own_fields != NULL ? upload->own_count : request->field_count;
    return upload->own_fields != NULL ? upload->own_fields : request->fields;
}

int64_t wf_upload_length(const struct wf_upload *upload)
{
    return upload->length;
}

/* Asks a worker for more of the file, as soon as half of the buffer is free. */
static void refill(struct wf_upload *upload)
{
    struct weft_future *x = upload->exchange;
    struct wf_io_thread *io = x->io;
    /* Relaxed: while no worker reads, only this thread changes them. */
    if (upload->source != WF_UPLOAD_FILE || upload->is_filling ||
        atomic_load_explicit(&upload->waiting, memory_order_relaxed) > upload->limit / 2 ||
        atomic_load_explicit(&upload->state, memory_order_relaxed) >= WF_UPLOAD_FINISHED)
        return;
    upload->is_filling = true;
    wf_exchange_hold(x);
    wf_outbox_add(&io->outbox, io->engine, NULL, wf_exchange_worker(x), &upload->item);
}

/* @state was read before, so that what was written before it was FINISHED is all seen here. */
static enum wf_upload_step look(struct wf_upload *upload, unsigned state,
                                struct wf_upload_piece *piece)
{
    if ((state & WF_UPLOAD_BROKEN) != 0)
        return WF_UPLOAD_FAILED;
    piece->octets = wf_octet_chain_peek(&upload->octets);
    piece->is_last = (state & WF_UPLOAD_FINISHED) != 0 &&
                     upload->consumed + piece->octets.len == upload->written;
    return piece->octets.len > 0 || piece->is_last ? WF_UPLOAD_PIECE : WF_UPLOAD_NOTHING;
}

static enum wf_upload_step look_in_memory(const struct wf_upload *upload,
                                          struct wf_upload_piece *piece)
{
    struct wf_slice body = wf_request_body(upload->exchange->request);
    piece->octets = wf_slice_skip(body, (size_t)upload->consumed);
    piece->is_last = true;
    return WF_UPLOAD_PIECE;
}

enum wf_upload_step wf_upload_peek(struct wf_upload *upload, struct wf_upload_piece *piece)
{
    if (upload->is_held || upload->is_rewinding)
        return WF_UPLOAD_NOTHING;
    if (upload->source == WF_UPLOAD_MEMORY)
        return look_in_memory(upload, piece);
    refill(upload);
    /* A20 with R20 in wf_upload_finish(). */
    unsigned state = atomic_load_explicit(&upload->state, memory_order_acquire);
    enum wf_upload_step step = look(upload, state, piece);
    if (step != WF_UPLOAD_NOTHING)
        return step;
    /* A19 with R19 in wf_upload_tell(): whatever was done before it took the mark is seen by this
     * look, whatever is done after finds the mark. */
    state = atomic_fetch_or_explicit(&upload->state, WF_UPLOAD_HUNGRY, memory_order_acq_rel);
    step = look(upload, state, piece);
    if (step != WF_UPLOAD_NOTHING)
        /* Relaxed: being told of what was just seen is harmless. */
        atomic_fetch_and_explicit(&upload->state, ~WF_UPLOAD_HUNGRY, memory_order_relaxed);
    return step;
}

/* Half of the buffer is free: whoever waits for room gets a lot of it at once. */
static void tell_writable(struct wf_upload *upload)
{
    struct weft_future *x = upload->exchange;
    if (upload->source != WF_UPLOAD_WRITER)
        return;
    wf_completion_notify(&x->completion);
    /* R21: take off, then take the mark; pairs with A21 in wf_upload_arm(): mark, then look. */
    unsigned notice =
        atomic_fetch_and_explicit(&upload->notice, ~WF_NOTICE_ARMED, memory_order_acq_rel);
    if (notice == WF_NOTICE_ARMED)
        wf_exchange_send_event(x, &upload->notice, upload->event, &upload->item);
}

void wf_upload_advance(struct wf_upload *upload, size_t len)
{
    upload->consumed += len;
    if (upload->source == WF_UPLOAD_MEMORY)
        return;
    wf_octet_chain_advance(&upload->octets, len);
    /* Relaxed: a number; the mark orders it for who goes by it. */
    size_t before = atomic_fetch_sub_explicit(&upload->waiting, len, memory_order_relaxed);
    wf_assert(before >= len);
    if (before - len > upload->limit / 2)
        return;
    tell_writable(upload);
    refill(upload);
}

const struct wf_field *wf_upload_trailers(const struct wf_upload *upload, size_t *out_count)
{
    *out_count = upload->trailer_count;
    return upload->trailers;
}

bool wf_upload_is_finished(struct wf_upload *upload)
{
    if (upload->source == WF_UPLOAD_MEMORY)
        return true;
    /* A20 */
    unsigned state = atomic_load_explicit(&upload->state, memory_order_acquire);
    return (state & WF_UPLOAD_FINISHED) != 0;
}

size_t wf_upload_left(const struct wf_upload *upload)
{
    if (upload->source == WF_UPLOAD_MEMORY)
        return (size_t)((uint64_t)upload->length - upload->consumed);
    /* Relaxed: it can only grow meanwhile. */
    return atomic_load_explicit(&upload->waiting, memory_order_relaxed);
}

uint64_t wf_upload_given(const struct wf_upload *upload)
{
    return upload->consumed + wf_upload_left(upload);
}

static bool expects(const struct wf_upload *upload)
{
    return upload->exchange->request->expects_continue && !upload->expects_nothing;
}

bool wf_upload_stop_expecting(struct wf_upload *upload)
{
    size_t count;
    size_t kept = 0;
    const struct wf_field *fields = wf_upload_fields(upload, &count);
    struct wf_field *own = expects(upload) ? wf_alloc(count * sizeof(*own)) : NULL;
    if (own == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!wf_slice_is(fields[i].name, "expect"))
            own[kept++] = fields[i];
    }
    wf_free(upload->own_fields);
    upload->own_fields = own;
    upload->own_count = kept;
    upload->expects_nothing = true;
    return true;
}

void wf_upload_begin(struct wf_upload *upload)
{
    struct wf_io_thread *io = upload->exchange->io;
    int64_t timeout = io->engine->config.expect_timeout_ms;
    refill(upload);
    if (!expects(upload) || timeout == 0)
        return;
    upload->is_held = true;
    if (timeout > 0)
        wf_timer_set(&io->timers, &upload->hold_timer, io->now_ms + (uint64_t)timeout);
}

bool wf_upload_release(struct wf_upload *upload)
{
    bool was_held = upload->is_held;
    upload->is_held = false;
    wf_timer_cancel(&upload->hold_timer);
    return was_held;
}

void wf_upload_refuse(struct wf_upload *upload)
{
    wf_timer_cancel(&upload->hold_timer);
}

static void rewind_now(struct wf_upload *upload)
{
    struct wf_slice rest;
    while ((rest = wf_octet_chain_peek(&upload->octets)).len > 0)
        wf_octet_chain_advance(&upload->octets, rest.len);
    upload->is_rewinding = false;
    upload->consumed = 0;
    upload->written = 0;
    /* Relaxed: no worker reads; the one that will gets it all with its item. */
    atomic_store_explicit(&upload->waiting, 0, memory_order_relaxed);
    atomic_store_explicit(&upload->state, 0, memory_order_relaxed);
}

void wf_upload_note_message(struct wf_upload *upload)
{
    upload->is_filling = false;
    if (upload->is_rewinding)
        rewind_now(upload);
}

bool wf_upload_give_up(struct wf_upload *upload)
{
    /* A20: the failure was written before. */
    unsigned state = atomic_load_explicit(&upload->state, memory_order_acquire);
    if ((state & WF_UPLOAD_BROKEN) == 0)
        return false;
    const struct wf_upload_failure *failure = &upload->failure;
    char text[WEFT_ERROR_TEXT_LEN];
    (void)snprintf(text, sizeof(text), "the request's body cannot be sent: %s%s%s", failure->text,
                   failure->sys_errno != 0 ? ": " : "",
                   failure->sys_errno != 0 ? strerror(failure->sys_errno) : "");
    wf_io_thread_end(upload->exchange, failure->code, failure->sys_errno, text);
    return true;
}

void wf_upload_end(struct wf_upload *upload)
{
    wf_timer_cancel(&upload->hold_timer);
}

bool wf_upload_can_rewind(const struct wf_upload *upload)
{
    return upload->source != WF_UPLOAD_WRITER || upload->consumed == 0;
}

void wf_upload_rewind(struct wf_upload *upload)
{
    wf_assert(wf_upload_can_rewind(upload));
    (void)wf_upload_release(upload);
    upload->is_sending = false;
    upload->is_sent = false;
    if (upload->consumed == 0)
        return;
    if (upload->source == WF_UPLOAD_MEMORY)
        upload->consumed = 0;
    else if (upload->is_filling)
        upload->is_rewinding = true;
    else
        rewind_now(upload);
}
