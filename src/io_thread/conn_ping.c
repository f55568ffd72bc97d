#include "io_thread/conn_ping.h"

#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "io_thread/tcp_peer.h"
#include "message/error.h"

/* Strict servers allow two PINGs that come too soon after another; then only as rare as this. */
#define FREQUENT_PINGS 3u
#define RARE_PING_MS   310000u

void wf_conn_ping_init(struct wf_conn_ping *ping)
{
    *ping = (struct wf_conn_ping){.quiet_at = UINT64_MAX, .asked_at = UINT64_MAX};
}

/* How long it must be silent before the next PING. */
static uint64_t patience(const struct wf_conn *conn)
{
    uint64_t first = (uint64_t)conn->io->engine->config.ping_after_ms;
    if (conn->ping.asked < FREQUENT_PINGS)
        return first << conn->ping.asked;
    uint64_t doubled = first << FREQUENT_PINGS;
    return doubled > RARE_PING_MS ? doubled : RARE_PING_MS;
}

uint64_t wf_conn_ping_deadline(struct wf_conn *conn)
{
    const struct weft_config *config = &conn->io->engine->config;
    struct wf_conn_ping *ping = &conn->ping;
    if (wf_list_is_empty(&conn->exchanges)) {
        ping->quiet_at = UINT64_MAX;
        ping->asked_at = UINT64_MAX;
        if (conn->probe.is_eager)
            wf_conn_probe_rest(conn);
        return UINT64_MAX;
    }
    if (ping->quiet_at == UINT64_MAX)
        ping->quiet_at = conn->io->now_ms;
    if (config->ping_after_ms < 0)
        return UINT64_MAX;
    if (conn->protocol->ping == NULL)
        return wf_conn_probe_deadline(conn);
    if (ping->asked_at != UINT64_MAX)
        return ping->asked_at + (uint64_t)config->ping_timeout_ms;
    return ping->quiet_at + patience(conn);
}

static void ask(struct wf_conn *conn)
{
    struct wf_conn_ping *ping = &conn->ping;
    const uint8_t opaque[8] = {'w', 'e', 'f', 't', '?', 0, 0, (uint8_t)ping->asked};
    if (!conn->protocol->ping(conn, opaque)) {
        ping->quiet_at = conn->io->now_ms; /* no memory: another time */
        return;
    }
    struct wf_tcp_progress progress;
    ping->acked = wf_tcp_progress(conn->source.fd, &progress) ? progress.acked : 0;
    ping->until = 0;
    ping->asked_at = conn->io->now_ms;
    if (ping->asked <= FREQUENT_PINGS)
        ping->asked++;
    wf_conn_mark_dirty(conn);
}

/* The PING waits behind octets that the peer's host takes slowly, but takes: a slow line is not a
 * dead peer. One that does not read takes what fits its host's buffer, and no more. */
static bool is_on_its_way(struct wf_conn *conn)
{
    struct wf_conn_ping *ping = &conn->ping;
    struct wf_tcp_progress progress;
    if (!conn->is_polled || !wf_tcp_progress(conn->source.fd, &progress))
        return false;
    bool is_unwritten = conn->blocked || conn->protocol->wants_write(conn);
    bool is_nearer = progress.acked > ping->acked;
    ping->acked = progress.acked;
    if (is_unwritten || ping->until == 0)
        ping->until = progress.acked + progress.queued;
    return is_nearer && (is_unwritten || progress.acked < ping->until);
}

bool wf_conn_ping_check(struct wf_conn *conn)
{
    struct wf_io_thread *io = conn->io;
    const struct weft_config *config = &io->engine->config;
    if (io->now_ms < wf_conn_ping_deadline(conn))
        return false;
    if (conn->protocol->ping == NULL)
        return wf_conn_probe_check(conn);
    if (conn->ping.asked_at == UINT64_MAX) {
        ask(conn);
        return false;
    }
    if (is_on_its_way(conn)) {
        conn->ping.asked_at = io->now_ms;
        return false;
    }
    wf_io_thread_count_limit(io, WEFT_LIMIT_SILENCE);
    wf_origin_avoid_peer(conn);
    wf_error_set(&conn->error, WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_WAIT, WEFT_NOT_SENT,
                 "%s is silent for %llu ms and did not answer a PING in %lld ms (ping_timeout_ms)",
                 conn->origin->key, (unsigned long long)(io->now_ms - conn->ping.quiet_at),
                 (long long)config->ping_timeout_ms);
    wf_conn_close(conn, &conn->error);
    return true;
}
