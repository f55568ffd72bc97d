/* Connects to the first of a list of addresses that answers, without blocking (RFC 8305 section 5):
 * the next address is tried after a while, or at once when the one before has failed; the first to
 * connect wins and the others are closed. Thread: I/O, all of it.
 *
 * The end always comes later, out of the poller or the timers, never from inside wf_dial_start(),
 * and in exactly one callback unless the dial is cancelled; then in none. There is no overall time
 * limit: whoever waits sets a timer and cancels. */
#ifndef WF_IO_THREAD_DIAL_H
#define WF_IO_THREAD_DIAL_H

#include "base/alloc.h"
#include "io_thread/address.h"

#include <stdint.h>

#define WF_DIAL_STAGGER_MS 250 /* RFC 8305 section 8: the recommended connection attempt delay */

struct wf_bad_addresses;
struct wf_poller;
struct wf_timers;
struct wf_dial;

/* Borrowed for the callback. */
struct wf_dial_result {
    /* Connected: non-blocking, close-on-exec, TCP_NODELAY, in no poller; the callee's to close.
     * Negative: no address answered. */
    int fd;
    struct wf_address address; /* the one that answered; len 0 when none did */
    /* Why none did: the errno of the last to fail, but one of this host's own limits (EMFILE,
     * ENFILE, ENOBUFS, ENOMEM) comes before what the network said. */
    int sys_errno;
    size_t tried;   /* attempts that were begun */
    char text[160]; /* "Connection refused (127.0.0.1:81, [::1]:81)"; "" when connected */
};

/* The dial is over and its handle dead. */
typedef void wf_dial_fn(void *user, const struct wf_dial_result *result);

/* Copies the first WF_ADDRESSES_MAX of @addresses. None at all ends in EDESTADDRREQ.
 * NULL: out of memory, and nothing will be called. */
WF_MUST_USE struct wf_dial *wf_dial_start(struct wf_poller *poller, struct wf_timers *timers,
                                          const struct wf_address *addresses, size_t count,
                                          uint32_t stagger_ms, wf_dial_fn *done, void *user);
/* Notes in @bad, from the wheel's clock, which addresses fail, answer no sooner than one that began
 * after them, or answer not at all before the dial is cancelled. @bad outlives the dial. */
void wf_dial_watch(struct wf_dial *dial, struct wf_bad_addresses *bad);
/* Closes what was begun; the callback will not be called; the handle is dead. NULL is a no-op. */
void wf_dial_cancel(struct wf_dial *dial);

#endif
