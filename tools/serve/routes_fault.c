/* Answers that break off, and connections that do: what a client has to survive. */
#include "routes.h"
#include "worker.h"

/* What is promised, and what is sent of it. */
#define PROMISED 1000
#define SENT     500u

static const struct serve_spec promise = {
    .status = 200, .type = SERVE_TYPE_OCTETS, .length = PROMISED};

/* HEADERS and half of the body; the behaviour's `sent` does the rest. */
static struct serve_exchange *begin_half(struct serve_connection *c,
                                         const struct serve_request *request,
                                         const struct serve_behaviour *behaviour)
{
    struct serve_exchange *x = serve_exchange_begin(c, request, behaviour);
    if (x == NULL || !serve_exchange_head(x, &promise, false) || x->is_head)
        return NULL;
    serve_exchange_give(x, wf_slice(c->worker->site->pattern.ptr, SENT), false);
    return x;
}

static void reset_now(struct serve_exchange *x)
{
    serve_exchange_reset(x, x->code);
}

static const struct serve_behaviour reset_behaviour = {.sent = reset_now};

void serve_reset(struct serve_connection *c, const struct serve_request *request)
{
    struct wf_slice arguments = request->arguments;
    uint64_t code = WF_H2_INTERNAL_ERROR;
    if (arguments.len > 0 &&
        (!serve_argument(&arguments, UINT32_MAX, &code) || arguments.len > 0)) {
        serve_not_found(c, request);
        return;
    }
    struct serve_exchange *x = begin_half(c, request, &reset_behaviour);
    if (x != NULL)
        x->code = (uint32_t)code;
}

static void cut_now(struct serve_exchange *x)
{
    x->connection->cut = true;
}

static const struct serve_behaviour cut_behaviour = {.sent = cut_now};

void serve_cut(struct serve_connection *c, const struct serve_request *request)
{
    (void)begin_half(c, request, &cut_behaviour);
}

static void forget_refused(struct serve_exchange *x)
{
    x->connection->refused--;
}

static const struct serve_behaviour refused_behaviour = {.over = forget_refused};

/* RFC 9113 section 6.8: a stream above the last identifier was not and will not be processed. It is
 * left as it is until the connection closes, which it does when the streams below have ended. */
static void refuse_by_goaway(struct serve_connection *c, const struct serve_request *request)
{
    uint32_t id = wf_h2_stream_id(request->stream);
    struct serve_exchange *x = serve_exchange_begin(c, request, &refused_behaviour);
    if (x == NULL)
        return;
    c->refused++;
    if (!wf_h2_session_goaway_at(c->session, id >= 2 ? id - 2 : 0, WF_H2_NO_ERROR, "on request"))
        c->broken = true;
}

static void goaway_now(struct serve_exchange *x)
{
    struct serve_connection *c = x->connection;
    if (!wf_h2_session_is_draining(c->session) &&
        !wf_h2_session_goaway(c->session, WF_H2_NO_ERROR, "on request"))
        c->broken = true;
}

static const struct serve_behaviour goaway_after_behaviour = {.sent = goaway_now,
                                                              .over = goaway_now};

void serve_goaway(struct serve_connection *c, const struct serve_request *request)
{
    if (request->arguments.len == 0) {
        refuse_by_goaway(c, request);
        return;
    }
    if (!wf_slice_is(request->arguments, "/after")) {
        serve_not_found(c, request);
        return;
    }
    static const char text[] = "GOAWAY follows\n";
    struct serve_spec spec = {.status = 200, .type = SERVE_TYPE_TEXT, .length = sizeof(text) - 1};
    struct serve_exchange *x = serve_exchange_begin(c, request, &goaway_after_behaviour);
    if (x != NULL && serve_exchange_head(x, &spec, false) && !x->is_head)
        serve_exchange_give(x, wf_slice(text, sizeof(text) - 1), true);
}
