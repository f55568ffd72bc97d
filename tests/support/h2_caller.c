#include "support/h2_caller.h"

#include "h2/frame.h"
#include "support/check.h"
#include "support/h2_watcher.h"

#define MAX_SLICES 16u

static void enter(struct h2_caller *c)
{
    if (c->enter != NULL)
        c->enter(true);
}

static void leave(struct h2_caller *c)
{
    if (c->enter != NULL)
        c->enter(false);
}

bool caller_init(struct h2_caller *c, const struct wf_h2_config *config, void (*hook)(bool inside))
{
    *c = (struct h2_caller){
        .config = *config, .max_upload = 100000, .enter = hook, .no_memory = hook != NULL};
    enter(c);
    c->session = wf_h2_session_new(config, 0);
    leave(c);
    return c->session != NULL;
}

void caller_fini(struct h2_caller *c)
{
    wf_h2_session_free(c->session);
    for (uint32_t i = 0; i < c->call_count; i++)
        free(c->calls[i].piece);
    wf_buf_fini(&c->in);
}

uint32_t caller_open(const struct h2_caller *c)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->call_count; i++)
        count += c->calls[i].stream != NULL;
    return count;
}

static struct wf_field field(const char *name, const char *value)
{
    return (struct wf_field){.name = wf_slice_str(name), .value = wf_slice_str(value)};
}

static void choose_call(const struct h2_caller *c, struct caller_call *call, struct choice *choice,
                        struct wf_h2_message *message, struct wf_field *fields, char *number,
                        char *filler, size_t filler_len)
{
    static const char *const paths[] = {"/", "/a", "/index.html", "/a/rather/long/path?with=query"};
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT"};
    size_t method = choose_below(choice, 4);
    size_t count = 0;
    call->is_head = method == 1;
    if (method >= 2) {
        call->upload_len = choose_len(choice, c->max_upload);
        call->has_trailers = choose_one_in(choice, 4);
    }
    (void)snprintf(number, 16, "%u", call->number);
    fields[count++] = field(":method", methods[method]);
    fields[count++] = field(":scheme", "https");
    fields[count++] = field(":authority", "localhost");
    fields[count++] = field(":path", paths[choose_below(choice, 4)]);
    fields[count++] = field("x-call", number);
    if (choose_one_in(choice, 3))
        fields[count++] = field("cookie", "a-cookie=that is long enough to be indexed");
    if (choose_one_in(choice, 10)) {
        /* Longer than a frame, now and then. */
        size_t most = c->max_upload < filler_len ? c->max_upload : filler_len - 1;
        memset(filler, 'f', most);
        filler[choose_len(choice, most)] = '\0';
        fields[count++] = field("x-filler", filler);
    }
    message->fields = fields;
    message->count = count;
    message->is_head = call->is_head;
    message->end_stream = call->upload_len == 0 && !call->has_trailers;
    message->cache_key = 0;
}

enum wf_h2_submit caller_submit(struct h2_caller *c, struct choice *choice)
{
    static char filler[40000];
    char number[16];
    struct wf_field fields[8];
    struct wf_h2_message message;
    if (c->call_count == CALLER_MAX_CALLS)
        return WF_H2_SUBMIT_NO_CAPACITY;
    struct caller_call *call = &c->calls[c->call_count];
    *call = (struct caller_call){.number = c->call_count};
    choose_call(c, call, choice, &message, fields, number, filler, sizeof(filler));
    bool has_room = wf_h2_session_capacity(c->session) > 0;
    enter(c);
    enum wf_h2_submit result = wf_h2_session_request(c->session, &message, call, &call->stream);
    leave(c);
    if (result != WF_H2_SUBMITTED) {
        CHECK(!has_room || result == WF_H2_SUBMIT_TOO_LARGE ||
              (c->no_memory && result == WF_H2_SUBMIT_NO_MEMORY));
        call->stream = NULL;
        return result;
    }
    CHECK(has_room && wf_h2_stream_user(call->stream) == call);
    c->call_count++;
    call->opened = true;
    call->id = wf_h2_stream_id(call->stream);
    call->upload_ended = message.end_stream;
    call->upload_due = !message.end_stream;
    return result;
}

