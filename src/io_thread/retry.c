#include "io_thread/retry.h"

#include "base/assert.h"
#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/extra.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "io_thread/upload.h"
#include "message/error.h"

#include <stdio.h>
#include <string.h>

#define TOKEN 1000u
/* What was earned longer ago does not count. */
#define BUDGET_MS 10000u
/* RFC 9113 section 7. */
#define H2_NO_ERROR       0x0u
#define H2_INTERNAL_ERROR 0x2u
#define H2_CANCEL         0x8u
#define MAX_BACKOFF_MS    1000u
#define MAX_DOUBLINGS     16u

void wf_retry_init(struct wf_retry *retry, uint64_t now_ms)
{
    *retry = (struct wf_retry){.counted_ms = now_ms};
    wf_list_init(&retry->waiting);
}

uint64_t wf_retry_backoff(struct wf_io_thread *io, unsigned failures)
{
    unsigned doublings = failures > 0 ? failures - 1 : 0;
    if (doublings > MAX_DOUBLINGS)
        doublings = MAX_DOUBLINGS;
    uint64_t most = (uint64_t)io->engine->config.retry_backoff_ms << doublings;
    if (most > MAX_BACKOFF_MS)
        most = MAX_BACKOFF_MS;
    /* From half of it to all, so that clients that failed together do not come back together. */
    return most - wf_random_below(&io->random, most / 2 + 1);
}

/* Brings the budget up to date. Nothing is counted for each request: its number is known. */
static void earn(struct wf_io_thread *io)
{
    const struct weft_config *config = &io->engine->config;
    struct wf_retry *retry = &io->retry;
    uint64_t passed = io->now_ms - retry->counted_ms;
    /* Relaxed: this thread's own number. */
    uint64_t submitted = atomic_load_explicit(&io->stats.submitted, memory_order_relaxed);
    uint64_t requests = submitted - retry->counted_submitted;
    bool is_first = retry->counted_submitted == 0;
    retry->counted_ms = io->now_ms;
    retry->counted_submitted = submitted;
    if (passed > BUDGET_MS) {
        requests = requests * BUDGET_MS / passed;
        passed = BUDGET_MS;
    }
    retry->tokens -= retry->tokens * passed / BUDGET_MS;
    retry->tokens += requests * config->retry_budget_percent * TOKEN / 100;
    uint64_t share = (uint64_t)config->retry_budget_min * TOKEN / config->io_threads;
    retry->tokens += share * passed / 1000;
    /* A client that has just begun has its first second's. */
    if (is_first && passed < 1000)
        retry->tokens += share * (1000 - passed) / 1000;
}

static bool pay(struct wf_io_thread *io)
{
    earn(io);
    if (io->retry.tokens < TOKEN) {
        wf_stat_add(&io->stats.retries_denied, 1);
        return false;
    }
    io->retry.tokens -= TOKEN;
    return true;
}

/* Failures that another try may not meet again. */
static bool may_pass(const struct weft_error *error)
{
    static const bool passing[WEFT_CODE_COUNT] = {
        [WEFT_ERR_CONNECT] = true,
        [WEFT_ERR_CONNECT_REFUSED] = true,
        [WEFT_ERR_CONNECT_TIMEOUT] = true,
        [WEFT_ERR_RESOLVE] = true,
        [WEFT_ERR_TLS] = true,
        [WEFT_ERR_CONNECTION_LOST] = true,
        [WEFT_ERR_TRUNCATED] = true,
        [WEFT_ERR_GOAWAY] = true,
        [WEFT_ERR_REFUSED] = true,
        [WEFT_ERR_STAGE_TIMEOUT] = true,
        [WEFT_ERR_RESET] = true,
        [WEFT_ERR_PROTOCOL] = true,
    };
    if (error->code == WEFT_ERR_RESET)
        return error->h2_code == H2_NO_ERROR || error->h2_code == H2_INTERNAL_ERROR ||
               error->h2_code == H2_CANCEL;
    /* A peer that broke the rules for one request may have left another alone. */
    if (error->code == WEFT_ERR_PROTOCOL)
        return error->effect < WEFT_MAYBE_PROCESSED;
    return passing[error->code];
}

