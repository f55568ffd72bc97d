/* The body that -d sends. Thread: owner; once it is open, any thread may read its octets. */
#ifndef WF_LOAD_BODY_H
#define WF_LOAD_BODY_H

#include <stdbool.h>
#include <stddef.h>

struct wf_load_body {
    const char *data; /* NULL: empty, or in a file */
    size_t len;
    int fd; /* of a file that is too large to be kept in memory, or -1 */
};

/* Reads @path, "-" being the standard input. A regular file beyond 256 MiB stays where it is, and
 * is to be read while it is sent. False: errno says why. */
bool wf_load_body_open(struct wf_load_body *body, const char *path);
void wf_load_body_close(struct wf_load_body *body);

#endif
