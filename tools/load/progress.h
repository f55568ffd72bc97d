/* How far a run has come: a line that is written over on a terminal, else a line for each tenth, as
 * h2load prints them. Thread: main. */
#ifndef WF_LOAD_PROGRESS_H
#define WF_LOAD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct wf_load_progress {
    FILE *to;
    bool live;
    unsigned tenths; /* printed */
    uint64_t last_ns;
    uint64_t last_done;
    bool line_open; /* a live line stands without its newline */
};

struct wf_load_moment {
    bool warming_up;
    uint64_t elapsed_ns; /* since the start of what is measured */
    double part;         /* of the whole, 0 to 1 */
    uint64_t done;
    uint64_t failed;
};

/* @live: @to is a terminal. */
void wf_load_progress_init(struct wf_load_progress *progress, FILE *to, bool live);
void wf_load_progress_show(struct wf_load_progress *progress, const struct wf_load_moment *moment);
/* Ends an open line. */
void wf_load_progress_end(struct wf_load_progress *progress);

#endif
