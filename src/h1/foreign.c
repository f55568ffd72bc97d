#include "h1/foreign.h"

#define ANY 0xff

/* RFC 9113 sections 3.4 and 4.1: length, below 65536, type SETTINGS, no flag, stream 0. */
static const uint8_t settings[WF_H1_FOREIGN_LEN] = {0, ANY, ANY, 4, 0, 0, 0, 0, 0};
/* RFC 8446 sections 5.1 and 6: alert, major version 3, any minor version, length 2. */
static const uint8_t alert[5] = {21, 3, ANY, 0, 2};

static bool begins_as(struct wf_slice octets, const uint8_t *pattern, size_t len)
{
    for (size_t i = 0; i < octets.len && i < len; i++) {
        if (pattern[i] != ANY && octets.ptr[i] != pattern[i])
            return false;
    }
    return true;
}

enum wf_h1_foreign wf_h1_foreign_of(struct wf_slice first)
{
    if (begins_as(first, settings, sizeof(settings)))
        return first.len < sizeof(settings) ? WF_H1_FOREIGN_UNKNOWN : WF_H1_FOREIGN_HTTP2;
    if (begins_as(first, alert, sizeof(alert)))
        return first.len < sizeof(alert) ? WF_H1_FOREIGN_UNKNOWN : WF_H1_FOREIGN_TLS;
    return WF_H1_FOREIGN_NONE;
}
