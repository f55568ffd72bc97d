/* The oracle over HTTP/1.1, where nothing can say that a request was not processed: either a
 * response begins, or nobody knows. A response begins with the first digit of its status. */
#include "support/oracle_internal.h"

#include "support/h1_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Octets in front of the first digit of a status. */
#define STATUS_AT (sizeof("HTTP/1.1 ") - 1)

enum act {
    ANSWER,
    PLAIN,    /* an answer that asks to come again later */
    LAST,     /* an answer that says that the connection ends, and its end */
    IDLE_END, /* an answer and the end of the connection: at once, or when more is asked */
    FAREWELL, /* the same with a 408 that no request asked for */
    HEAD_CUT, /* the end of the connection within the head */
    BODY_CUT, /* the same behind the head */
    HINT,     /* 100 or 103, and then the end of the connection */
    BAD,      /* what can be read in two ways, or not at all */
    STALL,    /* nothing, ever, or a part of the head */
    CUT,      /* the end of the connection */
    ACTS
};

static const char *const act_names[ACTS] = {"answer",   "plain", "last", "idle end",
                                            "farewell", "head",  "body", "hint",
                                            "bad",      "stall", "cut"};

struct state {
    struct h1_request request;
    struct oracle_try *attempt; /* of the request that is being read, until it is treated */
    struct wf_buf out;
    bool says_farewell; /* when the connection ends */
};

/* An answer as it would be if nothing was wrong with it. */
struct answer {
    char text[256];
    size_t len;
    size_t head_len;
    bool ends; /* its end is that of the connection */
};

static void say(struct state *state, const char *text, size_t len)
{
    oracle_must(wf_buf_append(&state->out, text, len), "memory");
}

static void make_answer(struct answer *answer, const char *status, const char *fields,
                        unsigned number, unsigned form)
{
    static const char *const forms[] = {"content-length: %zu", "transfer-encoding: chunked",
                                        "connection: close"};
    char text[12];
    char framing[40];
    (void)snprintf(text, sizeof(text), "%u", number);
    if (form == 0)
        (void)snprintf(framing, sizeof(framing), "content-length: %zu", strlen(text));
    else
        (void)snprintf(framing, sizeof(framing), "%s", forms[form]);
    int head_len = snprintf(answer->text, sizeof(answer->text), "HTTP/1.1 %s\r\n%s%s\r\n\r\n",
                            status, fields, framing);
    answer->head_len = (size_t)head_len;
    int len = form == 1 ? snprintf(answer->text + head_len, sizeof(answer->text) - answer->head_len,
                                   "%zx\r\n%s\r\n0\r\n\r\n", strlen(text), text)
                        : snprintf(answer->text + head_len, sizeof(answer->text) - answer->head_len,
                                   "%s", text);
    answer->len = answer->head_len + (size_t)len;
    answer->ends = form == 2;
}

/* Only as much of it as @len. */
static void say_answer(struct oracle_server *server, struct oracle_conn *conn,
                       struct oracle_try *attempt, const struct answer *answer, size_t len)
{
    if (len > STATUS_AT) {
        attempt->was_processed = true;
        attempt->said = ORACLE_SAID_BEGUN;
    } else {
        oracle_process_perhaps(server, attempt);
    }
    say(conn->state, answer->text, len);
    conn->ends = conn->ends || (answer->ends && len == answer->len);
}

static void end_conn(struct oracle_server *server, struct oracle_conn *conn,
                     const struct oracle_try *attempt)
{
    conn->ends = true;
    conn->is_aborted = oracle_decide_for(server, "abort", attempt, 4) == 0;
}

static void say_whole(struct oracle_server *server, struct oracle_conn *conn,
                      struct oracle_try *attempt, const char *status, const char *fields,
                      unsigned forms)
{
    struct answer answer;
    make_answer(&answer, status, fields, attempt->number,
                oracle_decide_for(server, "form", attempt, forms));
    say_answer(server, conn, attempt, &answer, answer.len);
}

