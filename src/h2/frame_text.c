#include "h2/frame_text.h"

#include "h2/frame_decode.h"
#include "h2/settings.h"

#include <inttypes.h>
#include <stdio.h>

/* A line that grows up to its room; what does not fit is left out. */
struct line {
    char *text;
    size_t len;
    size_t cap; /* without the terminator */
};

static void put_char(struct line *line, char c)
{
    if (line->len < line->cap)
        line->text[line->len++] = c;
}

static void put_text(struct line *line, const char *text)
{
    while (*text != '\0')
        put_char(line, *text++);
}

static void put_u32(struct line *line, const char *before, uint32_t value)
{
    char digits[11];
    snprintf(digits, sizeof(digits), "%" PRIu32, value);
    put_text(line, before);
    put_text(line, digits);
}

static void put_hex(struct line *line, uint8_t octet)
{
    static const char digits[] = "0123456789abcdef";
    put_char(line, digits[octet >> 4]);
    put_char(line, digits[octet & 0xf]);
}

/* Printable ASCII as it is; the rest, and the backslash, as \xNN. A piece is left out as a whole.
 */
static void put_escaped(struct line *line, struct wf_slice octets)
{
    for (size_t i = 0; i < octets.len && line->len < line->cap; i++) {
        uint8_t c = octets.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            put_char(line, (char)c);
        } else if (line->cap - line->len >= 4) {
            put_text(line, "\\x");
            put_hex(line, c);
        } else {
            return;
        }
    }
}

static void put_type(struct line *line, uint8_t type)
{
    static const char *const names[] = {
        [WF_H2_FRAME_DATA] = "DATA",
        [WF_H2_FRAME_HEADERS] = "HEADERS",
        [WF_H2_FRAME_PRIORITY] = "PRIORITY",
        [WF_H2_FRAME_RST_STREAM] = "RST_STREAM",
        [WF_H2_FRAME_SETTINGS] = "SETTINGS",
        [WF_H2_FRAME_PUSH_PROMISE] = "PUSH_PROMISE",
        [WF_H2_FRAME_PING] = "PING",
        [WF_H2_FRAME_GOAWAY] = "GOAWAY",
        [WF_H2_FRAME_WINDOW_UPDATE] = "WINDOW_UPDATE",
        [WF_H2_FRAME_CONTINUATION] = "CONTINUATION",
    };
    if (type < sizeof(names) / sizeof(names[0])) {
        put_text(line, names[type]);
        return;
    }
    put_text(line, "UNKNOWN(0x");
    put_hex(line, type);
    put_char(line, ')');
}

struct flag_name {
    uint8_t type;
    uint8_t flag;
    const char *name;
};

/* The flags that RFC 9113 section 6 defines. */
static const struct flag_name flag_names[] = {
    {WF_H2_FRAME_DATA, WF_H2_FLAG_END_STREAM, "END_STREAM"},
    {WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED, "PADDED"},
    {WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_STREAM, "END_STREAM"},
    {WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, "END_HEADERS"},
    {WF_H2_FRAME_HEADERS, WF_H2_FLAG_PADDED, "PADDED"},
    {WF_H2_FRAME_HEADERS, WF_H2_FLAG_PRIORITY, "PRIORITY"},
    {WF_H2_FRAME_SETTINGS, WF_H2_FLAG_ACK, "ACK"},
    {WF_H2_FRAME_PUSH_PROMISE, WF_H2_FLAG_END_HEADERS, "END_HEADERS"},
    {WF_H2_FRAME_PUSH_PROMISE, WF_H2_FLAG_PADDED, "PADDED"},
    {WF_H2_FRAME_PING, WF_H2_FLAG_ACK, "ACK"},
    {WF_H2_FRAME_CONTINUATION, WF_H2_FLAG_END_HEADERS, "END_HEADERS"},
};

static void put_flags(struct line *line, uint8_t type, uint8_t flags)
{
    for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
        if (flag_names[i].type != type || (flags & flag_names[i].flag) == 0)
            continue;
        put_char(line, ' ');
        put_text(line, flag_names[i].name);
        flags &= (uint8_t)~flag_names[i].flag;
    }
    if (flags != 0) {
        put_text(line, " 0x");
        put_hex(line, flags);
    }
}

