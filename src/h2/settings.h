/* The settings of one side (RFC 9113 section 6.5). Thread: any. */
#ifndef WF_H2_SETTINGS_H
#define WF_H2_SETTINGS_H

#include "base/buf.h"
#include "h2/error.h"

enum wf_h2_setting {
    WF_H2_SETTING_HEADER_TABLE_SIZE = 0x1,
    WF_H2_SETTING_ENABLE_PUSH = 0x2,
    WF_H2_SETTING_MAX_CONCURRENT_STREAMS = 0x3,
    WF_H2_SETTING_INITIAL_WINDOW_SIZE = 0x4,
    WF_H2_SETTING_MAX_FRAME_SIZE = 0x5,
    WF_H2_SETTING_MAX_HEADER_LIST_SIZE = 0x6
};

#define WF_H2_SETTING_LEN 6u

/* More entries than this in one frame are taken as an attack: there are six settings that we know,
 * and a peer has no reason to repeat them. */
#define WF_H2_MAX_SETTINGS_ENTRIES 32u

struct wf_h2_settings {
    uint32_t header_table_size;
    uint32_t enable_push;
    uint32_t max_concurrent_streams; /* UINT32_MAX: no limit was set */
    uint32_t initial_window_size;
    uint32_t max_frame_size;
    uint32_t max_header_list_size; /* UINT32_MAX: no limit was set */
};

/* The values in force until a peer says otherwise (RFC 9113 section 6.5.2). */
#define WF_H2_SETTINGS_INITIAL                                                                     \
    (struct wf_h2_settings)                                                                        \
    {                                                                                              \
        .header_table_size = 4096, .enable_push = 1, .max_concurrent_streams = UINT32_MAX,         \
        .initial_window_size = 65535, .max_frame_size = 16384, .max_header_list_size = UINT32_MAX  \
    }

struct wf_h2_setting_entry {
    uint16_t id; /* enum wf_h2_setting, or one that we do not know */
    uint32_t value;
};

/* Reads the payload of a SETTINGS frame, whose length is a multiple of 6. @settings is what was in
 * force and becomes what is in force now; it does not change when any entry is wrong.
 * @out_smallest_table: the smallest HEADER_TABLE_SIZE on the way, which RFC 7541 section 4.2 needs.
 * False: @out_err says which error of the connection it is. */
WF_MUST_USE bool wf_h2_settings_apply(struct wf_h2_settings *settings, struct wf_slice payload,
                                      bool from_server, uint32_t *out_smallest_table,
                                      struct wf_h2_err *out_err);

static inline struct wf_h2_setting_entry wf_h2_setting_decode(const uint8_t *p)
{
    return (struct wf_h2_setting_entry){.id = (uint16_t)(p[0] << 8 | p[1]),
                                        .value = (uint32_t)p[2] << 24 | (uint32_t)p[3] << 16 |
                                                 (uint32_t)p[4] << 8 | p[5]};
}

/* Appends a SETTINGS frame. False: out of memory, nothing was appended. */
WF_MUST_USE bool wf_h2_settings_encode(struct wf_buf *out,
                                       const struct wf_h2_setting_entry *entries, size_t count);

/* "INITIAL_WINDOW_SIZE" and so on; NULL for settings that we do not know. Static storage. */
const char *wf_h2_setting_name(uint16_t id);

#endif
