/* What a TLS context is set up from, part by part; each part's function returns false and says in
 * *out_error why. Thread: whoever has the context, before any connection. Only tls*.c include it.
 */
#ifndef WF_IO_THREAD_TLS_SETUP_H
#define WF_IO_THREAD_TLS_SETUP_H

#include "base/buf.h"
#include "io_thread/tls_ctx.h"
#include "io_thread/transport.h"

struct WOLFSSL_CTX;

/* tls_file.c. Both return false. */
bool wf_tls_setup_fail(struct wf_io_error *out_error, enum wf_io_error_kind kind, int sys_errno,
                       int tls_code, const char *what, const char *why);
bool wf_tls_setup_no_memory(struct wf_io_error *out_error);
/* Appends the file's content, 16 MiB at most. @what: "CA file", for the error. */
WF_MUST_USE bool wf_tls_read_file(const char *path, const char *what, struct wf_buf *into,
                                  struct wf_io_error *out_error);

/* tls_trust.c: certificates of authorities. */
WF_MUST_USE bool wf_tls_trust_given(struct WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                                    struct wf_io_error *out_error);
WF_MUST_USE bool wf_tls_trust_system(struct WOLFSSL_CTX *ctx, struct wf_io_error *out_error);

/* tls_client_cert.c: our own certificate and its key. Nothing happens when none is configured. */
WF_MUST_USE bool wf_tls_client_cert_set(struct WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                                        struct wf_io_error *out_error);

/* tls_suites.c: versions, when the context is made; key exchange groups; cipher suites. */
WF_MUST_USE struct WOLFSSL_CTX *wf_tls_new_context(const struct wf_tls_config *config,
                                                   struct wf_io_error *out_error);
WF_MUST_USE bool wf_tls_groups_set(struct WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                                   struct wf_io_error *out_error);
WF_MUST_USE bool wf_tls_suites_set(struct WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                                   struct wf_io_error *out_error);

#endif
