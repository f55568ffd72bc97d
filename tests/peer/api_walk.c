/* The random walk over the whole library: requests through the public API, over loopback, to a
 * server that takes any step, on every connection anew. What each future says is compared with what
 * the facts of the connections that carried it make of it. Without arguments: seeds on from
 * WEFT_TEST_SEED or the clock, until the time is used up. With arguments: the walks of these seeds
 * (threads and the network have a say as well, so that a seed may need a few tries). */
#include "support/check.h"
#include "support/h2_walk.h"
#include "weft/weft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNS 64u
#define CALLS     12u
#define WALKS     250u
#define SECONDS   15
#define WAIT_MS   20000

struct conn {
    int fd; /* -1: closed */
    unsigned steps_left;
    bool ends; /* it ends the connection after its steps, or else answers what is open */
    bool said_fin;
    size_t written; /* of server.out */
    struct wild_server server;
};

struct server {
    int listen_fd;
    int stop_fd;
    struct choice choice;
    bool is_illegal;
    struct conn *conns[MAX_CONNS];
    size_t count;
};

struct asked {
    struct weft_future *future;
    bool is_head;
    bool is_cancelled;
    size_t upload_len;
};

static void accept_conn(struct server *server)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int on = 1;
    if (fd < 0)
        return;
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    CHECK(server->count < MAX_CONNS);
    struct conn *conn = calloc(1, sizeof(*conn));
    CHECK(conn != NULL);
    conn->fd = fd;
    conn->steps_left = 5 + (unsigned)choose_below(&server->choice, 80);
    conn->ends = choose_one_in(&server->choice, 3);
    wild_init(&conn->server, server->is_illegal ? 20 : 0);
    conn->server.continuations = 137; /* one more than a connection of the library allows */
    server->conns[server->count++] = conn;
}

static void close_conn(struct conn *conn)
{
    close(conn->fd);
    conn->fd = -1;
}

static void read_conn(struct conn *conn)
{
    uint8_t octets[65536];
    for (;;) {
        ssize_t len = recv(conn->fd, octets, sizeof(octets), 0);
        if (len < 0 && errno == EAGAIN)
            return;
        if (len <= 0) {
            close_conn(conn);
            return;
        }
        watcher_read(&conn->server.watcher, wf_slice(octets, (size_t)len));
    }
}

/* Says what is to be said; FIN comes behind it, and the other way stays open, so that nothing of it
 * is lost. */
static void write_conn(struct conn *conn)
{
    struct wf_slice rest = wf_slice_skip(wf_buf_slice(&conn->server.out), conn->written);
    while (rest.len > 0) {
        ssize_t len = send(conn->fd, rest.ptr, rest.len, MSG_NOSIGNAL);
        if (len < 0 && errno == EAGAIN)
            return;
        if (len < 0) {
            /* The client has left. What it said before was not read yet. */
            conn->written += rest.len;
            return;
        }
        conn->written += (size_t)len;
        rest = wf_slice_skip(rest, (size_t)len);
    }
    if (conn->steps_left == 0 && conn->ends && !conn->said_fin) {
        conn->said_fin = true;
        (void)shutdown(conn->fd, SHUT_WR); /* the client may have been faster */
    }
}

static void serve(struct server *server, struct conn *conn)
{
    read_conn(conn);
    if (conn->fd < 0)
        return;
    for (size_t i = 0; i < 3 && conn->steps_left > 0; i++) {
        conn->steps_left--;
        wild_step(&conn->server, &server->choice);
    }
    if (conn->steps_left == 0 && !conn->ends)
        wild_settle(&conn->server);
    write_conn(conn);
}

static void *run_server(void *user)
{
    struct server *server = user;
    for (;;) {
        struct pollfd fds[MAX_CONNS + 2];
        nfds_t count = 2;
        int timeout = -1;
        fds[0] = (struct pollfd){.fd = server->stop_fd, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = server->listen_fd, .events = POLLIN};
        for (size_t i = 0; i < server->count; i++) {
            struct conn *conn = server->conns[i];
            if (conn->fd < 0)
                continue;
            bool writes = conn->written < wf_buf_len(&conn->server.out);
            fds[count++] =
                (struct pollfd){.fd = conn->fd, .events = (short)(POLLIN | (writes ? POLLOUT : 0))};
            /* It goes on by itself, but gives the client a chance. */
            if (conn->steps_left > 0)
                timeout = 1;
        }
        CHECK(poll(fds, count, timeout) >= 0 || errno == EINTR);
        if (fds[0].revents != 0)
            return NULL;
        if (fds[1].revents != 0)
            accept_conn(server);
        for (size_t i = 0; i < server->count; i++) {
            if (server->conns[i]->fd >= 0)
                serve(server, server->conns[i]);
        }
    }
}

