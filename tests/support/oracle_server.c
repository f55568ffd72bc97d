#include "support/oracle_server.h"

#include "base/buf.h"
#include "h2/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#define MAX_ID    0x7fffffffu

struct exchange {
    struct exchange *next;
    struct exchange **before;
    struct wf_h2_stream *stream;
    unsigned number;
    unsigned attempt;
    char text[12]; /* of the answer */
    bool was_processed;
    bool is_ambiguous; /* counted so, until a GOAWAY says more */
};

struct conn {
    int fd;
    unsigned round;
    struct wf_h2_session *session;
    struct wf_buf in;
    struct wf_buf raw; /* a GOAWAY, which goes out behind the session's octets and past it */
    struct exchange *exchanges;
    uint32_t last_id;      /* of our GOAWAYs */
    uint32_t processed_id; /* highest stream that had its effect */
    bool ends;             /* with all that is still to be written */
    bool is_torn;          /* some of that is left out */
    bool is_silent;        /* we have said our last, and read what comes */
};

struct oracle_server {
    struct oracle_plan plan;
    int listen_fd;
    int stop_fd;
    uint16_t port;
    pthread_t thread;

    /* Its thread only, while that runs. */
    struct conn conns[MAX_CONNS];
    struct oracle_log logs[ORACLE_REQUESTS];
    unsigned acts[ORACLE_ACTS];
    unsigned rounds;
    bool has_lost;
    bool is_stopping;
    bool is_deaf;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "oracle_server: %s: %s\n", what, strerror(errno));
    abort();
}

