#include "support/loop_server.h"

#include "base/buf.h"
#include "h2/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_CONNS 256
#define READ_LEN  65536u

struct exchange {
    struct exchange *next;
    struct exchange **before;
    struct wf_h2_stream *stream;
    struct wf_buf body; /* of an echo */
    uint8_t *octets;    /* of a response */
    size_t len;
    bool echo;
    bool mirror;
    bool mirrors;          /* octets are on their way */
    bool ended;            /* the request is whole */
    bool unread;           /* gets no credit */
    struct wf_buf trailer; /* "name\0value" of the request */
    bool trailers;
    uint32_t drip;
    uint32_t reset_after_body;
    bool cut_after_body;
};

struct conn {
    int fd;
    bool closing;
    bool cut;
    struct wf_h2_session *session;
    struct wf_buf in;
    struct wf_buf raw; /* octets that go out behind the session's, past it */
    uint32_t requests;
    struct exchange *exchanges;
};

struct loop_server {
    struct loop_server_config config;
    int listen_fd;
    int stop_fd;
    uint16_t port;
    pthread_t thread;
    atomic_ullong requests;
    atomic_ullong connections;
    atomic_ullong resets;
    atomic_uint reset_code;
    atomic_ullong body_len;
    pthread_mutex_t lock;
    pthread_cond_t received;

    /* Its thread only. */
    struct conn conns[MAX_CONNS];
    uint64_t now_ms;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "loop_server: %s: %s\n", what, strerror(errno));
    abort();
}

static void exchange_free(struct exchange *x)
{
    *x->before = x->next;
    if (x->next != NULL)
        x->next->before = x->before;
    wf_buf_fini(&x->body);
    wf_buf_fini(&x->trailer);
    free(x->octets);
    free(x);
}

static void send_headers(struct conn *conn, struct exchange *x, const char *status, bool end)
{
    struct wf_field fields[] = {
        {.name = wf_slice_str(":status"), .value = wf_slice_str(status)},
        {.name = wf_slice_str("server"), .value = wf_slice_str("loop")},
    };
    struct wf_h2_message message = {.fields = fields, .count = 2, .end_stream = end};
    must(wf_h2_session_send_headers(conn->session, x->stream, &message) == WF_H2_SUBMITTED,
         "send headers");
}

static void send_trailers(struct conn *conn, struct exchange *x)
{
    struct wf_field fields[] = {
        {.name = wf_slice_str("x-sum"), .value = wf_slice_str("42")},
    };
    struct wf_h2_message message = {.fields = fields, .count = 1, .end_stream = true};
    must(wf_h2_session_send_headers(conn->session, x->stream, &message) == WF_H2_SUBMITTED,
         "send trailers");
}

static void send_back_trailer(struct conn *conn, struct exchange *x)
{
    const char *name = (const char *)wf_buf_slice(&x->trailer).ptr;
    struct wf_field field = {.name = wf_slice_str(name),
                             .value = wf_slice_str(name + strlen(name) + 1)};
    struct wf_h2_message message = {.fields = &field, .count = 1, .end_stream = true};
    must(wf_h2_session_send_headers(conn->session, x->stream, &message) == WF_H2_SUBMITTED,
         "send trailers");
}

/* Sends back what has come, as far as nothing is on its way. */
static void mirror(struct conn *conn, struct exchange *x)
{
    size_t len = wf_buf_len(&x->body);
    bool has_trailer = wf_buf_len(&x->trailer) > 0;
    if (x->mirrors || (len == 0 && !x->ended))
        return;
    if (len == 0 && has_trailer) {
        x->mirrors = true;
        send_back_trailer(conn, x);
        return;
    }
    free(x->octets);
    x->octets = malloc(len + 1);
    must(x->octets != NULL, "malloc");
    if (len > 0)
        memcpy(x->octets, wf_buf_slice(&x->body).ptr, len);
    wf_buf_consume(&x->body, len);
    x->mirrors = true;
    wf_h2_session_send_body(conn->session, x->stream, wf_slice(x->octets, len),
                            x->ended && !has_trailer);
}

