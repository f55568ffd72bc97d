/* A request's body in a file. The descriptor is the request's own copy; it is read by a worker, at
 * offsets, so that any number of submissions can read it at once. */
#include "message/error.h"
#include "message/request_build.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_file(void *user)
{
    (void)close((int)(intptr_t)user);
}

static enum weft_code refuse(struct weft_request *request, enum weft_code code, int sys_errno,
                             const char *text)
{
    struct weft_error error;
    wf_error_set(&error, code, WEFT_STAGE_QUEUE, WEFT_NOT_SENT, "The body's file %s%s%s.", text,
                 sys_errno != 0 ? ": " : "", sys_errno != 0 ? strerror(sys_errno) : "");
    error.sys_errno = sys_errno;
    return wf_request_remember(request, &error);
}

enum weft_code weft_request_set_body_fd(struct weft_request *request, int fd, uint64_t offset,
                                        uint64_t len)
{
    struct stat status;
    if (request == NULL)
        return WEFT_ERR_INVALID_ARGUMENT;
    if (atomic_load_explicit(&request->frozen, memory_order_relaxed))
        return WEFT_ERR_FROZEN;
    if (fstat(fd, &status) != 0)
        return refuse(request, WEFT_ERR_FILE, errno, "cannot be looked at");
    /* Others cannot be read at an offset, nor twice, and may block a worker. */
    if (!S_ISREG(status.st_mode))
        return refuse(request, WEFT_ERR_INVALID_ARGUMENT, 0,
                      "is not a regular file; write it with weft_future_write()");
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_WRONLY)
        return refuse(request, WEFT_ERR_FILE, EBADF, "is not open for reading");
    uint64_t size = (uint64_t)status.st_size;
    if (offset > size || (len != WEFT_TO_END && len > size - offset))
        return refuse(request, WEFT_ERR_INVALID_ARGUMENT, 0, "is shorter than the part to be sent");
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return refuse(request, WEFT_ERR_FILE, errno, "cannot be kept open");
    return wf_request_take_body(request, wf_slice(NULL, 0), own, offset,
                                len != WEFT_TO_END ? len : size - offset, close_file,
                                (void *)(intptr_t)own);
}
