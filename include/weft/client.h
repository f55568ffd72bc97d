/* The engine: I/O threads, connections, TLS. Every call is legal on every thread. */
#ifndef WEFT_CLIENT_H
#define WEFT_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "weft/config.h"
#include "weft/cq.h"
#include "weft/error.h"
#include "weft/export.h"
#include "weft/future.h"
#include "weft/request.h"
#include "weft/stats.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weft_client;

/* fork(). A child has none of the client's threads. What it submits to a client of its parent's
 * ends at once with WEFT_ERR_FORKED, callbacks running before weft_submit() returns; so does
 * waiting for a future that was not done. Queues of the parent's are empty there. The parent
 * notices nothing. The child may make a client of its own. */

/* NULL @config: the defaults. NULL is returned when a thread, a file or memory could not be had;
 * then @out_error, when not NULL, says what was wrong. */
WEFT_API WEFT_MUST_USE struct weft_client *weft_client_new(const struct weft_config *config,
                                                           struct weft_error *out_error);
WEFT_API struct weft_client *weft_client_ref(struct weft_client *client);
/* The last reference closes the client without draining, when weft_client_close() was not called.
 * Inside a callback of the client that closing happens on a thread of its own. NULL is a no-op. */
WEFT_API void weft_client_unref(struct weft_client *client);

/* Refuses new work, lets open requests go on for @drain_ms at most (0, WEFT_FOREVER), ends the rest
 * with WEFT_ERR_CLOSED, waits until every callback has run and joins all threads. Does not give up
 * the caller's reference. A second call waits for the first.
 * Inside a callback of the same client: WEFT_ERR_WOULD_DEADLOCK, and nothing happens. */
WEFT_API enum weft_code weft_client_close(struct weft_client *client, int64_t drain_ms);

/* Called once for each submission, on a worker. @future is borrowed. */
typedef void (*weft_done_fn)(void *user, struct weft_future *future);

/* READABLE and WRITABLE, under the rules of weft/cq.h, on the worker that will call done. @future
 * is borrowed. Waiting in it is WEFT_ERR_WOULD_DEADLOCK: read and write with a time-out of 0. */
typedef void (*weft_event_fn)(void *user, struct weft_future *future, enum weft_event_type type);

enum weft_submit_flags {
    WEFT_STREAM_BODY = 1u << 0,  /* the body is read with weft_future_read() */
    WEFT_DISCARD_BODY = 1u << 1, /* the body is counted and thrown away */
    /* The request's body is written with weft_future_write(); the request has none of its own. It
     * may have a content-length field, to which what is written is held; else the length is open.
     */
    WEFT_STREAM_UPLOAD = 1u << 2,
    /* The response's body is written to weft_delivery.body_fd, whatever the status. */
    WEFT_BODY_TO_FD = 1u << 3,
    WEFT_NO_RETRY = 1u << 8,   /* one try, whatever config.max_tries says */
    WEFT_RETRY_MAYBE = 1u << 9 /* to process the request twice does no harm, though its method is
                                  not idempotent: it is tried again as if it were */
};

/* How the completion is told. All zero, or NULL: weft_future_wait() only. */
struct weft_delivery {
    size_t size; /* sizeof(struct weft_delivery) */
    weft_done_fn done;
    void *user;             /* of done */
    struct weft_cq *cq;     /* not together with done */
    void *tag;              /* of cq events */
    int64_t deadline_ms;    /* from now, queue time included; 0: the client's default; WEFT_FOREVER:
                               none */
    unsigned flags;         /* enum weft_submit_flags */
    int64_t try_timeout_ms; /* 0: config.try_timeout_ms; WEFT_FOREVER: none */
    weft_event_fn event;    /* with user, not together with cq; NULL: no such events are told */
    /* WEFT_BODY_TO_FD: a worker writes to it, at its file position, until the request is done; it
     * must be open for so long and is not closed. One that takes nothing more (a pipe, a socket)
     * stops the sender; one that fails (a disk that is full) ends the request with WEFT_ERR_FILE.
     */
    int body_fd;
};
#define WEFT_DELIVERY_INIT                                                                         \
    {                                                                                              \
        sizeof(struct weft_delivery), NULL, NULL, NULL, NULL, 0, 0, 0, NULL, -1                    \
    }

/* Submits @request; never blocks. Keeps references of its own on @request and how->cq. The future
 * is the caller's to weft_future_unref(). Whatever is wrong, WEFT_ERR_CLOSED included, arrives
 * through the future: there is one error path. NULL: out of memory, and then nothing is ever called
 * back. */
WEFT_API WEFT_MUST_USE struct weft_future *weft_submit(struct weft_client *client,
                                                       struct weft_request *request,
                                                       const struct weft_delivery *how);

/* Submits @count requests with one hand-over to the I/O thread. @how is one delivery for all;
 * @tags, when not NULL, are the tags of each. Returns how many were submitted, from the first on;
 * fewer than @count only when memory ran out. @out_futures, of @count entries, receives their
 * futures; entries behind those may become NULL. */
WEFT_API WEFT_MUST_USE size_t weft_submit_batch(struct weft_client *client,
                                                struct weft_request *const *requests, size_t count,
                                                const struct weft_delivery *how, void *const *tags,
                                                struct weft_future **out_futures);

/* GET @url, delivered to weft_future_wait(). NULL: out of memory. */
WEFT_API WEFT_MUST_USE struct weft_future *weft_get(struct weft_client *client, const char *url);

/* Opens the connections that the origin of @url is given when it is first used, of the I/O thread
 * that requests of the calling thread go to, before there is a request; never blocks. They close
 * when they are idle for idle_timeout_ms. WEFT_OK says that it is tried: what goes wrong is logged,
 * and told to requests. Errors: WEFT_ERR_INVALID_ARGUMENT (NULL), WEFT_ERR_INVALID_URL,
 * WEFT_ERR_NO_MEMORY, WEFT_ERR_FORKED. */
WEFT_API enum weft_code weft_preconnect(struct weft_client *client, const char *url);

/* Fills @stats up to stats->size. */
WEFT_API void weft_client_stats(struct weft_client *client, struct weft_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
