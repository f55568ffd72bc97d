/* What all TLS connections of a client have in common: trust anchors, versions, groups, cipher
 * suites. Built once, then frozen and shared by the I/O threads. Thread: any, one at a time, before
 * the I/O threads start and after they ended; wf_tls_new() reads it on all of them. */
#ifndef WF_IO_THREAD_TLS_CTX_H
#define WF_IO_THREAD_TLS_CTX_H

#include "base/alloc.h"
#include "base/slice.h"

#include <stdbool.h>

struct WOLFSSL_CTX;
struct wf_io_error;

struct wf_tls_ctx {
    struct WOLFSSL_CTX *wolfssl; /* opaque here: only tls*.c see wolfSSL's headers */
    bool insecure;
};

/* All zero: the system's CAs, verification on. */
struct wf_tls_config {
    const char *ca_file;    /* PEM; in place of the system's CAs */
    struct wf_slice ca_pem; /* PEM in memory; in place of the system's CAs; adds to ca_file */
    bool insecure;          /* accepts any certificate for any host, in so many words */
};

/* NULL: *out_error says why (no such file, no certificate in it, no system CAs, out of memory). The
 * configuration is not kept. */
WF_MUST_USE struct wf_tls_ctx *wf_tls_ctx_new(const struct wf_tls_config *config,
                                              struct wf_io_error *out_error);
/* NULL is a no-op. Connections that are still open keep what they need. */
void wf_tls_ctx_free(struct wf_tls_ctx *ctx);

/* Whether AES-GCM is at least as fast here as ChaCha20-Poly1305, measured once per process (well
 * under a millisecond): the faster one is offered first. Thread: any. */
bool wf_tls_aes_is_fast(void);
/* The version of wolfSSL and what it lacks, for a log line. Static. Thread: any. */
const char *wf_tls_library(void);

/* Gives back what wolfSSL keeps per thread; each thread that ran handshakes calls it before it
 * ends. */
void wf_tls_thread_end(void);

#endif
