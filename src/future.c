/* The public future: waiting, cancelling, reading. */
#include "weft/future.h"

#include "io_thread/body_stream.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/extra.h"
#include "io_thread/io_thread.h"
#include "io_thread/protocol.h"
#include "message/error.h"
#include "workers/park.h"

/* A submission that found no memory has no future; asking about it anyway is no crash. */
static bool is_done(const struct weft_future *future)
{
    return future != NULL &&
           wf_completion_is_done((struct wf_completion *)(uintptr_t)&future->completion);
}

static bool has_head(const struct weft_future *future)
{
    /* A14 with R14 in wf_exchange_publish_head(). */
    return future != NULL &&
           atomic_load_explicit(&((struct weft_future *)(uintptr_t)future)->head_ready,
                                memory_order_acquire) != 0;
}

/* All of the response is there, though the upload may go on. */
static bool has_body(struct weft_future *future)
{
    /* A14, likewise. */
    return atomic_load_explicit(&future->head_ready, memory_order_acquire) == WF_BODY_READY;
}

struct weft_future *weft_future_ref(struct weft_future *future)
{
    /* Relaxed: the caller's reference keeps it. */
    atomic_fetch_add_explicit(&future->item.word, WF_USER_REF, memory_order_relaxed);
    return future;
}

void weft_future_unref(struct weft_future *future)
{
    if (future == NULL)
        return;
    /* Relaxed: the exchange below checks it. */
    unsigned refs = atomic_load_explicit(&future->item.word, memory_order_relaxed);
    bool cancelled = false;
    do {
        /* The last user goes while the engine is at work: nobody wants the response. Posted before
         * the reference is given up, since afterwards the memory may be gone. */
        if (refs != WF_USER_REF && (refs & WF_USER_REFS) == WF_USER_REF && !cancelled &&
            !is_done(future)) {
            cancelled = true;
            wf_exchange_post(future, WF_MESSAGE_CANCEL);
            refs = atomic_load_explicit(&future->item.word, memory_order_relaxed);
        }
        /* R12 and A12 as in wf_exchange_drop(), which frees. */
    } while (refs != WF_USER_REF &&
             !atomic_compare_exchange_weak_explicit(&future->item.word, &refs, refs - WF_USER_REF,
                                                    memory_order_acq_rel, memory_order_relaxed));
    if (refs == WF_USER_REF)
        wf_exchange_drop(future, WF_USER_REF);
}

/* Why a wait for what is not done would never end; WEFT_OK: it will. */
static enum weft_code vain_wait(struct weft_future *future)
{
    if (wf_engine_is_forked(future->io->engine))
        return WEFT_ERR_FORKED;
    return wf_engine_on_worker(future->io->engine) ? WEFT_ERR_WOULD_DEADLOCK : WEFT_OK;
}

enum weft_code weft_future_wait(struct weft_future *future, int64_t timeout_ms)
{
    if (future == NULL)
        return WEFT_ERR_NO_MEMORY;
    if (!is_done(future)) {
        enum weft_code vain = timeout_ms != 0 ? vain_wait(future) : WEFT_OK;
        if (vain != WEFT_OK)
            return vain;
        if (timeout_ms == 0 ||
            !wf_completion_wait_spin(&future->completion, &future->io->engine->wait_spin,
                                     wf_deadline_ns(timeout_ms)))
            return WEFT_ERR_TIMEOUT;
    }
    return future->error->code;
}

enum weft_code weft_future_wait_response(struct weft_future *future, int64_t timeout_ms)
{
    if (future == NULL)
        return WEFT_ERR_NO_MEMORY;
    uint64_t deadline = wf_deadline_ns(timeout_ms);
    for (;;) {
        unsigned seen = wf_completion_observe(&future->completion);
        if (has_head(future))
            return WEFT_OK;
        if (is_done(future))
            return future->error->code;
        if (timeout_ms == 0)
            return WEFT_ERR_TIMEOUT;
        enum weft_code vain = vain_wait(future);
        if (vain != WEFT_OK)
            return vain;
        if (!wf_completion_wait_change(&future->completion, seen, deadline))
            return WEFT_ERR_TIMEOUT;
    }
}

bool weft_future_is_done(const struct weft_future *future)
{
    return is_done(future);
}

void weft_future_cancel(struct weft_future *future)
{
    if (future != NULL && !is_done(future))
        wf_exchange_post(future, WF_MESSAGE_CANCEL);
}

const struct weft_error *weft_future_error(const struct weft_future *future)
{
    if (future == NULL)
        return wf_error_static(WEFT_ERR_NO_MEMORY);
    return is_done(future) ? future->error : NULL;
}

int weft_future_status(const struct weft_future *future)
{
    return has_head(future) ? wf_response_status(&future->response) : 0;
}

static bool field_of(struct wf_field_section section, size_t index, struct weft_field *out_field)
{
    if (index >= section.count)
        return false;
    struct wf_slice name = wf_section_name(&section, (uint32_t)index);
    struct wf_slice value = wf_section_value(&section, (uint32_t)index);
    *out_field = (struct weft_field){.name = (const char *)name.ptr,
                                     .name_len = name.len,
                                     .value = (const char *)value.ptr,
                                     .value_len = value.len};
    return true;
}

size_t weft_future_field_count(const struct weft_future *future)
{
    return has_head(future) ? wf_response_fields(&future->response).count : 0;
}

