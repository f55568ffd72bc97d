/* One line of text about a frame, for people who watch. Thread: any. */
#ifndef WF_H2_FRAME_TEXT_H
#define WF_H2_FRAME_TEXT_H

#include "h2/session.h"

/* Writes a line without a newline, always terminated, cut at @cap: type, stream identifier, length,
 * flags by name and what the payload says (settings by name and value, increments, error codes by
 * name, opaque octets, the decoded field lines of a field block). Octets that are not printable
 * ASCII are escaped. */
size_t wf_h2_frame_text(const struct wf_h2_trace *frame, char *out, size_t cap);

#endif
