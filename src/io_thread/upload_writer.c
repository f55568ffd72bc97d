/* The end of an upload at which octets are written. */
#include "io_thread/upload.h"

#include "base/alloc.h"
#include "base/field_rules.h"
#include "io_thread/body_stream.h"
#include "message/request_build.h"

#define MAX_TRAILERS 1024u

bool wf_upload_enter(struct wf_upload *upload)
{
    /* A22 with R22: one writer's doings come before the next one's. */
    return !atomic_exchange_explicit(&upload->entered, true, memory_order_acquire);
}

void wf_upload_leave(struct wf_upload *upload)
{
    atomic_store_explicit(&upload->entered, false, memory_order_release); /* R22 */
}

void wf_upload_tell(struct wf_upload *upload)
{
    /* R19: write, then take the mark; pairs with A19 in wf_upload_peek(): mark, then look. */
    unsigned before =
        atomic_fetch_and_explicit(&upload->state, ~WF_UPLOAD_HUNGRY, memory_order_acq_rel);
    if ((before & WF_UPLOAD_HUNGRY) != 0)
        wf_exchange_post(upload->exchange, WF_MESSAGE_UPLOAD);
}

void wf_upload_break(struct wf_upload *upload, enum weft_code code, int sys_errno, const char *text)
{
    upload->failure = (struct wf_upload_failure){code, sys_errno, text};
    /* R20: publishes the failure. */
    atomic_fetch_or_explicit(&upload->state, WF_UPLOAD_BROKEN, memory_order_acq_rel);
    /* Told whether it waits for that or not: the stream must not go on. */
    wf_exchange_post(upload->exchange, WF_MESSAGE_UPLOAD);
}

static enum weft_code check_open(struct wf_upload *upload)
{
    struct weft_future *x = upload->exchange;
    if (wf_completion_is_done(&x->completion))
        return x->error->code != WEFT_OK ? x->error->code : WEFT_ERR_UPLOAD_OVER;
    /* Relaxed: a writer set them. */
    unsigned state = atomic_load_explicit(&upload->state, memory_order_relaxed);
    if ((state & WF_UPLOAD_BROKEN) != 0)
        return upload->failure.code;
    return (state & WF_UPLOAD_FINISHED) != 0 ? WEFT_ERR_UPLOAD_OVER : WEFT_OK;
}

enum weft_code wf_upload_write(struct wf_upload *upload, struct wf_slice octets, size_t *out_len)
{
    *out_len = 0;
    enum weft_code code = check_open(upload);
    if (code != WEFT_OK || octets.len == 0)
        return code;
    if (upload->length >= 0 && octets.len > (uint64_t)upload->length - upload->written) {
        wf_upload_break(upload, WEFT_ERR_INVALID_REQUEST, 0,
                        "more was written than content-length says");
        return WEFT_ERR_INVALID_REQUEST;
    }
    /* Relaxed: it can only shrink meanwhile. */
    size_t waiting = atomic_load_explicit(&upload->waiting, memory_order_relaxed);
    size_t room = upload->limit - waiting;
    if (octets.len > room)
        octets.len = room;
    if (octets.len == 0)
        return WEFT_OK;
    /* Counted first: the I/O thread may take them as soon as they are there. */
    atomic_fetch_add_explicit(&upload->waiting, octets.len, memory_order_relaxed);
    if (!wf_octet_chain_append(&upload->octets, octets)) {
        atomic_fetch_sub_explicit(&upload->waiting, octets.len, memory_order_relaxed);
        return WEFT_ERR_NO_MEMORY;
    }
    upload->written += octets.len;
    *out_len = octets.len;
    wf_upload_tell(upload);
    return WEFT_OK;
}

bool wf_upload_arm(struct wf_upload *upload)
{
    /* A21 with R21 in tell_writable(). */
    atomic_fetch_or_explicit(&upload->notice, WF_NOTICE_ARMED, memory_order_acq_rel);
    if (atomic_load_explicit(&upload->waiting, memory_order_relaxed) == upload->limit)
        return false;
    /* Relaxed: an event about this room is harmless. */
    atomic_fetch_and_explicit(&upload->notice, ~WF_NOTICE_ARMED, memory_order_relaxed);
    return true;
}

/* RFC 9110 section 6.5.1: what frames, routes or names the content has no place in trailers. */
static bool is_for_trailers(struct wf_slice name)
{
    static const char *const refused[] = {"te",
                                          "host",
                                          "content-length",
                                          "trailer",
                                          "expect",
                                          "cookie",
                                          "content-encoding",
                                          "content-type",
                                          "content-range",
                                          "authorization"};
    if (wf_field_is_connection_specific(name))
        return false;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (wf_slice_is(name, refused[i]))
            return false;
    }
    return true;
}

static bool reserve_trailer(struct wf_upload *upload)
{
    if (upload->trailer_count < upload->trailer_cap)
        return true;
    size_t cap = upload->trailer_cap == 0 ? 4 : upload->trailer_cap * 2;
    struct wf_field *trailers = wf_realloc(upload->trailers, cap * sizeof(struct wf_field));
    if (trailers == NULL)
        return false;
    upload->trailers = trailers;
    upload->trailer_cap = cap;
    return true;
}

enum weft_code wf_upload_add_trailer(struct wf_upload *upload, struct wf_slice name,
                                     struct wf_slice value)
{
    struct weft_error error;
    enum weft_code code = check_open(upload);
    if (code != WEFT_OK)
        return code;
    value = wf_slice_trim(value);
    if (!wf_request_check_octets(upload->trailers_len, name, value, &error))
        return error.code;
    if (upload->trailer_count == MAX_TRAILERS)
        return WEFT_ERR_FIELDS_TOO_LARGE;
    uint8_t *text = reserve_trailer(upload) ? wf_alloc(name.len + value.len) : NULL;
    if (text == NULL)
        return WEFT_ERR_NO_MEMORY;
    for (size_t i = 0; i < name.len; i++)
        text[i] = wf_ascii_lower(name.ptr[i]);
    if (!is_for_trailers(wf_slice(text, name.len))) {
        wf_free(text);
        return WEFT_ERR_INVALID_REQUEST;
    }
    if (value.len > 0)
        memcpy(text + name.len, value.ptr, value.len);
    upload->trailers[upload->trailer_count++] =
        (struct wf_field){wf_slice(text, name.len), wf_slice(text + name.len, value.len), false};
    upload->trailers_len += name.len + value.len;
    return WEFT_OK;
}

/* Over HTTP/1.1 the server has all of a body with a length, and may answer it, before its end is
 * said here. */
static bool was_whole(const struct wf_upload *upload)
{
    return (atomic_load_explicit(&upload->state, memory_order_relaxed) & WF_UPLOAD_FINISHED) == 0 &&
           upload->length >= 0 && upload->written == (uint64_t)upload->length;
}

enum weft_code wf_upload_finish(struct wf_upload *upload)
{
    enum weft_code code = check_open(upload);
    if (code == WEFT_ERR_UPLOAD_OVER && was_whole(upload))
        return WEFT_OK;
    if (code != WEFT_OK)
        return code;
    if (upload->length >= 0 && upload->written != (uint64_t)upload->length) {
        wf_upload_break(upload, WEFT_ERR_INVALID_REQUEST, 0,
                        "less was written than content-length says");
        return WEFT_ERR_INVALID_REQUEST;
    }
    /* R20: publishes `written` and the trailers; pairs with A20 in wf_upload_peek(). */
    atomic_fetch_or_explicit(&upload->state, WF_UPLOAD_FINISHED, memory_order_acq_rel);
    wf_upload_tell(upload);
    return WEFT_OK;
}
