#include "support/h2_rig.h"

#include "support/cmocka.h"

size_t rig_step = SIZE_MAX;

static const char *const end_names[] = {
    [WF_H2_END_COMPLETE] = "COMPLETE",
    [WF_H2_END_RESET_BY_PEER] = "RESET_BY_PEER",
    [WF_H2_END_STREAM_ERROR] = "STREAM_ERROR",
    [WF_H2_END_GOAWAY] = "GOAWAY",
    [WF_H2_END_CONNECTION_ERROR] = "CONNECTION_ERROR",
    [WF_H2_END_CONNECTION_LOST] = "CONNECTION_LOST",
};

static const char *const effect_names[] = {
    [WF_H2_NOT_SENT] = "NOT_SENT",
    [WF_H2_NOT_PROCESSED] = "NOT_PROCESSED",
    [WF_H2_MAYBE_PROCESSED] = "MAYBE_PROCESSED",
    [WF_H2_PROCESSED] = "PROCESSED",
};

static const char *const kind_names[] = {
    [WF_H2_SECTION_REQUEST] = "REQUEST",
    [WF_H2_SECTION_INFORMATIONAL] = "INFORMATIONAL",
    [WF_H2_SECTION_RESPONSE] = "RESPONSE",
    [WF_H2_SECTION_TRAILERS] = "TRAILERS",
};

static void write_event(const struct wf_h2_event *event, char *text)
{
    uint32_t id = event->stream != NULL ? wf_h2_stream_id(event->stream) : 0;
    const char *end = event->end_stream ? " END" : "";
    switch (event->type) {
    case WF_H2_EVENT_HEADERS:
        snprintf(text, RIG_EVENT_LEN, "HEADERS %u %s %u%s", id, kind_names[event->headers.kind],
                 event->headers.status, end);
        break;
    case WF_H2_EVENT_DATA:
        snprintf(text, RIG_EVENT_LEN, "DATA %u %zu%s", id, event->data.bytes.len, end);
        break;
    case WF_H2_EVENT_BODY_SENT:
        snprintf(text, RIG_EVENT_LEN, "BODY_SENT %u", id);
        break;
    case WF_H2_EVENT_CLOSED:
        snprintf(text, RIG_EVENT_LEN, "CLOSED %u %s %s %s", id, end_names[event->closed.end],
                 wf_h2_code_name(event->closed.code), effect_names[event->closed.effect]);
        break;
    case WF_H2_EVENT_SETTINGS:
        snprintf(text, RIG_EVENT_LEN, "SETTINGS");
        break;
    case WF_H2_EVENT_SETTINGS_ACK:
        snprintf(text, RIG_EVENT_LEN, "SETTINGS_ACK");
        break;
    case WF_H2_EVENT_PING_ACK:
        snprintf(text, RIG_EVENT_LEN, "PING_ACK %.8s", (const char *)event->ping);
        break;
    case WF_H2_EVENT_GOAWAY:
        snprintf(text, RIG_EVENT_LEN, "GOAWAY %u %s", event->goaway.last_stream_id,
                 wf_h2_code_name(event->goaway.code));
        break;
    case WF_H2_EVENT_CONNECTION_ERROR:
        snprintf(text, RIG_EVENT_LEN, "CONNECTION_ERROR %s", wf_h2_code_name(event->error.code));
        break;
    }
}

/* Joins a piece of DATA to the line before, when that is DATA of the same stream without an end. */
static bool join_data(struct h2_rig *rig, const struct wf_h2_event *event)
{
    if (rig->event_count == rig->event_next || event->type != WF_H2_EVENT_DATA)
        return false;
    char *last = rig->events[rig->event_count - 1];
    unsigned id;
    size_t len;
    char after[8] = "";
    if (sscanf(last, "DATA %u %zu %7s", &id, &len, after) < 2 || after[0] != '\0' ||
        id != wf_h2_stream_id(event->stream))
        return false;
    snprintf(last, RIG_EVENT_LEN, "DATA %u %zu%s", id, len + event->data.bytes.len,
             event->end_stream ? " END" : "");
    return true;
}

