/* The lines of -v. */
#ifndef WF_TOOL_TRACE_H
#define WF_TOOL_TRACE_H

#include <stdio.h>

#include "weft/weft.h"

/* A weft_trace_fn. @user is the FILE: "> " before what we sent, "< " before what came, "* " before
 * notes, and the connection's number from the second connection on. */
void wf_tool_trace(void *user, const struct weft_trace_event *event);

#endif