static void on_trailers(struct conn *conn, const struct wf_h2_event *event)
{
    struct exchange *x = wf_h2_stream_user(event->stream);
    if (x == NULL || !x->mirror)
        return;
    struct wf_slice name = wf_section_name(event->headers.section, 0);
    struct wf_slice value = wf_section_value(event->headers.section, 0);
    must(wf_buf_append(&x->trailer, name.ptr, name.len) && wf_buf_append(&x->trailer, "", 1) &&
             wf_buf_append(&x->trailer, value.ptr, value.len) && wf_buf_append(&x->trailer, "", 1),
         "memory");
    x->ended = true;
    mirror(conn, x);
}

static void send_octets(struct conn *conn, struct exchange *x, size_t len, bool end)
{
    x->octets = malloc(len + 1);
    must(x->octets != NULL, "malloc");
    for (size_t i = 0; i < len && i < 26; i++)
        x->octets[i] = (uint8_t)('a' + i);
    /* From there on copies of copies: one by one, a sanitizer makes seconds of a large body. */
    for (size_t done = 26; done < len; done *= 2)
        memcpy(x->octets + done, x->octets, done < len - done ? done : len - done);
    x->len = len;
    wf_h2_session_send_body(conn->session, x->stream, wf_slice(x->octets, len), end);
}

static void send_raw_goaway(struct conn *conn, uint32_t last_id)
{
    uint8_t frame[17] = {0, 0, 8, 7};
    if (conn->closing)
        return; /* a second one must not have a higher identifier (RFC 9113 section 6.8) */
    for (unsigned i = 0; i < 4; i++)
        frame[9 + i] = (uint8_t)(last_id >> (24 - 8 * i));
    must(wf_buf_append(&conn->raw, frame, sizeof(frame)), "memory");
    conn->closing = true;
}

static void reset(struct conn *conn, struct exchange *x, uint32_t code)
{
    wf_h2_session_reset(conn->session, x->stream, code);
    exchange_free(x);
}

static void answer(struct conn *conn, struct exchange *x, const char *path, bool end_stream)
{
    if (strncmp(path, "/bytes/", 7) == 0) {
        size_t len = strtoul(path + 7, NULL, 10);
        send_headers(conn, x, "200", len == 0);
        if (len > 0)
            send_octets(conn, x, len, true);
    } else if (strncmp(path, "/drip/", 6) == 0) {
        x->drip = (uint32_t)strtoul(path + 6, NULL, 10);
        send_headers(conn, x, "200", false);
        x->drip--;
        send_octets(conn, x, 1, x->drip == 0);
    } else if (strncmp(path, "/status/", 8) == 0) {
        send_headers(conn, x, path + 8, true);
    } else if (strcmp(path, "/echo") == 0) {
        x->echo = true;
        send_headers(conn, x, "200", end_stream);
    } else if (strcmp(path, "/refuse") == 0) {
        reset(conn, x, WF_H2_REFUSED_STREAM);
    } else if (strcmp(path, "/reset") == 0) {
        reset(conn, x, WF_H2_INTERNAL_ERROR);
    } else if (strcmp(path, "/half") == 0) {
        x->reset_after_body = WF_H2_INTERNAL_ERROR;
        send_headers(conn, x, "200", false);
        send_octets(conn, x, 1000, false);
    } else if (strcmp(path, "/cut") == 0) {
        x->cut_after_body = true;
        send_headers(conn, x, "200", false);
        send_octets(conn, x, 1000, false);
    } else if (strcmp(path, "/goaway") == 0) {
        send_raw_goaway(conn, wf_h2_stream_id(x->stream) < 2 ? 0 : wf_h2_stream_id(x->stream) - 2);
    } else if (strcmp(path, "/trailers") == 0) {
        x->trailers = true;
        send_headers(conn, x, "200", false);
        send_octets(conn, x, 10, false);
    } else if (strcmp(path, "/early-hints") == 0) {
        send_headers(conn, x, "103", false);
        send_headers(conn, x, "103", false);
        send_headers(conn, x, "200", true);
    } else if (strcmp(path, "/hints-only") == 0) {
        send_headers(conn, x, "103", false);
    } else if (strcmp(path, "/mirror") == 0 || strcmp(path, "/continue") == 0) {
        x->mirror = true;
        x->ended = end_stream;
        if (path[1] == 'c')
            send_headers(conn, x, "100", false);
        send_headers(conn, x, "200", end_stream);
    } else if (strcmp(path, "/deaf") == 0) {
        x->unread = true;
    } else if (strcmp(path, "/enough") == 0) {
        x->unread = true;
        send_headers(conn, x, "200", true);
    } else if (strcmp(path, "/enough-reset") == 0) {
        send_headers(conn, x, "200", true);
        reset(conn, x, WF_H2_NO_ERROR);
    } else if (strcmp(path, "/hang") != 0) {
        send_headers(conn, x, "404", true);
    }
}