/* Nothing of it was handed out, and what was taken from its body can be had again. */
static bool is_untouched(const struct weft_future *x)
{
    if (x->upload != NULL && !wf_upload_can_rewind(x->upload))
        return false;
    return x->response.status == 0 && x->body_received == 0 && wf_extra_informational(x) == 0;
}

/* The server wants HTTP/1.1 (RFC 9113 section 7), and the next connection will speak it. */
static bool falls_back(const struct wf_conn *conn, const struct weft_error *error)
{
    return error->code == WEFT_ERR_NOT_HTTP2 && wf_origin_requires_http1(conn->origin);
}

static bool is_allowed(const struct weft_future *x, const struct wf_conn *conn,
                       const struct weft_error *error)
{
    if (x->is_single || x->io->engine->config.max_tries < 2 || x->io->is_ending ||
        !(may_pass(error) || falls_back(conn, error)) || !is_untouched(x))
        return false;
    return error->effect < WEFT_MAYBE_PROCESSED ||
           (error->effect == WEFT_MAYBE_PROCESSED && (x->request->is_idempotent || x->may_repeat));
}

static void return_to_origin(struct weft_future *x)
{
    struct wf_origin *origin = wf_origin_get(x->io, x->request);
    if (origin == NULL)
        wf_exchange_fail(x, WEFT_ERR_NO_MEMORY, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                         "no memory to try again");
    else
        wf_origin_return(origin, x);
}

static void backoff_ended(struct wf_timer *timer)
{
    struct weft_future *x = wf_container_of(timer, struct wf_extra, limits.timer)->exchange;
    wf_retry_leave(x);
    return_to_origin(x);
}

static void back_off(struct weft_future *x, struct wf_timer *timer, uint64_t delay_ms)
{
    struct wf_io_thread *io = x->io;
    x->is_backing_off = true;
    wf_list_push_back(&io->retry.waiting, &x->node);
    wf_stat_add(&io->stats.requests_queued, 1);
    wf_timer_init(timer, backoff_ended);
    wf_timer_set(&io->timers, timer, io->now_ms + delay_ms);
}

void wf_retry_leave(struct weft_future *x)
{
    wf_assert(x->is_backing_off);
    x->is_backing_off = false;
    wf_timer_cancel(&wf_extra_of(x)->limits.timer);
    wf_list_remove(&x->node);
    wf_stat_sub(&x->io->stats.requests_queued, 1);
}

/* The exchange as it was before it had a connection. */
static void start_over(struct weft_future *x)
{
    wf_stat_add(&x->io->stats.retries, 1);
    x->stage = WEFT_STAGE_QUEUE;
    x->is_early = false;
    struct wf_extra *extra = wf_extra_of(x);
    if (extra != NULL) {
        extra->rate_mark = 0;
        extra->late_mark = 0;
    }
    x->content_length = -1;
    if (x->upload != NULL)
        wf_upload_rewind(x->upload);
}

static void remember(struct weft_future *x, enum weft_effect effect)
{
    if (effect > (enum weft_effect)x->worst)
        x->worst = (uint8_t)effect;
}

/* Whether the try says nothing about the request, but only that the connection came to its end. */
static bool is_free(const struct wf_conn *conn, const struct weft_error *error)
{
    if (error->effect == WEFT_NOT_PROCESSED)
        return falls_back(conn, error) || (error->code == WEFT_ERR_GOAWAY && conn->had_response);
    return error->effect == WEFT_NOT_SENT;
}

static bool is_in_time(const struct weft_future *x, uint64_t delay_ms)
{
    return x->deadline.when_ms == WF_TIMER_NONE || x->io->now_ms + delay_ms < x->deadline.when_ms;
}

