/* Everything at once: sixteen threads submit, cancel, read, write, finish, wait, drop and close, on
 * clients of several I/O threads, over HTTP/1.1 and HTTP/2, while servers misbehave and are killed
 * and started again. Each submission completes exactly once, the counts add up, no descriptor stays
 * open, and memory is level.
 *
 *   stress_everything [SECONDS [SEED]]
 *
 * The servers are a process of their own ("--serve"), so that memory and descriptors are the
 * client's alone. What is random follows from the seed, which is printed; the order in which
 * threads run does not. */
#include "support/random.h"
#include "support/server_process.h"
#include "weft/weft.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define THREADS      16u
#define SHORT_RUN_S  5u
#define WAIT_MS      60000
#define OPEN_AT_ONCE 24u
#define MAX_SAMPLES  4096u
#define KINDS        3u

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

enum kind { BY_WAIT, BY_CALLBACK, BY_QUEUE };

/* Of one submission. Given by malloc(), so that a second completion is a use after free. */
struct slot {
    atomic_uint completions;
};

struct caller {
    pthread_t thread;
    struct test_random random;
    struct weft_cq *cq;
    struct weft_future *open[OPEN_AT_ONCE];
    uint64_t submitted[KINDS];
    uint64_t dropped; /* BY_WAIT, and nobody waited */
    uint64_t waited;
    uint64_t queue_done;
    uint64_t codes[WEFT_CODE_COUNT];
};

static struct server_process servers;
static atomic_bool is_over;
static atomic_ullong callbacks;
static atomic_ullong wrong;
static pthread_mutex_t client_lock = PTHREAD_MUTEX_INITIALIZER;
static struct weft_client *shared_clients[2]; /* for HTTP/2 and for HTTP/1.1 */
static struct weft_stats total;               /* of the clients that are closed */
static uint64_t clients;
static uint64_t restarts;
static char letters[70000];

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "stress_everything: %s: %s\n", what, strerror(errno));
    exit(1);
}

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    atomic_fetch_add(&wrong, 1);
}

static struct weft_client *new_client(bool is_h1)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    config.http2_prior_knowledge = !is_h1;
    config.io_threads = 3;
    config.workers = 3;
    config.connections_per_origin = 2;
    config.max_connections_per_origin = 6;
    config.max_queued = 500;
    config.max_age_ms = 2000;
    config.connect_retry_ms = 300;
    struct weft_client *client = weft_client_new(&config, &error);
    if (client == NULL) {
        (void)fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return client;
}

static struct weft_client *take_client(bool is_h1)
{
    pthread_mutex_lock(&client_lock);
    struct weft_client *client = weft_client_ref(shared_clients[is_h1]);
    pthread_mutex_unlock(&client_lock);
    return client;
}

/* Closes a client in the middle of everything; @next takes its place. */
static void close_client(bool is_h1, struct weft_client *next, int64_t drain_ms)
{
    struct weft_stats stats = {.size = sizeof(stats)};
    pthread_mutex_lock(&client_lock);
    struct weft_client *client = shared_clients[is_h1];
    shared_clients[is_h1] = next;
    pthread_mutex_unlock(&client_lock);
    enum weft_code code = weft_client_close(client, drain_ms);
    if (code != WEFT_OK)
        complain("close: %s\n", weft_code_name(code));
    weft_client_stats(client, &stats);
    if (stats.submitted != stats.succeeded + stats.failed || stats.connections_open != 0 ||
        stats.requests_queued != 0 || stats.streams_open != 0)
        complain("after closing: %llu submitted, %llu succeeded, %llu failed; connections %llu, "
                 "queued %llu, streams %llu\n",
                 (unsigned long long)stats.submitted, (unsigned long long)stats.succeeded,
                 (unsigned long long)stats.failed, (unsigned long long)stats.connections_open,
                 (unsigned long long)stats.requests_queued, (unsigned long long)stats.streams_open);
    total.succeeded += stats.succeeded;
    total.failed += stats.failed;
    total.retries += stats.retries;
    total.connections_opened += stats.connections_opened;
    weft_client_unref(client);
    clients++;
}

