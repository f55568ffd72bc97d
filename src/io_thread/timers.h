/* A hierarchical timer wheel in milliseconds: setting, moving and cancelling are O(1) and allocate
 * nothing. Thread: I/O, all of it.
 *
 * Time is whatever the caller says it is, as long as it does not run backwards; the loop reads its
 * clock once a turn. A timer never fires early; it fires in the first wf_timers_advance() whose
 * time has reached it. Timers of different times fire in the order of their times.
 *
 * A level has 64 slots of 64^level ms each. A timer sits on the level of the highest base-64 digit
 * in which its time differs from now, so a slot of level 0 is one exact millisecond and a slot of a
 * higher level is spread over the levels below when its beginning is reached. */
#ifndef WF_IO_THREAD_TIMERS_H
#define WF_IO_THREAD_TIMERS_H

#include "base/list.h"

#include <stdint.h>

#define WF_TIMER_NONE   UINT64_MAX
#define WF_TIMER_LEVELS 11 /* base-64 digits of a 64-bit time */
#define WF_TIMER_SLOTS  64

struct wf_timer;
typedef void wf_timer_fn(struct wf_timer *timer);

/* Embedded in its owner, which must cancel it before it goes. */
struct wf_timer {
    struct wf_node node; /* a slot of the wheel, or its due list */
    uint64_t when_ms;
    wf_timer_fn *fire;
};

struct wf_timers {
    uint64_t now_ms;   /* the last wf_timers_advance()'s; up to date inside its callbacks */
    uint64_t wheel_ms; /* how far the wheel has turned; behind now only while it advances */
    uint64_t occupied[WF_TIMER_LEVELS]; /* bit s: slot s may hold timers; clear: it holds none */
    struct wf_node slots[WF_TIMER_LEVELS][WF_TIMER_SLOTS];
    struct wf_node due; /* set for a time that was reached already */
};

void wf_timers_init(struct wf_timers *timers, uint64_t now_ms);

static inline void wf_timer_init(struct wf_timer *timer, wf_timer_fn *fire)
{
    wf_list_init(&timer->node);
    timer->when_ms = WF_TIMER_NONE;
    timer->fire = fire;
}

static inline bool wf_timer_is_set(const struct wf_timer *timer)
{
    return wf_node_is_linked(&timer->node);
}

/* Sets @timer, or moves it when it is set already. A time that is not after now (0
 * for instance) means the next wf_timers_advance(), never the one that is running: a callback that
 * sets its timer anew "for at once" cannot hold the loop. WF_TIMER_NONE cancels. */
void wf_timer_set(struct wf_timers *timers, struct wf_timer *timer, uint64_t when_ms);

/* A no-op when it is not set. */
static inline void wf_timer_cancel(struct wf_timer *timer)
{
    wf_list_remove(&timer->node);
}

/* Moves the wheel to @now_ms (a time before its now counts as its now) and fires what is due. A
 * callback finds its timer unset, and may set, move, cancel and free any timer, its own included.
 * Not to be called from a callback. Returns how many fired. */
size_t wf_timers_advance(struct wf_timers *timers, uint64_t now_ms);

/* A time before which nothing is due: the exact time of the next timer or, when that is far off, an
 * earlier one; never a later one. WF_TIMER_NONE when no timer is set. O(levels). */
uint64_t wf_timers_next(struct wf_timers *timers);

#endif
