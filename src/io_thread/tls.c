#include "io_thread/tls.h"

#include "base/assert.h"
#include "io_thread/tls_ctx.h"
#include "io_thread/tls_internal.h"
#include "io_thread/tls_keylog.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>

static struct wf_tls *tls_of(struct wf_transport *t)
{
    return wf_container_of(t, struct wf_tls, base);
}

static const struct wf_tls *tls_of_const(const struct wf_transport *t)
{
    return tls_of((struct wf_transport *)(uintptr_t)t);
}

static void note_protocol(struct wf_tls *tls)
{
    char *name = NULL;
    unsigned short len = 0;
    /* Only success says something: the code for "none" differs between versions of wolfSSL. */
    if (wolfSSL_ALPN_GetProtocol(tls->ssl, &name, &len) == WOLFSSL_SUCCESS && name != NULL &&
        len < sizeof(tls->protocol)) {
        memcpy(tls->protocol, name, len);
        tls->protocol[len] = '\0';
    }
}

static bool is_blocked(int tls_code)
{
    return tls_code == WOLFSSL_ERROR_WANT_READ || tls_code == WOLFSSL_ERROR_WANT_WRITE;
}

static enum wf_io_result tls_handshake(struct wf_transport *t)
{
    struct wf_tls *tls = tls_of(t);
    if (t->error.kind != WF_IO_ERR_NONE)
        return WF_IO_ERROR;
    if (tls->handshake_done)
        return WF_IO_OK;
    wf_tls_io_flush(tls);
    wf_tls_io_begin(tls, 2 * TLS_IN_CAP);
    int ret = tls->is_server ? wolfSSL_accept(tls->ssl) : wolfSSL_connect(tls->ssl);
    int code = ret == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(tls->ssl, ret);
    if (tls->cut_short)
        (void)wf_io_fail(t, WF_IO_ERR_TLS_PROTOCOL, 0, 0, "%.64s sends a handshake without end",
                         tls->host);

    /* Who it is is looked at before our Finished leaves: the server learns nothing of us then. */
    if (ret == WOLFSSL_SUCCESS && !tls->is_server && wf_tls_verify_server(tls) != WF_IO_OK)
        tls->io->out_len = 0;
    wf_tls_io_end(tls);
    if (t->error.kind != WF_IO_ERR_NONE)
        return WF_IO_ERROR;
    if (ret != WOLFSSL_SUCCESS)
        return is_blocked(code) && tls->send_errno == 0 && !tls->out_of_memory
                   ? WF_IO_AGAIN
                   : wf_tls_fail(tls, code);
    if (tls->out_of_memory || tls->owes_too_much)
        return wf_tls_fail(tls, 0);
    note_protocol(tls);
    if (tls->ctx != NULL && tls->ctx->keylog != NULL)
        wf_keylog_handshake_done(tls->ctx->keylog, tls->ssl);
    tls->handshake_done = true;
    return WF_IO_OK;
}

/* What is behind the last octet that wolfSSL could give. */
static enum wf_io_result read_outcome(struct wf_tls *tls, int ret)
{
    int code = wolfSSL_get_error(tls->ssl, ret);
    if (is_blocked(code))
        return tls->cut_short ? WF_IO_OK : WF_IO_AGAIN;
    if (code == WOLFSSL_ERROR_ZERO_RETURN)
        return WF_IO_END;
    return wf_tls_fail(tls, code);
}

static enum wf_io_result tls_read(struct wf_transport *t, void *buf, size_t cap, size_t *out_len)
{
    struct wf_tls *tls = tls_of(t);
    wf_assert(tls->handshake_done);
    *out_len = 0;
    if (tls->read_state == WF_IO_END || tls->read_state == WF_IO_ERROR)
        return tls->read_state;

