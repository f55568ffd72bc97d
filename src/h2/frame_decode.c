#include "h2/frame_decode.h"

/* What a frame header must look like, by type (RFC 9113 section 6). */
enum on_stream { ON_STREAM, ON_CONNECTION, ON_EITHER };

struct frame_rule {
    uint8_t on;           /* enum on_stream */
    uint8_t length_scope; /* enum wf_h2_scope of a wrong length */
    uint8_t min_len;
    bool exact; /* min_len is the only length */
};

static const struct frame_rule frame_rules[] = {
    [WF_H2_FRAME_DATA] = {ON_STREAM, WF_H2_SCOPE_CONNECTION, 0, false},
    [WF_H2_FRAME_HEADERS] = {ON_STREAM, WF_H2_SCOPE_CONNECTION, 0, false},
    [WF_H2_FRAME_PRIORITY] = {ON_STREAM, WF_H2_SCOPE_STREAM, 5, true},
    [WF_H2_FRAME_RST_STREAM] = {ON_STREAM, WF_H2_SCOPE_CONNECTION, 4, true},
    [WF_H2_FRAME_SETTINGS] = {ON_CONNECTION, WF_H2_SCOPE_CONNECTION, 0, false},
    [WF_H2_FRAME_PUSH_PROMISE] = {ON_STREAM, WF_H2_SCOPE_CONNECTION, 4, false},
    [WF_H2_FRAME_PING] = {ON_CONNECTION, WF_H2_SCOPE_CONNECTION, 8, true},
    [WF_H2_FRAME_GOAWAY] = {ON_CONNECTION, WF_H2_SCOPE_CONNECTION, 8, false},
    [WF_H2_FRAME_WINDOW_UPDATE] = {ON_EITHER, WF_H2_SCOPE_CONNECTION, 4, true},
    [WF_H2_FRAME_CONTINUATION] = {ON_STREAM, WF_H2_SCOPE_CONNECTION, 0, false},
};

static bool fail(struct wf_h2_err *out_err, enum wf_h2_scope scope, enum wf_h2_code code,
                 const char *reason)
{
    *out_err = (struct wf_h2_err){scope, code, reason};
    return false;
}

static bool fail_connection(struct wf_h2_err *out_err, enum wf_h2_code code, const char *reason)
{
    return fail(out_err, WF_H2_SCOPE_CONNECTION, code, reason);
}

/* Octets that the flags put in front of the rest of the payload. */
static uint32_t optional_len(const struct wf_h2_frame_header *header)
{
    uint32_t len = 0;
    if (header->type != WF_H2_FRAME_DATA && header->type != WF_H2_FRAME_HEADERS &&
        header->type != WF_H2_FRAME_PUSH_PROMISE)
        return 0;
    if ((header->flags & WF_H2_FLAG_PADDED) != 0)
        len += 1;
    if (header->type == WF_H2_FRAME_HEADERS && (header->flags & WF_H2_FLAG_PRIORITY) != 0)
        len += 5;
    return len;
}

static bool settings_len_ok(const struct wf_h2_frame_header *header, struct wf_h2_err *out_err)
{
    /* RFC 9113 section 6.5. */
    if ((header->flags & WF_H2_FLAG_ACK) != 0 && header->len != 0)
        return fail_connection(out_err, WF_H2_FRAME_SIZE_ERROR, "a SETTINGS ACK is not empty");
    if (header->len % 6 != 0)
        return fail_connection(out_err, WF_H2_FRAME_SIZE_ERROR,
                               "the length of SETTINGS is not a multiple of 6");
    return true;
}

bool wf_h2_frame_header_check_slow(const struct wf_h2_frame_header *header, uint32_t max_frame_size,
                                   struct wf_h2_err *out_err)
{
    /* RFC 9113 section 4.2; an error of the connection is always allowed, section 5.4.1. */
    if (WF_UNLIKELY(header->len > max_frame_size))
        return fail_connection(out_err, WF_H2_FRAME_SIZE_ERROR,
                               "a frame is longer than MAX_FRAME_SIZE");
    if (header->type >= sizeof(frame_rules) / sizeof(frame_rules[0]))
        return true;
    const struct frame_rule *rule = &frame_rules[header->type];
    if (WF_UNLIKELY(rule->on == ON_STREAM && header->stream_id == 0))
        return fail_connection(out_err, WF_H2_PROTOCOL_ERROR,
                               "a frame that belongs to a stream came on stream 0");
    if (WF_UNLIKELY(rule->on == ON_CONNECTION && header->stream_id != 0))
        return fail_connection(out_err, WF_H2_PROTOCOL_ERROR,
                               "a frame that belongs to the connection came on a stream");
    if (WF_UNLIKELY(rule->exact && header->len != rule->min_len))
        return fail(out_err, (enum wf_h2_scope)rule->length_scope, WF_H2_FRAME_SIZE_ERROR,
                    "a frame of fixed length has another length");
    if (WF_UNLIKELY(header->len < rule->min_len + optional_len(header)))
        return fail_connection(out_err, WF_H2_FRAME_SIZE_ERROR,
                               "a frame is too short for what it must hold");
    return header->type != WF_H2_FRAME_SETTINGS || settings_len_ok(header, out_err);
}

