#include "io_thread/io_thread.h"

#include "base/alloc.h"
#include "io_thread/body_sink.h"
#include "io_thread/body_stream.h"
#include "io_thread/conn.h"
#include "io_thread/preconnect.h"
#include "io_thread/resolve.h"
#include "io_thread/retry.h"
#include "io_thread/tls.h"
#include "io_thread/tls_ctx.h"
#include "io_thread/tls_loader.h"
#include "io_thread/upload.h"
#include "message/error.h"
#include "workers/park.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000u

/* Takes @x from wherever it is, so that it can be finished. The origin that it waited for, or NULL.
 */
static struct wf_origin *take_back(struct weft_future *x, enum weft_stage *out_stage,
                                   enum weft_effect *out_effect)
{
    *out_stage = WEFT_STAGE_QUEUE;
    *out_effect = WEFT_NOT_SENT;
    if (wf_body_sink_is_ending(x)) {
        *out_stage = WEFT_STAGE_BODY;
        *out_effect = WEFT_PROCESSED;
        return NULL;
    }
    if (x->conn != NULL) {
        wf_conn_describe(x->conn, x, out_stage, out_effect);
        wf_conn_cancel(x->conn, x);
        return NULL;
    }
    if (x->is_backing_off) {
        wf_retry_leave(x);
        return NULL;
    }
    struct wf_origin *origin = wf_origin_of(x->io, x);
    if (origin != NULL) {
        *out_stage = wf_origin_stage(origin);
        wf_origin_unwait(origin, x);
        wf_origin_pump_later(origin);
    }
    return origin;
}

static void end_taken(struct weft_future *x, const struct weft_error *error)
{
    if (wf_body_sink_is_ending(x))
        wf_body_sink_abandon(x->body->sink, error);
    else
        wf_exchange_finish_copy(x, error);
}

void wf_io_thread_end(struct weft_future *x, enum weft_code code, int sys_errno, const char *text)
{
    struct weft_error error;
    enum weft_stage stage;
    enum weft_effect effect;
    (void)take_back(x, &stage, &effect);
    wf_error_set(&error, code, stage, effect, "%s", text);
    error.sys_errno = sys_errno;
    end_taken(x, &error);
}

static void deadline_fired(struct wf_timer *timer)
{
    struct weft_future *x = wf_container_of(timer, struct weft_future, deadline);
    struct weft_error error;
    enum weft_stage stage;
    enum weft_effect effect;
    const struct wf_origin *origin = take_back(x, &stage, &effect);
    if (origin != NULL && origin->failures > 0 && origin->usable_count == 0)
        wf_error_set(&error, WEFT_ERR_DEADLINE, stage, effect,
                     "the deadline passed in stage %s; %s", weft_stage_name(stage),
                     origin->failure);
    else
        wf_error_set(&error, WEFT_ERR_DEADLINE, stage, effect,
                     "the deadline passed in stage %s, before %s was complete",
                     weft_stage_name(stage),
                     stage == WEFT_STAGE_BODY ? "the response's body" : "a response");
    end_taken(x, &error);
}

static void submitted(struct wf_io_thread *io, struct weft_future *x)
{
    wf_stat_add(&io->stats.submitted, 1);
    io->active++;
    uint64_t deadline_ms = wf_exchange_enter(x, deadline_fired);
    struct weft_error error;
    bool is_plain = !wf_request_is_failed(x->request) && !x->is_told_twice && x->upload == NULL;
    if (WF_UNLIKELY(!is_plain) && wf_exchange_is_refused(x, &error)) {
        wf_exchange_finish_copy(x, &error);
        return;
    }
    if (io->closing) {
        wf_exchange_fail(x, WEFT_ERR_CLOSED, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                         "the client is closed");
        return;
    }
    if (deadline_ms != WF_TIMER_NONE)
        wf_timer_set(&io->timers, &x->deadline, deadline_ms);
    wf_origin_submit(io, x);
}

