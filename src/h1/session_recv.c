/* What comes: lines, sections, content, and the end of a message. */
#include "h1/session_internal.h"

#include "base/assert.h"
#include "base/field_rules.h"

void wf_h1_fail(struct wf_h1_session *s, struct wf_h1_err err)
{
    wf_assert(err.kind != WF_H1_ERR_NONE);
    if (s->state == WF_H1_FAILED || s->state == WF_H1_DEAD)
        return;
    s->error = err;
    s->state = WF_H1_FAILED;
}

static void fail(struct wf_h1_session *s, const char *reason)
{
    wf_h1_fail(s, wf_h1_err(WF_H1_ERR_PROTOCOL, reason));
}

static void fail_memory(struct wf_h1_session *s)
{
    wf_h1_fail(s, wf_h1_err(WF_H1_ERR_NO_MEMORY, "no memory to read a response"));
}

void wf_h1_fail_foreign(struct wf_h1_session *s, enum wf_h1_foreign foreign)
{
    if (foreign == WF_H1_FOREIGN_HTTP2)
        wf_h1_fail(s, wf_h1_err(WF_H1_ERR_HTTP2, "the first octets are a SETTINGS frame"));
    else if (foreign == WF_H1_FOREIGN_TLS)
        wf_h1_fail(s, wf_h1_err(WF_H1_ERR_TLS, "the first octets are a TLS alert"));
    else
        wf_h1_fail(s, wf_h1_err(WF_H1_ERR_NOT_HTTP, "what came is no HTTP/1.1 response"));
}

/* Who speaks first, or answers what we never said, is told by name. False: the octets may be
 * HTTP/1.x, and none was taken. */
static bool is_foreign(struct wf_h1_session *s, struct wf_slice *in)
{
    if (s->is_ready || wf_buf_len(&s->line) > 0)
        return false;
    enum wf_h1_foreign foreign = WF_H1_FOREIGN_UNKNOWN;
    while (in->len > 0 && foreign == WF_H1_FOREIGN_UNKNOWN) {
        s->first[s->first_len] = in->ptr[0];
        foreign = wf_h1_foreign_of(wf_slice(s->first, s->first_len + 1u));
        if (s->first_len == 0 && foreign == WF_H1_FOREIGN_NONE)
            return false;
        s->first_len++;
        *in = wf_slice_skip(*in, 1);
    }
    if (foreign != WF_H1_FOREIGN_UNKNOWN)
        wf_h1_fail_foreign(s, foreign);
    return true;
}

/* Something else than HTTP/1.x may never send the end of a line, and the first digit of a status
 * tells whether a final response begins: the first octets are looked at as they come. */
static bool begins_well(struct wf_h1_session *s, struct wf_slice in)
{
    size_t before = wf_buf_len(&s->line);
    for (size_t i = before; i <= WF_H1_STATUS_AT && i - before < in.len; i++) {
        uint8_t octet = in.ptr[i - before];
        if (octet == '\n' && i >= WF_H1_VERSION_PREFIX_LEN)
            break;
        if (i == WF_H1_STATUS_AT)
            s->has_begun = octet >= '2' && octet <= '5';
        else if (i < WF_H1_VERSION_PREFIX_LEN && octet != (uint8_t)WF_H1_VERSION_PREFIX[i]) {
            wf_h1_fail_foreign(s, WF_H1_FOREIGN_NONE);
            return false;
        }
    }
    return true;
}

/* RFC 9112 section 2.2: lines end in CRLF, and CR stands nowhere else. A lone LF would be allowed
 * to be taken for an end, which not everyone between us and the server does. */
static bool strip_line_end(struct wf_h1_session *s, struct wf_slice *line)
{
    wf_assert(line->len > 0 && line->ptr[line->len - 1] == '\n');
    if (line->len < 2 || line->ptr[line->len - 2] != '\r') {
        fail(s, "a line ends in LF without CR");
        return false;
    }
    line->len -= 2;
    if (line->len > 0 && memchr(line->ptr, '\r', line->len) != NULL) {
        fail(s, "a CR stands within a line");
        return false;
    }
    return true;
}

/* The next whole line of a section, without its end; valid until s->line changes. False: there is
 * none, or the session failed. */
static bool take_line(struct wf_h1_session *s, struct wf_slice *in, struct wf_slice *out_line)
{
    if (s->state == WF_H1_STATUS_LINE && !begins_well(s, *in))
        return false;
    const uint8_t *lf = memchr(in->ptr, '\n', in->len);
    size_t len = lf == NULL ? in->len : (size_t)(lf - in->ptr) + 1;
    if (len > s->config.max_head_len - s->head_len) {
        wf_h1_fail(s, wf_h1_err(WF_H1_ERR_LIMIT, "a head is larger than we accept"));
        return false;
    }
    s->head_len += len;
    struct wf_slice line = wf_slice(in->ptr, len);
    *in = wf_slice_skip(*in, len);
    if (lf == NULL || wf_buf_len(&s->line) > 0) {
        if (!wf_buf_append(&s->line, line.ptr, line.len)) {
            fail_memory(s);
            return false;
        }
        line = wf_buf_slice(&s->line);
    }
    if (lf == NULL)
        return false;
    *out_line = line;
    return strip_line_end(s, out_line);
}

