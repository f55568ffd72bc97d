/* The time limits of one try of an exchange: until its response begins, from when all is sent until
 * then, and between two signs of progress. One timer, set only where a limit is. Thread: I/O. */
#ifndef WF_IO_THREAD_TRY_H
#define WF_IO_THREAD_TRY_H

#include "io_thread/timers.h"

#include <stdbool.h>
#include <stdint.h>

struct weft_config;
struct weft_delivery;
struct weft_future;

struct wf_try {
    struct wf_timer timer; /* of the limits; while it backs off, of that */
    int64_t timeout_ms;    /* of the whole try until its response begins; negative: none */
    uint64_t answer_by;    /* ms: that, and first_byte_timeout_ms; UINT64_MAX: none */
    uint64_t first_byte_by;
    uint64_t look_at;     /* ms: the next look for progress; UINT64_MAX: none */
    uint64_t progress;    /* what was seen at the last look */
    unsigned still_looks; /* in a row that saw no progress */
};

/* Whether something limits the tries of an exchange that is submitted with @how. Thread: any. */
bool wf_try_is_limited(const struct weft_config *config, const struct weft_delivery *how);
/* Thread: any. */
void wf_try_init(struct wf_try *limits, const struct weft_config *config,
                 const struct weft_delivery *how);

/* For exchanges that are timed. A connection has taken @x. */
void wf_try_began(struct weft_future *x);
/* All of the request was given to the transport. */
void wf_try_sent(struct weft_future *x);

#endif
