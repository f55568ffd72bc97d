#include "h2/guard.h"

#include "base/assert.h"
#include "h2/limits.h"

#define MILLI 1000u

static const struct wf_h2_rate rates[WF_H2_NUISANCES] = {
    [WF_H2_NUISANCE_SETTINGS] = WF_H2_RATE_SETTINGS,
    [WF_H2_NUISANCE_PING] = WF_H2_RATE_PING,
    [WF_H2_NUISANCE_RST_STREAM] = WF_H2_RATE_RST_STREAM,
    [WF_H2_NUISANCE_PRIORITY] = WF_H2_RATE_PRIORITY,
    [WF_H2_NUISANCE_WINDOW_UPDATE] = WF_H2_RATE_WINDOW_UPDATE,
    [WF_H2_NUISANCE_EMPTY_DATA] = WF_H2_RATE_EMPTY_DATA,
    [WF_H2_NUISANCE_UNKNOWN] = WF_H2_RATE_UNKNOWN,
    [WF_H2_NUISANCE_GOAWAY] = WF_H2_RATE_GOAWAY,
    [WF_H2_NUISANCE_LATE] = WF_H2_RATE_LATE,
    [WF_H2_NUISANCE_STREAM_ERROR] = WF_H2_RATE_STREAM_ERROR,
};

static const char *const reasons[WF_H2_NUISANCES] = {
    [WF_H2_NUISANCE_SETTINGS] = "the limit on SETTINGS frames was passed",
    [WF_H2_NUISANCE_PING] = "the limit on PING frames was passed",
    [WF_H2_NUISANCE_RST_STREAM] = "the limit on RST_STREAM frames was passed",
    [WF_H2_NUISANCE_PRIORITY] = "the limit on PRIORITY frames was passed",
    [WF_H2_NUISANCE_WINDOW_UPDATE] = "the limit on WINDOW_UPDATE frames was passed",
    [WF_H2_NUISANCE_EMPTY_DATA] = "the limit on DATA frames without content was passed",
    [WF_H2_NUISANCE_UNKNOWN] = "the limit on frames of unknown types was passed",
    [WF_H2_NUISANCE_GOAWAY] = "the limit on GOAWAY frames was passed",
    [WF_H2_NUISANCE_LATE] = "the limit on frames for streams that were reset was passed",
    [WF_H2_NUISANCE_STREAM_ERROR] = "the limit on stream errors was passed",
};

static uint64_t full_level(const struct wf_h2_guard *guard, enum wf_h2_nuisance kind)
{
    return (uint64_t)guard->control_burst * rates[kind].burst_percent * (MILLI / 100);
}

void wf_h2_guard_init(struct wf_h2_guard *guard, uint32_t control_burst, uint32_t stream_window,
                      uint64_t now_ms)
{
    *guard = (struct wf_h2_guard){.control_burst = control_burst,
                                  .late_per_stream = stream_window / WF_H2_LATE_FRAME_LEN};
    for (unsigned kind = 0; kind < WF_H2_NUISANCES; kind++) {
        guard->kinds[kind].filled_at = now_ms;
        guard->kinds[kind].level = full_level(guard, (enum wf_h2_nuisance)kind);
    }
}

/* Tokens that useful work has earned since the connection began. */
static uint64_t earned(const struct wf_h2_guard *guard, enum wf_h2_nuisance kind)
{
    const struct wf_h2_rate *rate = &rates[kind];
    uint64_t per_stream = rate->per_stream;
    if (kind == WF_H2_NUISANCE_LATE)
        per_stream += guard->late_per_stream;
    return guard->streams * per_stream + (guard->octets >> 10) * rate->per_mib / 1024 +
           guard->frames * rate->per_16_frames / 16;
}

static void refill(struct wf_h2_guard *guard, enum wf_h2_nuisance kind, uint64_t now_ms)
{
    struct wf_h2_guard_kind *of = &guard->kinds[kind];
    uint64_t full = full_level(guard, kind);
    uint64_t elapsed = now_ms > of->filled_at ? now_ms - of->filled_at : 0;
    of->filled_at += elapsed;
    /* A burst is empty for less than a day whatever it is, and that keeps the product in range. */
    if (elapsed > 86400000u)
        elapsed = 86400000u;
    uint64_t level = of->level + elapsed * rates[kind].per_second;
    of->level = level < full ? level : full;
}

bool wf_h2_guard_take(struct wf_h2_guard *guard, enum wf_h2_nuisance kind, uint32_t cost,
                      uint64_t now_ms)
{
    wf_assert(cost > 0);
    struct wf_h2_guard_kind *of = &guard->kinds[kind];
    of->seen++;
    if (earned(guard, kind) - of->paid >= cost) {
        of->paid += cost;
        return true;
    }
    refill(guard, kind, now_ms);
    uint64_t price = (uint64_t)cost * MILLI;
    if (of->level < price)
        return false;
    of->level -= price;
    return true;
}

const char *wf_h2_guard_reason(enum wf_h2_nuisance kind)
{
    return reasons[kind];
}
