/* A streamed body on its way from the I/O thread to one reader: octets without a lock
 * (workers/octet_chain.h), the credit that reading gives back, and what makes READABLE events.
 *
 * | may overlap  | append       | read                     |
 * | append       | no: I/O      | yes                      |
 * | read         | yes          | no: one reader at a time | */
#ifndef WF_IO_THREAD_BODY_STREAM_H
#define WF_IO_THREAD_BODY_STREAM_H

#include "io_thread/exchange.h"
#include "workers/octet_chain.h"

#define WF_NOTICE_ARMED                                                                            \
    0x1u /* the reader has seen nothing: the next octet makes a READABLE event */
#define WF_NOTICE_QUEUED 0x2u /* one lies in the queue already */

struct wf_body_stream {
    /* Immutable. */
    struct weft_future *exchange;
    weft_event_fn event;
    struct wf_body_sink *sink; /* who reads, in place of the user; or NULL */

    /* Any thread; atomic. */
    atomic_uint notice; /* WF_NOTICE_*; every access writes, so that each sees what came before */
    atomic_size_t returned;  /* octets that were read and not yet given back as credit */
    struct wf_item readable; /* in the completion queue, while WF_NOTICE_QUEUED */

    /* The I/O thread appends, the reader reads. */
    struct wf_octet_chain octets;
};

/* @exchange owns the stream. NULL: out of memory. */
WF_MUST_USE struct wf_body_stream *wf_body_stream_new(struct weft_future *exchange,
                                                      weft_event_fn event);
void wf_body_stream_free(struct wf_body_stream *stream);

/* False: out of memory, nothing was taken. Thread: I/O. */
WF_MUST_USE bool wf_body_stream_append(struct wf_body_stream *stream, struct wf_slice bytes);

/* Copies up to @cap octets out; 0: nothing is there now. Thread: reader. */
size_t wf_body_stream_read(struct wf_body_stream *stream, void *buf, size_t cap);

#endif
