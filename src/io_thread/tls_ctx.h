/* What all TLS connections of a client have in common: trust anchors, our own certificate, pins,
 * versions, groups, cipher suites. Built once, then frozen and shared by the I/O threads. Thread:
 * any, one at a time, before the I/O threads start and after they ended; wf_tls_new() reads it on
 * all of them. */
#ifndef WF_IO_THREAD_TLS_CTX_H
#define WF_IO_THREAD_TLS_CTX_H

#include "base/alloc.h"
#include "base/slice.h"
#include "io_thread/tls_pins.h"

#include <stdbool.h>

struct WOLFSSL_CTX;
struct wf_io_error;

struct wf_keylog;

struct wf_tls_ctx {
    struct WOLFSSL_CTX *wolfssl; /* opaque here: only tls*.c see wolfSSL's headers */
    bool insecure;
    bool has_client_cert;
    bool tls12_only;
    bool needs_system_trust; /* wf_tls_ctx_load_system() comes before the first connection */
    bool can_resume;         /* all that a session's certificates have to be asked again is known */
    struct wf_pins pins;
    struct wf_keylog *keylog; /* NULL: none */
    char *server_name;        /* NULL: the host's */
};

/* All zero: the system's CAs, verification on, TLS 1.2 and 1.3. Nothing of it is kept. */
struct wf_tls_config {
    const char *ca_file;    /* PEM; in place of the system's CAs */
    const char *ca_path;    /* a directory of such files; likewise, and adds to ca_file */
    struct wf_slice ca_pem; /* PEM in memory; likewise */
    bool defer_system;      /* leaves the system's CAs for wf_tls_ctx_load_system() */
    bool insecure;          /* accepts any certificate for any host, in so many words */

    /* PEM: our certificate with its chain, and its key; the key may be with the certificate. */
    const char *cert_file;
    const char *key_file;
    struct wf_slice cert_pem;
    struct wf_slice key_pem;

    const char *const *pins; /* "sha256//BASE64", ends with NULL */
    const char *server_name; /* for SNI and for the comparison; NULL: the URL's host */
    unsigned min_version;    /* 12 or 13; 0: 12 */
    unsigned max_version;    /* 0: 13 */
    const char *ciphers;     /* of TLS 1.2; NULL: all that HTTP/2 allows */
    const char *ciphers13;   /* of TLS 1.3 */
    const char *keylog_file; /* NULL: the environment's */
};

/* NULL: *out_error says why (no such file, no certificate in it, no system CAs, out of memory). Not
 * NULL, and a text in *out_error: a warning. */
WF_MUST_USE struct wf_tls_ctx *wf_tls_ctx_new(const struct wf_tls_config *config,
                                              struct wf_io_error *out_error);
/* After all of its connections. NULL is a no-op. */
void wf_tls_ctx_free(struct wf_tls_ctx *ctx);
/* Reads the system's CA certificates, some five milliseconds of work. Once, where
 * needs_system_trust is set, while nobody else uses @ctx. */
WF_MUST_USE bool wf_tls_ctx_load_system(struct wf_tls_ctx *ctx, struct wf_io_error *out_error);

/* Whether AES-GCM is at least as fast here as ChaCha20-Poly1305, measured once per process (well
 * under a millisecond): the faster one is offered first. Thread: any. */
bool wf_tls_aes_is_fast(void);
/* The version of wolfSSL and what it lacks, for a log line. Static. Thread: any. */
const char *wf_tls_library(void);

/* Gives back what wolfSSL keeps per thread; each thread that ran handshakes calls it before it
 * ends. */
void wf_tls_thread_end(void);

#endif
