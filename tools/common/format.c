/* Numbers for people, and for the scripts that read h2load's report. */
#include "format.h"

#include <stddef.h>
#include <stdio.h>

struct wf_tool_text wf_tool_format_duration(uint64_t ns)
{
    struct wf_tool_text out;

    if (ns < 999500)
        snprintf(out.text, sizeof(out.text), "%.0fus", (double)ns / 1e3);
    else if (ns < 999995000)
        snprintf(out.text, sizeof(out.text), "%.2fms", (double)ns / 1e6);
    else
        snprintf(out.text, sizeof(out.text), "%.2fs", (double)ns / 1e9);
    return out;
}

struct wf_tool_text wf_tool_format_octets(uint64_t octets)
{
    static const char units[] = "KMGTPE";
    struct wf_tool_text out;
    double value = (double)octets / 1024;
    size_t unit = 0;

    if (octets < 1024) {
        snprintf(out.text, sizeof(out.text), "%uB", (unsigned)octets);
        return out;
    }
    for (; value >= 1024 && units[unit + 1] != '\0'; unit++)
        value /= 1024;
    snprintf(out.text, sizeof(out.text), "%.2f%cB", value, units[unit]);
    return out;
}
