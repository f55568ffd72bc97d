/* What the client says of its requests, held against a server that knows: many random schedules of
 * all that can go wrong with an answer. Over HTTP/2 refusals, resets with every code, GOAWAYs at
 * each point, connections cut and torn, and silence; over HTTP/1.1 connections that end before,
 * within and after an answer, while idle and while a request is written, answers that are no
 * answers, and silence.
 *
 *   peer_oracle [h2|h1 [SCHEDULES [SEED]]]
 *
 * Each schedule follows from its own seed, which is printed where one fails: "peer_oracle h2 1
 * SEED" has that one again, and shows the frames. */
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
#define TRY_MS      40
#define LONG_BODY   3000000u /* more than a socket holds */
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
    bool tries_are_timed;
    bool has_unread; /* requests may have been sent that the server never read */
};

struct tally {
    unsigned acts[ORACLE_ACTS_MAX];
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
static bool is_h1;

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
    (void)fprintf(stderr,
                  "\nthe client: %s, %s, %s (%u tries)\n"
                  "the server: received %u, processed %u, refused %u, begun %u, in doubt %u%s;%s\n"
                  "to have it again: peer_oracle %s 1 %llu\n",
                  weft_code_name(error->code), weft_effect_name(error->effect), error->text,
                  weft_future_tries(s->asks[i].future), log->received, log->processed, log->refused,
                  log->begun, log->doubtful, s->has_unread ? "; not all was read" : "", log->trail,
                  is_h1 ? "h1" : "h2", (unsigned long long)s->seed);
    abort();
}

static void plan_schedule(struct schedule *s)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "POST", "PATCH"};
    static const size_t lens[] = {0, 0, 10, 20000, LONG_BODY};
    struct test_random *random = &s->random;
    s->count = 1 + (unsigned)test_random_below(random, ORACLE_REQUESTS);
    s->plan = (struct oracle_plan){
        .seed = s->seed,
        .is_h1 = is_h1,
        .max_streams =
            test_random_below(random, 4) == 0 ? 1 + (uint32_t)test_random_below(random, 4) : 100,
        .trouble = 10 + (unsigned)test_random_below(random, 91),
        .stalls = test_random_below(random, 8) == 0,
        .listens =
            test_random_below(random, 6) == 0 ? 1 + (unsigned)test_random_below(random, 4) : 0};
    s->tries_are_timed = s->plan.stalls && test_random_below(random, 2) == 0;
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
    config.http2_prior_knowledge = !is_h1;
    config.max_connections_per_origin = 1 + (unsigned)test_random_below(&s->random, 3);
    config.max_tries = 1 + (unsigned)test_random_below(&s->random, 4);
    config.retry_backoff_ms = 2;
    config.retry_budget_min = test_random_below(&s->random, 3) == 0 ? 2 : 1000;
    config.connect_retry_ms = 20;
    if (s->tries_are_timed)
        config.try_timeout_ms = TRY_MS;
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
    static const char zeros[LONG_BODY];
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

static void check_answer(const struct schedule *s, unsigned i)
{
    const struct oracle_log *log = &s->logs[i];
    struct weft_body body = weft_future_body(s->asks[i].future);
    char text[12];
    (void)snprintf(text, sizeof(text), "%u", i);
    bool is_answer = body.len == strlen(text) && memcmp(body.data, text, body.len) == 0;
    int status = weft_future_status(s->asks[i].future);
    bool is_farewell = log->farewells > 0 && status == 408 && body.len == 0;
    if (log->begun == 0 || !(is_answer || is_farewell)) {
        (void)fprintf(stderr, "status %d, %zu octets of content\n", status, body.len);
        contradict(s, i, "an answer that the server did not give");
    }
}

/* A request that waits for a connection ends like the others' when no good one can be had. */
static bool had_nonsense(const struct schedule *s)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < s->count; i++)
        wrong += s->logs[i].wrong;
    return wrong > 0;
}

/* The truth, whatever the schedule. What the client claims to know must have been said; that it
 * happens to be so is not enough. */
