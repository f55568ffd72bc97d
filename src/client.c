/* The public client: creation, references, closing, counters. */
#include "weft/client.h"

#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "message/error.h"

#include <string.h>

struct weft_client *weft_client_new(const struct weft_config *config, struct weft_error *out_error)
{
    struct weft_error error;
    return wf_engine_new(config, out_error != NULL ? out_error : &error);
}

struct weft_client *weft_client_ref(struct weft_client *client)
{
    /* Relaxed: the caller's reference keeps it. */
    atomic_fetch_add_explicit(&client->refs, 1, memory_order_relaxed);
    return client;
}

static void *close_elsewhere(void *user)
{
    struct weft_client *client = user;
    wf_engine_close(client, 0);
    wf_engine_release(client);
    return NULL;
}

void weft_client_unref(struct weft_client *client)
{
    /* R15 and A15: each user's use happens before the end. */
    if (client == NULL || atomic_fetch_sub_explicit(&client->refs, 1, memory_order_acq_rel) != 1)
        return;
    /* The parent's threads go on with the parent's memory; a child's copy stays as it is. */
    if (wf_engine_is_forked(client))
        return;
    if (!wf_engine_on_worker(client)) {
        (void)close_elsewhere(client);
        return;
    }
    /* A worker cannot wait for itself to end. */
    pthread_t thread;
    if (pthread_create(&thread, NULL, close_elsewhere, client) == 0)
        (void)pthread_detach(thread);
    /* No thread to be had: the client stays, idle, for the rest of the process; nothing is unsafe.
     */
}

enum weft_code weft_client_close(struct weft_client *client, int64_t drain_ms)
{
    if (client == NULL)
        return WEFT_ERR_INVALID_ARGUMENT;
    if (wf_engine_is_forked(client))
        return WEFT_ERR_FORKED;
    if (wf_engine_on_worker(client))
        return WEFT_ERR_WOULD_DEADLOCK;
    wf_engine_close(client, drain_ms < 0 ? WEFT_FOREVER : drain_ms);
    return WEFT_OK;
}

static uint64_t read_stat(atomic_ullong *stat)
{
    return atomic_load_explicit(stat, memory_order_relaxed); /* numbers for people */
}

static void add_stats(struct weft_stats *sum, struct wf_io_thread *io)
{
    sum->submitted += read_stat(&io->stats.submitted);
    sum->succeeded += read_stat(&io->stats.succeeded);
    sum->failed += read_stat(&io->stats.failed);
    sum->connections_opened += read_stat(&io->stats.connections_opened);
    sum->connections_failed += read_stat(&io->stats.connections_failed);
    sum->connections_open += read_stat(&io->stats.connections_open);
    sum->requests_queued += read_stat(&io->stats.requests_queued);
    sum->streams_open += read_stat(&io->stats.streams_open);
    sum->octets_read += read_stat(&io->stats.octets_read);
    sum->octets_written += read_stat(&io->stats.octets_written);
    sum->wakeups += read_stat(&io->wakeups);
    sum->turns += read_stat(&io->stats.turns);
    sum->limits_reached += read_stat(&io->stats.limits_reached);
    sum->tls_handshakes += read_stat(&io->stats.tls_handshakes);
    sum->tls_resumed += read_stat(&io->stats.tls_resumed);
    sum->connections_opening += read_stat(&io->stats.connections_opening);
    sum->connections_draining += read_stat(&io->stats.connections_draining);
    sum->buffered += read_stat(&io->buffered);
    sum->name_queries += read_stat(&io->stats.name_queries);
    sum->name_cache_hits += read_stat(&io->stats.name_cache_hits);
    for (unsigned i = 1; i < WEFT_CODE_COUNT; i++)
        sum->errors[i] += read_stat(&io->stats.errors[i]);
    for (unsigned i = 0; i < WEFT_LIMIT_COUNT; i++)
        sum->limits[i] += read_stat(&io->stats.limits[i]);
    sum->retries += read_stat(&io->stats.retries);
    sum->retries_denied += read_stat(&io->stats.retries_denied);
    sum->windows_grown += read_stat(&io->stats.windows_grown);
    sum->connections_http1 += read_stat(&io->stats.connections_http1);
    sum->origins += read_stat(&io->stats.origins);
    sum->send_window += read_stat(&io->stats.send_window);
    sum->receive_window += read_stat(&io->stats.receive_window);
}

void weft_client_stats(struct weft_client *client, struct weft_stats *stats)
{
    struct weft_stats sum = {.size = stats->size};
    for (unsigned i = 0; i < client->io_thread_count; i++)
        add_stats(&sum, client->io_threads[i]);
    sum.errors[WEFT_OK] = sum.succeeded;
    sum.log_dropped = read_stat(&client->log_dropped_total);
    sum.trace_dropped = read_stat(&client->trace_dropped_total);
    memcpy(stats, &sum, stats->size < sizeof(sum) ? stats->size : sizeof(sum));
}

const char *weft_limit_name(enum weft_limit limit)
{
    static const char *const names[] = {
        [WEFT_LIMIT_BODY] = "max_body_size",      [WEFT_LIMIT_BUFFERED] = "max_buffered",
        [WEFT_LIMIT_FIELDS] = "fields",           [WEFT_LIMIT_FRAMES] = "frames",
        [WEFT_LIMIT_STALL] = "write_stall_ms",    [WEFT_LIMIT_RATE] = "min_body_rate",
        [WEFT_LIMIT_SILENCE] = "ping_timeout_ms", [WEFT_LIMIT_TLS] = "tls_records",
        [WEFT_LIMIT_QUEUE] = "max_queued",        [WEFT_LIMIT_STAGE] = "stage_timeout",
    };
    _Static_assert(sizeof(names) / sizeof(names[0]) == WEFT_LIMIT_COUNT, "a name for each limit");
    return (unsigned)limit < WEFT_LIMIT_COUNT ? names[limit] : "unknown limit";
}
