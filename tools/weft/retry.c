#include "retry.h"

#include "common/number.h"
#include "exit_code.h"

#include <stddef.h>
#include <time.h>

#define FIRST_DELAY_MS 1000
#define MAX_DELAY_MS   600000
#define MAX_COUNT      1000000000u

bool wf_fetch_retry_has(int id)
{
    return id >= OPT_RETRY && id < OPT_RETRY_END;
}

bool wf_fetch_retry_set(struct wf_fetch_retry *retry, int id, const char *value,
                        const char **out_error)
{
    switch (id) {
    case OPT_RETRY:
        *out_error = "--retry needs a number of retries";
        return wf_tool_parse_count(value, 0, MAX_COUNT, &retry->count);
    case OPT_RETRY_DELAY:
        *out_error = "--retry-delay needs a number of seconds";
        return wf_tool_parse_seconds(value, &retry->delay_ms);
    case OPT_RETRY_MAX_TIME:
        *out_error = "--retry-max-time needs a number of seconds";
        return wf_tool_parse_seconds(value, &retry->max_time_ms);
    case OPT_RETRY_CONNREFUSED:
        retry->connrefused = true;
        return true;
    default:
        retry->all_errors = true;
        return true;
    }
}

static bool status_may_pass(int status)
{
    switch (status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return false;
    }
}

/* What is wrong here stays wrong. */
static bool is_our_own(int exit_code)
{
    switch (exit_code) {
    case WF_FETCH_EXIT_URL:
    case WF_FETCH_EXIT_WRITE:
    case WF_FETCH_EXIT_READ:
    case WF_FETCH_EXIT_NO_MEMORY:
    case WF_FETCH_EXIT_CANCELLED:
    case WF_FETCH_EXIT_REQUEST:
    case WF_FETCH_EXIT_INTERNAL:
        return true;
    default:
        return false;
    }
}

static bool may_pass(const struct wf_fetch_retry *retry, const struct wf_fetch_try *ended)
{
    if (status_may_pass(ended->status) &&
        (ended->exit_code == 0 || ended->exit_code == WF_FETCH_EXIT_STATUS))
        return true;
    if (ended->exit_code == 0)
        return false;
    if (ended->exit_code == WF_FETCH_EXIT_TIMEOUT || ended->exit_code == WF_FETCH_EXIT_RESOLVE)
        return true;
    if (ended->exit_code == WF_FETCH_EXIT_CONNECT && retry->connrefused)
        return true;
    return retry->all_errors && !is_our_own(ended->exit_code);
}

bool wf_fetch_retry_wanted(const struct wf_fetch_retry *retry, const struct wf_fetch_try *ended,
                           int64_t *out_delay_ms)
{
    int64_t delay = retry->delay_ms ? retry->delay_ms : FIRST_DELAY_MS;
    uint64_t limit = (uint64_t)retry->max_time_ms;

    if (ended->retries >= retry->count || !may_pass(retry, ended))
        return false;
    if (limit && ended->elapsed_ms >= limit)
        return false;
    if (!retry->delay_ms) {
        for (uint64_t i = 0; i < ended->retries && delay < MAX_DELAY_MS; i++)
            delay *= 2;
        if (delay > MAX_DELAY_MS)
            delay = MAX_DELAY_MS;
    }
    if (ended->retry_after_ms > 0) {
        delay = ended->retry_after_ms;
        if (limit && (uint64_t)delay > limit - ended->elapsed_ms)
            return false;
    }
    *out_delay_ms = delay;
    return true;
}

int64_t wf_fetch_retry_after_ms(const char *value, int64_t now)
{
    struct tm date = {.tm_sec = 0};
    uint64_t seconds;
    const char *end;
    int64_t then;

    if (wf_tool_parse_count(value, 0, INT32_MAX, &seconds))
        return (int64_t)seconds * 1000;
    end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (!end || *end != '\0')
        return -1;
    then = (int64_t)timegm(&date);
    if (then <= now)
        return 0;
    return then - now > INT32_MAX ? INT64_C(1000) * INT32_MAX : (then - now) * 1000;
}
