#include "io_thread/timers.h"

#include "base/assert.h"

#define DIGIT_BITS 6u
#define DIGIT_MASK 63u

void wf_timers_init(struct wf_timers *timers, uint64_t now_ms)
{
    timers->now_ms = now_ms;
    timers->wheel_ms = now_ms;
    for (size_t level = 0; level < WF_TIMER_LEVELS; level++) {
        timers->occupied[level] = 0;
        for (size_t slot = 0; slot < WF_TIMER_SLOTS; slot++)
            wf_list_init(&timers->slots[level][slot]);
    }
    wf_list_init(&timers->due);
}

static size_t digit(uint64_t time_ms, size_t level)
{
    return (size_t)(time_ms >> (level * DIGIT_BITS)) & DIGIT_MASK;
}

/* Puts an unlinked timer where its time belongs, seen from now. */
static void place(struct wf_timers *timers, struct wf_timer *timer)
{
    uint64_t difference = timer->when_ms ^ timers->wheel_ms;
    size_t highest_bit = difference == 0 ? 0 : 63u - (size_t)__builtin_clzll(difference);
    size_t level = highest_bit / DIGIT_BITS;
    size_t slot = digit(timer->when_ms, level);
    wf_list_push_back(&timers->slots[level][slot], &timer->node);
    timers->occupied[level] |= UINT64_C(1) << slot;
}

void wf_timer_set(struct wf_timers *timers, struct wf_timer *timer, uint64_t when_ms)
{
    wf_list_remove(&timer->node);
    timer->when_ms = when_ms;
    if (when_ms == WF_TIMER_NONE)
        return;
    if (when_ms <= timers->now_ms)
        wf_list_push_back(&timers->due, &timer->node);
    else
        place(timers, timer);
}

/* Moves all nodes of @from to the end of the empty list @to. */
static void move_all(struct wf_node *to, struct wf_node *from)
{
    wf_list_init(to);
    if (wf_list_is_empty(from))
        return;
    *to = *from;
    to->prev->next = to;
    to->next->prev = to;
    wf_list_init(from);
}

/* Fires the timers of @list, which callbacks may take out of it but nobody adds to. */
static size_t fire_all(struct wf_node *list)
{
    size_t count = 0;
    struct wf_node *node;
    while ((node = wf_list_pop_front(list)) != NULL) {
        struct wf_timer *timer = wf_container_of(node, struct wf_timer, node);
        timer->fire(timer);
        count++;
    }
    return count;
}

/* Finds the first slot that holds a timer. On each level only slots behind now's digit are in use,
 * and all of them lie before the slots of the level above. Cancelling leaves the bit of a slot
 * alone; it is cleared here, once for each time that it was set. */
static bool first_slot(struct wf_timers *timers, size_t *out_level, size_t *out_slot)
{
    for (size_t level = 0; level < WF_TIMER_LEVELS; level++) {
        while (timers->occupied[level] != 0) {
            size_t slot = (size_t)__builtin_ctzll(timers->occupied[level]);
            if (!wf_list_is_empty(&timers->slots[level][slot])) {
                *out_level = level;
                *out_slot = slot;
                return true;
            }
            timers->occupied[level] &= timers->occupied[level] - 1;
        }
    }
    return false;
}

/* When the slot begins: now with its digit at @level replaced and nothing below. */
static uint64_t slot_start(const struct wf_timers *timers, size_t level, size_t slot)
{
    size_t shift = level * DIGIT_BITS;
    uint64_t above = level + 1 == WF_TIMER_LEVELS
                         ? 0
                         : timers->wheel_ms >> (shift + DIGIT_BITS) << (shift + DIGIT_BITS);
    return above | (uint64_t)slot << shift;
}

size_t wf_timers_advance(struct wf_timers *timers, uint64_t now_ms)
{
    if (now_ms < timers->now_ms)
        now_ms = timers->now_ms;
    timers->now_ms = now_ms;
    struct wf_node batch;
    move_all(&batch, &timers->due);
    size_t fired = fire_all(&batch);

    size_t level, slot;
    while (first_slot(timers, &level, &slot)) {
        uint64_t start = slot_start(timers, level, slot);
        if (start > now_ms)
            break;
        wf_assert(start >= timers->wheel_ms);
        timers->wheel_ms = start;
        timers->occupied[level] &= ~(UINT64_C(1) << slot);
        move_all(&batch, &timers->slots[level][slot]);
        if (level == 0) {
            fired += fire_all(&batch);
            continue;
        }
        struct wf_node *node;
        while ((node = wf_list_pop_front(&batch)) != NULL)
            place(timers, wf_container_of(node, struct wf_timer, node));
    }
    timers->wheel_ms = now_ms;
    return fired;
}

uint64_t wf_timers_next(struct wf_timers *timers)
{
    if (!wf_list_is_empty(&timers->due))
        return timers->wheel_ms;
    size_t level, slot;
    return first_slot(timers, &level, &slot) ? slot_start(timers, level, slot) : WF_TIMER_NONE;
}