    enum wf_io_result result = WF_IO_OK;
    wf_tls_io_begin(tls, cap);
    while (*out_len < cap) {
        size_t room = cap - *out_len;
        tls->room = room;
        int ret =
            wolfSSL_read(tls->ssl, (char *)buf + *out_len, room > INT_MAX ? INT_MAX : (int)room);
        if (ret <= 0) {
            result = read_outcome(tls, ret);
            break;
        }
        *out_len += (size_t)ret;
        tls->useful++;
    }
    wf_tls_io_end(tls);
    if (tls->out_of_memory || tls->owes_too_much || wf_tls_is_flooded(tls))
        result = wf_tls_fail(tls, 0);
    /* The ticket of TLS 1.3 comes with the first octets or before them. */
    if (tls->keeps && !tls->has_kept && *out_len > 0)
        wf_tls_keep_session(tls);
    tls->read_state = result;
    return result;
}

/* Where in the caller's slices the next octet is. */
struct cursor {
    const struct iovec *iov;
    int count;
    size_t offset;
};

static void skip_empty(struct cursor *at)
{
    while (at->count > 0 && at->offset == at->iov->iov_len) {
        at->iov++;
        at->count--;
        at->offset = 0;
    }
}

static void advance(struct cursor *at, size_t len)
{
    while (len > 0) {
        size_t rest = at->iov->iov_len - at->offset;
        size_t step = len < rest ? len : rest;
        at->offset += step;
        len -= step;
        skip_empty(at);
    }
}

/* The octets of the next record: in place when one slice fills it, else gathered, since wolfSSL has
 * no gathering write and a record of its own for each frame costs more than the copy. */
static struct wf_slice next_record(struct cursor at, uint8_t *staging)
{
    const uint8_t *base = at.iov->iov_base;
    size_t rest = at.iov->iov_len - at.offset;
    if (rest >= TLS_RECORD_MAX)
        return wf_slice(base + at.offset, TLS_RECORD_MAX);
    if (at.count == 1)
        return wf_slice(base + at.offset, rest);
    size_t len = 0;
    while (at.count > 0 && len < TLS_RECORD_MAX) {
        size_t room = TLS_RECORD_MAX - len;
        rest = at.iov->iov_len - at.offset;
        size_t step = rest < room ? rest : room;
        memcpy(staging + len, (const uint8_t *)at.iov->iov_base + at.offset, step);
        len += step;
        at.offset += step;
        skip_empty(&at);
    }
    return wf_slice(staging, len);
}

static enum wf_io_result write_records(struct wf_tls *tls, struct cursor at, size_t *out_len)
{
    skip_empty(&at);
    while (at.count > 0) {
        if (wf_buf_len(&tls->unsent) >= WF_TLS_UNSENT_HIGH_WATER)
            return WF_IO_AGAIN;
        if (tls->send_errno != 0)
            return wf_tls_fail_send(tls);
        struct wf_slice record = next_record(at, tls->io->staging);
        int ret = wolfSSL_write(tls->ssl, record.ptr, (int)record.len);
        if (ret <= 0)
            return wf_tls_fail(tls, wolfSSL_get_error(tls->ssl, ret));
        advance(&at, (size_t)ret);
        *out_len += (size_t)ret;
    }
    return WF_IO_OK;
}

static enum wf_io_result tls_write(struct wf_transport *t, const struct iovec *iov, int count,
                                   size_t *out_len)
{
    struct wf_tls *tls = tls_of(t);
    wf_assert(tls->handshake_done);
    *out_len = 0;
    wf_tls_io_begin(tls, TLS_IN_CAP);
    struct cursor at = {.iov = iov, .count = count};
    enum wf_io_result result = write_records(tls, at, out_len);
    wf_tls_io_end(tls);
    if (tls->out_of_memory || tls->owes_too_much)
        return wf_tls_fail(tls, 0);
    return tls->send_errno != 0 ? wf_tls_fail_send(tls) : result;
}

static enum wf_io_result tls_flush(struct wf_transport *t)
{
    struct wf_tls *tls = tls_of(t);
    wf_tls_io_flush(tls);
    if (tls->send_errno != 0)
        return wf_tls_fail_send(tls);
    return tls->unsent.data == NULL ? WF_IO_OK : WF_IO_AGAIN;
}

static size_t tls_unsent(const struct wf_transport *t)
{
    return wf_buf_len(&tls_of_const(t)->unsent);
}

static const char *tls_protocol(const struct wf_transport *t)
{
    const struct wf_tls *tls = tls_of_const(t);
    return tls->protocol[0] != '\0' ? tls->protocol : NULL;
}

