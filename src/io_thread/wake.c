#include "io_thread/wake.h"

#include "base/assert.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void wake_ready(struct wf_poll_source *source, uint32_t epoll_events)
{
    (void)epoll_events;
    struct wf_wake *wake = wf_container_of(source, struct wf_wake, source);
    if (wake->woken != NULL)
        wake->woken(wake);
}

int wf_wake_init(struct wf_wake *wake, struct wf_poller *poller, wf_wake_fn *woken)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return errno;
    wf_poll_source_init(&wake->source, fd, wake_ready);
    wake->poller = poller;
    wake->woken = woken;
    int failure = wf_poller_add(poller, &wake->source, EPOLLIN | EPOLLET);
    if (failure != 0)
        (void)close(fd);
    return failure;
}

void wf_wake_fini(struct wf_wake *wake)
{
    wf_poller_remove(wake->poller, &wake->source);
    (void)close(wake->source.fd);
    wake->source.fd = -1;
}

void wf_wake_signal(const struct wf_wake *wake)
{
    int saved_errno = errno;
    const uint64_t one = 1;
    /* EAGAIN: the counter, which nobody reads otherwise, is full. Emptying it makes room for the
     * write that is the edge; another signaller may fill it again only by having made an edge. */
    while (write(wake->source.fd, &one, sizeof(one)) < 0) {
        uint64_t drained;
        if (errno == EAGAIN)
            (void)!read(wake->source.fd, &drained, sizeof(drained));
        else if (errno != EINTR)
            break;
    }
    errno = saved_errno;
}
