/* Ciphertext on its way between the socket and wolfSSL. wolfSSL's own would cost two receive calls
 * a record and one send call; here a receive call takes what is there, and a send call takes all
 * records of a turn. */
#include "io_thread/tls_internal.h"

#include "base/assert.h"

#include <errno.h>
#include <sys/socket.h>

struct wf_tls_io *wf_tls_io_new(void)
{
    struct wf_tls_io *io = wf_alloc(sizeof(*io));
    if (io == NULL)
        return NULL;
    io->in_start = 0;
    io->in_end = 0;
    io->out_len = 0;
    wf_tls_sessions_init(&io->sessions, 0);
    wf_buf_init(&io->spare);
    return io;
}

void wf_tls_io_keep_sessions(struct wf_tls_io *io, size_t count)
{
    io->sessions.max = count;
}

void wf_tls_io_free(struct wf_tls_io *io)
{
    if (io == NULL)
        return;
    wf_tls_sessions_fini(&io->sessions);
    wf_buf_fini(&io->spare);
    wf_free(io);
}

static bool keep_unsent(struct wf_tls *tls, const uint8_t *octets, size_t len)
{
    if (wf_buf_len(&tls->unsent) + len > WF_TLS_UNSENT_MAX) {
        tls->owes_too_much = true;
        return false;
    }
    if (tls->unsent.data == NULL && tls->io->spare.data != NULL) {
        tls->unsent = tls->io->spare;
        wf_buf_init(&tls->io->spare);
    }
    if (!wf_buf_append(&tls->unsent, octets, len)) {
        tls->out_of_memory = true;
        return false;
    }
    return true;
}

static void release_unsent(struct wf_tls *tls)
{
    if (tls->io->spare.data == NULL) {
        tls->io->spare = tls->unsent;
        wf_buf_init(&tls->unsent);
    }
    wf_buf_fini(&tls->unsent);
}

/* How much of @octets the socket took. A failure is noted; nothing is sent from then on. */
static size_t send_some(struct wf_tls *tls, const uint8_t *octets, size_t len)
{
    size_t done = 0;
    while (done < len && tls->send_errno == 0) {
        ssize_t sent = send(tls->fd, octets + done, len - done, MSG_NOSIGNAL);
        if (sent >= 0)
            done += (size_t)sent;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            tls->send_errno = errno;
    }
    return done;
}

static bool send_out(struct wf_tls *tls)
{
    struct wf_tls_io *io = tls->io;
    size_t done = send_some(tls, io->out, io->out_len);
    size_t left = io->out_len - done;
    io->out_len = 0;
    return left == 0 || tls->send_errno != 0 || keep_unsent(tls, io->out + done, left);
}

void wf_tls_io_flush(struct wf_tls *tls)
{
    if (tls->unsent.data == NULL)
        return;
    struct wf_slice rest = wf_buf_slice(&tls->unsent);
    wf_buf_consume(&tls->unsent, send_some(tls, rest.ptr, rest.len));
    if (wf_buf_len(&tls->unsent) == 0 || tls->send_errno != 0) {
        wf_buf_consume(&tls->unsent, wf_buf_len(&tls->unsent));
        release_unsent(tls);
    }
}

int wf_tls_send(WOLFSSL *ssl, char *buf, int len, void *context)
{
    struct wf_tls *tls = context;
    struct wf_tls_io *io = tls->io;
    const uint8_t *octets = (const uint8_t *)buf;
    size_t count = (size_t)len;
    (void)ssl;

    /* Always takes all, so that wolfSSL never has to be called again with the same octets. */
    if (tls->send_errno != 0)
        return len;
    if (tls->unsent.data == NULL && io->out_len + count > TLS_OUT_CAP && !send_out(tls))
        return WOLFSSL_CBIO_ERR_GENERAL;
    if (tls->unsent.data != NULL || count > TLS_OUT_CAP)
        return keep_unsent(tls, octets, count) ? len : WOLFSSL_CBIO_ERR_GENERAL;
    memcpy(io->out + io->out_len, octets, count);
    io->out_len += count;
    return len;
}

/* The first two octets of a stream of TLS records are a content type and the major version, which
 * is 3 for ever (RFC 8446 section 5.1). */
static void look_at_head(struct wf_tls *tls, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len && tls->head_count < 2; i++) {
        bool fits = tls->head_count == 0 ? octets[i] >= 20 && octets[i] <= 23 : octets[i] == 3;
        tls->not_tls = tls->not_tls || !fits;
        tls->head_count++;
    }
}

/* How much to receive; 0: nothing more in this call. A record's worth of room is left over for what
 * wolfSSL holds of a record in progress: what the caller could not take would have to be copied. */
