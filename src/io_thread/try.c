#include "io_thread/try.h"

#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/extra.h"
#include "io_thread/io_thread.h"
#include "io_thread/retry.h"
#include "io_thread/upload.h"
#include "message/error.h"

/* A stall is found after its time and at most one look more. */
#define LOOKS 4u
/* A peer with less window than this may wait for a reader of ours, not we for it. */
#define WINDOW_WORTH_SENDING 16384u

static int64_t timeout_of(const struct weft_config *config, const struct weft_delivery *how)
{
    return how->try_timeout_ms != 0 ? how->try_timeout_ms : config->try_timeout_ms;
}

bool wf_try_is_limited(const struct weft_config *config, const struct weft_delivery *how)
{
    return timeout_of(config, how) >= 0 || config->first_byte_timeout_ms >= 0 ||
           config->no_progress_timeout_ms >= 0;
}

void wf_try_init(struct wf_try *limits, const struct weft_config *config,
                 const struct weft_delivery *how)
{
    limits->timeout_ms = timeout_of(config, how);
}

static struct wf_try *limits_of(const struct weft_future *x)
{
    return &wf_extra_of(x)->limits;
}

static uint64_t in_ms(const struct weft_future *x, int64_t timeout_ms)
{
    return timeout_ms < 0 ? UINT64_MAX : x->io->now_ms + (uint64_t)timeout_ms;
}

static uint64_t look_interval(const struct weft_future *x)
{
    int64_t timeout_ms = x->io->engine->config.no_progress_timeout_ms;
    return timeout_ms < 0 ? UINT64_MAX : (uint64_t)timeout_ms / LOOKS + 1;
}

static uint64_t next_look(const struct weft_future *x)
{
    uint64_t interval = look_interval(x);
    return interval == UINT64_MAX ? UINT64_MAX : x->io->now_ms + interval;
}

/* A number that changes with everything that is sent or comes for @x. */
static uint64_t progress_of(const struct weft_future *x)
{
    return x->body_received + wf_extra_informational(x) + (x->response.status != 0) +
           (x->conn->protocol->body_sent != NULL ? x->conn->protocol->body_sent(x) : 0);
}

/* Whether it is our own user who does not write, or does not read. */
static bool waits_for_user(const struct weft_future *x)
{
    if (x->upload != NULL && !x->upload->is_sending && !x->upload->is_sent && !x->upload->is_held)
        return true;
    return x->body_mode == WF_BODY_STREAM && x->response.status != 0 &&
           x->conn->protocol->recv_room(x) < WINDOW_WORTH_SENDING;
}

static void set_timer(struct weft_future *x)
{
    struct wf_try *limits = limits_of(x);
    uint64_t when = limits->look_at;
    if (x->response.status == 0 && limits->answer_by < when)
        when = limits->answer_by;
    if (x->response.status == 0 && limits->first_byte_by < when)
        when = limits->first_byte_by;
    wf_timer_set(&x->io->timers, &limits->timer, when);
}

static void give_up(struct weft_future *x, const char *text)
{
    struct wf_conn *conn = x->conn;
    enum weft_stage stage;
    enum weft_effect effect;
    wf_conn_describe(conn, x, &stage, &effect);
    wf_io_thread_count_limit(x->io, WEFT_LIMIT_STAGE);
    wf_conn_cancel(conn, x);
    struct weft_error error;
    wf_error_set(&error, WEFT_ERR_STAGE_TIMEOUT, stage, effect, "%s: %s, in stage %s",
                 conn->origin->key, text, weft_stage_name(stage));
    wf_retry_or_end(x, conn, &error);
}

/* True: it was given up. */
static bool look(struct weft_future *x)
{
    struct wf_try *limits = limits_of(x);
    uint64_t progress = progress_of(x);
    bool is_still = progress == limits->progress && !waits_for_user(x);
    limits->progress = progress;
    limits->still_looks = is_still ? limits->still_looks + 1 : 0;
    if (limits->still_looks >= LOOKS) {
        give_up(x, "nothing was sent or came for no_progress_timeout_ms");
        return true;
    }
    limits->look_at = next_look(x);
    return false;
}

static void timer_fired(struct wf_timer *timer)
{
    struct weft_future *x = wf_container_of(timer, struct wf_extra, limits.timer)->exchange;
    const struct wf_try *limits = limits_of(x);
    uint64_t now_ms = x->io->now_ms;
    if (x->conn == NULL)
        return; /* it was set for a try that has ended */
    if (x->response.status == 0 && now_ms >= limits->first_byte_by)
        give_up(x, "no response began in first_byte_timeout_ms after the request was sent");
    else if (x->response.status == 0 && now_ms >= limits->answer_by)
        give_up(x, "no response began in the try's try_timeout_ms");
    else if (now_ms < limits->look_at || !look(x))
        set_timer(x);
}

void wf_try_began(struct weft_future *x)
{
    struct wf_try *limits = limits_of(x);
    wf_timer_init(&limits->timer, timer_fired);
    limits->answer_by = in_ms(x, limits->timeout_ms);
    limits->first_byte_by = UINT64_MAX;
    limits->look_at = next_look(x);
    limits->progress = 0;
    limits->still_looks = 0;
    set_timer(x);
}

void wf_try_sent(struct weft_future *x)
{
    if (x->response.status != 0)
        return;
    limits_of(x)->first_byte_by = in_ms(x, x->io->engine->config.first_byte_timeout_ms);
    set_timer(x);
}
