/* One exchange and its completion. Counted, and outlives the client. Every call is legal on every
 * thread. Dropping the last reference before completion cancels the request.
 *
 * NULL, which a submission returns when memory ran out, is taken by every call but
 * weft_future_ref(): it is the future of a request that failed with WEFT_ERR_NO_MEMORY.
 *
 * What a call returns by pointer belongs to the future and lives as long as the caller's reference.
 */
#ifndef WEFT_FUTURE_H
#define WEFT_FUTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/error.h"
#include "weft/export.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weft_future;

/* A field line of a response; neither text ends in a NUL. */
struct weft_field {
    const char *name; /* lower case */
    size_t name_len;
    const char *value;
    size_t value_len;
};

struct weft_body {
    const void *data;
    size_t len;
};

WEFT_API struct weft_future *weft_future_ref(struct weft_future *future);
/* NULL is a no-op. */
WEFT_API void weft_future_unref(struct weft_future *future);

/* Waits at most @timeout_ms (0: looks; WEFT_FOREVER) for the completion. WEFT_OK: a complete
 * response is there. WEFT_ERR_TIMEOUT: not yet. Else: how the request ended.
 * Inside a callback of the same client, for a future that is not done: WEFT_ERR_WOULD_DEADLOCK. */
WEFT_API enum weft_code weft_future_wait(struct weft_future *future, int64_t timeout_ms);
/* The same for the head of the response: WEFT_OK when status and fields are there. Of a request
 * that is told by a callback or a queue and whose body is not streamed, it returns at completion.
 */
WEFT_API enum weft_code weft_future_wait_response(struct weft_future *future, int64_t timeout_ms);
WEFT_API bool weft_future_is_done(const struct weft_future *future);

/* Ends the request, which completes with WEFT_ERR_CANCELLED unless it was done before. Never
 * blocks. */
WEFT_API void weft_future_cancel(struct weft_future *future);

/* After completion: how it ended; code is WEFT_OK for a complete response. Before: NULL. */
WEFT_API const struct weft_error *weft_future_error(const struct weft_future *future);

/* The response, once its head is there; else 0, 0, false, empty. A response that broke off keeps
 * what had come. */
WEFT_API int weft_future_status(const struct weft_future *future);
WEFT_API size_t weft_future_field_count(const struct weft_future *future);
WEFT_API bool weft_future_field_at(const struct weft_future *future, size_t index,
                                   struct weft_field *out_field);
/* The first field line called @name (lower case); false: none. */
WEFT_API bool weft_future_field(const struct weft_future *future, const char *name,
                                struct weft_field *out_field);
/* Informational (1xx) responses that came so far, such as 103 (RFC 8297), in their order; none
 * comes after the head of the response. Of a streamed body each makes a READABLE event. */
WEFT_API size_t weft_future_informational_count(const struct weft_future *future);
/* The status of informational response @index; 0: there is none. */
WEFT_API int weft_future_informational_status(const struct weft_future *future, size_t index);
/* Field @field of informational response @index; false: there is none. */
WEFT_API bool weft_future_informational_field_at(const struct weft_future *future, size_t index,
                                                 size_t field, struct weft_field *out_field);

/* Trailers, after completion. */
WEFT_API size_t weft_future_trailer_count(const struct weft_future *future);
WEFT_API bool weft_future_trailer_at(const struct weft_future *future, size_t index,
                                     struct weft_field *out_field);

/* The collected body, after completion. Empty for streamed and discarded bodies. */
WEFT_API struct weft_body weft_future_body(const struct weft_future *future);
/* Octets of body that came so far, however delivered. */
WEFT_API uint64_t weft_future_body_len(const struct weft_future *future);

/* WEFT_STREAM_BODY: copies up to @cap octets of the body to @buf, waiting up to @timeout_ms for the
 * first. WEFT_OK with *out_len 0: the body ended, and the response is complete. What is read is
 * returned to the sender as flow-control credit; what is not read stops this sender, nobody else.
 * WEFT_ERR_TIMEOUT: nothing yet. Other codes: the request failed; what had come before it was
 * delivered first. One reader at a time. */
WEFT_API enum weft_code weft_future_read(struct weft_future *future, void *buf, size_t cap,
                                         int64_t timeout_ms, size_t *out_len);

/* What the request was sent with last, as ALPN has it: "h2" or "http/1.1". Once its response has
 * begun or it is done; NULL: it was not sent. Static storage. */
WEFT_API const char *weft_future_protocol(const struct weft_future *future);

/* The tag given at submission. */
WEFT_API void *weft_future_tag(const struct weft_future *future);

#ifdef __cplusplus
}
#endif
#endif
