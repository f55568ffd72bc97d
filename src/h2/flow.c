#include "h2/flow.h"

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
