#include "connection.h"

#include "base/assert.h"
#include "exchange.h"
#include "h2/frame_text.h"
#include "routes.h"
#include "tls.h"
#include "worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANDSHAKE_TIMEOUT_MS 10000u
#define LINGER_MS            1000u
#define SLICES               256
#define WRITE_BUDGET         (256u * 1024)
/* Then the other connections have their turn. */
#define WRITES_PER_TURN 8

static void trace_frame(void *user, const struct wf_h2_trace *frame)
{
    const struct serve_connection *c = user;
    char text[1024];
    wf_h2_frame_text(frame, text, sizeof(text));
    fprintf(stderr, "conn=%" PRIu32 " %s %s\n", c->number, frame->sent ? ">" : "<", text);
}

static void say(const struct serve_connection *c, const char *what)
{
    if (c->worker->site->options->verbose)
        fprintf(stderr, "conn=%" PRIu32 " %s\n", c->number, what);
}

static bool start_session(struct serve_connection *c)
{
    const struct serve_options *options = c->worker->site->options;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_SERVER);
    config.max_concurrent_streams = options->max_streams;
    config.initial_window_size = options->window;
    /* A peer for tests and benchmarks is patient: their clients cancel and probe a great deal. */
    config.control_burst = 1000000;
    if (options->verbose) {
        config.trace = trace_frame;
        config.trace_user = c;
    }
    c->session = wf_h2_session_new(&config, c->worker->now_ms);
    c->state = SERVE_OPEN;
    wf_timer_cancel(&c->timer);
    return c->session != NULL;
}

/* False: not done yet, or @c is gone. */
static bool shake_hands(struct serve_connection *c)
{
    switch (wf_transport_handshake(c->transport)) {
    case WF_IO_AGAIN:
        return false;
    case WF_IO_OK:
        break;
    case WF_IO_END:
    case WF_IO_ERROR:
        say(c, c->transport->error.text);
        serve_connection_close(c);
        return false;
    }
    if (!start_session(c)) {
        serve_connection_close(c);
        return false;
    }
    return true;
}

static void on_data(struct serve_connection *c, const struct wf_h2_event *event)
{
    struct serve_exchange *x = wf_h2_stream_user(event->stream);
    if (x != NULL && event->end_stream)
        x->request_ended = true;
    if (x != NULL && x->behaviour->data != NULL)
        x->behaviour->data(x, event->data.bytes, event->end_stream);
    else
        wf_h2_session_consume(c->session, event->stream, event->data.bytes.len);
}

static void on_headers(struct serve_connection *c, const struct wf_h2_event *event)
{
    if (event->headers.kind == WF_H2_SECTION_REQUEST) {
        c->worker->counts.requests++;
        serve_route(c, event);
        return;
    }
    /* Trailers: only that the request is complete matters here. */
    struct serve_exchange *x = wf_h2_stream_user(event->stream);
    if (x == NULL)
        return;
    x->request_ended = true;
    if (x->behaviour->data != NULL)
        x->behaviour->data(x, wf_slice("", 0), true);
}

static void on_event(struct serve_connection *c, const struct wf_h2_event *event)
{
    struct serve_exchange *x = event->stream != NULL ? wf_h2_stream_user(event->stream) : NULL;
    switch (event->type) {
    case WF_H2_EVENT_HEADERS:
        on_headers(c, event);
        break;
    case WF_H2_EVENT_DATA:
        on_data(c, event);
        break;
    case WF_H2_EVENT_BODY_SENT:
        if (x == NULL)
            break;
        x->sending = false;
        if (x->behaviour->sent != NULL)
            x->behaviour->sent(x);
        break;
    case WF_H2_EVENT_CLOSED:
        if (x != NULL)
            serve_exchange_end(x);
        break;
    case WF_H2_EVENT_CONNECTION_ERROR:
        c->worker->counts.errors++;
        say(c, event->error.reason != NULL ? event->error.reason : "connection error");
        break;
    case WF_H2_EVENT_SETTINGS:
    case WF_H2_EVENT_SETTINGS_ACK:
    case WF_H2_EVENT_PING_ACK:
    case WF_H2_EVENT_GOAWAY:
        break;
    }
}

