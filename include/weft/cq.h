/* A completion queue, for threads that wait for many requests at once and for programs with an
 * event loop of their own. Counted. Every call is legal on every thread; several may take events
 * from one queue. */
#ifndef WEFT_CQ_H
#define WEFT_CQ_H

#include <stddef.h>
#include <stdint.h>

#include "weft/export.h"
#include "weft/future.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weft_cq;

enum weft_event_type {
    WEFT_EVENT_DONE, /* the request completed; comes once, and last, for each submission */
    /* WEFT_STREAM_BODY: an informational response, the head of the response or octets of its body
     * are there. Comes again only after weft_future_read() has said WEFT_ERR_TIMEOUT. The end is
     * told by DONE, after which what is left can still be read. */
    WEFT_EVENT_READABLE,
    /* WEFT_STREAM_UPLOAD: at least half of the upload's buffer is free. Comes only after
     * weft_future_write() has said WEFT_ERR_TIMEOUT, once for each time. */
    WEFT_EVENT_WRITABLE
};

struct weft_event {
    enum weft_event_type type;
    struct weft_future
        *future; /* borrowed from the reference of whoever submitted; NULL if dropped */
    void *tag;
};

/* NULL: out of memory. */
WEFT_API WEFT_MUST_USE struct weft_cq *weft_cq_new(void);
WEFT_API struct weft_cq *weft_cq_ref(struct weft_cq *cq);
/* Requests in flight that deliver here hold references of their own. NULL is a no-op. */
WEFT_API void weft_cq_unref(struct weft_cq *cq);

/* Takes up to @max events, oldest first, waiting up to @timeout_ms (0, WEFT_FOREVER) for the first.
 */
WEFT_API size_t weft_cq_next(struct weft_cq *cq, struct weft_event *events, size_t max,
                             int64_t timeout_ms);
/* A descriptor that is readable while events may be there; it belongs to the queue. After it was
 * readable call weft_cq_next() with 0 until it returns less than @max. -1 and errno: none could be
 * made. */
WEFT_API int weft_cq_fd(struct weft_cq *cq);

#ifdef __cplusplus
}
#endif
#endif
