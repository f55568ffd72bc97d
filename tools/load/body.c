/* The body that -d sends. */
#include "body.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Octets of a mapped file that are no longer there were to be sent. */
static void end_on_bus_error(int number)
{
    static const char text[] = "weft-load: the body's file became shorter while it was sent\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

    (void)ignored;
    (void)number;
    _exit(1);
}

/* False: it cannot be mapped, which says nothing about whether it can be read. It is looked at
 * before it is opened: a pipe's writer would notice that somebody came and went. */
static bool map_it(struct wf_load_body *body, const char *path)
{
    void *data = MAP_FAILED;
    struct stat st;
    int fd;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        (uintmax_t)st.st_size <= SIZE_MAX)
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        return false;
    body->data = data;
    body->len = (size_t)st.st_size;
    body->is_mapped = true;
    (void)sigaction(SIGBUS, &(struct sigaction){.sa_handler = end_on_bus_error}, NULL);
    return true;
}

bool wf_load_body_open(struct wf_load_body *body, const char *path)
{
    *body = (struct wf_load_body){0};
    return (strcmp(path, "-") != 0 && map_it(body, path)) || read_it(body, path);
}

void wf_load_body_close(struct wf_load_body *body)
{
    if (body->is_mapped)
        (void)munmap((void *)(uintptr_t)body->data, body->len);
    else
        free((void *)(uintptr_t)body->data);
    *body = (struct wf_load_body){0};
}
