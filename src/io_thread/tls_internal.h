/* What the parts of the TLS transport share: tls.c (the transport), tls_io.c (ciphertext buffers
 * and wolfSSL's callbacks), tls_verify.c (certificates), tls_resume.c (sessions), tls_error.c (what
 * went wrong, in words).
 * Nobody else includes this, but the test server for its side. */
#ifndef WF_IO_THREAD_TLS_INTERNAL_H
#define WF_IO_THREAD_TLS_INTERNAL_H

#include "base/buf.h"
#include "io_thread/tls.h"
#include "io_thread/tls_ctx.h"
#include "io_thread/tls_sessions.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#define TLS_RECORD_MAX       16384u /* RFC 8446 section 5.1, of plaintext */
#define TLS_HANDSHAKE_RECORD 22u
#define TLS_IN_CAP           65536u
#define TLS_OUT_CAP                                                                                \
    (4u * (TLS_RECORD_MAX + 256u)) /* RFC 8446 section 5.2: expansion is at most 256 */
/* So that a peer who sends records without content cannot hold the loop. */
#define TLS_RECEIVES_PER_CALL 8u
#define TLS_HOST_MAX          253u
/* Records without content (KeyUpdate, tickets, warnings, empty ones) that a peer may send beyond
 * one for each record with content. A handful is usual; each costs us more than it costs the peer.
 */
#define TLS_EMPTY_RECORDS_MAX 1000u

struct wf_tls_io {
    size_t in_start; /* of the ciphertext that the connection in hand has not taken yet */
    size_t in_end;
    size_t out_len;
    struct wf_tls_sessions sessions;
    struct wf_buf spare; /* an unsent remainder's memory, kept for the next */
    uint8_t in[TLS_IN_CAP];
    uint8_t out[TLS_OUT_CAP];
    uint8_t staging[TLS_RECORD_MAX];
};

struct wf_tls {
    struct wf_transport base;
    struct wf_tls_io *io;
    const struct wf_tls_ctx *ctx; /* NULL: a server's end */
    WOLFSSL *ssl;
    int fd;

    bool is_server;
    bool insecure;
    bool handshake_done;
    bool chain_seen; /* not_before and not_after are of all certificates that came */
    bool resumed;    /* no certificate came: identity says who it is */
    bool keeps;      /* a session for later, when there is one */
    bool has_kept;
    bool said_goodbye;   /* close_notify */
    bool out_of_memory;  /* inside a callback */
    bool owes_too_much;  /* WF_TLS_UNSENT_MAX was reached */
    bool drained;        /* this call: the socket has no more */
    bool cut_short;      /* this call: stopped although the socket may have more */
    bool self_issued;    /* the leaf, when its issuer is not known */
    bool end_seen;       /* FIN */
    bool not_tls;        /* the first octets are those of no TLS record */
    bool renegotiates;   /* a handshake message in the clear, or in TLS 1.2 at all, came too late */
    uint8_t head_count;  /* how many octets of the stream's first record header were looked at */
    uint8_t header_have; /* of the next record's header */
    uint8_t header[5];
    uint32_t record_left; /* of the payload of the record in hand */
    uint32_t receives;
    uint64_t records; /* that came after the handshake */
    uint64_t useful;  /* of these, with content */
    size_t cap;       /* this call: how much plaintext the caller wants at most */
    size_t room;      /* this call: how much of it is still missing */
    int receive_errno;
    int send_errno; /* nothing more can be sent */

    /* The last thing that read said, repeated from then on. */
    enum wf_io_result read_state;

    int64_t not_before;
    int64_t not_after;
    struct wf_tls_identity *identity; /* of the session that was offered; NULL: none was */
    uint64_t ticket_hash;             /* of the one that was offered or kept last */
    struct wf_slice key;              /* of sessions; memory of its own */

    struct wf_buf unsent; /* ciphertext that the socket would not take */
    struct wf_buf unread; /* ciphertext that wolfSSL did not ask for yet */
    char protocol[16];
    char host[TLS_HOST_MAX + 1]; /* lower case, no trailing dot */
};

static inline bool wf_tls_is_flooded(const struct wf_tls *tls)
{
    return tls->records > 2 * tls->useful + TLS_EMPTY_RECORDS_MAX;
}

/* tls_io.c: wolfSSL's callbacks; @context is the struct wf_tls. */
int wf_tls_receive(WOLFSSL *ssl, char *buf, int len, void *context);
int wf_tls_send(WOLFSSL *ssl, char *buf, int len, void *context);
/* Around each call into wolfSSL that may read or write. The second one sends what was written, and
 * keeps what was read ahead but not taken. */
void wf_tls_io_begin(struct wf_tls *tls, size_t cap);
void wf_tls_io_end(struct wf_tls *tls);
/* Tries to send the unsent remainder. */
void wf_tls_io_flush(struct wf_tls *tls);

/* tls_verify.c: what a context calls for the certificates of its connections. */
int wf_tls_verified(int is_valid, WOLFSSL_X509_STORE_CTX *store);
int wf_tls_accept_any(int is_valid, WOLFSSL_X509_STORE_CTX *store);
/* When wolfSSL is done with the handshake: whether the server, by its certificate or by what was
 * kept of it with the session, is the one that is meant: host and pins, and for a resumed session
 * once more the time. */
enum wf_io_result wf_tls_verify_server(struct wf_tls *tls);
/* Whether a session with @identity may be offered: the same questions. */
bool wf_tls_identity_holds(const struct wf_tls *tls, const struct wf_tls_identity *identity);

/* tls_resume.c: before the handshake; after the first octets were read, and at the end. */
void wf_tls_resume(struct wf_tls *tls);
void wf_tls_keep_session(struct wf_tls *tls);
int64_t wf_tls_wall_clock(void); /* seconds since 1970 */

/* tls.c: the other end of a connection, for weft-serve. @ssl has all but its I/O set up. Takes
 * ownership of @ssl and @fd when it succeeds. NULL: out of memory. */
WF_MUST_USE struct wf_transport *wf_tls_new_server(WOLFSSL *ssl, struct wf_tls_io *io, int fd);
/* Sends close_notify, once; for a server that waits for the client to close. Nothing is written
 * after it. Otherwise free does it. */
void wf_tls_say_goodbye(struct wf_transport *t);

/* tls_error.c: translates the failure of a call into wolfSSL. Returns WF_IO_ERROR. */
enum wf_io_result wf_tls_fail(struct wf_tls *tls, int tls_code);
enum wf_io_result wf_tls_fail_send(struct wf_tls *tls);

#endif
