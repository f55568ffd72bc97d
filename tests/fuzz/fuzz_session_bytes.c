/* A whole client session with requests pending against arbitrary octets. The input is four octets
 * that set the run up, and what the server sends.
 *
 * Whole and split at random, while nothing is written, the input must lead to the same ends, and
 * what is queued for a peer that does not read stays within its limit. A third run has an
 * application that writes, consumes, uploads and cancels as it likes. */
#include "fuzz.h"

#include "h2/frame_text.h"
#include "h2/session_internal.h"
#include "support/check.h"
#include "support/h2_caller.h"

#define CALLS          5u
#define MAX_CONTROL    400u
#define NO_SPLIT       0u
#define COMPARABLE_LEN 60000u

static const uint8_t settings_and_ack[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0};

struct setup {
    uint8_t flags;
    uint8_t requests;
    uint64_t seed;
    struct wf_slice wire;
};

static void show(void *user, const struct wf_h2_trace *frame)
{
    char text[200];
    size_t *shown = user;
    *shown += wf_h2_frame_text(frame, text, sizeof(text));
    FUZZ_CHECK(strlen(text) < sizeof(text));
}

static void sink(void *user, struct wf_slice octets)
{
    size_t *total = user;
    *total += octets.len;
}

/* What was promised of the connection's receive window (RFC 9113 section 6.9). */
static void check_windows(const struct h2_caller *caller)
{
    const struct wf_h2_session *s = caller->session;
    FUZZ_CHECK(s->recv_window.open >= 0 || s->dead);
    if (!s->dead)
        FUZZ_CHECK((uint64_t)s->recv_window.open + s->recv_window.unreturned ==
                   caller->config.connection_window);
    if (caller_open(caller) == 0)
        FUZZ_CHECK(s->streams.count == 0);
}

static struct h2_caller *start(const struct setup *setup, size_t *shown)
{
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    struct h2_caller *caller = calloc(1, sizeof(*caller));
    struct choice choice = choice_random(setup->requests);
    FUZZ_CHECK(caller != NULL);
    config.max_queued_control = MAX_CONTROL;
    config.max_header_list_size = 2000;
    config.max_field_block_len = 3000;
    config.initial_window_size = (setup->flags & 1) != 0 ? 65535 : 1u << 20;
    config.header_table_size = (setup->flags & 2) != 0 ? 100 : 4096;
    config.trace = (setup->flags & 4) != 0 ? show : NULL;
    config.trace_user = shown;
    FUZZ_CHECK(caller_init(caller, &config, NULL));
    caller->max_upload = 600;
    for (unsigned i = 0; i < CALLS; i++)
        FUZZ_CHECK(caller_submit(caller, &choice) == WF_H2_SUBMITTED);
    /* What the client says first is out, so that all could have been seen. */
    if ((setup->flags & 8) == 0) {
        size_t out = 0;
        while (caller_write(caller, SIZE_MAX, SIZE_MAX, sink, &out) > 0)
            ;
        caller_upload(caller, NULL);
    }
    if ((setup->flags & 16) == 0)
        caller_read(caller, wf_slice(settings_and_ack, sizeof(settings_and_ack)));
    return caller;
}

static void finish(struct h2_caller *caller)
{
    check_windows(caller);
    caller_lose(caller);
    for (uint32_t i = 0; i < caller->call_count; i++)
        FUZZ_CHECK(caller->calls[i].ended);
    caller_fini(caller);
    free(caller);
}

/* Reads all that was sent, in pieces where @seed is not NO_SPLIT, and writes nothing. */
static struct h2_caller *run_silent(const struct setup *setup, uint64_t seed, size_t *shown)
{
    struct h2_caller *caller = start(setup, shown);
    struct choice choice = choice_random(seed);
    size_t before = wf_h2_output_len(&caller->session->out);
    struct wf_slice rest = setup->wire;
    while (rest.len > 0) {
        size_t len = seed == NO_SPLIT ? rest.len : 1 + choose_len(&choice, rest.len - 1);
        caller_read(caller, wf_slice(rest.ptr, len));
        caller_consume(caller, NULL);
        rest = wf_slice_skip(rest, len);
    }
    /* One answer may be the one too many, and GOAWAY comes on top; window updates are earned. */
    size_t queued = wf_h2_output_len(&caller->session->out);
    FUZZ_CHECK(queued <= before + MAX_CONTROL + 200 + setup->wire.len / 16384 * 26);
    return caller;
}

