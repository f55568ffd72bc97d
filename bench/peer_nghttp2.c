/* libnghttp2 driven bare: one thread, epoll, a large read and as few writes as there can be. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_LEN 262144u
#define WINDOW     ((1 << 30) - 1)

struct stream {
    uint64_t began_us;
    size_t sent;
    bool ok;
};

struct conn {
    struct peer_job *job;
    nghttp2_session *session;
    int fd;
    SSL *ssl;
    size_t in_flight;
    size_t out_len;
    uint8_t out[BUFFER_LEN];
};

static uint8_t in[BUFFER_LEN];

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value),
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static ssize_t read_upload(nghttp2_session *session, int32_t id, uint8_t *to, size_t cap,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct stream *stream = source->ptr;
    const struct peer_job *job = ((struct conn *)user)->job;
    size_t len = job->upload_len - stream->sent;
    (void)session;
    (void)id;
    if (len > cap)
        len = cap;
    memcpy(to, job->upload + stream->sent, len);
    stream->sent += len;
    if (stream->sent == job->upload_len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static void submit(struct conn *conn)
{
    struct peer_job *job = conn->job;
    char authority[80];
    (void)snprintf(authority, sizeof(authority), "%s:%s", job->host, job->port);
    while (conn->in_flight < job->in_flight && job->started < job->requests) {
        struct stream *stream = calloc(1, sizeof(*stream));
        if (stream == NULL)
            exit(1);
        stream->began_us = peer_now_us();
        nghttp2_nv fields[] = {field(":method", job->upload ? "POST" : "GET"),
                               field(":scheme", job->tls ? "https" : "http"),
                               field(":authority", authority), field(":path", job->path),
                               field("user-agent", "bench_peer_nghttp2")};
        for (size_t i = 0; i < 5; i++)
            fields[i].flags = NGHTTP2_NV_FLAG_NONE; /* authority is on this stack */
        nghttp2_data_provider body = {.source.ptr = stream, .read_callback = read_upload};
        if (nghttp2_submit_request(conn->session, NULL, fields, 5, job->upload ? &body : NULL,
                                   stream) < 0)
            exit(1);
        job->started++;
        conn->in_flight++;
    }
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    (void)flags;
    (void)user;
    if (name_len == 7 && memcmp(name, ":status", 7) == 0) {
        struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        if (stream != NULL)
            stream->ok = value_len == 3 && memcmp(value, "200", 3) == 0;
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct conn *conn = user;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream == NULL)
        return 0;
    peer_job_done(conn->job, stream->ok && code == NGHTTP2_NO_ERROR, stream->began_us);
    conn->in_flight--;
    free(stream);
    return 0;
}

static ssize_t conn_io(struct conn *conn, bool writing, void *data, size_t len)
{
    ssize_t done;
    if (conn->ssl == NULL)
        done = writing ? send(conn->fd, data, len, MSG_NOSIGNAL) : recv(conn->fd, data, len, 0);
    else
        done = writing ? SSL_write(conn->ssl, data, (int)len) : SSL_read(conn->ssl, data, (int)len);
    if (done > 0)
        return done;
    if (conn->ssl != NULL) {
        int error = SSL_get_error(conn->ssl, (int)done);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    return done < 0 && errno == EAGAIN ? 0 : -1;
}

/* Gathers what the session has to say and writes it. */
static void conn_send(struct conn *conn)
{
    for (;;) {
        const uint8_t *data;
        ssize_t len = 0;
        while (conn->out_len + 20000 < sizeof(conn->out) &&
               (len = nghttp2_session_mem_send(conn->session, &data)) > 0) {
            memcpy(conn->out + conn->out_len, data, (size_t)len);
            conn->out_len += (size_t)len;
        }
        if (conn->out_len == 0)
            return;
        ssize_t done = conn_io(conn, true, conn->out, conn->out_len);
        if (len < 0 || done < 0)
            exit(1);
        conn->out_len -= (size_t)done;
        memmove(conn->out, conn->out + done, conn->out_len);
        if (done == 0)
            return;
    }
}

static void conn_ready(struct conn *conn)
{
    ssize_t got;
    do {
        got = conn_io(conn, false, in, sizeof(in));
        if (got < 0 || (got > 0 && nghttp2_session_mem_recv(conn->session, in, (size_t)got) != got))
            exit(1);
        submit(conn);
        conn_send(conn);
    } while (conn->ssl != NULL ? got > 0 : (size_t)got == sizeof(in));
}

static void conn_dial(struct conn *conn, const struct addrinfo *address, SSL_CTX *tls)
{
    int one = 1;
    conn->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (conn->fd < 0 || connect(conn->fd, address->ai_addr, address->ai_addrlen) != 0)
        exit(1);
    (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (tls != NULL) {
        static const uint8_t alpn[] = "\2h2";
        conn->ssl = SSL_new(tls);
        if (conn->ssl == NULL || SSL_set_alpn_protos(conn->ssl, alpn, 3) != 0 ||
            SSL_set_fd(conn->ssl, conn->fd) != 1 || SSL_connect(conn->ssl) != 1)
            exit(1);
    }
    (void)fcntl(conn->fd, F_SETFL, O_NONBLOCK);
}

static void conn_open(struct conn *conn)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                         {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}};
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_session_client_new(&conn->session, callbacks, conn) != 0 ||
        nghttp2_submit_settings(conn->session, NGHTTP2_FLAG_NONE, settings, 2) != 0 ||
        nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, 0, WINDOW) != 0)
        exit(1);
    nghttp2_session_callbacks_del(callbacks);
    submit(conn);
    conn_send(conn);
}

int main(int argc, char **argv)
{
    struct peer_job job;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *address;
    struct epoll_event events[64];
    peer_job_parse(&job, argc, argv);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    SSL_CTX *tls = job.tls ? SSL_CTX_new(TLS_client_method()) : NULL;
    struct conn *conns = calloc(job.connections, sizeof(*conns));
    if (epoll_fd < 0 || conns == NULL || (job.tls && tls == NULL) ||
        getaddrinfo(job.host, job.port, &hints, &address) != 0)
        return 1;
    if (tls != NULL) {
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_read_ahead(tls, 1);
        SSL_CTX_set_default_read_buffer_len(tls, 65536);
        (void)SSL_CTX_set_ciphersuites(tls, "TLS_AES_128_GCM_SHA256");
    }
    for (size_t i = 0; i < job.connections; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &conns[i]};
        conns[i].job = &job;
        conn_dial(&conns[i], address, tls);
        conn_open(&conns[i]);
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, conns[i].fd, &event) != 0)
            return 1;
    }
    while (job.succeeded + job.failed < job.requests) {
        int count = epoll_wait(epoll_fd, events, 64, -1);
        for (int i = 0; i < count; i++)
            conn_ready(events[i].data.ptr);
    }
    for (size_t i = 0; i < job.connections; i++) {
        nghttp2_session_del(conns[i].session);
        SSL_free(conns[i].ssl);
        close(conns[i].fd);
    }
    SSL_CTX_free(tls);
    freeaddrinfo(address);
    free(conns);
    return peer_job_report(&job);
}