/* What the plan says about one thing: from 0 to @end - 1. */
static unsigned decide(const struct oracle_server *server, const char *what, unsigned a, unsigned b,
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

static unsigned decide_for(const struct oracle_server *server, const char *what,
                           const struct exchange *x, unsigned end)
{
    return decide(server, what, x->number, x->attempt, end);
}

static void note(struct oracle_server *server, const struct conn *conn, const struct exchange *x,
                 const char *what)
{
    char *trail = server->logs[x->number].trail;
    size_t at = strlen(trail);
    (void)snprintf(trail + at, sizeof(server->logs[0].trail) - at, " %u/%u:%s", conn->round,
                   wf_h2_stream_id(x->stream), what);
}

static void exchange_free(struct exchange *x)
{
    *x->before = x->next;
    if (x->next != NULL)
        x->next->before = x->before;
    free(x);
}

static void send_status(struct conn *conn, struct exchange *x, const char *status)
{
    struct wf_field field = {.name = wf_slice_str(":status"), .value = wf_slice_str(status)};
    struct wf_h2_message message = {.fields = &field, .count = 1};
    (void)wf_h2_session_send_headers(conn->session, x->stream, &message);
}

static void send_answer(struct conn *conn, struct exchange *x)
{
    (void)snprintf(x->text, sizeof(x->text), "%u", x->number);
    send_status(conn, x, "200");
    wf_h2_session_send_body(conn->session, x->stream, wf_slice(x->text, strlen(x->text)), true);
}

static void process(struct oracle_server *server, struct conn *conn, struct exchange *x)
{
    server->logs[x->number].processed++;
    x->was_processed = true;
    if (wf_h2_stream_id(x->stream) > conn->processed_id)
        conn->processed_id = wf_h2_stream_id(x->stream);
}

static void process_perhaps(struct oracle_server *server, struct conn *conn, struct exchange *x)
{
    server->logs[x->number].ambiguous++;
    x->is_ambiguous = true;
    if (decide_for(server, "process", x, 2) == 0)
        process(server, conn, x);
}

static void reset_or_cut(struct oracle_server *server, struct conn *conn, struct exchange *x)
{
    static const uint32_t codes[] = {0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 0xffffffffu};
    unsigned which = decide_for(server, "code", x, 20);
    if (which >= sizeof(codes) / sizeof(codes[0])) {
        conn->ends = true;
        return;
    }
    wf_h2_session_reset(conn->session, x->stream, codes[which]);
    exchange_free(x);
}

/* All that is above @last_id will not be processed, and the client is told so. */
static void leave_out(struct oracle_server *server, struct conn *conn, uint32_t last_id)
{
    conn->last_id = last_id;
    for (struct exchange *x = conn->exchanges; x != NULL; x = x->next) {
        if (wf_h2_stream_id(x->stream) <= last_id || !x->is_ambiguous)
            continue;
        note(server, conn, x, "left out");
        x->is_ambiguous = false;
        server->logs[x->number].ambiguous--;
        server->logs[x->number].not ++;
    }
}

static void go_away(struct oracle_server *server, struct conn *conn, struct exchange *x)
{
    uint32_t id = wf_h2_stream_id(x->stream);
    const uint32_t lasts[] = {0, id - 2, id, id, id + 2, MAX_ID};
    uint32_t last_id = lasts[decide_for(server, "last", x, 6)];
    if (id == 1 && last_id == MAX_ID && decide_for(server, "zero", x, 2) == 0)
        last_id = 0;
    if (last_id < conn->processed_id)
        last_id = conn->processed_id;
    if (last_id > conn->last_id)
        last_id = conn->last_id; /* RFC 9113 section 6.8: it must not grow */
    uint8_t frame[17] = {0, 0, 8, 7};
    for (unsigned i = 0; i < 4; i++)
        frame[9 + i] = (uint8_t)(last_id >> (24 - 8 * i));
    frame[16] = (uint8_t)decide_for(server, "why", x, 14);
    must(wf_buf_append(&conn->raw, frame, sizeof(frame)), "memory");
    server->logs[x->number].ambiguous++;
    x->is_ambiguous = true;
    leave_out(server, conn, last_id);
    if (id <= last_id) {
        process(server, conn, x);
        if (decide_for(server, "answer", x, 2) == 0) {
            x->is_ambiguous = false;
            server->logs[x->number].ambiguous--;
            server->logs[x->number].begun++;
            send_answer(conn, x);
        } else {
            conn->ends = true;
        }
    }
    if (decide_for(server, "then", x, 2) == 0)
        conn->ends = true;
}

static enum oracle_act choose_act(const struct oracle_server *server, const struct exchange *x)
{
    if (decide_for(server, "trouble", x, 100) >= server->plan.trouble)
        return ORACLE_ANSWER;
    enum oracle_act act = 1 + decide_for(server, "act", x, ORACLE_ACTS - 1);
    return act == ORACLE_STALL && !server->plan.stalls ? ORACLE_ANSWER : act;
}

static void begin_half(struct oracle_server *server, struct conn *conn, struct exchange *x)
{
    process(server, conn, x);
    server->logs[x->number].begun++;
    send_status(conn, x, "200");
    reset_or_cut(server, conn, x);
}

static void treat(struct oracle_server *server, struct conn *conn, struct exchange *x)
{
    enum oracle_act act = choose_act(server, x);
    static const char *const names[ORACLE_ACTS] = {"answer", "refuse", "reset", "half", "hint",
                                                   "stall",  "goaway", "cut",   "torn"};
    server->acts[act]++;
    note(server, conn, x, names[act]);
    switch (act) {
    case ORACLE_ANSWER:
    case ORACLE_ACTS:
        process(server, conn, x);
        server->logs[x->number].begun++;
        send_answer(conn, x);
        break;
    case ORACLE_REFUSE:
        server->logs[x->number].not ++;
        wf_h2_session_reset(conn->session, x->stream, WF_H2_REFUSED_STREAM);
        exchange_free(x);
        break;
    case ORACLE_RESET:
        process_perhaps(server, conn, x);
        reset_or_cut(server, conn, x);
        break;
    case ORACLE_HALF:
        begin_half(server, conn, x);
        break;
    case ORACLE_HINT:
        process_perhaps(server, conn, x);
        send_status(conn, x, "103");
        reset_or_cut(server, conn, x);
        break;
    case ORACLE_STALL:
        process_perhaps(server, conn, x);
        break;
    case ORACLE_GOAWAY:
        go_away(server, conn, x);
        break;
    case ORACLE_CUT:
        process_perhaps(server, conn, x);
        conn->ends = true;
        break;
    case ORACLE_TORN:
        process(server, conn, x);
        server->logs[x->number].ambiguous++;
        send_answer(conn, x);
        conn->ends = true;
        conn->is_torn = true;
        break;
    }
}

static unsigned number_of(const struct wf_field_section *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        struct wf_slice value = wf_section_value(section, i);
        if (wf_slice_is(wf_section_name(section, i), ":path")) {
            char text[8] = "";
            (void)snprintf(text, sizeof(text), "%.*s", (int)value.len - 1,
                           (const char *)value.ptr + 1);
            return (unsigned)strtoul(text, NULL, 10) % ORACLE_REQUESTS;
        }
    }
    abort();
}

