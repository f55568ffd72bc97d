/* Numbers of the command line, checked against their range. Thread: any. */
#ifndef WF_TOOL_NUMBER_H
#define WF_TOOL_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number from @min to @max: digits only, no sign and no space. */
bool wf_tool_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* Seconds with an optional fraction, as curl takes them, in milliseconds. What is above zero
 * becomes one millisecond at least. Up to some thirty years. */
bool wf_tool_parse_seconds(const char *text, int64_t *out_ms);
/* The same with an optional unit, as h2load takes it: h, m, s (without one) or ms. */
bool wf_tool_parse_duration(const char *text, int64_t *out_ms);

#endif
