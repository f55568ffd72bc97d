/* The life of a connection: name, address, socket, TLS, protocol, end. */
#include "io_thread/conn.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io_thread/conn_watch.h"
#include "io_thread/demand.h"
#include "io_thread/dial.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/log.h"
#include "io_thread/origin.h"
#include "io_thread/resolve.h"
#include "io_thread/tcp_peer.h"
#include "io_thread/tls.h"
#include "io_thread/tls_loader.h"
#include "io_thread/trace.h"
#include "io_thread/transport_error.h"
#include "message/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void note_failure(struct wf_conn *conn, enum weft_code code, enum weft_stage stage,
                         const char *text)
{
    wf_error_set(&conn->error, code, stage, WEFT_NOT_SENT, "%s", text);
}

static void timer_fired(struct wf_timer *timer)
{
    struct wf_conn *conn = wf_container_of(timer, struct wf_conn, timer);
    if (conn->state == WF_CONN_OPEN || conn->state == WF_CONN_DRAINING) {
        conn->protocol->timeout(conn);
        wf_conn_drain_events(conn);
        if (conn->state != WF_CONN_CLOSED)
            wf_conn_watch(conn);
        wf_conn_update_timer(conn);
        return;
    }
    char text[WEFT_ERROR_TEXT_LEN];
    const struct weft_config *config = &conn->io->engine->config;
    if (conn->state == WF_CONN_TLS)
        wf_bad_addresses_note(&conn->io->bad_addresses, &conn->address, conn->io->now_ms);
    if (conn->io->now_ms < conn->connect_by) {
        (void)snprintf(text, sizeof(text),
                       "the TLS handshake with %s took longer than %lld ms (tls_timeout_ms)",
                       conn->origin->key, (long long)config->tls_timeout_ms);
        note_failure(conn, WEFT_ERR_CONNECT_TIMEOUT, WEFT_STAGE_TLS, text);
        wf_conn_close(conn, &conn->error);
        return;
    }
    static const char *const doing[] = {"resolving the name", "connecting", "the TLS handshake"};
    (void)snprintf(text, sizeof(text),
                   "connecting to %s took longer than %lld ms, the last of it for %s",
                   conn->origin->key, (long long)config->connect_timeout_ms, doing[conn->state]);
    note_failure(conn, WEFT_ERR_CONNECT_TIMEOUT, wf_origin_stage(conn->origin), text);
    wf_conn_close(conn, &conn->error);
}

void wf_conn_update_timer(struct wf_conn *conn)
{
    if (conn->state == WF_CONN_CLOSED)
        return;
    uint64_t when = conn->protocol->deadline(conn);
    uint64_t watch = wf_conn_watch_deadline(conn);
    if (watch < when)
        when = watch;
    /* A time that moved away is left to fire and to be looked at then: moving the timer for every
     * request would cost more. */
    if (when < conn->timer.when_ms || !wf_timer_is_set(&conn->timer))
        wf_timer_set(&conn->io->timers, &conn->timer, when);
}

static void log_open(const struct wf_conn *conn)
{
    char address[WF_ADDRESS_TEXT_MAX] = "";
    if (conn->address.len > 0)
        (void)wf_address_text(&conn->address, address, sizeof(address));
    wf_log_conn(conn, WEFT_LOG_INFO, "open to %s", address);
}

/* What was offered before the server said that it wants HTTP/1.1 is no error: another connection
 * takes this one's place. */
static void leave_http2(struct wf_conn *conn)
{
    if (conn->offered_http1_only) {
        char text[WEFT_ERROR_TEXT_LEN];
        (void)snprintf(text, sizeof(text), "%s requires HTTP/1.1, and chose h2 by ALPN",
                       conn->origin->key);
        note_failure(conn, WEFT_ERR_TLS, WEFT_STAGE_TLS, text);
    }
    wf_conn_close(conn, NULL);
}