static void record(struct h2_rig *rig, const struct wf_h2_event *event)
{
    const char *reason = NULL;
    if (event->type == WF_H2_EVENT_CLOSED)
        reason = event->closed.reason;
    else if (event->type == WF_H2_EVENT_CONNECTION_ERROR)
        reason = event->error.reason;
    if (reason != NULL)
        snprintf(rig->last_reason, sizeof(rig->last_reason), "%s", reason);
    if (join_data(rig, event))
        return;
    assert_true(rig->event_count < RIG_MAX_EVENTS);
    write_event(event, rig->events[rig->event_count++]);
}

static void read_events(struct h2_rig *rig, struct wf_slice *in)
{
    struct wf_h2_event event;
    while (wf_h2_session_next(rig->session, rig->now_ms, in, &event)) {
        record(rig, &event);
        if (event.type == WF_H2_EVENT_DATA && !rig->keeps_credit)
            wf_h2_session_consume(rig->session, event.stream, event.data.bytes.len);
    }
}

void rig_run(struct h2_rig *rig)
{
    size_t window = 0;
    size_t total = wf_buf_len(&rig->to_session);
    do {
        size_t more = total - window;
        size_t len = window + (more < rig_step ? more : rig_step);
        /* Memory of its own, so that a read beyond it shows. */
        uint8_t *copy = malloc(len + 1);
        assert_non_null(copy);
        if (len > 0)
            memcpy(copy, rig->to_session.data + rig->to_session.start, len);
        struct wf_slice in = wf_slice(copy, len);
        read_events(rig, &in);
        wf_buf_consume(&rig->to_session, len - in.len);
        total = wf_buf_len(&rig->to_session);
        window = in.len;
        free(copy);
    } while (window < total && !wf_h2_session_is_dead(rig->session));
}

static void send_to_session(void *user, struct wf_slice octets)
{
    struct h2_rig *rig = user;
    assert_true(wf_buf_append(&rig->to_session, octets.ptr, octets.len));
}

static bool recv_from_session(void *user, struct wf_buf *in)
{
    struct h2_rig *rig = user;
    struct wf_slice slices[16];
    rig_run(rig);
    if (rig->blocked)
        return false;
    size_t count = wf_h2_session_output(rig->session, slices, 16, 65536);
    size_t left = rig_step;
    size_t len = 0;
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t part = slices[i].len < left ? slices[i].len : left;
        assert_true(wf_buf_append(in, slices[i].ptr, part));
        left -= part;
        len += part;
    }
    wf_h2_session_wrote(rig->session, len);
    struct wf_slice none = wf_slice("", 0);
    read_events(rig, &none);
    return len > 0;
}

void rig_init(struct h2_rig *rig, const struct wf_h2_config *config)
{
    memset(rig, 0, sizeof(*rig));
    struct h2_peer_transport transport = {rig, send_to_session, recv_from_session};
    peer_init(&rig->peer, &transport);
    rig->session = wf_h2_session_new(config, 0);
    assert_non_null(rig->session);
}

void rig_init_client_with(struct h2_rig *rig, const struct wf_h2_config *config)
{
    rig_init(rig, config);
    peer_expect_preface(&rig->peer);
    peer_expect_settings(&rig->peer);
    if (config->connection_window > WF_H2_INITIAL_WINDOW)
        peer_expect(&rig->peer, WF_H2_FRAME_WINDOW_UPDATE, 0);
    peer_send_settings(&rig->peer, 0);
    peer_send_settings_ack(&rig->peer);
    peer_expect_settings_ack(&rig->peer);
    rig_expect(rig, "SETTINGS");
    rig_expect(rig, "SETTINGS_ACK");
}

void rig_init_client(struct h2_rig *rig)
{
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    rig_init_client_with(rig, &config);
}

void rig_init_server(struct h2_rig *rig)
{
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_SERVER);
    rig_init(rig, &config);
    peer_send_preface(&rig->peer);
    peer_send_settings(&rig->peer, 0);
    peer_send_settings_ack(&rig->peer);
    peer_expect_settings(&rig->peer);
    peer_expect(&rig->peer, WF_H2_FRAME_WINDOW_UPDATE, 0);
    peer_expect_settings_ack(&rig->peer);
    rig_expect(rig, "SETTINGS");
    rig_expect(rig, "SETTINGS_ACK");
}

