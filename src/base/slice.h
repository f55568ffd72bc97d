/* A borrowed run of octets. A slice owns nothing; who made it says how long it lives. */
#ifndef WF_BASE_SLICE_H
#define WF_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wf_slice {
    const uint8_t *ptr;
    size_t len;
};

/* @ptr + @offset, also of NULL and 0, which C does not define. Compilers see an addition. */
static inline const uint8_t *wf_octets_at(const uint8_t *ptr, size_t offset)
{
    return offset == 0 ? ptr : ptr + offset;
}

static inline struct wf_slice wf_slice(const void *ptr, size_t len)
{
    return (struct wf_slice){(const uint8_t *)ptr, len};
}

/* The octets of a C string without its terminator. */
static inline struct wf_slice wf_slice_str(const char *text)
{
    return wf_slice(text, strlen(text));
}

static inline bool wf_slice_equal(struct wf_slice a, struct wf_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool wf_slice_is(struct wf_slice a, const char *text)
{
    return wf_slice_equal(a, wf_slice_str(text));
}

/* @s without its first @len octets; @len is at most s.len. */
static inline struct wf_slice wf_slice_skip(struct wf_slice s, size_t len)
{
    return wf_slice(wf_octets_at(s.ptr, len), s.len - len);
}

#endif
