#include "support/h2_pair.h"

#include "support/cmocka.h"

#define PATTERN_LEN (4u << 20)

/* What the server keeps for a stream. */
struct answer {
    struct wf_buf received;
    struct wf_slice left; /* of the content, not yet given to the session */
    bool is_echo;
    bool wants_trailers;
};

uint8_t h2_pattern_octet(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 8));
}

struct wf_slice h2_pattern(size_t len)
{
    static uint8_t *pattern;
    if (pattern == NULL) {
        static uint8_t memory[PATTERN_LEN];
        for (size_t i = 0; i < PATTERN_LEN; i++)
            memory[i] = h2_pattern_octet(i);
        pattern = memory;
    }
    assert_true(len <= PATTERN_LEN);
    return wf_slice(pattern, len);
}

void h2_pair_init(struct h2_pair *pair, const struct wf_h2_config *client,
                  const struct wf_h2_config *server)
{
    memset(pair, 0, sizeof(*pair));
    pair->client = wf_h2_session_new(client, 0);
    pair->server = wf_h2_session_new(server, 0);
    pair->upload_piece = SIZE_MAX;
    assert_non_null(pair->client);
    assert_non_null(pair->server);
}

void h2_pair_fini(struct h2_pair *pair)
{
    wf_h2_session_free(pair->client);
    wf_h2_session_free(pair->server);
    wf_buf_fini(&pair->to_server);
    wf_buf_fini(&pair->to_client);
}

void h2_call_fini(struct h2_call *call)
{
    wf_buf_fini(&call->body);
}

static struct wf_field field(const char *name, const char *value)
{
    return (struct wf_field){.name = wf_slice_str(name), .value = wf_slice_str(value)};
}

/* Gives the session the next piece of what is @left. */
static void send_piece(struct h2_pair *pair, struct wf_h2_session *session,
                       struct wf_h2_stream *stream, struct wf_slice *left, bool ends)
{
    size_t len = left->len < pair->upload_piece ? left->len : pair->upload_piece;
    struct wf_slice piece = wf_slice(left->ptr, len);
    *left = wf_slice_skip(*left, len);
    wf_h2_session_send_body(session, stream, piece, ends && left->len == 0);
}

void h2_pair_call(struct h2_pair *pair, struct h2_call *call, const char *path,
                  struct wf_slice upload)
{
    bool is_post = upload.ptr != NULL;
    memset(call, 0, sizeof(*call));
    struct wf_field fields[] = {field(":method", is_post ? "POST" : "GET"),
                                field(":scheme", "https"), field(":authority", "localhost"),
                                field(":path", path), field("accept", "*/*")};
    struct wf_h2_message message = {
        .fields = fields, .count = sizeof(fields) / sizeof(fields[0]), .end_stream = !is_post};
    assert_int_equal(wf_h2_session_request(pair->client, &message, call, &call->stream),
                     WF_H2_SUBMITTED);
    call->upload = upload;
    if (is_post)
        send_piece(pair, pair->client, call->stream, &call->upload, true);
}

static void server_body_sent(struct h2_pair *pair, struct wf_h2_stream *stream)
{
    struct answer *answer = wf_h2_stream_user(stream);
    if (answer->left.len > 0) {
        send_piece(pair, pair->server, stream, &answer->left, !answer->wants_trailers);
    } else if (answer->wants_trailers) {
        struct wf_field trailer = field("x-sum", "42");
        struct wf_h2_message message = {.fields = &trailer, .count = 1, .end_stream = true};
        answer->wants_trailers = false;
        assert_int_equal(wf_h2_session_send_headers(pair->server, stream, &message),
                         WF_H2_SUBMITTED);
    }
}

static void answer_request(struct h2_pair *pair, struct wf_h2_stream *stream)
{
    struct answer *answer = wf_h2_stream_user(stream);
    char length[24];
    if (answer->is_echo)
        answer->left = wf_buf_slice(&answer->received);
    answer->wants_trailers = pair->server_sends_trailers;
    snprintf(length, sizeof(length), "%zu", answer->left.len);
    struct wf_field fields[] = {field(":status", "200"), field("server", "pair"),
                                field("content-length", length)};
    bool is_empty = answer->left.len == 0 && !answer->wants_trailers;
    struct wf_h2_message message = {.fields = fields, .count = 3, .end_stream = is_empty};
    assert_int_equal(wf_h2_session_send_headers(pair->server, stream, &message), WF_H2_SUBMITTED);
    if (answer->left.len > 0)
        send_piece(pair, pair->server, stream, &answer->left, !answer->wants_trailers);
    else
        server_body_sent(pair, stream);
}

static void open_answer(struct wf_h2_stream *stream, const struct wf_field_section *section)
{
    struct answer *answer = wf_calloc(1, sizeof(*answer));
    assert_non_null(answer);
    wf_h2_stream_set_user(stream, answer);
    answer->is_echo = true;
    for (uint32_t i = 0; i < section->count; i++) {
        struct wf_slice value = wf_section_value(section, i);
        if (!wf_slice_is(wf_section_name(section, i), ":path") || value.len < 7 ||
            memcmp(value.ptr, "/bytes/", 7) != 0)
            continue;
        char digits[16] = {0};
        assert_true(value.len - 7 < sizeof(digits));
        memcpy(digits, value.ptr + 7, value.len - 7);
        answer->is_echo = false;
        answer->left = h2_pattern(strtoul(digits, NULL, 10));
    }
}

