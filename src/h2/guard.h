/* Keeps count of frames that cost us work and bring nothing, and says when there are too many.
 * A frame is paid for by what the connection has done that is useful (streams, content), or else by
 * a token of its kind's burst, which time refills. Thread: owner of the session. */
#ifndef WF_H2_GUARD_H
#define WF_H2_GUARD_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>

enum wf_h2_nuisance {
    WF_H2_NUISANCE_SETTINGS,
    WF_H2_NUISANCE_PING,
    WF_H2_NUISANCE_RST_STREAM,
    WF_H2_NUISANCE_PRIORITY,
    WF_H2_NUISANCE_WINDOW_UPDATE,
    WF_H2_NUISANCE_EMPTY_DATA,
    WF_H2_NUISANCE_UNKNOWN,
    WF_H2_NUISANCE_GOAWAY,
    WF_H2_NUISANCE_LATE,
    WF_H2_NUISANCE_STREAM_ERROR,
    WF_H2_NUISANCES
};

struct wf_h2_guard_kind {
    uint64_t seen;      /* frames, for people */
    uint64_t paid;      /* tokens that useful work has paid for */
    uint64_t filled_at; /* ms */
    uint64_t level;     /* thousandths of tokens left of the burst */
};

struct wf_h2_guard {
    uint32_t control_burst;
    uint32_t late_per_stream; /* frames of one stream window */
    /* Useful work, counted where it is done. */
    uint64_t streams;
    uint64_t octets;
    uint64_t frames;
    struct wf_h2_guard_kind kinds[WF_H2_NUISANCES];
};

void wf_h2_guard_init(struct wf_h2_guard *guard, uint32_t control_burst, uint32_t stream_window,
                      uint64_t now_ms);

/* DATA with @len octets of content went either way. */
static inline void wf_h2_guard_earn(struct wf_h2_guard *guard, uint32_t len)
{
    guard->octets += len;
    guard->frames++;
}

/* A frame of this kind came, as much work as @cost ordinary ones. False: that is one too many. */
WF_MUST_USE bool wf_h2_guard_take(struct wf_h2_guard *guard, enum wf_h2_nuisance kind,
                                  uint32_t cost, uint64_t now_ms);

/* "the limit on PING frames was passed" and so on. Static storage. */
const char *wf_h2_guard_reason(enum wf_h2_nuisance kind);

#endif
