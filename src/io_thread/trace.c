#include "io_thread/trace.h"

#include "base/alloc.h"
#include "h2/frame_text.h"
#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "workers/park.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024u

/* All records go to one worker, so that calls do not overlap. */
#define TRACE_WORKER 0u

struct trace_record {
    struct wf_item item;
    struct weft_trace_event event;
    char text[];
};

static void send_record(const struct wf_conn *conn, bool is_frame, bool sent, const char *text,
                        size_t len)
{
    struct weft_client *engine = conn->io->engine;
    /* Relaxed: a bound on memory, exact enough with several I/O threads. */
    bool full =
        atomic_load_explicit(&engine->trace_waiting, memory_order_relaxed) >= WF_TRACE_MAX_WAITING;
    struct trace_record *record = full ? NULL : wf_alloc(sizeof(*record) + len + 1);
    if (record == NULL) {
        atomic_fetch_add_explicit(&engine->trace_dropped, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&engine->trace_dropped_total, 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(&engine->trace_waiting, 1, memory_order_relaxed);
    record->item.kind = WF_ITEM_TRACE;
    memcpy(record->text, text, len);
    record->text[len] = '\0';
    record->event = (struct weft_trace_event){.connection = conn->id,
                                              .time_ns = wf_now_ns(),
                                              .is_frame = is_frame,
                                              .sent = sent,
                                              .text = record->text};
    wf_outbox_add(&conn->io->outbox, engine, NULL, TRACE_WORKER, &record->item);
}

void wf_trace_frame(void *user, const struct wf_h2_trace *frame)
{
    char text[TEXT_MAX];
    size_t len = wf_h2_frame_text(frame, text, sizeof(text));
    send_record(user, true, frame->sent, text, len < sizeof(text) ? len : sizeof(text) - 1);
}

void wf_trace_line(void *user, bool sent, struct wf_slice line)
{
    char text[TEXT_MAX];
    size_t len = 0;
    /* Room for an escaped octet and the end. */
    for (size_t i = 0; i < line.len && len + 5 <= sizeof(text); i++) {
        uint8_t octet = line.ptr[i];
        if (octet >= 0x20 && octet < 0x7f && octet != '\\')
            text[len++] = (char)octet;
        else
            len += (size_t)snprintf(text + len, sizeof(text) - len, "\\x%02x", octet);
    }
    send_record(user, true, sent, text, len);
}

void wf_trace_note(const struct wf_conn *conn, const char *format, ...)
{
    if (conn->io->engine->config.trace == NULL)
        return;
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        return;
    send_record(conn, false, false, text,
                (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

void wf_trace_deliver(struct weft_client *engine, struct wf_mail *mail)
{
    struct trace_record *record = wf_container_of(wf_item_of(mail), struct trace_record, item);
    /* Relaxed: see send_record(). */
    atomic_fetch_sub_explicit(&engine->trace_waiting, 1, memory_order_relaxed);
    record->event.dropped =
        atomic_exchange_explicit(&engine->trace_dropped, 0, memory_order_relaxed);
    engine->config.trace(engine->config.trace_user, &record->event);
    wf_free(record);
}
