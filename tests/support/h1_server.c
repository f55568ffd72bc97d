#include "support/h1_server.h"

#include "support/h1_request.h"

#include <arpa/inet.h>
#include <errno.h>
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

#define MAX_CONNS 512
#define MAX_HEAD  16384u
#define READ_LEN  65536u

struct conn {
    int fd;
    struct h1_request request;
    struct wf_buf out;
    bool ends; /* when all is written */
};

struct h1_server {
    int listen_fd;
    int stop_fd;
    uint16_t port;
    pthread_t thread;
    struct conn conns[MAX_CONNS];
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "h1_server: %s: %s\n", what, strerror(errno));
    abort();
}

static void say(struct conn *conn, const char *text)
{
    must(wf_buf_append(&conn->out, text, strlen(text)), "memory");
}

/* Of an alphabet that repeats. In long pieces: a sanitizer makes each step dear. */
static void say_letters(struct conn *conn, size_t from, size_t len)
{
    char letters[26 * 160];
    for (size_t i = 0; i < sizeof(letters) && i < len; i++)
        letters[i] = (char)('a' + (from + i) % 26);
    while (len > 0) {
        size_t piece = len < sizeof(letters) ? len : sizeof(letters);
        must(wf_buf_append(&conn->out, letters, piece), "memory");
        len -= piece;
    }
}

static void say_body(struct conn *conn, size_t len)
{
    char text[128];
    if (len % 2 == 0) {
        (void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n", len);
        say(conn, text);
        say_letters(conn, 0, len);
        return;
    }
    say(conn, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < len;) {
        size_t piece = len - at < 5000 ? len - at : 5000;
        (void)snprintf(text, sizeof(text), "%zx\r\n", piece);
        say(conn, text);
        say_letters(conn, at, piece);
        say(conn, "\r\n");
        at += piece;
    }
    say(conn, "0\r\nx-sum: 42\r\n\r\n");
}

static void answer(struct conn *conn)
{
    if (strncmp(conn->request.path, "/bytes/", 7) == 0) {
        say_body(conn, strtoul(conn->request.path + 7, NULL, 10));
    } else if (strcmp(conn->request.path, "/echo") == 0) {
        say_body(conn, conn->request.body_len);
    } else if (strcmp(conn->request.path, "/cut") == 0) {
        say(conn, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf");
        conn->ends = true;
    } else if (strcmp(conn->request.path, "/reset") == 0) {
        conn->ends = true;
    } else if (strcmp(conn->request.path, "/goaway") == 0) {
        say(conn, "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
        conn->ends = true;
    } else if (strcmp(conn->request.path, "/hang") != 0) {
        say(conn, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    }
}

static bool conn_read(struct conn *conn)
{
    struct h1_request *request = &conn->request;
    must(wf_buf_reserve(&request->in, READ_LEN), "memory");
    ssize_t len = recv(conn->fd, wf_buf_tail(&request->in), READ_LEN, 0);
    if (len <= 0)
        return len < 0 && errno == EAGAIN;
    wf_buf_commit(&request->in, (size_t)len);
    enum h1_request_step step = H1_REQUEST_BEGUN;
    while (!conn->ends && (step = h1_request_next(request)) != H1_REQUEST_MORE) {
        if (step == H1_REQUEST_COMPLETE)
            answer(conn);
        else if (request->expects_continue)
            say(conn, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    return request->part != H1_REQUEST_HEAD || wf_buf_len(&request->in) <= MAX_HEAD;
}

static bool conn_write(struct conn *conn)
{
    while (wf_buf_len(&conn->out) > 0) {
        struct wf_slice out = wf_buf_slice(&conn->out);
        ssize_t len = send(conn->fd, out.ptr, out.len, MSG_NOSIGNAL);
        if (len < 0)
            return errno == EAGAIN;
        wf_buf_consume(&conn->out, (size_t)len);
    }
    return !conn->ends;
}

static void conn_close(struct conn *conn)
{
    h1_request_fini(&conn->request);
    wf_buf_fini(&conn->out);
    (void)close(conn->fd);
    conn->fd = -1;
}

static void accept_one(struct h1_server *server)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    for (size_t i = 0; i < MAX_CONNS; i++) {
        if (server->conns[i].fd < 0) {
            server->conns[i] = (struct conn){.fd = fd};
            return;
        }
    }
    (void)close(fd);
}

static void *run(void *user)
{
    struct h1_server *server = user;
    for (;;) {
        struct pollfd fds[MAX_CONNS + 2];
        struct conn *of[MAX_CONNS + 2];
        nfds_t count = 2;
        fds[0] = (struct pollfd){.fd = server->stop_fd, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = server->listen_fd, .events = POLLIN};
        for (size_t i = 0; i < MAX_CONNS; i++) {
            struct conn *conn = &server->conns[i];
            if (conn->fd < 0)
                continue;
            of[count] = conn;
            fds[count++] = (struct pollfd){
                .fd = conn->fd,
                .events = (short)(POLLIN | (wf_buf_len(&conn->out) > 0 ? POLLOUT : 0))};
        }
        must(poll(fds, count, -1) >= 0 || errno == EINTR, "poll");
        if (fds[0].revents != 0)
            return NULL;
        if (fds[1].revents != 0)
            accept_one(server);
        for (nfds_t i = 2; i < count; i++) {
            bool reads = (fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
            if (fds[i].revents != 0 && ((reads && !conn_read(of[i])) || !conn_write(of[i])))
                conn_close(of[i]);
        }
    }
}

static struct h1_server *server_new(uint32_t host, uint16_t port)
{
    struct h1_server *server = calloc(1, sizeof(*server));
    must(server != NULL, "calloc");
    for (size_t i = 0; i < MAX_CONNS; i++)
        server->conns[i].fd = -1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(host)};
    socklen_t len = sizeof(address);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(server->stop_fd >= 0 && server->listen_fd >= 0, "descriptors");
    if (port != 0)
        (void)setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    must(bind(server->listen_fd, (struct sockaddr *)&address, len) == 0, "bind");
    must(listen(server->listen_fd, 256) == 0, "listen");
    must(getsockname(server->listen_fd, (struct sockaddr *)&address, &len) == 0, "getsockname");
    server->port = ntohs(address.sin_port);
    must(pthread_create(&server->thread, NULL, run, server) == 0, "thread");
    return server;
}

struct h1_server *h1_server_new(uint16_t port)
{
    return server_new(INADDR_LOOPBACK, port);
}

struct h1_server *h1_server_new_anywhere(uint16_t port)
{
    return server_new(INADDR_ANY, port);
}

uint16_t h1_server_port(const struct h1_server *server)
{
    return server->port;
}

void h1_server_free(struct h1_server *server)
{
    must(eventfd_write(server->stop_fd, 1) == 0, "eventfd");
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < MAX_CONNS; i++) {
        if (server->conns[i].fd >= 0)
            conn_close(&server->conns[i]);
    }
    (void)close(server->listen_fd);
    (void)close(server->stop_fd);
    free(server);
}
