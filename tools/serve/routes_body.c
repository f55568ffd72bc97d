/* Answers that are made of nothing but their length, their status or their time. */
#include "routes.h"
#include "worker.h"

#define BYTES_MAX (UINT64_C(1) << 40)
#define DELAY_MAX 3600000u

static const struct serve_spec text_of_unknown_length = {
    .status = 200, .type = SERVE_TYPE_TEXT, .length = SERVE_LENGTH_UNKNOWN};

void serve_index(struct serve_connection *c, const struct serve_request *request)
{
    serve_answer_text(c, request, 200, "weft-serve: see weft-serve --help for the paths\n");
}

/* What follows @given octets of the pattern; no more than @left. Long bodies are given in runs of
 * whole alphabets, so each run begins with an 'a'. */
static struct wf_slice pattern_run(const struct serve_exchange *x)
{
    struct wf_slice pattern = x->connection->worker->site->pattern;
    return wf_slice(pattern.ptr, x->left < pattern.len ? (size_t)x->left : pattern.len);
}

static void give_run(struct serve_exchange *x)
{
    if (x->last_given)
        return;
    struct wf_slice run = pattern_run(x);
    x->left -= run.len;
    serve_exchange_give(x, run, x->left == 0);
}

static const struct serve_behaviour bytes_behaviour = {.sent = give_run};

void serve_bytes(struct serve_connection *c, const struct serve_request *request)
{
    struct wf_slice arguments = request->arguments;
    struct wf_slice pattern = c->worker->site->pattern;
    uint64_t len;
    if (!serve_argument(&arguments, BYTES_MAX, &len) || arguments.len > 0) {
        serve_not_found(c, request);
        return;
    }
    struct serve_spec spec = {.status = 200, .type = SERVE_TYPE_OCTETS, .length = (int64_t)len};
    if (len <= pattern.len) {
        serve_answer(c, request, &spec, wf_slice(pattern.ptr, (size_t)len));
        return;
    }
    struct serve_exchange *x = serve_exchange_begin(c, request, &bytes_behaviour);
    if (x == NULL || !serve_exchange_head(x, &spec, false) || x->is_head)
        return;
    x->left = len;
    give_run(x);
}

static void end_delay(struct serve_exchange *x)
{
    static const char text[] = "waited\n";
    struct serve_spec spec = {.status = 200, .type = SERVE_TYPE_TEXT, .length = sizeof(text) - 1};
    if (serve_exchange_head(x, &spec, false) && !x->is_head)
        serve_exchange_give(x, wf_slice(text, sizeof(text) - 1), true);
}

static const struct serve_behaviour delay_behaviour = {.tick = end_delay};

void serve_delay(struct serve_connection *c, const struct serve_request *request)
{
    struct wf_slice arguments = request->arguments;
    uint64_t ms;
    if (!serve_argument(&arguments, DELAY_MAX, &ms) || arguments.len > 0) {
        serve_not_found(c, request);
        return;
    }
    struct serve_exchange *x = serve_exchange_begin(c, request, &delay_behaviour);
    if (x != NULL)
        serve_exchange_set_timer(x, ms);
}

void serve_status(struct serve_connection *c, const struct serve_request *request)
{
    struct wf_slice arguments = request->arguments;
    uint64_t status;
    if (!serve_argument(&arguments, 599, &status) || status < 200 || arguments.len > 0) {
        serve_answer_text(c, request, 400, "a status is a number from 200 to 599\n");
        return;
    }
    /* RFC 9110 section 6.4.1: 204 and 304 have no content. */
    if (status == 204 || status == 304) {
        struct serve_spec spec = {.status = (uint16_t)status, .length = SERVE_LENGTH_UNKNOWN};
        serve_answer(c, request, &spec, wf_slice("", 0));
        return;
    }
    serve_answer_text(c, request, (uint16_t)status, "as you wish\n");
}

static void drip_next(struct serve_exchange *x)
{
    struct wf_slice pattern = x->connection->worker->site->pattern;
    uint64_t place = x->given % 26;
    x->given++;
    x->left--;
    serve_exchange_give(x, wf_slice(pattern.ptr + place, 1), x->left == 0);
}

static void drip_wait(struct serve_exchange *x)
{
    if (!x->last_given)
        serve_exchange_set_timer(x, x->step_ms);
}

static const struct serve_behaviour drip_behaviour = {.sent = drip_wait, .tick = drip_next};

void serve_drip(struct serve_connection *c, const struct serve_request *request)
{
    struct wf_slice arguments = request->arguments;
    uint64_t len, ms;
    if (!serve_argument(&arguments, BYTES_MAX, &len) ||
        !serve_argument(&arguments, DELAY_MAX, &ms) || arguments.len > 0) {
        serve_not_found(c, request);
        return;
    }
    struct serve_spec spec = {.status = 200, .type = SERVE_TYPE_OCTETS, .length = (int64_t)len};
    if (len == 0) {
        serve_answer(c, request, &spec, wf_slice("", 0));
        return;
    }
    struct serve_exchange *x = serve_exchange_begin(c, request, &drip_behaviour);
    if (x == NULL || !serve_exchange_head(x, &spec, false) || x->is_head)
        return;
    x->left = len;
    x->step_ms = ms;
    drip_next(x);
}

static void send_trailers(struct serve_exchange *x)
{
    const struct wf_field fields[] = {
        {.name = wf_slice_str("x-trailer"), .value = wf_slice_str("this came last")},
        {.name = wf_slice_str("x-count"), .value = wf_slice_str("1")},
    };
    struct wf_h2_message message = {.fields = fields, .count = 2, .end_stream = true};
    if (wf_h2_session_send_headers(x->connection->session, x->stream, &message) != WF_H2_SUBMITTED)
        serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
}

static const struct serve_behaviour trailers_behaviour = {.sent = send_trailers};

void serve_trailers(struct serve_connection *c, const struct serve_request *request)
{
    struct serve_exchange *x = serve_exchange_begin(c, request, &trailers_behaviour);
    if (x != NULL && serve_exchange_head(x, &text_of_unknown_length, false) && !x->is_head)
        serve_exchange_give(x, wf_slice_str("trailers follow\n"), false);
}

void serve_informational(struct serve_connection *c, const struct serve_request *request)
{
    const struct wf_field fields[] = {
        {.name = wf_slice_str(":status"), .value = wf_slice_str("103")},
        {.name = wf_slice_str("link"),
         .value = wf_slice_str("</style.css>; rel=preload; as=style")},
    };
    struct wf_h2_message message = {.fields = fields, .count = 2};
    if (wf_h2_session_send_headers(c->session, request->stream, &message) != WF_H2_SUBMITTED) {
        wf_h2_session_reset(c->session, request->stream, WF_H2_INTERNAL_ERROR);
        return;
    }
    struct serve_request unremembered = *request;
    unremembered.section = NULL; /* the next one gets its 103 too */
    serve_answer_text(c, &unremembered, 200, "103 came before\n");
}
