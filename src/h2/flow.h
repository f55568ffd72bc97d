/* Flow-control windows (RFC 9113 sections 5.2 and 6.9). Thread: owner.
 * A window that we send into is one signed number, below zero after the peer shrank its
 * INITIAL_WINDOW_SIZE. A window that we receive into has a second number: what may be announced to
 * the peer again and was not yet, since an update for each frame would be waste. */
#ifndef WF_H2_FLOW_H
#define WF_H2_FLOW_H

#include "base/alloc.h"
#include "base/assert.h"

#include <stdbool.h>
#include <stdint.h>

/* Adds the increment of a WINDOW_UPDATE. False: above 2^31-1 (section 6.9.1), nothing changed. */
WF_MUST_USE bool wf_h2_window_add(int32_t *window, uint32_t increment);

/* Applies a change of INITIAL_WINDOW_SIZE (section 6.9.2). False: out of range, nothing changed. */
WF_MUST_USE bool wf_h2_window_shift(int32_t *window, uint32_t before, uint32_t after);

struct wf_h2_recv_window {
    int32_t open;        /* octets that the peer may still send */
    uint32_t unreturned; /* octets that we are done with and have not announced again */
};

/* A frame of @len octets came. False: more than the window allowed, nothing changed. */
static inline WF_MUST_USE bool wf_h2_recv_window_take(struct wf_h2_recv_window *window,
                                                      uint32_t len)
{
    if ((int64_t)len > window->open)
        return false;
    window->open -= (int32_t)len;
    return true;
}

/* We are done with @len octets. Returns the increment to send now, or 0: credit goes back when
 * half of @target is used up; earlier wastes frames, later stalls the sender. */
static inline uint32_t wf_h2_recv_window_return(struct wf_h2_recv_window *window, uint32_t len,
                                                uint32_t target)
{
    window->unreturned += len;
    if (window->unreturned == 0 || window->unreturned < target / 2)
        return 0;
    uint32_t increment = window->unreturned;
    window->unreturned = 0;
    bool in_range = wf_h2_window_add(&window->open, increment);
    wf_assert(in_range);
    (void)in_range;
    return increment;
}

#endif
