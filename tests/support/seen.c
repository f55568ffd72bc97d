#include "support/seen.h"

#include <string.h>

void seen_init(struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    pthread_mutex_init(&seen->lock, NULL);
    pthread_cond_init(&seen->called, NULL);
}

void seen_await(struct seen *seen, int calls)
{
    pthread_mutex_lock(&seen->lock);
    while (seen->calls < calls)
        pthread_cond_wait(&seen->called, &seen->lock);
    pthread_mutex_unlock(&seen->lock);
}

void seen_count(struct seen *seen)
{
    pthread_mutex_lock(&seen->lock);
    seen->calls++;
    pthread_cond_broadcast(&seen->called);
    pthread_mutex_unlock(&seen->lock);
}

static void on_done(void *user, struct weft_future *future)
{
    struct seen *seen = user;
    seen->code = (int)weft_future_wait(future, 0);
    seen->status = weft_future_status(future);
    (void)pthread_getname_np(pthread_self(), seen->thread_name, sizeof(seen->thread_name));
    if (seen->other != NULL)
        seen->wait_code = (int)weft_future_wait(seen->other, 1000);
    if (seen->client != NULL)
        seen->close_code = (int)weft_client_close(seen->client, 0);
    seen_count(seen);
}

struct weft_delivery seen_delivery(struct seen *seen)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.done = on_done;
    how.user = seen;
    return how;
}
