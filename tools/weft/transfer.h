/* One URL on its way to its sink: read in pieces, as the sink takes them. What is not read stays
 * with the server, held back by the stream's flow-control window. Thread: owner. */
#ifndef WF_FETCH_TRANSFER_H
#define WF_FETCH_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "sink.h"
#include "source.h"
#include "write_out.h"

#include "weft/weft.h"

#define WF_FETCH_CHUNK_LEN ((size_t)1 << 16)

struct wf_fetch_transfer {
    const struct wf_fetch_options *options;
    const char *given_url;
    char *url; /* what is asked for, owned */
    const char *method;
    size_t index;
    struct wf_fetch_source source;
    struct wf_fetch_sink sink;
    char *path;                 /* owned; NULL: the standard output */
    struct weft_future *future; /* NULL before submission and after the end */
    bool readable;              /* something may be there; cleared when a read finds nothing */
    bool head_done;
    bool finished;
    uint64_t started_ns;
    uint64_t first_ns;     /* of the first try */
    uint64_t retries;      /* with --retry */
    uint64_t tries_before; /* the library's, of the tries that were given up */
    uint64_t retry_at_ns;  /* while it waits for the next try; else 0 */

    /* Of the response, and of the end. */
    int status;
    struct wf_tool_bytes head;    /* as -i prints it */
    struct weft_future *response; /* after the end, for -w; else NULL */
    uint64_t written;             /* octets of the body that went to the sink */
    size_t field_count;
    char *content_type;
    uint64_t body_len;
    uint64_t time_ns;
    struct weft_timings timings; /* all zero before the end */
    int exit_code;
    char error[320];
};

enum wf_fetch_pump {
    WF_FETCH_PUMP_NOTHING,
    WF_FETCH_PUMP_SOMETHING, /* there may be more at once */
    WF_FETCH_PUMP_RETRY,     /* this try is over, the next begins at retry_at_ns */
    WF_FETCH_PUMP_FINISHED
};

/* False: the transfer has finished already, since it has no file to go to. */
bool wf_fetch_transfer_init(struct wf_fetch_transfer *transfer,
                            const struct wf_fetch_options *options, size_t index);
void wf_fetch_transfer_fini(struct wf_fetch_transfer *transfer);

/* Moves one piece of at most WF_FETCH_CHUNK_LEN octets through @buf. */
enum wf_fetch_pump wf_fetch_transfer_pump(struct wf_fetch_transfer *transfer, void *buf);

/* Moves one piece of an upload that is read here. FINISHED: it could not be read. */
enum wf_fetch_pump wf_fetch_transfer_send(struct wf_fetch_transfer *transfer);

/* Ends the transfer here: the request is cancelled, an exit status and a sentence are kept and
 * printed. Nothing happens when it was finished. */
__attribute__((format(printf, 3, 4))) void
wf_fetch_transfer_fail(struct wf_fetch_transfer *transfer, int exit_code, const char *format, ...);

/* The same, unless --retry asks for another try, which begins at retry_at_ns. */
__attribute__((format(printf, 3, 4))) enum wf_fetch_pump
wf_fetch_transfer_fail_try(struct wf_fetch_transfer *transfer, int exit_code, const char *format,
                           ...);

/* Whether its octets must wait until those before it have been printed. */
bool wf_fetch_transfer_needs_turn(const struct wf_fetch_transfer *transfer);

void wf_fetch_transfer_result(const struct wf_fetch_transfer *transfer,
                              struct wf_fetch_result *out_result);

#endif
