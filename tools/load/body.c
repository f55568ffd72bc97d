/* The body that -d sends. It is not mapped from its file: whoever shortened that would end us. */
#include "body.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_MAX_LEN ((size_t)256 << 20)
#define HUGE_PAGE_LEN  ((size_t)2 << 20)

/* Everything but a large regular file. */
static bool read_it(struct wf_load_body *body, const char *path)
{
    struct wf_tool_bytes bytes = {NULL, 0};

    if (!wf_tool_read_file(path, &bytes)) {
        int failure = errno;

        free(bytes.data);
        errno = failure;
        return false;
    }
    body->data = bytes.data;
    body->len = bytes.len;
    return true;
}

/* Octets that are sent again and again: with large pages the kernel copies them a tenth faster. */
static char *large_room(size_t len)
{
    size_t room = (len + HUGE_PAGE_LEN - 1) & ~(HUGE_PAGE_LEN - 1);
    char *data = aligned_alloc(HUGE_PAGE_LEN, room);

    if (data)
        (void)madvise(data, room, MADV_HUGEPAGE); /* a kernel without them has small ones */
    return data;
}

/* @len octets of the file, or fewer if it has become shorter. */
static bool read_large(struct wf_load_body *body, int fd, size_t len)
{
    char *data = large_room(len);
    size_t done = 0;

    if (!data)
        return false;
    while (done < len) {
        ssize_t got = read(fd, data + done, len - done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int failure = errno;

            free(data);
            errno = failure;
            return false;
        }
        if (got == 0)
            break;
        done += (size_t)got;
    }
    body->data = data;
    body->len = done;
    return true;
}

static bool open_large(struct wf_load_body *body, const char *path, size_t len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool done = fd >= 0;

    if (done && len > MEMORY_MAX_LEN) {
        body->fd = fd;
        body->len = len;
        return true;
    }
    if (done)
        done = read_large(body, fd, len);
    if (fd >= 0) {
        int failure = errno;

        close(fd);
        errno = failure;
    }
    return done;
}

bool wf_load_body_open(struct wf_load_body *body, const char *path)
{
    struct stat st;

    *body = (struct wf_load_body){.fd = -1};
    /* It is looked at before it is opened: a pipe's writer would notice that somebody came and
     * went. */
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
        (uintmax_t)st.st_size < HUGE_PAGE_LEN)
        return read_it(body, path);
    if ((uintmax_t)st.st_size > SIZE_MAX) {
        errno = EFBIG;
        return false;
    }
    return open_large(body, path, (size_t)st.st_size);
}

void wf_load_body_close(struct wf_load_body *body)
{
    if (body->fd >= 0)
        close(body->fd);
    free((void *)(uintptr_t)body->data);
    *body = (struct wf_load_body){.fd = -1};
}
