/* Durations and sizes as h2load writes them: "191us", "4.72ms", "1.23s"; "512B", "1.23MB".
 * Thread: any. */
#ifndef WF_TOOL_FORMAT_H
#define WF_TOOL_FORMAT_H

#include <stdint.h>

struct wf_tool_text {
    char text[32];
};

struct wf_tool_text wf_tool_format_duration(uint64_t ns);
/* Units of 1,024. */
struct wf_tool_text wf_tool_format_octets(uint64_t octets);

#endif