/* Codes that nothing here can cause. */
static void check_code(enum weft_code code, struct weft_future *future)
{
    static const bool impossible[WEFT_CODE_COUNT] = {[WEFT_ERR_NO_MEMORY] = true,
                                                     [WEFT_ERR_INVALID_ARGUMENT] = true,
                                                     [WEFT_ERR_INVALID_URL] = true,
                                                     [WEFT_ERR_INVALID_REQUEST] = true,
                                                     [WEFT_ERR_FROZEN] = true,
                                                     [WEFT_ERR_WOULD_DEADLOCK] = true,
                                                     [WEFT_ERR_TIMEOUT] = true,
                                                     [WEFT_ERR_FORKED] = true,
                                                     [WEFT_ERR_PROTOCOL] = true,
                                                     [WEFT_ERR_BODY_TOO_LARGE] = true,
                                                     [WEFT_ERR_FIELDS_TOO_LARGE] = true,
                                                     [WEFT_ERR_INTERNAL] = true,
                                                     [WEFT_ERR_BUSY] = true,
                                                     [WEFT_ERR_UPLOAD_OVER] = true};
    const struct weft_error *error = weft_future_error(future);
    if (impossible[code])
        complain("ended as %s: %s\n", weft_code_name(code), error == NULL ? "" : error->text);
    if (error != NULL && error->code != code)
        complain("%s and %s\n", weft_code_name(code), weft_code_name(error->code));
}

static void count_completion(struct slot *slot)
{
    if (atomic_fetch_add(&slot->completions, 1) != 0)
        complain("a second completion\n");
    free(slot);
}

static void done(void *user, struct weft_future *future)
{
    check_code(weft_future_wait(future, 0), future);
    if (!weft_future_is_done(future))
        complain("a callback before the end\n");
    count_completion(user);
    atomic_fetch_add(&callbacks, 1);
}

static size_t below(struct caller *c, size_t end)
{
    return test_random_below(&c->random, end);
}

static void take_events(struct caller *c, int64_t timeout_ms)
{
    struct weft_event events[32];
    size_t count = weft_cq_next(c->cq, events, 32, timeout_ms);
    for (size_t i = 0; i < count; i++) {
        if (events[i].type != WEFT_EVENT_DONE)
            continue;
        count_completion(events[i].tag);
        c->queue_done++;
    }
}

static void read_some(struct caller *c, struct weft_future *future)
{
    char buf[3000];
    size_t len;
    for (size_t n = below(c, 30); n > 0; n--) {
        if (weft_future_read(future, buf, 1 + below(c, sizeof(buf)), (int64_t)below(c, 3), &len) !=
                WEFT_OK ||
            len == 0)
            return;
    }
}

static void write_some(struct caller *c, struct weft_future *future)
{
    size_t len;
    for (size_t n = below(c, 8); n > 0; n--) {
        if (weft_future_write(future, letters, below(c, sizeof(letters)), (int64_t)below(c, 5),
                              &len) != WEFT_OK)
            break;
    }
    if (below(c, 8) == 0)
        (void)weft_future_add_trailer(future, "x-sum", "42");
    if (below(c, 5) != 0)
        (void)weft_future_finish(future);
}

/* What came is what was asked for. */
static void check_content(struct weft_future *future, const char *path, unsigned flags)
{
    uint64_t expected = strtoull(path + strlen("/bytes/"), NULL, 10);
    if (strncmp(path, "/bytes/", 7) != 0 || weft_future_wait(future, 0) != WEFT_OK)
        return;
    struct weft_body body = weft_future_body(future);
    if (weft_future_body_len(future) != expected || weft_future_status(future) != 200)
        complain("%s: status %d, %llu octets\n", path, weft_future_status(future),
                 (unsigned long long)weft_future_body_len(future));
    if ((flags & (WEFT_STREAM_BODY | WEFT_DISCARD_BODY)) == 0 &&
        (body.len != expected || (body.len > 0 && memcmp(body.data, letters, body.len) != 0)))
        complain("%s: other octets\n", path);
}

