/* A whole run: client, workers, progress, report. */
#ifndef WF_LOAD_LOAD_H
#define WF_LOAD_LOAD_H

#include "options.h"

/* Returns the exit status. Thread: main. */
int wf_load_run(const struct wf_load_options *options);

#endif