static void check_truth(const struct schedule *s, unsigned i)
{
    const struct weft_error *error = weft_future_error(s->asks[i].future);
    const struct oracle_log *log = &s->logs[i];
    if (error->code == WEFT_OK) {
        check_answer(s, i);
        return;
    }
    if ((error->code == WEFT_ERR_PROTOCOL && !had_nonsense(s)) || error->code == WEFT_ERR_INTERNAL)
        contradict(s, i, "an error that nothing here causes");
    if ((error->code == WEFT_ERR_DEADLINE || error->code == WEFT_ERR_STAGE_TIMEOUT) &&
        !s->plan.stalls)
        contradict(s, i, "a request that hung");
    if (error->effect == WEFT_NOT_SENT && log->received > 0)
        contradict(s, i, "it was sent");
    if (error->effect < WEFT_MAYBE_PROCESSED && log->refused < log->received)
        contradict(s, i, "nobody said that it was not processed");
    if (error->effect == WEFT_PROCESSED && log->begun == 0)
        contradict(s, i, "no response had begun");
    if (log->processed > log->begun + log->doubtful)
        contradict(s, i, "the server lied");
}

/* "Maybe" is for what cannot be known. A time limit may cut the knowing short. */
static void check_no_doubt(const struct schedule *s, unsigned i)
{
    const struct weft_error *error = weft_future_error(s->asks[i].future);
    const struct oracle_log *log = &s->logs[i];
    if (error->code == WEFT_OK || error->code == WEFT_ERR_DEADLINE || s->tries_are_timed ||
        log->unclear > 0)
        return;
    /* Streams above the limit are refused where the log does not see it. */
    bool has_hidden = s->has_unread || (!is_h1 && s->plan.max_streams < ORACLE_REQUESTS);
    bool is_all = weft_future_tries(s->asks[i].future) <= log->received || !has_hidden;
    if (error->effect == WEFT_MAYBE_PROCESSED && log->doubtful == 0 && is_all)
        contradict(s, i, "nothing of this is in doubt");
    if (error->effect != WEFT_PROCESSED && log->begun > 0)
        contradict(s, i, "a response had begun");
}

/* Nothing here depends on the order in which the server read its connections, but for what it read
 * after a response that the client was waiting for. */
static void check_repeats(const struct schedule *s, unsigned i)
{
    const struct ask *ask = &s->asks[i];
    const struct oracle_log *log = &s->logs[i];
    unsigned not_refused = log->received - log->refused;
    bool may_repeat = ask->is_idempotent || (ask->flags & WEFT_RETRY_MAYBE) != 0;
    if (not_refused > 1 && !may_repeat)
        contradict(s, i, "it came again though nobody had said that it was not processed");
    if (not_refused > 1 && (ask->flags & WEFT_NO_RETRY) != 0)
        contradict(s, i, "it was not to be tried again");
    if (log->came_again && !s->tries_are_timed)
        contradict(s, i, "it came again after its response had begun");
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
    s.has_unread = oracle_server_free(s.server, s.logs, tally->acts);
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
    for (unsigned i = 0; i < ORACLE_ACTS_MAX; i++)
        sum->acts[i] += tally->acts[i];
    for (unsigned i = 0; i < EFFECTS; i++)
        sum->ended[i] += tally->ended[i];
    sum->answered += tally->answered;
    sum->again += tally->again;
}

/* A walk that never came to something proves nothing about it. */
static int report(const struct tally *sum)
{
    bool has_all = sum->answered > 0 && sum->again > 0;
    for (unsigned i = 0; i < oracle_act_count(is_h1); i++) {
        printf("%s %u  ", oracle_act_name(is_h1, i), sum->acts[i]);
        has_all = has_all && sum->acts[i] > 0;
    }
    printf("\nanswered %u, came more than once %u\n", sum->answered, sum->again);
    for (unsigned i = 0; i < EFFECTS; i++) {
        printf("%s %u  ", weft_effect_name((enum weft_effect)i), sum->ended[i]);
        /* HTTP/1.1 has no words for it. */
        bool is_possible = !is_h1 || i != WEFT_NOT_PROCESSED;
        has_all = has_all && is_possible == (sum->ended[i] > 0);
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
    is_h1 = argc > 1 && strcmp(argv[1], "h1") == 0;
    if (argc > 2)
        schedules = (unsigned)strtoul(argv[2], NULL, 10);
    first_seed = argc > 3 ? strtoull(argv[3], NULL, 10) : test_random_start("oracle").state;
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