/* An answer that is whole, and then an end that nothing announced. */
static void answer_and_end(struct oracle_server *server, struct oracle_conn *conn,
                           struct oracle_try *attempt)
{
    say_whole(server, conn, attempt, "200 OK", "", 2);
    if (oracle_decide_for(server, "when", attempt, 2) == 0) {
        conn->ends = true;
        return;
    }
    conn->ends_at_touch = true;
    conn->is_aborted = oracle_decide_for(server, "abort", attempt, 4) == 0;
}

static void cut_answer(struct oracle_server *server, struct oracle_conn *conn,
                       struct oracle_try *attempt, bool in_head)
{
    struct answer answer;
    make_answer(&answer, "200 OK", "date: now\r\n", attempt->number,
                oracle_decide_for(server, "form", attempt, 2));
    size_t from = in_head ? 1 : answer.head_len;
    size_t room = in_head ? answer.head_len - 1 : answer.len - answer.head_len;
    size_t len = from + oracle_decide_for(server, "cut", attempt, (unsigned)room);
    say_answer(server, conn, attempt, &answer, len);
    end_conn(server, conn, attempt);
}

static void hint_and_cut(struct oracle_server *server, struct oracle_conn *conn,
                         struct oracle_try *attempt)
{
    static const char *const hints[] = {"HTTP/1.1 100 Continue\r\n\r\n",
                                        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"};
    const char *hint = hints[oracle_decide_for(server, "hint", attempt, 2)];
    oracle_process_perhaps(server, attempt);
    say(conn->state, hint, strlen(hint));
    end_conn(server, conn, attempt);
}

static void say_nonsense(struct oracle_server *server, struct oracle_conn *conn,
                         struct oracle_try *attempt)
{
    static const struct {
        const char *text;
        bool has_begun;
    } kinds[] = {
        {"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx", true},
        {"HTTP/1.1 200 OK\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
         true},
        {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nxx\r\n0\r\n\r\n", true},
        {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxyz0\r\n\r\n", true},
        {"HTTP/1.1 200 OK\ncontent-length: 1\n\nx", true},
        {"HTTP/1.1 200 OK\r\nserver : x\r\ncontent-length: 1\r\n\r\nx", true},
        {"HTTP/1.1 200 OK\r\nserver: x\r\n y\r\ncontent-length: 1\r\n\r\nx", true},
        {"HTTP/1.1 503 Down\r\ncontent-length: -1\r\n\r\n", true},
        {"SSH-2.0-Example_1.0\r\n", false},
        {"HTTP/1.1 abc\r\n\r\n", false},
        {"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", false},
        {"\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", false},
    };
    size_t count = sizeof(kinds) / sizeof(kinds[0]);
    size_t i = oracle_decide_for(server, "bad", attempt, (unsigned)count + 1);
    attempt->is_wrong = true;
    if (i == count) {
        /* A second answer, which must not become that of the next request. */
        say_whole(server, conn, attempt, "200 OK", "", 2);
        static const char second[] = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n99";
        say(conn->state, second, strlen(second));
        return;
    }
    oracle_process_perhaps(server, attempt);
    if (kinds[i].has_begun) {
        attempt->said = ORACLE_SAID_BEGUN;
        attempt->was_processed = true;
    }
    say(conn->state, kinds[i].text, strlen(kinds[i].text));
    if (oracle_decide_for(server, "then", attempt, 2) == 0)
        conn->ends = true;
}

static void stall(struct oracle_server *server, struct oracle_conn *conn,
                  struct oracle_try *attempt)
{
    struct answer answer;
    make_answer(&answer, "200 OK", "", attempt->number, 0);
    bool is_mute = oracle_decide_for(server, "mute", attempt, 2) == 0;
    size_t len =
        is_mute ? 0 : oracle_decide_for(server, "stall", attempt, (unsigned)answer.head_len);
    say_answer(server, conn, attempt, &answer, len);
}

static void treat(struct oracle_server *server, struct oracle_conn *conn,
                  struct oracle_try *attempt)
{
    static const char *const plain[] = {"408 Request Timeout", "503 Service Unavailable",
                                        "429 Too Many Requests", "500 Internal Server Error"};
    struct state *state = conn->state;
    switch ((enum act)oracle_choose_act(server, attempt)) {
    case ANSWER:
    case ACTS:
        say_whole(server, conn, attempt, "200 OK", "", 3);
        break;
    case PLAIN:
        say_whole(server, conn, attempt, plain[oracle_decide_for(server, "status", attempt, 4)],
                  "retry-after: 1\r\n", 3);
        break;
    case LAST:
        say_whole(server, conn, attempt, "200 OK", "connection: close\r\n", 2);
        conn->ends = true;
        break;
    case FAREWELL:
        state->says_farewell = true;
        answer_and_end(server, conn, attempt);
        break;
    case IDLE_END:
        answer_and_end(server, conn, attempt);
        break;
    case HEAD_CUT:
        cut_answer(server, conn, attempt, true);
        break;
    case BODY_CUT:
        cut_answer(server, conn, attempt, false);
        break;
    case HINT:
        hint_and_cut(server, conn, attempt);
        break;
    case BAD:
        say_nonsense(server, conn, attempt);
        break;
    case STALL:
        stall(server, conn, attempt);
        break;
    case CUT:
        oracle_process_perhaps(server, attempt);
        end_conn(server, conn, attempt);
        break;
    }
}

static void on_head(struct oracle_server *server, struct oracle_conn *conn)
{
    struct state *state = conn->state;
    bool is_late = conn->ends || conn->is_silent;
    struct oracle_try *attempt =
        oracle_record_try(&server->record, oracle_number_of(wf_slice_str(state->request.path)),
                          conn->round, 0, is_late);
    if (is_late) {
        oracle_try_note(attempt, "late");
        /* RFC 9110 section 15.5.9 has no words for whom a 408 is meant that crossed a request. */
        attempt->is_farewell = state->says_farewell;
        if (state->says_farewell)
            attempt->said = ORACLE_SAID_BEGUN;
    } else if (oracle_decide_for(server, "early", attempt, 2) == 0) {
        treat(server, conn, attempt);
    } else {
        state->attempt = attempt;
    }
}

static void on_complete(struct oracle_server *server, struct oracle_conn *conn)
{
    struct state *state = conn->state;
    struct oracle_try *attempt = state->attempt;
    state->attempt = NULL;
    if (attempt != NULL && !conn->ends && !conn->is_silent)
        treat(server, conn, attempt);
}

static void open_conn(struct oracle_server *server, struct oracle_conn *conn)
{
    (void)server;
    conn->state = calloc(1, sizeof(struct state));
    oracle_must(conn->state != NULL, "calloc");
}

static void read_conn(struct oracle_server *server, struct oracle_conn *conn,
                      struct wf_slice octets)
{
    struct state *state = conn->state;
    oracle_must(wf_buf_append(&state->request.in, octets.ptr, octets.len), "memory");
    enum h1_request_step step;
    while ((step = h1_request_next(&state->request)) != H1_REQUEST_MORE) {
        if (step == H1_REQUEST_BEGUN)
            on_head(server, conn);
        else
            on_complete(server, conn);
    }
}

static void gather(struct oracle_server *server, struct oracle_conn *conn, struct wf_buf *out)
{
    struct state *state = conn->state;
    (void)server;
    if (state->says_farewell && conn->ends) {
        static const char farewell[] =
            "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        say(state, farewell, strlen(farewell));
    }
    struct wf_slice octets = wf_buf_slice(&state->out);
    oracle_must(octets.len == 0 || wf_buf_append(out, octets.ptr, octets.len), "memory");
    wf_buf_consume(&state->out, octets.len);
}

static void close_conn(struct oracle_server *server, struct oracle_conn *conn)
{
    struct state *state = conn->state;
    if (state->request.part == H1_REQUEST_HEAD && wf_buf_len(&state->request.in) > 0)
        server->has_unread = true;
    h1_request_fini(&state->request);
    wf_buf_fini(&state->out);
    free(state);
}

const struct oracle_protocol oracle_protocol_h1 = {ACTS,      act_names, open_conn,
                                                   read_conn, gather,    close_conn};
