#include "io_thread/conn_watch.h"

#include "io_thread/demand.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/extra.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "io_thread/upload.h"
#include "message/error.h"

#include <stdio.h>

/* A peer with less window than this may wait for a reader of ours, not we for it. */
#define WINDOW_WORTH_SENDING 16384u
/* Idle for so long, a connection is not in the middle of anything that would need its buffers again
 * at once. */
#define IDLE_TRIM_MS 1000u
/* An upload that was answered in full and moved by no octet for so long is not wanted any more. */
#define LATE_UPLOAD_MS 1000u

void wf_conn_watch_init(struct wf_conn *conn)
{
    conn->stalled_at = UINT64_MAX;
    conn->late_at = UINT64_MAX;
    conn->rate_at = UINT64_MAX;
    conn->idle_at = UINT64_MAX;
    conn->is_trimmed = false;
    conn->retire_at = UINT64_MAX;
    wf_conn_ping_init(&conn->ping);
    wf_conn_probe_init(&conn->probe);
}

void wf_conn_watch_writing(struct wf_conn *conn, bool progress)
{
    if (!conn->blocked)
        conn->stalled_at = UINT64_MAX;
    else if (progress || conn->stalled_at == UINT64_MAX)
        conn->stalled_at = conn->io->now_ms;
}

static uint64_t stall_deadline(const struct wf_conn *conn)
{
    int64_t timeout = conn->io->engine->config.write_stall_ms;
    if (timeout < 0 || conn->stalled_at == UINT64_MAX)
        return UINT64_MAX;
    return conn->stalled_at + (uint64_t)timeout;
}

/* An idle connection first gives its buffers back and later says goodbye. */
static uint64_t idle_deadline(struct wf_conn *conn)
{
    int64_t timeout = conn->io->engine->config.idle_timeout_ms;
    if (!wf_list_is_empty(&conn->exchanges)) {
        conn->idle_at = UINT64_MAX;
        return UINT64_MAX;
    }
    if (conn->idle_at == UINT64_MAX) {
        conn->idle_at = conn->io->now_ms;
        conn->is_trimmed = false;
    }
    uint64_t close_at = timeout < 0 ? UINT64_MAX : conn->idle_at + (uint64_t)timeout;
    uint64_t trim_at = conn->is_trimmed ? UINT64_MAX : conn->idle_at + IDLE_TRIM_MS;
    return close_at < trim_at ? close_at : trim_at;
}

/* True: the connection was closed. */
static bool check_idle(struct wf_conn *conn)
{
    struct wf_io_thread *io = conn->io;
    if (io->now_ms < idle_deadline(conn))
        return false;
    conn->protocol->trim(conn);
    conn->is_trimmed = true;
    if (io->now_ms < idle_deadline(conn))
        return false;
    wf_conn_say_goodbye(conn);
    wf_conn_close(conn, NULL);
    return true;
}

uint64_t wf_conn_watch_deadline(struct wf_conn *conn)
{
    const struct weft_config *config = &conn->io->engine->config;
    uint64_t stall = stall_deadline(conn);
    uint64_t idle = idle_deadline(conn);
    if (idle < stall)
        stall = idle;
    if (conn->late_at < stall)
        stall = conn->late_at;
    if (conn->retire_at < stall)
        stall = conn->retire_at;
    uint64_t ping = wf_conn_ping_deadline(conn);
    if (ping < stall)
        stall = ping;
    if (config->min_body_rate == 0)
        return stall;
    if (wf_list_is_empty(&conn->exchanges))
        conn->rate_at = UINT64_MAX;
    else if (conn->rate_at == UINT64_MAX)
        conn->rate_at = conn->io->now_ms + config->min_body_rate_ms;
    return stall < conn->rate_at ? stall : conn->rate_at;
}

/* Looks at one exchange once a period. It is measured between two looks at which its response had
 * begun and there was window, so that each server has a whole period at least. */
