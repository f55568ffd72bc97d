/* Every scenario again and again, with the n-th allocation failing, for each n, until none fails:
 * once that one alone, once all from it on. Nothing crashes, leaks or hangs, and each request ends
 * once. The sessions' scenarios are random walks of fixed seeds (support/h2_walk.h); those of the
 * whole library are below. */
#include "support/check.h"
#include "support/failing_alloc.h"
#include "support/h2_walk.h"
#include "support/loop_server.h"
#include "weft/weft.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WAIT_MS 20000
/* More allocations than any scenario makes: the test must come to an end. */
#define MAX_ALLOCATIONS 20000

static void fail_nth(long n, bool once)
{
    if (once)
        failing_alloc_once(n);
    else
        failing_alloc_after(n);
}

/* The walk itself allocates as it likes; what the session does may fail. */
static void enter_session(bool inside)
{
    failing_alloc_pause(!inside);
}

static long walk_with(uint64_t seed, long step)
{
    long runs = 0;
    struct walk_plan plan = {.steps = 150, .enter = enter_session};
    plan.illegal_one_in = seed % 3 == 0 ? 25 : 0;
    for (int once = 0; once < 2; once++) {
        bool failed = true;
        for (long n = 0; failed; n += step) {
            CHECK(n < MAX_ALLOCATIONS);
            check_context("walk %llu, allocation %ld, %s", (unsigned long long)seed, n,
                          once ? "once" : "from there on");
            struct choice choice = choice_random(seed);
            failing_alloc_pause(true);
            fail_nth(n, once != 0);
            walk_run(&choice, &plan);
            failed = failing_alloc_failures() > 0;
            runs++;
        }
    }
    failing_alloc_after(-1);
    failing_alloc_pause(false);
    return runs;
}

struct scene {
    struct loop_server *server;
    struct weft_client *client;
    atomic_int called;
    struct weft_cq *cq;
};

static const char *url_of(const struct scene *scene, const char *path, char *room, size_t len)
{
    (void)snprintf(room, len, "http://127.0.0.1:%u%s", loop_server_port(scene->server), path);
    return room;
}

/* A request, or NULL. */
static struct weft_request *request_of(const struct scene *scene, const char *method,
                                       const char *path)
{
    char url[128];
    return weft_request_new(method, url_of(scene, path, url, sizeof(url)));
}

/* It ended, and as the error says. */
static void check_ended(struct weft_future *future)
{
    enum weft_code code = weft_future_wait(future, WAIT_MS);
    check_detail("code %s", weft_code_name(code));
    CHECK(code != WEFT_ERR_TIMEOUT);
    CHECK(weft_future_is_done(future) && weft_future_error(future)->code == code);
    CHECK(weft_future_error(future)->text[0] != '\0' || code == WEFT_OK);
}

static struct weft_future *submit(struct scene *scene, const char *path,
                                  const struct weft_delivery *how)
{
    struct weft_request *request = request_of(scene, "GET", path);
    if (request == NULL)
        return NULL;
    struct weft_future *future = weft_submit(scene->client, request, how);
    weft_request_unref(request);
    return future;
}

static void wait_for(struct scene *scene, const char *path, enum weft_code expected)
{
    struct weft_future *future = submit(scene, path, NULL);
    if (future == NULL)
        return;
    check_ended(future);
    enum weft_code code = weft_future_error(future)->code;
    /* Without a failure it is what the path asks for. */
    if (failing_alloc_failures() == 0)
        CHECK(code == expected);
    weft_future_unref(future);
}

static void scene_responses(struct scene *scene)
{
    wait_for(scene, "/bytes/5000", WEFT_OK);
    wait_for(scene, "/status/404", WEFT_OK);
    wait_for(scene, "/trailers", WEFT_OK);
}

static void scene_endings(struct scene *scene)
{
    wait_for(scene, "/reset", WEFT_ERR_RESET);
    wait_for(scene, "/refuse", WEFT_ERR_REFUSED);
    wait_for(scene, "/half", WEFT_ERR_RESET);
    wait_for(scene, "/goaway", WEFT_ERR_GOAWAY);
    wait_for(scene, "/cut", WEFT_ERR_CONNECTION_LOST);
    wait_for(scene, "/bytes/10", WEFT_OK);
}

