#include "io_thread/config.h"

#include "message/error.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MAX_IO_THREADS  64u
#define MAX_WORKERS     64u
#define MAX_CONNECTIONS 1024u
#define MIN_WINDOW      65535u
#define MAX_WINDOW      0x7fffffffu

/* The fields that are text, all of type const char *. */
static const size_t strings[] = {
    offsetof(struct weft_config, ca_file),
    offsetof(struct weft_config, dns_servers),
};
#define STRING_COUNT (sizeof(strings) / sizeof(strings[0]))

static bool bad_value(struct weft_error *error, const char *name, unsigned long long value,
                      unsigned long long least, unsigned long long most)
{
    if (value >= least && value <= most)
        return false;
    wf_error_set(error, WEFT_ERR_INVALID_ARGUMENT, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                 "config.%s is %llu; it must be from %llu to %llu", name, value, least, most);
    return true;
}

static bool times_are_good(const struct weft_config *config, struct weft_error *error)
{
    const unsigned long long hour = 3600000;
    /* A negative number is a large one. */
    return (config->ping_after_ms == WEFT_FOREVER ||
            !bad_value(error, "ping_after_ms", (unsigned long long)config->ping_after_ms, 10,
                       hour)) &&
           !bad_value(error, "ping_timeout_ms", (unsigned long long)config->ping_timeout_ms, 10,
                      hour);
}

static bool tries_are_good(const struct weft_config *config, struct weft_error *error)
{
    return !bad_value(error, "max_tries", config->max_tries, 1, 100) &&
           !bad_value(error, "retry_backoff_ms", config->retry_backoff_ms, 1, 1000) &&
           !bad_value(error, "retry_budget_percent", config->retry_budget_percent, 0, 100) &&
           !bad_value(error, "retry_budget_min", config->retry_budget_min, 0, 1000000);
}

bool wf_config_read(struct weft_config *config, const struct weft_config *given,
                    struct weft_error *error)
{
    *config = (struct weft_config)WEFT_CONFIG_INIT;
    if (given != NULL) {
        if (bad_value(error, "size", given->size, sizeof(size_t), sizeof(*config)))
            return false;
        memcpy(config, given, given->size);
        config->size = sizeof(*config);
    }
    return times_are_good(config, error) && tries_are_good(config, error) &&
           !bad_value(error, "io_threads", config->io_threads, 1, MAX_IO_THREADS) &&
           !bad_value(error, "workers", config->workers, 1, MAX_WORKERS) &&
           !bad_value(error, "connections_per_origin", config->connections_per_origin, 1,
                      MAX_CONNECTIONS) &&
           !bad_value(error, "stream_window", config->stream_window, MIN_WINDOW, MAX_WINDOW) &&
           !bad_value(error, "connection_window", config->connection_window, MIN_WINDOW,
                      MAX_WINDOW) &&
           !bad_value(error, "max_stream_window", config->max_stream_window, 0, MAX_WINDOW) &&
           !bad_value(error, "max_connection_window", config->max_connection_window, 0,
                      MAX_WINDOW) &&
           !bad_value(error, "upload_buffer", config->upload_buffer, 1024, 1u << 30) &&
           !bad_value(error, "max_header_list_size", config->max_header_list_size, 1024,
                      16u << 20) &&
           !bad_value(error, "max_header_fields", config->max_header_fields, 1, 65535) &&
           !bad_value(error, "control_burst", config->control_burst, 10, 1000000) &&
           !bad_value(error, "min_body_rate_ms", config->min_body_rate_ms, 10, 3600000) &&
           !bad_value(error, "versions", (unsigned)config->versions, WEFT_HTTP_AUTO, WEFT_HTTP_2) &&
           !bad_value(error, "max_connections_per_origin", config->max_connections_per_origin, 1,
                      MAX_CONNECTIONS) &&
           !(config->max_age_ms != WEFT_FOREVER &&
             bad_value(error, "max_age_ms", (unsigned long long)config->max_age_ms, 10,
                       INT64_MAX)) &&
           !bad_value(error, "tls_min_version", (unsigned)config->tls_min_version, WEFT_TLS_1_2,
                      WEFT_TLS_1_3) &&
           !bad_value(error, "tls_max_version", (unsigned)config->tls_max_version, WEFT_TLS_1_2,
                      WEFT_TLS_1_3) &&
           !bad_value(error, "tls_sessions", config->tls_sessions, 0, 1024) &&
           !bad_value(error, "log_level", (unsigned)config->log_level, WEFT_LOG_ERROR,
                      WEFT_LOG_DEBUG);
}

static const char **string_at(struct weft_config *config, size_t i)
{
    return (const char **)(void *)((char *)config + strings[i]);
}

bool wf_config_copy(struct weft_config *to, const struct weft_config *from)
{
    bool complete = true;
    *to = *from;
    to->resolve = NULL;
    to->connect_to = NULL;
    to->unix_socket = NULL;
    /* TLS was set up from these; secrets are not kept. */
    to->ca_path = NULL;
    to->ca_pem = NULL;
    to->cert_file = NULL;
    to->key_file = NULL;
    to->cert_pem = NULL;
    to->key_pem = NULL;
    to->pins = NULL;
    to->server_name = NULL;
    to->ciphers = NULL;
    to->ciphers13 = NULL;
    to->keylog_file = NULL;
    for (size_t i = 0; i < STRING_COUNT; i++) {
        const char **text = string_at(to, i);
        if (*text == NULL)
            continue;
        size_t len = strlen(*text) + 1;
        char *copy = wf_alloc(len);
        if (copy != NULL)
            memcpy(copy, *text, len);
        *text = copy;
        complete = complete && copy != NULL;
    }
    return complete;
}

void wf_config_fini(struct weft_config *config)
{
    for (size_t i = 0; i < STRING_COUNT; i++) {
        const char **text = string_at(config, i);
        wf_free((void *)(uintptr_t)*text);
        *text = NULL;
    }
}