static void end_unpaid(struct weft_future *x, const struct weft_error *error)
{
    struct weft_error poor = *error;
    wf_error_set(&poor, error->code, error->stage, error->effect, "%s; the retry budget is used up",
                 error->text);
    poor.h2_code = error->h2_code;
    poor.sys_errno = error->sys_errno;
    poor.tls_code = error->tls_code;
    wf_exchange_finish_copy(x, &poor);
}

void wf_retry_or_end(struct weft_future *x, const struct wf_conn *conn,
                     const struct weft_error *error)
{
    if (!is_allowed(x, conn, error)) {
        wf_exchange_finish_copy(x, error);
        return;
    }
    if (is_free(conn, error)) {
        remember(x, error->effect);
        start_over(x);
        return_to_origin(x);
        return;
    }
    uint64_t delay_ms = wf_retry_backoff(x->io, x->charged + 1u);
    if (x->charged + 1u >= x->io->engine->config.max_tries || !is_in_time(x, delay_ms)) {
        wf_exchange_finish_copy(x, error);
        return;
    }
    struct wf_extra *extra = wf_extra_get(x);
    if (extra == NULL) { /* no memory to wait with */
        wf_exchange_finish_copy(x, error);
        return;
    }
    if (error->code != WEFT_ERR_GOAWAY && !pay(x->io)) {
        end_unpaid(x, error);
        return;
    }
    x->charged++;
    remember(x, error->effect);
    start_over(x);
    back_off(x, &extra->limits.timer, delay_ms);
}

bool wf_retry_early(struct weft_future *x, struct wf_conn *conn)
{
    if (!x->is_early || x->was_early || !is_untouched(x) || x->io->is_ending)
        return false;
    x->was_early = true;
    remember(x, WEFT_NOT_PROCESSED);
    start_over(x);
    wf_origin_return(conn->origin, x);
    return true;
}

bool wf_retry_without_expect(struct weft_future *x, struct wf_conn *conn)
{
    if (x->is_single || x->io->engine->config.max_tries < 2 || x->io->is_ending ||
        !is_untouched(x) || !wf_upload_stop_expecting(x->upload))
        return false;
    wf_conn_cancel(conn, x);
    remember(x, WEFT_NOT_PROCESSED);
    start_over(x);
    wf_origin_return(conn->origin, x);
    return true;
}

void wf_retry_close(struct wf_io_thread *io, const struct weft_error *error)
{
    struct wf_node *node;
    while ((node = wf_list_first(&io->retry.waiting)) != NULL) {
        struct weft_future *x = wf_container_of(node, struct weft_future, node);
        wf_retry_leave(x);
        wf_exchange_finish_copy(x, error);
    }
}

bool wf_retry_waits(const struct weft_future *x, const struct wf_origin *origin,
                    const struct weft_error *error)
{
    const struct wf_io_thread *io = x->io;
    const struct weft_config *config = &io->engine->config;
    if (x->is_single || config->max_tries < 2 || io->is_ending || !may_pass(error))
        return false;
    /* A server that worked is waited for: it may be starting again. */
    if (origin->has_served)
        return config->connect_retry_ms < 0 ||
               io->now_ms - origin->failing_since < (uint64_t)config->connect_retry_ms;
    /* What takes long, and asks every address or name server there is, need not be repeated. */
    bool was_thorough = error->code == WEFT_ERR_RESOLVE ||
                        (error->code == WEFT_ERR_CONNECT_TIMEOUT && error->stage != WEFT_STAGE_TLS);
    return !was_thorough && origin->failures < config->max_tries;
}

void wf_retry_sum_up(const struct weft_future *x, struct weft_error *error)
{
    if (error->effect < (enum weft_effect)x->worst)
        error->effect = (enum weft_effect)x->worst;
    if (x->tries < 2)
        return;
    char note[32];
    int len = snprintf(note, sizeof(note), " (the last of %u tries)", (unsigned)x->tries);
    size_t at = strlen(error->text);
    size_t most = sizeof(error->text) - 1 - (size_t)len;
    if (at > most) {
        at = most;
        memcpy(error->text + at - 3, "...", 3);
    }
    memcpy(error->text + at, note, (size_t)len + 1);
}
