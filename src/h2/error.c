#include "h2/error.h"

const char *wf_h2_code_name(uint32_t code)
{
    static const char *const names[] = {
        [WF_H2_NO_ERROR] = "NO_ERROR",
        [WF_H2_PROTOCOL_ERROR] = "PROTOCOL_ERROR",
        [WF_H2_INTERNAL_ERROR] = "INTERNAL_ERROR",
        [WF_H2_FLOW_CONTROL_ERROR] = "FLOW_CONTROL_ERROR",
        [WF_H2_SETTINGS_TIMEOUT] = "SETTINGS_TIMEOUT",
        [WF_H2_STREAM_CLOSED] = "STREAM_CLOSED",
        [WF_H2_FRAME_SIZE_ERROR] = "FRAME_SIZE_ERROR",
        [WF_H2_REFUSED_STREAM] = "REFUSED_STREAM",
        [WF_H2_CANCEL] = "CANCEL",
        [WF_H2_COMPRESSION_ERROR] = "COMPRESSION_ERROR",
        [WF_H2_CONNECT_ERROR] = "CONNECT_ERROR",
        [WF_H2_ENHANCE_YOUR_CALM] = "ENHANCE_YOUR_CALM",
        [WF_H2_INADEQUATE_SECURITY] = "INADEQUATE_SECURITY",
        [WF_H2_HTTP_1_1_REQUIRED] = "HTTP_1_1_REQUIRED",
    };
    return code < sizeof(names) / sizeof(names[0]) ? names[code] : "unknown error code";
}
