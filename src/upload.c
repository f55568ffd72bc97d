/* The public side of a streamed upload. */
#include "io_thread/upload.h"

#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "weft/future.h"
#include "workers/park.h"

/* WEFT_OK: the caller is the writer until it leaves. */
static enum weft_code enter(struct weft_future *future)
{
    if (future == NULL)
        return WEFT_ERR_NO_MEMORY;
    if (future->upload == NULL || future->upload->source != WF_UPLOAD_WRITER)
        return WEFT_ERR_INVALID_ARGUMENT;
    if (wf_engine_is_forked(future->io->engine))
        return WEFT_ERR_FORKED;
    return wf_upload_enter(future->upload) ? WEFT_OK : WEFT_ERR_BUSY;
}

/* True: look again. False: *out_code is what to say when nothing was taken. */
static bool wait_for_room(struct weft_future *future, unsigned seen, bool may_wait,
                          uint64_t deadline_ns, enum weft_code *out_code)
{
    *out_code = WEFT_ERR_TIMEOUT;
    if (!may_wait)
        return false;
    if (!wf_engine_on_worker(future->io->engine))
        return wf_completion_wait_change(&future->completion, seen, deadline_ns);
    *out_code = WEFT_ERR_WOULD_DEADLOCK;
    return false;
}

static enum weft_code write_all(struct weft_future *future, struct wf_slice octets,
                                int64_t timeout_ms, size_t *out_len)
{
    struct wf_upload *upload = future->upload;
    uint64_t deadline_ns = wf_deadline_ns(timeout_ms);
    for (;;) {
        size_t len;
        unsigned seen = wf_completion_observe(&future->completion);
        enum weft_code code = wf_upload_write(upload, octets, &len);
        *out_len += len;
        octets = wf_slice_skip(octets, len);
        if (code != WEFT_OK || octets.len == 0)
            return code;
        if (len > 0 || wait_for_room(future, seen, timeout_ms != 0, deadline_ns, &code))
            continue;
        if (*out_len > 0)
            return WEFT_OK;
        if (code == WEFT_ERR_WOULD_DEADLOCK || !wf_upload_arm(upload))
            return code;
    }
}

enum weft_code weft_future_write(struct weft_future *future, const void *data, size_t len,
                                 int64_t timeout_ms, size_t *out_len)
{
    *out_len = 0;
    if (data == NULL && len > 0)
        return WEFT_ERR_INVALID_ARGUMENT;
    enum weft_code code = enter(future);
    if (code != WEFT_OK)
        return code;
    code = write_all(future, wf_slice(data, len), timeout_ms, out_len);
    wf_upload_leave(future->upload);
    return code;
}

enum weft_code weft_future_add_trailer(struct weft_future *future, const char *name,
                                       const char *value)
{
    if (name == NULL || value == NULL)
        return WEFT_ERR_INVALID_ARGUMENT;
    enum weft_code code = enter(future);
    if (code != WEFT_OK)
        return code;
    code = wf_upload_add_trailer(future->upload, wf_slice_str(name), wf_slice_str(value));
    wf_upload_leave(future->upload);
    return code;
}

enum weft_code weft_future_finish(struct weft_future *future)
{
    enum weft_code code = enter(future);
    if (code != WEFT_OK)
        return code;
    code = wf_upload_finish(future->upload);
    wf_upload_leave(future->upload);
    return code;
}
