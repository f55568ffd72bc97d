/* What makes a field section a valid message part (RFC 9113 sections 8.1 to 8.3 and 8.5).
 * Functions return NULL, or what is wrong in words of static storage; the message is malformed
 * then, which is a stream error of type PROTOCOL_ERROR (section 8.1.1). Thread: any. */
#ifndef WF_H2_FIELDS_H
#define WF_H2_FIELDS_H

#include "base/alloc.h"
#include "base/field.h"

struct wf_h2_message_head {
    uint16_t status;        /* response: 100 to 599; request: 0 */
    bool is_head;           /* request: the method is HEAD */
    bool is_connect;        /* request: the method is CONNECT */
    int64_t content_length; /* -1: none was given */
};

WF_MUST_USE const char *wf_h2_check_response(const struct wf_field_section *section,
                                             struct wf_h2_message_head *out);
WF_MUST_USE const char *wf_h2_check_request(const struct wf_field_section *section,
                                            struct wf_h2_message_head *out);
WF_MUST_USE const char *wf_h2_check_trailers(const struct wf_field_section *section);

#endif