static void scene_upload(struct scene *scene)
{
    static uint8_t octets[100000];
    struct weft_request *request = request_of(scene, "POST", "/echo");
    if (request == NULL)
        return;
    (void)weft_request_set_body(request, octets, sizeof(octets)); /* its failure is submitted */
    (void)weft_request_add_field(request, "x-test", "value");     /* likewise */
    struct weft_future *future = weft_submit(scene->client, request, NULL);
    if (future != NULL) {
        check_ended(future);
        if (weft_future_error(future)->code == WEFT_OK)
            CHECK(weft_future_body(future).len == sizeof(octets));
        weft_future_unref(future);
    }
    weft_request_unref(request);
}

/* Written, with trailers. The writer's own failures are told to it, and it tries again. */
static void scene_written(struct scene *scene)
{
    static const uint8_t octets[100000];
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_request *request = request_of(scene, "POST", "/mirror");
    if (request == NULL)
        return;
    how.flags = WEFT_STREAM_UPLOAD;
    struct weft_future *future = weft_submit(scene->client, request, &how);
    weft_request_unref(request);
    if (future == NULL)
        return;
    enum weft_code code = WEFT_OK;
    size_t len;
    for (size_t at = 0; at < sizeof(octets) && code == WEFT_OK; at += len)
        code = weft_future_write(future, octets + at, sizeof(octets) - at, WAIT_MS, &len);
    if (code == WEFT_OK)
        code = weft_future_add_trailer(future, "x-sum", "7");
    if (code == WEFT_OK)
        code = weft_future_finish(future);
    if (code == WEFT_ERR_NO_MEMORY) /* or that of the request, which is ended then */
        weft_future_cancel(future);
    check_ended(future);
    if (weft_future_error(future)->code == WEFT_OK) {
        CHECK(weft_future_body(future).len == sizeof(octets));
        CHECK(weft_future_trailer_count(future) == 1);
    }
    if (failing_alloc_failures() == 0)
        CHECK(weft_future_error(future)->code == WEFT_OK);
    weft_future_unref(future);
}

/* Out of a file, and after 100 Continue. */
static void scene_file(struct scene *scene)
{
    struct weft_request *request = request_of(scene, "PUT", "/continue");
    if (request == NULL)
        return;
    int fd = memfd_create("body", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, 300000) == 0);
    (void)weft_request_set_body_fd(request, fd, 0, WEFT_TO_END);
    (void)weft_request_add_field(request, "expect", "100-continue");
    (void)close(fd);
    struct weft_future *future = weft_submit(scene->client, request, NULL);
    weft_request_unref(request);
    if (future == NULL)
        return;
    check_ended(future);
    if (weft_future_error(future)->code == WEFT_OK)
        CHECK(weft_future_body(future).len == 300000);
    weft_future_unref(future);
}

static void on_done(void *user, struct weft_future *future)
{
    struct scene *scene = user;
    CHECK(weft_future_is_done(future));
    atomic_fetch_add(&scene->called, 1);
}

static void scene_callbacks(struct scene *scene)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    int submitted = 0;
    how.done = on_done;
    how.user = scene;
    atomic_store(&scene->called, 0);
    for (int i = 0; i < 4; i++) {
        struct weft_future *future = submit(scene, i == 3 ? "/hang" : "/bytes/100", &how);
        submitted += future != NULL;
        if (future != NULL && i < 3)
            check_ended(future);
        weft_future_unref(future);
    }
    CHECK(weft_client_close(scene->client, 0) == WEFT_OK);
    CHECK(atomic_load(&scene->called) == submitted);
}

static void scene_queue(struct scene *scene)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    int left = 0;
    how.cq = scene->cq;
    for (int i = 0; i < 4; i++) {
        struct weft_future *future = submit(scene, i == 2 ? "/reset" : "/bytes/100", &how);
        left += future != NULL;
        weft_future_unref(future);
    }
    while (left > 0) {
        struct weft_event event;
        CHECK(weft_cq_next(scene->cq, &event, 1, WAIT_MS) == 1);
        CHECK(event.type == WEFT_EVENT_DONE);
        left--;
    }
    CHECK(weft_cq_next(scene->cq, &(struct weft_event){0}, 1, 0) == 0);
}

