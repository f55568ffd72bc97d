/* The oracle over HTTP/2. A stream is processed, or not, when it is treated; what is above the last
 * stream of a GOAWAY by then, or comes when the connection has ended, is not treated. */
#include "support/oracle_internal.h"

#include "h2/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ID 0x7fffffffu

enum act {
    ANSWER,
    REFUSE,  /* REFUSED_STREAM */
    RESET,   /* any other code */
    HALF,    /* a response that begins, then any code or the end of the connection */
    HINT,    /* 103, then any code or the end of the connection */
    STALL,   /* nothing, ever */
    GO_AWAY, /* with any last stream identifier, and then an end or none */
    CUT,     /* the end of the connection, with all that was written before it */
    TORN,    /* an answer, of which some octets are missing */
    ACTS
};

static const char *const act_names[ACTS] = {"answer", "refuse", "reset", "half", "hint",
                                            "stall",  "goaway", "cut",   "torn"};

struct exchange {
    struct exchange *next;
    struct exchange **before;
    struct wf_h2_stream *stream;
    struct oracle_try *attempt;
    char text[12]; /* of the answer */
};

struct state {
    struct wf_h2_session *session;
    struct wf_buf in;
    struct wf_buf raw; /* a GOAWAY, which goes out behind the session's octets and past it */
    struct exchange *exchanges;
    uint32_t last_id;      /* of our GOAWAYs */
    uint32_t processed_id; /* highest stream that had its effect */
};

static void exchange_free(struct exchange *x)
{
    *x->before = x->next;
    if (x->next != NULL)
        x->next->before = x->before;
    free(x);
}

static void send_status(struct state *state, struct exchange *x, const char *status)
{
    struct wf_field field = {.name = wf_slice_str(":status"), .value = wf_slice_str(status)};
    struct wf_h2_message message = {.fields = &field, .count = 1};
    (void)wf_h2_session_send_headers(state->session, x->stream, &message);
}

static void process(struct state *state, struct exchange *x)
{
    uint32_t id = wf_h2_stream_id(x->stream);
    x->attempt->was_processed = true;
    if (id > state->processed_id)
        state->processed_id = id;
}

static void process_perhaps(struct oracle_server *server, struct state *state, struct exchange *x)
{
    oracle_process_perhaps(server, x->attempt);
    if (x->attempt->was_processed)
        process(state, x);
}

static void begin_response(struct state *state, struct exchange *x)
{
    process(state, x);
    x->attempt->said = ORACLE_SAID_BEGUN;
    send_status(state, x, "200");
}

static void send_answer(struct state *state, struct exchange *x)
{
    (void)snprintf(x->text, sizeof(x->text), "%u", x->attempt->number);
    begin_response(state, x);
    wf_h2_session_send_body(state->session, x->stream, wf_slice(x->text, strlen(x->text)), true);
}

static void reset_or_cut(struct oracle_server *server, struct oracle_conn *conn, struct exchange *x)
{
    /* Neither REFUSED_STREAM nor HTTP_1_1_REQUIRED is for what may have been processed. */
    static const uint32_t codes[] = {0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 14, 0xffffffffu};
    struct state *state = conn->state;
    unsigned which = oracle_decide_for(server, "code", x->attempt, 20);
    if (which >= sizeof(codes) / sizeof(codes[0])) {
        conn->ends = true;
        return;
    }
    oracle_try_note(x->attempt, "code");
    wf_h2_session_reset(state->session, x->stream, codes[which]);
    exchange_free(x);
}

/* All that is above @last_id will not be processed, and the client is told so. */
static void leave_out(struct state *state, uint32_t last_id)
{
    state->last_id = last_id;
    for (struct exchange *x = state->exchanges; x != NULL; x = x->next) {
        if (wf_h2_stream_id(x->stream) <= last_id || x->attempt->said != ORACLE_SAID_NOTHING)
            continue;
        oracle_try_note(x->attempt, "left out");
        x->attempt->said = ORACLE_SAID_NOT;
    }
}