static void send_trailers(struct h2_caller *c, struct caller_call *call)
{
    struct wf_field fields[] = {field("x-sum", "1234"), field("x-more", "of it")};
    struct wf_h2_message message = {.fields = fields, .count = 2, .end_stream = true};
    enter(c);
    enum wf_h2_submit result = wf_h2_session_send_headers(c->session, call->stream, &message);
    leave(c);
    CHECK(result == WF_H2_SUBMITTED || result == WF_H2_SUBMIT_DRAINING ||
          result == WF_H2_SUBMIT_TOO_LARGE || (c->no_memory && result == WF_H2_SUBMIT_NO_MEMORY));
    /* What cannot end ends so. */
    if (result == WF_H2_SUBMIT_TOO_LARGE || result == WF_H2_SUBMIT_NO_MEMORY)
        caller_cancel(c, call, WF_H2_CANCEL);
    else
        call->upload_ended = true;
}

static void give_piece(struct h2_caller *c, struct caller_call *call, size_t len)
{
    size_t left = call->upload_len - call->upload_at;
    bool is_last = len == left && !call->has_trailers;
    call->upload_due = false;
    call->piece = malloc(len > 0 ? len : 1);
    CHECK(call->piece != NULL);
    for (size_t i = 0; i < len; i++)
        call->piece[i] = h2_body_octet(call->number, call->upload_at + i);
    call->upload_at += len;
    call->upload_ended = is_last;
    enter(c);
    wf_h2_session_send_body(c->session, call->stream, wf_slice(call->piece, len), is_last);
    leave(c);
}

void caller_upload(struct h2_caller *c, struct choice *choice)
{
    for (uint32_t i = 0; i < c->call_count; i++) {
        struct caller_call *call = &c->calls[i];
        if (call->stream == NULL || !call->upload_due ||
            (choice != NULL && choose_one_in(choice, 3)))
            continue;
        size_t left = call->upload_len - call->upload_at;
        size_t len = choice != NULL ? choose_len(choice, left) : left;
        if (left == 0 && call->has_trailers) {
            call->upload_due = false;
            send_trailers(c, call);
        } else if (len > 0 || (left == 0 && !call->has_trailers)) {
            give_piece(c, call, len);
        }
    }
}

void caller_consume(struct h2_caller *c, struct choice *choice)
{
    for (uint32_t i = 0; i < c->call_count; i++) {
        struct caller_call *call = &c->calls[i];
        if (call->stream == NULL || call->unconsumed == 0)
            continue;
        size_t len = (size_t)call->unconsumed;
        if (choice != NULL)
            len = choose_len(choice, len);
        call->unconsumed -= len;
        enter(c);
        wf_h2_session_consume(c->session, call->stream, len);
        leave(c);
    }
}

static void ended(struct caller_call *call)
{
    free(call->piece);
    call->piece = NULL;
    call->stream = NULL;
    call->upload_due = false;
    call->ended = true;
}

void caller_cancel(struct h2_caller *c, struct caller_call *call, uint32_t code)
{
    call->cancelled = true;
    call->effect = wf_h2_stream_effect(c->session, call->stream);
    if (call->status != 0)
        CHECK(call->effect == WF_H2_PROCESSED);
    enter(c);
    wf_h2_session_reset(c->session, call->stream, code);
    leave(c);
    ended(call);
}

void caller_ping(struct h2_caller *c)
{
    enter(c);
    bool is_queued = wf_h2_session_ping(c->session, (const uint8_t *)"pingpong");
    leave(c);
    CHECK(is_queued || c->no_memory);
    c->pings++;
}

static void on_headers(struct caller_call *call, const struct wf_h2_event *event)
{
    const struct wf_field_section *section = event->headers.section;
    CHECK(!call->peer_ended);
    for (uint32_t i = 0; i < section->count; i++) {
        const struct wf_field_line *line = &section->lines[i];
        CHECK((uint64_t)line->offset + line->name_len + line->value_len <= section->octets_len);
        CHECK((line->flags & WF_FIELD_INVALID) == 0);
    }
    switch (event->headers.kind) {
    case WF_H2_SECTION_INFORMATIONAL:
        CHECK(call->status == 0 && !event->end_stream);
        CHECK(event->headers.status >= 100 && event->headers.status < 200);
        call->informational++;
        break;
    case WF_H2_SECTION_RESPONSE:
        CHECK(call->status == 0 && event->headers.status >= 200 && event->headers.status < 600);
        call->status = event->headers.status;
        break;
    case WF_H2_SECTION_TRAILERS:
        CHECK(call->status != 0 && event->end_stream);
        call->has_got_trailers = true;
        break;
    case WF_H2_SECTION_REQUEST:
        CHECK(false);
    }
    call->peer_ended = event->end_stream;
}