/* Each step may end the exchange, of which the message keeps the memory. */
static void obey(struct weft_future *x, unsigned bits)
{
    if ((bits & WF_MESSAGE_CANCEL) != 0) {
        wf_io_thread_end(x, WEFT_ERR_CANCELLED, 0, "the request was cancelled");
        bits &= WF_MESSAGE_SINK;
    }
    if ((bits & WF_MESSAGE_CREDIT) != 0) {
        /* Relaxed: a number; the octets it counts were the reader's own business. */
        size_t len = atomic_exchange_explicit(&x->body->returned, 0, memory_order_relaxed);
        if (x->conn != NULL)
            wf_conn_credit(x->conn, x, len);
        wf_exchange_unbuffer(x, len);
    }
    if ((bits & WF_MESSAGE_UPLOAD) != 0) {
        wf_upload_note_message(x->upload);
        if (x->conn != NULL)
            wf_conn_pull(x->conn, x);
        else
            wf_upload_give_up(x->upload);
    }
    if ((bits & WF_MESSAGE_SINK) != 0 && !wf_completion_is_done(&x->completion))
        wf_body_sink_note_message(x->body->sink);
}

static void message(struct weft_future *x)
{
    /* A13 with R13 in wf_exchange_post(). From here on a new message queues the item again. */
    unsigned bits = atomic_exchange_explicit(&x->message.word, 0, memory_order_acq_rel);
    if (!wf_completion_is_done(&x->completion))
        obey(x, bits);
    wf_exchange_drop(x, WF_ENGINE_REF);
}

static void drain_ended(struct wf_timer *timer)
{
    wf_container_of(timer, struct wf_io_thread, close_timer)->close_now = true;
}

static void close_asked(struct wf_io_thread *io)
{
    io->closing = true;
    wf_timer_init(&io->close_timer, drain_ended);
    if (io->drain_ms == 0)
        io->close_now = true;
    else if (io->drain_ms > 0)
        wf_timer_set(&io->timers, &io->close_timer, io->now_ms + (uint64_t)io->drain_ms);
}

static void take_item(struct wf_io_thread *io, struct wf_item *item)
{
    switch (item->kind) {
    case WF_ITEM_SUBMIT:
        submitted(io, wf_exchange_of_item(item));
        return;
    case WF_ITEM_MESSAGE:
        message(wf_exchange_of_message(item));
        return;
    case WF_ITEM_CLOSE:
        close_asked(io);
        return;
    case WF_ITEM_TRUST:
        wf_tls_loader_done(io);
        return;
    case WF_ITEM_PRECONNECT:
        wf_preconnect_run(io, item);
        return;
    case WF_ITEM_DONE:
    case WF_ITEM_READABLE:
    case WF_ITEM_WRITABLE:
    case WF_ITEM_FILL:
    case WF_ITEM_DRAIN:
    case WF_ITEM_TRACE:
    case WF_ITEM_LOG:
        break;
    }
    WF_UNREACHABLE("such items go to queues and workers");
}

/* At most WF_TURN_ITEMS a turn; what is left stays in the backlog, in front of what comes. */
static void take_mail(struct wf_io_thread *io)
{
    for (unsigned taken = 0; taken < WF_TURN_ITEMS; taken++) {
        if (io->backlog == NULL)
            io->backlog = wf_mailbox_take_all(&io->mailbox);
        if (io->backlog == NULL)
            return;
        struct wf_mail *mail = io->backlog;
        io->backlog = mail->next;
        take_item(io, wf_item_of(mail));
    }
}

static void read_unread(struct wf_io_thread *io)
{
    /* Those that have more after this turn's share queue behind the ones that were here. */
    struct wf_node now;
    wf_list_init(&now);
    struct wf_node *node;
    while ((node = wf_list_pop_front(&io->unread)) != NULL)
        wf_list_push_back(&now, node);
    while ((node = wf_list_pop_front(&now)) != NULL)
        wf_conn_read(wf_container_of(node, struct wf_conn, unread_node));
}

