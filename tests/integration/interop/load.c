/* GETs from several threads for a while, each with a number of its own in the URL:
 *
 *   load URL MILLISECONDS THREADS TRIES [prior]
 *
 * One line to stdout for each request that failed: its number, the code, the effect and the text;
 * then how many there were. The server's log tells whether each effect is true. */
#include "weft/weft.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 64

struct run {
    struct weft_client *client;
    const char *url;
    int64_t end_ms;
    atomic_uint next;
    atomic_uint failed;
};

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void get_one(struct run *run)
{
    char url[512];
    unsigned number = atomic_fetch_add(&run->next, 1);

    (void)snprintf(url, sizeof(url), "%s?n=%u", run->url, number);
    struct weft_future *future = weft_get(run->client, url);
    enum weft_code code = weft_future_wait(future, WEFT_FOREVER);
    int status = weft_future_status(future);
    if (code != WEFT_OK || status != 200) {
        const struct weft_error *error = weft_future_error(future);
        atomic_fetch_add(&run->failed, 1);
        (void)printf("failed %u %s/%d [%s] %s\n", number, weft_code_name(code), status,
                     weft_effect_name(error->effect), error->text);
    }
    weft_future_unref(future);
}

static void *work(void *user)
{
    struct run *run = user;

    while (now_ms() < run->end_ms)
        get_one(run);
    return NULL;
}

int main(int argc, char **argv)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    pthread_t threads[THREADS_MAX];
    struct run run = {0};

    if (argc < 5) {
        (void)fprintf(stderr, "usage: load URL MILLISECONDS THREADS TRIES [prior]\n");
        return 2;
    }
    int count = atoi(argv[3]);
    count = count < 1 ? 1 : count > THREADS_MAX ? THREADS_MAX : count;
    config.insecure_skip_verify = true;
    config.max_tries = (unsigned)atoi(argv[4]);
    config.http2_prior_knowledge = argc > 5 && strcmp(argv[5], "prior") == 0;
    run.client = weft_client_new(&config, &error);
    if (run.client == NULL) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    run.url = argv[1];
    run.end_ms = now_ms() + atoi(argv[2]);
    for (int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, work, &run) != 0)
            abort();
    }
    for (int i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    (void)weft_client_close(run.client, 0);
    weft_client_unref(run.client);
    (void)printf("requests %u failed %u\n", atomic_load(&run.next), atomic_load(&run.failed));
    return 0;
}
