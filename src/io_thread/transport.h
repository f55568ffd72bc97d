/* What a connection reads from and writes to: cleartext TCP, TLS, or a test's script.
 * Thread: I/O, the owner's, all of it.
 *
 * The owner keeps the poll source of the descriptor. It is added edge-triggered, which gives two
 * duties: read until WF_IO_AGAIN, and, when output was left over, call flush again at the next
 * EPOLLOUT. When an event carries EPOLLRDHUP, EPOLLHUP or EPOLLERR the owner sets `hangup` before
 * it reads: a transport takes a short read as "nothing more for now" and saves the system call that
 * would say so, which is wrong once the end has been announced, since no further edge will come.
 *
 * Order: handshake until OK, then read, write and flush in any order, then free once. After ERROR
 * only reading `error`, free and further reads are legal: a write that failed must not hide what
 * the peer still said, so read keeps working after a failed write or flush. */
#ifndef WF_IO_THREAD_TRANSPORT_H
#define WF_IO_THREAD_TRANSPORT_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum wf_io_result {
    WF_IO_OK,
    WF_IO_AGAIN, /* wait for the poller */
    WF_IO_END,   /* orderly end: FIN in cleartext, close_notify in TLS */
    WF_IO_ERROR
};

enum wf_io_error_kind {
    WF_IO_ERR_NONE,
    WF_IO_ERR_SYSTEM, /* sys_errno: reset, broken pipe, timed out, ... */
    WF_IO_ERR_NO_MEMORY,
    WF_IO_ERR_CONFIG,    /* the TLS configuration cannot be used; only from wf_tls_ctx_new() */
    WF_IO_ERR_TRUNCATED, /* TCP ended without close_notify: what was read may be incomplete */
    WF_IO_ERR_UNTRUSTED, /* self-signed, or of an unknown issuer */
    WF_IO_ERR_EXPIRED,
    WF_IO_ERR_NOT_YET_VALID,
    WF_IO_ERR_WRONG_HOST, /* the certificate is valid, but for another name or address */
    WF_IO_ERR_BAD_CERT, /* bad signature, wrong purpose, issuer that is no CA, malformed, revoked */
    WF_IO_ERR_PIN,      /* the server's public key is none of those that are pinned */
    WF_IO_ERR_CLIENT_CERT,  /* ours cannot be used, or the server asks for one or refuses it */
    WF_IO_ERR_TLS_ALERT,    /* the peer refused the handshake: tls_alert */
    WF_IO_ERR_TLS_VERSION,  /* no protocol version in common */
    WF_IO_ERR_NOT_TLS,      /* what came is no TLS record: a cleartext server, most likely */
    WF_IO_ERR_TLS_CLOSED,   /* closed or reset in the middle of the handshake */
    WF_IO_ERR_TICKET_NONCE, /* this wolfSSL build cannot take the server's session ticket */
    WF_IO_ERR_TLS_LIMIT,    /* more TLS without content than there may be */
    WF_IO_ERR_TLS_PROTOCOL  /* any other TLS failure: tls_code */
};

struct wf_io_error {
    enum wf_io_error_kind kind;
    int sys_errno;
    int tls_code;   /* wolfSSL's own, negative; 0: none */
    int tls_alert;  /* RFC 8446 section 6.2; -1: none was received */
    char text[128]; /* one sentence without its full stop, with host and cause */
};

struct wf_transport;

struct wf_transport_ops {
    /* One step, at any event; it sends what was left over too. OK: done, also when it was done
     * before; AGAIN; ERROR. Never END. */
    enum wf_io_result (*handshake)(struct wf_transport *t);
    /* Reads at most @cap octets. *out_len says how many came, with any result: use them first, then
     * look at the result.
     * - OK: there may be more (*out_len is then mostly near @cap, but may be 0): call again without
     *   waiting, or keep a note, since no edge will come for it.
     * - AGAIN: that was all for now.
     * - END: that was all for ever. ERROR: likewise, and `error` says why. */
    enum wf_io_result (*read)(struct wf_transport *t, void *buf, size_t cap, size_t *out_len);
    /* Takes octets from the front of the gathered slices. *out_len says how many; the caller may
     * drop those, and repeat the rest later with any other slicing.
     * - OK: all of them were taken.
     * - AGAIN: *out_len of them, maybe 0: go on after the next EPOLLOUT.
     * - ERROR: nothing can be written any more. */
    enum wf_io_result (*write)(struct wf_transport *t, const struct iovec *iov, int count,
                               size_t *out_len);
    /* Sends what the transport itself still holds. OK: nothing is left; AGAIN; ERROR. */
    enum wf_io_result (*flush)(struct wf_transport *t);
    /* Octets that were taken by write but not by the socket. */
    size_t (*unsent)(const struct wf_transport *t);
    /* The protocol that ALPN agreed on, "h2" for instance; NULL: none. After the handshake. */
    const char *(*protocol)(const struct wf_transport *t);
    /* Says goodbye once without waiting (close_notify after a finished handshake and no error),
     * closes the descriptor and frees the transport. The owner removes its poll source first. */
    void (*free)(struct wf_transport *t);
};

struct wf_transport {
    const struct wf_transport_ops *ops;
    bool hangup;              /* set by the owner, see above */
    struct wf_io_error error; /* after WF_IO_ERROR; the first one stays */
};

/* Cleartext over a connected, non-blocking stream socket. Nothing is buffered. Takes ownership of
 * @fd when it succeeds. NULL: out of memory. */
WF_MUST_USE struct wf_transport *wf_tcp_new(int fd);

/* Records the first error; later ones are dropped. @format makes the text. Returns WF_IO_ERROR. */
enum wf_io_result wf_io_fail(struct wf_transport *t, enum wf_io_error_kind kind, int sys_errno,
                             int tls_code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* For transports: closes a socket, dropping first what was received and not read (within reason).
 * With it still there the kernel would send a reset, and that can take back what was sent last,
 * such as a GOAWAY. */
void wf_io_close(int fd);

static inline enum wf_io_result wf_transport_handshake(struct wf_transport *t)
{
    return t->ops->handshake(t);
}

static inline enum wf_io_result wf_transport_read(struct wf_transport *t, void *buf, size_t cap,
                                                  size_t *out_len)
{
    return t->ops->read(t, buf, cap, out_len);
}

static inline enum wf_io_result wf_transport_write(struct wf_transport *t, const struct iovec *iov,
                                                   int count, size_t *out_len)
{
    return t->ops->write(t, iov, count, out_len);
}

static inline enum wf_io_result wf_transport_flush(struct wf_transport *t)
{
    return t->ops->flush(t);
}

static inline size_t wf_transport_unsent(const struct wf_transport *t)
{
    return t->ops->unsent(t);
}

static inline const char *wf_transport_protocol(const struct wf_transport *t)
{
    return t->ops->protocol(t);
}

/* NULL is a no-op. */
static inline void wf_transport_free(struct wf_transport *t)
{
    if (t != NULL)
        t->ops->free(t);
}

#endif
