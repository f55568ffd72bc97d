/* The chunked coding (RFC 9112 section 7.1), up to its last chunk: trailers are the caller's. Takes
 * its input in any pieces. Thread: owner. */
#ifndef WF_H1_CHUNKED_H
#define WF_H1_CHUNKED_H

#include "base/alloc.h"
#include "base/slice.h"
#include "h1/error.h"

#include <stdint.h>

enum wf_h1_chunk_state {
    WF_H1_CHUNK_SIZE,
    WF_H1_CHUNK_SPACE,     /* white space, which only a ';' may follow */
    WF_H1_CHUNK_EXTENSION, /* skipped */
    WF_H1_CHUNK_SIZE_LF,
    WF_H1_CHUNK_DATA,
    WF_H1_CHUNK_DATA_CR,
    WF_H1_CHUNK_DATA_LF,
    WF_H1_CHUNK_LAST /* the size line of the last chunk was read */
};

struct wf_h1_chunked {
    enum wf_h1_chunk_state state;
    uint32_t digits;
    uint64_t size;       /* of the chunk */
    uint64_t left;       /* of its data */
    uint32_t extensions; /* octets of extensions that no content has paid for */
    uint32_t max_extensions;
};

/* @max_extensions: octets of extensions that may come for nothing; each octet of content allows
 * another. */
static inline void wf_h1_chunked_init(struct wf_h1_chunked *chunked, uint32_t max_extensions)
{
    *chunked = (struct wf_h1_chunked){.max_extensions = max_extensions};
}

/* Reads @in up to the next run of content, which is *out_bytes, a part of @in; empty when @in is
 * used up or the last chunk was reached. @in is advanced behind what was read. */
WF_MUST_USE struct wf_h1_err wf_h1_chunked_next(struct wf_h1_chunked *chunked, struct wf_slice *in,
                                                struct wf_slice *out_bytes);

static inline bool wf_h1_chunked_is_over(const struct wf_h1_chunked *chunked)
{
    return chunked->state == WF_H1_CHUNK_LAST;
}

#endif
