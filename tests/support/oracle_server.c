#include "support/oracle_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNS 64
#define READ_LEN  65536u

/* The server as its thread has it. */
struct running {
    struct oracle_server server;
    int listen_fd;
    int stop_fd;
    uint16_t port;
    pthread_t thread;

    /* Its thread only, while that runs. */
    struct oracle_conn conns[MAX_CONNS];
    uint8_t *in; /* READ_LEN octets */
    unsigned rounds;
    unsigned turns;
    bool is_stopping;
    bool is_deaf;
};

void oracle_must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "oracle_server: %s: %s\n", what, strerror(errno));
    abort();
}

unsigned oracle_decide(const struct oracle_server *server, const char *what, unsigned a, unsigned b,
                       unsigned end)
{
    uint64_t z = server->plan.seed ^ ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15u;
    for (; *what != '\0'; what++) {
        z = (z ^ (uint8_t)*what) * 0xbf58476d1ce4e5b9u;
        z ^= z >> 29;
    }
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ z >> 31) % end);
}

unsigned oracle_decide_for(const struct oracle_server *server, const char *what,
                           const struct oracle_try *attempt, unsigned end)
{
    return oracle_decide(server, what, attempt->number, attempt->attempt, end);
}

static const struct oracle_protocol *protocol_of(bool is_h1)
{
    return is_h1 ? &oracle_protocol_h1 : &oracle_protocol_h2;
}

unsigned oracle_act_count(bool is_h1)
{
    return protocol_of(is_h1)->act_count;
}

const char *oracle_act_name(bool is_h1, unsigned act)
{
    return protocol_of(is_h1)->act_names[act];
}

unsigned oracle_choose_act(struct oracle_server *server, struct oracle_try *attempt)
{
    unsigned act = 0;
    if (oracle_decide_for(server, "trouble", attempt, 100) < server->plan.trouble)
        act = 1 + oracle_decide_for(server, "act", attempt, server->protocol->act_count - 1);
    const char *name = server->protocol->act_names[act];
    if (!server->plan.stalls && strcmp(name, "stall") == 0) {
        act = 0;
        name = server->protocol->act_names[0];
    }
    server->acts[act]++;
    oracle_try_note(attempt, name);
    return act;
}

void oracle_process_perhaps(const struct oracle_server *server, struct oracle_try *attempt)
{
    attempt->was_processed = oracle_decide_for(server, "process", attempt, 2) == 0;
}

unsigned oracle_number_of(struct wf_slice path)
{
    char text[8] = "";
    if (path.len < 2)
        return 0;
    (void)snprintf(text, sizeof(text), "%.*s", (int)path.len - 1, (const char *)path.ptr + 1);
    return (unsigned)strtoul(text, NULL, 10) % ORACLE_REQUESTS;
}

static void conn_close(struct running *running, struct oracle_conn *conn)
{
    running->server.protocol->close(&running->server, conn);
    (void)close(conn->fd);
    conn->fd = -1;
}

/* What may have been on its way in either direction is not to be counted on. */
static void note_lost(struct running *running, const struct oracle_conn *conn)
{
    running->server.has_unread = true;
    oracle_record_lost(&running->server.record, conn->round);
}

