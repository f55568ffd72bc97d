/* What goes out: the head of a request (RFC 9112 section 3), its body and its trailers. */
#include "h1/session_internal.h"

#include "base/assert.h"
#include "base/field_rules.h"

#include <inttypes.h>
#include <stdio.h>

#define CHUNK_LINE_MAX 24u
#define LAST_CHUNK     "0\r\n\r\n"

void wf_h1_drop_output(struct wf_h1_session *s)
{
    wf_buf_consume(&s->out, wf_buf_len(&s->out));
    s->send_body = wf_slice(NULL, 0);
    s->tail_start = 0;
    s->tail_len = 0;
}

/* The pseudo-header fields and what decides how the body goes. */
struct request_parts {
    struct wf_slice method;
    struct wf_slice authority;
    struct wf_slice path;
    struct wf_slice content_length;
    size_t cookies;
    bool has_te;
    size_t len; /* of all fields, with room for what stands between them */
};

static bool is_clean(struct wf_slice text)
{
    return wf_field_value_bad_octet(text) == text.len;
}

static bool is_target(struct wf_slice path)
{
    return path.len > 0 && is_clean(path) && memchr(path.ptr, ' ', path.len) == NULL &&
           memchr(path.ptr, '\t', path.len) == NULL;
}

/* Nothing that we send may be read as two lines, whoever made it. */
static bool collect(const struct wf_h1_message *message, struct request_parts *parts)
{
    *parts = (struct request_parts){.len = 128};
    for (size_t i = 0; i < message->count; i++) {
        const struct wf_field *field = &message->fields[i];
        struct wf_slice name = field->name;
        parts->len += name.len + field->value.len + 4;
        if (name.len > 0 && name.ptr[0] == ':') {
            if (wf_slice_is(name, ":method"))
                parts->method = field->value;
            else if (wf_slice_is(name, ":authority"))
                parts->authority = field->value;
            else if (wf_slice_is(name, ":path"))
                parts->path = field->value;
            continue;
        }
        if (!wf_field_name_is_valid(name) || !is_clean(field->value) ||
            wf_field_is_connection_specific(name))
            return false;
        if (wf_slice_is(name, "content-length"))
            parts->content_length = field->value;
        else if (wf_slice_is(name, "cookie"))
            parts->cookies++;
        else if (wf_slice_is(name, "te"))
            parts->has_te = true;
    }
    return wf_method_is_valid(parts->method) && is_target(parts->path) &&
           is_clean(parts->authority);
}

static bool parse_length(struct wf_slice value, uint64_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9' || number > (UINT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    *out = number;
    return value.len > 0;
}

/* There is room. */
static void put(struct wf_buf *out, struct wf_slice text)
{
    if (text.len > 0)
        memcpy(wf_buf_tail(out), text.ptr, text.len);
    wf_buf_commit(out, text.len);
}

static void put_text(struct wf_buf *out, const char *text)
{
    put(out, wf_slice_str(text));
}

static void put_field(struct wf_buf *out, struct wf_slice name, struct wf_slice value)
{
    put(out, name);
    put_text(out, ": ");
    put(out, value);
    put_text(out, "\r\n");
}

/* RFC 9113 section 8.2.3: lines that HTTP/2 may split are one field here. */
static void put_cookies(struct wf_buf *out, const struct wf_h1_message *message)
{
    const char *before = "cookie: ";
    for (size_t i = 0; i < message->count; i++) {
        if (!wf_slice_is(message->fields[i].name, "cookie"))
            continue;
        put_text(out, before);
        put(out, message->fields[i].value);
        before = "; ";
    }
    put_text(out, "\r\n");
}

/* @text: lines with their ends. */
static void trace_lines(const struct wf_h1_session *s, struct wf_slice text)
{
    const uint8_t *lf;
    while (s->config.trace != NULL && text.len > 0 &&
           (lf = memchr(text.ptr, '\n', text.len)) != NULL) {
        size_t len = (size_t)(lf - text.ptr) + 1;
        s->config.trace(s->config.trace_user, true, wf_slice(text.ptr, len - strlen("\r\n")));
        text = wf_slice_skip(text, len);
    }
}

static void put_head(struct wf_h1_session *s, const struct wf_h1_message *message,
                     const struct request_parts *parts)
{
    struct wf_buf *out = &s->out;
    bool cookies_done = parts->cookies == 0;
    put(out, parts->method);
    put_text(out, " ");
    put(out, parts->path);
    put_text(out, " HTTP/1.1\r\n");
    put_field(out, wf_slice_str("host"), parts->authority); /* RFC 9112 section 3.2: first */
    for (size_t i = 0; i < message->count; i++) {
        struct wf_slice name = message->fields[i].name;
        if (name.ptr[0] == ':' || wf_slice_is(name, "host"))
            continue;
        if (s->in_chunks && wf_slice_is(name, "content-length"))
            continue;
        if (!wf_slice_is(name, "cookie")) {
            put_field(out, name, message->fields[i].value);
        } else if (!cookies_done) {
            put_cookies(out, message);
            cookies_done = true;
        }
    }
    if (s->in_chunks)
        put_text(out, "transfer-encoding: chunked\r\n");
    /* RFC 9110 section 10.1.4: TE is for the next hop. */
    if (parts->has_te)
        put_text(out, "connection: te\r\n");
    put_text(out, "\r\n");
}

