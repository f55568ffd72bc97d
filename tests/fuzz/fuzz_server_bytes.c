/* A server's session against arbitrary octets: the role that the tests' and tools' servers use. The
 * input is three octets that set the run up, and what the client sends. Each request is answered.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "h2/frame.h"
#include "h2/session.h"
#include "support/choice.h"

#define MAX_REQUESTS 300u

struct served {
    struct wf_h2_stream *stream;
    bool has_answered;
    bool request_ended;
    uint8_t *body;
    size_t unconsumed;
};

struct server {
    struct wf_h2_session *session;
    struct served served[MAX_REQUESTS];
    size_t count;
    uint32_t max_streams;
    struct choice choice;
    bool has_error;
};

static void end(struct served *served)
{
    free(served->body);
    served->body = NULL;
    served->stream = NULL;
}

static void answer(struct server *server, struct served *served)
{
    struct wf_field fields[] = {
        {.name = wf_slice_str(":status"), .value = wf_slice_str("200")},
        {.name = wf_slice_str("server"), .value = wf_slice_str("fuzz")},
    };
    size_t len = choose_len(&server->choice, 3000);
    struct wf_h2_message message = {.fields = fields, .count = 2, .end_stream = len == 0};
    served->has_answered = true;
    enum wf_h2_submit result =
        wf_h2_session_send_headers(server->session, served->stream, &message);
    FUZZ_CHECK(result == WF_H2_SUBMITTED || result == WF_H2_SUBMIT_DRAINING ||
               result == WF_H2_SUBMIT_TOO_LARGE);
    if (result == WF_H2_SUBMIT_TOO_LARGE) {
        wf_h2_session_reset(server->session, served->stream, WF_H2_INTERNAL_ERROR);
        end(served);
    } else if (len > 0) {
        served->body = malloc(len);
        FUZZ_CHECK(served->body != NULL);
        memset(served->body, 'b', len);
        wf_h2_session_send_body(server->session, served->stream, wf_slice(served->body, len), true);
    }
}

static void on_stream_event(struct server *server, const struct wf_h2_event *event)
{
    struct served *served = wf_h2_stream_user(event->stream);
    if (event->type == WF_H2_EVENT_HEADERS && event->headers.kind == WF_H2_SECTION_REQUEST) {
        FUZZ_CHECK(served == NULL && wf_h2_stream_id(event->stream) % 2 == 1);
        FUZZ_CHECK(wf_h2_session_open_streams(server->session) <= server->max_streams);
        if (server->count == MAX_REQUESTS) {
            wf_h2_session_reset(server->session, event->stream, WF_H2_REFUSED_STREAM);
            return;
        }
        served = &server->served[server->count++];
        *served = (struct served){.stream = event->stream};
        wf_h2_stream_set_user(event->stream, served);
        served->request_ended = event->end_stream;
        if (choose_below(&server->choice, 3) != 0)
            answer(server, served);
        return;
    }
    if (event->type == WF_H2_EVENT_CLOSED && served == NULL)
        return;
    FUZZ_CHECK(served != NULL && served->stream == event->stream);
    if (event->type == WF_H2_EVENT_HEADERS) {
        FUZZ_CHECK(event->headers.kind == WF_H2_SECTION_TRAILERS && !served->request_ended);
        served->request_ended = true;
    } else if (event->type == WF_H2_EVENT_DATA) {
        FUZZ_CHECK(!served->request_ended);
        served->request_ended = event->end_stream;
        served->unconsumed += event->data.bytes.len;
        if (choose_below(&server->choice, 4) != 0) {
            wf_h2_session_consume(server->session, event->stream, served->unconsumed);
            served->unconsumed = 0;
        }
    } else if (event->type == WF_H2_EVENT_BODY_SENT) {
        FUZZ_CHECK(served->body != NULL);
        free(served->body);
        served->body = NULL;
    } else {
        FUZZ_CHECK(event->type == WF_H2_EVENT_CLOSED);
        if (event->closed.end == WF_H2_END_COMPLETE)
            FUZZ_CHECK(served->request_ended && served->has_answered);
        end(served);
    }
}

static void feed(struct server *server, struct wf_buf *pending, struct wf_slice octets)
{
    struct wf_h2_event event;
    FUZZ_CHECK(octets.len == 0 || wf_buf_append(pending, octets.ptr, octets.len));
    size_t len = wf_buf_len(pending);
    uint8_t *copy = malloc(len > 0 ? len : 1);
    FUZZ_CHECK(copy != NULL);
    if (len > 0)
        memcpy(copy, wf_buf_slice(pending).ptr, len);
    struct wf_slice in = wf_slice(copy, len);
    while (wf_h2_session_next(server->session, 0, &in, &event)) {
        if (event.stream != NULL)
            on_stream_event(server, &event);
        server->has_error = server->has_error || event.type == WF_H2_EVENT_CONNECTION_ERROR;
    }
    if (wf_h2_session_is_dead(server->session))
        in.len = 0;
    FUZZ_CHECK(in.len <= WF_H2_FRAME_HEADER_LEN + WF_H2_MIN_MAX_FRAME_SIZE);
    wf_buf_consume(pending, len - in.len);
    free(copy);
}

static void write_some(struct server *server, struct wf_buf *pending)
{
    struct wf_slice slices[8];
    size_t count =
        wf_h2_session_output(server->session, slices, 8, 1 + choose_len(&server->choice, 20000));
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += slices[i].len;
    wf_h2_session_wrote(server->session, total);
    feed(server, pending, wf_slice(NULL, 0));
}

static void act(struct server *server)
{
    struct choice *choice = &server->choice;
    if (server->count == 0)
        return;
    struct served *served = &server->served[choose_below(choice, server->count)];
    if (served->stream != NULL && !served->has_answered) {
        answer(server, served);
    } else if (served->stream != NULL && choose_one_in(choice, 3)) {
        wf_h2_session_reset(server->session, served->stream, WF_H2_CANCEL);
        end(served);
    } else if (choose_one_in(choice, 50)) {
        FUZZ_CHECK(wf_h2_session_goaway(server->session, WF_H2_NO_ERROR, NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct server *server = calloc(1, sizeof(*server));
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_SERVER);
    struct wf_buf pending = {0};
    FUZZ_CHECK(server != NULL);
    config.max_concurrent_streams = 1 + data[0] % 20;
    config.initial_window_size = data[0] % 2 == 0 ? 65535 : 1000;
    config.max_queued_control = 500;
    server->max_streams = config.max_concurrent_streams;
    server->choice = choice_random(data[1]);
    server->session = wf_h2_session_new(&config, 0);
    FUZZ_CHECK(server->session != NULL);
    struct wf_slice rest = wf_slice(data + 3, size - 3);
    if (data[2] % 2 == 0)
        feed(server, &pending, wf_slice(WF_H2_PREFACE "\0\0\0\4\0\0\0\0\0", 33));
    while (rest.len > 0) {
        size_t len = 1 + choose_len(&server->choice, rest.len - 1);
        feed(server, &pending, wf_slice(rest.ptr, len));
        rest = wf_slice_skip(rest, len);
        act(server);
        if (choose_below(&server->choice, 3) != 0)
            write_some(server, &pending);
    }
    wf_h2_session_lost(server->session);
    feed(server, &pending, wf_slice(NULL, 0));
    FUZZ_CHECK(wf_h2_session_open_streams(server->session) == 0);
    for (size_t i = 0; i < server->count; i++)
        FUZZ_CHECK(server->served[i].stream == NULL);
    wf_h2_session_free(server->session);
    wf_buf_fini(&pending);
    free(server);
    return 0;
}
