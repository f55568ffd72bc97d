#include "support/h2_walk.h"

#include "support/check.h"

static void note_end(struct walk_outcome *out, enum wf_h2_end end, uint32_t code)
{
    out->ended = true;
    out->end = end;
    out->code = code;
}

struct walk_outcome walk_expect(const struct wild_server *server, uint32_t id, uint64_t delivered)
{
    struct walk_outcome out = {0};
    for (uint32_t i = 0; i < server->fact_count && !out.ended; i++) {
        const struct wild_fact *fact = &server->facts[i];
        if (fact->at > delivered)
            break;
        if (fact->kind == FACT_CONNECTION_ERROR) {
            note_end(&out, WF_H2_END_CONNECTION_ERROR, fact->value);
        } else if (fact->kind == FACT_GOAWAY) {
            if (id > fact->id)
                note_end(&out, WF_H2_END_GOAWAY, fact->value);
        } else if (fact->id == id) {
            switch (fact->kind) {
            case FACT_INFORMATIONAL:
                out.informational++;
                break;
            case FACT_RESPONSE:
                out.status = (uint16_t)fact->value;
                break;
            case FACT_DATA:
                out.body_len += fact->value;
                break;
            case FACT_TRAILERS:
                out.trailers = true;
                break;
            case FACT_END:
                out.peer_ended = true;
                break;
            case FACT_RESET:
                note_end(&out, WF_H2_END_RESET_BY_PEER, fact->value);
                break;
            case FACT_STREAM_ERROR:
                note_end(&out, WF_H2_END_STREAM_ERROR, fact->value);
                break;
            case FACT_GOAWAY:
            case FACT_CONNECTION_ERROR:
                break;
            }
        }
    }
    return out;
}

/* What is proven about a request that ended by @end without a response having begun. */
static void check_effect(struct walk *walk, const struct caller_call *call)
{
    const struct watched_stream *seen = watcher_call(&walk->server.watcher, call->number);
    bool is_partial = wf_buf_len(&walk->server.watcher.in) > 0;
    switch (call->end) {
    case WF_H2_END_GOAWAY:
        CHECK(call->effect == WF_H2_NOT_PROCESSED);
        break;
    case WF_H2_END_RESET_BY_PEER:
        CHECK(call->effect ==
              (call->code == WF_H2_REFUSED_STREAM ? WF_H2_NOT_PROCESSED : WF_H2_MAYBE_PROCESSED));
        break;
    case WF_H2_END_CONNECTION_ERROR:
    case WF_H2_END_CONNECTION_LOST:
        /* Not an octet of it, or some. */
        if (call->effect == WF_H2_NOT_SENT)
            CHECK(seen == NULL);
        else
            CHECK(call->effect == WF_H2_MAYBE_PROCESSED && (seen != NULL || is_partial));
        break;
    case WF_H2_END_STREAM_ERROR:
        CHECK(call->effect == WF_H2_MAYBE_PROCESSED || call->effect == WF_H2_PROCESSED);
        break;
    case WF_H2_END_COMPLETE:
        CHECK(false); /* without a response? */
    }
}

static void check_call(struct walk *walk, const struct caller_call *call)
{
    struct walk_outcome expected = walk_expect(&walk->server, call->id, walk->delivered);
    check_detail(
        "stream %u: end %d effect %d code %u status %u body %llu; expected: ended %d end %d "
        "code %u status %u body %llu peer_ended %d",
        call->id, (int)call->end, (int)call->effect, call->code, call->status,
        (unsigned long long)call->body_len, expected.ended, (int)expected.end, expected.code,
        expected.status, (unsigned long long)expected.body_len, expected.peer_ended);
    CHECK(call->ended);
    if (call->cancelled)
        return;
    CHECK(call->status == expected.status && call->informational == expected.informational);
    CHECK(call->body_len == expected.body_len && call->has_got_trailers == expected.trailers);
    CHECK(call->peer_ended == expected.peer_ended);
    bool may_be_complete = expected.peer_ended;
    bool sends_nothing = call->upload_len == 0 && !call->has_trailers;
    if (expected.peer_ended && expected.ended && expected.end == WF_H2_END_RESET_BY_PEER &&
        expected.code == WF_H2_NO_ERROR)
        CHECK(call->end == WF_H2_END_COMPLETE);
    else if (expected.peer_ended && sends_nothing)
        CHECK(call->end == WF_H2_END_COMPLETE);
    else if (!(may_be_complete && call->end == WF_H2_END_COMPLETE)) {
        CHECK(call->end == (expected.ended ? expected.end : WF_H2_END_CONNECTION_LOST));
        CHECK(!expected.ended || call->code == expected.code);
    }
    if (call->end == WF_H2_END_COMPLETE)
        CHECK(call->effect == WF_H2_PROCESSED && expected.peer_ended);
    else if (call->status != 0)
        CHECK(call->effect == WF_H2_PROCESSED);
    else
        check_effect(walk, call);
}

static void to_server(void *user, struct wf_slice octets)
{
    struct walk *walk = user;
    watcher_read(&walk->server.watcher, octets);
}

static void deliver(struct walk *walk, size_t len)
{
    struct wf_slice left = wf_slice_skip(wf_buf_slice(&walk->server.out), (size_t)walk->delivered);
    if (len > left.len)
        len = left.len;
    walk->delivered += len;
    caller_read(&walk->caller, wf_slice(left.ptr, len));
}

