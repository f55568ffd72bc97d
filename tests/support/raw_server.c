#include "support/raw_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFACE_LEN 24u

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "raw_server: %s: %s\n", what, strerror(errno));
    abort();
}

static void *run(void *user)
{
    struct raw_server *server = user;
    for (unsigned round = 0;; round++) {
        int fd = accept(server->listen_fd, NULL, NULL);
        if (fd < 0 || server->stopping) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        server->connections++;
        server->script(server, fd, round);
        close(fd);
    }
}

void raw_server_start_at(struct raw_server *server, const char *host, uint16_t port,
                         raw_script *script, void *user)
{
    *server = (struct raw_server){.script = script, .user = user};
    bool is_v6 = strchr(host, ':') != NULL;
    server->listen_fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server->listen_fd >= 0, "socket");
    (void)setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr *address = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = is_v6 ? sizeof(v6) : sizeof(v4);
    void *where = is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr;
    must(inet_pton(is_v6 ? AF_INET6 : AF_INET, host, where) == 1, "inet_pton");
    must(bind(server->listen_fd, address, len) == 0, "bind");
    must(listen(server->listen_fd, 64) == 0, "listen");
    must(getsockname(server->listen_fd, address, &len) == 0, "getsockname");
    server->port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
    must(pthread_create(&server->thread, NULL, run, server) == 0, "thread");
}

void raw_server_start(struct raw_server *server, raw_script *script, void *user)
{
    raw_server_start_at(server, "127.0.0.1", 0, script, user);
}

void raw_server_stop(struct raw_server *server)
{
    server->stopping = true;
    /* Ends the accept() that waits. */
    (void)shutdown(server->listen_fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listen_fd);
}

static bool send_all(int fd, const uint8_t *octets, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, octets, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        octets += sent;
        len -= (size_t)sent;
    }
    return true;
}

bool raw_send_frame(int fd, uint8_t type, uint8_t flags, uint32_t stream_id, const void *payload,
                    size_t len)
{
    uint8_t header[9] = {(uint8_t)(len >> 16),
                         (uint8_t)(len >> 8),
                         (uint8_t)len,
                         type,
                         flags,
                         (uint8_t)(stream_id >> 24),
                         (uint8_t)(stream_id >> 16),
                         (uint8_t)(stream_id >> 8),
                         (uint8_t)stream_id};
    return send_all(fd, header, sizeof(header)) && send_all(fd, payload, len);
}

bool raw_send_settings(int fd)
{
    return raw_send_frame(fd, 4, 0, 0, NULL, 0);
}

static bool receive_all(int fd, uint8_t *octets, size_t len)
{
    while (len > 0) {
        ssize_t received = recv(fd, octets, len, 0);
        if (received <= 0)
            return false;
        octets += received;
        len -= (size_t)received;
    }
    return true;
}

uint32_t raw_await_frame(int fd, bool first, uint8_t type)
{
    static const uint32_t gone = UINT32_MAX;
    uint8_t buf[16384];
    if (first && !receive_all(fd, buf, PREFACE_LEN))
        return gone;
    for (;;) {
        uint8_t header[9];
        if (!receive_all(fd, header, sizeof(header)))
            return gone;
        size_t len = (size_t)header[0] << 16 | (size_t)header[1] << 8 | header[2];
        if (len > sizeof(buf) || !receive_all(fd, buf, len))
            return gone;
        if (header[3] == type)
            return ((uint32_t)header[5] << 24 | (uint32_t)header[6] << 16 |
                    (uint32_t)header[7] << 8 | header[8]) &
                   0x7fffffffu;
    }
}

void raw_drain(int fd)
{
    uint8_t buf[4096];
    while (recv(fd, buf, sizeof(buf), 0) > 0)
        ;
}

void raw_reset_on_close(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}
