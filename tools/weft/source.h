/* Where the body of -T comes from. A regular file is left to the library, which reads it on its own
 * threads; anything else (the standard input, a pipe) is read here, as fast as the upload takes it.
 * Thread: owner. */
#ifndef WF_FETCH_SOURCE_H
#define WF_FETCH_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "weft/weft.h"

struct wf_fetch_source {
    const char *path; /* borrowed; "-": the standard input; NULL: there is no upload */
    int fd;           /* -1: not open */
    bool is_stream;   /* read here; known once it is open */
    bool begun;       /* something was read, which cannot be read again */
    bool ended;       /* all is written, or nobody wants more */
    bool is_full;     /* until the queue tells WEFT_EVENT_WRITABLE */
    char *buf;        /* read and not written yet: len octets from off on */
    size_t off;
    size_t len;
};

void wf_fetch_source_init(struct wf_fetch_source *source, const char *path);
/* Returns 0 or an errno. Does nothing when it is open. */
int wf_fetch_source_open(struct wf_fetch_source *source);
void wf_fetch_source_fini(struct wf_fetch_source *source);

/* Whether it stands still until its descriptor is readable. */
bool wf_fetch_source_wants_input(const struct wf_fetch_source *source);

/* Moves one piece of a stream to @future. False: nothing moved, either because there is nothing to
 * read, nothing to do or no room, or because reading failed: then *out_errno is not 0. */
bool wf_fetch_source_pump(struct wf_fetch_source *source, struct weft_future *future,
                          int *out_errno);

#endif
