#include "support/tls_front.h"

#include "base/buf.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNS 256
#define READ_LEN  16384u

struct conn {
    int fd;     /* -1: free */
    int behind; /* to the server in cleartext */
    WOLFSSL *ssl;
    bool accepted;
    struct wf_buf in;  /* decrypted, on its way to the server */
    struct wf_buf out; /* on its way to the client; gone when wolfSSL has sent all of it */
};

struct tls_front {
    WOLFSSL_CTX *ctx;
    int listen_fd;
    int stop_fd;
    uint16_t behind_port;
    char alpn[16];
    pthread_t thread;
    struct conn conns[MAX_CONNS];
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "tls_front: %s: %s\n", what, strerror(errno));
    abort();
}

static struct sockaddr_in address_of(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void end_conn(struct conn *conn)
{
    wolfSSL_free(conn->ssl);
    (void)close(conn->fd);
    (void)close(conn->behind);
    wf_buf_fini(&conn->in);
    wf_buf_fini(&conn->out);
    conn->fd = -1;
}

static void accept_one(struct tls_front *front)
{
    size_t place = 0;
    int fd = accept4(front->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    while (place < MAX_CONNS && front->conns[place].fd >= 0)
        place++;
    struct sockaddr_in address = address_of(front->behind_port);
    int behind = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(behind >= 0, "socket");
    /* A connection to loopback is made at once, or not at all. */
    if (place == MAX_CONNS || connect(behind, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(behind);
        (void)close(fd);
        return;
    }
    (void)fcntl(behind, F_SETFL, O_NONBLOCK);
    (void)setsockopt(behind, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct conn *conn = &front->conns[place];
    *conn = (struct conn){.fd = fd, .behind = behind, .ssl = wolfSSL_new(front->ctx)};
    must(conn->ssl != NULL && wolfSSL_set_fd(conn->ssl, fd) == WOLFSSL_SUCCESS &&
             wolfSSL_UseALPN(conn->ssl, front->alpn, (unsigned)strlen(front->alpn),
                             WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS,
         "wolfSSL_new");
}

static bool wants_more(struct conn *conn, int result)
{
    int error = wolfSSL_get_error(conn->ssl, result);
    return error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE;
}

/* False: the connection has ended. */
static bool take_from_client(struct conn *conn)
{
    for (;;) {
        while (wf_buf_len(&conn->in) > 0) {
            struct wf_slice in = wf_buf_slice(&conn->in);
            ssize_t len = send(conn->behind, in.ptr, in.len, MSG_NOSIGNAL);
            if (len < 0)
                return errno == EAGAIN;
            wf_buf_consume(&conn->in, (size_t)len);
        }
        must(wf_buf_reserve(&conn->in, READ_LEN), "memory");
        int len = wolfSSL_read(conn->ssl, wf_buf_tail(&conn->in), (int)READ_LEN);
        if (len <= 0)
            return wants_more(conn, len);
        wf_buf_commit(&conn->in, (size_t)len);
    }
}

/* False: the connection has ended. */
static bool bring_to_client(struct conn *conn)
{
    for (;;) {
        if (wf_buf_len(&conn->out) > 0) {
            struct wf_slice out = wf_buf_slice(&conn->out);
            int len = wolfSSL_write(conn->ssl, out.ptr, (int)out.len);
            if (len <= 0)
                return wants_more(conn, len);
            wf_buf_consume(&conn->out, (size_t)len);
            continue;
        }
        must(wf_buf_reserve(&conn->out, READ_LEN), "memory");
        ssize_t len = recv(conn->behind, wf_buf_tail(&conn->out), READ_LEN, 0);
        if (len < 0 && errno == EAGAIN)
            return true;
        if (len <= 0)
            return false;
        wf_buf_commit(&conn->out, (size_t)len);
    }
}

static bool serve(struct conn *conn)
{
    if (!conn->accepted) {
        int result = wolfSSL_accept(conn->ssl);
        if (result != WOLFSSL_SUCCESS)
            return wants_more(conn, result);
        conn->accepted = true;
    }
    return take_from_client(conn) && bring_to_client(conn);
}

static void *run(void *user)
{
    struct tls_front *front = user;
    for (;;) {
        struct pollfd fds[2 * MAX_CONNS + 2] = {{.fd = front->stop_fd, .events = POLLIN},
                                                {.fd = front->listen_fd, .events = POLLIN}};
        for (size_t i = 0; i < MAX_CONNS; i++) {
            const struct conn *conn = &front->conns[i];
            bool is_open = conn->fd >= 0;
            /* Nothing is read for an end that has not yet taken what was. */
            bool sends = is_open && wf_buf_len(&conn->out) > 0;
            bool passes = is_open && wf_buf_len(&conn->in) > 0;
            fds[2 + 2 * i] = (struct pollfd){
                .fd = conn->fd, .events = (short)((passes ? 0 : POLLIN) | (sends ? POLLOUT : 0))};
            fds[3 + 2 * i] =
                (struct pollfd){.fd = is_open && conn->accepted ? conn->behind : -1,
                                .events = (short)((sends ? 0 : POLLIN) | (passes ? POLLOUT : 0))};
        }
        if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
            must(errno == EINTR, "poll");
        if (fds[0].revents != 0)
            return NULL;
        for (size_t i = 0; i < MAX_CONNS; i++) {
            struct conn *conn = &front->conns[i];
            if (conn->fd >= 0 && (fds[2 + 2 * i].revents | fds[3 + 2 * i].revents) != 0 &&
                !serve(conn))
                end_conn(conn);
        }
        if (fds[1].revents != 0)
            accept_one(front);
    }
}

static void load_certificate(struct tls_front *front)
{
    (void)wolfSSL_Init();
    front->ctx = wolfSSL_CTX_new(wolfTLS_server_method());
    must(front->ctx != NULL &&
             wolfSSL_CTX_use_certificate_chain_file(front->ctx, WEFT_TEST_CERTS "/good.pem") ==
                 WOLFSSL_SUCCESS &&
             wolfSSL_CTX_use_PrivateKey_file(front->ctx, WEFT_TEST_CERTS "/good.key",
                                             WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS,
         "certificate");
}

struct tls_front *tls_front_new(uint16_t port, uint16_t behind_port, const char *alpn)
{
    struct sockaddr_in address = address_of(port);
    struct tls_front *front = calloc(1, sizeof(*front));
    must(front != NULL, "calloc");
    for (size_t i = 0; i < MAX_CONNS; i++)
        front->conns[i].fd = -1;
    front->behind_port = behind_port;
    (void)snprintf(front->alpn, sizeof(front->alpn), "%s", alpn);
    load_certificate(front);
    front->stop_fd = eventfd(0, EFD_CLOEXEC);
    front->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(front->stop_fd >= 0 && front->listen_fd >= 0, "descriptors");
    (void)setsockopt(front->listen_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    must(bind(front->listen_fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
    must(listen(front->listen_fd, 256) == 0, "listen");
    must(pthread_create(&front->thread, NULL, run, front) == 0, "thread");
    return front;
}

void tls_front_free(struct tls_front *front)
{
    must(eventfd_write(front->stop_fd, 1) == 0, "eventfd");
    pthread_join(front->thread, NULL);
    for (size_t i = 0; i < MAX_CONNS; i++) {
        if (front->conns[i].fd >= 0)
            end_conn(&front->conns[i]);
    }
    wolfSSL_CTX_free(front->ctx);
    (void)wolfSSL_Cleanup();
    (void)close(front->listen_fd);
    (void)close(front->stop_fd);
    free(front);
}
