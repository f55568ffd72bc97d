/* weft's TLS transport and a tls_peer, joined by a socket pair and driven by one thread. */
#ifndef WEFT_TEST_TLS_PAIR_H
#define WEFT_TEST_TLS_PAIR_H

#include "io_thread/tls.h"
#include "io_thread/tls_ctx.h"
#include "io_thread/transport.h"
#include "support/tls_peer.h"

struct tls_pair_config {
    struct tls_peer_config peer;
    const char *host; /* NULL: good.test */
    const char *alpn; /* what the client offers */
    bool insecure;
    const char *ca;                  /* NULL: "root" */
    const struct wf_tls_config *tls; /* of the client, but for ca and insecure; NULL: plain */
    struct tls_pair *like;           /* NULL, or one whose contexts and sessions both ends share */
    uint16_t port;                   /* 0: 443 */
    size_t push_at_once; /* how much of the peer's ciphertext arrives at a time; 0: all */
};

struct tls_pair {
    struct wf_tls_ctx *ctx;
    struct wf_tls_io *io;
    struct wf_transport *client;
    int client_fd; /* the client's own */
    struct tls_peer peer;
    size_t push_at_once;
    bool is_like; /* context and buffers are another's */
};

void tls_pair_init(struct tls_pair *pair, const struct tls_pair_config *config);
void tls_pair_fini(struct tls_pair *pair);
/* Runs the handshake until the client has ended it one way or the other and, if well, the peer too.
 */
enum wf_io_result tls_pair_handshake(struct tls_pair *pair);
/* Both of the above; the handshake must succeed. */
void tls_pair_connect(struct tls_pair *pair, const struct tls_pair_config *config);

/* Reads until AGAIN, END or ERROR, letting the peer's ciphertext through bit by bit. */
enum wf_io_result tls_pair_read_all(struct tls_pair *pair, struct wf_buf *into);
/* The peer reads until it has @len octets (fails the test when it cannot), flushing the client. */
void tls_pair_peer_read(struct tls_pair *pair, struct wf_buf *into, size_t len);
/* All of @octets through the client, which must take them. */
void tls_pair_write(struct tls_pair *pair, const void *octets, size_t len);

/* Octets in which each place is recognised. */
void fill_pattern(uint8_t *octets, size_t len);

#endif