static void on_data(struct h2_caller *c, struct caller_call *call, const struct wf_h2_event *event)
{
    struct wf_slice bytes = event->data.bytes;
    CHECK(call->status != 0 && !call->peer_ended);
    CHECK(bytes.len == 0 || (!call->is_head && call->status != 204 && call->status != 304));
    for (size_t i = 0; i < bytes.len && c->knows_bodies; i++)
        CHECK(bytes.ptr[i] == h2_body_octet(call->number + 1000, call->body_len + i));
    call->body_len += bytes.len;
    call->unconsumed += bytes.len;
    /* Nobody is sent more than the window that was announced, or the protocol's own before that. */
    uint64_t window = c->config.initial_window_size > WF_H2_INITIAL_WINDOW
                          ? c->config.initial_window_size
                          : WF_H2_INITIAL_WINDOW;
    CHECK(call->unconsumed <= window);
    call->peer_ended = event->end_stream;
}

static void on_closed(struct h2_caller *c, struct caller_call *call,
                      const struct wf_h2_event *event)
{
    call->end = event->closed.end;
    call->effect = event->closed.effect;
    call->code = event->closed.code;
    CHECK((call->status != 0) == (call->effect == WF_H2_PROCESSED) || c->no_memory ||
          call->end == WF_H2_END_STREAM_ERROR);
    switch (call->end) {
    case WF_H2_END_COMPLETE:
        CHECK(call->peer_ended && call->status >= 200);
        break;
    case WF_H2_END_RESET_BY_PEER:
        CHECK(call->effect != WF_H2_NOT_SENT);
        CHECK((call->effect == WF_H2_NOT_PROCESSED) ==
              (call->code == WF_H2_REFUSED_STREAM && call->status == 0));
        break;
    case WF_H2_END_STREAM_ERROR:
        CHECK(call->effect == WF_H2_MAYBE_PROCESSED || call->effect == WF_H2_PROCESSED);
        CHECK(event->closed.reason != NULL && call->code != WF_H2_NO_ERROR);
        break;
    case WF_H2_END_GOAWAY:
        CHECK(c->goaways > 0);
        CHECK(call->effect == WF_H2_NOT_PROCESSED || call->status != 0);
        break;
    case WF_H2_END_CONNECTION_ERROR:
        CHECK(c->has_error && call->effect != WF_H2_NOT_PROCESSED);
        CHECK(call->code == c->error.code);
        break;
    case WF_H2_END_CONNECTION_LOST:
        CHECK(c->is_lost && call->effect != WF_H2_NOT_PROCESSED);
        break;
    }
    ended(call);
}

static void on_stream_event(struct h2_caller *c, const struct wf_h2_event *event)
{
    struct caller_call *call = wf_h2_stream_user(event->stream);
    CHECK(call >= c->calls && call < c->calls + c->call_count);
    CHECK(call->stream == event->stream && !call->ended);
    if (event->type == WF_H2_EVENT_HEADERS) {
        on_headers(call, event);
    } else if (event->type == WF_H2_EVENT_DATA) {
        on_data(c, call, event);
    } else if (event->type == WF_H2_EVENT_BODY_SENT) {
        CHECK(call->piece != NULL);
        free(call->piece);
        call->piece = NULL;
        call->upload_due = !call->upload_ended;
    } else {
        CHECK(event->type == WF_H2_EVENT_CLOSED);
        on_closed(c, call, event);
    }
}