void wf_conn_transport_is_up(struct wf_conn *conn)
{
    struct wf_io_thread *io = conn->io;
    const char *alpn = wf_transport_protocol(conn->transport);
    const struct wf_protocol_ops *protocol =
        wf_protocol_choose(&io->engine->config, conn->origin->https, alpn);
    if (protocol == NULL) {
        char text[WEFT_ERROR_TEXT_LEN];
        (void)snprintf(text, sizeof(text), "%s does not speak HTTP/2: it chose %s by ALPN",
                       conn->origin->key, alpn == NULL ? "nothing" : alpn);
        note_failure(conn, WEFT_ERR_NOT_HTTP2, WEFT_STAGE_TLS, text);
        wf_conn_close(conn, &conn->error);
        return;
    }
    if (protocol == &wf_protocol_h2 && wf_origin_requires_http1(conn->origin)) {
        leave_http2(conn);
        return;
    }
    if (!protocol->make(conn)) {
        note_failure(conn, WEFT_ERR_NO_MEMORY, WEFT_STAGE_CONNECT, "no memory for a connection");
        wf_conn_close(conn, &conn->error);
        return;
    }
    conn->protocol = protocol;
    conn->state = WF_CONN_OPEN;
    conn->up_at = io->now_ns;
    conn->origin->opening_count--;
    wf_stat_sub(&io->stats.connections_opening, 1);
    conn->origin->usable_count++;
    wf_stat_add(&io->stats.connections_opened, 1);
    wf_stat_add(&io->stats.connections_open, 1);
    wf_stat_add(&io->stats.connections_http1, protocol->one_at_a_time ? 1 : 0);
    log_open(conn);
    wf_demand_up(conn);
    wf_conn_update_timer(conn);
    wf_conn_mark_dirty(conn);
    wf_origin_pump_later(conn->origin);
}

/* The poller's first event, writable, begins the handshake. */
static void begin_tls(struct wf_conn *conn)
{
    struct wf_io_thread *io = conn->io;
    int64_t timeout = io->engine->config.tls_timeout_ms;
    conn->state = WF_CONN_TLS;
    if (timeout >= 0 && io->now_ms + (uint64_t)timeout < conn->connect_by)
        wf_timer_set(&io->timers, &conn->timer, io->now_ms + (uint64_t)timeout);
}

static void dialled(void *user, const struct wf_dial_result *result)
{
    struct wf_conn *conn = user;
    struct wf_io_thread *io = conn->io;
    char text[WEFT_ERROR_TEXT_LEN];
    conn->dial = NULL;
    if (result->fd < 0) {
        (void)snprintf(text, sizeof(text), "cannot connect to %s: %s", conn->origin->key,
                       result->text);
        note_failure(conn,
                     result->sys_errno == ECONNREFUSED ? WEFT_ERR_CONNECT_REFUSED
                     : result->sys_errno == ETIMEDOUT  ? WEFT_ERR_CONNECT_TIMEOUT
                                                       : WEFT_ERR_CONNECT,
                     WEFT_STAGE_CONNECT, text);
        conn->error.sys_errno = result->sys_errno;
        wf_conn_close(conn, &conn->error);
        return;
    }
    conn->address = result->address;
    conn->peer = wf_peer_of(&result->address);
    conn->connected_at = io->now_ns;
    wf_tcp_set_timeouts(result->fd, io->engine->config.tcp_user_timeout_ms);
    char address[WF_ADDRESS_TEXT_MAX];
    wf_trace_note(conn, "connected to %s",
                  wf_address_text(&result->address, address, sizeof(address)));
    struct wf_io_error io_error = {.kind = WF_IO_ERR_NO_MEMORY, .text = "no memory"};
    conn->offered_http1_only = wf_origin_requires_http1(conn->origin);
    conn->transport =
        conn->origin->https
            ? wf_tls_new(io->engine->tls_ctx, io->tls_io, result->fd, conn->origin->host,
                         conn->origin->port,
                         wf_protocol_alpn(&io->engine->config, conn->offered_http1_only), &io_error)
            : wf_tcp_new(result->fd);
    if (conn->transport == NULL) {
        (void)close(result->fd);
        wf_error_from_transport(&conn->error, &io_error, conn->origin->key, WEFT_STAGE_TLS);
        wf_conn_close(conn, &conn->error);
        return;
    }
    wf_poll_source_init(&conn->source, result->fd, wf_conn_ready);
    int failed = wf_poller_add(&io->poller, &conn->source, WF_POLL_SOCKET);
    if (failed != 0) {
        (void)snprintf(text, sizeof(text), "cannot watch a socket: %s", strerror(failed));
        note_failure(conn, WEFT_ERR_INTERNAL, WEFT_STAGE_CONNECT, text);
        conn->error.sys_errno = failed;
        wf_conn_close(conn, &conn->error);
        return;
    }
    conn->is_polled = true;
    if (conn->origin->https)
        begin_tls(conn);
    else
        wf_conn_transport_is_up(conn);
}