static void handle_events(struct serve_connection *c, struct wf_slice *in)
{
    struct wf_h2_event event;
    while (wf_h2_session_next(c->session, c->worker->now_ms, in, &event))
        on_event(c, &event);
}

static void write_out(struct serve_connection *c)
{
    for (int i = 0; i < WRITES_PER_TURN; i++) {
        if (c->blocked || c->broken || !wf_h2_session_wants_write(c->session))
            break;
        struct wf_slice slices[SLICES];
        struct iovec iov[SLICES];
        size_t count = wf_h2_session_output(c->session, slices, SLICES, WRITE_BUDGET);
        if (count == 0)
            break;
        for (size_t k = 0; k < count; k++) {
            iov[k].iov_base = (void *)(uintptr_t)slices[k].ptr; /* sendmsg keeps to const */
            iov[k].iov_len = slices[k].len;
        }
        size_t len;
        enum wf_io_result result = wf_transport_write(c->transport, iov, (int)count, &len);
        wf_h2_session_wrote(c->session, len);
        c->blocked = result == WF_IO_AGAIN;
        c->broken = result == WF_IO_ERROR;
        struct wf_slice nothing = wf_slice("", 0);
        handle_events(c, &nothing);
    }
    if (!c->blocked && !wf_h2_session_wants_write(c->session))
        c->queued = 0;
}

static bool may_read(const struct serve_connection *c)
{
    return c->readable && c->queued < SERVE_QUEUED_MAX && !c->broken && !c->cut;
}

/* What was read before and is no whole frame goes in front of what is read now. */
static void read_in(struct serve_connection *c)
{
    uint8_t *buf = c->worker->read_buf;
    size_t kept = wf_buf_len(&c->rest);
    if (kept > 0)
        memcpy(buf, c->rest.data + c->rest.start, kept);
    size_t len;
    enum wf_io_result result =
        wf_transport_read(c->transport, buf + kept, SERVE_READ_LEN - kept, &len);
    c->readable = result == WF_IO_OK;
    wf_buf_consume(&c->rest, kept);
    struct wf_slice in = wf_slice(buf, kept + len);
    if (len > 0)
        handle_events(c, &in);
    if (result == WF_IO_END || result == WF_IO_ERROR) {
        c->broken = true;
        return;
    }
    if (in.len > 0 && !wf_h2_session_is_dead(c->session) &&
        (in.len > SERVE_READ_LEN / 2 || !wf_buf_append(&c->rest, in.ptr, in.len)))
        c->broken = true;
}

/* Reads and drops, so that closing does not turn into a reset that eats what we said last. */
static void linger(struct serve_connection *c)
{
    for (int i = 0; i < WRITES_PER_TURN; i++) {
        ssize_t got = recv(c->source.fd, c->worker->read_buf, SERVE_READ_LEN, 0);
        if (got > 0)
            continue;
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            serve_connection_close(c);
        return;
    }
    serve_connection_wake(c);
}

static bool has_said_all(struct serve_connection *c)
{
    return !wf_h2_session_wants_write(c->session) && wf_transport_unsent(c->transport) == 0;
}

static bool is_over(struct serve_connection *c)
{
    if (wf_h2_session_is_dead(c->session))
        return true;
    return wf_h2_session_is_draining(c->session) &&
           wf_h2_session_open_streams(c->session) <= c->refused;
}

static void set_deadline(struct serve_connection *c)
{
    struct wf_timers *timers = &c->worker->timers;
    bool is_set = wf_timer_is_set(&c->timer);
    if (wf_h2_session_is_dead(c->session)) {
        /* A client that does not even take the GOAWAY is not waited for. */
        if (!is_set)
            wf_timer_set(timers, &c->timer, c->worker->now_ms + LINGER_MS);
        return;
    }
    uint64_t deadline = wf_h2_session_deadline(c->session);
    if (is_set ? c->timer.when_ms != deadline : deadline != WF_TIMER_NONE)
        wf_timer_set(timers, &c->timer, deadline);
}

