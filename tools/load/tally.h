/* What became of the requests: h2load's counts. Thread: owner; merged after the threads ended. */
#ifndef WF_LOAD_TALLY_H
#define WF_LOAD_TALLY_H

#include <stdint.h>

#include "weft/weft.h"

#define WF_LOAD_TALLY_ERRORS 5

struct wf_load_tally {
    uint64_t started;
    uint64_t done;      /* ended, however */
    uint64_t succeeded; /* status 2xx or 3xx */
    uint64_t failed;    /* the others of done */
    uint64_t errored;   /* those of failed without a complete response */
    uint64_t timeout;   /* those of errored that ran out of time */
    uint64_t status[6]; /* of complete responses, by first digit */
    uint64_t body_octets;

    /* The first distinct sentences. */
    struct {
        uint64_t count;
        char text[WEFT_ERROR_TEXT_LEN];
    } errors[WF_LOAD_TALLY_ERRORS];
    uint64_t other_errors;
};

void wf_load_tally_response(struct wf_load_tally *tally, int status, uint64_t body_octets);
void wf_load_tally_error(struct wf_load_tally *tally, const struct weft_error *error);
void wf_load_tally_merge(struct wf_load_tally *into, const struct wf_load_tally *from);

#endif
