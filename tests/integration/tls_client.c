/* Asks one URL several times, each time over a new connection as far as the server closes them, and
 * says for each answer what the server's fields say; then what the client counted.
 *   tls_client URL CA COUNT MAX_VERSION SESSIONS [SERVER_NAME]
 * With TLS_CLIENT_STEPS in the environment a line on standard input begins each request. */
#include "weft/weft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void print_field(const struct weft_future *future, const char *name)
{
    struct weft_field field;
    if (weft_future_field(future, name, &field))
        printf(" %s=%.*s", name, (int)field.value_len, field.value);
}

static struct weft_stats stats_of(struct weft_client *client)
{
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(client, &stats);
    return stats;
}

/* The server's end of a connection may still be on its way: a request that it did not process is
 * asked again. */
static enum weft_code ask(struct weft_client *client, const char *url)
{
    enum weft_code code = WEFT_ERR_INTERNAL;
    for (int tries = 0; tries < 20; tries++) {
        struct weft_future *future = weft_get(client, url);
        code = weft_future_wait(future, 20000);
        if (code == WEFT_OK) {
            printf("%d", weft_future_status(future));
            print_field(future, "x-reused");
            print_field(future, "x-name");
            print_field(future, "x-protocol");
            putchar('\n');
        } else if (weft_future_error(future) != NULL &&
                   weft_future_error(future)->effect > WEFT_NOT_PROCESSED) {
            tries = 20;
        }
        if (code != WEFT_OK && tries >= 19)
            printf("%s: %s\n", weft_code_name(code), weft_future_error(future)->text);
        weft_future_unref(future);
        if (code == WEFT_OK)
            break;
    }
    return code;
}

/* For a second, a little at a time: the server closes its connections. */
static void await_close(struct weft_client *client)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    for (int i = 0; i < 200 && stats_of(client).connections_open > 0; i++)
        nanosleep(&moment, NULL);
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    config.ca_file = argv[2];
    config.tls_max_version = strcmp(argv[4], "1.2") == 0 ? WEFT_TLS_1_2 : WEFT_TLS_1_3;
    config.tls_sessions = (unsigned)strtoul(argv[5], NULL, 10);
    if (argc > 6)
        config.server_name = argv[6];
    struct weft_client *client = weft_client_new(&config, &error);
    if (client == NULL) {
        puts(error.text);
        return 1;
    }
    enum weft_code code = WEFT_OK;
    for (unsigned long i = strtoul(argv[3], NULL, 10); i > 0 && code == WEFT_OK; i--) {
        if (getenv("TLS_CLIENT_STEPS") != NULL && getchar() == EOF)
            break;
        code = ask(client, argv[1]);
        await_close(client);
        (void)fflush(stdout);
    }
    struct weft_stats stats = stats_of(client);
    printf("handshakes=%llu resumed=%llu\n", (unsigned long long)stats.tls_handshakes,
           (unsigned long long)stats.tls_resumed);
    (void)weft_client_close(client, 0);
    weft_client_unref(client);
    return code == WEFT_OK ? 0 : 1;
}