/* Decides how the connection goes on after a turn. May free @c. */
static void settle(struct serve_connection *c)
{
    if (c->cut && has_said_all(c)) {
        /* An error on record keeps the transport from saying goodbye. */
        (void)wf_io_fail(c->transport, WF_IO_ERR_SYSTEM, 0, 0, "cut on request");
        c->broken = true;
    }
    if (c->broken) {
        serve_connection_close(c);
        return;
    }
    if (is_over(c) && has_said_all(c)) {
        c->state = SERVE_LINGERING;
        if (c->worker->site->tls != NULL)
            serve_tls_goodbye(c->transport);
        (void)shutdown(c->source.fd, SHUT_WR); /* a failure shows when we read */
        wf_timer_set(&c->worker->timers, &c->timer, c->worker->now_ms + LINGER_MS);
        serve_connection_wake(c);
        return;
    }
    set_deadline(c);
    if (may_read(c) || (!c->blocked && wf_h2_session_wants_write(c->session)))
        serve_connection_wake(c);
}

void serve_connection_run(struct serve_connection *c)
{
    if (c->state == SERVE_HANDSHAKE && !shake_hands(c))
        return;
    if (c->state == SERVE_LINGERING) {
        linger(c);
        return;
    }
    if (!c->blocked && wf_transport_unsent(c->transport) > 0) {
        enum wf_io_result result = wf_transport_flush(c->transport);
        c->blocked = result == WF_IO_AGAIN;
        c->broken = result == WF_IO_ERROR;
    }
    if (may_read(c))
        read_in(c);
    write_out(c);
    settle(c);
}

void serve_connection_wake(struct serve_connection *c)
{
    if (!wf_node_is_linked(&c->ready_node))
        wf_list_push_back(&c->worker->ready, &c->ready_node);
}

static void on_ready(struct wf_poll_source *source, uint32_t events)
{
    struct serve_connection *c = wf_container_of(source, struct serve_connection, source);
    serve_worker_tick(c->worker);
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        c->transport->hangup = true;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        c->readable = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
        c->blocked = false;
    serve_connection_run(c);
}

static void on_timer(struct wf_timer *timer)
{
    struct serve_connection *c = wf_container_of(timer, struct serve_connection, timer);
    if (c->state != SERVE_OPEN || wf_h2_session_is_dead(c->session)) {
        serve_connection_close(c);
        return;
    }
    wf_h2_session_timeout(c->session, c->worker->now_ms);
    serve_connection_wake(c);
}

void serve_connection_open(struct serve_worker *worker, int fd, uint32_t number)
{
    struct serve_connection *c = wf_calloc(1, sizeof(*c));
    struct wf_transport *transport = worker->site->tls != NULL
                                         ? serve_tls_accept(worker->site->tls, worker->tls_io, fd)
                                         : wf_tcp_new(fd);
    if (c == NULL || transport == NULL) {
        if (transport != NULL)
            wf_transport_free(transport);
        else
            (void)close(fd);
        wf_free(c);
        return;
    }
    c->worker = worker;
    c->transport = transport;
    c->number = number;
    wf_buf_init(&c->rest);
    wf_list_push_back(&worker->connections, &c->node);
    wf_list_init(&c->ready_node);
    wf_timer_init(&c->timer, on_timer);
    wf_poll_source_init(&c->source, fd, on_ready);
    worker->counts.connections++;
    if (wf_poller_add(&worker->poller, &c->source, WF_POLL_SOCKET) != 0) {
        serve_connection_close(c);
        return;
    }
    wf_timer_set(&worker->timers, &c->timer, worker->now_ms + HANDSHAKE_TIMEOUT_MS);
}

void serve_connection_close(struct serve_connection *c)
{
    wf_timer_cancel(&c->timer);
    if (c->session != NULL) {
        struct wf_slice nothing = wf_slice("", 0);
        wf_h2_session_lost(c->session);
        handle_events(c, &nothing);
        wf_h2_session_free(c->session);
    }
    wf_list_remove(&c->node);
    wf_list_remove(&c->ready_node);
    wf_poller_remove(&c->worker->poller, &c->source);
    wf_transport_free(c->transport);
    wf_buf_fini(&c->rest);
    wf_free(c);
}

void serve_connection_drain(struct serve_connection *c)
{
    if (c->state == SERVE_HANDSHAKE) {
        serve_connection_close(c);
        return;
    }
    if (c->state == SERVE_OPEN && !wf_h2_session_goaway(c->session, WF_H2_NO_ERROR, NULL))
        c->broken = true;
    serve_connection_wake(c);
}
