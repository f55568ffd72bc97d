#include "io_thread/origin.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "io_thread/conn.h"
#include "io_thread/demand.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/io_thread.h"
#include "io_thread/log.h"
#include "io_thread/retry.h"
#include "io_thread/tcp_peer.h"
#include "message/error.h"

#include <string.h>

/* Connections with room that a choice compares. */
#define CHOICES 8u
/* A connection that was idle for so long is looked at before it is used. */
#define STALE_MS 100u
/* Connections in a row that carried no response, until that is no accident. */
#define FRUITLESS_MAX 3u

/* A connection with so many open streams is taken without a look at the others; -1: none is. */
static int64_t level_of(const struct wf_origin *origin)
{
    return origin->level_at == origin->io->now_ns ? (int64_t)origin->level : -1;
}

/* @conn, which had @open streams, gets one more. It goes to the end of the list, so that many
 * connections take turns and a choice costs the same however many there are; but while it has fewer
 * than the others it is filled up, since streams that end together are best replaced together: they
 * share a write and its packets. */
static void take_turns(struct wf_origin *origin, struct wf_conn *conn, uint32_t open)
{
    bool goes_on = open < level_of(origin);
    struct wf_node *place = goes_on ? origin->conns.next : &origin->conns;
    if (place == &conn->origin_node)
        return;
    wf_list_remove(&conn->origin_node);
    wf_list_insert_before(place, &conn->origin_node);
}

/* The connection with the fewest open streams among the first few that have room. NULL: none has.
 */
static struct wf_conn *choose_one(struct wf_origin *origin)
{
    struct wf_conn *best = NULL;
    uint32_t fewest = UINT32_MAX;
    uint32_t second = UINT32_MAX;
    int64_t level = level_of(origin);
    unsigned looked_at = 0;
    for (struct wf_node *node = origin->conns.next;
         node != &origin->conns && looked_at < CHOICES && fewest > level && second > 0;
         node = node->next) {
        struct wf_conn *conn = wf_container_of(node, struct wf_conn, origin_node);
        if (wf_conn_capacity(conn) == 0)
            continue;
        looked_at++;
        uint32_t open = conn->protocol->open_count(conn);
        if (open < fewest) {
            second = fewest;
            fewest = open;
            best = conn;
        } else if (open < second) {
            second = open;
        }
    }
    if (looked_at > 1 && fewest > level) {
        origin->level = second;
        origin->level_at = origin->io->now_ns;
    }
    if (best != NULL)
        take_turns(origin, best, fewest);
    return best;
}

static inline struct wf_conn *choose(struct wf_origin *origin)
{
    if (origin->conn_count != 1)
        return choose_one(origin);
    struct wf_conn *conn = wf_container_of(origin->conns.next, struct wf_conn, origin_node);
    return wf_conn_capacity(conn) > 0 ? conn : NULL;
}

/* What ended an idle connection may lie unread: a turn can take mail before it looks at the
 * sockets. To look costs a system call, and so it is done for those only that may be old. */
static bool may_have_died(const struct wf_conn *conn)
{
    return wf_list_is_empty(&conn->exchanges) && conn->idle_at != UINT64_MAX &&
           conn->io->now_ms - conn->idle_at >= STALE_MS;
}

/* False: no connection has room for @x. True: it was started, or ended. */
static bool start(struct wf_origin *origin, struct weft_future *x)
{
    for (;;) {
        struct wf_conn *conn = choose(origin);
        if (conn == NULL)
            return false;
        if (WF_UNLIKELY(may_have_died(conn))) {
            wf_conn_read(conn);
            if (conn->is_polled && wf_tcp_is_in_doubt(conn->source.fd)) {
                wf_conn_set_draining(conn);
                wf_conn_mark_dirty(conn);
            }
            if (wf_conn_capacity(conn) == 0)
                continue;
        }
        enum wf_conn_start result = wf_conn_start(conn, x);
        if (result == WF_CONN_STARTED || result == WF_CONN_ENDED)
            return true;
        if (result == WF_CONN_FULL)
            return false;
    }
}

static void wait_in_line(struct wf_origin *origin, struct wf_node *at, struct weft_future *x)
{
    wf_list_insert_before(at, &x->node);
    origin->waiting_count++;
    wf_stat_add(&origin->io->stats.requests_queued, 1);
}

