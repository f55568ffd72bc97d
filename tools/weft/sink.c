/* Files and the standard output. */
#include "sink.h"

#include "common/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void wf_fetch_sink_init(struct wf_fetch_sink *sink, const char *path)
{
    *sink = (struct wf_fetch_sink){.path = path, .fd = path ? -1 : STDOUT_FILENO};
}

int wf_fetch_sink_open(struct wf_fetch_sink *sink)
{
    if (sink->is_open)
        return 0;
    if (sink->path) {
        sink->fd = open(sink->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (sink->fd < 0)
            return errno;
    }
    sink->is_open = true;
    return 0;
}

int wf_fetch_sink_write(struct wf_fetch_sink *sink, const void *data, size_t len)
{
    const char *next = data;

    while (len) {
        ssize_t done = write(sink->fd, next, len);

        if (done < 0 && errno == EINTR && !wf_tool_interrupt_signal())
            continue;
        if (done < 0)
            return errno;
        next += done;
        len -= (size_t)done;
        sink->written += (uint64_t)done;
    }
    return 0;
}

int wf_fetch_sink_close(struct wf_fetch_sink *sink)
{
    int result = 0;

    if (sink->is_open && sink->path && close(sink->fd) != 0)
        result = errno;
    sink->is_open = false;
    return result;
}

const char *wf_fetch_sink_name(const struct wf_fetch_sink *sink)
{
    return sink->path ? sink->path : "the standard output";
}