/* The line that was taken has been used. */
static void drop_line(struct wf_h1_session *s)
{
    wf_buf_consume(&s->line, wf_buf_len(&s->line));
}

static void begin_section(struct wf_h1_session *s, enum wf_h1_recv_state state)
{
    s->state = state;
    s->head_len = 0;
    wf_h1_section_clear(&s->section);
}

static void status_line(struct wf_h1_session *s, struct wf_slice line)
{
    const char *wrong = wf_h1_parse_status_line(line, &s->status);
    if (wrong != NULL) {
        fail(s, wrong);
        return;
    }
    s->state = WF_H1_FIELDS;
    s->is_ready = true;
    wf_h1_framing_init(&s->framing);
}

/* RFC 9110 section 6.5.1: framing cannot come after the content. */
static const char *check_trailer(struct wf_slice name)
{
    if (wf_slice_is_nocase(name, "content-length") || wf_slice_is_nocase(name, "transfer-encoding"))
        return "trailers have a field that concerns framing";
    return NULL;
}

/* RFC 9110 section 7.6.1: what concerned the connection has been obeyed and goes no further, so
 * that a response looks the same by whichever protocol it came. */
static bool is_kept(struct wf_slice name)
{
    static const char *const names[] = {"connection", "proxy-connection", "keep-alive",
                                        "transfer-encoding", "upgrade"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (wf_slice_is_nocase(name, names[i]))
            return false;
    }
    return true;
}

static void field_line(struct wf_h1_session *s, struct wf_slice line)
{
    struct wf_slice name;
    struct wf_slice value;
    const char *wrong = wf_h1_parse_field_line(line, &name, &value);
    if (wrong == NULL)
        wrong = s->state == WF_H1_FIELDS ? wf_h1_framing_note(&s->framing, name, value)
                                         : check_trailer(name);
    if (wrong != NULL) {
        fail(s, wrong);
        return;
    }
    struct wf_h1_err err = wf_h1_section_count(&s->section, name, value, s->config.max_fields,
                                               s->config.max_header_list_size);
    if (err.kind != WF_H1_ERR_NONE)
        wf_h1_fail(s, err);
    else if (is_kept(name) && !wf_h1_section_add(&s->section, name, value))
        fail_memory(s);
}

/* All sections of a response count together. False: the session failed. */
static bool count_section(struct wf_h1_session *s)
{
    s->sections_size += s->section.size;
    if (s->sections_size > (uint64_t)s->config.max_header_list_size * WF_H1_SECTIONS_FACTOR) {
        wf_h1_fail(s,
                   wf_h1_err(WF_H1_ERR_LIMIT, "the sections together are larger than we accept"));
        return false;
    }
    return true;
}

static void fill_headers(struct wf_h1_session *s, enum wf_h1_section_kind kind,
                         struct wf_h1_event *event)
{
    bool is_head = kind != WF_H1_SECTION_TRAILERS;
    s->view = wf_h1_section_view(&s->section);
    *event = (struct wf_h1_event){.type = WF_H1_EVENT_HEADERS};
    event->headers.section = &s->view;
    event->headers.kind = kind;
    event->headers.status = is_head ? s->status.status : 0;
    event->headers.is_1_0 = s->status.is_1_0;
    event->headers.content_length = is_head ? s->framing.content_length : -1;
}

static bool informational(struct wf_h1_session *s, struct wf_h1_event *event)
{
    if (++s->informational > s->config.max_informational) {
        wf_h1_fail(s, wf_h1_err(WF_H1_ERR_LIMIT, "more informational responses than we accept"));
        return false;
    }
    fill_headers(s, WF_H1_SECTION_INFORMATIONAL, event);
    s->state = WF_H1_STATUS_LINE;
    s->head_len = 0; /* the section is cleared when the next one begins */
    return true;
}

static void begin_content(struct wf_h1_session *s)
{
    s->state = WF_H1_CONTENT;
    s->body = wf_h1_framing_body(&s->framing, s->status.status, s->is_head);
    switch (s->body) {
    case WF_H1_BODY_NONE:
        s->state = WF_H1_COMPLETE;
        return;
    case WF_H1_BODY_LENGTH:
        s->content_left = (uint64_t)s->framing.content_length;
        return;
    case WF_H1_BODY_CHUNKED:
        wf_h1_chunked_init(&s->chunked, s->config.max_extensions);
        return;
    case WF_H1_BODY_UNTIL_CLOSE:
        return;
    }
}

/* The empty line behind a section. True: an event. */
static bool section_ends(struct wf_h1_session *s, struct wf_h1_event *event)
{
    if (!count_section(s))
        return false;
    if (s->state == WF_H1_TRAILERS) {
        s->state = WF_H1_COMPLETE;
        if (s->section.count == 0)
            return false;
        fill_headers(s, WF_H1_SECTION_TRAILERS, event);
        return true;
    }
    const char *wrong = wf_h1_framing_check(&s->framing, s->status.status, s->status.is_1_0);
    if (wrong != NULL) {
        fail(s, wrong);
        return false;
    }
    if (s->status.status < 200)
        return informational(s, event);
    fill_headers(s, WF_H1_SECTION_RESPONSE, event);
    begin_content(s);
    return true;
}

