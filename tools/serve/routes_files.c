/* Files below --root. Read on the worker's own thread: this is a test server, and its files are few
 * and cached. Every step of the path is opened by itself and no symbolic link is followed, so that
 * nothing outside the folder can be named. */
#include "routes.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LEN_MAX 1024u
#define CHUNK_LEN    65536u

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Undoes percent-encoding. False: malformed, too long, or an octet that no file name of ours has.
 */
static bool decode(struct wf_slice in, char *out, size_t cap)
{
    size_t len = 0;
    for (size_t i = 0; i < in.len; i++) {
        int octet = in.ptr[i];
        if (octet == '%') {
            if (in.len - i < 3)
                return false;
            int high = hex_digit(in.ptr[i + 1]);
            int low = hex_digit(in.ptr[i + 2]);
            if (high < 0 || low < 0)
                return false;
            octet = high * 16 + low;
            i += 2;
        }
        if (octet == 0 || len + 1 >= cap)
            return false;
        out[len++] = (char)octet;
    }
    out[len] = '\0';
    return true;
}

/* Opens @path ("/a/b/c") below @root_fd, segment by segment. Negative: there is no such file. */
static int open_below(int root_fd, char *path)
{
    int folder = dup(root_fd);
    char *rest = path;
    while (folder >= 0) {
        char *name = strsep(&rest, "/");
        bool is_last = rest == NULL;
        if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            break;
        int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (is_last ? 0 : O_DIRECTORY);
        int next = openat(folder, name, flags);
        (void)close(folder);
        if (is_last || next < 0)
            return next;
        folder = next;
    }
    if (folder >= 0)
        (void)close(folder);
    return -1;
}

static void give_chunk(struct serve_exchange *x)
{
    if (x->last_given)
        return;
    wf_buf_consume(&x->out, wf_buf_len(&x->out));
    if (!wf_buf_reserve(&x->out, CHUNK_LEN)) {
        serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
        return;
    }
    size_t want = x->left < CHUNK_LEN ? (size_t)x->left : CHUNK_LEN;
    ssize_t got;
    do {
        got = read(x->fd, wf_buf_tail(&x->out), want);
    } while (got < 0 && errno == EINTR);
    /* The length was promised: a file that became shorter cannot be sent. */
    if (got <= 0) {
        serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
        return;
    }
    wf_buf_commit(&x->out, (size_t)got);
    x->left -= (uint64_t)got;
    serve_exchange_give(x, wf_buf_slice(&x->out), x->left == 0);
}

static void close_file(struct serve_exchange *x)
{
    (void)close(x->fd);
}

static const struct serve_behaviour file_behaviour = {.sent = give_chunk, .over = close_file};

/* Takes over @fd. */
static void serve_file(struct serve_connection *c, const struct serve_request *request, int fd,
                       uint64_t len)
{
    struct serve_exchange *x = serve_exchange_begin(c, request, &file_behaviour);
    if (x == NULL) {
        (void)close(fd);
        return;
    }
    x->fd = fd;
    x->left = len;
    struct serve_spec spec = {.status = 200, .type = SERVE_TYPE_OCTETS, .length = (int64_t)len};
    if (serve_exchange_head(x, &spec, len == 0) && !x->is_head && len > 0)
        give_chunk(x);
}

void serve_files(struct serve_connection *c, const struct serve_request *request)
{
    char path[PATH_LEN_MAX];
    struct stat status;
    int root_fd = c->worker->site->root_fd;
    int fd = -1;
    if (root_fd >= 0 && request->arguments.len > 1 &&
        decode(wf_slice_skip(request->arguments, 1), path, sizeof(path)))
        fd = open_below(root_fd, path);
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size >= 0) {
        serve_file(c, request, fd, (uint64_t)status.st_size);
        return;
    }
    if (fd >= 0)
        (void)close(fd);
    /* Not remembered: the file may be there next time. */
    struct serve_request unremembered = *request;
    unremembered.section = NULL;
    serve_not_found(c, &unremembered);
}
