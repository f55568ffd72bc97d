/* Files of keys and certificates. Read here and not by wolfSSL, which has one answer to a missing
 * file and a broken one. */
#include "io_thread/tls_setup.h"

#include "io_thread/transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX (16u << 20)

bool wf_tls_setup_fail(struct wf_io_error *out_error, enum wf_io_error_kind kind, int sys_errno,
                       int tls_code, const char *what, const char *why)
{
    struct wf_transport carrier = {0};
    (void)wf_io_fail(&carrier, kind, sys_errno, tls_code, "%s%s", what, why);
    *out_error = carrier.error;
    return false;
}

bool wf_tls_setup_no_memory(struct wf_io_error *out_error)
{
    return wf_tls_setup_fail(out_error, WF_IO_ERR_NO_MEMORY, 0, 0, "out of memory", "");
}

/* 0, an errno, or -1 for lack of memory. */
static int read_all(FILE *file, struct wf_buf *into)
{
    for (;;) {
        if (!wf_buf_reserve(into, 65536))
            return -1;
        errno = 0;
        size_t got = fread(wf_buf_tail(into), 1, 65536, file);
        wf_buf_commit(into, got);
        if (wf_buf_len(into) > FILE_MAX)
            return EFBIG;
        if (got == 0)
            return ferror(file) == 0 ? 0 : errno != 0 ? errno : EIO;
    }
}

bool wf_tls_read_file(const char *path, const char *what, struct wf_buf *into,
                      struct wf_io_error *out_error)
{
    FILE *file = fopen(path, "rbe");
    int failure = file == NULL ? errno : read_all(file, into);
    if (file != NULL)
        (void)fclose(file);
    if (failure == 0)
        return true;
    if (failure < 0)
        return wf_tls_setup_no_memory(out_error);
    char name[112];
    (void)snprintf(name, sizeof(name), "cannot read the %s %.60s: ", what, path);
    return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, failure, 0, name, strerror(failure));
}
