#include "h2/growth.h"

#include "h2/frame.h"

#include <stddef.h>

/* A reader is busy with some of what came, and says so in lumps; beyond three eighths of a window
 * it is what is slow. */
static bool keeps_up(const struct wf_h2_credit *credit)
{
    return credit->open >= (int64_t)credit->window - credit->window / 8 * 3;
}

/* Octets came that only the last credit allowed, so it has been to the peer and back: less was open
 * than it added, which was half of the window or more. */
static bool was_used(const struct wf_h2_credit *credit)
{
    return (int64_t)credit->open - credit->increment < credit->window / 2;
}

/* Returns when credit went last, and sets it to @now; low bits of milliseconds. */
static uint32_t exchange_time(struct wf_h2_window_growth *grown, uint32_t now)
{
    uint32_t before = (uint32_t)grown->credit_ms[1] << 16 | grown->credit_ms[0];
    grown->credit_ms[0] = (uint16_t)now;
    grown->credit_ms[1] = (uint16_t)(now >> 16);
    return before;
}

static bool limits_sender(struct wf_h2_growth *growth, struct wf_h2_window_growth *grown,
                          const struct wf_h2_credit *credit, uint64_t now_ms)
{
    bool kept_up = keeps_up(credit);
    uint32_t now = (uint32_t)now_ms == 0 ? 1 : (uint32_t)now_ms;
    uint32_t before = exchange_time(grown, kept_up ? now : 0);
    uint32_t passed_ms = now - before;
    if (before == 0)
        return false;
    /* The clock has told whole milliseconds only. */
    if (passed_ms < growth->round_trip_ms && was_used(credit))
        growth->round_trip_ms = passed_ms + 1;
    uint64_t in_round_trip =
        (uint64_t)credit->increment * growth->round_trip_ms / (passed_ms > 0 ? passed_ms : 1);
    return kept_up && in_round_trip >= credit->window / 8 * 3;
}

/* Twice the window, but no more than @max, and by no more than @left. In units. */
static uint16_t room_to_grow(uint32_t window, uint32_t max, uint64_t left)
{
    if (max > WF_H2_MAX_WINDOW)
        max = WF_H2_MAX_WINDOW;
    uint64_t room = window < max ? max - window : 0;
    if (room > window)
        room = window;
    if (room > left)
        room = left;
    return (uint16_t)(room / WF_H2_GROWTH_UNIT);
}

static uint32_t grow(struct wf_h2_growth *growth, struct wf_h2_window_growth *grown,
                     const struct wf_h2_credit *credit, uint64_t now_ms, uint32_t max,
                     uint64_t left)
{
    if (!limits_sender(growth, grown, credit, now_ms))
        return 0;
    uint16_t units = room_to_grow(credit->window, max, left);
    grown->units = (uint16_t)(grown->units + units);
    return units * WF_H2_GROWTH_UNIT;
}

uint32_t wf_h2_growth_of_stream(struct wf_h2_growth *growth, struct wf_h2_window_growth *grown,
                                const struct wf_h2_credit *credit, uint64_t now_ms)
{
    uint64_t left = growth->left;
    if (growth->pool != NULL && growth->pool->max - growth->pool->grown < left)
        left = growth->pool->max - growth->pool->grown;
    uint32_t more = grow(growth, grown, credit, now_ms, growth->max_stream_window, left);
    growth->left -= more;
    if (growth->pool != NULL)
        growth->pool->grown += more;
    return more;
}

uint32_t wf_h2_growth_of_connection(struct wf_h2_growth *growth, struct wf_h2_window_growth *grown,
                                    const struct wf_h2_credit *credit, uint64_t now_ms)
{
    return grow(growth, grown, credit, now_ms, growth->max_connection_window, UINT64_MAX);
}

void wf_h2_growth_give_back(struct wf_h2_growth *growth, struct wf_h2_window_growth *grown)
{
    uint32_t octets = wf_h2_growth_octets(grown);
    growth->left += octets;
    if (growth->pool != NULL)
        growth->pool->grown -= octets;
    grown->units = 0;
}
