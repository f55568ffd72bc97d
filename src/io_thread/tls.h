/* TLS as a transport: wolfSSL over buffers of ours. Thread: I/O, the owner's, all of it.
 *
 * An I/O thread has one wf_tls_io, whose big buffers all its TLS connections use in turn:
 * ciphertext that was read ahead is decrypted before a call returns, and ciphertext that was
 * written is sent before a call returns. A connection has memory of its own only for what the
 * socket would not take, and for what its reader would not take.
 *
 * Nothing is written for the caller before the certificate has been verified and its name compared
 * with the host (unless the context is insecure). */
#ifndef WF_IO_THREAD_TLS_H
#define WF_IO_THREAD_TLS_H

#include "base/alloc.h"
#include "io_thread/transport.h"

#include <stdint.h>

struct wf_tls_ctx;
struct wf_tls_io;

#define WF_TLS_ALPN_DEFAULT "h2,http/1.1"
/* write says AGAIN while so many octets of ciphertext wait for the socket. */
#define WF_TLS_UNSENT_HIGH_WATER 65536u
/* What a peer can make us owe it (answers to KeyUpdate) on top of that is an error. */
#define WF_TLS_UNSENT_MAX 262144u

/* NULL: out of memory. */
WF_MUST_USE struct wf_tls_io *wf_tls_io_new(void);
/* Keeps up to @count sessions for resumption; before the first transport. */
void wf_tls_io_keep_sessions(struct wf_tls_io *io, size_t count);
/* After all of its transports. NULL is a no-op. */
void wf_tls_io_free(struct wf_tls_io *io);

/* A client's end over a connected, non-blocking stream socket. @host: the name or address literal
 * of the URL (IPv6 without brackets), which the certificate must hold and SNI names, unless @ctx
 * has another name for both. @port: sessions are resumed with the same host and port only. @alpn:
 * protocols in the order of preference, comma-separated; NULL: none are offered. @ctx must outlive
 * it. Takes ownership of @fd when it succeeds. NULL: *out_error says why. */
WF_MUST_USE struct wf_transport *wf_tls_new(struct wf_tls_ctx *ctx, struct wf_tls_io *io, int fd,
                                            const char *host, uint16_t port, const char *alpn,
                                            struct wf_io_error *out_error);

/* "TLSv1.3" and "TLS_AES_128_GCM_SHA256", for instance; after the handshake. Static. Builds of
 * wolfSSL spell the suite in two ways ("TLS13-AES128-GCM-SHA256"): for people, not for decisions.
 */
const char *wf_tls_version(const struct wf_transport *t);
const char *wf_tls_cipher(const struct wf_transport *t);
/* Whether a session of an earlier connection was resumed. */
bool wf_tls_is_resumed(const struct wf_transport *t);
/* After a handshake that failed: it may be for the session that was offered, which a server of
 * another version, for instance, stumbles over; nothing is wrong with the server's certificate.
 * Another connection does without. */
bool wf_tls_is_worth_again(const struct wf_transport *t);

#endif
