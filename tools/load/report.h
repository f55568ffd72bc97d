/* The report at the end of a run. Thread: main. */
#ifndef WF_LOAD_REPORT_H
#define WF_LOAD_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "histogram.h"
#include "tally.h"

struct wf_load_report {
    uint64_t total;      /* requests that were to be done */
    uint64_t elapsed_ns; /* of what was measured */
    uint64_t octets_read;
    uint64_t octets_written;
    struct wf_load_tally tally;
    struct wf_load_histogram latency;
};

/* Where h2load prints a line of the same kind, the words are its own: scripts read them. */
void wf_load_report_print(const struct wf_load_report *report, FILE *to);

#endif
