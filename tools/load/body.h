/* The body that -d sends: a file, seen in place where that is possible. Thread: owner; once it is
 * open, any thread may read its octets. */
#ifndef WF_LOAD_BODY_H
#define WF_LOAD_BODY_H

#include <stdbool.h>
#include <stddef.h>

struct wf_load_body {
    const char *data; /* NULL: empty */
    size_t len;
    bool is_mapped;
};

/* A regular file is mapped, which costs a tenth of reading it; if it gets shorter meanwhile, the
 * program says so and ends with status 1. Anything else is read, "-" being the standard input.
 * False: errno says why. */
bool wf_load_body_open(struct wf_load_body *body, const char *path);
void wf_load_body_close(struct wf_load_body *body);

#endif
