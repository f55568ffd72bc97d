/* Error codes of RFC 9113 section 7 and the result of checks inside the core. */
#ifndef WF_H2_ERROR_H
#define WF_H2_ERROR_H

#include <stdint.h>

enum wf_h2_code {
    WF_H2_NO_ERROR = 0x0,
    WF_H2_PROTOCOL_ERROR = 0x1,
    WF_H2_INTERNAL_ERROR = 0x2,
    WF_H2_FLOW_CONTROL_ERROR = 0x3,
    WF_H2_SETTINGS_TIMEOUT = 0x4,
    WF_H2_STREAM_CLOSED = 0x5,
    WF_H2_FRAME_SIZE_ERROR = 0x6,
    WF_H2_REFUSED_STREAM = 0x7,
    WF_H2_CANCEL = 0x8,
    WF_H2_COMPRESSION_ERROR = 0x9,
    WF_H2_CONNECT_ERROR = 0xa,
    WF_H2_ENHANCE_YOUR_CALM = 0xb,
    WF_H2_INADEQUATE_SECURITY = 0xc,
    WF_H2_HTTP_1_1_REQUIRED = 0xd
};

/* RFC 9113 sections 5.4.1 and 5.4.2. */
enum wf_h2_scope { WF_H2_SCOPE_NONE, WF_H2_SCOPE_STREAM, WF_H2_SCOPE_CONNECTION };

struct wf_h2_err {
    enum wf_h2_scope scope;
    uint32_t code;      /* enum wf_h2_code, or an unknown code that a peer sent */
    const char *reason; /* static storage, no full stop; NULL when scope is none */
};

/* "PROTOCOL_ERROR" and so on; "unknown error code" for others. Static storage. */
const char *wf_h2_code_name(uint32_t code);

#endif
