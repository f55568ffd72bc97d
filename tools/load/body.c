/* The body that -d sends. It is not mapped from its file: whoever shortened that would end us. */
#include "body.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_MAX_LEN ((uintmax_t)256 << 20)

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

static bool keep_open(struct wf_load_body *body, const char *path, uintmax_t len)
{
    if (len > SIZE_MAX) {
        errno = EFBIG;
        return false;
    }
    body->fd = open(path, O_RDONLY | O_CLOEXEC);
    body->len = body->fd >= 0 ? (size_t)len : 0;
    return body->fd >= 0;
}

bool wf_load_body_open(struct wf_load_body *body, const char *path)
{
    struct stat st;

    *body = (struct wf_load_body){.fd = -1};
    /* It is looked at before it is opened: a pipe's writer would notice that somebody came and
     * went. */
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
        (uintmax_t)st.st_size > MEMORY_MAX_LEN)
        return keep_open(body, path, (uintmax_t)st.st_size);
    return read_it(body, path);
}

void wf_load_body_close(struct wf_load_body *body)
{
    if (body->fd >= 0)
        close(body->fd);
    free((void *)(uintptr_t)body->data);
    *body = (struct wf_load_body){.fd = -1};
}
