/* The system's CA certificates are read when the first https connection is wanted, on a thread of
 * its own: a client that never needs them does not pay for them, and no I/O thread reads files.
 * Connections that came meanwhile wait in io_thread.trust_waiting. */
#ifndef WF_IO_THREAD_TLS_LOADER_H
#define WF_IO_THREAD_TLS_LOADER_H

#include "base/alloc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct weft_client;
struct wf_io_thread;

enum wf_trust {
    WF_TRUST_READY, /* read, not needed, or not to be had: then engine.tls_error says why */
    WF_TRUST_LOADING,
    WF_TRUST_NO_THREAD, /* none could be started now */
    WF_TRUST_NEEDED     /* never returned */
};

struct wf_tls_loader {
    /* Any thread; atomic. R26 with A26: READY publishes the context and tls_error. */
    atomic_int state; /* enum wf_trust */

    /* Guarded by the engine's lock until the I/O threads ended. */
    pthread_t thread;
    bool is_started;
};

void wf_tls_loader_init(struct wf_tls_loader *loader, bool needed);

/* READY: connections may be made. LOADING: it has begun, now or before, and each I/O thread is told
 * when it is done. Thread: I/O. */
enum wf_trust wf_tls_loader_ask(struct weft_client *engine);

/* Told that it is done: starts the connections that wait. Thread: I/O. */
void wf_tls_loader_done(struct wf_io_thread *io);

/* Waits for its thread. After the I/O threads ended. */
void wf_tls_loader_join(struct wf_tls_loader *loader);

#endif
