/* Where a body goes: the standard output or a file, made when the response's head is there, so that
 * a request without an answer leaves an older file alone. Thread: owner. */
#ifndef WF_FETCH_SINK_H
#define WF_FETCH_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wf_fetch_sink {
    const char *path; /* borrowed; NULL: the standard output */
    int fd;
    bool is_open;
    uint64_t written;
};

void wf_fetch_sink_init(struct wf_fetch_sink *sink, const char *path);
/* Each returns 0 or an errno. A write blocks until all is written; SIGINT ends it with EINTR. */
int wf_fetch_sink_open(struct wf_fetch_sink *sink);
int wf_fetch_sink_write(struct wf_fetch_sink *sink, const void *data, size_t len);
int wf_fetch_sink_close(struct wf_fetch_sink *sink);
/* For messages. */
const char *wf_fetch_sink_name(const struct wf_fetch_sink *sink);

#endif
