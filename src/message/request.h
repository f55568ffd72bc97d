/* What to ask, ready to be encoded: the public weft_request, as I/O threads and the API see it.
 *
 * Built by one thread. From wf_request_freeze() on nothing changes any more, so that any thread may
 * read it without a lock. Setters keep the field array complete at every moment (defaults
 * included), which leaves freezing nothing to do that two threads could do at once.
 *
 * | may overlap           | ref, unref | freeze | accessors | setters |
 * | ref, unref            | yes        | yes    | yes       | yes     |
 * | freeze, accessors     | yes        | yes    | yes       | no      |
 * | setters, when frozen  | yes        | yes    | yes       | yes: they change nothing | */
#ifndef WF_MESSAGE_REQUEST_H
#define WF_MESSAGE_REQUEST_H

#include "base/field.h"
#include "message/url.h"
#include "weft/request.h"

#include <stdatomic.h>

/* Octets of all names and values together: far above what servers take, and small enough that no
 * sum overflows. */
#define WF_REQUEST_FIELDS_MAX_LEN (16u << 20)
#define WF_REQUEST_METHOD_MAX_LEN 64u
/* Field lines for which a new request has room without another allocation. */
#define WF_REQUEST_INLINE_FIELDS 10u

struct wf_request_chunk;
struct wf_pool;

/* What few requests have. Of a copy that has none of it, not initialised. */
struct wf_request_seldom {
    const struct weft_error *error; /* what was wrong first; if is_invalid */
    uint64_t given_length;          /* if length_is_given */
    uint64_t file_offset;           /* if has_file */
    uint64_t file_len;
    void *release_user; /* if release is set */
    int file_fd;        /* closed by release */
};

/* A program may have thousands, each with a few copies in flight, more than a core's caches hold:
 * what making, submitting and freeing a copy touch comes first, its fields included. */
struct weft_request {
    /* Any thread; atomic. */
    atomic_uint refs;
    atomic_bool frozen;
    atomic_bool repeated; /* was submitted more than once */

    /* The builder's until frozen; constant afterwards. */
    bool error_is_own;              /* error goes with the request */
    _Atomic(struct wf_pool *) pool; /* of a copy's block, and of copies of this request; or NULL */

    /* From here on also the builder's; a copy begins with what its original has. */
    bool failed;     /* the submission must fail with wf_request_error() */
    bool is_invalid; /* and would with any body */
    bool is_head;
    bool is_idempotent; /* RFC 9110 section 9.2.2 */
    bool is_trace;
    bool length_is_given;  /* content-length is the caller's, not ours */
    bool expects_continue; /* has "expect: 100-continue" */
    bool has_file;         /* the body is in a file */
    uint32_t field_count;
    uint32_t field_cap;
    uint32_t fields_len;       /* octets of all names and values */
    uint32_t text_left;        /* octets at text */
    struct weft_request *like; /* of a copy: owns the text and the body that it began with */
    struct wf_field *fields;
    struct wf_request_chunk *chunks; /* text that did not fit behind this struct */
    void (*release)(void *user);
    struct wf_slice body;
    char *text;               /* free text room of the newest chunk */
    uint64_t id;              /* of this process, from 1; never used twice */
    uint32_t agent_index;     /* of user-agent in fields; 0: it is not sent */
    uint32_t length_index;    /* of content-length in fields; 0: it is not sent */
    const struct wf_url *url; /* a copy's is that of the original */
    struct wf_url_origin origin;
    struct wf_field inline_fields[WF_REQUEST_INLINE_FIELDS];
    struct wf_request_seldom seldom;
    char length_text[24]; /* our own content-length */
};

/* Ends the building. Cheap when it has been done. Thread: any. */
static inline void wf_request_freeze(struct weft_request *request)
{
    /* Relaxed: nothing is published by the flag. A thread that submits got the request, and all
     * that was written to it, from its builder by the caller's own means. */
    if (!atomic_load_explicit(&request->frozen, memory_order_relaxed))
        atomic_store_explicit(&request->frozen, true, memory_order_relaxed);
}

/* A submission begins: freezes, and notes whether there was one before. Thread: any. */
static inline void wf_request_submitted(struct weft_request *request)
{
    /* Relaxed: a hint. Whoever misses it encodes the fields once more. */
    if (!atomic_load_explicit(&request->frozen, memory_order_relaxed))
        wf_request_freeze(request);
    else if (!atomic_load_explicit(&request->repeated, memory_order_relaxed))
        atomic_store_explicit(&request->repeated, true, memory_order_relaxed);
}

/* Whether the submission must fail; wf_request_error() then says with what. */
static inline bool wf_request_is_failed(const struct weft_request *request)
{
    return request->failed;
}

/* Whether it must fail however long its body turns out to be. */
static inline bool wf_request_is_invalid(const struct weft_request *request)
{
    return request->is_invalid;
}

void wf_request_error(const struct weft_request *request, struct weft_error *out_error);

/* :method, :scheme, :authority and :path in this order, then the others. Valid as long as a
 * reference is held. */
static inline const struct wf_field *wf_request_fields(const struct weft_request *request)
{
    return request->fields;
}

static inline size_t wf_request_field_count(const struct weft_request *request)
{
    return request->field_count;
}

/* Of a body in memory. */
static inline struct wf_slice wf_request_body(const struct weft_request *request)
{
    return request->body;
}

/* Octets of the body, in memory or in a file. */
static inline uint64_t wf_request_body_len(const struct weft_request *request)
{
    return request->has_file ? request->seldom.file_len : request->body.len;
}

/* The body, if there is one, does not simply lie in memory to be sent at once. */
static inline bool wf_request_has_source(const struct weft_request *request)
{
    return (request->has_file | request->expects_continue) && wf_request_body_len(request) > 0;
}

static inline struct wf_slice wf_request_method(const struct weft_request *request)
{
    return request->fields[0].value;
}

/* What connections are shared by. Not of a failed request. */
static inline const struct wf_url_origin *wf_request_origin(const struct weft_request *request)
{
    return &request->origin;
}

/* Scheme, host and port. Not of a failed request. */
static inline const struct wf_url *wf_request_url(const struct weft_request *request)
{
    return request->url;
}

/* A number for this request's fields, unique in the process: a cache key of encoded blocks. 0, no
 * key, for a request that was submitted only once: nothing would be found in its place again. */
static inline uint64_t wf_request_cache_key(const struct weft_request *request)
{
    /* Relaxed: see wf_request_submitted(). */
    return atomic_load_explicit(&request->repeated, memory_order_relaxed) ? request->id : 0;
}

#endif