void wf_tls_say_goodbye(struct wf_transport *t)
{
    struct wf_tls *tls = tls_of(t);
    if (!tls->handshake_done || tls->said_goodbye || t->error.kind != WF_IO_ERR_NONE ||
        tls->send_errno != 0)
        return;
    tls->said_goodbye = true;
    if (tls->keeps)
        wf_tls_keep_session(tls);
    wf_tls_io_flush(tls);
    wf_tls_io_begin(tls, 0);
    /* Once, and its "not done yet" is as good as its success: nobody waits for the answer. */
    (void)wolfSSL_shutdown(tls->ssl);
    wf_tls_io_end(tls);
}

static void tls_free(struct wf_transport *t)
{
    struct wf_tls *tls = tls_of(t);
    wf_tls_say_goodbye(t);
    /* Whatever failed, the next one goes without. */
    if (tls->identity != NULL && !tls->handshake_done)
        wf_tls_sessions_forget(&tls->io->sessions, tls->key);
    wolfSSL_free(tls->ssl);
    wf_io_close(tls->fd);
    wf_buf_fini(&tls->unsent);
    wf_buf_fini(&tls->unread);
    wf_free((void *)(uintptr_t)tls->key.ptr);
    wf_free(tls->identity);
    wf_free(tls);
}

static const struct wf_transport_ops tls_ops = {
    .handshake = tls_handshake,
    .read = tls_read,
    .write = tls_write,
    .flush = tls_flush,
    .unsent = tls_unsent,
    .protocol = tls_protocol,
    .free = tls_free,
};

/* RFC 6066 section 3: literals are not permitted in "HostName". */
static bool is_literal(const char *host)
{
    uint8_t address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool copy_host(char *to, const char *host)
{
    size_t len = strlen(host);
    if (len > 1 && host[len - 1] == '.')
        len--;
    if (len == 0 || len > TLS_HOST_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] - 'A' + 'a' : host[i]);
    to[len] = '\0';
    return true;
}

static void set_io(struct wf_tls *tls)
{
    wolfSSL_SSLSetIORecv(tls->ssl, wf_tls_receive);
    wolfSSL_SSLSetIOSend(tls->ssl, wf_tls_send);
    wolfSSL_SetIOReadCtx(tls->ssl, tls);
    wolfSSL_SetIOWriteCtx(tls->ssl, tls);
}

static bool offer_protocols(WOLFSSL *ssl, const char *alpn)
{
    if (alpn == NULL)
        return true;
    char names[64]; /* wolfSSL wants them writable */
    int len = snprintf(names, sizeof(names), "%s", alpn);
    return len > 0 && (size_t)len < sizeof(names) &&
           wolfSSL_UseALPN(ssl, names, (unsigned int)len, WOLFSSL_ALPN_CONTINUE_ON_MISMATCH) ==
               WOLFSSL_SUCCESS;
}

/* RFC 9113 section 9.2.3: builds of wolfSSL that know post-handshake authentication answer a
 * CertificateRequest that nobody offered to take, by what is a handshake to them. */
static int handshake_ended(WOLFSSL *ssl, void *context)
{
    struct wf_tls *tls = context;
    (void)ssl;
    if (!tls->handshake_done)
        return 0;
    tls->renegotiates = true;
    return WOLFSSL_FATAL_ERROR;
}

static bool set_up(struct wf_tls *tls, const char *alpn)
{
    tls->ssl = wolfSSL_new(tls->ctx->wolfssl);
    if (tls->ssl == NULL)
        return false;
    set_io(tls);
    if (wolfSSL_SetHsDoneCb(tls->ssl, handshake_ended, tls) != WOLFSSL_SUCCESS)
        return false;
    wolfSSL_SetCertCbCtx(tls->ssl, tls);
    if (!is_literal(tls->host) &&
        wolfSSL_UseSNI(tls->ssl, WOLFSSL_SNI_HOST_NAME, tls->host,
                       (unsigned short)strlen(tls->host)) != WOLFSSL_SUCCESS)
        return false;
    if (tls->ctx->keylog != NULL && !wf_keylog_watch(tls->ctx->keylog, tls->ssl))
        return false;
    return offer_protocols(tls->ssl, alpn);
}