static struct weft_future *leave_line(struct wf_origin *origin)
{
    struct wf_node *node = wf_list_first(&origin->returned);
    if (node == NULL)
        node = wf_list_first(&origin->waiting);
    if (node == NULL)
        return NULL;
    struct weft_future *x = wf_container_of(node, struct weft_future, node);
    wf_origin_unwait(origin, x);
    return x;
}

void wf_origin_unwait(struct wf_origin *origin, struct weft_future *x)
{
    wf_list_remove(&x->node);
    origin->waiting_count--;
    wf_stat_sub(&origin->io->stats.requests_queued, 1);
}

void wf_origin_return(struct wf_origin *origin, struct weft_future *x)
{
    wait_in_line(origin, &origin->returned, x);
    wf_origin_pump_later(origin);
}

struct wf_origin *wf_origin_of(struct wf_io_thread *io, const struct weft_future *x)
{
    if (x->conn != NULL || !wf_node_is_linked(&x->node))
        return NULL;
    return wf_origin_find(io, wf_request_origin(x->request));
}

void wf_origin_submit(struct wf_io_thread *io, struct weft_future *x)
{
    struct wf_origin *origin = wf_origin_get(io, x->request);
    if (origin == NULL) {
        wf_exchange_fail(x, WEFT_ERR_NO_MEMORY, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                         "no memory for a new origin");
        return;
    }
    if (origin->waiting_count == 0 && start(origin, x))
        return;
    if (origin->waiting_count >= io->engine->config.max_queued) {
        wf_io_thread_count_limit(io, WEFT_LIMIT_QUEUE);
        wf_exchange_fail(x, WEFT_ERR_QUEUE_FULL, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                         "%zu requests wait for %s already, as many as max_queued allows",
                         origin->waiting_count, origin->key);
        wf_origin_release(origin);
        return;
    }
    wait_in_line(origin, &origin->waiting, x);
    wf_origin_pump_later(origin);
}

void wf_origin_pump_later(struct wf_origin *origin)
{
    if (!wf_node_is_linked(&origin->pump_node))
        wf_list_push_back(&origin->io->origins.pump, &origin->pump_node);
}

static void pump(struct wf_origin *origin)
{
    struct weft_future *x;
    while ((x = leave_line(origin)) != NULL) {
        if (start(origin, x))
            continue;
        /* Back to the front, where it was. */
        wait_in_line(origin, origin->returned.next, x);
        break;
    }
    bool is_missing = origin->waiting_count > 0 || origin->is_wanted;
    if (is_missing && !wf_demand_open(origin)) {
        struct weft_error error;
        wf_error_set(&error, WEFT_ERR_NO_MEMORY, WEFT_STAGE_CONNECT, WEFT_NOT_SENT,
                     "no memory to connect to %s", origin->key);
        wf_origin_fail_waiting(origin, &error);
    }
    wf_origin_release(origin);
}

void wf_origins_pump(struct wf_io_thread *io)
{
    /* What is added while it runs waits for the next turn's: no origin can hold the loop. */
    struct wf_node now;
    wf_list_init(&now);
    struct wf_node *node;
    while ((node = wf_list_pop_front(&io->origins.pump)) != NULL)
        wf_list_push_back(&now, node);
    while ((node = wf_list_pop_front(&now)) != NULL)
        pump(wf_container_of(node, struct wf_origin, pump_node));
}

void wf_origin_prefer(struct wf_conn *conn)
{
    if (!wf_node_is_linked(&conn->origin_node))
        return;
    wf_list_remove(&conn->origin_node);
    wf_list_push_front(&conn->origin->conns, &conn->origin_node);
    conn->origin->level_at = 0;
}

void wf_origin_avoid_peer(const struct wf_conn *conn)
{
    struct wf_io_thread *io = conn->io;
    const struct wf_address *address = &conn->address;
    wf_bad_addresses_note(&io->bad_addresses, address, io->now_ms);
    if (address->len == 0)
        return; /* none is known */
    for (struct wf_node *node = conn->origin->conns.next; node != &conn->origin->conns;
         node = node->next) {
        struct wf_conn *other = wf_container_of(node, struct wf_conn, origin_node);
        if (other == conn || other->state != WF_CONN_OPEN || !wf_list_is_empty(&other->exchanges) ||
            other->address.len != address->len ||
            memcmp(&other->address.storage, &address->storage, address->len) != 0)
            continue;
        wf_conn_set_draining(other);
        wf_conn_mark_dirty(other);
    }
}