static uint32_t choose_last_id(const struct oracle_server *server, const struct state *state,
                               const struct exchange *x)
{
    uint32_t id = wf_h2_stream_id(x->stream);
    const uint32_t lasts[] = {0, id - 2, id, id, id + 2, MAX_ID};
    uint32_t last_id = lasts[oracle_decide_for(server, "last", x->attempt, 6)];
    if (id == 1 && last_id > MAX_ID)
        last_id = 0;
    if (last_id < state->processed_id)
        last_id = state->processed_id;
    return last_id < state->last_id ? last_id : state->last_id; /* RFC 9113 section 6.8 */
}

static void go_away(struct oracle_server *server, struct oracle_conn *conn, struct exchange *x)
{
    struct state *state = conn->state;
    uint32_t last_id = choose_last_id(server, state, x);
    uint8_t frame[17] = {0, 0, 8, 7};
    for (unsigned i = 0; i < 4; i++)
        frame[9 + i] = (uint8_t)(last_id >> (24 - 8 * i));
    frame[16] = (uint8_t)oracle_decide_for(server, "why", x->attempt, 14);
    oracle_must(wf_buf_append(&state->raw, frame, sizeof(frame)), "memory");
    leave_out(state, last_id);
    conn->ends = oracle_decide_for(server, "then", x->attempt, 2) == 0;
    if (wf_h2_stream_id(x->stream) > last_id)
        return;
    process(state, x);
    if (oracle_decide_for(server, "answer", x->attempt, 2) == 0)
        send_answer(state, x);
    else
        conn->ends = true;
}

static void treat(struct oracle_server *server, struct oracle_conn *conn, struct exchange *x)
{
    struct state *state = conn->state;
    switch ((enum act)oracle_choose_act(server, x->attempt)) {
    case ANSWER:
    case ACTS:
        send_answer(state, x);
        break;
    case REFUSE:
        x->attempt->said = ORACLE_SAID_NOT;
        wf_h2_session_reset(state->session, x->stream, WF_H2_REFUSED_STREAM);
        exchange_free(x);
        break;
    case RESET:
        process_perhaps(server, state, x);
        reset_or_cut(server, conn, x);
        break;
    case HALF:
        begin_response(state, x);
        reset_or_cut(server, conn, x);
        break;
    case HINT:
        process_perhaps(server, state, x);
        send_status(state, x, "103");
        reset_or_cut(server, conn, x);
        break;
    case STALL:
        process_perhaps(server, state, x);
        break;
    case GO_AWAY:
        go_away(server, conn, x);
        break;
    case CUT:
        process_perhaps(server, state, x);
        conn->ends = true;
        break;
    case TORN:
        send_answer(state, x);
        conn->ends = true;
        conn->is_torn = true;
        conn->is_aborted = oracle_decide(server, "abort", conn->round, 0, 2) == 0;
        break;
    }
}

static unsigned number_of(const struct wf_field_section *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        if (wf_slice_is(wf_section_name(section, i), ":path"))
            return oracle_number_of(wf_section_value(section, i));
    }
    abort();
}

static bool is_over(const struct oracle_conn *conn)
{
    return conn->ends || conn->is_silent;
}

static void on_headers(struct oracle_server *server, struct oracle_conn *conn,
                       const struct wf_h2_event *event)
{
    struct state *state = conn->state;
    uint32_t id = wf_h2_stream_id(event->stream);
    if (event->headers.kind != WF_H2_SECTION_REQUEST)
        return;
    struct exchange *x = calloc(1, sizeof(*x));
    oracle_must(x != NULL, "calloc");
    *x = (struct exchange){
        .next = state->exchanges, .before = &state->exchanges, .stream = event->stream};
    x->attempt = oracle_record_try(&server->record, number_of(event->headers.section), conn->round,
                                   id, is_over(conn));
    x->attempt->is_unclear = conn->is_torn;
    if (x->next != NULL)
        x->next->before = &x->next;
    state->exchanges = x;
    wf_h2_stream_set_user(event->stream, x);
    if (id > state->last_id) {
        oracle_try_note(x->attempt, "above");
        x->attempt->said = ORACLE_SAID_NOT;
    } else if (is_over(conn)) {
        oracle_try_note(x->attempt, conn->is_silent ? "silent" : "ending");
    } else if (event->end_stream || oracle_decide_for(server, "early", x->attempt, 2) == 0) {
        treat(server, conn, x);
    } else {
        oracle_try_note(x->attempt, "waits");
    }
}

