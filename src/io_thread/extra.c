#include "io_thread/extra.h"

#include "base/pool.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/io_thread.h"

struct wf_extra *wf_extra_of(const struct weft_future *x)
{
    /* A23 with R23 in wf_extra_get(). */
    return atomic_load_explicit(&((struct weft_future *)(uintptr_t)x)->extra, memory_order_acquire);
}

struct wf_extra *wf_extra_get(struct weft_future *x)
{
    struct wf_extra *extra = wf_extra_of(x);
    if (extra != NULL)
        return extra;
    extra = wf_pool_take(x->io->engine->extras);
    if (extra == NULL)
        return NULL;
    extra->exchange = x;
    wf_timer_init(&extra->limits.timer, NULL);
    wf_informational_init(&extra->informational);
    extra->rate_mark = 0;
    extra->late_mark = 0;
    /* R23: publishes the list; pairs with A23. */
    atomic_store_explicit(&x->extra, extra, memory_order_release);
    return extra;
}

unsigned wf_extra_informational(const struct weft_future *x)
{
    struct wf_extra *extra = wf_extra_of(x);
    /* Relaxed: only this thread adds. */
    return extra == NULL ? 0
                         : atomic_load_explicit(&extra->informational.count, memory_order_relaxed);
}

void wf_extra_free(struct weft_client *engine, struct weft_future *x)
{
    struct wf_extra *extra = wf_extra_of(x);
    if (extra == NULL)
        return;
    wf_informational_fini(&extra->informational, engine->responses);
    wf_pool_give(engine->extras, extra);
}
