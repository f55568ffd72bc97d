/* What to ask. Built by one thread, then submitted as often as one likes, from any thread: the
 * first submission freezes it. Counted: the creator holds a reference, and each submission one of
 * its own until its completion.
 *
 * What is wrong with a request is remembered and arrives through the future of its submission, so
 * that return values here may be ignored; weft_request_check() tells beforehand. */
#ifndef WEFT_REQUEST_H
#define WEFT_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "weft/error.h"
#include "weft/export.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weft_request;

/* @method is copied, for instance "GET"; @url too: http or https, absolute. NULL: out of memory. */
WEFT_API WEFT_MUST_USE struct weft_request *weft_request_new(const char *method, const char *url);
/* A new request like @request, which is frozen by it, to add fields to or give another body: far
 * cheaper than building it again. @request's memory and body stay as long as the copy does. NULL:
 * out of memory. Thread: any, once @request is frozen. */
WEFT_API WEFT_MUST_USE struct weft_request *weft_request_copy(struct weft_request *request);
WEFT_API struct weft_request *weft_request_ref(struct weft_request *request);
/* NULL is a no-op. Thread: any. */
WEFT_API void weft_request_unref(struct weft_request *request);

/* Appends a field line; both are copied. Names are sent in lower case, values without white space
 * at their ends. "host" sets :authority; "user-agent" takes the place of weft's own, and an empty
 * one sends none; "content-length" must be the body's length. WEFT_ERR_INVALID_REQUEST: an octet or
 * a field that RFC 9113 section 8.2 forbids. */
WEFT_API enum weft_code weft_request_add_field(struct weft_request *request, const char *name,
                                               const char *value);
/* The same, and the line is never put in a compression table here or by an intermediary (RFC 7541
 * section 7.1.3). */
WEFT_API enum weft_code weft_request_add_secret_field(struct weft_request *request,
                                                      const char *name, const char *value);

/* The body, @len octets, copied. A content-length field is added. */
WEFT_API enum weft_code weft_request_set_body(struct weft_request *request, const void *body,
                                              size_t len);
/* The same without a copy: @body must not change until @release(@user) is called, which happens
 * once, on any thread, when the request is freed or gets another body, and also when an error is
 * returned; but never after WEFT_ERR_FROZEN. @release may be NULL. */
WEFT_API enum weft_code weft_request_borrow_body(struct weft_request *request, const void *body,
                                                 size_t len, void (*release)(void *user),
                                                 void *user);

/* The body, @len octets of the regular file @fd from @offset on; WEFT_TO_END: to its end as it is
 * now. @fd is duplicated and may be closed at once; its file position is neither used nor changed.
 * A worker reads it while it is sent; a file that turns out to be shorter ends the request with
 * WEFT_ERR_FILE. A content-length field is added. WEFT_ERR_INVALID_ARGUMENT: not a regular file, or
 * shorter than that; WEFT_ERR_FILE: the descriptor cannot be looked at or duplicated, or is not
 * open for reading. */
#define WEFT_TO_END UINT64_MAX
WEFT_API enum weft_code weft_request_set_body_fd(struct weft_request *request, int fd,
                                                 uint64_t offset, uint64_t len);

/* WEFT_OK, or what a submission would fail with; @out_error may be NULL. */
WEFT_API enum weft_code weft_request_check(const struct weft_request *request,
                                           struct weft_error *out_error);

#ifdef __cplusplus
}
#endif
#endif