static size_t receive_size(const struct wf_tls *tls)
{
    const size_t least = TLS_RECORD_MAX + 512u;
    if (tls->receives == TLS_RECEIVES_PER_CALL)
        return 0;
    if (tls->room < least)
        return tls->room == tls->cap ? least : 0;
    if (tls->room < 2 * least)
        return least;
    return tls->room - least < TLS_IN_CAP ? tls->room - least : TLS_IN_CAP;
}

/* 0, or what wolfSSL is to be told. */
static int fill(struct wf_tls *tls)
{
    struct wf_tls_io *io = tls->io;
    if (tls->end_seen)
        return WOLFSSL_CBIO_ERR_CONN_CLOSE;
    size_t want = receive_size(tls);
    if (tls->drained || want == 0) {
        tls->cut_short = !tls->drained;
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    tls->receives++;
    ssize_t got;
    do {
        got = recv(tls->fd, io->in, want, 0);
    } while (got < 0 && errno == EINTR);

    if (got == 0) {
        tls->end_seen = true;
        return WOLFSSL_CBIO_ERR_CONN_CLOSE;
    }
    if (got < 0) {
        tls->drained = true;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return WOLFSSL_CBIO_ERR_WANT_READ;
        tls->receive_errno = errno;
        return errno == ECONNRESET ? WOLFSSL_CBIO_ERR_CONN_RST : WOLFSSL_CBIO_ERR_GENERAL;
    }
    tls->drained = (size_t)got < want && !tls->base.hangup;
    io->in_start = 0;
    io->in_end = (size_t)got;
    look_at_head(tls, io->in, (size_t)got);
    return tls->not_tls ? WOLFSSL_CBIO_ERR_GENERAL : 0;
}

/* Follows the records that wolfSSL takes. In TLS 1.3 all of them look like application data; else a
 * handshake record after the handshake asks for another one, which RFC 9113 section 9.2.1 forbids
 * and wolfSSL would politely decline. */
static void watch_records(struct wf_tls *tls, const uint8_t *octets, size_t len)
{
    while (len > 0) {
        size_t step = tls->record_left < len ? tls->record_left : len;
        if (step == 0) {
            step = 1;
            tls->header[tls->header_have++] = *octets;
        } else {
            tls->record_left -= (uint32_t)step;
        }
        octets += step;
        len -= step;
        if (tls->header_have < sizeof(tls->header))
            continue;
        tls->header_have = 0;
        tls->record_left = (uint32_t)tls->header[3] << 8 | tls->header[4];
        tls->records += tls->handshake_done;
        tls->renegotiates =
            tls->renegotiates || (tls->handshake_done && tls->header[0] == TLS_HANDSHAKE_RECORD);
    }
}

static size_t take_octets(struct wf_tls *tls, uint8_t *buf, size_t want)
{
    struct wf_tls_io *io = tls->io;
    size_t kept = wf_buf_len(&tls->unread);
    size_t have = kept > 0 ? kept : io->in_end - io->in_start;
    size_t take = want < have ? want : have;
    if (kept > 0) {
        memcpy(buf, tls->unread.data + tls->unread.start, take);
        wf_buf_consume(&tls->unread, take);
    } else {
        memcpy(buf, io->in + io->in_start, take);
        io->in_start += take;
    }
    return take;
}

int wf_tls_receive(WOLFSSL *ssl, char *buf, int len, void *context)
{
    struct wf_tls *tls = context;
    (void)ssl;
    if (wf_buf_len(&tls->unread) == 0 && tls->io->in_start == tls->io->in_end) {
        int outcome = fill(tls);
        if (outcome != 0)
            return outcome;
    }
    size_t taken = take_octets(tls, (uint8_t *)buf, (size_t)len);
    watch_records(tls, (const uint8_t *)buf, taken);
    return tls->renegotiates ? WOLFSSL_CBIO_ERR_GENERAL : (int)taken;
}

void wf_tls_io_begin(struct wf_tls *tls, size_t cap)
{
    wf_assert(tls->io->in_start == tls->io->in_end && tls->io->out_len == 0);
    tls->drained = false;
    tls->cut_short = false;
    tls->receives = 0;
    tls->cap = cap;
    tls->room = cap;
}

void wf_tls_io_end(struct wf_tls *tls)
{
    struct wf_tls_io *io = tls->io;
    if (io->out_len > 0)
        (void)send_out(tls); /* what failed is noted, and ends the connection */
    if (io->in_start < io->in_end) {
        wf_assert(wf_buf_len(&tls->unread) == 0);
        if (!wf_buf_append(&tls->unread, io->in + io->in_start, io->in_end - io->in_start))
            tls->out_of_memory = true;
        io->in_start = io->in_end;
    } else if (tls->unread.data != NULL && wf_buf_len(&tls->unread) == 0) {
        wf_buf_fini(&tls->unread);
    }
}
