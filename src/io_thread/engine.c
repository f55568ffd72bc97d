#include "io_thread/engine.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io_thread/config.h"
#include "io_thread/body_sink.h"
#include "io_thread/body_stream.h"
#include "io_thread/delivery.h"
#include "io_thread/exchange.h"
#include "io_thread/extra.h"
#include "io_thread/io_thread.h"
#include "io_thread/log.h"
#include "io_thread/overrides.h"
#include "io_thread/tls_ctx.h"
#include "io_thread/trace.h"
#include "io_thread/transport_error.h"
#include "io_thread/upload.h"
#include "message/error.h"
#include "message/response.h"

#include <string.h>

static void free_memory(void *user)
{
    struct weft_client *engine = user;
    for (unsigned i = 0; i < engine->io_thread_count; i++)
        wf_io_thread_free(engine->io_threads[i]);
    /* Relaxed: nobody else is left. */
    wf_worker_pool_free(atomic_load_explicit(&engine->workers, memory_order_relaxed));
    wf_pool_unref(engine->responses);
    wf_pool_unref(engine->extras);
    wf_tls_ctx_free(engine->tls_ctx);
    pthread_cond_destroy(&engine->state_changed);
    pthread_mutex_destroy(&engine->lock);
    wf_free(engine->io_threads);
    wf_overrides_free(engine->overrides);
    wf_config_fini(&engine->config);
    wf_free(engine);
}

static bool make_io_threads(struct weft_client *engine, struct weft_error *out_error)
{
    for (unsigned i = 0; i < engine->config.io_threads; i++) {
        engine->io_threads[i] = wf_io_thread_new(engine, i, out_error);
        if (engine->io_threads[i] == NULL)
            return false;
        engine->io_thread_count++;
    }
    return true;
}

/* @given: the caller's memory is still there. */
static bool make_tls(struct weft_client *engine, const struct weft_config *given,
                     struct weft_error *out_error)
{
    struct wf_tls_config tls = {.ca_file = given->ca_file,
                                .ca_path = given->ca_path,
                                .ca_pem = wf_slice(given->ca_pem, given->ca_pem_len),
                                .defer_system = true,
                                .insecure = given->insecure_skip_verify,
                                .cert_file = given->cert_file,
                                .key_file = given->key_file,
                                .cert_pem = wf_slice(given->cert_pem, given->cert_pem_len),
                                .key_pem = wf_slice(given->key_pem, given->key_pem_len),
                                .pins = given->pins,
                                .server_name = given->server_name,
                                .min_version = (unsigned)given->tls_min_version,
                                .max_version = (unsigned)given->tls_max_version,
                                .ciphers = given->ciphers,
                                .ciphers13 = given->ciphers13,
                                .keylog_file = given->keylog_file};
    struct wf_io_error io_error = {.kind = WF_IO_ERR_NONE};
    engine->tls_ctx = wf_tls_ctx_new(&tls, &io_error);
    wf_tls_loader_init(&engine->tls_loader,
                       engine->tls_ctx != NULL && engine->tls_ctx->needs_system_trust);
    if (engine->tls_ctx != NULL) {
        if (io_error.text[0] != '\0')
            wf_log_client(engine, WEFT_LOG_WARNING, "client: %s", io_error.text);
        return true;
    }
    wf_error_set(out_error,
                 io_error.kind == WF_IO_ERR_NO_MEMORY     ? WEFT_ERR_NO_MEMORY
                 : io_error.kind == WF_IO_ERR_CLIENT_CERT ? WEFT_ERR_CLIENT_CERT
                                                          : WEFT_ERR_INVALID_ARGUMENT,
                 WEFT_STAGE_TLS, WEFT_NOT_SENT, "cannot set up TLS: %s", io_error.text);
    out_error->sys_errno = io_error.sys_errno;
    out_error->tls_code = io_error.tls_code;
    return false;
}

static void warn(struct weft_client *engine)
{
    if (engine->config.insecure_skip_verify)
        wf_log_client(engine, WEFT_LOG_ERROR,
                      "client: config.insecure_skip_verify is on: no server is authenticated, and "
                      "whoever sits on the path can read and change everything");
    if (engine->tls_ctx->keylog != NULL)
        wf_log_client(engine, WEFT_LOG_WARNING,
                      "client: the keys of TLS connections are written to a file, and whoever "
                      "reads it can read the traffic");
}

static void abandon(struct weft_client *engine)
{
    wf_engine_close(engine, 0);
    wf_engine_release(engine);
}

struct weft_client *wf_engine_new_stepped(const struct weft_config *given,
                                          struct weft_error *out_error)
{
    struct weft_config config;
    if (!wf_config_read(&config, given, out_error))
        return NULL;
    *out_error = *wf_error_static(WEFT_ERR_NO_MEMORY);
    struct weft_client *engine = wf_calloc(1, sizeof(*engine));
    if (engine == NULL)
        return NULL;
    engine->fork_count = wf_fork_watch();
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->state_changed, NULL);
    bool have_strings = wf_config_copy(&engine->config, &config);
    wf_spin_init(&engine->wait_spin);
    atomic_init(&engine->refs, 1);
    atomic_init(&engine->workers, NULL);
    engine->io_threads = wf_calloc(config.io_threads, sizeof(struct wf_io_thread *));
    engine->exchanges = wf_pool_new(sizeof(struct weft_future));
    engine->responses = wf_pool_new_long(WF_RESPONSE_BLOCK_LEN);
    engine->extras = wf_pool_new(sizeof(struct wf_extra));
    if (engine->exchanges == NULL) {
        free_memory(engine);
        return NULL;
    }
    wf_pool_at_end(engine->exchanges, free_memory, engine);
    bool has_watcher = config.trace != NULL || config.log != NULL;
    bool complete =
        engine->io_threads != NULL && engine->responses != NULL && engine->extras != NULL &&
        have_strings && (engine->overrides = wf_overrides_new(&config, out_error)) != NULL &&
        make_tls(engine, &config, out_error) &&
        (!has_watcher || wf_engine_workers(engine) != NULL) && make_io_threads(engine, out_error);
    if (!complete) {
        abandon(engine);
        return NULL;
    }
    warn(engine);
    return engine;
}