static void cancel_one(struct walk *walk, struct choice *choice)
{
    struct h2_caller *caller = &walk->caller;
    if (caller->call_count == 0)
        return;
    struct caller_call *call = &caller->calls[choose_below(choice, caller->call_count)];
    if (call->stream != NULL)
        caller_cancel(caller, call, WF_H2_CANCEL);
}

static void client_write(struct walk *walk, struct choice *choice)
{
    size_t budget = 1 + choose_len(choice, 70000);
    size_t taken = choose_one_in(choice, 3) ? choose_len(choice, budget) : budget;
    caller_write(&walk->caller, budget, taken, to_server, walk);
}

static void step(struct walk *walk, struct choice *choice)
{
    size_t what = choose_below(choice, 32);
    if (what < 4)
        (void)caller_submit(&walk->caller, choice); /* the walk goes on either way */
    else if (what < 7)
        caller_upload(&walk->caller, choice);
    else if (what < 9)
        caller_consume(&walk->caller, choice);
    else if (what < 10)
        cancel_one(walk, choice);
    else if (what < 16)
        client_write(walk, choice);
    else if (what < 25)
        wild_step(&walk->server, choice);
    else if (what < 31)
        deliver(walk, choose_len(choice, 40000));
    else if (walk->caller.pings < WATCHER_MAX_PINGS)
        caller_ping(&walk->caller);
    /* It can be asked at any time. */
    CHECK(wf_h2_session_open_streams(walk->caller.session) <= caller_open(&walk->caller));
}

/* Everything that is under way arrives, and everything that is open ends. */
static void settle(struct walk *walk)
{
    struct h2_caller *caller = &walk->caller;
    bool busy = true;
    for (unsigned turns = 0; busy; turns++) {
        CHECK(turns < 2000);
        uint64_t before = walk->server.sent;
        size_t wrote = caller_write(caller, SIZE_MAX, SIZE_MAX, to_server, walk);
        wild_settle(&walk->server);
        deliver(walk, SIZE_MAX);
        caller_consume(caller, NULL);
        caller_upload(caller, NULL);
        busy =
            wrote > 0 || walk->server.sent != before || wf_h2_session_wants_write(caller->session);
    }
    /* Nothing hangs. */
    CHECK(caller_open(caller) == 0);
    if (!caller->has_error)
        CHECK(wf_h2_session_open_streams(caller->session) == 0);
}

/* The connection breaks between two frames, at a place that may be long past. */
static void lose(struct walk *walk, struct choice *choice)
{
    size_t len = (size_t)walk->delivered + choose_len(choice, 40000);
    struct wf_buf *out = &walk->server.out;
    size_t end = wild_boundary(&walk->server, len < wf_buf_len(out) ? len : wf_buf_len(out));
    if (end < walk->delivered)
        end = wf_buf_len(out);
    deliver(walk, end - (size_t)walk->delivered);
    if (wf_h2_session_is_dead(walk->caller.session))
        caller_write(&walk->caller, SIZE_MAX, SIZE_MAX, to_server, walk);
    caller_lose(&walk->caller);
}

static struct wf_h2_config choose_config(struct choice *choice)
{
    static const uint32_t windows[] = {65535, 1u << 20, 100000, 1000, 0};
    static const uint32_t connections[] = {65535, 1u << 24, 100000};
    static const uint32_t tables[] = {4096, 0, 200, 65536};
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.initial_window_size = windows[choose_below(choice, 5)];
    config.connection_window = connections[choose_below(choice, 3)];
    config.header_table_size = tables[choose_below(choice, 4)];
    config.encoder_table_cap = tables[choose_below(choice, 4)];
    config.max_frame_size = 16384 + (uint32_t)choose_len(choice, 50000);
    return config;
}

/* Where memory ran out the connection may have ended at any time; what is said of a request must be
 * true all the same. */
static void check_unlucky_call(struct walk *walk, const struct caller_call *call)
{
    CHECK(call->ended);
    if (call->status != 0)
        CHECK(call->effect == WF_H2_PROCESSED);
    if (call->effect == WF_H2_NOT_SENT)
        CHECK(watcher_call(&walk->server.watcher, call->number) == NULL);
    if (!call->cancelled && call->end == WF_H2_END_COMPLETE)
        CHECK(call->peer_ended);
}

static void check_calls(struct walk *walk)
{
    struct h2_caller *caller = &walk->caller;
    bool is_unlucky = caller->no_memory && caller->has_error;
    for (uint32_t i = 0; i < caller->call_count; i++) {
        if (is_unlucky)
            check_unlucky_call(walk, &caller->calls[i]);
        else
            check_call(walk, &caller->calls[i]);
    }
    if (caller->has_error && !caller->is_lost && !is_unlucky)
        CHECK(walk->server.watcher.goaway_seen &&
              walk->server.watcher.goaway_code == caller->error.code);
}

void walk_run(struct choice *choice, const struct walk_plan *plan)
{
    struct walk *walk = calloc(1, sizeof(*walk));
    CHECK(walk != NULL);
    struct wf_h2_config config = choose_config(choice);
    bool is_lost = choose_one_in(choice, 3);
    wild_init(&walk->server, plan->illegal_one_in);
    if (caller_init(&walk->caller, &config, plan->enter)) {
        walk->caller.knows_bodies = true;
        if (plan->max_upload != 0)
            walk->caller.max_upload = plan->max_upload;
        for (unsigned i = 0; i < plan->steps && !choice_is_over(choice); i++)
            step(walk, choice);
        if (is_lost)
            lose(walk, choice);
        else
            settle(walk);
        check_calls(walk);
    }
    caller_fini(&walk->caller);
    wild_fini(&walk->server);
    free(walk);
}
