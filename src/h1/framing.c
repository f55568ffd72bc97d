#include "h1/framing.h"

#include "base/field_rules.h"

/* 18 digits are below 2^63. */
#define LENGTH_MAX_DIGITS 18u

/* RFC 9110 section 8.6: digits only. Lines that repeat one number count as one, as in HTTP/2; a
 * list in one line is refused. */
static const char *note_length(struct wf_h1_framing *framing, struct wf_slice value)
{
    int64_t number = 0;
    if (value.len == 0 || value.len > LENGTH_MAX_DIGITS)
        return "content-length is not a number that can be";
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return "content-length is not a number";
        number = number * 10 + (value.ptr[i] - '0');
    }
    if (framing->content_length >= 0 && framing->content_length != number)
        return "content-length is given twice and differs";
    framing->content_length = number;
    return NULL;
}

/* RFC 9112 section 6.1. We ask for no other coding (we send no TE but "trailers"), so that no
 * other may be applied. */
static const char *note_coding(struct wf_h1_framing *framing, struct wf_slice value)
{
    if (framing->is_chunked || !wf_slice_is_nocase(value, "chunked"))
        return "transfer-encoding is not chunked, once";
    framing->is_chunked = true;
    return NULL;
}

/* RFC 9110 section 7.6.1: a list of tokens. */
static void note_connection(struct wf_h1_framing *framing, struct wf_slice value)
{
    while (value.len > 0) {
        const uint8_t *comma = memchr(value.ptr, ',', value.len);
        size_t len = comma == NULL ? value.len : (size_t)(comma - value.ptr);
        struct wf_slice option = wf_slice_trim(wf_slice(value.ptr, len));
        if (wf_slice_is_nocase(option, "close"))
            framing->wants_close = true;
        else if (wf_slice_is_nocase(option, "keep-alive"))
            framing->wants_keep_alive = true;
        value = wf_slice_skip(value, comma == NULL ? len : len + 1);
    }
}

const char *wf_h1_framing_note(struct wf_h1_framing *framing, struct wf_slice name,
                               struct wf_slice value)
{
    if (wf_slice_is_nocase(name, "content-length"))
        return note_length(framing, value);
    if (wf_slice_is_nocase(name, "transfer-encoding"))
        return note_coding(framing, value);
    if (wf_slice_is_nocase(name, "connection"))
        note_connection(framing, value);
    return NULL;
}

const char *wf_h1_framing_check(const struct wf_h1_framing *framing, uint16_t status, bool is_1_0)
{
    /* RFC 9112 section 6.3: what a request smuggler sends. */
    if (framing->is_chunked && framing->content_length >= 0)
        return "content-length stands beside transfer-encoding";
    /* RFC 9112 section 6.1: the framing of such a message is faulty. */
    if (framing->is_chunked && is_1_0)
        return "a response of HTTP/1.0 has a transfer-encoding";
    /* RFC 9110 section 15.2.2: we ask for no other protocol. */
    if (status == 101)
        return "101 (Switching Protocols) was not asked for";
    /* RFC 9112 section 6.1 and RFC 9110 section 8.6. */
    if (status < 200 && (framing->is_chunked || framing->content_length > 0))
        return "an informational response announces content";
    return NULL;
}

/* RFC 9112 section 6.3, in its order. */
enum wf_h1_body wf_h1_framing_body(const struct wf_h1_framing *framing, uint16_t status,
                                   bool is_head)
{
    if (is_head || status == 204 || status == 304 || framing->content_length == 0)
        return WF_H1_BODY_NONE;
    if (framing->is_chunked)
        return WF_H1_BODY_CHUNKED;
    return framing->content_length > 0 ? WF_H1_BODY_LENGTH : WF_H1_BODY_UNTIL_CLOSE;
}

bool wf_h1_framing_keeps_alive(const struct wf_h1_framing *framing, uint16_t status, bool is_1_0)
{
    /* A 204 that announces content may well send it: what would follow is anybody's guess. */
    if (status == 204 && (framing->is_chunked || framing->content_length > 0))
        return false;
    if (framing->wants_close)
        return false;
    return !is_1_0 || framing->wants_keep_alive;
}