/* Whoever waits learns the end, and learns it again. */
static void wait_for(struct caller *c, struct weft_future *future)
{
    enum weft_code code = weft_future_wait(future, WAIT_MS);
    check_code(code, future);
    if (weft_future_wait(future, 0) != code)
        complain("another end\n");
    c->codes[code]++;
}

static struct weft_request *make_request(struct caller *c, bool is_h1, const char **out_path,
                                         bool *out_posts)
{
    static const char *const paths[] = {
        "/bytes/10", "/bytes/999",   "/bytes/70000", "/bytes/0",    "/echo",     "/echo",
        "/echo",     "/hang",        "/cut",         "/reset",      "/goaway",   "/bytes/1",
        "/half",     "/trailers",    "/drip/5",      "/refuse",     "/bytes/40", "/status/204",
        "/mirror",   "/early-hints", "/hints-only",  "/bytes/5000", "/deaf",     "/enough"};
    char url[128];
    *out_path = paths[below(c, sizeof(paths) / sizeof(paths[0]))];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
                   is_h1 ? servers.h1_port : servers.h2_port, *out_path);
    *out_posts = (*out_path)[1] == 'e' || (*out_path)[1] == 'm' || (*out_path)[1] == 'd';
    return weft_request_new(*out_posts ? "POST" : "GET", url);
}

static struct weft_delivery choose_delivery(struct caller *c, enum kind *out_kind)
{
    static const unsigned flags[] = {0, 0, WEFT_STREAM_BODY, WEFT_STREAM_BODY, WEFT_DISCARD_BODY};
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    *out_kind = (enum kind)below(c, KINDS);
    how.deadline_ms = 20 + (int64_t)below(c, 2000);
    how.flags = flags[below(c, 5)];
    if (below(c, 6) == 0)
        how.flags |= below(c, 2) == 0 ? WEFT_NO_RETRY : WEFT_RETRY_MAYBE;
    struct slot *slot = *out_kind == BY_WAIT ? NULL : calloc(1, sizeof(*slot));
    if (*out_kind == BY_CALLBACK) {
        how.done = done;
        how.user = slot;
    } else if (*out_kind == BY_QUEUE) {
        how.cq = c->cq;
        how.tag = slot;
    }
    return how;
}

/* What a caller does with a future; afterwards its reference is gone or kept. */
static void treat(struct caller *c, struct weft_future *future, enum kind kind, const char *path,
                  unsigned flags)
{
    if ((flags & WEFT_STREAM_UPLOAD) != 0)
        write_some(c, future);
    if (below(c, 8) == 0)
        weft_future_cancel(future);
    if ((flags & WEFT_STREAM_BODY) != 0)
        read_some(c, future);
    if (below(c, 3) == 0) {
        wait_for(c, future);
        check_content(future, path, flags);
        c->waited += kind == BY_WAIT;
    } else if (below(c, 2) == 0) {
        /* Somebody else's turn: it ends later, by whatever comes. */
        struct weft_future **place = &c->open[below(c, OPEN_AT_ONCE)];
        struct weft_future *before = *place;
        *place = future;
        if (before != NULL && below(c, 4) == 0)
            weft_future_cancel(before);
        weft_future_unref(before);
        c->dropped += kind == BY_WAIT;
        return;
    } else {
        c->dropped += kind == BY_WAIT;
    }
    weft_future_unref(future);
}

static void turn(struct caller *c)
{
    const char *path;
    bool posts;
    enum kind kind;
    bool is_h1 = below(c, 3) == 0;
    struct weft_client *client = take_client(is_h1);
    struct weft_request *request = make_request(c, is_h1, &path, &posts);
    struct weft_delivery how = choose_delivery(c, &kind);
    if (posts && below(c, 2) == 0)
        how.flags |= WEFT_STREAM_UPLOAD;
    else if (posts)
        (void)weft_request_borrow_body(request, letters, below(c, sizeof(letters)), NULL, NULL);
    struct weft_future *future = weft_submit(client, request, &how);
    weft_request_unref(request);
    weft_client_unref(client);
    must(future != NULL, "weft_submit");
    c->submitted[kind]++;
    treat(c, future, kind, path, how.flags);
    if (below(c, 4) == 0)
        take_events(c, 0);
}