static void on_headers(struct loop_server *server, struct conn *conn,
                       const struct wf_h2_event *event)
{
    if (event->headers.kind != WF_H2_SECTION_REQUEST) {
        on_trailers(conn, event);
        return;
    }
    struct exchange *x = calloc(1, sizeof(*x));
    must(x != NULL, "calloc");
    x->stream = event->stream;
    x->next = conn->exchanges;
    x->before = &conn->exchanges;
    if (x->next != NULL)
        x->next->before = &x->next;
    conn->exchanges = x;
    wf_h2_stream_set_user(event->stream, x);
    char path[256] = "";
    for (uint32_t i = 0; i < event->headers.section->count; i++) {
        struct wf_slice value = wf_section_value(event->headers.section, i);
        if (wf_slice_is(wf_section_name(event->headers.section, i), ":path"))
            (void)snprintf(path, sizeof(path), "%.*s", (int)value.len, (const char *)value.ptr);
    }
    conn->requests++;
    pthread_mutex_lock(&server->lock);
    server->requests++;
    pthread_cond_broadcast(&server->received);
    pthread_mutex_unlock(&server->lock);
    answer(conn, x, path, event->end_stream);
    if (server->config.close_after != 0 && conn->requests >= server->config.close_after)
        conn->closing = true;
}

static void on_data(struct loop_server *server, struct conn *conn, const struct wf_h2_event *event)
{
    struct exchange *x = wf_h2_stream_user(event->stream);
    atomic_fetch_add(&server->body_len, event->data.bytes.len);
    if (x == NULL || !x->unread)
        wf_h2_session_consume(conn->session, event->stream, event->data.bytes.len);
    if (x == NULL || (!x->echo && !x->mirror))
        return;
    must(wf_buf_append(&x->body, event->data.bytes.ptr, event->data.bytes.len), "memory");
    x->ended = event->end_stream;
    if (x->mirror)
        mirror(conn, x);
    else if (event->end_stream)
        wf_h2_session_send_body(conn->session, x->stream, wf_buf_slice(&x->body), true);
}

static void on_closed(struct loop_server *server, const struct wf_h2_event *event)
{
    if (event->closed.end == WF_H2_END_RESET_BY_PEER) {
        pthread_mutex_lock(&server->lock);
        atomic_store(&server->reset_code, event->closed.code);
        atomic_fetch_add(&server->resets, 1);
        pthread_cond_broadcast(&server->received);
        pthread_mutex_unlock(&server->lock);
    }
    if (wf_h2_stream_user(event->stream) != NULL)
        exchange_free(wf_h2_stream_user(event->stream));
}

static void on_body_sent(struct conn *conn, const struct wf_h2_event *event)
{
    struct exchange *x = wf_h2_stream_user(event->stream);
    if (x->mirror) {
        x->mirrors = false;
        mirror(conn, x);
    } else if (x->drip > 0) {
        x->drip--;
        wf_h2_session_send_body(conn->session, x->stream, wf_slice("x", 1), x->drip == 0);
    } else if (x->trailers) {
        x->trailers = false;
        send_trailers(conn, x);
    } else if (x->reset_after_body != 0) {
        reset(conn, x, x->reset_after_body);
    } else if (x->cut_after_body) {
        conn->cut = true;
    }
}

