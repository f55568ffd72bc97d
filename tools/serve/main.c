/* weft-serve: a small HTTP/2 server for tests, demonstrations and benchmarks. */
#include "listener.h"
#include "options.h"
#include "tls.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

/* Octets of the pattern: whole alphabets, some 256 KiB of them. */
#define PATTERN_LEN (26u * 10080)

enum { EXIT_USAGE = 2 };

static void complain(const char *what, const char *name, int error)
{
    fprintf(stderr, "weft-serve: %s '%s': %s\n", what, name,
            error == EINVAL ? "not an address" : strerror(error));
}

static bool make_pattern(struct serve_site *site)
{
    uint8_t *octets = wf_alloc(PATTERN_LEN);
    if (octets == NULL)
        return false;
    for (size_t i = 0; i < PATTERN_LEN; i++)
        octets[i] = (uint8_t)('a' + i % 26);
    site->pattern = wf_slice(octets, PATTERN_LEN);
    return true;
}

static void close_site(struct serve_site *site)
{
    serve_tls_free(site->tls);
    if (site->listen_fd >= 0)
        (void)close(site->listen_fd);
    if (site->root_fd >= 0)
        (void)close(site->root_fd);
    wf_free((void *)(uintptr_t)site->pattern.ptr);
}

static bool open_site(struct serve_site *site, const struct serve_options *options,
                      struct wf_address *out_bound)
{
    *site = (struct serve_site){.options = options, .listen_fd = -1, .root_fd = -1};
    if (!make_pattern(site)) {
        fprintf(stderr, "weft-serve: out of memory\n");
        return false;
    }
    if (options->root != NULL) {
        site->root_fd = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (site->root_fd < 0) {
            complain("cannot open the folder", options->root, errno);
            return false;
        }
    }
    if (!options->cleartext) {
        site->tls = serve_tls_new(options, stderr);
        if (site->tls == NULL)
            return false;
    }
    int error = serve_listen(options->address, options->port, &site->listen_fd, out_bound);
    if (error != 0)
        complain("cannot listen on", options->address, error);
    return error == 0;
}

static void report(const struct serve_worker *workers, uint32_t count)
{
    struct serve_counts sum = {0};
    for (uint32_t i = 0; i < count; i++) {
        sum.connections += workers[i].counts.connections;
        sum.requests += workers[i].counts.requests;
        sum.errors += workers[i].counts.errors;
    }
    fprintf(stderr,
            "weft-serve: %" PRIu64 " connections, %" PRIu64 " requests, %" PRIu64
            " connection errors\n",
            sum.connections, sum.requests, sum.errors);
}

/* Starts as many workers as it can; returns how many run. */
static uint32_t start(struct serve_worker *workers, uint32_t count, const struct serve_site *site)
{
    for (uint32_t i = 0; i < count; i++) {
        int error = serve_worker_init(&workers[i], site);
        if (error == 0) {
            error = pthread_create(&workers[i].thread, NULL, serve_worker_run, &workers[i]);
            if (error != 0)
                serve_worker_fini(&workers[i]);
        }
        if (error != 0) {
            fprintf(stderr, "weft-serve: cannot start a thread: %s\n", strerror(error));
            return i;
        }
    }
    return count;
}

/* Until a signal; then the workers end. False: one of them failed. */
static bool wait_and_stop(struct serve_worker *workers, uint32_t count, const sigset_t *signals)
{
    int received;
    bool ok = true;
    (void)sigwait(signals, &received); /* fails only for a set that holds no signal */
    for (uint32_t i = 0; i < count; i++)
        serve_worker_stop(&workers[i]);
    for (uint32_t i = 0; i < count; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        if (workers[i].failure == 0)
            continue;
        fprintf(stderr, "weft-serve: a loop failed: %s\n", strerror(workers[i].failure));
        ok = false;
    }
    return ok;
}

static bool serve(const struct serve_site *site, const struct wf_address *bound,
                  const sigset_t *signals)
{
    const struct serve_options *options = site->options;
    char where[WF_ADDRESS_TEXT_MAX];
    struct serve_worker *workers = wf_calloc(options->threads, sizeof(*workers));
    if (workers == NULL) {
        fprintf(stderr, "weft-serve: out of memory\n");
        return false;
    }
    uint32_t running = start(workers, options->threads, site);
    bool ok = running == options->threads;
    if (ok) {
        printf("listening on %s://%s\n", options->cleartext ? "http" : "https",
               wf_address_text(bound, where, sizeof(where)));
        (void)fflush(stdout); /* nobody may be reading; serving goes on */
    } else {
        (void)raise(SIGTERM);
    }
    ok = wait_and_stop(workers, running, signals) && ok;
    if (!options->quiet)
        report(workers, running);
    for (uint32_t i = 0; i < running; i++)
        serve_worker_fini(&workers[i]);
    wf_free(workers);
    return ok;
}

int main(int argc, char **argv)
{
    struct serve_options options;
    switch (serve_options_parse(argc, argv, stdout, stderr, &options)) {
    case SERVE_PARSED_DONE:
        return EXIT_SUCCESS;
    case SERVE_PARSED_BAD:
        return EXIT_USAGE;
    case SERVE_PARSED_RUN:
        break;
    }
    /* The signals are blocked before any thread starts, so that only sigwait() takes them. */
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* stdout and stderr may be pipes that close */

    struct serve_site site;
    struct wf_address bound;
    bool ok = open_site(&site, &options, &bound) && serve(&site, &bound, &signals);
    close_site(&site);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
