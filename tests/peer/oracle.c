/* What the client says of its requests, held against a server that knows: many random schedules of
 * refusals, resets with every code, GOAWAYs at each point, connections cut and torn, and silence.
 *
 *   peer_oracle [SCHEDULES [SEED]]
 *
 * Each schedule follows from its own seed, which is printed where one fails: "peer_oracle 1 SEED"
 * has that one again, and shows the frames. */
#include "support/oracle_server.h"
#include "support/random.h"
#include "weft/weft.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#define SCHEDULES   3000u
#define THREADS     8u
#define DEADLINE_MS 60000
#define STALL_MS    120
#define EFFECTS     4u

struct ask {
    const char *method;
    bool is_idempotent;
    unsigned flags;
    size_t body_len;
    struct weft_future *future;
};

struct schedule {
    uint64_t seed;
    struct test_random random;
    struct oracle_plan plan;
    struct oracle_server *server;
    struct weft_client *client;
    unsigned count;
    struct ask asks[ORACLE_REQUESTS];
    struct oracle_log logs[ORACLE_REQUESTS];
    bool has_lost;
};

struct tally {
    unsigned acts[ORACLE_ACTS];
    unsigned answered;
    unsigned ended[EFFECTS];
    unsigned again; /* requests that came more than once */
};

struct runner {
    pthread_t thread;
    struct tally tally;
};

static atomic_uint next_schedule;
static unsigned schedules = SCHEDULES;
static uint64_t first_seed;

__attribute__((format(printf, 3, 4), noreturn)) static void
contradict(const struct schedule *s, unsigned i, const char *format, ...)
{
    const struct oracle_log *log = &s->logs[i];
    const struct weft_error *error = weft_future_error(s->asks[i].future);
    va_list args;
    va_start(args, format);
    (void)fprintf(stderr, "schedule %llu, request %u (%s, flags %u, body of %zu): ",
                  (unsigned long long)s->seed, i, s->asks[i].method, s->asks[i].flags,
                  s->asks[i].body_len);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(
        stderr,
        "\nthe client: %s, %s, %s (%u tries)\n"
        "the server: received %u, processed %u, said not %u, begun %u, ambiguous %u%s;%s\n"
        "to have it again: peer_oracle 1 %llu\n",
        weft_code_name(error->code), weft_effect_name(error->effect), error->text,
        weft_future_tries(s->asks[i].future), log->received, log->processed, log->not, log->begun,
        log->ambiguous, s->has_lost ? "; octets were lost" : "", log->trail,
        (unsigned long long)s->seed);
    abort();
}

static void plan_schedule(struct schedule *s)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "POST", "PATCH"};
    static const size_t lens[] = {0, 0, 10, 20000, 200000};
    struct test_random *random = &s->random;
    s->count = 1 + (unsigned)test_random_below(random, ORACLE_REQUESTS);
    s->plan = (struct oracle_plan){
        .seed = s->seed,
        .max_streams =
            test_random_below(random, 4) == 0 ? 1 + (uint32_t)test_random_below(random, 4) : 100,
        .trouble = 10 + (unsigned)test_random_below(random, 91),
        .stalls = test_random_below(random, 8) == 0,
        .listens =
            test_random_below(random, 6) == 0 ? 1 + (unsigned)test_random_below(random, 4) : 0};
    for (unsigned i = 0; i < s->count; i++) {
        struct ask *ask = &s->asks[i];
        ask->method = methods[test_random_below(random, 6)];
        ask->is_idempotent = ask->method[0] != 'P' || ask->method[1] == 'U';
        ask->body_len = strcmp(ask->method, "GET") == 0 ? 0 : lens[test_random_below(random, 5)];
        switch (test_random_below(random, 6)) {
        case 0:
            ask->flags = WEFT_RETRY_MAYBE;
            break;
        case 1:
            ask->flags = WEFT_NO_RETRY;
            break;
        default:
            break;
        }
    }
}

