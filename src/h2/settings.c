#include "h2/settings.h"

#include "h2/frame.h"
#include "h2/frame_encode.h"

static bool fail(struct wf_h2_err *out_err, enum wf_h2_code code, const char *reason)
{
    *out_err = (struct wf_h2_err){WF_H2_SCOPE_CONNECTION, code, reason};
    return false;
}

/* RFC 9113 section 6.5.2, setting by setting. */
static bool apply_entry(struct wf_h2_settings *settings, struct wf_h2_setting_entry entry,
                        bool from_server, struct wf_h2_err *out_err)
{
    switch (entry.id) {
    case WF_H2_SETTING_HEADER_TABLE_SIZE:
        settings->header_table_size = entry.value;
        return true;
    case WF_H2_SETTING_ENABLE_PUSH:
        if (entry.value > 1 || (from_server && entry.value != 0))
            return fail(out_err, WF_H2_PROTOCOL_ERROR, "ENABLE_PUSH has a value it may not have");
        settings->enable_push = entry.value;
        return true;
    case WF_H2_SETTING_MAX_CONCURRENT_STREAMS:
        settings->max_concurrent_streams = entry.value;
        return true;
    case WF_H2_SETTING_INITIAL_WINDOW_SIZE:
        if (entry.value > WF_H2_MAX_WINDOW)
            return fail(out_err, WF_H2_FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is above 2^31-1");
        settings->initial_window_size = entry.value;
        return true;
    case WF_H2_SETTING_MAX_FRAME_SIZE:
        if (entry.value < WF_H2_MIN_MAX_FRAME_SIZE || entry.value > WF_H2_MAX_MAX_FRAME_SIZE)
            return fail(out_err, WF_H2_PROTOCOL_ERROR,
                        "MAX_FRAME_SIZE is not between 2^14 and 2^24-1");
        settings->max_frame_size = entry.value;
        return true;
    case WF_H2_SETTING_MAX_HEADER_LIST_SIZE:
        settings->max_header_list_size = entry.value;
        return true;
    default:
        return true; /* RFC 9113 section 6.5.2: unknown settings are ignored. */
    }
}

bool wf_h2_settings_apply(struct wf_h2_settings *settings, struct wf_slice payload,
                          bool from_server, uint32_t *out_smallest_table, struct wf_h2_err *out_err)
{
    if (payload.len / WF_H2_SETTING_LEN > WF_H2_MAX_SETTINGS_ENTRIES)
        return fail(out_err, WF_H2_ENHANCE_YOUR_CALM, "a SETTINGS frame has too many entries");
    struct wf_h2_settings changed = *settings;
    uint32_t smallest = settings->header_table_size;
    for (size_t at = 0; at + WF_H2_SETTING_LEN <= payload.len; at += WF_H2_SETTING_LEN) {
        if (!apply_entry(&changed, wf_h2_setting_decode(payload.ptr + at), from_server, out_err))
            return false;
        if (changed.header_table_size < smallest)
            smallest = changed.header_table_size;
    }
    *settings = changed;
    *out_smallest_table = smallest;
    return true;
}

bool wf_h2_settings_encode(struct wf_buf *out, const struct wf_h2_setting_entry *entries,
                           size_t count)
{
    size_t len = count * WF_H2_SETTING_LEN;
    if (!wf_buf_reserve(out, WF_H2_FRAME_HEADER_LEN + len))
        return false;
    uint8_t *p = wf_buf_tail(out);
    wf_h2_put_frame_header(p, (uint32_t)len, WF_H2_FRAME_SETTINGS, 0, 0);
    p += WF_H2_FRAME_HEADER_LEN;
    for (size_t i = 0; i < count; i++) {
        p[0] = (uint8_t)(entries[i].id >> 8);
        p[1] = (uint8_t)entries[i].id;
        wf_h2_put_u32(p + 2, entries[i].value);
        p += WF_H2_SETTING_LEN;
    }
    wf_buf_commit(out, WF_H2_FRAME_HEADER_LEN + len);
    return true;
}

const char *wf_h2_setting_name(uint16_t id)
{
    static const char *const names[] = {
        [WF_H2_SETTING_HEADER_TABLE_SIZE] = "HEADER_TABLE_SIZE",
        [WF_H2_SETTING_ENABLE_PUSH] = "ENABLE_PUSH",
        [WF_H2_SETTING_MAX_CONCURRENT_STREAMS] = "MAX_CONCURRENT_STREAMS",
        [WF_H2_SETTING_INITIAL_WINDOW_SIZE] = "INITIAL_WINDOW_SIZE",
        [WF_H2_SETTING_MAX_FRAME_SIZE] = "MAX_FRAME_SIZE",
        [WF_H2_SETTING_MAX_HEADER_LIST_SIZE] = "MAX_HEADER_LIST_SIZE",
    };
    return id < sizeof(names) / sizeof(names[0]) ? names[id] : NULL;
}
