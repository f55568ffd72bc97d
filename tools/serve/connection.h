/* A client's connection: a session in server role on a transport. Thread: owner, the worker's.
 *
 * A turn reads once and writes once. When the client does not take what we have for it and more
 * than SERVE_QUEUED_MAX octets of answers wait, no request is read until it does. */
#ifndef SERVE_CONNECTION_H
#define SERVE_CONNECTION_H

#include "base/buf.h"
#include "base/list.h"
#include "h2/session.h"
#include "io_thread/poller.h"
#include "io_thread/timers.h"
#include "io_thread/transport.h"
#include "reply.h"

#define SERVE_QUEUED_MAX (1024u * 1024)

struct serve_worker;

enum serve_connection_state {
    SERVE_HANDSHAKE,
    SERVE_OPEN,
    SERVE_LINGERING /* we have said all; waits for the client to close, so that it can read that */
};

/* The answer to the last request that was answered at once: the same request gets the same. */
struct serve_memo {
    uint64_t serial; /* of the request's field section; 0: none */
    struct serve_spec spec;
    struct wf_slice body;
    bool end_stream;
};

struct serve_connection {
    struct serve_worker *worker;
    struct wf_node node;       /* worker->connections */
    struct wf_node ready_node; /* worker->ready, when there is work without an event */
    struct wf_poll_source source;
    struct wf_timer timer; /* handshake; the session's deadline; the end of lingering */
    struct wf_transport *transport;
    struct wf_h2_session *session; /* NULL before the handshake is done */
    struct wf_buf rest;            /* the beginning of a frame, kept between reads */
    struct serve_memo memo;
    enum serve_connection_state state;
    uint32_t number;
    uint32_t refused; /* open streams that a GOAWAY of ours did not cover */
    size_t queued;    /* octets of field sections given to the session since all was written */
    bool readable;    /* the socket may have more */
    bool blocked;     /* the socket takes no more for now */
    bool broken;      /* nothing can be read or written any more */
    bool cut;         /* close without a goodbye once all is written */
};

/* Takes ownership of @fd, in any case. */
void serve_connection_open(struct serve_worker *worker, int fd, uint32_t number);
/* Closes at once; all streams end. */
void serve_connection_close(struct serve_connection *c);
/* Does what can be done now; may close and free @c. */
void serve_connection_run(struct serve_connection *c);
/* Asks for a serve_connection_run() in this turn of the loop: there is something to write. */
void serve_connection_wake(struct serve_connection *c);
/* No more requests; closes when those that are open have ended. */
void serve_connection_drain(struct serve_connection *c);

#endif
