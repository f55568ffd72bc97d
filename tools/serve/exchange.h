/* One request whose answer takes more than one step: what it still has to do, between the events of
 * its stream. Requests that are answered at once have no exchange. Exchanges are used again, so the
 * steady state allocates nothing. Thread: owner, the worker's.
 *
 * An exchange lives from serve_exchange_begin() until its stream ends, by whatever means; then
 * `over` is called, if there is one, and the exchange is gone. */
#ifndef SERVE_EXCHANGE_H
#define SERVE_EXCHANGE_H

#include "base/buf.h"
#include "base/list.h"
#include "io_thread/timers.h"
#include "reply.h"

struct serve_connection;
struct serve_exchange;
struct serve_worker;
struct wf_h2_stream;

/* What a request is, as far as the routes care. Borrowed for the call. */
struct serve_request {
    const struct wf_field_section *section;
    struct wf_slice method;
    struct wf_slice arguments; /* the path behind its first segment, without the query */
    struct wf_h2_stream *stream;
    bool is_head;
    bool ended; /* no body follows */
};

/* What an exchange does when something happens; NULL: nothing. Each of them may end the exchange.
 */
struct serve_behaviour {
    /* DATA came. Who has no such function has it dropped; who has one sees to
     * wf_h2_session_consume(). */
    void (*data)(struct serve_exchange *x, struct wf_slice bytes, bool end);
    void (*sent)(struct serve_exchange *x); /* the body octets given last were written */
    void (*tick)(struct serve_exchange *x); /* the timer fired */
    void (*over)(struct serve_exchange *x); /* the stream has ended, or never got its answer */
};

struct serve_exchange {
    struct wf_node node; /* worker->idle_exchanges, while nobody uses it */
    struct serve_connection *connection;
    struct wf_h2_stream *stream;
    const struct serve_behaviour *behaviour;
    struct wf_timer timer;
    bool is_head;
    bool request_ended;
    bool sending;          /* octets are lent to the session */
    bool last_given;       /* the end of the body was given to the session */
    uint64_t left;         /* octets of the answer still to give */
    uint64_t given;        /* octets of the answer given before */
    uint64_t step_ms;      /* between two octets */
    uint32_t code;         /* RFC 9113 section 7, for a reset */
    int fd;                /* a file that is served; -1: none */
    void *extra;           /* the behaviour's own */
    struct wf_buf out;     /* lent to the session */
    struct wf_buf waiting; /* echo: what came while `out` was lent */
};

/* Makes an exchange of @request's stream. NULL: no memory; the stream was reset. */
struct serve_exchange *serve_exchange_begin(struct serve_connection *connection,
                                            const struct serve_request *request,
                                            const struct serve_behaviour *behaviour);
/* The stream has ended: calls `over`; @x is gone. */
void serve_exchange_end(struct serve_exchange *x);
/* Resets the stream and ends the exchange. */
void serve_exchange_reset(struct serve_exchange *x, uint32_t code);

/* Sends @spec's fields, without a body for HEAD. False: the exchange is gone. */
bool serve_exchange_head(struct serve_exchange *x, const struct serve_spec *spec, bool end_stream);
/* Gives the session the next octets of the body; @bytes stays until `sent`. */
void serve_exchange_give(struct serve_exchange *x, struct wf_slice bytes, bool end);
void serve_exchange_set_timer(struct serve_exchange *x, uint64_t ms);

/* Frees those that are kept for use. */
void serve_exchanges_drop_idle(struct serve_worker *worker);

/* Answers at once with a body that outlives the connection. No exchange, no memory. */
void serve_answer(struct serve_connection *connection, const struct serve_request *request,
                  const struct serve_spec *spec, struct wf_slice body);
/* The same for a status with a line of text about it. */
void serve_answer_text(struct serve_connection *connection, const struct serve_request *request,
                       uint16_t status, const char *text);

#endif
