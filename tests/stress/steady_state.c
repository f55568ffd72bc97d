/* The steady state allocates nothing: a program that keeps a hundred requests in flight against a
 * server of its own process's making, with every allocation of what is linked statically counted by
 * the linker's
 * --wrap. Over TLS the TLS library may allocate, we may not.
 *
 *     steady_state WEFT-SERVE tls|cleartext */
#include "weft/weft.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define IN_FLIGHT 100
#define WAIT_MS   30000

static atomic_ulong ours; /* through base/alloc.h */
static atomic_ulong all;  /* of everything that is linked statically */

void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_malloc(size_t len)
{
    all++;
    return __real_malloc(len);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    all++;
    return __real_calloc(count, size);
}

void *__real_realloc(void *ptr, size_t len);
void *__wrap_realloc(void *ptr, size_t len);
void *__wrap_realloc(void *ptr, size_t len)
{
    all++;
    return __real_realloc(ptr, len);
}

void *__real_aligned_alloc(size_t align, size_t len);
void *__wrap_aligned_alloc(size_t align, size_t len);
void *__wrap_aligned_alloc(size_t align, size_t len)
{
    all++;
    return __real_aligned_alloc(align, len);
}

void *__real_wf_alloc(size_t len);
void *__wrap_wf_alloc(size_t len);
void *__wrap_wf_alloc(size_t len)
{
    ours++;
    return __real_wf_alloc(len);
}

void *__real_wf_calloc(size_t count, size_t size);
void *__wrap_wf_calloc(size_t count, size_t size);
void *__wrap_wf_calloc(size_t count, size_t size)
{
    ours++;
    return __real_wf_calloc(count, size);
}

void *__real_wf_realloc(void *ptr, size_t len);
void *__wrap_wf_realloc(void *ptr, size_t len);
void *__wrap_wf_realloc(void *ptr, size_t len)
{
    ours++;
    return __real_wf_realloc(ptr, len);
}

void *__real_wf_alloc_aligned(size_t align, size_t len);
void *__wrap_wf_alloc_aligned(size_t align, size_t len);
void *__wrap_wf_alloc_aligned(size_t align, size_t len)
{
    ours++;
    return __real_wf_alloc_aligned(align, len);
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "steady_state: %s\n", what);
    exit(1);
}

struct child {
    pid_t pid;
    char url[128];
};

static struct child start_server(const char *program, bool tls)
{
    struct child child = {0};
    int fds[2];
    if (pipe(fds) != 0)
        fail("no pipe");
    child.pid = fork();
    if (child.pid == 0) {
        (void)dup2(fds[1], STDOUT_FILENO);
        (void)close(fds[0]);
        (void)execl(program, program, "--port", "0", "--quiet", tls ? "--tls" : "--cleartext",
                    (char *)NULL);
        _exit(127);
    }
    (void)close(fds[1]);
    char line[128] = "";
    FILE *out = fdopen(fds[0], "r");
    if (child.pid < 0 || out == NULL || fgets(line, sizeof(line), out) == NULL ||
        sscanf(line, "listening on %100s", child.url) != 1)
        fail("the server did not say where it listens");
    (void)fclose(out);
    return child;
}

struct run {
    struct weft_client *client;
    struct weft_cq *cq;
    struct weft_request *request;
    struct weft_delivery how;
};

static void submit(struct run *run, size_t count)
{
    struct weft_request *requests[IN_FLIGHT];
    struct weft_future *futures[IN_FLIGHT];
    for (size_t i = 0; i < count; i++)
        requests[i] = run->request;
    if (weft_submit_batch(run->client, requests, count, &run->how, NULL, futures) != count)
        fail("no memory to submit");
}

static void keep_going(struct run *run, size_t total)
{
    size_t submitted = total < IN_FLIGHT ? total : IN_FLIGHT;
    size_t done = 0;
    submit(run, submitted);
    while (done < total) {
        struct weft_event events[IN_FLIGHT];
        size_t count = weft_cq_next(run->cq, events, IN_FLIGHT, WAIT_MS);
        if (count == 0)
            fail("a request did not complete");
        for (size_t i = 0; i < count; i++) {
            if (weft_future_status(events[i].future) != 200 ||
                weft_future_body_len(events[i].future) != 10)
                fail("a response is wrong");
            weft_future_unref(events[i].future);
        }
        done += count;
        size_t more = total - submitted < count ? total - submitted : count;
        if (more > 0)
            submit(run, more);
        submitted += more;
    }
}

struct counts {
    unsigned long ours;
    unsigned long all;
};

static struct counts count_of(struct run *run, size_t total)
{
    unsigned long ours_before = ours;
    unsigned long all_before = all;
    keep_going(run, total);
    return (struct counts){ours - ours_before, all - all_before};
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage: steady_state WEFT-SERVE tls|cleartext");
    bool tls = strcmp(argv[2], "tls") == 0;
    struct child server = start_server(argv[1], tls);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.insecure_skip_verify = true;
    config.http2_prior_knowledge = true;
    struct run run = {.client = weft_client_new(&config, NULL), .cq = weft_cq_new()};
    char url[192];
    (void)snprintf(url, sizeof(url), "%s/bytes/10", server.url);
    run.request = weft_request_new("GET", url);
    run.how = (struct weft_delivery)WEFT_DELIVERY_INIT;
    run.how.cq = run.cq;

    keep_going(&run, 2000); /* until everything has its size */
    struct counts small = count_of(&run, 10000);
    struct counts large = count_of(&run, 100000);
    (void)printf("%s: ours %lu and %lu, all %lu and %lu allocations in 10000 and 100000 requests\n",
                 argv[2], small.ours, large.ours, small.all, large.all);

    (void)weft_client_close(run.client, 1000);
    weft_request_unref(run.request);
    weft_cq_unref(run.cq);
    weft_client_unref(run.client);
    (void)kill(server.pid, SIGTERM);
    (void)waitpid(server.pid, NULL, 0);
    /* A pool may still grow by a chunk when scheduling gives it a new high mark: 1 in 10,000. */
    if (large.ours > small.ours + 10)
        fail("our own allocations grow with the number of requests");
    if (!tls && large.all > small.all + small.all / 100 + 10)
        fail("allocations grow with the number of requests");
    return 0;
}