static void handle_server(struct h2_pair *pair, const struct wf_h2_event *event)
{
    struct answer *answer = event->stream != NULL ? wf_h2_stream_user(event->stream) : NULL;
    if (event->type == WF_H2_EVENT_HEADERS) {
        if (event->headers.kind == WF_H2_SECTION_REQUEST) {
            open_answer(event->stream, event->headers.section);
            pair->server_open++;
        }
        if (event->end_stream)
            answer_request(pair, event->stream);
    } else if (event->type == WF_H2_EVENT_DATA) {
        assert_true(wf_buf_append(&answer->received, event->data.bytes.ptr, event->data.bytes.len));
        wf_h2_session_consume(pair->server, event->stream, event->data.bytes.len);
        if (event->end_stream)
            answer_request(pair, event->stream);
    } else if (event->type == WF_H2_EVENT_BODY_SENT) {
        server_body_sent(pair, event->stream);
    } else if (event->type == WF_H2_EVENT_CLOSED) {
        wf_buf_fini(&answer->received);
        wf_free(answer);
        pair->server_open--;
    }
}

static void handle_client(struct h2_pair *pair, const struct wf_h2_event *event)
{
    struct h2_call *call = event->stream != NULL ? wf_h2_stream_user(event->stream) : NULL;
    if (event->type == WF_H2_EVENT_HEADERS) {
        call->informational += event->headers.kind == WF_H2_SECTION_INFORMATIONAL;
        call->trailers += event->headers.kind == WF_H2_SECTION_TRAILERS;
        if (event->headers.kind == WF_H2_SECTION_RESPONSE)
            call->status = event->headers.status;
    } else if (event->type == WF_H2_EVENT_DATA) {
        assert_true(wf_buf_append(&call->body, event->data.bytes.ptr, event->data.bytes.len));
        wf_h2_session_consume(pair->client, event->stream, event->data.bytes.len);
    } else if (event->type == WF_H2_EVENT_BODY_SENT) {
        if (call->upload.len > 0)
            send_piece(pair, pair->client, event->stream, &call->upload, true);
    } else if (event->type == WF_H2_EVENT_CLOSED) {
        assert_false(call->ended);
        call->ended = true;
        call->end = event->closed.end;
        call->effect = event->closed.effect;
        call->code = event->closed.code;
        call->stream = NULL;
    }
}

static size_t step_len(struct h2_pair *pair, size_t len)
{
    size_t step = SIZE_MAX;
    if (pair->pace == H2_PAIR_STEPS)
        step = pair->step;
    else if (pair->pace == H2_PAIR_RANDOM)
        step = 1 + test_random_below(&pair->random, pair->step);
    return step < len ? step : len;
}

/* One write of @from: its octets go on the wire. */
static bool write_out(struct h2_pair *pair, struct wf_h2_session *from, struct wf_buf *wire)
{
    struct wf_slice slices[8];
    size_t count = wf_h2_session_output(from, slices, 8, 65536);
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += slices[i].len;
    assert_true((total > 0) == wf_h2_session_wants_write(from));
    size_t len = step_len(pair, total);
    size_t left = len;
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t part = slices[i].len < left ? slices[i].len : left;
        assert_true(wf_buf_append(wire, slices[i].ptr, part));
        left -= part;
    }
    wf_h2_session_wrote(from, len);
    return len > 0;
}

/* One read of @to: the beginning of the wire, in memory of its own so that reads beyond it show. */
static bool read_in(struct h2_pair *pair, struct wf_h2_session *to, struct wf_buf *wire,
                    size_t *window,
                    void (*handle)(struct h2_pair *pair, const struct wf_h2_event *event))
{
    size_t total = wf_buf_len(wire);
    size_t more = step_len(pair, total - *window);
    size_t len = *window + more;
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, wire->data + wire->start, len);
    struct wf_slice in = wf_slice(copy, len);
    struct wf_h2_event event;
    bool handled = false;
    while (wf_h2_session_next(to, 0, &in, &event)) {
        handle(pair, &event);
        handled = true;
    }
    wf_buf_consume(wire, len - in.len);
    *window = in.len;
    free(copy);
    return more > 0 || handled;
}

void h2_pair_run(struct h2_pair *pair)
{
    size_t client_window = 0;
    size_t server_window = 0;
    bool busy = true;
    while (busy) {
        busy = write_out(pair, pair->client, &pair->to_server);
        busy |= read_in(pair, pair->server, &pair->to_server, &server_window, handle_server);
        busy |= write_out(pair, pair->server, &pair->to_client);
        busy |= read_in(pair, pair->client, &pair->to_client, &client_window, handle_client);
        if (wf_h2_session_is_dead(pair->client) || wf_h2_session_is_dead(pair->server))
            break;
    }
}
