/* A server that asks three others for each request it gets: libmicrohttpd in front, weft behind.
 *
 *     fan_out [--cacert FILE] PORT URL URL URL
 *
 * Port 0 is any; it prints the URL that it listens at. GET / answers with what the three upstreams
 * said, joined, each with its name and status. The whole answer is ready within DEADLINE_MS,
 * whatever the upstreams do: one that failed or was too slow appears with its error, and the status
 * is 200 when all answered, 502 when none did, 207 in between. SIGINT or SIGTERM ends the program.
 *
 * All requests share one client, so that they share its connections too. No thread waits: weft
 * calls back on a worker of its own when an upstream is done, and the last of the three resumes the
 * suspended connection of libmicrohttpd. */
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/weft.h>

#define UPSTREAMS   3
#define DEADLINE_MS 1000

struct program {
    struct weft_client *client;
    struct weft_request *requests[UPSTREAMS]; /* built once and submitted again and again */
    const char *urls[UPSTREAMS];
};

/* One request of somebody, and its three upstream calls. */
struct visit {
    struct program *program;
    struct MHD_Connection *connection;
    struct weft_future *futures[UPSTREAMS];
    /* How many calls have to end before the connection goes on; one more than there are, so that it
     * cannot go on before it is suspended and all are submitted. */
    atomic_uint left;
};

static void resume_when_last(struct visit *visit)
{
    if (atomic_fetch_sub(&visit->left, 1) == 1)
        MHD_resume_connection(visit->connection);
}

/* Called by weft, on one of its workers, once for each submission. It does not block here: there
 * are few workers, and the other requests need them. */
static void on_done(void *user, struct weft_future *future)
{
    (void)future; /* borrowed; visit->futures has it too, but perhaps not yet */
    resume_when_last(user);
}

static void free_visit(struct visit *visit)
{
    for (unsigned i = 0; i < UPSTREAMS; i++)
        weft_future_unref(visit->futures[i]); /* of one that goes on: that cancels it */
    free(visit);
}

static struct visit *begin_visit(struct program *program, struct MHD_Connection *connection)
{
    struct visit *visit = calloc(1, sizeof(*visit));
    if (visit == NULL)
        return NULL;
    visit->program = program;
    visit->connection = connection;
    atomic_init(&visit->left, UPSTREAMS + 1);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.done = on_done;
    how.user = visit;
    how.deadline_ms = DEADLINE_MS; /* queue, connecting and tries after the first included */
    MHD_suspend_connection(connection);
    for (unsigned i = 0; i < UPSTREAMS; i++) {
        visit->futures[i] = weft_submit(program->client, program->requests[i], &how);
        if (visit->futures[i] == NULL) /* out of memory: nothing will be called back */
            resume_when_last(visit);
    }
    resume_when_last(visit);
    return visit;
}

/* Appends what upstream @i said. True: it answered. A future that is NULL is taken by all calls for
 * one that ended in WEFT_ERR_NO_MEMORY. */
static bool write_part(FILE *out, const struct visit *visit, unsigned i)
{
    const struct weft_future *future = visit->futures[i];
    const struct weft_error *error = weft_future_error(future);
    fprintf(out, "== %s: ", visit->program->urls[i]);
    if (error->code != WEFT_OK) {
        fprintf(out, "%s, %s: %s\n", weft_code_name(error->code), weft_effect_name(error->effect),
                error->text);
        return false;
    }
    struct weft_body body = weft_future_body(future);
    fprintf(out, "%d, %zu octets\n", weft_future_status(future), body.len);
    fwrite(body.data, 1, body.len, out);
    fputc('\n', out);
    return true;
}

/* All three are done. */
static enum MHD_Result answer(struct visit *visit)
{
    char *text = NULL;
    size_t len = 0;
    unsigned answered = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return MHD_NO; /* closes the connection */
    for (unsigned i = 0; i < UPSTREAMS; i++)
        answered += write_part(out, visit, i);
    if (fclose(out) != 0) {
        free(text);
        return MHD_NO;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(text);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_add_response_header(response, "content-type", "text/plain");
    if (result == MHD_YES)
        result = MHD_queue_response(visit->connection,
                                    answered == UPSTREAMS ? MHD_HTTP_OK
                                    : answered == 0       ? MHD_HTTP_BAD_GATEWAY
                                                          : MHD_HTTP_MULTI_STATUS,
                                    response);
    MHD_destroy_response(response); /* our reference; the queued one stays */
    return result;
}

/* Called by libmicrohttpd when the head of a request is there, and again once it is resumed. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
    (void)url;
    (void)version;
    (void)upload;
    if (*state != NULL) {
        if (*upload_len == 0)
            return answer(*state);
        *upload_len = 0; /* a body is of no interest */
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return MHD_NO;
    *state = begin_visit(user, connection);
    return *state != NULL ? MHD_YES : MHD_NO;
}

/* The answer is out, or whoever asked has gone. */
static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    (void)user;
    (void)connection;
    (void)why;
    if (*state != NULL)
        free_visit(*state);
}

static bool start(struct program *program, const char *ca_file, char **urls)
{
    struct weft_config config = WEFT_CONFIG_INIT; /* all defaults */
    struct weft_error error;
    config.ca_file = ca_file; /* NULL, the default too: the system's authorities */
    program->client = weft_client_new(&config, &error);
    if (program->client == NULL) {
        fprintf(stderr, "fan_out: %s\n", error.text);
        return false;
    }
    for (unsigned i = 0; i < UPSTREAMS; i++) {
        program->urls[i] = urls[i];
        program->requests[i] = weft_request_new("GET", urls[i]);
        if (program->requests[i] == NULL) {
            fprintf(stderr, "fan_out: out of memory\n");
            return false;
        }
        /* A bad URL would also be told by each submission; better now. */
        if (weft_request_check(program->requests[i], &error) != WEFT_OK) {
            fprintf(stderr, "fan_out: %s: %s\n", urls[i], error.text);
            return false;
        }
    }
    return true;
}

/* Until a signal. False: the server did not start. */
static bool serve(struct program *program, uint16_t port, const sigset_t *signals)
{
    int received;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL, on_request,
        program, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "fan_out: cannot listen on port %u\n", port);
        return false;
    }
    printf("listening on http://127.0.0.1:%u\n",
           MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    sigwait(signals, &received);

    /* In this order: no new visits; then the upstream calls end, which resumes what is suspended;
     * then nothing of libmicrohttpd is left to resume. */
    close(MHD_quiesce_daemon(daemon));
    weft_client_close(program->client, DEADLINE_MS);
    MHD_stop_daemon(daemon);
    return true;
}

int main(int argc, char **argv)
{
    const char *ca_file = NULL;
    if (argc > 2 && strcmp(argv[1], "--cacert") == 0) {
        ca_file = argv[2];
        argv += 2;
        argc -= 2;
    }
    unsigned long port = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (argc != 2 + UPSTREAMS || port > UINT16_MAX) {
        fprintf(stderr, "usage: fan_out [--cacert FILE] PORT URL URL URL\n");
        return 2;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before there are threads: for sigwait() only */

    struct program program = {0};
    bool ok = start(&program, ca_file, argv + 2) && serve(&program, (uint16_t)port, &signals);
    for (unsigned i = 0; i < UPSTREAMS; i++)
        weft_request_unref(program.requests[i]);
    weft_client_unref(program.client);
    return ok ? 0 : 1;
}