static void on_headers(struct oracle_server *server, struct conn *conn,
                       const struct wf_h2_event *event)
{
    if (event->headers.kind != WF_H2_SECTION_REQUEST)
        return;
    struct exchange *x = calloc(1, sizeof(*x));
    must(x != NULL, "calloc");
    *x = (struct exchange){.next = conn->exchanges,
                           .before = &conn->exchanges,
                           .stream = event->stream,
                           .number = number_of(event->headers.section)};
    if (x->next != NULL)
        x->next->before = &x->next;
    conn->exchanges = x;
    wf_h2_stream_set_user(event->stream, x);
    struct oracle_log *log = &server->logs[x->number];
    x->attempt = log->received++;
    /* What comes on a connection that has ended may have been sent before a try that was read
     * earlier, on another connection; it has no effect. */
    if (wf_h2_stream_id(event->stream) > conn->last_id) {
        note(server, conn, x, "above");
        log->not ++;
        return;
    }
    if (conn->ends || conn->is_silent) {
        note(server, conn, x, conn->is_silent ? "silent" : "ending");
        log->ambiguous++;
        return;
    }
    log->came_again = log->came_again || log->processed > 0;
    log->came_once_more = log->came_once_more || log->begun > 0;
    if (event->end_stream || decide_for(server, "early", x, 2) == 0) {
        treat(server, conn, x);
        return;
    }
    note(server, conn, x, "waits");
    log->ambiguous++; /* until its body is there */
    x->is_ambiguous = true;
}

static void on_data(struct oracle_server *server, struct conn *conn,
                    const struct wf_h2_event *event)
{
    struct exchange *x = wf_h2_stream_user(event->stream);
    wf_h2_session_consume(conn->session, event->stream, event->data.bytes.len);
    if (x == NULL || !event->end_stream || decide_for(server, "early", x, 2) == 0 || conn->ends ||
        conn->is_silent || wf_h2_stream_id(event->stream) > conn->last_id)
        return;
    server->logs[x->number].ambiguous--;
    x->is_ambiguous = false;
    treat(server, conn, x);
}

static void handle(struct oracle_server *server, struct conn *conn, const struct wf_h2_event *event)
{
    switch (event->type) {
    case WF_H2_EVENT_HEADERS:
        on_headers(server, conn, event);
        break;
    case WF_H2_EVENT_DATA:
        on_data(server, conn, event);
        break;
    case WF_H2_EVENT_CLOSED:
        if (wf_h2_stream_user(event->stream) != NULL)
            exchange_free(wf_h2_stream_user(event->stream));
        break;
    case WF_H2_EVENT_CONNECTION_ERROR:
        (void)fprintf(stderr, "oracle_server: seed %llu: the client broke a rule: %s\n",
                      (unsigned long long)server->plan.seed, event->error.reason);
        abort();
    case WF_H2_EVENT_BODY_SENT:
    case WF_H2_EVENT_SETTINGS:
    case WF_H2_EVENT_SETTINGS_ACK:
    case WF_H2_EVENT_PING_ACK:
    case WF_H2_EVENT_GOAWAY:
        break;
    }
}