static void print_trace(void *user, const struct weft_trace_event *event)
{
    (void)user;
    (void)fprintf(stderr, "%llu %s%s\n", (unsigned long long)event->connection,
                  event->is_frame ? event->sent ? "> " : "< " : "", event->text);
}

static void start(struct schedule *s)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.max_connections_per_origin = 1 + (unsigned)test_random_below(&s->random, 3);
    config.max_tries = 1 + (unsigned)test_random_below(&s->random, 4);
    config.retry_backoff_ms = 2;
    config.retry_budget_min = test_random_below(&s->random, 3) == 0 ? 2 : 1000;
    config.connect_retry_ms = 20;
    if (schedules == 1)
        config.trace = print_trace;
    struct weft_error error;
    s->server = oracle_server_new(&s->plan);
    s->client = weft_client_new(&config, &error);
    if (s->client == NULL) {
        (void)fprintf(stderr, "%s\n", error.text);
        abort();
    }
}

static void submit(struct schedule *s, unsigned i)
{
    static const char zeros[200000];
    struct ask *ask = &s->asks[i];
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/%u", oracle_server_port(s->server), i);
    struct weft_request *request = weft_request_new(ask->method, url);
    if (ask->body_len > 0)
        (void)weft_request_borrow_body(request, zeros, ask->body_len, NULL, NULL);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = s->plan.stalls ? STALL_MS : DEADLINE_MS;
    how.flags = ask->flags;
    ask->future = weft_submit(s->client, request, &how);
    weft_request_unref(request);
    if (ask->future == NULL)
        abort();
}

/* The truth, whatever the schedule. */
static void check_truth(const struct schedule *s, unsigned i)
{
    const struct weft_error *error = weft_future_error(s->asks[i].future);
    const struct oracle_log *log = &s->logs[i];
    if (error->code == WEFT_OK) {
        char text[12];
        struct weft_body body = weft_future_body(s->asks[i].future);
        (void)snprintf(text, sizeof(text), "%u", i);
        if (log->processed == 0 || body.len != strlen(text) ||
            memcmp(body.data, text, body.len) != 0)
            contradict(s, i, "an answer that the server did not give");
        return;
    }
    if (error->code == WEFT_ERR_PROTOCOL || error->code == WEFT_ERR_INTERNAL)
        contradict(s, i, "an error that nothing here causes");
    if (error->code == WEFT_ERR_DEADLINE && !s->plan.stalls)
        contradict(s, i, "a request that hung");
    if (error->effect == WEFT_NOT_SENT && log->received > 0)
        contradict(s, i, "it was sent");
    if (error->effect < WEFT_MAYBE_PROCESSED && log->processed > 0)
        contradict(s, i, "it was processed");
    if (error->effect == WEFT_PROCESSED && log->processed == 0)
        contradict(s, i, "it was not processed");
}

/* "Maybe" is for what cannot be known. A deadline may cut the knowing short, and lost octets too.
 */
static void check_no_doubt(const struct schedule *s, unsigned i)
{
    const struct weft_error *error = weft_future_error(s->asks[i].future);
    const struct oracle_log *log = &s->logs[i];
    if (s->has_lost || error->code == WEFT_OK || error->code == WEFT_ERR_DEADLINE)
        return;
    /* Streams above the limit are refused where the log does not see it. */
    bool is_all = weft_future_tries(s->asks[i].future) <= log->received ||
                  s->plan.max_streams >= ORACLE_REQUESTS;
    if (error->effect == WEFT_MAYBE_PROCESSED && log->ambiguous == 0 && is_all)
        contradict(s, i, "nothing of this is in doubt");
    if (error->effect != WEFT_PROCESSED && log->begun > 0)
        contradict(s, i, "a response had begun");
}