/* All that was to be said is said. False: by a reset. */
static bool end_conn(struct running *running, struct oracle_conn *conn)
{
    conn->is_silent = true;
    if (conn->is_aborted) {
        struct linger linger = {.l_onoff = 1};
        (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        note_lost(running, conn);
        return false;
    }
    (void)shutdown(conn->fd, SHUT_WR);
    return true;
}

/* False: the connection is over. What is written is far less than a socket's buffer. */
static bool conn_write(struct running *running, struct oracle_conn *conn)
{
    struct wf_buf out = {0};
    bool is_alive = true;
    running->server.protocol->gather(&running->server, conn, &out);
    struct wf_slice octets = wf_buf_slice(&out);
    if (conn->is_torn && octets.len > 0) {
        octets.len = oracle_decide(&running->server, "torn", conn->round, 0, (unsigned)octets.len);
        oracle_record_lost(&running->server.record, conn->round);
    }
    if (octets.len > 0)
        is_alive = send(conn->fd, octets.ptr, octets.len, MSG_NOSIGNAL) == (ssize_t)octets.len;
    wf_buf_fini(&out);
    if (!is_alive)
        note_lost(running, conn);
    return is_alive && (!conn->ends || end_conn(running, conn));
}

static bool conn_read(struct running *running, struct oracle_conn *conn)
{
    ssize_t len = recv(conn->fd, running->in, READ_LEN, 0);
    if (len <= 0) {
        if (len < 0 && errno == EAGAIN)
            return true;
        if (len < 0)
            note_lost(running, conn);
        return false;
    }
    conn->ends = conn->ends || conn->ends_at_touch;
    running->server.protocol->read(&running->server, conn, wf_slice(running->in, (size_t)len));
    return true;
}

static void accept_one(struct running *running)
{
    struct oracle_server *server = &running->server;
    int fd = accept4(running->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    unsigned round = running->rounds++;
    if (running->rounds == server->plan.listens) {
        /* Resets who waits in its queue, whom nobody has read. The port stays ours. */
        (void)shutdown(running->listen_fd, SHUT_RDWR);
        running->is_deaf = true;
        server->has_unread = true;
    }
    struct oracle_conn *conn = running->conns;
    while (conn < running->conns + MAX_CONNS && conn->fd >= 0)
        conn++;
    oracle_must(conn < running->conns + MAX_CONNS, "room for a connection");
    *conn = (struct oracle_conn){.fd = fd, .round = round};
    server->protocol->open(server, conn);
    conn->ends = oracle_decide(server, "at once", round, 0, 400) < server->plan.trouble;
    if (!conn_write(running, conn))
        conn_close(running, conn);
}

/* What to poll: first the order to stop, then who asks to be accepted, then connections. */
static nfds_t list(struct running *running, struct pollfd *fds, struct oracle_conn **of)
{
    nfds_t count = 2;
    fds[0] = (struct pollfd){.fd = running->is_stopping ? -1 : running->stop_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = running->is_deaf ? -1 : running->listen_fd, .events = POLLIN};
    for (size_t i = 0; i < MAX_CONNS; i++) {
        if (running->conns[i].fd < 0)
            continue;
        of[count] = &running->conns[i];
        fds[count++] = (struct pollfd){.fd = running->conns[i].fd, .events = POLLIN};
    }
    return count;
}

/* One of those that are ready, each time another: nothing may hang on the order in which a server
 * reads its connections. */
static void serve_one(struct running *running, const struct pollfd *fds, struct oracle_conn **of,
                      nfds_t count)
{
    unsigned from = oracle_decide(&running->server, "order", running->turns++, 0, MAX_CONNS);
    for (nfds_t i = 2; i < count; i++) {
        nfds_t at = 2 + (i + from) % (count - 2);
        struct oracle_conn *conn = of[at];
        if (fds[at].revents == 0)
            continue;
        if (!conn_read(running, conn) || (!conn->is_silent && !conn_write(running, conn)))
            conn_close(running, conn);
        return;
    }
}

static void *run(void *user)
{
    struct running *running = user;
    for (;;) {
        struct pollfd fds[MAX_CONNS + 2];
        struct oracle_conn *of[MAX_CONNS + 2];
        nfds_t count = list(running, fds, of);
        /* The client is closed by then: what it sent is still read, to its end. */
        bool is_over = running->is_stopping && count == 2;
        int ready = poll(fds, count, is_over ? 0 : -1);
        oracle_must(ready >= 0 || errno == EINTR, "poll");
        if (is_over && ready == 0)
            return NULL;
        if (fds[0].revents != 0)
            running->is_stopping = true;
        if (fds[1].revents != 0)
            accept_one(running);
        serve_one(running, fds, of, count);
    }
}

/* A socket on a port that stays its own when it listens no more, which the kernel only grants to a
 * port that was asked for by number. */
static void start_listening(struct running *running)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    do {
        int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address.sin_port = 0;
        oracle_must(probe >= 0 && bind(probe, (struct sockaddr *)&address, len) == 0, "bind");
        oracle_must(getsockname(probe, (struct sockaddr *)&address, &len) == 0, "getsockname");
        (void)close(probe);
    } while (bind(running->listen_fd, (struct sockaddr *)&address, len) != 0);
    oracle_must(listen(running->listen_fd, 64) == 0, "listen");
    running->port = ntohs(address.sin_port);
}

struct oracle_server *oracle_server_new(const struct oracle_plan *plan)
{
    struct running *running = calloc(1, sizeof(*running));
    oracle_must(running != NULL, "calloc");
    running->server.plan = *plan;
    running->server.protocol = protocol_of(plan->is_h1);
    running->in = malloc(READ_LEN);
    oracle_must(running->in != NULL, "malloc");
    for (size_t i = 0; i < MAX_CONNS; i++)
        running->conns[i].fd = -1;
    running->stop_fd = eventfd(0, EFD_CLOEXEC);
    running->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    oracle_must(running->stop_fd >= 0 && running->listen_fd >= 0, "descriptors");
    start_listening(running);
    oracle_must(pthread_create(&running->thread, NULL, run, running) == 0, "thread");
    return &running->server;
}

static struct running *running_of(const struct oracle_server *server)
{
    return (struct running *)(uintptr_t)server; /* its first member */
}

uint16_t oracle_server_port(const struct oracle_server *server)
{
    return running_of(server)->port;
}

bool oracle_server_free(struct oracle_server *server, struct oracle_log *out_logs,
                        unsigned out_acts[ORACLE_ACTS_MAX])
{
    struct running *running = running_of(server);
    oracle_must(eventfd_write(running->stop_fd, 1) == 0, "eventfd");
    pthread_join(running->thread, NULL);
    bool has_unread = server->has_unread;
    oracle_record_fini(&server->record, out_logs);
    for (size_t i = 0; i < ORACLE_ACTS_MAX; i++)
        out_acts[i] += server->acts[i];
    (void)close(running->listen_fd);
    (void)close(running->stop_fd);
    free(running->in);
    free(running);
    return has_unread;
}
