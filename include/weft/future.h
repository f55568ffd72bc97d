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

#define WEFT_ADDRESS_TEXT_LEN 128

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
/* Octets of body that came, however delivered; 0 before completion. */
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

/* What a request took. Set size to sizeof(struct weft_timings) before the call. Times are in ns
 * from submission, exact to a turn of the I/O thread's loop; -1: not reached, or not a part of this
 * request (a connection that was open before needs no name). */
struct weft_timings {
    size_t size;
    int64_t queue_ns;           /* until it was given to the connection it was last sent on */
    int64_t resolve_ns;         /* until that connection's address was known */
    int64_t connect_ns;         /* until it was connected */
    int64_t tls_ns;             /* until TLS was up */
    int64_t sent_ns;            /* until the last octet of the request was written */
    int64_t head_ns;            /* until the head of the response was there */
    int64_t done_ns;            /* until it was complete or had failed */
    uint64_t connection;        /* its number, as in the trace and the log; 0: none */
    uint64_t octets_sent;       /* of the request's content, by the last try, whether the server
                                   read them or not */
    uint64_t octets_received;   /* of the response's content */
    unsigned tries;             /* times it was given to a connection */
    bool connection_was_reused; /* it had been given another request before */
    char protocol[16];          /* as ALPN has it: "h2", "http/1.1"; "": none */
    char address[WEFT_ADDRESS_TEXT_LEN]; /* "192.0.2.1:443", "[::1]:443", "/run/socket", "@name";
                                            "": none */
};

/* After completion: fills @timings up to timings->size. Before: false, and nothing happens. */
WEFT_API bool weft_future_timings(const struct weft_future *future, struct weft_timings *timings);

/* After completion: how often the request was given to a connection; 0: never. */
WEFT_API unsigned weft_future_tries(const struct weft_future *future);

/* WEFT_STREAM_UPLOAD: takes up to @len octets of the request's body from @data, copying them to a
 * buffer of config.upload_buffer octets. When that is full it waits up to @timeout_ms (0: not at
 * all; WEFT_FOREVER) for room until all are taken. WEFT_OK: *out_len of them were taken, at least
 * one unless @len is 0; fewer than @len when the time was over. WEFT_ERR_TIMEOUT: none. Octets may
 * be written before there is a connection.
 * WEFT_ERR_UPLOAD_OVER: the body was finished, or the response is complete and the server wants no
 * more, which is a success. WEFT_ERR_INVALID_REQUEST: more than the content-length field says; the
 * request ends with that error. WEFT_ERR_BUSY: another thread is writing. WEFT_ERR_WOULD_DEADLOCK:
 * there is no room, inside a callback of the same client. WEFT_ERR_NO_MEMORY: try again. Other
 * codes: how the request ended. */
WEFT_API enum weft_code weft_future_write(struct weft_future *future, const void *data, size_t len,
                                          int64_t timeout_ms, size_t *out_len);
/* Adds a field to the trailers, which are sent when the body is finished; both texts are copied.
 * Over HTTP/1.1 they need a body that goes in chunks: one without a content-length field, or whose
 * request says by a field "trailer" (RFC 9110 section 6.6.2) that some will follow, or that was
 * finished before it was sent. Else the request ends with WEFT_ERR_INVALID_REQUEST.
 * WEFT_ERR_INVALID_REQUEST: an octet or a field that has no place there. Never blocks. */
WEFT_API enum weft_code weft_future_add_trailer(struct weft_future *future, const char *name,
                                                const char *value);
/* What was written is the whole body. Only this ends it cleanly: when the request is cancelled, or
 * its last reference dropped, before this, the server sees a stream that was reset.
 * WEFT_OK also when the response is complete already and as much was written as the content-length
 * field says. WEFT_ERR_INVALID_REQUEST: less, and the request ends with that error. Else as
 * weft_future_write(). Never blocks. */
WEFT_API enum weft_code weft_future_finish(struct weft_future *future);

/* The tag given at submission. */
WEFT_API void *weft_future_tag(const struct weft_future *future);

#ifdef __cplusplus
}
#endif
#endif