static void on_data(struct oracle_server *server, struct oracle_conn *conn,
                    const struct wf_h2_event *event)
{
    struct state *state = conn->state;
    struct exchange *x = wf_h2_stream_user(event->stream);
    wf_h2_session_consume(state->session, event->stream, event->data.bytes.len);
    if (x == NULL || !event->end_stream || is_over(conn) ||
        oracle_decide_for(server, "early", x->attempt, 2) == 0 ||
        wf_h2_stream_id(event->stream) > state->last_id)
        return;
    treat(server, conn, x);
}

static void handle(struct oracle_server *server, struct oracle_conn *conn,
                   const struct wf_h2_event *event)
{
    switch (event->type) {
    case WF_H2_EVENT_HEADERS:
        on_headers(server, conn, event);
        break;
    case WF_H2_EVENT_DATA:
        on_data(server, conn, event);
        break;
    case WF_H2_EVENT_CLOSED:
        if (wf_h2_stream_user(event->stream) != NULL)
            exchange_free(wf_h2_stream_user(event->stream));
        break;
    case WF_H2_EVENT_CONNECTION_ERROR:
        (void)fprintf(stderr, "oracle_server: seed %llu: the client broke a rule: %s\n",
                      (unsigned long long)server->plan.seed, event->error.reason);
        abort();
    case WF_H2_EVENT_BODY_SENT:
    case WF_H2_EVENT_SETTINGS:
    case WF_H2_EVENT_SETTINGS_ACK:
    case WF_H2_EVENT_PING_ACK:
    case WF_H2_EVENT_GOAWAY:
        break;
    }
}

static void drain_events(struct oracle_server *server, struct oracle_conn *conn,
                         struct wf_slice *in)
{
    struct state *state = conn->state;
    struct wf_h2_event event;
    while (wf_h2_session_next(state->session, 0, in, &event))
        handle(server, conn, &event);
}

static void open_conn(struct oracle_server *server, struct oracle_conn *conn)
{
    struct state *state = calloc(1, sizeof(*state));
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_SERVER);
    oracle_must(state != NULL, "calloc");
    config.max_concurrent_streams = server->plan.max_streams;
    state->session = wf_h2_session_new(&config, 0);
    oracle_must(state->session != NULL, "session");
    state->last_id = MAX_ID;
    conn->state = state;
}

static void read_conn(struct oracle_server *server, struct oracle_conn *conn,
                      struct wf_slice octets)
{
    struct state *state = conn->state;
    oracle_must(wf_buf_append(&state->in, octets.ptr, octets.len), "memory");
    struct wf_slice in = wf_buf_slice(&state->in);
    drain_events(server, conn, &in);
    wf_buf_consume(&state->in, wf_buf_len(&state->in) - in.len);
}

static void gather(struct oracle_server *server, struct oracle_conn *conn, struct wf_buf *out)
{
    struct state *state = conn->state;
    while (wf_h2_session_wants_write(state->session)) {
        struct wf_slice slices[16];
        size_t count = wf_h2_session_output(state->session, slices, 16, 65536);
        size_t len = 0;
        for (size_t i = 0; i < count; i++) {
            oracle_must(wf_buf_append(out, slices[i].ptr, slices[i].len), "memory");
            len += slices[i].len;
        }
        if (len == 0)
            break;
        wf_h2_session_wrote(state->session, len);
        struct wf_slice nothing = {NULL, 0};
        drain_events(server, conn, &nothing);
    }
    struct wf_slice raw = wf_buf_slice(&state->raw);
    oracle_must(raw.len == 0 || wf_buf_append(out, raw.ptr, raw.len), "memory");
    wf_buf_consume(&state->raw, raw.len);
}

static void close_conn(struct oracle_server *server, struct oracle_conn *conn)
{
    struct state *state = conn->state;
    (void)server;
    while (state->exchanges != NULL)
        exchange_free(state->exchanges);
    wf_h2_session_free(state->session);
    wf_buf_fini(&state->in);
    wf_buf_fini(&state->raw);
    free(state);
}

const struct oracle_protocol oracle_protocol_h2 = {ACTS,      act_names, open_conn,
                                                   read_conn, gather,    close_conn};
