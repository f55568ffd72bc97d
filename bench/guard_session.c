/* A client's and a server's session, joined by their output. */
#include "guard.h"

#include "h2/session.h"

#define SLICES 32

struct pair {
    struct wf_h2_session *client;
    struct wf_h2_session *server;
    struct wf_h2_message request;
    struct wf_h2_message response;
    unsigned long completed;
};

static struct wf_field field(const char *name, const char *value)
{
    return (struct wf_field){.name = wf_slice_str(name), .value = wf_slice_str(value)};
}

static void on_server(struct pair *pair, const struct wf_h2_event *event)
{
    if (event->type != WF_H2_EVENT_HEADERS)
        return;
    guard_check(wf_h2_session_send_headers(pair->server, event->stream, &pair->response) ==
                    WF_H2_SUBMITTED,
                "the server cannot answer");
    wf_h2_session_send_body(pair->server, event->stream, wf_slice("0123456789", 10), true);
}

static void on_client(struct pair *pair, const struct wf_h2_event *event)
{
    if (event->type == WF_H2_EVENT_DATA)
        wf_h2_session_consume(pair->client, event->stream, event->data.bytes.len);
    else if (event->type == WF_H2_EVENT_CLOSED && event->closed.end == WF_H2_END_COMPLETE)
        pair->completed++;
}

static void take(struct pair *pair, struct wf_h2_session *to, struct wf_slice *in)
{
    struct wf_h2_event event;
    while (wf_h2_session_next(to, 0, in, &event)) {
        if (to == pair->server)
            on_server(pair, &event);
        else
            on_client(pair, &event);
    }
}

/* All that @from has to say, to @to. */
static void carry(struct pair *pair, struct wf_h2_session *from, struct wf_h2_session *to)
{
    struct wf_slice slices[SLICES];
    size_t count;
    while ((count = wf_h2_session_output(from, slices, SLICES, 1u << 20)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < count; i++) {
            struct wf_slice in = slices[i];
            len += in.len;
            take(pair, to, &in);
            guard_check(in.len == 0, "a frame was cut");
        }
        wf_h2_session_wrote(from, len);
        struct wf_slice nothing = {NULL, 0};
        take(pair, from, &nothing);
    }
}

static void session_round(void *user)
{
    struct pair *pair = user;
    for (unsigned i = 0; i < GUARD_IN_FLIGHT; i++) {
        struct wf_h2_stream *stream;
        guard_check(wf_h2_session_request(pair->client, &pair->request, pair, &stream) ==
                        WF_H2_SUBMITTED,
                    "the client cannot ask");
    }
    carry(pair, pair->client, pair->server);
    carry(pair, pair->server, pair->client);
}

void guard_session(unsigned long rounds)
{
    struct wf_h2_config client = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    struct wf_h2_config server = WF_H2_CONFIG_INIT(WF_H2_SERVER);
    struct wf_field request[] = {field(":method", "GET"), field(":scheme", "https"),
                                 field(":authority", "localhost:8443"), field(":path", "/"),
                                 field("user-agent", "guard")};
    struct wf_field response[] = {
        field(":status", "200"), field("server", "guard"), field("content-type", "text/plain"),
        field("content-length", "10"), field("date", "Sat, 21 Nov 2026 20:00:00 GMT")};
    struct pair pair = {.client = wf_h2_session_new(&client, 0),
                        .server = wf_h2_session_new(&server, 0)};
    pair.request =
        (struct wf_h2_message){.fields = request, .count = 5, .cache_key = 1, .end_stream = true};
    pair.response = (struct wf_h2_message){.fields = response, .count = 5, .cache_key = 1};
    guard_check(pair.client != NULL && pair.server != NULL, "out of memory");
    carry(&pair, pair.server, pair.client);
    session_round(&pair); /* fills tables and pools */
    for (unsigned long i = 0; i < rounds; i++)
        counted(session_round, &pair);
    guard_check(pair.completed == (rounds + 1) * GUARD_IN_FLIGHT, "a request was not completed");
    wf_h2_session_free(pair.client);
    wf_h2_session_free(pair.server);
}