static bool section_step(struct wf_h1_session *s, struct wf_slice *in, struct wf_h1_event *event)
{
    struct wf_slice line;
    bool has_event = false;
    if (!take_line(s, in, &line))
        return false;
    if (s->config.trace != NULL)
        s->config.trace(s->config.trace_user, false, line);
    if (s->state == WF_H1_STATUS_LINE) {
        wf_h1_section_clear(&s->section);
        status_line(s, line);
    } else if (line.len == 0) {
        has_event = section_ends(s, event);
    } else {
        field_line(s, line);
    }
    drop_line(s);
    return has_event;
}

static bool chunked_step(struct wf_h1_session *s, struct wf_slice *in, struct wf_slice *bytes)
{
    struct wf_h1_err err = wf_h1_chunked_next(&s->chunked, in, bytes);
    if (err.kind != WF_H1_ERR_NONE) {
        wf_h1_fail(s, err);
        return false;
    }
    if (wf_h1_chunked_is_over(&s->chunked))
        begin_section(s, WF_H1_TRAILERS);
    return bytes->len > 0;
}

static bool content_step(struct wf_h1_session *s, struct wf_slice *in, struct wf_h1_event *event)
{
    struct wf_slice bytes = *in;
    if (s->body == WF_H1_BODY_CHUNKED) {
        if (!chunked_step(s, in, &bytes))
            return false;
    } else {
        if (s->body == WF_H1_BODY_LENGTH && bytes.len > s->content_left)
            bytes.len = (size_t)s->content_left;
        *in = wf_slice_skip(*in, bytes.len);
        if (s->body == WF_H1_BODY_LENGTH) {
            s->content_left -= bytes.len;
            if (s->content_left == 0)
                s->state = WF_H1_COMPLETE;
        }
    }
    *event = (struct wf_h1_event){.type = WF_H1_EVENT_DATA, .data = bytes};
    return true;
}

/* RFC 9112 section 9.3. A response before the end of the upload is whole, but what would be sent
 * on this connection next is the rest of the upload. */
static void complete(struct wf_h1_session *s, struct wf_h1_event *event)
{
    bool reusable = s->body != WF_H1_BODY_UNTIL_CLOSE && wf_h1_session_is_sent(s) &&
                    wf_h1_framing_keeps_alive(&s->framing, s->status.status, s->status.is_1_0);
    *event = (struct wf_h1_event){.type = WF_H1_EVENT_COMPLETE, .reusable = reusable};
    s->state = reusable ? WF_H1_IDLE : WF_H1_DEAD;
    s->body_pending = false;
    if (!reusable)
        wf_h1_drop_output(s);
}

/* True: an event that needs no input. */
static bool due(struct wf_h1_session *s, struct wf_h1_event *event)
{
    if (s->state == WF_H1_FAILED) {
        *event = (struct wf_h1_event){.type = WF_H1_EVENT_ERROR, .error = s->error};
        s->state = WF_H1_DEAD;
        wf_h1_drop_output(s);
        return true;
    }
    if (s->state == WF_H1_COMPLETE) {
        complete(s, event);
        return true;
    }
    if (s->body_pending && !wf_h1_session_wants_write(s) && s->state != WF_H1_DEAD) {
        s->body_pending = false;
        *event = (struct wf_h1_event){.type = WF_H1_EVENT_BODY_SENT};
        return true;
    }
    return false;
}

/* True: an event; false: look again whether one is due or input is left. */
static bool step(struct wf_h1_session *s, struct wf_slice *in, struct wf_h1_event *event)
{
    switch (s->state) {
    case WF_H1_STATUS_LINE:
        if (is_foreign(s, in))
            return false;
        /* What was sent before the first octet of a request is no answer to it. */
        if (!s->was_sent) {
            wf_h1_fail(s, wf_h1_err(WF_H1_ERR_UNASKED, "a response came before its request"));
            return false;
        }
        return section_step(s, in, event);
    case WF_H1_FIELDS:
    case WF_H1_TRAILERS:
        return section_step(s, in, event);
    case WF_H1_CONTENT:
        return content_step(s, in, event);
    case WF_H1_IDLE:
        if (is_foreign(s, in))
            return false;
        wf_h1_fail(s, wf_h1_err(WF_H1_ERR_UNASKED, "octets came that no request asked for"));
        return false;
    case WF_H1_COMPLETE:
    case WF_H1_FAILED:
        return false;
    case WF_H1_DEAD:
        *in = wf_slice_skip(*in, in->len);
        return false;
    }
    WF_UNREACHABLE("no other state");
}

bool wf_h1_session_next(struct wf_h1_session *session, struct wf_slice *in,
                        struct wf_h1_event *out_event)
{
    for (;;) {
        if (due(session, out_event))
            return true;
        if (in->len == 0)
            return false;
        if (step(session, in, out_event))
            return true;
    }
}
