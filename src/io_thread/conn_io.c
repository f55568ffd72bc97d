/* A connection's socket: octets in to the protocol, octets out of it. */
#include "io_thread/conn.h"

#include "base/assert.h"
#include "io_thread/conn_watch.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/tls.h"
#include "io_thread/trace.h"
#include "io_thread/transport_error.h"
#include "message/error.h"

#include <string.h>

/* Slices and octets of one gathered write. */
#define WRITE_SLICES 64
#define WRITE_BUDGET 262144u
/* Octets that one turn writes for one connection before the others have theirs. */
#define TURN_WRITE_LEN 1048576u

static bool is_up(const struct wf_conn *conn)
{
    return conn->state == WF_CONN_OPEN || conn->state == WF_CONN_DRAINING;
}

void wf_conn_mark_dirty(struct wf_conn *conn)
{
    if (!wf_node_is_linked(&conn->dirty_node) && conn->state != WF_CONN_CLOSED)
        wf_list_push_back(&conn->io->dirty, &conn->dirty_node);
}

static void step_handshake(struct wf_conn *conn)
{
    enum wf_io_result result = wf_transport_handshake(conn->transport);
    if (result == WF_IO_AGAIN)
        return;
    if (result != WF_IO_OK && wf_tls_is_worth_again(conn->transport)) {
        wf_trace_note(conn, "%s; again without a session", conn->transport->error.text);
        wf_conn_close(conn, NULL); /* nobody is told: those who wait get another connection */
        return;
    }
    if (result != WF_IO_OK) {
        wf_error_from_transport(&conn->error, &conn->transport->error, conn->origin->key,
                                WEFT_STAGE_TLS);
        wf_conn_close(conn, &conn->error);
        return;
    }
    const char *protocol = wf_transport_protocol(conn->transport);
    bool resumed = wf_tls_is_resumed(conn->transport);
    wf_stat_add(&conn->io->stats.tls_handshakes, 1);
    wf_stat_add(&conn->io->stats.tls_resumed, resumed ? 1 : 0);
    wf_trace_note(conn, "%s %s, ALPN %s%s%s", wf_tls_version(conn->transport),
                  wf_tls_cipher(conn->transport), protocol == NULL ? "none" : protocol,
                  resumed ? ", resumed" : "",
                  conn->io->engine->config.insecure_skip_verify ? ", NOT VERIFIED" : "");
    wf_conn_transport_is_up(conn);
}

/* No octet will come any more. */
static void ended(struct wf_conn *conn, enum wf_io_result result)
{
    if (conn->transport->error.kind == WF_IO_ERR_TLS_LIMIT)
        wf_io_thread_count_limit(conn->io, WEFT_LIMIT_TLS);
    if (conn->error.code == WEFT_OK) {
        if (result == WF_IO_ERROR)
            wf_error_from_transport(&conn->error, &conn->transport->error, conn->origin->key,
                                    WEFT_STAGE_WAIT);
        else
            wf_error_set(&conn->error, WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_WAIT, WEFT_NOT_SENT,
                         "%s closed the connection", conn->origin->key);
    }
    conn->peer_ended = result == WF_IO_END;
    wf_conn_close(conn, &conn->error);
}

/* Keeps what the protocol left of @in: the beginning of a frame. False: no memory. */
static bool keep_leftover(struct wf_conn *conn, struct wf_slice in)
{
    if (in.len == 0) {
        /* Idle connections hold no buffer. */
        if (conn->leftover.cap > 0)
            wf_buf_fini(&conn->leftover);
        return true;
    }
    wf_assert(in.len <= WF_READ_LEFTOVER);
    wf_buf_consume(&conn->leftover, wf_buf_len(&conn->leftover));
    return wf_buf_append(&conn->leftover, in.ptr, in.len);
}

static void feed(struct wf_conn *conn, size_t len)
{
    struct wf_io_thread *io = conn->io;
    size_t before = wf_buf_len(&conn->leftover);
    uint8_t *start = io->read_buf + WF_READ_LEFTOVER - before;
    if (before > 0)
        memcpy(start, conn->leftover.data + conn->leftover.start, before);
    struct wf_slice in = wf_slice(start, before + len);
    conn->protocol->feed(conn, &in);
    if (conn->protocol->is_dead(conn)) {
        wf_conn_finish(conn);
        return;
    }
    if (!keep_leftover(conn, in)) {
        wf_error_set(&conn->error, WEFT_ERR_NO_MEMORY, WEFT_STAGE_WAIT, WEFT_NOT_SENT,
                     "no memory to read from %s", conn->origin->key);
        wf_conn_close(conn, &conn->error);
        return;
    }
    if (conn->protocol->wants_write(conn))
        wf_conn_mark_dirty(conn);
}

void wf_conn_drain_events(struct wf_conn *conn)
{
    struct wf_slice nothing = {NULL, 0};
    conn->protocol->feed(conn, &nothing);
    if (conn->protocol->is_dead(conn))
        wf_conn_finish(conn);
}

