/* Frames, one line each. */
#include "trace.h"

#include <inttypes.h>

void wf_tool_trace(void *user, const struct weft_trace_event *event)
{
    FILE *to = user;
    char mark = '*';

    if (event->is_frame)
        mark = event->sent ? '>' : '<';
    /* One lock for all: the main thread writes to the same stream. */
    flockfile(to);
    if (event->dropped)
        fprintf(to,
                "* %" PRIu64 " lines are missing here: they came faster than they were written\n",
                event->dropped);
    if (event->connection > 1)
        fprintf(to, "%c [%" PRIu64 "] %s\n", mark, event->connection, event->text);
    else
        fprintf(to, "%c %s\n", mark, event->text);
    funlockfile(to);
}
