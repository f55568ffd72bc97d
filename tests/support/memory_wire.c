#include "support/memory_wire.h"

#include "base/alloc.h"
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct memory_wire *wire_of(const struct wf_transport *t)
{
    return wf_container_of((struct wf_transport *)(uintptr_t)t, struct memory_wire, base);
}

static void must(bool ok)
{
    if (!ok) {
        fputs("memory_wire: out of memory\n", stderr);
        abort();
    }
}

static enum wf_io_result always_ok(struct wf_transport *t)
{
    (void)t;
    return WF_IO_OK;
}

static enum wf_io_result wire_read(struct wf_transport *t, void *to, size_t cap, size_t *out_len)
{
    struct memory_wire *wire = wire_of(t);
    struct wf_slice all = wf_buf_slice(&wire->received);
    *out_len = all.len < cap ? all.len : cap;
    if (*out_len > 0)
        memcpy(to, all.ptr, *out_len);
    wf_buf_consume(&wire->received, *out_len);
    if (wire->ended && all.len == 0)
        return WF_IO_END;
    return *out_len < all.len || wire->ended ? WF_IO_OK : WF_IO_AGAIN;
}

static enum wf_io_result wire_write(struct wf_transport *t, const struct iovec *iov, int count,
                                    size_t *out_len)
{
    struct memory_wire *wire = wire_of(t);
    *out_len = 0;
    for (int i = 0; i < count; i++) {
        must(wf_buf_append(&wire->sent, iov[i].iov_base, iov[i].iov_len));
        *out_len += iov[i].iov_len;
    }
    if (wire->skip > 0) {
        size_t have = wf_buf_len(&wire->sent);
        size_t skip = wire->skip < have ? wire->skip : have;
        wf_buf_consume(&wire->sent, skip);
        wire->skip -= skip;
    }
    return WF_IO_OK;
}

static size_t nothing_unsent(const struct wf_transport *t)
{
    (void)t;
    return 0;
}

static const char *no_protocol(const struct wf_transport *t)
{
    (void)t;
    return NULL;
}

static void wire_free(struct wf_transport *t)
{
    struct memory_wire *wire = wire_of(t);
    wf_buf_fini(&wire->sent);
    wf_buf_fini(&wire->received);
    wf_free(wire);
}

struct memory_wire *memory_wire_new(size_t skip)
{
    static const struct wf_transport_ops ops = {
        .handshake = always_ok,
        .read = wire_read,
        .write = wire_write,
        .flush = always_ok,
        .unsent = nothing_unsent,
        .protocol = no_protocol,
        .free = wire_free,
    };
    struct memory_wire *wire = wf_calloc(1, sizeof(*wire));
    must(wire != NULL);
    wire->base.ops = &ops;
    wire->skip = skip;
    return wire;
}