enum weft_stage wf_origin_stage(const struct wf_origin *origin)
{
    if (origin->usable_count > 0)
        return WEFT_STAGE_QUEUE;
    enum weft_stage stage = origin->failures > 0 ? WEFT_STAGE_CONNECT : WEFT_STAGE_QUEUE;
    for (struct wf_node *node = origin->conns.next; node != &origin->conns; node = node->next) {
        const struct wf_conn *conn = wf_container_of(node, struct wf_conn, origin_node);
        enum weft_stage its = conn->state == WF_CONN_RESOLVING    ? WEFT_STAGE_RESOLVE
                              : conn->state == WF_CONN_CONNECTING ? WEFT_STAGE_CONNECT
                              : conn->state == WF_CONN_TLS        ? WEFT_STAGE_TLS
                                                                  : WEFT_STAGE_QUEUE;
        stage = its > stage ? its : stage;
    }
    return stage;
}

void wf_origin_fail_waiting(struct wf_origin *origin, const struct weft_error *error)
{
    struct weft_error copy = *error;
    copy.effect = WEFT_NOT_SENT;
    struct weft_future *x;
    while ((x = leave_line(origin)) != NULL)
        wf_exchange_finish_copy(x, &copy);
}

/* Ends those of @list that need not wait any more. */
static void end_hopeless(struct wf_origin *origin, struct wf_node *list,
                         const struct weft_error *error, bool all_may_wait)
{
    struct wf_node *node = list->next;
    while (node != list) {
        struct weft_future *x = wf_container_of(node, struct weft_future, node);
        node = node->next;
        if (all_may_wait || wf_retry_waits(x, origin, error))
            continue;
        wf_origin_unwait(origin, x);
        wf_exchange_finish_copy(x, error);
    }
}

void wf_origin_served(struct wf_origin *origin)
{
    origin->has_served = true;
    origin->failures = 0;
    origin->failure[0] = '\0';
    wf_timer_cancel(&origin->backoff);
}

void wf_origin_failed(struct wf_origin *origin, const struct weft_error *error, bool never_ready)
{
    struct wf_io_thread *io = origin->io;
    if (origin->usable_count > 0 || origin->opening_count > 0)
        return;
    struct weft_error copy = *error;
    copy.effect = WEFT_NOT_SENT;
    if (origin->failures++ == 0)
        origin->failing_since = io->now_ms;
    memcpy(origin->failure, error->text, sizeof(origin->failure));
    if (origin->waiting_count == 0)
        return; /* its requests back off, or there are none */
    /* A connection that was ready and carried no response may have had bad luck. */
    bool all_may_wait = !never_ready && origin->failures < FRUITLESS_MAX;
    end_hopeless(origin, &origin->returned, &copy, all_may_wait);
    end_hopeless(origin, &origin->waiting, &copy, all_may_wait);
    if (origin->waiting_count == 0) {
        /* Whoever comes next begins anew. */
        origin->failures = 0;
        origin->has_served = false;
        return;
    }
    uint64_t wait_ms = wf_retry_backoff(io, origin->failures);
    wf_log(io, WEFT_LOG_INFO, "%s: %zu requests wait for the next attempt in %llu ms", origin->key,
           origin->waiting_count, (unsigned long long)wait_ms);
    wf_timer_set(&io->timers, &origin->backoff, io->now_ms + wait_ms);
}

static void close_one(struct wf_origin *origin, const struct weft_error *error)
{
    wf_origin_fail_waiting(origin, error);
    struct wf_node *node;
    while ((node = wf_list_first(&origin->conns)) != NULL) {
        struct wf_conn *conn = wf_container_of(node, struct wf_conn, origin_node);
        wf_conn_say_goodbye(conn);
        wf_conn_close(conn, error);
    }
}

void wf_origins_close(struct wf_io_thread *io)
{
    struct weft_error error;
    wf_error_set(&error, WEFT_ERR_CLOSED, WEFT_STAGE_QUEUE, WEFT_NOT_SENT, "the client was closed");
    io->origins.is_closing = true;
    for (size_t i = 0; i < io->origins.bucket_count; i++) {
        struct wf_origin *origin = io->origins.buckets[i];
        while (origin != NULL) {
            struct wf_origin *next = origin->next_in_bucket;
            close_one(origin, &error);
            wf_origin_release(origin);
            origin = next;
        }
    }
}
