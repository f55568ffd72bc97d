#include "io_thread/poller.h"

#include "base/assert.h"

#include <errno.h>
#include <unistd.h>

int wf_poller_init(struct wf_poller *poller)
{
    poller->batch_count = 0;
    poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return poller->epoll_fd < 0 ? errno : 0;
}

void wf_poller_fini(struct wf_poller *poller)
{
    wf_assert(poller->batch_count == 0);
    if (poller->epoll_fd >= 0)
        (void)close(poller->epoll_fd);
    poller->epoll_fd = -1;
}

static int control(struct wf_poller *poller, int operation, struct wf_poll_source *source,
                   uint32_t epoll_events)
{
    struct epoll_event event = {.events = epoll_events, .data.ptr = source};
    return epoll_ctl(poller->epoll_fd, operation, source->fd, &event) < 0 ? errno : 0;
}

int wf_poller_add(struct wf_poller *poller, struct wf_poll_source *source, uint32_t epoll_events)
{
    wf_assert(source->ready != NULL);
    source->batch_place = 0;
    return control(poller, EPOLL_CTL_ADD, source, epoll_events);
}

int wf_poller_modify(struct wf_poller *poller, struct wf_poll_source *source, uint32_t epoll_events)
{
    return control(poller, EPOLL_CTL_MOD, source, epoll_events);
}

void wf_poller_remove(struct wf_poller *poller, struct wf_poll_source *source)
{
    /* Fails only for a descriptor that is not there, which is what is wanted. */
    (void)control(poller, EPOLL_CTL_DEL, source, 0);
    if (source->batch_place != 0) {
        poller->batch[source->batch_place - 1].data.ptr = NULL;
        source->batch_place = 0;
    }
}

int wf_poller_collect(struct wf_poller *poller, int timeout_ms)
{
    wf_assert(poller->batch_count == 0);
    int count = epoll_wait(poller->epoll_fd, poller->batch, WF_POLL_BATCH, timeout_ms);
    if (count < 0)
        return errno == EINTR ? 0 : -errno;

    /* Each source learns its place first, so that removing one takes its event back in O(1). */
    for (int i = 0; i < count; i++) {
        struct wf_poll_source *source = poller->batch[i].data.ptr;
        source->batch_place = (uint32_t)i + 1;
    }
    poller->batch_count = count;
    return count;
}

void wf_poller_dispatch(struct wf_poller *poller)
{
    for (int i = 0; i < poller->batch_count; i++) {
        struct wf_poll_source *source = poller->batch[i].data.ptr;
        if (source == NULL)
            continue;
        source->batch_place = 0;
        source->ready(source, poller->batch[i].events);
    }
    poller->batch_count = 0;
}

int wf_poller_wait(struct wf_poller *poller, int timeout_ms)
{
    int count = wf_poller_collect(poller, timeout_ms);
    wf_poller_dispatch(poller);
    return count;
}
