#include "support/delay_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE_LEN 16384u
#define PIECES    512u
#define MAX_PAIRS 8u
/* What this thread may have slept through, on a machine that others use, too. It makes up for it in
 * octets; none is ever early. */
#define CATCH_UP_US 20000u

struct piece {
    uint64_t due_us;
    size_t len;
    size_t sent;
    uint8_t octets[PIECE_LEN];
};

/* One direction of a connection: a ring of pieces that are on their way. */
struct lane {
    int from_fd;
    int to_fd;
    uint64_t line_free_us; /* when the line has carried what was taken */
    size_t first;
    size_t count;
    struct piece *pieces;
    bool ended;
};

struct pair {
    int fds[2];
    struct lane lanes[2];
    bool is_open;
};

struct delay_proxy {
    int listen_fd;
    uint16_t port;
    uint16_t target_port;
    uint64_t delay_us;
    uint64_t rate;
    pthread_t thread;
    atomic_bool stops;
    struct pair pairs[MAX_PAIRS];
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "delay_proxy: %s: %s\n", what, strerror(errno));
    abort();
}

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Takes what the line has room for: no more than a tenth of a delay ahead of it. */
static bool take(const struct delay_proxy *proxy, struct lane *lane, uint64_t now)
{
    while (!lane->ended && lane->count < PIECES &&
           lane->line_free_us <= now + proxy->delay_us / 10) {
        struct piece *piece = &lane->pieces[(lane->first + lane->count) % PIECES];
        ssize_t len = recv(lane->from_fd, piece->octets, PIECE_LEN, MSG_DONTWAIT);
        if (len < 0)
            return errno == EAGAIN;
        if (len == 0) {
            lane->ended = true;
            return true;
        }
        if (lane->line_free_us + CATCH_UP_US < now)
            lane->line_free_us = now - CATCH_UP_US;
        lane->line_free_us += (uint64_t)len * 1000000 / proxy->rate;
        piece->due_us = (lane->line_free_us > now ? lane->line_free_us : now) + proxy->delay_us;
        piece->len = (size_t)len;
        piece->sent = 0;
        lane->count++;
    }
    return true;
}

static bool deliver(struct lane *lane, uint64_t now)
{
    while (lane->count > 0 && lane->pieces[lane->first].due_us <= now) {
        struct piece *piece = &lane->pieces[lane->first];
        ssize_t len = send(lane->to_fd, piece->octets + piece->sent, piece->len - piece->sent,
                           MSG_DONTWAIT | MSG_NOSIGNAL);
        if (len < 0)
            return errno == EAGAIN;
        piece->sent += (size_t)len;
        if (piece->sent < piece->len)
            return true;
        lane->first = (lane->first + 1) % PIECES;
        lane->count--;
    }
    return !lane->ended || lane->count > 0;
}

static void close_pair(struct pair *pair)
{
    for (unsigned i = 0; i < 2; i++) {
        (void)close(pair->fds[i]);
        free(pair->lanes[i].pieces);
    }
    pair->is_open = false;
}

static void open_pair(struct delay_proxy *proxy, int fd)
{
    struct pair *pair = proxy->pairs;
    while (pair < proxy->pairs + MAX_PAIRS && pair->is_open)
        pair++;
    must(pair < proxy->pairs + MAX_PAIRS, "room for a connection");
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(proxy->target_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(other >= 0 && connect(other, (struct sockaddr *)&address, sizeof(address)) == 0,
         "connect");
    *pair = (struct pair){.fds = {fd, other}, .is_open = true};
    for (unsigned i = 0; i < 2; i++) {
        (void)setsockopt(pair->fds[i], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        pair->lanes[i] = (struct lane){.from_fd = pair->fds[i], .to_fd = pair->fds[1 - i]};
        pair->lanes[i].pieces = calloc(PIECES, sizeof(struct piece));
        must(pair->lanes[i].pieces != NULL, "calloc");
    }
}

static void *run(void *user)
{
    struct delay_proxy *proxy = user;
    while (!proxy->stops) {
        /* A millisecond is the grain of this line. */
        struct pollfd listening = {.fd = proxy->listen_fd, .events = POLLIN};
        if (poll(&listening, 1, 1) > 0) {
            int fd = accept4(proxy->listen_fd, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0)
                open_pair(proxy, fd);
        }
        uint64_t now = now_us();
        for (unsigned i = 0; i < MAX_PAIRS; i++) {
            struct pair *pair = &proxy->pairs[i];
            bool alive = pair->is_open;
            for (unsigned k = 0; alive && k < 2; k++)
                alive = take(proxy, &pair->lanes[k], now) && deliver(&pair->lanes[k], now);
            if (pair->is_open && !alive)
                close_pair(pair);
        }
    }
    return NULL;
}

struct delay_proxy *delay_proxy_new(uint16_t target_port, unsigned one_way_ms, uint64_t rate)
{
    struct delay_proxy *proxy = calloc(1, sizeof(*proxy));
    must(proxy != NULL, "calloc");
    proxy->target_port = target_port;
    proxy->delay_us = (uint64_t)one_way_ms * 1000;
    proxy->rate = rate;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    proxy->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(proxy->listen_fd >= 0, "socket");
    must(bind(proxy->listen_fd, (struct sockaddr *)&address, len) == 0, "bind");
    must(listen(proxy->listen_fd, 16) == 0, "listen");
    must(getsockname(proxy->listen_fd, (struct sockaddr *)&address, &len) == 0, "getsockname");
    proxy->port = ntohs(address.sin_port);
    must(pthread_create(&proxy->thread, NULL, run, proxy) == 0, "thread");
    return proxy;
}

uint16_t delay_proxy_port(const struct delay_proxy *proxy)
{
    return proxy->port;
}

void delay_proxy_free(struct delay_proxy *proxy)
{
    proxy->stops = true;
    pthread_join(proxy->thread, NULL);
    for (unsigned i = 0; i < MAX_PAIRS; i++) {
        if (proxy->pairs[i].is_open)
            close_pair(&proxy->pairs[i]);
    }
    (void)close(proxy->listen_fd);
    free(proxy);
}
