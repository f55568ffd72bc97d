#include "message/response.h"

#include "base/assert.h"
#include "base/pool.h"

#define BODY_CAP_MIN 4096u

_Static_assert(sizeof(struct wf_response) <= 48, "one is embedded in each exchange");
_Static_assert(WF_RESPONSE_BLOCK_LEN <= UINT16_MAX, "block_used counts it");
_Static_assert(_Alignof(struct wf_response_section) <= 8, "sections in the block are aligned to 8");

static bool is_in_block(const struct wf_response *response, const void *ptr)
{
    uintptr_t at = (uintptr_t)ptr;
    uintptr_t block = (uintptr_t)response->block;

    return response->block != NULL && at >= block && at - block < WF_RESPONSE_BLOCK_LEN;
}

/* Takes the block if it was not there, and rounds what is used of it up for a section. Returns the
 * room that is left; 0 without memory for a block. */
static size_t reach_block(struct wf_response *response, struct wf_pool *pool)
{
    if (response->block == NULL) {
        response->block = wf_pool_take(pool);
        if (response->block == NULL)
            return 0;
        response->block_used = 0;
    }
    response->block_used = (uint16_t)((response->block_used + 7u) & ~7u);
    return WF_RESPONSE_BLOCK_LEN - response->block_used;
}

/* @len octets that hold until wf_response_fini(), from the block where they fit. */
static void *take(struct wf_response *response, struct wf_pool *pool, size_t len)
{
    if (len <= WF_RESPONSE_BLOCK_LEN && len <= reach_block(response, pool)) {
        void *ptr = response->block + response->block_used;
        response->block_used = (uint16_t)(response->block_used + len);
        return ptr;
    }
    return wf_alloc(len);
}

/* Copies the lines of @section from @first on. The octets of the lines before stay in the copy, so
 * that no offset changes. NULL: out of memory. */
static struct wf_response_section *copy_section(struct wf_response *response, struct wf_pool *pool,
                                                const struct wf_field_section *section,
                                                uint32_t first)
{
    const size_t most = SIZE_MAX - sizeof(struct wf_response_section) - section->octets_len;
    uint32_t count = section->count - first;
    if (count > most / sizeof(struct wf_field_line))
        return NULL;
    size_t lines_len = count * sizeof(struct wf_field_line);
    struct wf_response_section *copy =
        take(response, pool, sizeof(*copy) + lines_len + section->octets_len);
    if (copy == NULL)
        return NULL;
    copy->trailers = NULL;
    copy->count = count;
    copy->octets_len = section->octets_len;
    if (count > 0)
        memcpy(copy->lines, section->lines + first, lines_len);
    if (section->octets_len > 0)
        memcpy(copy->lines + count, section->octets, section->octets_len);
    return copy;
}

static void free_section(const struct wf_response *response, struct wf_response_section *section)
{
    if (section != NULL && !is_in_block(response, section))
        wf_free(section);
}

bool wf_response_set_head(struct wf_response *response, struct wf_pool *pool, uint16_t status,
                          const struct wf_field_section *section)
{
    uint32_t first = 0;

    wf_assert(response->status == 0 && status != 0 && response->body == NULL);
    while (first < section->count && section->lines[first].name_len > 0 &&
           section->octets[section->lines[first].offset] == ':')
        first++;
    response->head = copy_section(response, pool, section, first);
    if (response->head == NULL)
        return false;
    response->status = status;
    return true;
}

bool wf_response_set_trailers(struct wf_response *response, struct wf_pool *pool,
                              const struct wf_field_section *section)
{
    wf_assert(response->head != NULL && response->head->trailers == NULL);
    response->head->trailers = copy_section(response, pool, section, 0);
    return response->head->trailers != NULL;
}

/* Whether the body is in the block with nothing behind it. */
static bool body_can_grow_in_block(const struct wf_response *response)
{
    return is_in_block(response, response->body) &&
           response->body + response->body_len == response->block + response->block_used;
}

/* What to allocate for a body of which @len octets are there. */
static size_t choose_cap(const struct wf_response *response, size_t len, int64_t content_length)
{
    size_t cap = BODY_CAP_MIN;

    if (response->body_cap > 0)
        cap = response->body_cap <= SIZE_MAX / 2 ? response->body_cap * 2 : len;
    else if (content_length >= 0)
        cap = content_length < (int64_t)WF_RESPONSE_FIRST_BODY_MAX ? (size_t)content_length
                                                                   : WF_RESPONSE_FIRST_BODY_MAX;
    /* Not above the whole, so that the last doubling wastes nothing. */
    if (content_length >= 0 && (uint64_t)content_length >= len && (uint64_t)content_length < cap)
        cap = (size_t)content_length;
    return cap > len ? cap : len;
}

/* Moves the body to memory of its own, or grows that. */
WF_SELDOM static bool grow_body(struct wf_response *response, size_t len, int64_t content_length)
{
    bool from_block = is_in_block(response, response->body);
    size_t cap = choose_cap(response, len, content_length);
    uint8_t *body = from_block ? wf_alloc(cap) : wf_realloc(response->body, cap);

    if (body == NULL)
        return false;
    if (from_block) {
        if (response->body_len > 0)
            memcpy(body, response->body, response->body_len);
        if (body_can_grow_in_block(response))
            response->block_used = (uint16_t)(response->body - response->block);
    }
    response->body = body;
    response->body_cap = cap;
    return true;
}

/* Makes room in the block when the body fits there for all that is known of it. */
static bool fit_in_block(struct wf_response *response, struct wf_pool *pool, size_t len,
                         int64_t content_length)
{
    size_t whole = len;

    if (content_length > (int64_t)WF_RESPONSE_BLOCK_LEN)
        return false;
    if (content_length > 0 && (size_t)content_length > whole)
        whole = (size_t)content_length;
    if (response->body == NULL) {
        if (whole > WF_RESPONSE_BLOCK_LEN || whole > reach_block(response, pool))
            return false;
        response->body = response->block + response->block_used;
    } else if (!body_can_grow_in_block(response) ||
               whole > (size_t)(response->block + WF_RESPONSE_BLOCK_LEN - response->body)) {
        return false;
    }
    response->block_used = (uint16_t)(response->body - response->block + (ptrdiff_t)len);
    return true;
}

bool wf_response_append_body(struct wf_response *response, struct wf_pool *pool,
                             struct wf_slice bytes, int64_t content_length)
{
    if (bytes.len == 0)
        return true;
    if (bytes.len > SIZE_MAX - response->body_len)
        return false;
    size_t len = response->body_len + bytes.len;
    if (len > response->body_cap && !fit_in_block(response, pool, len, content_length) &&
        !grow_body(response, len, content_length))
        return false;
    memcpy(response->body + response->body_len, bytes.ptr, bytes.len);
    response->body_len = len;
    return true;
}

void wf_response_drop_body(struct wf_response *response)
{
    if (!is_in_block(response, response->body))
        wf_free(response->body);
    else if (body_can_grow_in_block(response))
        response->block_used = (uint16_t)(response->body - response->block);
    response->body = NULL;
    response->body_len = 0;
    response->body_cap = 0;
}

void wf_response_fini(struct wf_response *response, struct wf_pool *pool)
{
    if (response->head != NULL) {
        free_section(response, response->head->trailers);
        free_section(response, response->head);
    }
    if (response->body != NULL && !is_in_block(response, response->body))
        wf_free(response->body);
    if (response->block != NULL)
        wf_pool_give(pool, response->block);
    wf_response_init(response);
}