static void resolved(void *user, const struct wf_resolution *resolution)
{
    struct wf_conn *conn = user;
    conn->lookup = NULL;
    if (resolution->result != WF_RESOLVE_OK) {
        note_failure(conn,
                     resolution->result == WF_RESOLVE_NO_MEMORY ? WEFT_ERR_NO_MEMORY
                                                                : WEFT_ERR_RESOLVE,
                     WEFT_STAGE_RESOLVE, resolution->text);
        wf_conn_close(conn, &conn->error);
        return;
    }
    if (conn->origin->https && conn->io->engine->tls_error.code != WEFT_OK) {
        wf_conn_close(conn, &conn->io->engine->tls_error);
        return;
    }
    conn->state = WF_CONN_CONNECTING;
    conn->resolved_at = conn->io->now_ns;
    conn->dial = wf_dial_start(&conn->io->poller, &conn->io->timers, resolution->addresses,
                               resolution->count, WF_DIAL_STAGGER_MS, dialled, conn);
    if (conn->dial == NULL) {
        note_failure(conn, WEFT_ERR_NO_MEMORY, WEFT_STAGE_CONNECT, "no memory for a connection");
        wf_conn_close(conn, &conn->error);
        return;
    }
    wf_dial_watch(conn->dial, &conn->io->bad_addresses);
}

static struct wf_conn *conn_new(struct wf_origin *origin)
{
    struct wf_io_thread *io = origin->io;
    struct wf_conn *conn = wf_calloc(1, sizeof(*conn));
    if (conn == NULL)
        return NULL;
    conn->io = io;
    conn->origin = origin;
    conn->connect_by = UINT64_MAX;
    /* Relaxed: only uniqueness matters. */
    conn->id = atomic_fetch_add_explicit(&io->engine->connection_ids, 1, memory_order_relaxed) + 1;
    wf_buf_init(&conn->leftover);
    conn->read_room = SIZE_MAX;
    wf_conn_watch_init(conn);
    wf_list_init(&conn->dirty_node);
    wf_list_init(&conn->unread_node);
    wf_list_init(&conn->trust_node);
    wf_list_init(&conn->dead_node);
    wf_list_init(&conn->exchanges);
    wf_list_init(&conn->origin_node);
    wf_timer_init(&conn->timer, timer_fired);
    return conn;
}

static void enter_origin(struct wf_conn *conn)
{
    wf_list_push_back(&conn->origin->conns, &conn->origin_node);
    conn->origin->conn_count++;
    conn->origin->opening_count++;
    wf_stat_add(&conn->io->stats.connections_opening, 1);
}

static bool look_up(struct wf_conn *conn)
{
    conn->lookup =
        wf_resolve(conn->io->resolver, conn->origin->host, conn->origin->port, resolved, conn);
    return conn->lookup != NULL;
}

/* Looks the name up, or waits first. False: no memory. */
static bool begin(struct wf_conn *conn)
{
    switch (conn->origin->https ? wf_tls_loader_ask(conn->io->engine) : WF_TRUST_READY) {
    case WF_TRUST_LOADING:
        wf_list_push_back(&conn->io->trust_waiting, &conn->trust_node);
        return true;
    case WF_TRUST_READY:
        return look_up(conn);
    case WF_TRUST_NO_THREAD:
    case WF_TRUST_NEEDED:
        break;
    }
    return false;
}

void wf_conn_trust_is_ready(struct wf_conn *conn)
{
    if (look_up(conn))
        return;
    note_failure(conn, WEFT_ERR_NO_MEMORY, WEFT_STAGE_RESOLVE, "no memory for a connection");
    wf_conn_close(conn, &conn->error);
}

bool wf_conn_open(struct wf_origin *origin)
{
    struct wf_io_thread *io = origin->io;
    struct wf_conn *conn = conn_new(origin);
    if (conn == NULL)
        return false;
    conn->state = WF_CONN_RESOLVING;
    if (!begin(conn)) {
        wf_free(conn);
        return false;
    }
    enter_origin(conn);
    if (io->engine->config.connect_timeout_ms >= 0)
        conn->connect_by = io->now_ms + (uint64_t)io->engine->config.connect_timeout_ms;
    wf_timer_set(&io->timers, &conn->timer, conn->connect_by);
    return true;
}

