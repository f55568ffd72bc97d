/* The memory of one response: status, header section, trailer section and collected body. Embedded
 * in an exchange, hence small. Thread: owner (the I/O thread, then whoever holds the completion).
 *
 * The first octets go into one block of the client's pool, so that a small response costs no
 * allocation; what does not fit is allocated apart. A function that returns false was out of memory
 * and changed nothing. */
#ifndef WF_MESSAGE_RESPONSE_H
#define WF_MESSAGE_RESPONSE_H

#include "base/alloc.h"
#include "base/field.h"

struct wf_pool;

#define WF_RESPONSE_BLOCK_LEN 1016u /* of the pool's blocks: with its pointer, 1 KiB */
/* The most that is allocated for a body at once on the strength of its content-length, which may
 * be a lie. */
#define WF_RESPONSE_FIRST_BODY_MAX (1u << 20)

struct wf_response_section {
    struct wf_response_section *trailers; /* behind a header section; NULL: none came */
    uint32_t count;
    uint32_t octets_len;
    struct wf_field_line lines[]; /* and behind them the octets that they point into */
};

struct wf_response {
    uint8_t *block; /* of the pool; NULL: none was needed yet */
    uint8_t *body;
    size_t body_len;
    size_t body_cap;
    struct wf_response_section *head; /* in the block, or allocated; NULL: none yet */
    uint16_t status;                  /* 0: no head yet */
    uint16_t block_used;
};

static inline void wf_response_init(struct wf_response *response)
{
    *response = (struct wf_response){0};
}

/* Gives everything back and leaves an empty response. */
void wf_response_fini(struct wf_response *response, struct wf_pool *pool);

/* Copies the header section, leading pseudo-header fields left out. Once for each response. */
WF_MUST_USE bool wf_response_set_head(struct wf_response *response, struct wf_pool *pool,
                                      uint16_t status, const struct wf_field_section *section);
/* Once for each response, after its head, when the body is complete. */
WF_MUST_USE bool wf_response_set_trailers(struct wf_response *response, struct wf_pool *pool,
                                          const struct wf_field_section *section);

/* Appends to the body, which stays in one piece; it may move. @content_length: what the header
 * section said, or -1. The caller limits the body's length. */
WF_MUST_USE bool wf_response_append_body(struct wf_response *response, struct wf_pool *pool,
                                         struct wf_slice bytes, int64_t content_length);
/* Frees the body, which is empty afterwards. */
void wf_response_drop_body(struct wf_response *response);

/* @s may be NULL. */
static inline struct wf_field_section wf_response_section(const struct wf_response_section *s)
{
    struct wf_field_section section = {0};

    if (s != NULL) {
        section.lines = s->lines;
        section.octets = (const uint8_t *)(s->lines + s->count);
        section.count = s->count;
        section.octets_len = s->octets_len;
    }
    return section;
}

/* Without size and serial. Empty until it was set. */
static inline struct wf_field_section wf_response_fields(const struct wf_response *response)
{
    return wf_response_section(response->head);
}

static inline struct wf_field_section wf_response_trailers(const struct wf_response *response)
{
    return wf_response_section(response->head != NULL ? response->head->trailers : NULL);
}

static inline struct wf_slice wf_response_body(const struct wf_response *response)
{
    return wf_slice(response->body, response->body_len);
}

static inline int wf_response_status(const struct wf_response *response)
{
    return response->status;
}

#endif