static uint16_t start_server(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    CHECK(server->listen_fd >= 0 && server->stop_fd >= 0);
    CHECK(bind(server->listen_fd, (struct sockaddr *)&address, len) == 0);
    CHECK(listen(server->listen_fd, 64) == 0);
    CHECK(getsockname(server->listen_fd, (struct sockaddr *)&address, &len) == 0);
    return ntohs(address.sin_port);
}

static void stop_server(struct server *server)
{
    close(server->listen_fd);
    close(server->stop_fd);
    for (size_t i = 0; i < server->count; i++) {
        if (server->conns[i]->fd >= 0)
            close_conn(server->conns[i]);
        wild_fini(&server->conns[i]->server);
        free(server->conns[i]);
    }
}

static void ask(struct weft_client *client, uint16_t port, struct choice *choice, uint32_t number,
                struct asked *asked)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT"};
    char url[64];
    char text[16];
    size_t method = choose_below(choice, 4);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
    (void)snprintf(text, sizeof(text), "%u", number);
    struct weft_request *request = weft_request_new(methods[method], url);
    CHECK(weft_request_add_field(request, "x-call", text) == WEFT_OK);
    asked->is_head = method == 1;
    asked->upload_len = method >= 2 ? choose_len(choice, 50000) : 0;
    if (asked->upload_len > 0) {
        uint8_t *body = malloc(asked->upload_len);
        CHECK(body != NULL);
        for (size_t i = 0; i < asked->upload_len; i++)
            body[i] = h2_body_octet(number, i);
        CHECK(weft_request_set_body(request, body, asked->upload_len) == WEFT_OK);
        free(body);
    }
    asked->future = weft_submit(client, request, &how);
    CHECK(asked->future != NULL);
    weft_request_unref(request);
}

static enum weft_code code_of(const struct walk_outcome *outcome)
{
    if (!outcome->ended)
        return WEFT_ERR_CONNECTION_LOST;
    switch (outcome->end) {
    case WF_H2_END_COMPLETE:
        return WEFT_OK;
    case WF_H2_END_RESET_BY_PEER:
        return outcome->code == WF_H2_REFUSED_STREAM ? WEFT_ERR_REFUSED : WEFT_ERR_RESET;
    case WF_H2_END_STREAM_ERROR:
    case WF_H2_END_CONNECTION_ERROR:
        return WEFT_ERR_PROTOCOL;
    case WF_H2_END_GOAWAY:
        return WEFT_ERR_GOAWAY;
    case WF_H2_END_CONNECTION_LOST:
        break;
    }
    return WEFT_ERR_CONNECTION_LOST;
}

/* May a request with this outcome be sent again without being asked? */
static bool is_unprocessed(const struct walk_outcome *outcome)
{
    return outcome->ended && outcome->status == 0 && outcome->end == WF_H2_END_RESET_BY_PEER &&
           outcome->code == WF_H2_REFUSED_STREAM;
}

static void check_response(const struct asked *asked, uint32_t number,
                           const struct walk_outcome *expected)
{
    struct weft_future *future = asked->future;
    CHECK(weft_future_status(future) == expected->status);
    struct weft_body body = weft_future_body(future);
    if (weft_future_error(future)->code != WEFT_OK)
        return;
    CHECK(body.len == expected->body_len);
    CHECK(weft_future_trailer_count(future) == 0 || expected->trailers);
    for (size_t i = 0; i < body.len; i++)
        CHECK(((const uint8_t *)body.data)[i] == h2_body_octet(number + 1000, i));
}

static void check_effect(const struct weft_error *error, const struct walk_outcome *expected)
{
    if (expected->status != 0)
        CHECK(error->effect == WEFT_PROCESSED);
    else if (code_of(expected) == WEFT_ERR_GOAWAY || is_unprocessed(expected))
        CHECK(error->effect == WEFT_NOT_PROCESSED);
    else
        CHECK(error->effect == WEFT_MAYBE_PROCESSED ||
              (expected->end == WF_H2_END_STREAM_ERROR && error->effect == WEFT_PROCESSED));
}

/* No server has seen it: then nobody may say that one may have. */
static void check_unseen(const struct server *server, const struct weft_error *error)
{
    bool is_partial = false;
    for (size_t i = 0; i < server->count; i++)
        is_partial = is_partial || wf_buf_len(&server->conns[i]->server.watcher.in) > 0 ||
                     server->conns[i]->server.watcher.block_id != 0;
    CHECK(error->code != WEFT_OK);
    CHECK(error->effect == WEFT_NOT_SENT || error->effect == WEFT_NOT_PROCESSED ||
          (is_partial && error->effect == WEFT_MAYBE_PROCESSED));
}

