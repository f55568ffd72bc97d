#include "io_thread/demand.h"

#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/log.h"
#include "io_thread/origin.h"

/* After a connection failed while there are others, and after each further one twice as long. */
#define HOLD_MS     1000u
#define HOLD_MAX_MS 30000u

static void hold_fired(struct wf_timer *timer)
{
    wf_origin_pump_later(wf_container_of(timer, struct wf_origin, hold));
}

static void backoff_fired(struct wf_timer *timer)
{
    wf_origin_pump_later(wf_container_of(timer, struct wf_origin, backoff));
}

void wf_demand_init(struct wf_origin *origin)
{
    wf_timer_init(&origin->backoff, backoff_fired);
    wf_timer_init(&origin->hold, hold_fired);
}

void wf_demand_fini(struct wf_origin *origin)
{
    wf_timer_cancel(&origin->backoff);
    wf_timer_cancel(&origin->hold);
}

static unsigned most(const struct wf_origin *origin)
{
    const struct weft_config *config = &origin->io->engine->config;
    return config->max_connections_per_origin > config->connections_per_origin
               ? config->max_connections_per_origin
               : config->connections_per_origin;
}

/* Requests that one connection carries at once; 0: not known, or none. */
static uint32_t each_carries(const struct wf_origin *origin)
{
    return origin->protocol->one_at_a_time ? 1 : origin->stream_limit;
}

/* Connections, usable or on their way, that there should be. */
static size_t wanted(const struct wf_origin *origin)
{
    if (origin->protocol == NULL)
        return 1;
    size_t least =
        origin->protocol->one_at_a_time ? 1 : origin->io->engine->config.connections_per_origin;
    uint32_t each = each_carries(origin);
    if (each == 0 || origin->waiting_count == 0)
        return least;
    /* What waits has found the usable ones full. */
    size_t more = (origin->waiting_count - 1) / each + 1;
    size_t all = origin->usable_count + more;
    if (all > most(origin))
        all = most(origin);
    return all > least ? all : least;
}

static bool may_open(const struct wf_origin *origin)
{
    return origin->conn_count < 2 * most(origin);
}

/* A connection that carries nothing and takes nothing has used its stream identifiers up (RFC 9113
 * section 5.1.1). */
static void drain_used_up(struct wf_origin *origin)
{
    if (origin->stream_limit == 0)
        return;
    struct wf_node *node = origin->conns.next;
    for (; node != &origin->conns; node = node->next) {
        struct wf_conn *conn = wf_container_of(node, struct wf_conn, origin_node);
        if (conn->state != WF_CONN_OPEN || wf_conn_capacity(conn) > 0 ||
            conn->protocol->open_count(conn) > 0)
            continue;
        wf_conn_set_draining(conn);
        wf_conn_mark_dirty(conn);
    }
}

bool wf_demand_open(struct wf_origin *origin)
{
    if (wf_timer_is_set(&origin->backoff))
        return true;
    drain_used_up(origin);
    size_t target = wanted(origin);
    origin->is_wanted = false;
    while (origin->usable_count + origin->opening_count < target) {
        bool has_some = origin->usable_count + origin->opening_count > 0;
        if (has_some && wf_timer_is_set(&origin->hold))
            break;
        if (!may_open(origin) || !wf_conn_open(origin))
            break;
    }
    return origin->conn_count > 0;
}

void wf_demand_preconnect(struct wf_origin *origin)
{
    origin->is_wanted = true;
    wf_origin_pump_later(origin);
}

static uint64_t age_limit(struct wf_io_thread *io)
{
    int64_t age = io->engine->config.max_age_ms;
    if (age < 0)
        return UINT64_MAX;
    /* Connections that were opened together are not to end together. */
    uint64_t tenth = (uint64_t)age / 10;
    return io->now_ms + (uint64_t)age - tenth + wf_random_below(&io->random, 2 * tenth + 1);
}

/* One that waits for it makes room for @conn. */
static void take_over(struct wf_conn *conn)
{
    struct wf_node *conns = &conn->origin->conns;
    for (struct wf_node *node = conns->next; node != conns; node = node->next) {
        struct wf_conn *old = wf_container_of(node, struct wf_conn, origin_node);
        if (old == conn || old->state != WF_CONN_OPEN || !old->is_aged)
            continue;
        wf_conn_say_goodbye(old);
        return;
    }
}

void wf_demand_up(struct wf_conn *conn)
{
    struct wf_origin *origin = conn->origin;
    /* The probe was for all of them. */
    if (origin->protocol == NULL)
        origin->is_wanted = true;
    origin->protocol = conn->protocol;
    origin->is_known = true;
    origin->hold_ms = 0;
    wf_timer_cancel(&origin->hold);
    conn->retire_at = age_limit(conn->io);
    take_over(conn);
}

/* Those whose replacements did not come stay for now. */
static void put_off_replacing(struct wf_origin *origin)
{
    struct wf_node *node = origin->conns.next;
    for (; node != &origin->conns; node = node->next) {
        struct wf_conn *conn = wf_container_of(node, struct wf_conn, origin_node);
        if (!conn->is_aged)
            continue;
        conn->is_aged = false;
        conn->retire_at = origin->io->now_ms + HOLD_MS;
        wf_conn_update_timer(conn);
    }
}

void wf_demand_failed(struct wf_origin *origin)
{
    uint64_t twice = origin->hold_ms * 2;
    origin->hold_ms = twice < HOLD_MS ? HOLD_MS : twice < HOLD_MAX_MS ? twice : HOLD_MAX_MS;
    wf_timer_set(&origin->io->timers, &origin->hold, origin->io->now_ms + origin->hold_ms);
    put_off_replacing(origin);
}

void wf_demand_learn_limit(struct wf_origin *origin, uint32_t limit)
{
    origin->stream_limit = limit;
}

void wf_demand_replace(struct wf_conn *conn)
{
    struct wf_origin *origin = conn->origin;
    conn->retire_at = UINT64_MAX;
    if (conn->state != WF_CONN_OPEN)
        return;
    if (wf_list_is_empty(&conn->exchanges) && conn->is_trimmed) {
        wf_conn_say_goodbye(conn);
        wf_conn_close(conn, NULL);
        return;
    }
    conn->is_aged = true;
    if (!may_open(origin) || !wf_conn_open(origin))
        put_off_replacing(origin);
}
