/* What the files that build a request share: request.c (creation, body, errors),
 * request_copy.c and request_fields.c. Thread: the builder. */
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

/* A number that no other request of this process has. */
uint64_t wf_request_next_id(void);

/* Gives back the memory of @request itself. Of a copy, `like` still lives. */
void wf_request_free_block(struct weft_request *request);

/* Appends a field whose text was taken from the request or is static. */
WF_MUST_USE bool wf_request_append_field(struct weft_request *request,
                                         const struct wf_field *field);
void wf_request_remove_field(struct weft_request *request, size_t index);

/* Takes over a body: @fd is a file's, of which @body's length is not used, or -1. See
 * weft_request_borrow_body(). */
enum weft_code wf_request_take_body(struct weft_request *request, struct wf_slice body, int fd,
                                    uint64_t offset, uint64_t len, void (*release)(void *user),
                                    void *user);
void wf_request_set_value(struct weft_request *request, size_t index, struct wf_slice value);

/* The caller's content-length is not that of the body. */
static inline bool wf_request_length_is_wrong(const struct weft_request *request)
{
    return request->length_is_given && request->seldom.given_length != wf_request_body_len(request);
}

static inline void wf_request_update_failed(struct weft_request *request)
{
    request->failed = request->is_invalid || wf_request_length_is_wrong(request);
}

/* RFC 9113 section 8.2: octets and sizes of a field line that is to be sent behind @fields_len
 * octets of others. False: *@error says what is wrong. */
WF_MUST_USE bool wf_request_check_octets(size_t fields_len, struct wf_slice name,
                                         struct wf_slice value, struct weft_error *error);

/* Octets of @s that a message repeats. */
static inline int wf_request_quoted(struct wf_slice s)
{
    return s.len < 64 ? (int)s.len : 64;
}

#endif
