/* The public side of what a request took. */
#include "weft/future.h"

#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/io_thread.h"
#include "io_thread/overrides.h"
#include "io_thread/upload.h"

#include <stdio.h>
#include <string.h>

/* What came in the turn in which it was submitted may have been stamped a little before. */
static int64_t since(const struct weft_future *x, uint64_t when_ns)
{
    if (when_ns == 0)
        return -1;
    return when_ns > x->times.submitted ? (int64_t)(when_ns - x->times.submitted) : 0;
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

static uint64_t sent_at(const struct weft_future *x)
{
    bool has_content = x->upload != NULL || content_len(x) > 0;
    if (has_content && !is_all_sent(x))
        return 0;
    if (x->times.sent != 0)
        return x->times.sent;
    if (has_content) /* the stream ended with its last octet */
        return x->error->code == WEFT_OK ? x->times.done : 0;
    return was_sent(x) ? x->times.started : 0;
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
    uint64_t sent = sent_at(x);
    struct weft_timings all = {
        .size = timings->size,
        .queue_ns = since(x, x->times.started),
        .resolve_ns = since(x, x->times.resolved),
        .connect_ns = since(x, x->times.connected),
        .tls_ns = since(x, x->times.secured),
        .sent_ns = since(x, sent),
        .head_ns = since(x, x->times.head),
        .done_ns = since(x, x->times.done),
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
