#include "io_thread/tls_loader.h"

#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/log.h"
#include "io_thread/tls_ctx.h"
#include "io_thread/transport.h"
#include "message/error.h"
#include "workers/park.h"

#include <signal.h>

void wf_tls_loader_init(struct wf_tls_loader *loader, bool needed)
{
    atomic_init(&loader->state, needed ? WF_TRUST_NEEDED : WF_TRUST_READY);
    loader->is_started = false;
}

static void *load(void *user)
{
    struct weft_client *engine = user;
    struct wf_io_error io_error = {.kind = WF_IO_ERR_NONE};
    uint64_t start = wf_now_ns();
    if (wf_tls_ctx_load_system(engine->tls_ctx, &io_error)) {
        wf_log_client(engine, WEFT_LOG_DEBUG, "client: read the system's CA certificates in %u us",
                      (unsigned)((wf_now_ns() - start) / 1000));
    } else {
        wf_error_set(&engine->tls_error,
                     io_error.kind == WF_IO_ERR_NO_MEMORY ? WEFT_ERR_NO_MEMORY
                                                          : WEFT_ERR_CERTIFICATE,
                     WEFT_STAGE_TLS, WEFT_NOT_SENT, "cannot set up TLS: %s", io_error.text);
        engine->tls_error.sys_errno = io_error.sys_errno;
        engine->tls_error.tls_code = io_error.tls_code;
        wf_log_client(engine, WEFT_LOG_ERROR, "client: %s; https will not work",
                      engine->tls_error.text);
    }
    wf_tls_thread_end();
    /* R26: publishes the context and tls_error. Pairs with A26 in wf_tls_loader_ask(). */
    atomic_store_explicit(&engine->tls_loader.state, WF_TRUST_READY, memory_order_release);
    for (unsigned i = 0; i < engine->io_thread_count; i++) {
        struct wf_mail *mail = &engine->io_threads[i]->trust_item.mail;
        wf_io_thread_push(engine->io_threads[i], mail, mail);
    }
    return NULL;
}

/* Signals are for the program's own threads. */
static bool start(struct weft_client *engine)
{
    struct wf_tls_loader *loader = &engine->tls_loader;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    loader->is_started = pthread_create(&loader->thread, NULL, load, engine) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return loader->is_started;
}

enum wf_trust wf_tls_loader_ask(struct weft_client *engine)
{
    struct wf_tls_loader *loader = &engine->tls_loader;
    /* A26: sees the context and tls_error as the loader left them. Pairs with R26 in load(). */
    int state = atomic_load_explicit(&loader->state, memory_order_acquire);
    if (state == WF_TRUST_READY)
        return WF_TRUST_READY;
    pthread_mutex_lock(&engine->lock);
    state = atomic_load_explicit(&loader->state, memory_order_acquire); /* A26 too */
    if (state == WF_TRUST_NEEDED) {
        /* Relaxed: read again only under the lock, but for READY. Set before the thread begins, or
         * it would take the thread's READY back. */
        atomic_store_explicit(&loader->state, WF_TRUST_LOADING, memory_order_relaxed);
        state = WF_TRUST_LOADING;
        if (!start(engine)) {
            atomic_store_explicit(&loader->state, WF_TRUST_NEEDED, memory_order_relaxed);
            state = WF_TRUST_NO_THREAD;
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return (enum wf_trust)state;
}

void wf_tls_loader_done(struct wf_io_thread *io)
{
    struct wf_node *node;
    while ((node = wf_list_pop_front(&io->trust_waiting)) != NULL)
        wf_conn_trust_is_ready(wf_container_of(node, struct wf_conn, trust_node));
}

void wf_tls_loader_join(struct wf_tls_loader *loader)
{
    if (loader->is_started)
        pthread_join(loader->thread, NULL);
    loader->is_started = false;
}