bool wf_h2_data_decode_padded(const struct wf_h2_frame_header *header, uint8_t pad,
                              uint32_t *out_data_len, uint32_t *out_pad_len,
                              struct wf_h2_err *out_err)
{
    /* RFC 9113 section 6.1: padding as long as the payload or longer. */
    if (pad >= header->len)
        return fail_connection(out_err, WF_H2_PROTOCOL_ERROR,
                               "the padding of DATA is longer than the frame");
    *out_data_len = header->len - 1 - pad;
    *out_pad_len = pad;
    return true;
}

/* Takes the pad length octet and the padding off. */
static bool strip_padding(const struct wf_h2_frame_header *header, struct wf_slice *payload,
                          uint32_t mandatory_len, struct wf_h2_err *out_err)
{
    if ((header->flags & WF_H2_FLAG_PADDED) == 0)
        return true;
    size_t pad = payload->ptr[0];
    *payload = wf_slice_skip(*payload, 1);
    /* RFC 9113 sections 6.2 and 6.6: more than what is left for the fragment. */
    if (payload->len < mandatory_len || pad > payload->len - mandatory_len)
        return fail_connection(out_err, WF_H2_PROTOCOL_ERROR,
                               "the padding of a field block is longer than the frame");
    payload->len -= pad;
    return true;
}

static struct wf_h2_priority get_priority(const uint8_t *p)
{
    return (struct wf_h2_priority){
        .depends_on = wf_h2_get_u31(p), .exclusive = (p[0] & 0x80) != 0, .weight = p[4]};
}

bool wf_h2_headers_decode(const struct wf_h2_frame_header *header, const uint8_t *payload,
                          struct wf_h2_headers_payload *out, struct wf_h2_err *out_err)
{
    bool has_priority = (header->flags & WF_H2_FLAG_PRIORITY) != 0;
    struct wf_slice rest = wf_slice(payload, header->len);
    if (!strip_padding(header, &rest, has_priority ? 5 : 0, out_err))
        return false;
    out->has_priority = has_priority;
    if (has_priority) {
        out->priority = get_priority(rest.ptr);
        rest = wf_slice_skip(rest, 5);
    }
    out->fragment = rest;
    return true;
}

bool wf_h2_push_promise_decode(const struct wf_h2_frame_header *header, const uint8_t *payload,
                               struct wf_slice *out_fragment, uint32_t *out_promised_id,
                               struct wf_h2_err *out_err)
{
    struct wf_slice rest = wf_slice(payload, header->len);
    if (!strip_padding(header, &rest, 4, out_err))
        return false;
    *out_promised_id = wf_h2_get_u31(rest.ptr);
    *out_fragment = wf_slice_skip(rest, 4);
    /* RFC 9113 section 5.1.1: a server's streams have even identifiers, and none is 0. */
    if (*out_promised_id == 0 || *out_promised_id % 2 != 0)
        return fail_connection(out_err, WF_H2_PROTOCOL_ERROR,
                               "the promised stream identifier is not a server's");
    return true;
}

bool wf_h2_priority_decode(const struct wf_h2_frame_header *header, const uint8_t *payload,
                           struct wf_h2_priority *out, struct wf_h2_err *out_err)
{
    *out = get_priority(payload);
    if (out->depends_on == header->stream_id)
        return fail(out_err, WF_H2_SCOPE_STREAM, WF_H2_PROTOCOL_ERROR,
                    "a stream depends on itself");
    return true;
}

bool wf_h2_window_update_decode(const struct wf_h2_frame_header *header, const uint8_t *payload,
                                uint32_t *out_increment, struct wf_h2_err *out_err)
{
    *out_increment = wf_h2_get_u31(payload);
    /* RFC 9113 section 6.9. */
    if (*out_increment == 0)
        return fail(out_err, header->stream_id == 0 ? WF_H2_SCOPE_CONNECTION : WF_H2_SCOPE_STREAM,
                    WF_H2_PROTOCOL_ERROR, "WINDOW_UPDATE with an increment of 0");
    return true;
}
