/* Files read whole. */
#include "file.h"

#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_LEN ((size_t)1 << 16)

void wf_tool_bytes_append(struct wf_tool_bytes *bytes, const char *data, size_t len)
{
    if (len > SIZE_MAX - 1 - bytes->len)
        wf_tool_die_no_memory();
    bytes->data = wf_tool_realloc(bytes->data, bytes->len + len + 1, 1);
    if (len)
        memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
    bytes->data[bytes->len] = '\0';
}

/* Room for the whole of a regular file at once, so that a large one is not copied as it grows. */
static size_t first_room(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        return (size_t)st.st_size + 1;
    return CHUNK_LEN;
}

static int read_all(int fd, struct wf_tool_bytes *bytes)
{
    size_t room = bytes->len + first_room(fd);
    size_t len = bytes->len;
    int result = 0;

    bytes->data = wf_tool_realloc(bytes->data, room + 1, 1);
    for (;;) {
        ssize_t got = read(fd, bytes->data + len, room - len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            result = errno;
        if (got <= 0)
            break;
        len += (size_t)got;
        if (len == room) {
            if (room > SIZE_MAX / 4)
                wf_tool_die_no_memory();
            room *= 2;
            bytes->data = wf_tool_realloc(bytes->data, room + 1, 1);
        }
    }
    if (result == 0)
        bytes->len = len;
    bytes->data[bytes->len] = '\0';
    return result;
}

bool wf_tool_read_file(const char *path, struct wf_tool_bytes *bytes)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int result;

    if (fd < 0)
        return false;
    result = read_all(fd, bytes);
    if (!is_stdin)
        close(fd);
    errno = result;
    return result == 0;
}
