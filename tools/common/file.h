/* Files read whole, for bodies and lists. Thread: any. */
#ifndef WF_TOOL_FILE_H
#define WF_TOOL_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct wf_tool_bytes {
    char *data; /* a NUL follows the last octet; to be given to free(); NULL: empty */
    size_t len;
};

/* Reads @path, "-" being the standard input, behind what is in @bytes. False: errno says why, and
 * @bytes is as it was. */
bool wf_tool_read_file(const char *path, struct wf_tool_bytes *bytes);
void wf_tool_bytes_append(struct wf_tool_bytes *bytes, const char *data, size_t len);

#endif