bool weft_future_field_at(const struct weft_future *future, size_t index,
                          struct weft_field *out_field)
{
    return has_head(future) && field_of(wf_response_fields(&future->response), index, out_field);
}

bool weft_future_field(const struct weft_future *future, const char *name,
                       struct weft_field *out_field)
{
    if (!has_head(future))
        return false;
    struct wf_field_section section = wf_response_fields(&future->response);
    for (uint32_t i = 0; i < section.count; i++) {
        if (wf_slice_is(wf_section_name(&section, i), name))
            return field_of(section, i, out_field);
    }
    return false;
}

static struct wf_informational_list *informational_of(const struct weft_future *future)
{
    struct wf_extra *extra = future == NULL ? NULL : wf_extra_of(future);
    return extra == NULL ? NULL : &extra->informational;
}

static const struct wf_response *informational_at(const struct weft_future *future, size_t index)
{
    struct wf_informational_list *list = informational_of(future);
    return list == NULL ? NULL : wf_informational_at(list, index);
}

size_t weft_future_informational_count(const struct weft_future *future)
{
    struct wf_informational_list *list = informational_of(future);
    /* Acquire: as in wf_informational_at(). */
    return list == NULL ? 0 : atomic_load_explicit(&list->count, memory_order_acquire);
}

int weft_future_informational_status(const struct weft_future *future, size_t index)
{
    const struct wf_response *response = informational_at(future, index);
    return response == NULL ? 0 : wf_response_status(response);
}

bool weft_future_informational_field_at(const struct weft_future *future, size_t index,
                                        size_t field, struct weft_field *out_field)
{
    const struct wf_response *response = informational_at(future, index);
    return response != NULL && field_of(wf_response_fields(response), field, out_field);
}

size_t weft_future_trailer_count(const struct weft_future *future)
{
    return is_done(future) ? wf_response_trailers(&future->response).count : 0;
}

bool weft_future_trailer_at(const struct weft_future *future, size_t index,
                            struct weft_field *out_field)
{
    return is_done(future) && field_of(wf_response_trailers(&future->response), index, out_field);
}

struct weft_body weft_future_body(const struct weft_future *future)
{
    if (!is_done(future))
        return (struct weft_body){NULL, 0};
    struct wf_slice body = wf_response_body(&future->response);
    return (struct weft_body){body.ptr, body.len};
}

uint64_t weft_future_body_len(const struct weft_future *future)
{
    return is_done(future) ? future->body_received : 0;
}

const char *weft_future_protocol(const struct weft_future *future)
{
    return has_head(future) || is_done(future)
               ? wf_protocol_name((enum wf_protocol_id)future->protocol)
               : NULL;
}

unsigned weft_future_tries(const struct weft_future *future)
{
    return is_done(future) ? future->tries : 0;
}

void *weft_future_tag(const struct weft_future *future)
{
    return future == NULL || future->delivery == WF_DELIVER_CALLBACK ? NULL : future->context;
}

/* Credit goes back in lumps: a message for every small read would cost more than the octets. */
static void return_credit(struct weft_future *future, size_t len)
{
    struct wf_body_stream *body = future->body;
    /* Relaxed: the message that carries it orders it. */
    size_t before = atomic_fetch_add_explicit(&body->returned, len, memory_order_relaxed);
    uint32_t lump = future->io->engine->config.stream_window / 4;
    if (before + len >= lump && !is_done(future))
        wf_exchange_post(future, WF_MESSAGE_CREDIT);
}

enum weft_code weft_future_read(struct weft_future *future, void *buf, size_t cap,
                                int64_t timeout_ms, size_t *out_len)
{
    *out_len = 0;
    if (future == NULL)
        return WEFT_ERR_NO_MEMORY;
    struct wf_body_stream *body = future->body;
    if (body == NULL || body->sink != NULL || cap == 0)
        return WEFT_ERR_INVALID_ARGUMENT;
    uint64_t deadline = wf_deadline_ns(timeout_ms);
    for (;;) {
        unsigned seen = wf_completion_observe(&future->completion);
        /* Before the look: what was appended before it is then seen. */
        bool done = is_done(future);
        bool ended = done || has_body(future);
        *out_len = wf_body_stream_read(body, buf, cap);
        if (*out_len > 0) {
            return_credit(future, *out_len);
            return WEFT_OK;
        }
        if (ended)
            return done ? future->error->code : WEFT_OK;
        if (timeout_ms != 0) {
            enum weft_code vain = vain_wait(future);
            if (vain != WEFT_OK)
                return vain;
            if (wf_completion_wait_change(&future->completion, seen, deadline))
                continue;
        }
        /* A16 with R16 in tell_readable(): whatever was appended before it took the mark is seen by
         * this look, whatever comes after finds the mark. */
        atomic_fetch_or_explicit(&body->notice, WF_NOTICE_ARMED, memory_order_acq_rel);
        *out_len = wf_body_stream_read(body, buf, cap);
        if (*out_len == 0)
            return WEFT_ERR_TIMEOUT;
        /* Relaxed: an event about what was just read is harmless. */
        atomic_fetch_and_explicit(&body->notice, ~WF_NOTICE_ARMED, memory_order_relaxed);
        return_credit(future, *out_len);
        return WEFT_OK;
    }
}