static void put_settings(struct line *line, struct wf_slice payload)
{
    while (payload.len >= WF_H2_SETTING_LEN) {
        struct wf_h2_setting_entry entry = wf_h2_setting_decode(payload.ptr);
        const char *name = wf_h2_setting_name(entry.id);
        put_char(line, ' ');
        if (name != NULL)
            put_text(line, name);
        else
            put_u32(line, "setting-", entry.id);
        put_u32(line, "=", entry.value);
        payload = wf_slice_skip(payload, WF_H2_SETTING_LEN);
    }
}

static void put_code(struct line *line, uint32_t code)
{
    put_u32(line, " code=", code);
    put_text(line, " (");
    put_text(line, wf_h2_code_name(code));
    put_char(line, ')');
}

static void put_field(struct line *line, struct wf_slice name, struct wf_slice value)
{
    put_text(line, " [");
    put_escaped(line, name);
    put_text(line, ": ");
    put_escaped(line, value);
    put_char(line, ']');
}

static void put_fields(struct line *line, const struct wf_h2_trace *frame)
{
    if (frame->section != NULL) {
        for (uint32_t i = 0; i < frame->section->count; i++)
            put_field(line, wf_section_name(frame->section, i),
                      wf_section_value(frame->section, i));
    }
    for (size_t i = 0; frame->fields != NULL && i < frame->field_count; i++)
        put_field(line, frame->fields[i].name, frame->fields[i].value);
}

static void put_goaway(struct line *line, struct wf_slice payload)
{
    if (payload.len < 8)
        return;
    put_u32(line, " last_stream=", wf_h2_get_u31(payload.ptr));
    put_code(line, wf_h2_get_u32(payload.ptr + 4));
    if (payload.len > 8) {
        put_text(line, " debug=");
        put_escaped(line, wf_slice_skip(payload, 8));
    }
}

/* The priority of a PRIORITY or HEADERS frame, at @at of the payload. */
static void put_priority(struct line *line, struct wf_slice payload, size_t at)
{
    if (payload.len < at + 5)
        return;
    const uint8_t *p = payload.ptr + at;
    put_u32(line, " depends_on=", wf_h2_get_u31(p));
    put_u32(line, " weight=", p[4] + 1u);
    if ((p[0] & 0x80) != 0)
        put_text(line, " exclusive");
}

/* What the payload of a frame says. It may be cut short, or not be what its type asks for. */
static void put_payload(struct line *line, const struct wf_h2_trace *frame)
{
    struct wf_slice payload = frame->payload;
    size_t pad = (frame->flags & WF_H2_FLAG_PADDED) != 0 ? 1 : 0;
    switch (frame->type) {
    case WF_H2_FRAME_DATA:
        if (pad == 1 && payload.len > 0)
            put_u32(line, " padding=", payload.ptr[0]);
        break;
    case WF_H2_FRAME_HEADERS:
        if ((frame->flags & WF_H2_FLAG_PRIORITY) != 0)
            put_priority(line, payload, pad);
        put_fields(line, frame);
        break;
    case WF_H2_FRAME_PUSH_PROMISE:
        if (payload.len >= pad + 4)
            put_u32(line, " promised=", wf_h2_get_u31(payload.ptr + pad));
        put_fields(line, frame);
        break;
    case WF_H2_FRAME_CONTINUATION:
        put_fields(line, frame);
        break;
    case WF_H2_FRAME_PRIORITY:
        put_priority(line, payload, 0);
        break;
    case WF_H2_FRAME_RST_STREAM:
        if (payload.len >= 4)
            put_code(line, wf_h2_get_u32(payload.ptr));
        break;
    case WF_H2_FRAME_SETTINGS:
        put_settings(line, payload);
        break;
    case WF_H2_FRAME_PING:
        put_text(line, " opaque=");
        for (size_t i = 0; i < payload.len && i < 8; i++)
            put_hex(line, payload.ptr[i]);
        break;
    case WF_H2_FRAME_GOAWAY:
        put_goaway(line, payload);
        break;
    case WF_H2_FRAME_WINDOW_UPDATE:
        if (payload.len >= 4)
            put_u32(line, " increment=", wf_h2_get_u31(payload.ptr));
        break;
    default:
        break;
    }
}

size_t wf_h2_frame_text(const struct wf_h2_trace *frame, char *out, size_t cap)
{
    if (cap == 0)
        return 0;
    struct line line = {.text = out, .cap = cap - 1};
    put_type(&line, frame->type);
    put_u32(&line, " stream=", frame->stream_id);
    put_u32(&line, " len=", frame->len);
    put_flags(&line, frame->type, frame->flags);
    put_payload(&line, frame);
    out[line.len] = '\0';
    return line.len;
}
