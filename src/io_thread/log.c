#include "io_thread/log.h"

#include "base/alloc.h"
#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "workers/park.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 512u

/* All records go to one worker, so that calls do not overlap. */
#define LOG_WORKER 0u

struct log_record {
    struct wf_item item;
    struct weft_log_line line;
    char text[];
};

static bool is_wanted(const struct weft_client *engine, enum weft_log_level level)
{
    return engine->config.log != NULL && level <= engine->config.log_level;
}

/* NULL: no room, which is counted. */
static struct log_record *record_new(struct weft_client *engine, enum weft_log_level level,
                                     const char *text)
{
    size_t len = strlen(text);
    /* Relaxed: a bound on memory, exact enough with several I/O threads. */
    bool full =
        atomic_load_explicit(&engine->log_waiting, memory_order_relaxed) >= WF_LOG_MAX_WAITING;
    struct log_record *record = full ? NULL : wf_alloc(sizeof(*record) + len + 1);
    if (record == NULL) {
        atomic_fetch_add_explicit(&engine->log_dropped, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&engine->log_dropped_total, 1, memory_order_relaxed);
        return NULL;
    }
    atomic_fetch_add_explicit(&engine->log_waiting, 1, memory_order_relaxed);
    record->item.kind = WF_ITEM_LOG;
    /* Names and reasons may come from a peer. */
    for (size_t i = 0; i <= len; i++)
        record->text[i] = text[i] == '\0' || (text[i] >= ' ' && text[i] <= '~') ? text[i] : '?';
    record->line = (struct weft_log_line){
        .level = level, .time_ns = wf_now_ns(), .text = record->text, .dropped = 0};
    return record;
}

static void post_from(struct wf_io_thread *io, enum weft_log_level level, const char *text)
{
    struct log_record *record = record_new(io->engine, level, text);
    if (record != NULL)
        wf_outbox_add(&io->outbox, io->engine, NULL, LOG_WORKER, &record->item);
}

void wf_log(struct wf_io_thread *io, enum weft_log_level level, const char *format, ...)
{
    if (!is_wanted(io->engine, level))
        return;
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    post_from(io, level, text);
}

void wf_log_conn(const struct wf_conn *conn, enum weft_log_level level, const char *format, ...)
{
    if (!is_wanted(conn->io->engine, level))
        return;
    char text[TEXT_MAX];
    int len = snprintf(text, sizeof(text), "conn=%llu %.300s: ", (unsigned long long)conn->id,
                       conn->origin->key);
    va_list args;
    va_start(args, format);
    if (len > 0 && (size_t)len < sizeof(text))
        (void)vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
    va_end(args);
    post_from(conn->io, level, text);
}

void wf_log_client(struct weft_client *engine, enum weft_log_level level, const char *format, ...)
{
    struct wf_worker_pool *workers = is_wanted(engine, level) ? wf_engine_workers(engine) : NULL;
    if (workers == NULL)
        return;
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct log_record *record = record_new(engine, level, text);
    if (record != NULL)
        wf_worker_pool_post(workers, LOG_WORKER, &record->item.mail, &record->item.mail);
}

void wf_log_deliver(struct weft_client *engine, struct wf_mail *mail)
{
    struct log_record *record = wf_container_of(wf_item_of(mail), struct log_record, item);
    /* Relaxed: see record_new(). */
    atomic_fetch_sub_explicit(&engine->log_waiting, 1, memory_order_relaxed);
    record->line.dropped = atomic_exchange_explicit(&engine->log_dropped, 0, memory_order_relaxed);
    engine->config.log(engine->config.log_user, &record->line);
    wf_free(record);
}