struct wf_conn *wf_conn_adopt(struct wf_origin *origin, struct wf_transport *transport)
{
    struct wf_conn *conn = conn_new(origin);
    if (conn == NULL)
        return NULL;
    conn->state = WF_CONN_CONNECTING;
    conn->transport = transport;
    enter_origin(conn);
    wf_conn_transport_is_up(conn);
    return conn;
}

void wf_conn_set_draining(struct wf_conn *conn)
{
    if (conn->state != WF_CONN_OPEN)
        return;
    conn->state = WF_CONN_DRAINING;
    wf_stat_add(&conn->io->stats.connections_draining, 1);
    conn->origin->usable_count--;
    wf_origin_pump_later(conn->origin);
}

/* Ends what is still on its way here: the protocol says for each what is proven about it. */
static void end_exchanges(struct wf_conn *conn)
{
    if (conn->protocol == NULL)
        return;
    conn->protocol->lost(conn);
    wf_assert(wf_list_is_empty(&conn->exchanges));
}

static void leave_origin(struct wf_conn *conn, enum wf_conn_state was)
{
    struct wf_origin *origin = conn->origin;
    wf_list_remove(&conn->origin_node);
    origin->conn_count--;
    if (was == WF_CONN_OPEN)
        origin->usable_count--;
    else if (was != WF_CONN_DRAINING)
        origin->opening_count--;
    bool was_up = was == WF_CONN_OPEN || was == WF_CONN_DRAINING;
    wf_stat_sub(&conn->io->stats.connections_open, was_up ? 1 : 0);
    wf_stat_sub(&conn->io->stats.connections_http1,
                was_up && conn->protocol->one_at_a_time ? 1 : 0);
    wf_stat_sub(&conn->io->stats.connections_draining, was == WF_CONN_DRAINING ? 1 : 0);
    wf_stat_sub(&conn->io->stats.connections_opening, was_up ? 0 : 1);
    wf_stat_add(&conn->io->stats.connections_failed, was_up ? 0 : 1);
    if (!was_up && conn->error.code != WEFT_OK)
        wf_demand_failed(origin);
    bool never_ready = conn->protocol == NULL || !conn->protocol->is_ready(conn);
    if (conn->had_response)
        wf_origin_served(origin);
    else if (conn->error.code != WEFT_OK)
        wf_origin_failed(origin, &conn->error, never_ready);
    wf_origin_pump_later(origin);
}

void wf_conn_close(struct wf_conn *conn, const struct weft_error *error)
{
    if (conn->state == WF_CONN_CLOSED)
        return;
    enum wf_conn_state was = conn->state;
    if (error != NULL && conn->error.code == WEFT_OK)
        conn->error = *error;
    conn->state = WF_CONN_CLOSED;
    wf_timer_cancel(&conn->timer);
    wf_list_remove(&conn->dirty_node);
    wf_list_remove(&conn->unread_node);
    wf_list_remove(&conn->trust_node);
    wf_lookup_cancel(conn->lookup);
    wf_dial_cancel(conn->dial);
    conn->lookup = NULL;
    conn->dial = NULL;
    end_exchanges(conn);
    if (conn->is_polled)
        wf_poller_remove(&conn->io->poller, &conn->source);
    conn->is_polled = false;
    if (conn->transport != NULL)
        wf_trace_note(conn, "closed%s%s", conn->error.code != WEFT_OK ? ": " : "",
                      conn->error.text);
    bool was_up = was == WF_CONN_OPEN || was == WF_CONN_DRAINING;
    wf_log_conn(conn, was_up ? WEFT_LOG_INFO : WEFT_LOG_WARNING, "%s%s%s",
                was_up ? "closed" : "failed", conn->error.code != WEFT_OK ? ": " : "",
                conn->error.text);
    wf_transport_free(conn->transport);
    conn->transport = NULL;
    wf_list_push_back(&conn->io->dead, &conn->dead_node);
    leave_origin(conn, was);
}

void wf_conn_free(struct wf_conn *conn)
{
    wf_assert(conn->state == WF_CONN_CLOSED);
    wf_list_remove(&conn->dead_node);
    if (conn->protocol != NULL)
        conn->protocol->free(conn);
    wf_buf_fini(&conn->leftover);
    wf_free(conn);
}
