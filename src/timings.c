/* The public side of what a request took. */
#include "weft/future.h"

#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/io_thread.h"
#include "io_thread/overrides.h"
#include "io_thread/upload.h"

#include <stdio.h>
#include <string.h>

static int64_t ns_of(wf_span span)
{
    return span == 0 ? -1 : (int64_t)wf_span_ns(span);
}

static bool was_sent(const struct weft_future *x)
{
    return x->times.head != 0 ||
           (x->conn_id != 0 && x->error->code != WEFT_OK && x->error->stage >= WEFT_STAGE_WAIT);
}

static uint64_t content_len(const struct weft_future *x)
{
    return x->upload != NULL ? wf_upload_given(x->upload) : wf_request_body(x->request).len;
}

static bool is_all_sent(const struct weft_future *x)
{
    return x->content_sent == content_len(x) &&
           (x->upload == NULL || wf_upload_is_finished(x->upload));
}

static wf_span sent_after(const struct weft_future *x)
{
    bool has_content = x->upload != NULL || content_len(x) > 0;
    if (has_content && !is_all_sent(x))
        return 0;
    if (x->start.sent != 0)
        return x->start.sent;
    if (has_content) /* the stream ended with its last octet */
        return x->error->code == WEFT_OK ? x->times.done : 0;
    return was_sent(x) ? x->start.started : 0;
}

static void fill_address(const struct weft_future *x, char *out, size_t cap)
{
    struct wf_address address[WF_ADDRESSES_MAX];
    if (wf_peer_address(&x->peer, &address[0]))
        (void)wf_address_text(&address[0], out, cap);
    else if (x->peer.family == AF_UNIX &&
             wf_overrides_resolve(x->io->engine->overrides, "", 0, address) == 1)
        (void)wf_address_text(&address[0], out, cap);
}

bool weft_future_timings(const struct weft_future *future, struct weft_timings *timings)
{
    if (!weft_future_is_done(future))
        return false;
    const struct weft_future *x = future;
    wf_span sent = sent_after(x);
    struct weft_timings all = {
        .size = timings->size,
        .queue_ns = ns_of(x->start.started),
        .resolve_ns = ns_of(x->start.resolved),
        .connect_ns = ns_of(x->start.connected),
        .tls_ns = ns_of(x->start.secured),
        .sent_ns = ns_of(sent),
        .head_ns = ns_of(x->times.head),
        .done_ns = ns_of(x->times.done),
        .connection = x->conn_id,
        .octets_sent = x->content_sent,
        .octets_received = x->body_received,
        .tries = x->tries,
    };
    if (x->conn_id != 0) {
        const char *protocol = weft_future_protocol(x);
        all.connection_was_reused = x->conn_was_used;
        fill_address(x, all.address, sizeof(all.address));
        (void)snprintf(all.protocol, sizeof(all.protocol), "%s", protocol != NULL ? protocol : "");
    }
    memcpy(timings, &all, timings->size < sizeof(all) ? timings->size : sizeof(all));
    return true;
}