static void handle(struct loop_server *server, struct conn *conn, const struct wf_h2_event *event)
{
    switch (event->type) {
    case WF_H2_EVENT_HEADERS:
        on_headers(server, conn, event);
        break;
    case WF_H2_EVENT_DATA:
        on_data(server, conn, event);
        break;
    case WF_H2_EVENT_BODY_SENT:
        on_body_sent(conn, event);
        break;
    case WF_H2_EVENT_CLOSED:
        on_closed(server, event);
        break;
    case WF_H2_EVENT_CONNECTION_ERROR:
        conn->closing = true;
        break;
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
    close(conn->fd);
    conn->fd = -1;
}

static void drain_events(struct loop_server *server, struct conn *conn, struct wf_slice *in)
{
    struct wf_h2_event event;
    while (wf_h2_session_next(conn->session, server->now_ms, in, &event))
        handle(server, conn, &event);
}

/* False: the connection has ended. */
static bool conn_write(struct loop_server *server, struct conn *conn)
{
    while (wf_h2_session_wants_write(conn->session)) {
        struct wf_slice slices[16];
        size_t count = wf_h2_session_output(conn->session, slices, 16, 65536);
        if (count == 0)
            break;
        ssize_t len = send(conn->fd, slices[0].ptr, slices[0].len, MSG_NOSIGNAL);
        if (len < 0)
            return errno == EAGAIN;
        wf_h2_session_wrote(conn->session, (size_t)len);
        struct wf_slice nothing = {NULL, 0};
        drain_events(server, conn, &nothing);
        if (conn->cut)
            return false;
    }
    if (wf_buf_len(&conn->raw) > 0) {
        struct wf_slice raw = wf_buf_slice(&conn->raw);
        ssize_t len = send(conn->fd, raw.ptr, raw.len, MSG_NOSIGNAL);
        if (len < 0)
            return errno == EAGAIN;
        wf_buf_consume(&conn->raw, (size_t)len);
    }
    return !conn->closing || wf_buf_len(&conn->raw) > 0;
}

static bool conn_read(struct loop_server *server, struct conn *conn)
{
    must(wf_buf_reserve(&conn->in, READ_LEN), "memory");
    ssize_t len = recv(conn->fd, wf_buf_tail(&conn->in), READ_LEN, 0);
    if (len <= 0)
        return len < 0 && errno == EAGAIN;
    wf_buf_commit(&conn->in, (size_t)len);
    struct wf_slice in = wf_buf_slice(&conn->in);
    drain_events(server, conn, &in);
    wf_buf_consume(&conn->in, wf_buf_len(&conn->in) - in.len);
    return true;
}

static void accept_one(struct loop_server *server)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    /* What is held back for an acknowledgement is lost when close() finds something unread. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    atomic_fetch_add(&server->connections, 1);
    for (size_t i = 0; i < MAX_CONNS; i++) {
        struct conn *conn = &server->conns[i];
        if (conn->fd >= 0)
            continue;
        *conn = (struct conn){.fd = fd};
        struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_SERVER);
        config.control_burst = 1000000; /* tests cancel a lot */
        if (server->config.max_streams != 0)
            config.max_concurrent_streams = server->config.max_streams;
        conn->session = wf_h2_session_new(&config, server->now_ms);
        must(conn->session != NULL, "session");
        return;
    }
    close(fd);
}

static void serve_conn(struct loop_server *server, struct conn *conn, short revents)
{
    bool alive = true;
    if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        alive = conn_read(server, conn);
    if (alive)
        alive = conn_write(server, conn);
    if (!alive)
        conn_close(conn);
}

