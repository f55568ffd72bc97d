/* A file that is sent: a worker reads it, since disks block. */
#include "io_thread/upload.h"

#include "io_thread/engine.h"
#include "io_thread/io_thread.h"

#include <errno.h>
#include <unistd.h>

/* One piece. False: it broke, or there is no room. */
static bool read_piece(struct wf_upload *upload, const struct weft_request *request, size_t room)
{
    size_t len = room;
    uint8_t *at = wf_octet_chain_room(&upload->octets, &len);
    if (at == NULL) {
        wf_upload_break(upload, WEFT_ERR_NO_MEMORY, 0, "there is no memory to read it");
        return false;
    }
    ssize_t got = pread(request->seldom.file_fd, at, len,
                        (off_t)(request->seldom.file_offset + upload->written));
    if (got < 0 && errno == EINTR)
        return true;
    if (got <= 0) {
        wf_upload_break(upload, WEFT_ERR_FILE, got < 0 ? errno : 0,
                        got < 0 ? "it cannot be read" : "it is shorter than it was");
        return false;
    }
    /* Relaxed: counted before it can be taken. */
    atomic_fetch_add_explicit(&upload->waiting, (size_t)got, memory_order_relaxed);
    upload->written += (uint64_t)got;
    wf_octet_chain_wrote(&upload->octets, (size_t)got);
    return true;
}

void wf_upload_fill(struct wf_upload *upload)
{
    struct weft_future *x = upload->exchange;
    const struct weft_request *request = x->request;
    bool going_on = !wf_completion_is_done(&x->completion);
    while (going_on && upload->written < request->seldom.file_len) {
        /* Relaxed: it can only shrink meanwhile. */
        size_t waiting = atomic_load_explicit(&upload->waiting, memory_order_relaxed);
        size_t room = waiting < upload->limit ? upload->limit - waiting : 0;
        uint64_t left = request->seldom.file_len - upload->written;
        if (room == 0)
            break;
        going_on = read_piece(upload, request, room < left ? room : (size_t)left);
    }
    if (upload->written == request->seldom.file_len) /* R20 */
        atomic_fetch_or_explicit(&upload->state, WF_UPLOAD_FINISHED, memory_order_acq_rel);
    wf_exchange_post(x, WF_MESSAGE_UPLOAD);
}