static void check_rate(struct wf_conn *conn, struct weft_future *x)
{
    const struct weft_config *config = &conn->io->engine->config;
    if (x->response.status == 0 || conn->protocol->late_body(x) > 0)
        return;
    struct wf_extra *extra = wf_extra_get(x);
    if (extra == NULL)
        return; /* no memory for a mark: the next look may have some */
    uint64_t before = extra->rate_mark;
    bool may_send = conn->protocol->recv_room(x) >= WINDOW_WORTH_SENDING;
    extra->rate_mark = may_send ? x->body_received + 1 : 0;
    uint64_t least = (uint64_t)config->min_body_rate * config->min_body_rate_ms / 1000;
    if (before == 0 || !may_send || extra->rate_mark - before >= least)
        return;
    char text[120];
    (void)snprintf(text, sizeof(text),
                   "the response's body comes slower than min_body_rate, %u octets a second",
                   (unsigned)config->min_body_rate);
    wf_conn_give_up(conn, x, WEFT_ERR_DEADLINE, WEFT_LIMIT_RATE, text);
}

static void check_rates(struct wf_conn *conn)
{
    struct wf_node *node = conn->exchanges.next;
    while (node != &conn->exchanges) {
        struct wf_node *next = node->next;
        check_rate(conn, wf_container_of(node, struct weft_future, node));
        node = next;
    }
}

/* Two looks that find the same mark saw no octet move. More may be written between them. */
static size_t late_mark(const struct weft_future *x, size_t left)
{
    return x->upload == NULL ? left : (size_t)wf_upload_given(x->upload) - left + 1;
}

void wf_conn_watch_late(struct wf_conn *conn, struct weft_future *x)
{
    struct wf_extra *extra = wf_extra_get(x);
    if (extra != NULL)
        extra->late_mark = 0;
    if (conn->late_at != UINT64_MAX)
        return; /* the next look is the first at this one */
    if (extra != NULL)
        extra->late_mark = late_mark(x, conn->protocol->late_body(x));
    conn->late_at = conn->io->now_ms + LATE_UPLOAD_MS;
    wf_conn_update_timer(conn);
}

/* RFC 9113 section 8.1: a server may answer before it has the whole request, and should then say
 * by RST_STREAM that the rest is not wanted. Some say nothing and give no more window. */
static void check_late(struct wf_conn *conn)
{
    bool again = false;
    struct wf_node *node = conn->exchanges.next;
    while (node != &conn->exchanges) {
        struct wf_node *next = node->next;
        struct weft_future *x = wf_container_of(node, struct weft_future, node);
        size_t left = conn->protocol->late_body(x);
        node = next;
        if (left == 0)
            continue;
        size_t mark = late_mark(x, left);
        struct wf_extra *extra = wf_extra_get(x);
        if (extra != NULL && mark == extra->late_mark) {
            wf_conn_leave_upload(conn, x);
            continue;
        }
        if (extra != NULL) /* else the next look may have memory for a mark */
            extra->late_mark = mark;
        again = true;
    }
    conn->late_at = again ? conn->io->now_ms + LATE_UPLOAD_MS : UINT64_MAX;
}

void wf_conn_watch(struct wf_conn *conn)
{
    struct wf_io_thread *io = conn->io;
    if (check_idle(conn))
        return;
    if (io->now_ms >= conn->retire_at)
        wf_demand_replace(conn);
    if (conn->state == WF_CONN_CLOSED)
        return;
    if (io->now_ms >= conn->rate_at) {
        conn->rate_at = UINT64_MAX;
        check_rates(conn);
    }
    if (io->now_ms >= conn->late_at)
        check_late(conn);
    if (wf_conn_ping_check(conn) || io->now_ms < stall_deadline(conn))
        return;
    wf_io_thread_count_limit(io, WEFT_LIMIT_STALL);
    wf_origin_avoid_peer(conn);
    wf_error_set(&conn->error, WEFT_ERR_CONNECTION_LOST, WEFT_STAGE_SEND, WEFT_NOT_SENT,
                 "%s has read nothing of what was sent for %lld ms (write_stall_ms)",
                 conn->origin->key, (long long)io->engine->config.write_stall_ms);
    wf_conn_close(conn, &conn->error);
}