static void conn_close(struct conn *conn)
{
    while (conn->exchanges != NULL)
        exchange_free(conn->exchanges);
    wf_h2_session_free(conn->session);
    wf_buf_fini(&conn->in);
    wf_buf_fini(&conn->raw);
    (void)close(conn->fd);
    conn->fd = -1;
}

static void drain_events(struct oracle_server *server, struct conn *conn, struct wf_slice *in)
{
    struct wf_h2_event event;
    while (wf_h2_session_next(conn->session, 0, in, &event))
        handle(server, conn, &event);
}

/* All that is to be written, in order. */
static void gather(struct oracle_server *server, struct conn *conn, struct wf_buf *out)
{
    while (wf_h2_session_wants_write(conn->session)) {
        struct wf_slice slices[16];
        size_t count = wf_h2_session_output(conn->session, slices, 16, 65536);
        size_t len = 0;
        for (size_t i = 0; i < count; i++) {
            must(wf_buf_append(out, slices[i].ptr, slices[i].len), "memory");
            len += slices[i].len;
        }
        if (len == 0)
            break;
        wf_h2_session_wrote(conn->session, len);
        struct wf_slice nothing = {NULL, 0};
        drain_events(server, conn, &nothing);
    }
    must(wf_buf_append(out, wf_buf_slice(&conn->raw).ptr, wf_buf_len(&conn->raw)), "memory");
    wf_buf_consume(&conn->raw, wf_buf_len(&conn->raw));
}

/* False: the client has gone. What is written is far less than a socket's buffer. */
static bool conn_write(struct oracle_server *server, struct conn *conn)
{
    struct wf_buf out = {0};
    gather(server, conn, &out);
    struct wf_slice octets = wf_buf_slice(&out);
    if (conn->is_torn && octets.len > 0) {
        octets.len = decide(server, "torn", conn->round, 0, (unsigned)octets.len);
        server->has_lost = true;
    }
    bool alive = true;
    if (octets.len > 0) {
        ssize_t len = send(conn->fd, octets.ptr, octets.len, MSG_NOSIGNAL);
        alive = len == (ssize_t)octets.len;
        server->has_lost = server->has_lost || !alive;
    }
    wf_buf_fini(&out);
    if (alive && conn->ends && !conn->is_silent) {
        conn->is_silent = true;
        if (conn->is_torn && decide(server, "abort", conn->round, 0, 2) == 0) {
            struct linger linger = {.l_onoff = 1};
            (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
            return false;
        }
        (void)shutdown(conn->fd, SHUT_WR);
    }
    return alive;
}

static bool conn_read(struct oracle_server *server, struct conn *conn)
{
    must(wf_buf_reserve(&conn->in, READ_LEN), "memory");
    ssize_t len = recv(conn->fd, wf_buf_tail(&conn->in), READ_LEN, 0);
    if (len <= 0) {
        if (len < 0 && errno == EAGAIN)
            return true;
        server->has_lost = server->has_lost || len < 0;
        return false;
    }
    wf_buf_commit(&conn->in, (size_t)len);
    struct wf_slice in = wf_buf_slice(&conn->in);
    drain_events(server, conn, &in);
    wf_buf_consume(&conn->in, wf_buf_len(&conn->in) - in.len);
    return true;
}

static void accept_one(struct oracle_server *server)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    unsigned round = server->rounds++;
    if (server->rounds == server->plan.listens) {
        /* Resets who waits in its queue, whom nobody has read. The port stays ours. */
        (void)shutdown(server->listen_fd, SHUT_RDWR);
        server->is_deaf = true;
        server->has_lost = true;
    }
    struct conn *conn = server->conns;
    while (conn < server->conns + MAX_CONNS && conn->fd >= 0)
        conn++;
    must(conn < server->conns + MAX_CONNS, "room for a connection");
    *conn = (struct conn){.fd = fd, .round = round, .last_id = MAX_ID};
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_SERVER);
    config.max_concurrent_streams = server->plan.max_streams;
    conn->session = wf_h2_session_new(&config, 0);
    must(conn->session != NULL, "session");
    conn->ends = decide(server, "at once", round, 0, 400) < server->plan.trouble;
    if (!conn_write(server, conn))
        conn_close(conn);
}

