/* What few exchanges need: limits of their tries, informational responses, marks of those who watch
 * for progress. A block of the client's pool, taken when an exchange first needs one and given back
 * with it, so that the others are small. */
#ifndef WF_IO_THREAD_EXTRA_H
#define WF_IO_THREAD_EXTRA_H

#include "io_thread/informational.h"
#include "io_thread/try.h"

#include <stddef.h>
#include <stdint.h>

struct weft_client;
struct weft_future;

struct wf_extra {
    struct weft_future *exchange;
    struct wf_try limits;
    struct wf_informational_list informational;
    /* Of conn_watch.c; 0: none yet. */
    uint64_t rate_mark; /* body_received at the last look, and 1 */
    size_t late_mark;   /* octets of a late upload at the last look */
};

/* @x's; made if it has none. NULL: out of memory. Thread: I/O, or the submitter before anybody else
 * has @x. */
WF_MUST_USE struct wf_extra *wf_extra_get(struct weft_future *x);
/* @x's, or NULL. Thread: any; but for the informational responses it is the I/O thread's. */
struct wf_extra *wf_extra_of(const struct weft_future *x);
/* Informational responses that came for @x. Thread: I/O. */
unsigned wf_extra_informational(const struct weft_future *x);
/* Gives it back, if there is one. */
void wf_extra_free(struct weft_client *engine, struct weft_future *x);

#endif