static void write_dirty(struct wf_io_thread *io)
{
    struct wf_node now;
    wf_list_init(&now);
    struct wf_node *node;
    while ((node = wf_list_pop_front(&io->dirty)) != NULL)
        wf_list_push_back(&now, node);
    while ((node = wf_list_pop_front(&now)) != NULL)
        wf_conn_write(wf_container_of(node, struct wf_conn, dirty_node));
}

static void bury_dead(struct wf_io_thread *io)
{
    struct wf_node *node;
    while ((node = wf_list_first(&io->dead)) != NULL)
        wf_conn_free(wf_container_of(node, struct wf_conn, dead_node));
}

static bool has_work(const struct wf_io_thread *io)
{
    return io->backlog != NULL || io->close_now || !wf_list_is_empty(&io->unread) ||
           !wf_list_is_empty(&io->dirty) || !wf_list_is_empty(&io->origins.pump);
}

static int sleep_ms(struct wf_io_thread *io)
{
    uint64_t next = wf_timers_next(&io->timers);
    if (next == WF_TIMER_NONE)
        return -1;
    if (next <= io->now_ms)
        return 0;
    uint64_t wait = next - io->now_ms;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

static void wait_for_events(struct wf_io_thread *io)
{
    int timeout = 0;
    if (!has_work(io)) {
        if (wf_mailbox_prepare_sleep(&io->mailbox)) {
            timeout = sleep_ms(io);
        } else if (!io->skipped_wait) {
            /* What was submitted meanwhile goes out before the sockets are asked again, which for
             * one request in flight saves a system call. Once, or submitters could starve them. */
            io->skipped_wait = true;
            return;
        }
    }
    io->skipped_wait = false;
    int count = wf_poller_collect(&io->poller, timeout);
    wf_mailbox_end_sleep(&io->mailbox);
    wf_assert(count >= 0);
    (void)count;
}

void wf_io_thread_turn(struct wf_io_thread *io)
{
    wait_for_events(io);
    io->now_ns = wf_now_ns();
    io->now_ms = io->now_ns / NS_PER_MS;
    wf_poller_dispatch(&io->poller);
    read_unread(io);
    take_mail(io);
    (void)wf_timers_advance(&io->timers, io->now_ms);
    wf_origins_pump(io);
    write_dirty(io);
    wf_outbox_flush(&io->outbox, io->engine);
    bury_dead(io);
    wf_stat_add(&io->stats.turns, 1);
    /* Relaxed: one writer, and a number for people. */
    atomic_store_explicit(&io->stats.windows_grown, io->growth.grown, memory_order_relaxed);
}

/* What a worker still writes is waited for: the descriptor is the user's again afterwards. */
static void end_sinks(struct wf_io_thread *io)
{
    struct weft_error error;
    struct wf_node *node = io->sinks.next;
    wf_error_set(&error, WEFT_ERR_CLOSED, WEFT_STAGE_BODY, WEFT_PROCESSED,
                 "the client was closed before the response's body was written");
    while (node != &io->sinks) {
        struct wf_node *next = node->next;
        wf_body_sink_abandon(wf_container_of(node, struct wf_body_sink, node), &error);
        node = next;
    }
    io->close_now = false;
    while (!wf_list_is_empty(&io->sinks))
        wf_io_thread_turn(io);
}

/* Ends everything. Submissions that come during it find a thread that is closing. */
static void end_all(struct wf_io_thread *io)
{
    struct weft_error error;
    wf_error_set(&error, WEFT_ERR_CLOSED, WEFT_STAGE_QUEUE, WEFT_NOT_SENT, "the client was closed");
    io->is_ending = true;
    wf_retry_close(io, &error);
    wf_origins_close(io);
    end_sinks(io);
    wf_outbox_flush(&io->outbox, io->engine);
    bury_dead(io);
}

static void drain_stopped(struct wf_io_thread *io);

static void *run(void *user)
{
    struct wf_io_thread *io = user;
    while (!io->closing || (io->active > 0 && !io->close_now) || io->backlog != NULL)
        wf_io_thread_turn(io);
    end_all(io);
    wf_resolver_free(io->resolver);
    wf_tls_io_free(io->tls_io);
    wf_tls_thread_end();
    io->resolver = NULL;
    io->tls_io = NULL;
    /* A future that outlives the client keeps this struct, but not its buffer. */
    wf_free(io->read_buf);
    io->read_buf = NULL;
    /* F24 with F25 in wf_io_thread_push(): set stopped, then look at the mailbox; there, push, then
     * look at stopped. */
    atomic_store_explicit(&io->stopped, true, memory_order_seq_cst);
    drain_stopped(io);
    return NULL;
}

/* One item that reached a thread that has ended. Callbacks run outside of the lock. */
static void end_late(struct wf_io_thread *io, struct wf_item *item)
{
    struct wf_outbox outbox;
    enum wf_item_kind kind = item->kind; /* once the outbox is flushed the item may be gone */
    pthread_mutex_lock(&io->stopped_lock);
    io->outbox.count = 0;
    if (kind == WF_ITEM_SUBMIT) {
        struct weft_future *x = wf_exchange_of_item(item);
        (void)wf_exchange_enter(x, NULL);
        io->active++;
        wf_stat_add(&io->stats.submitted, 1);
        struct weft_error error;
        if (wf_exchange_is_refused(x, &error)) {
            wf_exchange_finish_copy(x, &error);
        } else {
            wf_exchange_fail(x, WEFT_ERR_CLOSED, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                             "the client is closed");
        }
    }
    outbox = io->outbox;
    pthread_mutex_unlock(&io->stopped_lock);
    outbox.runs_callbacks = true;
    wf_outbox_flush(&outbox, io->engine);
    if (kind == WF_ITEM_PRECONNECT)
        wf_preconnect_free(item);
    if (kind == WF_ITEM_MESSAGE) {
        struct weft_future *x = wf_exchange_of_message(item);
        atomic_store_explicit(&x->message.word, 0, memory_order_release);
        wf_exchange_drop(x, WF_ENGINE_REF);
    }
}

/* Thread: any, once the thread has stopped. */
static void drain_stopped(struct wf_io_thread *io)
{
    while (wf_mail_stack_peek(&io->mailbox.mails)) {
        struct wf_mail *mail = wf_mailbox_take_all(&io->mailbox);
        while (mail != NULL) {
            struct wf_mail *next = mail->next;
            end_late(io, wf_item_of(mail));
            mail = next;
        }
    }
}

void wf_io_thread_push(struct wf_io_thread *io, struct wf_mail *newest, struct wf_mail *oldest)
{
    if (wf_mailbox_push(&io->mailbox, newest, oldest)) {
        /* Relaxed: a counter for people. */
        atomic_fetch_add_explicit(&io->wakeups, 1, memory_order_relaxed);
        wf_wake_signal(&io->wake);
    }
    if (WF_UNLIKELY(atomic_load_explicit(&io->stopped, memory_order_seq_cst))) /* F25 */
        drain_stopped(io);
}

void wf_io_thread_count_end(struct wf_io_thread *io, enum weft_code code)
{
    io->active--;
    if (WF_LIKELY(code == WEFT_OK)) {
        wf_stat_add(&io->stats.succeeded, 1);
        return;
    }
    wf_stat_add(&io->stats.failed, 1);
    wf_stat_add(&io->stats.errors[code], 1);
}

bool wf_io_thread_start(struct wf_io_thread *io, struct weft_error *out_error)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    /* The program's signals are the program's own threads' business. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&io->thread, NULL, run, io);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        wf_error_set(out_error, WEFT_ERR_INTERNAL, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                     "cannot start an I/O thread: %s", strerror(failed));
        out_error->sys_errno = failed;
        return false;
    }
    io->is_started = true;
    char name[16];
    (void)snprintf(name, sizeof(name), "weft-io%u", io->index);
    (void)pthread_setname_np(io->thread, name);
    return true;
}

static struct wf_resolver *make_resolver(struct wf_io_thread *io)
{
    struct wf_resolver *resolver = wf_resolver_new(&io->poller, &io->timers);
    if (resolver == NULL)
        return NULL;
    const struct wf_resolver_setup setup = {.overrides = io->engine->overrides,
                                            .bad_addresses = &io->bad_addresses,
                                            .queries = &io->stats.name_queries,
                                            .cache_hits = &io->stats.name_cache_hits};
    wf_resolver_set_up(resolver, &setup);
    const char *servers = io->engine->config.dns_servers;
    if (servers != NULL &&
        wf_resolver_configure(resolver, servers, WF_RESOLVE_TIMEOUT_MS, WF_RESOLVE_TRIES) != 0) {
        wf_resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

static bool fill(struct wf_io_thread *io)
{
    io->read_buf = wf_alloc(WF_READ_LEFTOVER + WF_READ_LEN);
    io->resolver = make_resolver(io);
    io->tls_io = wf_tls_io_new();
    if (io->tls_io != NULL)
        wf_tls_io_keep_sessions(io->tls_io, io->engine->config.tls_sessions);
    bool have_origins = wf_origins_init(&io->origins);
    return io->read_buf != NULL && io->resolver != NULL && io->tls_io != NULL && have_origins;
}

static void free_parts(struct wf_io_thread *io)
{
    wf_resolver_free(io->resolver);
    wf_tls_io_free(io->tls_io);
    wf_free(io->origins.buckets);
    wf_free(io->read_buf);
    wf_wake_fini(&io->wake);
    wf_poller_fini(&io->poller);
    pthread_mutex_destroy(&io->stopped_lock);
    wf_free(io);
}

struct wf_io_thread *wf_io_thread_new(struct weft_client *engine, unsigned index,
                                      struct weft_error *out_error)
{
    struct wf_io_thread *io = wf_alloc_aligned(WF_CACHE_LINE, sizeof(*io));
    if (io == NULL)
        goto no_memory;
    memset(io, 0, sizeof(*io));
    io->engine = engine;
    io->index = index;
    io->max_buffered = engine->config.max_buffered / engine->config.io_threads;
    io->growth.max = io->max_buffered / 2; /* windows as they begin may need the rest */
    io->now_ns = wf_now_ns();
    io->now_ms = io->now_ns / NS_PER_MS;
    io->random.state = io->now_ns ^ (uint64_t)(uintptr_t)io;
    io->close_item.kind = WF_ITEM_CLOSE;
    io->trust_item.kind = WF_ITEM_TRUST;
    wf_mailbox_init(&io->mailbox);
    wf_timers_init(&io->timers, io->now_ms);
    wf_retry_init(&io->retry, io->now_ms);
    wf_list_init(&io->dirty);
    wf_list_init(&io->unread);
    wf_list_init(&io->trust_waiting);
    wf_list_init(&io->dead);
    wf_list_init(&io->sinks);
    int failed = wf_poller_init(&io->poller);
    if (failed != 0)
        goto no_poller;
    failed = wf_wake_init(&io->wake, &io->poller, NULL);
    if (failed != 0)
        goto no_wake;
    pthread_mutex_init(&io->stopped_lock, NULL);
    if (!fill(io)) {
        free_parts(io);
        goto no_memory;
    }
    return io;

no_wake:
    wf_poller_fini(&io->poller);
no_poller:
    wf_free(io);
    wf_error_set(out_error, WEFT_ERR_INTERNAL, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                 "cannot make an epoll or eventfd descriptor: %s", strerror(failed));
    out_error->sys_errno = failed;
    return NULL;
no_memory:
    *out_error = *wf_error_static(WEFT_ERR_NO_MEMORY);
    return NULL;
}

void wf_io_thread_close(struct wf_io_thread *io, int64_t drain_ms)
{
    io->drain_ms = drain_ms;
    wf_io_thread_push(io, &io->close_item.mail, &io->close_item.mail);
}

void wf_io_thread_join(struct wf_io_thread *io)
{
    if (io->is_started)
        pthread_join(io->thread, NULL);
    else
        (void)run(io);
}

void wf_io_thread_free(struct wf_io_thread *io)
{
    if (io != NULL)
        free_parts(io);
}