/* What to poll: first the order to stop, then who asks to be accepted, then connections. */
static nfds_t list(struct oracle_server *server, struct pollfd *fds, struct conn **of)
{
    nfds_t count = 2;
    fds[0] = (struct pollfd){.fd = server->is_stopping ? -1 : server->stop_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = server->is_deaf ? -1 : server->listen_fd, .events = POLLIN};
    for (size_t i = 0; i < MAX_CONNS; i++) {
        if (server->conns[i].fd < 0)
            continue;
        of[count] = &server->conns[i];
        fds[count++] = (struct pollfd){.fd = server->conns[i].fd, .events = POLLIN};
    }
    return count;
}

static void *run(void *user)
{
    struct oracle_server *server = user;
    for (;;) {
        struct pollfd fds[MAX_CONNS + 2];
        struct conn *of[MAX_CONNS + 2];
        nfds_t count = list(server, fds, of);
        /* The client is closed by then: what it sent is still read, to its end. */
        bool is_over = server->is_stopping && count == 2;
        int ready = poll(fds, count, is_over ? 0 : -1);
        must(ready >= 0 || errno == EINTR, "poll");
        if (is_over && ready == 0)
            return NULL;
        if (fds[0].revents != 0)
            server->is_stopping = true;
        if (fds[1].revents != 0)
            accept_one(server);
        for (nfds_t i = 2; i < count; i++) {
            if (fds[i].revents == 0)
                continue;
            if (!conn_read(server, of[i]) || (!of[i]->is_silent && !conn_write(server, of[i])))
                conn_close(of[i]);
        }
    }
}

/* A socket on a port that stays its own when it listens no more, which the kernel only grants to a
 * port that was asked for by number. */
static void start_listening(struct oracle_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    do {
        int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address.sin_port = 0;
        must(probe >= 0 && bind(probe, (struct sockaddr *)&address, len) == 0, "bind");
        must(getsockname(probe, (struct sockaddr *)&address, &len) == 0, "getsockname");
        (void)close(probe);
    } while (bind(server->listen_fd, (struct sockaddr *)&address, len) != 0);
    must(listen(server->listen_fd, 64) == 0, "listen");
    server->port = ntohs(address.sin_port);
}

struct oracle_server *oracle_server_new(const struct oracle_plan *plan)
{
    struct oracle_server *server = calloc(1, sizeof(*server));
    must(server != NULL, "calloc");
    server->plan = *plan;
    for (size_t i = 0; i < MAX_CONNS; i++)
        server->conns[i].fd = -1;
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(server->stop_fd >= 0 && server->listen_fd >= 0, "descriptors");
    start_listening(server);
    must(pthread_create(&server->thread, NULL, run, server) == 0, "thread");
    return server;
}

uint16_t oracle_server_port(const struct oracle_server *server)
{
    return server->port;
}

bool oracle_server_free(struct oracle_server *server, struct oracle_log *out_logs,
                        unsigned out_acts[ORACLE_ACTS])
{
    must(eventfd_write(server->stop_fd, 1) == 0, "eventfd");
    pthread_join(server->thread, NULL);
    bool has_lost = server->has_lost;
    memcpy(out_logs, server->logs, sizeof(server->logs));
    for (size_t i = 0; i < ORACLE_ACTS; i++)
        out_acts[i] += server->acts[i];
    for (size_t i = 0; i < MAX_CONNS; i++) {
        if (server->conns[i].fd >= 0)
            conn_close(&server->conns[i]);
    }
    (void)close(server->listen_fd);
    (void)close(server->stop_fd);
    free(server);
    return has_lost;
}