static void *run(void *user)
{
    struct loop_server *server = user;
    if (server->config.thread_started != NULL)
        server->config.thread_started();
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
            bool writes = wf_h2_session_wants_write(conn->session) || wf_buf_len(&conn->raw) > 0;
            of[count] = conn;
            fds[count++] =
                (struct pollfd){.fd = conn->fd, .events = (short)(POLLIN | (writes ? POLLOUT : 0))};
        }
        if (poll(fds, count, -1) < 0 && errno != EINTR)
            must(false, "poll");
        if (fds[0].revents != 0)
            return NULL;
        if (fds[1].revents != 0)
            accept_one(server);
        for (nfds_t i = 2; i < count; i++) {
            if (fds[i].revents != 0)
                serve_conn(server, of[i], fds[i].revents);
        }
    }
}

static socklen_t unix_address(const char *path, struct sockaddr_un *un)
{
    size_t len = strlen(path);
    must(len < sizeof(un->sun_path), "a path that fits");
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, len);
    if (path[0] != '@')
        return sizeof(*un);
    un->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void start_listening(struct loop_server *server)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } address = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address.in);
    if (server->config.unix_socket != NULL) {
        memset(&address, 0, sizeof(address));
        len = unix_address(server->config.unix_socket, &address.un);
    } else if (server->config.ipv6) {
        address.in6 =
            (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        len = sizeof(address.in6);
    }
    server->listen_fd =
        socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(server->listen_fd >= 0, "socket");
    if (server->config.any_address)
        address.in.sin_addr.s_addr = htonl(INADDR_ANY);
    if (server->config.port != 0) {
        /* Of a server that has just ended: connections of it may linger. */
        if (server->config.ipv6)
            address.in6.sin6_port = htons(server->config.port);
        else
            address.in.sin_port = htons(server->config.port);
        (void)setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    }
    must(bind(server->listen_fd, &address.any, len) == 0, "bind");
    must(listen(server->listen_fd, 256) == 0, "listen");
    if (server->config.unix_socket != NULL)
        return;
    must(getsockname(server->listen_fd, &address.any, &len) == 0, "getsockname");
    server->port = ntohs(server->config.ipv6 ? address.in6.sin6_port : address.in.sin_port);
}

struct loop_server *loop_server_new(const struct loop_server_config *config)
{
    struct loop_server *server = calloc(1, sizeof(*server));
    must(server != NULL, "calloc");
    if (config != NULL)
        server->config = *config;
    for (size_t i = 0; i < MAX_CONNS; i++)
        server->conns[i].fd = -1;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->received, NULL);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    must(server->stop_fd >= 0, "eventfd");
    start_listening(server);
    must(pthread_create(&server->thread, NULL, run, server) == 0, "thread");
    return server;
}

uint16_t loop_server_port(const struct loop_server *server)
{
    return server->port;
}

uint64_t loop_server_requests(struct loop_server *server)
{
    return server->requests;
}

uint64_t loop_server_connections(struct loop_server *server)
{
    return server->connections;
}

uint64_t loop_server_resets(struct loop_server *server, uint32_t *out_code)
{
    *out_code = atomic_load(&server->reset_code);
    return atomic_load(&server->resets);
}

uint64_t loop_server_body_len(struct loop_server *server)
{
    return atomic_load(&server->body_len);
}

void loop_server_await_resets(struct loop_server *server, uint64_t count)
{
    pthread_mutex_lock(&server->lock);
    while (server->resets < count)
        pthread_cond_wait(&server->received, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

void loop_server_await_requests(struct loop_server *server, uint64_t count)
{
    pthread_mutex_lock(&server->lock);
    while (server->requests < count)
        pthread_cond_wait(&server->received, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

void loop_server_free(struct loop_server *server)
{
    must(eventfd_write(server->stop_fd, 1) == 0, "eventfd");
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < MAX_CONNS; i++) {
        if (server->conns[i].fd >= 0)
            conn_close(&server->conns[i]);
    }
    close(server->listen_fd);
    close(server->stop_fd);
    pthread_cond_destroy(&server->received);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
