#include "io_thread/body_sink.h"

#include "base/alloc.h"
#include "io_thread/body_stream.h"
#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "message/error.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one job writes before the worker's other callbacks have their turn. */
#define JOB_LEN 1048576u
/* A descriptor that takes nothing is tried again after so long, then after twice the time. */
#define STALL_FIRST_MS 2u
#define STALL_LAST_MS  100u

static void retry_fired(struct wf_timer *timer)
{
    wf_body_sink_start(wf_container_of(timer, struct wf_body_sink, retry));
}

bool wf_body_sink_attach(struct wf_body_stream *stream, int fd)
{
    struct wf_body_sink *sink = wf_calloc(1, sizeof(*sink));
    struct stat status;
    if (sink == NULL)
        return false;
    sink->stream = stream;
    sink->fd = fd;
    sink->item.kind = WF_ITEM_DRAIN;
    sink->is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    sink->stall_ms = STALL_FIRST_MS;
    atomic_init(&sink->is_abandoned, false);
    wf_list_init(&sink->node);
    wf_timer_init(&sink->retry, retry_fired);
    stream->sink = sink;
    return true;
}

void wf_body_sink_free(struct wf_body_sink *sink)
{
    wf_free(sink);
}

static bool is_empty(struct wf_body_sink *sink)
{
    return wf_octet_chain_peek(&sink->stream->octets).len == 0;
}

void wf_body_sink_start(struct wf_body_sink *sink)
{
    struct weft_future *x = sink->stream->exchange;
    if (sink->is_draining || wf_timer_is_set(&sink->retry))
        return;
    sink->is_draining = true;
    wf_exchange_hold(x);
    wf_outbox_add(&x->io->outbox, x->io->engine, NULL, wf_exchange_worker(x), &sink->item);
}

bool wf_body_sink_is_ending(const struct weft_future *x)
{
    return x->body != NULL && x->body->sink != NULL && x->body->sink->is_ending;
}

bool wf_body_sink_postpone(struct wf_body_sink *sink)
{
    struct weft_future *x = sink->stream->exchange;
    bool failed = x->error->code != WEFT_OK;
    if (!sink->is_draining && (failed || is_empty(sink))) {
        wf_timer_cancel(&sink->retry);
        wf_list_remove(&sink->node);
        return false;
    }
    if (failed)
        /* Relaxed: a hint to stop early. */
        atomic_store_explicit(&sink->is_abandoned, true, memory_order_relaxed);
    if (!sink->is_ending)
        wf_list_push_back(&x->io->sinks, &sink->node);
    sink->is_ending = true;
    return true;
}

static void finish_copy(struct wf_body_sink *sink, const struct weft_error *error)
{
    struct weft_future *x = sink->stream->exchange;
    if (x->error_is_owned)
        wf_free((void *)(uintptr_t)x->error);
    x->error_is_owned = false;
    wf_exchange_finish_copy(x, error);
}

void wf_body_sink_abandon(struct wf_body_sink *sink, const struct weft_error *error)
{
    finish_copy(sink, error); /* comes back here when a worker writes */
}

static void fail(struct wf_body_sink *sink)
{
    struct weft_future *x = sink->stream->exchange;
    struct weft_error error;
    wf_error_set(&error, WEFT_ERR_FILE, WEFT_STAGE_BODY, WEFT_PROCESSED,
                 "the response's body cannot be written: %s", strerror(sink->failure));
    error.sys_errno = sink->failure;
    if (x->conn != NULL)
        wf_conn_cancel(x->conn, x);
    finish_copy(sink, &error);
}

static void wait_for_room(struct wf_body_sink *sink)
{
    struct wf_io_thread *io = sink->stream->exchange->io;
    wf_timer_set(&io->timers, &sink->retry, io->now_ms + sink->stall_ms);
    sink->stall_ms = sink->stall_ms * 2 < STALL_LAST_MS ? sink->stall_ms * 2 : STALL_LAST_MS;
}

void wf_body_sink_note_message(struct wf_body_sink *sink)
{
    struct weft_future *x = sink->stream->exchange;
    sink->is_draining = false;
    bool ends_badly = sink->is_ending && x->error->code != WEFT_OK;
    if (sink->failure != 0 && !ends_badly) {
        fail(sink);
    } else if (sink->is_ending && (ends_badly || is_empty(sink))) {
        wf_exchange_finish(x, ends_badly ? x->error : NULL);
    } else if (!is_empty(sink)) {
        if (sink->is_stalled)
            wait_for_room(sink);
        else
            wf_body_sink_start(sink);
    }
}

/* Whether the descriptor takes octets now, and how many of @len without blocking. */
static size_t room_of(const struct wf_body_sink *sink, size_t len)
{
    if (sink->is_file)
        return len;
    struct pollfd entry = {.fd = sink->fd, .events = POLLOUT};
    if (poll(&entry, 1, 0) == 0)
        return 0;
    return len < PIPE_BUF ? len : PIPE_BUF;
}

static bool write_piece(struct wf_body_sink *sink, struct wf_slice octets)
{
    size_t len = room_of(sink, octets.len);
    if (len == 0) {
        sink->is_stalled = true;
        return false;
    }
    ssize_t wrote = write(sink->fd, octets.ptr, len);
    if (wrote < 0 && errno == EINTR)
        return true;
    if (wrote < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        sink->is_stalled = true;
        return false;
    }
    if (wrote <= 0) {
        sink->failure = wrote < 0 ? errno : EIO;
        return false;
    }
    wf_octet_chain_advance(&sink->stream->octets, (size_t)wrote);
    /* Relaxed: the message that carries it orders it. */
    atomic_fetch_add_explicit(&sink->stream->returned, (size_t)wrote, memory_order_relaxed);
    return true;
}

void wf_body_sink_drain(struct wf_body_sink *sink)
{
    struct weft_future *x = sink->stream->exchange;
    size_t total = 0;
    sink->is_stalled = false;
    while (total < JOB_LEN && !atomic_load_explicit(&sink->is_abandoned, memory_order_relaxed)) {
        struct wf_slice octets = wf_octet_chain_peek(&sink->stream->octets);
        if (octets.len == 0 || !write_piece(sink, octets))
            break;
        total += octets.len; /* at least what was written */
    }
    if (total > 0)
        sink->stall_ms = STALL_FIRST_MS;
    wf_exchange_post(x, WF_MESSAGE_SINK | WF_MESSAGE_CREDIT);
}
