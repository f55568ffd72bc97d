/* A TLS server in the test's own thread, at one end of a socket pair. Its ciphertext passes through
 * memory, so that a test decides how many octets arrive at a time, and can look at or alter them.
 */
#ifndef WEFT_TEST_TLS_PEER_H
#define WEFT_TEST_TLS_PEER_H

#include "base/buf.h"

struct WOLFSSL;
struct WOLFSSL_CTX;

struct tls_peer_config {
    const char
        *certificate; /* "good": good.pem (or good.chain.pem) and good.key of the test directory */
    const char *alpn; /* NULL: none */
    bool tls12;       /* TLS 1.2 only; else 1.3 only */
    const char *client_ca; /* NULL: no certificate is asked for; else one of this issuer */
    struct tls_peer *like; /* NULL, or one whose context, and so whose tickets, it shares */
};

struct tls_peer {
    struct WOLFSSL_CTX *ctx;
    struct WOLFSSL *ssl;
    int fd;             /* non-blocking; -1: closed */
    struct wf_buf in;   /* ciphertext received and not yet read by wolfSSL */
    struct wf_buf out;  /* ciphertext not yet sent */
    struct wf_buf wire; /* all that was ever received */
    bool end_seen;
};

/* Takes over @fd. Fails the test when something cannot be set up. */
void tls_peer_init(struct tls_peer *peer, int fd, const struct tls_peer_config *config);
void tls_peer_fini(struct tls_peer *peer);

/* One step of the handshake. True: it is done. */
bool tls_peer_accept(struct tls_peer *peer);
/* Encrypts into `out`. */
void tls_peer_write(struct tls_peer *peer, const void *octets, size_t len);
/* How many octets came; 0 for none yet; -1 for close_notify, -2 for any other end. */
int tls_peer_read(struct tls_peer *peer, void *buf, size_t cap);
void tls_peer_close_notify(struct tls_peer *peer);
void tls_peer_update_keys(struct tls_peer *peer);

/* Moves what has come from the socket into `in`. */
void tls_peer_pull(struct tls_peer *peer);
/* Moves at most @max octets of `out` into the socket; returns how many. */
size_t tls_peer_push(struct tls_peer *peer, size_t max);
/* FIN without close_notify. */
void tls_peer_hang_up(struct tls_peer *peer);

/* The TLS records (RFC 8446 section 5.1) in @wire of content type @type. */
size_t tls_count_records(struct wf_slice wire, uint8_t type);

#endif
