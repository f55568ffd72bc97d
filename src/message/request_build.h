/* What the files that build a request share: request.c (creation, body, errors) and
 * request_fields.c. Thread: the builder. */
#ifndef WF_MESSAGE_REQUEST_BUILD_H
#define WF_MESSAGE_REQUEST_BUILD_H

#include "base/alloc.h"
#include "message/request.h"

#define WF_REQUEST_PSEUDO_FIELDS 4u
#define WF_REQUEST_AUTHORITY     2u /* index of :authority */

/* Keeps the first error and returns the code of this one. */
enum weft_code wf_request_remember(struct weft_request *request, const struct weft_error *error);
enum weft_code wf_request_remember_no_memory(struct weft_request *request);
/* @what of the request is NULL. */
enum weft_code wf_request_remember_null(struct weft_request *request, const char *what);

/* @len octets that stay where they are until the request is freed. NULL: out of memory. */
WF_MUST_USE char *wf_request_take_text(struct weft_request *request, size_t len);

/* Appends a field whose text was taken from the request or is static. */
WF_MUST_USE bool wf_request_append_field(struct weft_request *request,
                                         const struct wf_field *field);
void wf_request_remove_field(struct weft_request *request, size_t index);
void wf_request_set_value(struct weft_request *request, size_t index, struct wf_slice value);

/* The caller's content-length is not that of the body. */
static inline bool wf_request_length_is_wrong(const struct weft_request *request)
{
    return request->length_is_given && request->given_length != request->body.len;
}

static inline void wf_request_update_failed(struct weft_request *request)
{
    request->failed = request->error.code != WEFT_OK || wf_request_length_is_wrong(request);
}

/* Octets of @s that a message repeats. */
static inline int wf_request_quoted(struct wf_slice s)
{
    return s.len < 64 ? (int)s.len : 64;
}

#endif
