/* A response's body on its way into a descriptor. The I/O thread appends to the body's stream, a
 * worker writes it, one at a time; what is written is given back to the server as credit. The
 * exchange is done only when the worker is: an end that comes earlier waits here. */
#ifndef WF_IO_THREAD_BODY_SINK_H
#define WF_IO_THREAD_BODY_SINK_H

#include "io_thread/exchange.h"

struct wf_body_stream;

struct wf_body_sink {
    /* Immutable. */
    struct wf_body_stream *stream;
    int fd;
    bool is_file; /* a regular one, which takes all it is given; others are asked first */

    /* Any thread; atomic. */
    atomic_bool is_abandoned; /* nobody wants the rest */
    struct wf_item item;      /* DRAIN, on its way to a worker */

    /* The worker while is_draining, else the I/O thread. */
    int failure;       /* errno; 0: none */
    bool is_stalled;   /* the descriptor is full */
    unsigned stall_ms; /* until it is tried again */

    /* I/O thread only. */
    bool is_draining;
    bool is_ending;      /* x->error is how the exchange ends, once no worker writes */
    struct wf_node node; /* io_thread.sinks, while is_ending */
    struct wf_timer retry;
};

/* Makes @stream end in @fd, which stays the user's. False: out of memory. */
WF_MUST_USE bool wf_body_sink_attach(struct wf_body_stream *stream, int fd);
/* NULL is a no-op. */
void wf_body_sink_free(struct wf_body_sink *sink);

/* Octets were appended, or may be there. Thread: I/O. */
void wf_body_sink_start(struct wf_body_sink *sink);
/* A worker has written what it could. Thread: I/O. */
void wf_body_sink_note_message(struct wf_body_sink *sink);
/* The exchange ends with x->error. True: not before the sink says so. Thread: I/O. */
bool wf_body_sink_postpone(struct wf_body_sink *sink);
/* The exchange of @x is over but for its sink. Thread: I/O. */
bool wf_body_sink_is_ending(const struct weft_future *x);
/* Ends such an exchange as soon as no worker writes, with a copy of @error. Thread: I/O. */
void wf_body_sink_abandon(struct wf_body_sink *sink, const struct weft_error *error);

/* Writes what is there. Thread: worker. */
void wf_body_sink_drain(struct wf_body_sink *sink);

#endif
