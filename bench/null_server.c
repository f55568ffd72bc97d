/* null_server --counts FILE [--cert FILE --key FILE] LISTENER...
 *
 * LISTENER is BYTES[,tls][,hang][,date]: responses of BYTES octets on a port of 127.0.0.1 that the
 * kernel chooses. The ports are printed in the order of the listeners, one line each. It ends with
 * its standard input. */
#include "null.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENERS_MAX 32
#define EVENTS        64

static void die(const char *what)
{
    fprintf(stderr, "null_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(const struct null_server *server, int fd, uint32_t events, void *ptr)
{
    struct epoll_event event = {.events = events, .data.ptr = ptr};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                     const unsigned char *in, unsigned in_len, void *user)
{
    static const unsigned char ours[] = "\2h2";
    (void)ssl;
    (void)user;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, ours, 3, in, in_len) ==
                   OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *tls_new(const char *cert, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") != 1) {
        fprintf(stderr, "null_server: cannot use %s and %s\n", cert, key);
        exit(1);
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ctx, 65536);
    SSL_CTX_set_alpn_select_cb(ctx, choose_h2, NULL);
    return ctx;
}

static void listener_open(struct null_listener *listener, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_len = sizeof(address);
    listener->body_len = strtoull(text, NULL, 10);
    listener->tls = strstr(text, ",tls") != NULL;
    listener->hangs = strstr(text, ",hang") != NULL;
    listener->changes_date = strstr(text, ",date") != NULL;
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0 || bind(listener->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener->fd, 4096) != 0 ||
        getsockname(listener->fd, (struct sockaddr *)&address, &address_len) != 0)
        die("cannot listen");
    printf("%u\n", ntohs(address.sin_port));
}

static void conn_free(struct null_conn *conn)
{
    SSL_free(conn->ssl);
    close(conn->fd);
    munmap(conn, sizeof(*conn));
}