void wf_conn_read(struct wf_conn *conn)
{
    struct wf_io_thread *io = conn->io;
    size_t total = 0;
    wf_list_remove(&conn->unread_node);
    while (conn->read_room > 0) {
        size_t len;
        size_t room = conn->read_room < WF_READ_LEN ? conn->read_room : WF_READ_LEN;
        enum wf_io_result result =
            wf_transport_read(conn->transport, io->read_buf + WF_READ_LEFTOVER, room, &len);
        total += len;
        if (len > 0) {
            feed(conn, len);
            if (!is_up(conn))
                break;
        }
        if (result == WF_IO_AGAIN)
            break;
        if (result != WF_IO_OK) {
            ended(conn, result);
            break;
        }
        if (total >= WF_TURN_READ_LEN) {
            wf_list_push_back(&io->unread, &conn->unread_node);
            break;
        }
    }
    wf_stat_add(&io->stats.octets_read, total);
    if (total > 0)
        wf_conn_ping_heard(&conn->ping, io->now_ms);
    if (!is_up(conn))
        return;
    /* Reading may have made TLS answer (a KeyUpdate) into a full socket. */
    conn->blocked = conn->blocked || wf_transport_unsent(conn->transport) > 0;
    wf_conn_update_timer(conn);
    if (conn->state == WF_CONN_DRAINING)
        wf_conn_mark_dirty(conn);
    /* Those whose streams have just ended are found first. */
    else if (total > 0 && conn->origin->conn_count > 1 && wf_conn_capacity(conn) > 0)
        wf_origin_prefer(conn);
}

/* Nothing can be sent any more. What the peer had still said (GOAWAY, a response) is read before
 * anybody is told how it ended. */
static void write_failed(struct wf_conn *conn)
{
    conn->write_failed = true;
    wf_error_from_transport(&conn->error, &conn->transport->error, conn->origin->key,
                            WEFT_STAGE_SEND);
    wf_conn_set_draining(conn);
    conn->transport->hangup = true;
    wf_conn_read(conn);
    if (is_up(conn) && !wf_node_is_linked(&conn->unread_node))
        wf_conn_close(conn, &conn->error);
}

static enum wf_io_result write_once(struct wf_conn *conn, size_t *out_len)
{
    struct wf_slice slices[WRITE_SLICES];
    struct iovec iov[WRITE_SLICES];
    *out_len = 0;
    size_t count = conn->protocol->output(conn, slices, WRITE_SLICES, WRITE_BUDGET);
    if (count == 0)
        return WF_IO_AGAIN;
    for (size_t i = 0; i < count; i++)
        iov[i] =
            (struct iovec){.iov_base = (void *)(uintptr_t)slices[i].ptr, .iov_len = slices[i].len};
    enum wf_io_result result = wf_transport_write(conn->transport, iov, (int)count, out_len);
    conn->protocol->wrote(conn, *out_len);
    return result;
}

/* A connection that takes no more requests has served its purpose with its last stream. */
static void close_if_drained(struct wf_conn *conn)
{
    if (conn->state == WF_CONN_DRAINING && conn->protocol->open_count(conn) == 0 &&
        !conn->protocol->wants_write(conn))
        wf_conn_close(conn, NULL);
}

void wf_conn_write(struct wf_conn *conn)
{
    wf_list_remove(&conn->dirty_node);
    if (conn->state == WF_CONN_DRAINING && !conn->is_finishing && conn->protocol->is_dead(conn)) {
        wf_conn_finish(conn);
        return;
    }
    if (!is_up(conn) || conn->write_failed || conn->blocked)
        return;
    size_t total = 0;
    enum wf_io_result result = WF_IO_OK;
    while (result == WF_IO_OK && conn->protocol->wants_write(conn)) {
        if (total >= TURN_WRITE_LEN) {
            wf_conn_mark_dirty(conn);
            break;
        }
        size_t len;
        result = write_once(conn, &len);
        total += len;
        if (len == 0 && result != WF_IO_ERROR) {
            conn->blocked = result == WF_IO_AGAIN && conn->protocol->wants_write(conn);
            break;
        }
        if (result == WF_IO_AGAIN)
            conn->blocked = true;
        wf_conn_drain_events(conn);
        if (!is_up(conn))
            break;
    }
    wf_stat_add(&conn->io->stats.octets_written, total);
    if (!is_up(conn))
        return;
    if (result == WF_IO_ERROR) {
        write_failed(conn);
        return;
    }
    conn->blocked = conn->blocked || wf_transport_unsent(conn->transport) > 0;
    wf_conn_watch_writing(conn, total > 0);
    wf_conn_update_timer(conn);
    close_if_drained(conn);
}

void wf_conn_finish(struct wf_conn *conn)
{
    if (conn->is_finishing)
        return;
    conn->is_finishing = true;
    wf_conn_write(conn);
    wf_conn_close(conn, &conn->error);
}

void wf_conn_say_goodbye(struct wf_conn *conn)
{
    if (!is_up(conn) || conn->protocol->is_dead(conn))
        return;
    conn->protocol->goodbye(conn);
    wf_conn_set_draining(conn);
    wf_conn_write(conn);
}

void wf_conn_ready(struct wf_poll_source *source, uint32_t epoll_events)
{
    struct wf_conn *conn = wf_container_of(source, struct wf_conn, source);
    if ((epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        conn->transport->hangup = true;
    if (conn->state == WF_CONN_TLS) {
        step_handshake(conn);
        /* What came together with the end of the handshake gets no edge of its own. */
        if (!is_up(conn))
            return;
        wf_conn_read(conn);
        return;
    }
    if ((epoll_events & EPOLLOUT) != 0 && conn->blocked) {
        size_t unsent = wf_transport_unsent(conn->transport);
        enum wf_io_result result = wf_transport_flush(conn->transport);
        conn->blocked = result == WF_IO_AGAIN;
        conn->unblocked_at = conn->io->now_ns;
        wf_conn_watch_writing(conn, wf_transport_unsent(conn->transport) < unsent);
        if (result == WF_IO_ERROR) {
            write_failed(conn);
            return;
        }
        wf_conn_mark_dirty(conn);
    }
    if ((epoll_events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        wf_conn_read(conn);
}