static void check_asked(const struct server *server, uint32_t number, const struct asked *asked)
{
    const struct weft_error *error = weft_future_error(asked->future);
    struct walk_outcome last = {0};
    unsigned seen = 0;
    for (size_t i = 0; i < server->count; i++) {
        const struct wild_server *wild = &server->conns[i]->server;
        for (uint32_t k = 0; k < wild->watcher.stream_count; k++) {
            const struct watched_stream *stream = &wild->watcher.streams[k];
            if (stream->call != number)
                continue;
            struct walk_outcome outcome = walk_expect(wild, stream->id, UINT64_MAX);
            check_detail("call %u, stream %u of connection %zu: sent again, once too often or "
                         "although it may have been processed",
                         number, stream->id, i);
            /* Once, and only what was refused; which connection was first cannot be seen here. */
            CHECK(++seen <= 2);
            CHECK(seen == 1 || is_unprocessed(&last) || is_unprocessed(&outcome));
            if (seen == 1 || is_unprocessed(&last))
                last = outcome;
        }
    }
    check_detail("call %u: %s, %s, status %d; expected: seen %d ended %d end %d code %u status %u "
                 "peer ended %d",
                 number, weft_code_name(error->code), error->text,
                 weft_future_status(asked->future), seen, last.ended, (int)last.end, last.code,
                 last.status, last.peer_ended);
    if (asked->is_cancelled && error->code == WEFT_ERR_CANCELLED) {
        if (error->effect == WEFT_NOT_SENT)
            CHECK(seen == 0);
        return;
    }
    if (seen == 0) {
        check_unseen(server, error);
        return;
    }
    if (is_unprocessed(&last) && error->code != WEFT_ERR_REFUSED) {
        /* It waited to be sent again, and something else came in between. */
        CHECK(error->effect == WEFT_NOT_PROCESSED);
        return;
    }
    check_response(asked, number, &last);
    /* A response that is whole may meet an upload that is not. */
    if (last.peer_ended &&
        (asked->upload_len == 0 || error->code == WEFT_OK ||
         (last.ended && last.end == WF_H2_END_RESET_BY_PEER && last.code == WF_H2_NO_ERROR))) {
        CHECK(error->code == WEFT_OK);
        return;
    }
    CHECK(error->code == code_of(&last));
    check_effect(error, &last);
    if (last.ended)
        CHECK(error->h2_code == last.code);
}

static void walk(uint64_t seed)
{
    struct choice choice = choice_random(seed);
    struct server *server = calloc(1, sizeof(*server));
    struct asked asked[CALLS] = {{0}};
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_tries = 1; /* what one try proves; peer/retry_oracle has several */
    pthread_t thread;
    CHECK(server != NULL);
    check_context("to have this walk again: api_walk %llu", (unsigned long long)seed);
    server->choice = choice_random(seed + (1ull << 40));
    server->is_illegal = seed % 2 == 1;
    uint16_t port = start_server(server);
    CHECK(pthread_create(&thread, NULL, run_server, server) == 0);
    config.http2_prior_knowledge = true;
    config.stream_window = choose_one_in(&choice, 2) ? 65535 : 1u << 20;
    config.connections_per_origin = 1 + (unsigned)choose_below(&choice, 2);
    struct weft_client *client = weft_client_new(&config, NULL);
    CHECK(client != NULL);
    for (uint32_t i = 0; i < CALLS; i++) {
        ask(client, port, &choice, i, &asked[i]);
        if (choose_one_in(&choice, 4))
            (void)weft_future_wait(asked[choose_below(&choice, i + 1)].future, 2);
        size_t victim = choose_below(&choice, i + 1);
        if (choose_one_in(&choice, 12)) {
            weft_future_cancel(asked[victim].future);
            asked[victim].is_cancelled = true;
        }
    }
    for (uint32_t i = 0; i < CALLS; i++)
        CHECK(weft_future_wait(asked[i].future, WAIT_MS) != WEFT_ERR_TIMEOUT);
    CHECK(weft_client_close(client, 0) == WEFT_OK);
    weft_client_unref(client);
    /* What the client had written is read to its end first. */
    bool is_read = eventfd_write(server->stop_fd, 1) == 0;
    CHECK(is_read && pthread_join(thread, NULL) == 0);
    for (size_t i = 0; i < server->count; i++) {
        if (server->conns[i]->fd >= 0)
            read_conn(server->conns[i]);
    }
    for (uint32_t i = 0; i < CALLS; i++) {
        check_asked(server, i, &asked[i]);
        weft_future_unref(asked[i].future);
    }
    stop_server(server);
    free(server);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        walk(strtoull(argv[i], NULL, 10));
    if (argc > 1)
        return 0;
    uint64_t seed = test_random_start("api_walk").state;
    time_t end = time(NULL) + SECONDS;
    unsigned walks = 0;
    for (; walks < WALKS && time(NULL) < end; walks++)
        walk(seed + walks);
    printf("%u walks\n", walks);
    return 0;
}
