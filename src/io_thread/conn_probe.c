#include "io_thread/conn_probe.h"

#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "io_thread/tcp_peer.h"
#include "message/error.h"

/* The kernel probes once a second at most, and one probe or two may be lost on a good line. */
#define LEAST_PATIENCE_MS 5000u

void wf_conn_probe_init(struct wf_conn_probe *probe)
{
    *probe = (struct wf_conn_probe){.silence = UINT64_MAX, .look_at = UINT64_MAX};
}

static uint64_t patience(const struct weft_config *config)
{
    uint64_t ms = (uint64_t)config->ping_after_ms + (uint64_t)config->ping_timeout_ms;
    return ms > LEAST_PATIENCE_MS ? ms : LEAST_PATIENCE_MS;
}

uint64_t wf_conn_probe_deadline(const struct wf_conn *conn)
{
    uint64_t quiet_at = conn->ping.quiet_at;
    return conn->probe.silence == quiet_at
               ? conn->probe.look_at
               : quiet_at + (uint64_t)conn->io->engine->config.ping_after_ms;
}

void wf_conn_probe_rest(struct wf_conn *conn)
{
    conn->probe.is_eager = false;
    wf_tcp_set_probes(conn->source.fd, false);
}

/* How long the host has been silent; false: not known. */
static bool silence_of(const struct wf_conn *conn, uint64_t *out_ms)
{
    /* What came before the request was asked, or before the last octets, is no sign of life. */
    uint64_t waited_ms = conn->io->now_ms - conn->ping.quiet_at;
    if (!conn->is_polled || !wf_tcp_silence(conn->source.fd, out_ms))
        return false;
    if (waited_ms < *out_ms)
        *out_ms = waited_ms;
    return true;
}

bool wf_conn_probe_check(struct wf_conn *conn)
{
    struct wf_io_thread *io = conn->io;
    const struct weft_config *config = &io->engine->config;
    struct wf_conn_probe *probe = &conn->probe;
    uint64_t silent_ms;
    if (io->now_ms < wf_conn_probe_deadline(conn))
        return false;
    if (!silence_of(conn, &silent_ms)) {
        probe->silence = conn->ping.quiet_at;
        probe->look_at = UINT64_MAX;
        return false;
    }
    if (probe->silence != conn->ping.quiet_at) {
        wf_tcp_set_probes(conn->source.fd, true);
        probe->is_eager = true;
        probe->silence = conn->ping.quiet_at;
    }
    if (silent_ms < patience(config)) {
        probe->look_at = io->now_ms + (patience(config) - silent_ms);
        return false;
    }
    wf_io_thread_count_limit(io, WEFT_LIMIT_SILENCE);
    wf_origin_avoid_peer(conn);
    wf_error_set(&conn->error, WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_WAIT, WEFT_NOT_SENT,
                 "the host of %s has acknowledged nothing for %llu ms (ping_timeout_ms)",
                 conn->origin->key, (unsigned long long)silent_ms);
    wf_conn_close(conn, &conn->error);
    return true;
}
