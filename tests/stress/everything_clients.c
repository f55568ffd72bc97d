#include "everything.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct weft_client *shared[PROTOCOLS][2]; /* [protocol][stays] */
static struct client_totals totals;

static struct weft_client *new_client(enum protocol protocol)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    config.http2_prior_knowledge = protocol == H2;
    config.ca_file = WEFT_TEST_CERTS "/root.pem";
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

void clients_open(void)
{
    for (unsigned i = 0; i < PROTOCOLS; i++) {
        for (unsigned stays = 0; stays < 2; stays++)
            shared[i][stays] = new_client((enum protocol)i);
    }
}

struct weft_client *clients_take(enum protocol protocol, bool stays)
{
    pthread_mutex_lock(&lock);
    struct weft_client *client = weft_client_ref(shared[protocol][stays]);
    pthread_mutex_unlock(&lock);
    return client;
}

static void check_closed(const struct weft_stats *stats)
{
    if (stats->submitted != stats->succeeded + stats->failed || stats->connections_open != 0 ||
        stats->requests_queued != 0 || stats->streams_open != 0)
        complain("after closing: %llu submitted, %llu succeeded, %llu failed; connections %llu, "
                 "queued %llu, streams %llu\n",
                 (unsigned long long)stats->submitted, (unsigned long long)stats->succeeded,
                 (unsigned long long)stats->failed, (unsigned long long)stats->connections_open,
                 (unsigned long long)stats->requests_queued,
                 (unsigned long long)stats->streams_open);
}

static void close_client(struct weft_client *client, int64_t drain_ms)
{
    struct weft_stats stats = {.size = sizeof(stats)};
    enum weft_code code = weft_client_close(client, drain_ms);
    if (code != WEFT_OK)
        complain("close: %s\n", weft_code_name(code));
    weft_client_stats(client, &stats);
    check_closed(&stats);
    totals.succeeded += stats.succeeded;
    totals.failed += stats.failed;
    totals.retries += stats.retries;
    totals.connections += stats.connections_opened;
    totals.clients++;
}

void clients_replace_one(int64_t drain_ms)
{
    enum protocol protocol = (enum protocol)(totals.clients % PROTOCOLS);
    struct weft_client *next = new_client(protocol);
    pthread_mutex_lock(&lock);
    struct weft_client *before = shared[protocol][false];
    shared[protocol][false] = next;
    pthread_mutex_unlock(&lock);
    close_client(before, drain_ms);
    weft_client_unref(before);
}

void clients_close(int64_t drain_ms)
{
    for (unsigned i = 0; i < 2 * PROTOCOLS; i++)
        close_client(shared[i / 2][i % 2], drain_ms);
}

void clients_free(void)
{
    for (unsigned i = 0; i < 2 * PROTOCOLS; i++) {
        struct weft_stats stats = {.size = sizeof(stats)};
        weft_client_stats(shared[i / 2][i % 2], &stats);
        weft_client_unref(shared[i / 2][i % 2]);
        if (stats.buffered != 0)
            complain("%llu octets of bodies are left\n", (unsigned long long)stats.buffered);
    }
}

const struct client_totals *clients_totals(void)
{
    return &totals;
}