void rig_fini(struct h2_rig *rig)
{
    wf_h2_session_free(rig->session);
    peer_fini(&rig->peer);
    wf_buf_fini(&rig->to_session);
}

struct wf_h2_stream *rig_submit(struct h2_rig *rig, const char *method, bool end_stream)
{
    struct wf_field fields[] = {
        {.name = wf_slice_str(":method"), .value = wf_slice_str(method)},
        {.name = wf_slice_str(":scheme"), .value = wf_slice_str("https")},
        {.name = wf_slice_str(":authority"), .value = wf_slice_str("localhost")},
        {.name = wf_slice_str(":path"), .value = wf_slice_str("/")},
    };
    struct wf_h2_message message = {.fields = fields,
                                    .count = 4,
                                    .end_stream = end_stream,
                                    .is_head = strcmp(method, "HEAD") == 0};
    struct wf_h2_stream *stream = NULL;
    assert_int_equal(wf_h2_session_request(rig->session, &message, NULL, &stream), WF_H2_SUBMITTED);
    return stream;
}

struct wf_h2_stream *rig_get(struct h2_rig *rig, uint32_t expected_id)
{
    struct wf_h2_stream *stream = rig_submit(rig, "GET", true);
    peer_expect_headers(&rig->peer, expected_id);
    return stream;
}

struct wf_h2_stream *rig_post(struct h2_rig *rig, uint32_t expected_id)
{
    struct wf_h2_stream *stream = rig_submit(rig, "POST", false);
    peer_expect_headers(&rig->peer, expected_id);
    return stream;
}

void rig_expect_at(struct h2_rig *rig, const char *text, const char *file, int line)
{
    rig_run(rig);
    const char *got =
        rig->event_next < rig->event_count ? rig->events[rig->event_next] : "no event";
    const char *wanted = text != NULL ? text : "no event";
    if (strcmp(got, wanted) != 0) {
        print_error("expected \"%s\", got \"%s\" (%s)\n", wanted, got, rig->last_reason);
        _fail(file, line);
    }
    if (text != NULL)
        rig->event_next++;
}

void rig_expect_connection_error_at(struct h2_rig *rig, uint32_t code, const char *file, int line)
{
    char text[RIG_EVENT_LEN];
    char closed[RIG_EVENT_LEN];
    snprintf(text, sizeof(text), "CONNECTION_ERROR %s", wf_h2_code_name(code));
    rig_expect_at(rig, text, file, line);
    snprintf(closed, sizeof(closed), "CONNECTION_ERROR %s", wf_h2_code_name(code));
    for (; rig->event_next < rig->event_count; rig->event_next++) {
        const char *got = rig->events[rig->event_next];
        if (strncmp(got, "CLOSED", 6) != 0 || strstr(got, closed) == NULL) {
            print_error("expected streams to end, got \"%s\"\n", got);
            _fail(file, line);
        }
    }
    if (!wf_h2_session_is_dead(rig->session) || wf_h2_session_open_streams(rig->session) != 0)
        _fail(file, line);
    peer_expect_code_at(&rig->peer, WF_H2_FRAME_GOAWAY, 0, code, file, line);
    peer_expect_nothing_at(&rig->peer, file, line);
}

void rig_expect_stream_error_at(struct h2_rig *rig, uint32_t id, uint32_t code, const char *file,
                                int line)
{
    char text[RIG_EVENT_LEN];
    rig_run(rig);
    const char *effect =
        rig->event_next < rig->event_count && strstr(rig->events[rig->event_next], "MAYBE") != NULL
            ? "MAYBE_PROCESSED"
            : "PROCESSED";
    snprintf(text, sizeof(text), "CLOSED %u STREAM_ERROR %s %s", id, wf_h2_code_name(code), effect);
    rig_expect_at(rig, text, file, line);
    peer_expect_code_at(&rig->peer, WF_H2_FRAME_RST_STREAM, id, code, file, line);
    if (wf_h2_session_is_dead(rig->session))
        _fail(file, line);
}