struct weft_client *wf_engine_new(const struct weft_config *config, struct weft_error *out_error)
{
    struct weft_client *engine = wf_engine_new_stepped(config, out_error);
    if (engine == NULL)
        return NULL;
    for (unsigned i = 0; i < engine->io_thread_count; i++) {
        if (!wf_io_thread_start(engine->io_threads[i], out_error)) {
            abandon(engine);
            return NULL;
        }
    }
    return engine;
}

struct wf_worker_pool *wf_engine_workers(struct weft_client *engine)
{
    /* Acquire: with the release below. */
    struct wf_worker_pool *pool = atomic_load_explicit(&engine->workers, memory_order_acquire);
    if (pool != NULL)
        return pool;
    pthread_mutex_lock(&engine->lock);
    pool = atomic_load_explicit(&engine->workers, memory_order_relaxed); /* the lock orders it */
    if (pool == NULL && !engine->workers_closed) {
        pool = wf_worker_pool_new(engine->config.workers, wf_engine_run_item, engine);
        atomic_store_explicit(&engine->workers, pool, memory_order_release);
    }
    pthread_mutex_unlock(&engine->lock);
    return pool;
}

bool wf_engine_is_closed(struct weft_client *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool closed = engine->workers_closed;
    pthread_mutex_unlock(&engine->lock);
    return closed;
}

bool wf_engine_on_worker(struct weft_client *engine)
{
    struct wf_worker_pool *pool = atomic_load_explicit(&engine->workers, memory_order_acquire);
    return pool != NULL && wf_worker_pool_on_worker(pool);
}

void wf_engine_run_item(struct wf_mail *mail, void *user)
{
    struct weft_client *engine = user;
    struct wf_item *item = wf_item_of(mail);
    if (item->kind == WF_ITEM_TRACE) {
        wf_trace_deliver(engine, mail);
        return;
    }
    if (item->kind == WF_ITEM_LOG) {
        wf_log_deliver(engine, mail);
        return;
    }
    enum weft_event_type type;
    struct weft_future *x = wf_delivery_take(item, &type);
    if (item->kind == WF_ITEM_FILL)
        wf_upload_fill(x->upload);
    else if (item->kind == WF_ITEM_DRAIN)
        wf_body_sink_drain(x->body->sink);
    else if (item->kind == WF_ITEM_READABLE)
        x->body->event(x->context, x, type);
    else if (item->kind == WF_ITEM_WRITABLE)
        x->upload->event(x->context, x, type);
    else if (x->done != NULL)
        x->done(x->context, x);
    wf_exchange_drop(x, WF_ENGINE_REF);
}

/* Shutdown, in this order:
 *   1. the I/O threads are asked to drain, then to end what is left; 2. they are joined, after
 *   which whatever is pushed to them is ended by its pusher; 3. the workers run what was posted and
 *   are joined. Memory goes later, with the last exchange. */
static void close_threads(struct weft_client *engine, int64_t drain_ms)
{
    for (unsigned i = 0; i < engine->io_thread_count; i++)
        wf_io_thread_close(engine->io_threads[i], drain_ms);
    for (unsigned i = 0; i < engine->io_thread_count; i++)
        wf_io_thread_join(engine->io_threads[i]);
    wf_tls_loader_join(&engine->tls_loader);
    pthread_mutex_lock(&engine->lock);
    engine->workers_closed = true;
    pthread_mutex_unlock(&engine->lock);
    struct wf_worker_pool *pool = atomic_load_explicit(&engine->workers, memory_order_acquire);
    if (pool != NULL)
        wf_worker_pool_stop(pool);
}

void wf_engine_close(struct weft_client *engine, int64_t drain_ms)
{
    pthread_mutex_lock(&engine->lock);
    if (engine->state != WF_ENGINE_OPEN) {
        while (engine->state != WF_ENGINE_CLOSED)
            pthread_cond_wait(&engine->state_changed, &engine->lock);
        pthread_mutex_unlock(&engine->lock);
        return;
    }
    engine->state = WF_ENGINE_CLOSING;
    pthread_mutex_unlock(&engine->lock);

    close_threads(engine, drain_ms);

    pthread_mutex_lock(&engine->lock);
    engine->state = WF_ENGINE_CLOSED;
    pthread_cond_broadcast(&engine->state_changed);
    pthread_mutex_unlock(&engine->lock);
}

void wf_engine_release(struct weft_client *engine)
{
    wf_assert(engine->state == WF_ENGINE_CLOSED);
    wf_pool_unref(engine->exchanges);
}
