/* The parts that all transports share, and the cleartext one. */
#include "io_thread/transport.h"

#include "base/assert.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tcp {
    struct wf_transport base;
    int fd;
};

enum wf_io_result wf_io_fail(struct wf_transport *t, enum wf_io_error_kind kind, int sys_errno,
                             int tls_code, const char *format, ...)
{
    if (t->error.kind != WF_IO_ERR_NONE)
        return WF_IO_ERROR;
    t->error.kind = kind;
    t->error.sys_errno = sys_errno;
    t->error.tls_code = tls_code;
    t->error.tls_alert = -1;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(t->error.text, sizeof(t->error.text), format, args);
    va_end(args);
    return WF_IO_ERROR;
}

static struct tcp *tcp_of(struct wf_transport *t)
{
    return wf_container_of(t, struct tcp, base);
}

void wf_io_close(int fd)
{
    uint8_t dropped[4096];
    for (int i = 0; i < 16; i++) {
        if (recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT) <= 0)
            break;
    }
    (void)close(fd);
}

static enum wf_io_result system_failure(struct wf_transport *t, const char *what)
{
    int failure = errno;
    return wf_io_fail(t, WF_IO_ERR_SYSTEM, failure, 0, "%s: %s", what, strerror(failure));
}

static enum wf_io_result tcp_handshake(struct wf_transport *t)
{
    (void)t;
    return WF_IO_OK;
}

static enum wf_io_result tcp_read(struct wf_transport *t, void *buf, size_t cap, size_t *out_len)
{
    *out_len = 0;
    if (cap == 0)
        return WF_IO_OK;
    ssize_t got;
    do {
        got = recv(tcp_of(t)->fd, buf, cap, 0);
    } while (got < 0 && errno == EINTR);

    if (got == 0)
        return WF_IO_END;
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? WF_IO_AGAIN
                                                       : system_failure(t, "reading failed");
    *out_len = (size_t)got;
    return (size_t)got < cap && !t->hangup ? WF_IO_AGAIN : WF_IO_OK;
}

static size_t iov_total(const struct iovec *iov, int count)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    return total;
}

static enum wf_io_result tcp_write(struct wf_transport *t, const struct iovec *iov, int count,
                                   size_t *out_len)
{
    struct msghdr message = {0};
    /* The cast drops a const that sendmsg keeps to. */
    message.msg_iov = (struct iovec *)(uintptr_t)iov;
    message.msg_iovlen = (size_t)(count < IOV_MAX ? count : IOV_MAX);
    size_t total = iov_total(iov, count);
    *out_len = 0;
    if (total == 0)
        return WF_IO_OK;
    ssize_t sent;
    do {
        sent = sendmsg(tcp_of(t)->fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);

    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? WF_IO_AGAIN
                                                       : system_failure(t, "writing failed");
    *out_len = (size_t)sent;
    if ((size_t)sent == total)
        return WF_IO_OK;
    if (count > IOV_MAX) {
        /* The kernel takes only so many slices at once; whether it took all of them or not, the
         * next call tells. */
        size_t offered = iov_total(iov, IOV_MAX);
        if ((size_t)sent == offered) {
            size_t more = 0;
            enum wf_io_result result = tcp_write(t, iov + IOV_MAX, count - IOV_MAX, &more);
            *out_len += more;
            return result;
        }
    }
    return WF_IO_AGAIN;
}

static enum wf_io_result tcp_flush(struct wf_transport *t)
{
    (void)t;
    return WF_IO_OK;
}

static size_t tcp_unsent(const struct wf_transport *t)
{
    (void)t;
    return 0;
}

static const char *tcp_protocol(const struct wf_transport *t)
{
    (void)t;
    return NULL;
}

static void tcp_free(struct wf_transport *t)
{
    struct tcp *tcp = tcp_of(t);
    wf_io_close(tcp->fd);
    wf_free(tcp);
}

static const struct wf_transport_ops tcp_ops = {
    .handshake = tcp_handshake,
    .read = tcp_read,
    .write = tcp_write,
    .flush = tcp_flush,
    .unsent = tcp_unsent,
    .protocol = tcp_protocol,
    .free = tcp_free,
};

struct wf_transport *wf_tcp_new(int fd)
{
    struct tcp *tcp = wf_calloc(1, sizeof(*tcp));
    if (tcp == NULL)
        return NULL;
    tcp->base.ops = &tcp_ops;
    tcp->fd = fd;
    return &tcp->base;
}
