/* The origins of an I/O thread by their keys, and what is remembered of those that rest. */
#include "io_thread/origin.h"

#include "base/assert.h"
#include "io_thread/conn.h"
#include "io_thread/demand.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/log.h"
#include "io_thread/protocol.h"
#include "message/request.h"

#include <string.h>

#define FIRST_BUCKETS 16u
/* What a server spoke is likely to hold for so long. */
#define REMEMBER_MS 600000u

bool wf_origins_init(struct wf_origins *origins)
{
    origins->buckets = wf_calloc(FIRST_BUCKETS, sizeof(*origins->buckets));
    origins->bucket_count = FIRST_BUCKETS;
    origins->count = 0;
    origins->last = NULL;
    wf_list_init(&origins->pump);
    wf_list_init(&origins->resting);
    origins->resting_count = 0;
    origins->is_closing = false;
    return origins->buckets != NULL;
}

void wf_origins_fini(struct wf_origins *origins)
{
    wf_assert(origins->count == 0);
    wf_free(origins->buckets);
}

/* Twice the buckets; without memory the chains grow longer instead. */
static void grow(struct wf_origins *origins)
{
    size_t count = origins->bucket_count * 2;
    struct wf_origin **buckets = wf_calloc(count, sizeof(struct wf_origin *));
    if (buckets == NULL)
        return;
    for (size_t i = 0; i < origins->bucket_count; i++) {
        struct wf_origin *origin = origins->buckets[i];
        while (origin != NULL) {
            struct wf_origin *next = origin->next_in_bucket;
            struct wf_origin **bucket = &buckets[origin->hash & (count - 1)];
            origin->next_in_bucket = *bucket;
            *bucket = origin;
            origin = next;
        }
    }
    wf_free(origins->buckets);
    origins->buckets = buckets;
    origins->bucket_count = count;
}

static bool is_origin(const struct wf_origin *origin, const struct wf_url_origin *key)
{
    return origin->hash == key->hash && origin->key_len == key->text.len &&
           memcmp(origin->key, key->text.ptr, key->text.len) == 0;
}

struct wf_origin *wf_origin_find(struct wf_io_thread *io, const struct wf_url_origin *key)
{
    struct wf_origins *origins = &io->origins;
    if (origins->last != NULL && is_origin(origins->last, key))
        return origins->last;
    struct wf_origin *origin = origins->buckets[key->hash & (origins->bucket_count - 1)];
    while (origin != NULL && !is_origin(origin, key))
        origin = origin->next_in_bucket;
    if (origin != NULL)
        origins->last = origin;
    return origin;
}

static void forget(struct wf_origin *origin)
{
    origin->protocol = wf_protocol_expected(&origin->io->engine->config, origin->https);
    origin->stream_limit = 0;
    origin->is_known = false;
    origin->failures = 0;
    origin->has_served = false;
}

bool wf_origin_requires_http1(const struct wf_origin *origin)
{
    return origin->io->now_ms < origin->http1_until;
}

bool wf_origin_require_http1(struct wf_origin *origin)
{
    /* In cleartext there is no second protocol to agree on. */
    if (!origin->https || origin->io->engine->config.versions != WEFT_HTTP_AUTO)
        return false;
    if (!wf_origin_requires_http1(origin))
        wf_log(origin->io, WEFT_LOG_INFO, "%s requires HTTP/1.1", origin->key);
    origin->http1_until = origin->io->now_ms + REMEMBER_MS;
    origin->protocol = &wf_protocol_h1;
    for (struct wf_node *node = origin->conns.next; node != &origin->conns; node = node->next) {
        struct wf_conn *conn = wf_container_of(node, struct wf_conn, origin_node);
        if (conn->protocol != &wf_protocol_h2)
            continue;
        wf_conn_set_draining(conn);
        wf_conn_mark_dirty(conn);
    }
    return true;
}

static struct wf_origin *add(struct wf_io_thread *io, const struct wf_url *url)
{
    struct wf_origins *origins = &io->origins;
    struct wf_origin *origin =
        wf_calloc(1, sizeof(*origin) + url->origin.text.len + url->host.len + 2);
    if (origin == NULL)
        return NULL;
    origin->io = io;
    origin->hash = url->origin.hash;
    origin->key = (char *)(origin + 1);
    origin->key_len = url->origin.text.len;
    memcpy(origin->key, url->origin.text.ptr, url->origin.text.len);
    origin->host = origin->key + url->origin.text.len + 1;
    memcpy(origin->host, url->host.ptr, url->host.len);
    origin->port = url->port;
    origin->https = url->https;
    forget(origin);
    wf_list_init(&origin->conns);
    wf_list_init(&origin->returned);
    wf_list_init(&origin->waiting);
    wf_list_init(&origin->pump_node);
    wf_list_init(&origin->resting_node);
    wf_demand_init(origin);
    if (origins->count >= origins->bucket_count)
        grow(origins);
    struct wf_origin **bucket = &origins->buckets[origin->hash & (origins->bucket_count - 1)];
    origin->next_in_bucket = *bucket;
    *bucket = origin;
    origins->count++;
    wf_stat_add(&io->stats.origins, 1);
    origins->last = origin;
    return origin;
}

static void wake(struct wf_origin *origin)
{
    wf_list_remove(&origin->resting_node);
    origin->io->origins.resting_count--;
    if (origin->io->now_ms >= origin->forget_at)
        forget(origin);
}

struct wf_origin *wf_origin_get(struct wf_io_thread *io, const struct weft_request *request)
{
    struct wf_origin *origin = wf_origin_find(io, wf_request_origin(request));
    if (origin == NULL)
        return add(io, wf_request_url(request));
    if (wf_node_is_linked(&origin->resting_node))
        wake(origin);
    return origin;
}

static void drop(struct wf_origin *origin)
{
    struct wf_origins *origins = &origin->io->origins;
    struct wf_origin **at = &origins->buckets[origin->hash & (origins->bucket_count - 1)];
    while (*at != origin)
        at = &(*at)->next_in_bucket;
    *at = origin->next_in_bucket;
    origins->count--;
    wf_stat_sub(&origin->io->stats.origins, 1);
    if (origins->last == origin)
        origins->last = NULL;
    if (wf_node_is_linked(&origin->resting_node))
        origins->resting_count--;
    wf_list_remove(&origin->resting_node);
    wf_list_remove(&origin->pump_node);
    wf_demand_fini(origin);
    wf_free(origin);
}

static void rest(struct wf_origin *origin)
{
    struct wf_origins *origins = &origin->io->origins;
    if (!wf_node_is_linked(&origin->resting_node)) {
        wf_list_push_back(&origins->resting, &origin->resting_node);
        origins->resting_count++;
        origin->forget_at = origin->io->now_ms + REMEMBER_MS;
    }
    wf_list_remove(&origin->pump_node);
    struct wf_origin *oldest =
        wf_container_of(wf_list_first(&origins->resting), struct wf_origin, resting_node);
    if (origins->resting_count > WF_ORIGINS_REMEMBERED || origin->io->now_ms >= oldest->forget_at)
        drop(oldest);
}

void wf_origin_release(struct wf_origin *origin)
{
    if (origin->conn_count > 0 || origin->waiting_count > 0)
        return;
    if (origin->is_known && !origin->io->origins.is_closing)
        rest(origin);
    else
        drop(origin);
}
