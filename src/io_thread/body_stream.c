#include "io_thread/body_stream.h"

#include "base/alloc.h"
#include "io_thread/body_sink.h"

#define CHUNK_MAX 16384u

struct wf_body_stream *wf_body_stream_new(struct weft_future *exchange, weft_event_fn event)
{
    struct wf_body_stream *stream = wf_calloc(1, sizeof(*stream));
    if (stream == NULL)
        return NULL;
    if (!wf_octet_chain_init(&stream->octets, CHUNK_MAX)) {
        wf_free(stream);
        return NULL;
    }
    stream->exchange = exchange;
    stream->event = event;
    stream->readable.kind = WF_ITEM_READABLE;
    atomic_init(&stream->notice, WF_NOTICE_ARMED);
    atomic_init(&stream->returned, 0);
    return stream;
}

void wf_body_stream_free(struct wf_body_stream *stream)
{
    if (stream == NULL)
        return;
    wf_body_sink_free(stream->sink);
    wf_octet_chain_fini(&stream->octets);
    wf_free(stream);
}

bool wf_body_stream_append(struct wf_body_stream *stream, struct wf_slice bytes)
{
    return wf_octet_chain_append(&stream->octets, bytes);
}

size_t wf_body_stream_read(struct wf_body_stream *stream, void *buf, size_t cap)
{
    return wf_octet_chain_read(&stream->octets, buf, cap);
}