/* What has to be the same for a session to be resumed. The rest that was verified or agreed on is
 * of the context. False: out of memory. */
static bool make_key(struct wf_tls *tls, const char *host, uint16_t port, const char *alpn)
{
    if (tls->io->sessions.max == 0 || !tls->ctx->can_resume)
        return true;
    char text[2 * TLS_HOST_MAX + 128];
    int len = snprintf(text, sizeof(text), "%s\n%s\n%u\n%s", host, tls->host, port,
                       alpn == NULL ? "" : alpn);
    if (len < 0 || (size_t)len >= sizeof(text))
        return true; /* no such host */
    void *copy = wf_alloc((size_t)len);
    if (copy == NULL)
        return false;
    memcpy(copy, text, (size_t)len);
    tls->key = wf_slice(copy, (size_t)len);
    tls->keeps = true;
    return true;
}

struct wf_transport *wf_tls_new(struct wf_tls_ctx *ctx, struct wf_tls_io *io, int fd,
                                const char *host, uint16_t port, const char *alpn,
                                struct wf_io_error *out_error)
{
    struct wf_transport failed = {0};
    struct wf_tls *tls = wf_calloc(1, sizeof(*tls));
    if (tls != NULL) {
        tls->base.ops = &tls_ops;
        tls->ctx = ctx;
        tls->io = io;
        tls->fd = fd;
        tls->insecure = ctx->insecure;
    }
    if (tls == NULL) {
        (void)wf_io_fail(&failed, WF_IO_ERR_NO_MEMORY, 0, 0, "out of memory");
    } else if (!copy_host(tls->host, ctx->server_name != NULL ? ctx->server_name : host)) {
        (void)wf_io_fail(&failed, WF_IO_ERR_CONFIG, 0, 0, "the host name is empty or too long");
    } else if (!set_up(tls, alpn) || !make_key(tls, host, port, alpn)) {
        (void)wf_io_fail(&failed, WF_IO_ERR_NO_MEMORY, 0, 0,
                         "TLS to %.64s cannot be set up, for lack of memory most likely",
                         tls->host);
    } else {
        if (tls->keeps)
            wf_tls_resume(tls);
        return &tls->base;
    }
    if (tls != NULL)
        wolfSSL_free(tls->ssl);
    wf_free(tls);
    *out_error = failed.error;
    return NULL;
}

struct wf_transport *wf_tls_new_server(WOLFSSL *ssl, struct wf_tls_io *io, int fd)
{
    struct wf_tls *tls = wf_calloc(1, sizeof(*tls));
    if (tls == NULL)
        return NULL;
    tls->base.ops = &tls_ops;
    tls->io = io;
    tls->ssl = ssl;
    tls->fd = fd;
    tls->is_server = true;
    tls->insecure = true; /* a client has no certificate */
    (void)snprintf(tls->host, sizeof(tls->host), "the client");
    set_io(tls);
    return &tls->base;
}

const char *wf_tls_version(const struct wf_transport *t)
{
    wf_assert(t->ops == &tls_ops);
    return wolfSSL_get_version(tls_of_const(t)->ssl);
}

const char *wf_tls_cipher(const struct wf_transport *t)
{
    wf_assert(t->ops == &tls_ops);
    return wolfSSL_get_cipher(tls_of_const(t)->ssl);
}

bool wf_tls_is_resumed(const struct wf_transport *t)
{
    wf_assert(t->ops == &tls_ops);
    return tls_of_const(t)->resumed;
}

bool wf_tls_is_worth_again(const struct wf_transport *t)
{
    wf_assert(t->ops == &tls_ops);
    const struct wf_tls *tls = tls_of_const(t);
    enum wf_io_error_kind kind = t->error.kind;
    return tls->identity != NULL && !tls->handshake_done &&
           (kind == WF_IO_ERR_TLS_VERSION || kind == WF_IO_ERR_TLS_PROTOCOL ||
            kind == WF_IO_ERR_TLS_ALERT || kind == WF_IO_ERR_TLS_CLOSED);
}