static void accept_all(struct null_server *server, struct null_listener *listener)
{
    for (;;) {
        int one = 1;
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        /* Mapped, not allocated: pages that are not touched cost nothing. */
        struct null_conn *conn =
            mmap(NULL, sizeof(*conn), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (conn == MAP_FAILED)
            die("mmap");
        conn->listener = listener;
        conn->counts = server->counts;
        conn->fd = fd;
        if (listener->tls) {
            conn->ssl = SSL_new(server->tls);
            if (conn->ssl == NULL || SSL_set_fd(conn->ssl, fd) != 1)
                die("SSL_new");
            SSL_set_accept_state(conn->ssl);
        }
        server->counts->connections++;
        null_conn_begin(conn);
        watch(server, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, conn);
    }
}

/* Octets, 0 for "not now", -1 for the end. */
static ssize_t conn_read(struct null_conn *conn, uint8_t *to, size_t cap)
{
    if (conn->ssl != NULL) {
        int got = SSL_read(conn->ssl, to, (int)cap);
        int error = got > 0 ? 0 : SSL_get_error(conn->ssl, got);
        return got > 0                                                         ? got
               : error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0
                                                                               : -1;
    }
    ssize_t got = recv(conn->fd, to, cap, 0);
    return got > 0 ? got : got < 0 && errno == EAGAIN ? 0 : -1;
}

static ssize_t conn_write(struct null_conn *conn, const uint8_t *from, size_t len)
{
    if (conn->ssl != NULL) {
        int done = SSL_write(conn->ssl, from, (int)len);
        int error = done > 0 ? 0 : SSL_get_error(conn->ssl, done);
        return done > 0                                                        ? done
               : error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0
                                                                               : -1;
    }
    ssize_t done = send(conn->fd, from, len, MSG_NOSIGNAL);
    return done >= 0 ? done : errno == EAGAIN ? 0 : -1;
}

/* True: all is written, there may be more to say. */
static bool conn_flush(struct null_conn *conn)
{
    while (conn->out_start < conn->out_len) {
        ssize_t done =
            conn_write(conn, conn->out + conn->out_start, conn->out_len - conn->out_start);
        if (done < 0)
            conn->dead = true;
        if (done <= 0)
            return false;
        conn->out_start += (size_t)done;
    }
    conn->out_start = 0;
    conn->out_len = 0;
    return true;
}

static void conn_send(struct null_conn *conn)
{
    do {
        if (conn->out_start == 0)
            null_conn_fill(conn);
        if (conn->out_len == 0)
            return;
    } while (conn_flush(conn) && !conn->dead);
}

/* Everything in server->in up to @len, answers included; what is left of a frame is kept. */
static void conn_digest(struct null_server *server, struct null_conn *conn, size_t len)
{
    size_t at = 0;
    while (at < len && !conn->dead) {
        size_t taken = null_conn_take(conn, server->in + at, len - at);
        at += taken;
        if (taken == 0 || at == len)
            break;
        conn_send(conn);
    }
    conn->kept_len = len - at;
    if (conn->kept_len > sizeof(conn->kept))
        conn->dead = true; /* it sends and sends and does not read */
    else
        memcpy(conn->kept, server->in + at, conn->kept_len);
}

static void conn_ready(struct null_server *server, struct null_conn *conn)
{
    for (;;) {
        size_t before = conn->kept_len;
        memcpy(server->in, conn->kept, before);
        ssize_t got = conn_read(conn, server->in + before, sizeof(server->in) - before);
        if (got < 0)
            conn->dead = true;
        if (got <= 0)
            break;
        conn_digest(server, conn, before + (size_t)got);
        if (conn->dead)
            break;
        conn_send(conn);
    }
    if (!conn->dead && (conn->ssl == NULL || SSL_is_init_finished(conn->ssl)))
        conn_send(conn);
    if (conn->dead)
        conn_free(conn);
}

static struct null_counts *counts_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct null_counts)) != 0)
        die(path);
    void *counts =
        mmap(NULL, sizeof(struct null_counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (counts == MAP_FAILED)
        die("mmap");
    close(fd);
    return counts;
}

static void serve(struct null_server *server, struct null_listener *listeners, size_t count)
{
    struct epoll_event events[EVENTS];
    watch(server, STDIN_FILENO, EPOLLIN | EPOLLHUP, NULL);
    for (size_t i = 0; i < count; i++)
        watch(server, listeners[i].fd, EPOLLIN, &listeners[i]);
    for (;;) {
        int ready = epoll_wait(server->epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            void *ptr = events[i].data.ptr;
            if (ptr == NULL)
                return;
            if (ptr >= (void *)listeners && ptr < (void *)(listeners + count))
                accept_all(server, ptr);
            else
                conn_ready(server, ptr);
        }
    }
}

int main(int argc, char **argv)
{
    static struct null_server server;
    static struct null_listener listeners[LISTENERS_MAX];
    const char *cert = NULL;
    const char *key = NULL;
    size_t count = 0;
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write() */
    for (int i = 1; i < argc; i++) {
        bool has_value = argv[i][0] == '-' && i + 1 < argc;
        if (has_value && strcmp(argv[i], "--counts") == 0)
            server.counts = counts_open(argv[++i]);
        else if (has_value && strcmp(argv[i], "--cert") == 0)
            cert = argv[++i];
        else if (has_value && strcmp(argv[i], "--key") == 0)
            key = argv[++i];
        else if (argv[i][0] >= '0' && argv[i][0] <= '9' && count < LISTENERS_MAX)
            listener_open(&listeners[count++], argv[i]);
        else
            count = LISTENERS_MAX + 1;
    }
    if (server.counts == NULL || count == 0 || count > LISTENERS_MAX) {
        fputs("usage: null_server --counts FILE [--cert FILE --key FILE] "
              "BYTES[,tls][,hang][,date]...\n",
              stderr);
        return 2;
    }
    if (cert != NULL && key != NULL)
        server.tls = tls_new(cert, key);
    for (size_t i = 0; i < count; i++) {
        if (listeners[i].tls && server.tls == NULL) {
            fputs("null_server: TLS needs --cert and --key\n", stderr);
            return 2;
        }
    }
    struct rlimit files = {65536, 65536};
    (void)setrlimit(RLIMIT_NOFILE, &files); /* as many as there may be */
    server.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server.epoll_fd < 0)
        die("epoll_create1");
    (void)fflush(stdout);
    serve(&server, listeners, count);
    return 0;
}