static void check_repeats(const struct schedule *s, unsigned i)
{
    const struct ask *ask = &s->asks[i];
    const struct oracle_log *log = &s->logs[i];
    bool may_repeat = ask->is_idempotent || (ask->flags & WEFT_RETRY_MAYBE) != 0;
    if (log->came_again && !may_repeat)
        contradict(s, i, "it was processed and came again");
    if (log->came_once_more && !s->has_lost)
        contradict(s, i, "it came again after its response had begun");
    if ((ask->flags & WEFT_NO_RETRY) != 0 && log->processed > 1)
        contradict(s, i, "it was not to be tried again");
    if (weft_future_tries(ask->future) < log->received)
        contradict(s, i, "it came more often than it was tried");
}

static void count(const struct schedule *s, unsigned i, struct tally *tally)
{
    const struct weft_error *error = weft_future_error(s->asks[i].future);
    if (error->code == WEFT_OK)
        tally->answered++;
    else
        tally->ended[error->effect]++;
    tally->again += s->logs[i].received > 1;
}

static void run_schedule(uint64_t seed, struct tally *tally)
{
    struct schedule s = {.seed = seed, .random = {.state = seed}};
    plan_schedule(&s);
    start(&s);
    /* Some find a connection that has told its SETTINGS, some come before. */
    unsigned first = (unsigned)test_random_below(&s.random, s.count + 1);
    for (unsigned i = 0; i < s.count; i++) {
        if (i == first && i > 0)
            (void)weft_future_wait(s.asks[test_random_below(&s.random, i)].future, WEFT_FOREVER);
        submit(&s, i);
    }
    for (unsigned i = 0; i < s.count; i++)
        (void)weft_future_wait(s.asks[i].future, WEFT_FOREVER);
    if (weft_client_close(s.client, 0) != WEFT_OK)
        abort();
    s.has_lost = oracle_server_free(s.server, s.logs, tally->acts);
    for (unsigned i = 0; i < s.count; i++) {
        check_truth(&s, i);
        check_no_doubt(&s, i);
        check_repeats(&s, i);
        count(&s, i, tally);
        weft_future_unref(s.asks[i].future);
    }
    weft_client_unref(s.client);
}

static void *run(void *user)
{
    struct runner *runner = user;
    for (;;) {
        unsigned n = atomic_fetch_add(&next_schedule, 1);
        if (n >= schedules)
            return NULL;
        run_schedule(first_seed + n, &runner->tally);
    }
}

static void add(struct tally *sum, const struct tally *tally)
{
    for (unsigned i = 0; i < ORACLE_ACTS; i++)
        sum->acts[i] += tally->acts[i];
    for (unsigned i = 0; i < EFFECTS; i++)
        sum->ended[i] += tally->ended[i];
    sum->answered += tally->answered;
    sum->again += tally->again;
}

/* A walk that never came to something proves nothing about it. */
static int report(const struct tally *sum)
{
    static const char *const names[ORACLE_ACTS] = {"answer", "refuse", "reset", "half", "hint",
                                                   "stall",  "goaway", "cut",   "torn"};
    bool has_all = sum->answered > 0 && sum->again > 0;
    for (unsigned i = 0; i < ORACLE_ACTS; i++) {
        printf("%s %u  ", names[i], sum->acts[i]);
        has_all = has_all && sum->acts[i] > 0;
    }
    printf("\nanswered %u, came more than once %u\n", sum->answered, sum->again);
    for (unsigned i = 0; i < EFFECTS; i++) {
        printf("%s %u  ", weft_effect_name((enum weft_effect)i), sum->ended[i]);
        has_all = has_all && sum->ended[i] > 0;
    }
    printf("\n");
    if (schedules >= 1000 && !has_all) {
        (void)fprintf(stderr, "not everything happened\n");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct runner runners[THREADS];
    struct tally sum = {0};
    if (argc > 1)
        schedules = (unsigned)strtoul(argv[1], NULL, 10);
    first_seed = argc > 2 ? strtoull(argv[2], NULL, 10) : test_random_start("oracle").state;
    for (unsigned i = 0; i < THREADS; i++) {
        if (pthread_create(&runners[i].thread, NULL, run, &runners[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(runners[i].thread, NULL);
        add(&sum, &runners[i].tally);
    }
    return report(&sum);
}
