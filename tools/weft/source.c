#include "source.h"

#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_LEN ((size_t)1 << 16)

void wf_fetch_source_init(struct wf_fetch_source *source, const char *path)
{
    *source = (struct wf_fetch_source){.path = path, .fd = -1};
}

static bool is_stdin(const struct wf_fetch_source *source)
{
    return strcmp(source->path, "-") == 0;
}

int wf_fetch_source_open(struct wf_fetch_source *source)
{
    struct stat st;

    if (!source->path || source->fd >= 0)
        return 0;
    if (is_stdin(source)) {
        source->fd = STDIN_FILENO;
        source->is_stream = true;
        return 0;
    }
    source->fd = open(source->path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &st) != 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    source->is_stream = !S_ISREG(st.st_mode);
    return 0;
}

void wf_fetch_source_fini(struct wf_fetch_source *source)
{
    if (source->fd >= 0 && !is_stdin(source))
        close(source->fd);
    source->fd = -1;
    free(source->buf);
    source->buf = NULL;
}

bool wf_fetch_source_wants_input(const struct wf_fetch_source *source)
{
    return source->is_stream && !source->ended && source->len == 0;
}

/* False: nothing is there yet, or *out_errno says what failed. The end is a piece without octets.
 */
static bool read_piece(struct wf_fetch_source *source, int *out_errno)
{
    struct pollfd ready = {.fd = source->fd, .events = POLLIN};
    ssize_t got;

    if (poll(&ready, 1, 0) <= 0)
        return false;
    if (!source->buf)
        source->buf = wf_tool_calloc(PIECE_LEN, 1);
    got = read(source->fd, source->buf, PIECE_LEN);
    if (got < 0) {
        *out_errno = errno == EINTR || errno == EAGAIN ? 0 : errno;
        return false;
    }
    source->begun = true;
    source->off = 0;
    source->len = (size_t)got;
    return true;
}

bool wf_fetch_source_pump(struct wf_fetch_source *source, struct weft_future *future,
                          int *out_errno)
{
    enum weft_code code;
    size_t done = 0;

    *out_errno = 0;
    if (!source->is_stream || source->ended || source->is_full)
        return false;
    if (source->len == 0 && !read_piece(source, out_errno))
        return false;
    if (source->len == 0) {
        /* Whatever it says, the response says it too. */
        (void)weft_future_finish(future);
        source->ended = true;
        return true;
    }
    code = weft_future_write(future, source->buf + source->off, source->len, 0, &done);
    if (code == WEFT_ERR_TIMEOUT) {
        source->is_full = true;
        return false;
    }
    if (code == WEFT_OK) {
        source->off += done;
        source->len -= done;
    } else if (code != WEFT_ERR_NO_MEMORY) {
        source->ended = true;
    }
    return true;
}