static void check_same(const struct h2_caller *a, const struct h2_caller *b)
{
    FUZZ_CHECK(a->has_error == b->has_error && a->goaways == b->goaways);
    if (a->has_error)
        FUZZ_CHECK(a->error.code == b->error.code && a->error.reason == b->error.reason);
    for (uint32_t i = 0; i < CALLS; i++) {
        const struct caller_call *x = &a->calls[i];
        const struct caller_call *y = &b->calls[i];
        FUZZ_CHECK(x->ended == y->ended && x->status == y->status && x->body_len == y->body_len);
        FUZZ_CHECK(x->informational == y->informational && x->peer_ended == y->peer_ended);
        FUZZ_CHECK(x->has_got_trailers == y->has_got_trailers);
        if (x->ended)
            FUZZ_CHECK(x->end == y->end && x->effect == y->effect && x->code == y->code);
    }
}

static void act(struct h2_caller *caller, struct choice *choice, size_t *written)
{
    switch (choose_below(choice, 8)) {
    case 0:
        caller_upload(caller, choice);
        break;
    case 1:
        caller_consume(caller, choice);
        break;
    case 2: {
        struct caller_call *call = &caller->calls[choose_below(choice, caller->call_count)];
        if (call->stream != NULL)
            caller_cancel(caller, call, WF_H2_CANCEL);
        break;
    }
    case 3:
        (void)caller_submit(caller, choice); /* the run goes on either way */
        break;
    case 4:
        FUZZ_CHECK(wf_h2_session_ping(caller->session, (const uint8_t *)"fuzzfuzz"));
        break;
    default:
        caller_write(caller, 1 + choose_len(choice, 20000), choose_len(choice, 20000), sink,
                     written);
    }
}

static void run_busy(const struct setup *setup, size_t *shown)
{
    struct h2_caller *caller = start(setup, shown);
    struct choice choice = choice_random(setup->seed + 1);
    struct wf_slice rest = setup->wire;
    size_t written = 0;
    while (rest.len > 0) {
        size_t len = 1 + choose_len(&choice, rest.len - 1);
        caller_read(caller, wf_slice(rest.ptr, len));
        rest = wf_slice_skip(rest, len);
        check_windows(caller);
        act(caller, &choice, &written);
        act(caller, &choice, &written);
    }
    if (choose_one_in(&choice, 4)) {
        caller->now_ms = wf_h2_session_deadline(caller->session);
        wf_h2_session_timeout(caller->session, caller->now_ms);
        caller_drain(caller);
    }
    if (choose_one_in(&choice, 4))
        FUZZ_CHECK(wf_h2_session_goaway(caller->session, WF_H2_NO_ERROR, "bye"));
    while (caller_write(caller, SIZE_MAX, SIZE_MAX, sink, &written) > 0)
        caller_upload(caller, NULL);
    wf_h2_session_trim(caller->session);
    finish(caller);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    size_t shown = 0;
    struct setup setup = {.flags = data[0],
                          .requests = data[1],
                          .seed = 1 + data[2] + 256u * data[3],
                          .wire = wf_slice(data + 4, size - 4)};
    struct h2_caller *whole = run_silent(&setup, NO_SPLIT, &shown);
    struct h2_caller *split = run_silent(&setup, setup.seed, &shown);
    /* Beyond a window it matters when it was consumed. */
    if (setup.wire.len < COMPARABLE_LEN)
        check_same(whole, split);
    finish(whole);
    finish(split);
    run_busy(&setup, &shown);
    return 0;
}