enum wf_h1_submit wf_h1_session_request(struct wf_h1_session *session,
                                        const struct wf_h1_message *message)
{
    struct request_parts parts;
    uint64_t length = 0;
    if (session->state != WF_H1_IDLE)
        return WF_H1_SUBMIT_BUSY;
    if (!collect(message, &parts))
        return WF_H1_SUBMIT_INVALID;
    bool has_length = parts.content_length.ptr != NULL;
    if (has_length && !parse_length(parts.content_length, &length))
        return WF_H1_SUBMIT_INVALID;
    /* What was announced and does not follow would be taken from the next request. */
    if (message->end_stream && length > 0)
        return WF_H1_SUBMIT_INVALID;
    wf_assert(!wf_h1_session_wants_write(session));
    if (!wf_buf_reserve(&session->out, parts.len))
        return WF_H1_SUBMIT_NO_MEMORY;
    session->state = WF_H1_STATUS_LINE;
    session->status = (struct wf_h1_status_line){0};
    session->head_len = 0;
    session->sections_size = 0;
    session->informational = 0;
    session->is_head = wf_slice_is(parts.method, "HEAD");
    session->was_sent = false;
    session->sent_len = 0;
    session->has_begun = false;
    session->has_ended = message->end_stream;
    session->in_chunks = !message->end_stream && (!has_length || message->has_trailers);
    session->body_left = length;
    session->body_pending = false;
    put_head(session, message, &parts);
    trace_lines(session, wf_buf_slice(&session->out));
    return WF_H1_SUBMITTED;
}

static void set_tail(struct wf_h1_session *s, bool after_chunk, bool end)
{
    s->tail_start = 0;
    s->tail_len = 0;
    if (after_chunk) {
        memcpy(s->tail, "\r\n", 2);
        s->tail_len = 2;
    }
    if (end) {
        memcpy(s->tail + s->tail_len, LAST_CHUNK, strlen(LAST_CHUNK));
        s->tail_len += (uint8_t)strlen(LAST_CHUNK);
    }
}

const char *wf_h1_session_send_body(struct wf_h1_session *session, struct wf_slice body, bool end)
{
    wf_assert(!session->body_pending && !session->has_ended);
    if (session->state == WF_H1_FAILED || session->state == WF_H1_DEAD)
        return NULL; /* the event is due or was given */
    if (!session->in_chunks) {
        if (body.len > session->body_left)
            return "the body is longer than its content-length";
        if (end && body.len < session->body_left)
            return "the body is shorter than its content-length";
        session->body_left -= body.len;
    } else {
        if (body.len > 0) {
            char line[CHUNK_LINE_MAX];
            int len = snprintf(line, sizeof(line), "%zx\r\n", body.len);
            wf_assert(len > 0 && (size_t)len < sizeof(line));
            if (!wf_buf_append(&session->out, line, (size_t)len))
                return "no memory to send a chunk";
        }
        set_tail(session, body.len > 0, end);
    }
    session->send_body = body;
    session->body_pending = true;
    session->has_ended = end;
    return NULL;
}

const char *wf_h1_session_send_trailers(struct wf_h1_session *session,
                                        const struct wf_field *fields, size_t count)
{
    size_t len = 8;
    wf_assert(!session->body_pending && !session->has_ended);
    if (session->state == WF_H1_FAILED || session->state == WF_H1_DEAD)
        return NULL;
    if (!session->in_chunks)
        return "trailers need a body that goes in chunks";
    for (size_t i = 0; i < count; i++) {
        if (!wf_field_name_is_valid(fields[i].name) || !is_clean(fields[i].value) ||
            wf_field_is_connection_specific(fields[i].name))
            return "a trailer has an octet that it may not have, or concerns the connection";
        len += fields[i].name.len + fields[i].value.len + 4;
    }
    if (!wf_buf_reserve(&session->out, len))
        return "no memory to send trailers";
    put_text(&session->out, "0\r\n");
    size_t before = wf_buf_len(&session->out);
    for (size_t i = 0; i < count; i++)
        put_field(&session->out, fields[i].name, fields[i].value);
    put_text(&session->out, "\r\n");
    trace_lines(session, wf_slice_skip(wf_buf_slice(&session->out), before));
    session->body_pending = true;
    session->has_ended = true;
    return NULL;
}

size_t wf_h1_session_output(const struct wf_h1_session *session, struct wf_slice *slices,
                            size_t max)
{
    const struct wf_slice parts[] = {
        wf_buf_slice(&session->out), session->send_body,
        wf_slice(session->tail + session->tail_start, session->tail_len)};
    size_t count = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && count < max; i++) {
        if (parts[i].len > 0)
            slices[count++] = parts[i];
    }
    return count;
}

void wf_h1_session_wrote(struct wf_h1_session *session, size_t len)
{
    if (len == 0)
        return;
    session->was_sent = true;
    session->sent_len += len;
    size_t part = wf_buf_len(&session->out);
    part = len < part ? len : part;
    wf_buf_consume(&session->out, part);
    len -= part;
    part = len < session->send_body.len ? len : session->send_body.len;
    session->send_body = wf_slice_skip(session->send_body, part);
    len -= part;
    wf_assert(len <= session->tail_len);
    session->tail_start = (uint8_t)(session->tail_start + len);
    session->tail_len = (uint8_t)(session->tail_len - len);
}

bool wf_h1_session_wants_write(const struct wf_h1_session *session)
{
    return wf_buf_len(&session->out) > 0 || session->send_body.len > 0 || session->tail_len > 0;
}
