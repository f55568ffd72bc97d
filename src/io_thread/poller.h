/* epoll with intrusive sources: what waits for a descriptor embeds a source and gets a call when
 * the descriptor is ready. Thread: I/O, all of it.
 *
 * Sockets are added once, with EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, and stay until they are
 * closed, so that the steady state makes no epoll_ctl call. An edge is told once: who is called
 * reads and writes until there is nothing left, or keeps a note of its own that there is more. */
#ifndef WF_IO_THREAD_POLLER_H
#define WF_IO_THREAD_POLLER_H

#include "base/alloc.h"

#include <stdint.h>
#include <sys/epoll.h>

#define WF_POLL_BATCH  256
#define WF_POLL_SOCKET (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

struct wf_poll_source;
typedef void wf_poll_ready_fn(struct wf_poll_source *source, uint32_t epoll_events);

/* Owned by whoever embeds it; must stay where it is while it is added. */
struct wf_poll_source {
    int fd;
    uint32_t
        batch_place; /* the poller's: one more than its place in the batch in hand, 0: not in it */
    wf_poll_ready_fn *ready;
};

struct wf_poller {
    int epoll_fd;
    int batch_count; /* events of the batch in hand */
    struct epoll_event batch[WF_POLL_BATCH];
};

static inline void wf_poll_source_init(struct wf_poll_source *source, int fd,
                                       wf_poll_ready_fn *ready)
{
    *source = (struct wf_poll_source){.fd = fd, .ready = ready};
}

/* 0 or an errno value. */
WF_MUST_USE int wf_poller_init(struct wf_poller *poller);
/* The sources that are still added are forgotten; their descriptors are not closed. */
void wf_poller_fini(struct wf_poller *poller);

/* 0 or an errno value (ENOSPC, ENOMEM, and EPERM for a descriptor that cannot be polled). */
WF_MUST_USE int wf_poller_add(struct wf_poller *poller, struct wf_poll_source *source,
                              uint32_t epoll_events);
WF_MUST_USE int wf_poller_modify(struct wf_poller *poller, struct wf_poll_source *source,
                                 uint32_t epoll_events);
/* Before the descriptor is closed. Legal inside any ready callback, and for any source: an event of
 * the batch in hand that was not delivered yet is dropped. After the call the source may be freed,
 * also by its own callback. */
void wf_poller_remove(struct wf_poller *poller, struct wf_poll_source *source);

/* The two halves of wf_poller_wait(), for a loop that reads its clock between them: the first waits
 * and returns as wf_poller_wait() does, the second calls the sources. */
WF_MUST_USE int wf_poller_collect(struct wf_poller *poller, int timeout_ms);
void wf_poller_dispatch(struct wf_poller *poller);

/* Waits for at most @timeout_ms (0: looks only; -1: until something is ready) and calls the sources
 * that are ready. Returns how many events there were, 0 for a timeout or a signal, or a negative
 * errno value when epoll itself failed. Not to be called from a callback. */
WF_MUST_USE int wf_poller_wait(struct wf_poller *poller, int timeout_ms);

#endif
