#include "h2/flow.h"

#include "base/assert.h"
#include "h2/frame.h"

static bool set_in_range(int32_t *window, int64_t value)
{
    if (value > WF_H2_MAX_WINDOW || value < -(int64_t)WF_H2_MAX_WINDOW)
        return false;
    *window = (int32_t)value;
    return true;
}

bool wf_h2_window_add(int32_t *window, uint32_t increment)
{
    return set_in_range(window, (int64_t)*window + (int64_t)increment);
}

bool wf_h2_window_shift(int32_t *window, uint32_t before, uint32_t after)
{
    return set_in_range(window, (int64_t)*window + (int64_t)after - (int64_t)before);
}

uint32_t wf_h2_recv_window_return(struct wf_h2_recv_window *window, uint32_t len, uint32_t target)
{
    wf_assert(len <= WF_H2_MAX_WINDOW);
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