static void scene_streaming(struct scene *scene)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    char octets[3000];
    size_t len = 1;
    uint64_t total = 0;
    how.flags = WEFT_STREAM_BODY;
    struct weft_future *future = submit(scene, "/bytes/200000", &how);
    if (future == NULL)
        return;
    enum weft_code code = WEFT_OK;
    while (code == WEFT_OK && len > 0) {
        code = weft_future_read(future, octets, sizeof(octets), WAIT_MS, &len);
        total += code == WEFT_OK ? len : 0;
    }
    CHECK(code != WEFT_ERR_TIMEOUT && (code != WEFT_OK || total == 200000));
    check_ended(future);
    CHECK(weft_future_error(future)->code == code);
    weft_future_unref(future);
}

static void scene_cancel(struct scene *scene)
{
    struct weft_future *first = submit(scene, "/hang", NULL);
    struct weft_future *second = submit(scene, "/hang", NULL);
    struct weft_future *third = submit(scene, "/bytes/10", NULL);
    if (third != NULL)
        check_ended(third);
    if (first != NULL) {
        weft_future_cancel(first);
        check_ended(first);
    }
    CHECK(weft_client_close(scene->client, 0) == WEFT_OK);
    if (second != NULL)
        check_ended(second);
    weft_future_unref(first);
    weft_future_unref(second);
    weft_future_unref(third);
}

static void ignore_trace(void *user, const struct weft_trace_event *event)
{
    (void)user;
    CHECK(event->text != NULL);
}

static void play(struct scene *scene, void (*act)(struct scene *scene), bool traces)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.retry_backoff_ms = 1;
    struct weft_error error = {.code = WEFT_OK};
    config.http2_prior_knowledge = true;
    config.trace = traces ? ignore_trace : NULL;
    scene->client = weft_client_new(&config, &error);
    if (scene->client == NULL) {
        CHECK(error.code != WEFT_OK && failing_alloc_failures() > 0);
        return;
    }
    scene->cq = weft_cq_new();
    if (scene->cq != NULL)
        act(scene);
    CHECK(weft_client_close(scene->client, 0) == WEFT_OK);
    weft_client_unref(scene->client);
    weft_cq_unref(scene->cq);
}

static void pause_server(void)
{
    failing_alloc_pause(true);
}

static long play_each(struct scene *scene, const char *name, void (*act)(struct scene *scene))
{
    long runs = 0;
    for (int once = 0; once < 2; once++) {
        /* What threads allocate varies a little: it ends with a few runs that nothing failed in. */
        for (long n = 0, quiet = 0; quiet < 3; n++) {
            CHECK(n < MAX_ALLOCATIONS);
            check_context("%s, allocation %ld, %s", name, n, once ? "once" : "from there on");
            fail_nth(n, once != 0);
            play(scene, act, n % 2 == 1);
            quiet = failing_alloc_failures() > 0 ? 0 : quiet + 1;
            failing_alloc_after(-1);
            runs++;
        }
    }
    printf("%-10s %ld runs\n", name, runs);
    return runs;
}

int main(void)
{
    long runs = 0;
    for (uint64_t seed = 1; seed <= 12; seed++)
        runs += walk_with(seed, 1);
    printf("%-10s %ld runs\n", "walks", runs);
    struct loop_server_config config = {.thread_started = pause_server};
    struct scene scene = {.server = loop_server_new(&config)};
    play_each(&scene, "responses", scene_responses);
    play_each(&scene, "endings", scene_endings);
    play_each(&scene, "upload", scene_upload);
    play_each(&scene, "written", scene_written);
    play_each(&scene, "file", scene_file);
    play_each(&scene, "callbacks", scene_callbacks);
    play_each(&scene, "queue", scene_queue);
    play_each(&scene, "streaming", scene_streaming);
    play_each(&scene, "cancel", scene_cancel);
    loop_server_free(scene.server);
    return 0;
}
