/* Counts by outcome. */
#include "tally.h"

#include <stdio.h>
#include <string.h>

void wf_load_tally_response(struct wf_load_tally *tally, int status, uint64_t body_octets)
{
    unsigned digit = (unsigned)status / 100;

    tally->done++;
    tally->body_octets += body_octets;
    if (digit < 6)
        tally->status[digit]++;
    if (digit == 2 || digit == 3)
        tally->succeeded++;
    else
        tally->failed++;
}

static void add_text(struct wf_load_tally *tally, const char *text, uint64_t count)
{
    for (size_t i = 0; i < WF_LOAD_TALLY_ERRORS; i++) {
        if (tally->errors[i].count == 0)
            (void)snprintf(tally->errors[i].text, sizeof(tally->errors[i].text), "%s", text);
        if (strcmp(tally->errors[i].text, text) == 0) {
            tally->errors[i].count += count;
            return;
        }
    }
    tally->other_errors += count;
}

void wf_load_tally_error(struct wf_load_tally *tally, const struct weft_error *error)
{
    tally->done++;
    tally->failed++;
    tally->errored++;
    if (error->code == WEFT_ERR_DEADLINE || error->code == WEFT_ERR_STAGE_TIMEOUT ||
        error->code == WEFT_ERR_CONNECT_TIMEOUT)
        tally->timeout++;
    add_text(tally, error->text[0] ? error->text : weft_code_name(error->code), 1);
}

void wf_load_tally_merge(struct wf_load_tally *into, const struct wf_load_tally *from)
{
    into->started += from->started;
    into->done += from->done;
    into->succeeded += from->succeeded;
    into->failed += from->failed;
    into->errored += from->errored;
    into->timeout += from->timeout;
    into->body_octets += from->body_octets;
    into->other_errors += from->other_errors;
    for (size_t i = 0; i < sizeof(into->status) / sizeof(into->status[0]); i++)
        into->status[i] += from->status[i];
    for (size_t i = 0; i < WF_LOAD_TALLY_ERRORS && from->errors[i].count; i++)
        add_text(into, from->errors[i].text, from->errors[i].count);
}
