/* What a request costs when 1 to 32 threads submit to one client with one I/O thread, 3,200 in
 * flight in all, each thread reading a completion queue of its own: bench_threads URL [REQUESTS] */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "weft/weft.h"

#define IN_FLIGHT   3200u
#define CONNECTIONS 32u
#define THREADS_MAX 32u
#define BATCH       100u

struct submitter {
    pthread_t thread;
    struct weft_client *client;
    const char *url;
    size_t in_flight;
    size_t share;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_threads: %s\n", what);
    exit(1);
}

static void submit(struct submitter *s, struct weft_request *request,
                   const struct weft_delivery *how, size_t count)
{
    struct weft_request *requests[BATCH];
    struct weft_future *futures[BATCH];
    for (size_t i = 0; i < count; i++)
        requests[i] = request;
    if (weft_submit_batch(s->client, requests, count, how, NULL, futures) != count)
        die("out of memory");
}

static void *run(void *user)
{
    struct submitter *s = user;
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_request *request = weft_request_new("GET", s->url);
    struct weft_event events[BATCH];
    size_t submitted = 0;
    how.cq = weft_cq_new();
    how.flags = WEFT_DISCARD_BODY;
    if (request == NULL || how.cq == NULL)
        die("out of memory");
    for (size_t left = s->in_flight; left > 0;) {
        size_t count = left < BATCH ? left : BATCH;
        submit(s, request, &how, count);
        left -= count;
        submitted += count;
    }
    for (size_t done = 0; done < s->share;) {
        size_t count = weft_cq_next(how.cq, events, BATCH, 1000);
        for (size_t i = 0; i < count; i++) {
            if (weft_future_error(events[i].future)->code != WEFT_OK)
                die(weft_future_error(events[i].future)->text);
            weft_future_unref(events[i].future);
        }
        done += count;
        if (count > s->share - submitted)
            count = s->share - submitted;
        if (count > 0)
            submit(s, request, &how, count);
        submitted += count;
    }
    weft_cq_unref(how.cq);
    weft_request_unref(request);
    return NULL;
}

static double cpu_us(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* CPU per request with @threads submitters. */
static double measure(struct weft_client *client, const char *url, size_t threads, size_t requests)
{
    static struct submitter all[THREADS_MAX];
    double before = cpu_us();
    for (size_t i = 0; i < threads; i++) {
        all[i] = (struct submitter){.client = client,
                                    .url = url,
                                    .in_flight = IN_FLIGHT / threads,
                                    .share = requests / threads};
        if (pthread_create(&all[i].thread, NULL, run, &all[i]) != 0)
            die("cannot start a thread");
    }
    for (size_t i = 0; i < threads; i++)
        pthread_join(all[i].thread, NULL);
    return (cpu_us() - before) / (double)(requests / threads * threads);
}

int main(int argc, char **argv)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    size_t requests = argc > 2 ? strtoul(argv[2], NULL, 10) : 640000;
    if (argc < 2 || requests < 2 * IN_FLIGHT) {
        fputs("usage: bench_threads URL [REQUESTS, at least 6400]\n", stderr);
        return 2;
    }
    config.connections_per_origin = CONNECTIONS;
    config.max_connections_per_origin = CONNECTIONS;
    config.insecure_skip_verify = true;
    config.http2_prior_knowledge = true;
    struct weft_client *client = weft_client_new(&config, &error);
    if (client == NULL)
        die(error.text);
    double alone = 0;
    (void)measure(client, argv[1], 1, 2 * (size_t)IN_FLIGHT); /* connects */
    for (size_t threads = 1; threads <= THREADS_MAX; threads *= 2) {
        double us = measure(client, argv[1], threads, requests);
        alone = threads == 1 ? us : alone;
        printf("%2zu threads: %.2f us of CPU a request, %.2f of one thread's\n", threads, us,
               us / alone);
    }
    (void)weft_client_close(client, 0);
    weft_client_unref(client);
    return 0;
}