static void *call(void *user)
{
    struct caller *c = user;
    while (!is_over)
        turn(c);
    for (size_t i = 0; i < OPEN_AT_ONCE; i++)
        weft_future_unref(c->open[i]);
    return NULL;
}

static size_t resident_kib(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    must(file != NULL && fscanf(file, "%*u %lu", &pages) == 1, "/proc/self/statm");
    (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    must(dir != NULL, "/proc/self/fd");
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count;
}

static size_t mean(const size_t *samples, unsigned count)
{
    size_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += samples[i];
    return count > 0 ? sum / count : 0;
}

/* KiB a minute, by least squares, of samples a second apart. */
static double slope(const size_t *samples, unsigned count)
{
    double x_mean = (count - 1) / 2.0;
    double y_mean = 0;
    double above = 0;
    double below_it = 0;
    for (unsigned i = 0; i < count; i++)
        y_mean += (double)samples[i] / count;
    for (unsigned i = 0; i < count; i++) {
        above += (i - x_mean) * ((double)samples[i] - y_mean);
        below_it += (i - x_mean) * (i - x_mean);
    }
    return below_it > 0 ? above / below_it * 60 : 0;
}

/* Once a second: memory is sampled, and now and then the servers or the client change. */
static void conduct(unsigned seconds, struct test_random *random)
{
    static size_t samples[MAX_SAMPLES];
    unsigned period = seconds < 60 ? 2 : 7;
    unsigned count = 0;
    for (unsigned s = 1; s <= seconds; s++) {
        (void)sleep(1);
        if (count < MAX_SAMPLES)
            samples[count++] = resident_kib();
        if (s % period == 1) {
            server_process_stop(&servers, test_random_below(random, 2) == 0);
            server_process_start(&servers);
            restarts++;
        }
        if (s % (period + 1) == 2)
            close_client(clients % 2 == 1, new_client(clients % 2 == 1),
                         (int64_t)test_random_below(random, 100));
        if (s % 30 == 0)
            printf("%u s: %zu KiB, %llu callbacks\n", s, samples[count - 1],
                   (unsigned long long)callbacks);
        (void)fflush(stdout);
    }
    const size_t *half = samples + count / 2;
    double growth = slope(half, count - count / 2);
    printf("resident: %zu KiB after 1 s, %zu KiB half-way, %zu KiB at the end; slope of the second "
           "half %+.0f KiB a minute\n",
           samples[0], *half, samples[count - 1], growth);
    /* A leak of a hundred octets a request would be far above this after ten minutes. */
    size_t early = mean(samples + count / 4, count / 4);
    size_t late = mean(samples + count - count / 4, count / 4);
    printf("mean of the second quarter %zu KiB, of the last %zu KiB\n", early, late);
    if (!IS_SANITIZED && seconds >= 120 && (growth > 1024 || late > early + early / 10 + 2048))
        complain("memory is not level\n");
}

static void report(struct caller *callers)
{
    struct caller sum = {0};
    for (unsigned i = 0; i < THREADS; i++) {
        for (unsigned k = 0; k < KINDS; k++)
            sum.submitted[k] += callers[i].submitted[k];
        for (unsigned k = 0; k < WEFT_CODE_COUNT; k++)
            sum.codes[k] += callers[i].codes[k];
        sum.dropped += callers[i].dropped;
        sum.waited += callers[i].waited;
        sum.queue_done += callers[i].queue_done;
    }
    unsigned long long all = sum.submitted[0] + sum.submitted[1] + sum.submitted[2];
    printf(
        "%llu submitted: %llu to wait for (%llu waited, %llu dropped), %llu with callbacks (%llu "
        "came), %llu to queues (%llu came)\n",
        all, (unsigned long long)sum.submitted[0], (unsigned long long)sum.waited,
        (unsigned long long)sum.dropped, (unsigned long long)sum.submitted[1],
        (unsigned long long)callbacks, (unsigned long long)sum.submitted[2],
        (unsigned long long)sum.queue_done);
    printf("%llu succeeded, %llu failed, %llu retries, %llu connections, %llu clients, %llu "
           "restarts of the servers\n",
           (unsigned long long)total.succeeded, (unsigned long long)total.failed,
           (unsigned long long)total.retries, (unsigned long long)total.connections_opened,
           (unsigned long long)clients, (unsigned long long)restarts);
    for (unsigned k = 0; k < WEFT_CODE_COUNT; k++) {
        if (sum.codes[k] > 0)
            printf("  %s %llu\n", weft_code_name((enum weft_code)k),
                   (unsigned long long)sum.codes[k]);
    }
    if (sum.submitted[BY_WAIT] != sum.waited + sum.dropped ||
        sum.submitted[BY_CALLBACK] != callbacks || sum.submitted[BY_QUEUE] != sum.queue_done)
        complain("completions do not add up\n");
    if (total.succeeded + total.failed != all)
        complain("the client's counters do not add up: %llu of %llu\n",
                 (unsigned long long)(total.succeeded + total.failed), all);
    if (sum.codes[WEFT_OK] == 0)
        complain("nothing ever succeeded\n");
}

static void run(unsigned seconds, struct test_random *random)
{
    static struct caller callers[THREADS];
    shared_clients[0] = new_client(false);
    shared_clients[1] = new_client(true);
    for (unsigned i = 0; i < THREADS; i++) {
        callers[i].random.state = test_random_next(random);
        callers[i].cq = weft_cq_new();
        must(callers[i].cq != NULL, "weft_cq_new");
    }
    for (unsigned i = 0; i < THREADS; i++)
        must(pthread_create(&callers[i].thread, NULL, call, &callers[i]) == 0, "thread");
    conduct(seconds, random);
    is_over = true;
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(callers[i].thread, NULL);
    struct weft_client *last[2] = {take_client(false), take_client(true)};
    close_client(false, NULL, 100);
    close_client(true, NULL, 100);
    for (unsigned i = 0; i < THREADS; i++) {
        uint64_t before;
        do {
            before = callers[i].queue_done;
            take_events(&callers[i], 0);
        } while (callers[i].queue_done > before);
        weft_cq_unref(callers[i].cq);
    }
    /* No future is left, so no octet of a body is. */
    for (unsigned i = 0; i < 2; i++) {
        struct weft_stats stats = {.size = sizeof(stats)};
        weft_client_stats(last[i], &stats);
        weft_client_unref(last[i]);
        if (stats.buffered != 0)
            complain("%llu octets of bodies are left\n", (unsigned long long)stats.buffered);
    }
    report(callers);
}

int main(int argc, char **argv)
{
    int status = server_process_main(argc, argv);
    if (status >= 0)
        return status;
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : SHORT_RUN_S;
    struct test_random random;
    if (argc > 2) {
        random.state = strtoull(argv[2], NULL, 10);
        printf("seed %s\n", argv[2]);
    } else {
        random = test_random_start("stress_everything");
    }
    if (seconds == 0) {
        (void)fprintf(stderr, "usage: stress_everything [SECONDS [SEED]]\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(letters); i++)
        letters[i] = (char)('a' + i % 26);
    server_process_choose_ports(&servers, &random);
    unsigned before = open_descriptors();
    server_process_start(&servers);
    run(seconds, &random);
    server_process_stop(&servers, false);
    unsigned after = open_descriptors();
    printf("descriptors: %u before, %u after\n", before, after);
    if (before != after)
        complain("descriptors were left open\n");
    printf("%s\n", wrong == 0 ? "all is well" : "something is wrong");
    return wrong == 0 ? 0 : 1;
}
