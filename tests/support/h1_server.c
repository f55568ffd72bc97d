#include "support/h1_server.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNS 512
#define MAX_HEAD  16384u
#define READ_LEN  65536u

enum reading { READS_HEAD, READS_BODY, READS_SIZE, READS_CHUNK, READS_TRAILERS };

struct conn {
    int fd;
    enum reading reading;
    size_t left;     /* of the body or the chunk, with its line end */
    size_t body_len; /* so far */
    char path[128];
    struct wf_buf in;
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

static void say_letters(struct conn *conn, size_t from, size_t len)
{
    for (size_t i = from; i < from + len; i++) {
        uint8_t letter = (uint8_t)('a' + i % 26);
        must(wf_buf_append(&conn->out, &letter, 1), "memory");
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
    if (strncmp(conn->path, "/bytes/", 7) == 0) {
        say_body(conn, strtoul(conn->path + 7, NULL, 10));
    } else if (strcmp(conn->path, "/echo") == 0) {
        say_body(conn, conn->body_len);
    } else if (strcmp(conn->path, "/cut") == 0) {
        say(conn, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf");
        conn->ends = true;
    } else if (strcmp(conn->path, "/reset") == 0) {
        conn->ends = true;
    } else if (strcmp(conn->path, "/goaway") == 0) {
        say(conn, "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
        conn->ends = true;
    } else if (strcmp(conn->path, "/hang") != 0) {
        say(conn, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    }
    conn->reading = READS_HEAD;
    conn->body_len = 0;
}

/* The next line without its end; false: it is not there yet. */
static bool take_line(struct conn *conn, char *line, size_t cap)
{
    struct wf_slice in = wf_buf_slice(&conn->in);
    const uint8_t *end = in.len == 0 ? NULL : memchr(in.ptr, '\n', in.len);
    if (end == NULL)
        return false;
    size_t len = (size_t)(end - in.ptr);
    (void)snprintf(line, cap, "%.*s", (int)len, (const char *)in.ptr);
    line[strcspn(line, "\r")] = '\0';
    wf_buf_consume(&conn->in, len + 1);
    return true;
}

static bool take_head(struct conn *conn)
{
    struct wf_slice in = wf_buf_slice(&conn->in);
    char line[1024];
    if (in.len == 0 || memmem(in.ptr, in.len, "\r\n\r\n", 4) == NULL)
        return false;
    conn->reading = READS_BODY;
    conn->left = 0;
    (void)take_line(conn, line, sizeof(line));
    if (sscanf(line, "%*s %127s", conn->path) != 1)
        conn->path[0] = '\0';
    while (take_line(conn, line, sizeof(line)) && line[0] != '\0') {
        if (strncasecmp(line, "content-length:", 15) == 0)
            conn->left = strtoul(line + 15, NULL, 10);
        else if (strncasecmp(line, "transfer-encoding:", 18) == 0)
            conn->reading = READS_SIZE;
        else if (strncasecmp(line, "expect:", 7) == 0)
            say(conn, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    return true;
}

static bool take_octets(struct conn *conn)
{
    size_t len = wf_buf_len(&conn->in);
    if (len > conn->left)
        len = conn->left;
    wf_buf_consume(&conn->in, len);
    conn->left -= len;
    return conn->left == 0;
}

static bool take_size(struct conn *conn)
{
    char line[64];
    if (!take_line(conn, line, sizeof(line)))
        return false;
    size_t len = strtoul(line, NULL, 16);
    conn->body_len += len;
    conn->left = len + 2;
    conn->reading = len == 0 ? READS_TRAILERS : READS_CHUNK;
    return true;
}

/* One step; false: more must come first. */
static bool step(struct conn *conn)
{
    char line[1024];
    switch (conn->reading) {
    case READS_HEAD:
        if (!take_head(conn))
            return false;
        if (conn->reading == READS_BODY)
            conn->body_len = conn->left;
        return true;
    case READS_BODY:
        if (!take_octets(conn))
            return false;
        answer(conn);
        return true;
    case READS_SIZE:
        return take_size(conn);
    case READS_CHUNK:
        if (!take_octets(conn))
            return false;
        conn->reading = READS_SIZE;
        return true;
    case READS_TRAILERS:
        if (!take_line(conn, line, sizeof(line)))
            return false;
        if (line[0] == '\0')
            answer(conn);
        return true;
    }
    return false;
}

static bool conn_read(struct conn *conn)
{
    must(wf_buf_reserve(&conn->in, READ_LEN), "memory");
    ssize_t len = recv(conn->fd, wf_buf_tail(&conn->in), READ_LEN, 0);
    if (len <= 0)
        return len < 0 && errno == EAGAIN;
    wf_buf_commit(&conn->in, (size_t)len);
    while (!conn->ends && step(conn))
        ;
    return conn->reading != READS_HEAD || wf_buf_len(&conn->in) <= MAX_HEAD;
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
    wf_buf_fini(&conn->in);
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

struct h1_server *h1_server_new(uint16_t port)
{
    struct h1_server *server = calloc(1, sizeof(*server));
    must(server != NULL, "calloc");
    for (size_t i = 0; i < MAX_CONNS; i++)
        server->conns[i].fd = -1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
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