static void on_event(struct h2_caller *c, const struct wf_h2_event *event)
{
    switch (event->type) {
    case WF_H2_EVENT_GOAWAY:
        c->goaways++;
        CHECK(event->goaway.last_stream_id <= WF_H2_MAX_STREAM_ID);
        CHECK(wf_h2_session_is_draining(c->session));
        break;
    case WF_H2_EVENT_CONNECTION_ERROR:
        /* Once, and before the streams that end by it. */
        CHECK(!c->has_error && event->error.scope == WF_H2_SCOPE_CONNECTION);
        CHECK(event->error.reason != NULL && wf_h2_session_is_dead(c->session));
        c->has_error = true;
        c->error = event->error;
        break;
    case WF_H2_EVENT_PING_ACK:
        c->pongs++;
        CHECK(c->pongs <= c->pings || !c->knows_bodies);
        break;
    case WF_H2_EVENT_SETTINGS:
        CHECK(wf_h2_session_is_ready(c->session));
        break;
    case WF_H2_EVENT_SETTINGS_ACK:
        break;
    case WF_H2_EVENT_HEADERS:
    case WF_H2_EVENT_DATA:
    case WF_H2_EVENT_BODY_SENT:
    case WF_H2_EVENT_CLOSED:
        on_stream_event(c, event);
    }
}

static bool next(struct h2_caller *c, struct wf_slice *in, struct wf_h2_event *event)
{
    enter(c);
    bool is_there = wf_h2_session_next(c->session, c->now_ms, in, event);
    leave(c);
    return is_there;
}

void caller_read(struct h2_caller *c, struct wf_slice octets)
{
    CHECK(octets.len == 0 || wf_buf_append(&c->in, octets.ptr, octets.len));
    size_t len = wf_buf_len(&c->in);
    /* Of the exact size, so that a sanitizer sees the first octet behind it. */
    uint8_t *copy = malloc(len > 0 ? len : 1);
    CHECK(copy != NULL);
    if (len > 0)
        memcpy(copy, wf_buf_slice(&c->in).ptr, len);
    struct wf_slice in = wf_slice(copy, len);
    struct wf_h2_event event;
    size_t events = 0;
    while (next(c, &in, &event)) {
        /* A frame makes one event; so does each request that ends or is told of its body. */
        CHECK(++events <= len + 4 * CALLER_MAX_CALLS + 4);
        CHECK(in.ptr >= copy && in.ptr + in.len == copy + len);
        on_event(c, &event);
    }
    CHECK(in.ptr >= copy && in.ptr + in.len == copy + len);
    if (wf_h2_session_is_dead(c->session))
        in.len = 0;
    CHECK(in.len <= WF_H2_FRAME_HEADER_LEN + (size_t)c->config.max_frame_size);
    wf_buf_consume(&c->in, len - in.len);
    free(copy);
    CHECK(!wf_h2_session_is_dead(c->session) || caller_open(c) == 0);
}

void caller_drain(struct h2_caller *c)
{
    caller_read(c, wf_slice(NULL, 0));
}

void caller_lose(struct h2_caller *c)
{
    c->is_lost = true;
    enter(c);
    wf_h2_session_lost(c->session);
    leave(c);
    caller_drain(c);
    CHECK(caller_open(c) == 0 && !wf_h2_session_wants_write(c->session));
}

size_t caller_write(struct h2_caller *c, size_t budget, size_t taken,
                    void (*sink)(void *user, struct wf_slice octets), void *user)
{
    struct wf_slice slices[MAX_SLICES];
    struct wf_slice again[MAX_SLICES];
    bool wants = wf_h2_session_wants_write(c->session);
    bool was_dead = wf_h2_session_is_dead(c->session);
    enter(c);
    size_t count = wf_h2_session_output(c->session, slices, MAX_SLICES, budget);
    leave(c);
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += slices[i].len;
    CHECK(total <= budget);
    /* Making DATA frames may have run out of memory. */
    if (!c->no_memory || wf_h2_session_is_dead(c->session) == was_dead)
        CHECK((total > 0) == (wants && budget > 0));
    /* Asked again, it says the same. */
    enter(c);
    size_t same = wf_h2_session_output(c->session, again, MAX_SLICES, budget);
    leave(c);
    CHECK(same == count || c->no_memory);
    for (size_t i = 0; i < count && same == count && !c->no_memory; i++)
        CHECK(slices[i].ptr == again[i].ptr && slices[i].len == again[i].len);
    count = same;
    size_t left = taken;
    size_t written = 0;
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t len = again[i].len < left ? again[i].len : left;
        if (sink != NULL)
            sink(user, wf_slice(again[i].ptr, len));
        left -= len;
        written += len;
    }
    enter(c);
    wf_h2_session_wrote(c->session, written);
    leave(c);
    caller_drain(c);
    return written;
}
