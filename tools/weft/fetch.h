/* Fetches all URLs of a command line through one client. */
#ifndef WF_FETCH_FETCH_H
#define WF_FETCH_FETCH_H

#include "options.h"

/* Returns the exit status; errors were printed. Thread: main. */
int wf_fetch_run(const struct wf_fetch_options *options);

/* The stream window for so many transfers at once: together they buffer 24 MiB at most. */
uint32_t wf_fetch_stream_window(size_t transfers);

#endif
