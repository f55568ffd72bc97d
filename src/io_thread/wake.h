/* Wakes an I/O thread out of its poller: an eventfd as a poll source.
 * It is edge-triggered, and each write is an edge, so nothing needs to be read: a wake-up costs one
 * system call. Signals that come together are told once. Whether the thread sleeps at all, and so
 * whether a signal is needed, is the caller's question (see docs/THREADING.md).
 *
 * | may overlap       | signal | init, fini            |
 * | signal            | yes    | no: fini comes last   | */
#ifndef WF_IO_THREAD_WAKE_H
#define WF_IO_THREAD_WAKE_H

#include "io_thread/poller.h"

struct wf_wake;
typedef void wf_wake_fn(struct wf_wake *wake);

struct wf_wake {
    struct wf_poll_source source;
    struct wf_poller *poller;
    wf_wake_fn *woken;
};

/* @woken is called on the I/O thread after a signal; NULL: the return from wf_poller_wait() is
 * enough. 0 or an errno value. Thread: I/O. */
WF_MUST_USE int wf_wake_init(struct wf_wake *wake, struct wf_poller *poller, wf_wake_fn *woken);
/* Thread: I/O, when nobody can signal any more. */
void wf_wake_fini(struct wf_wake *wake);
/* Thread: any. Never blocks, never fails. Async-signal-safe. */
void wf_wake_signal(const struct wf_wake *wake);

#endif
