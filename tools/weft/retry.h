/* Whether and when a transfer that failed is made again: --retry and what goes with it, as curl has
 * them. It stands above the library's own tries, which send again what no server has processed.
 * Thread: any. */
#ifndef WF_FETCH_RETRY_H
#define WF_FETCH_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    OPT_RETRY = 700,
    OPT_RETRY_DELAY,
    OPT_RETRY_MAX_TIME,
    OPT_RETRY_CONNREFUSED,
    OPT_RETRY_ALL_ERRORS,
    OPT_RETRY_END
};

/* Rows of the table of options. */
#define WF_FETCH_OPTIONS_RETRY                                                                     \
    {OPT_RETRY, "retry", "N",                                                                      \
     "fetch again up to N times after a time-out, a host\n"                                        \
     "not found, or status 408, 429, 500, 502, 503, 504;\n"                                        \
     "not once a part of a body is on stdout"},                                                    \
        {OPT_RETRY_DELAY, "retry-delay", "SECONDS",                                                \
         "before each; 0, the default: 1, 2, 4, ... up to\n"                                       \
         "ten minutes, or what Retry-After says"},                                                 \
        {OPT_RETRY_MAX_TIME, "retry-max-time", "SECONDS",                                          \
         "no retry later than this after the start"},                                              \
        {OPT_RETRY_CONNREFUSED, "retry-connrefused", NULL, "also after a refused connection"},     \
    {                                                                                              \
        OPT_RETRY_ALL_ERRORS, "retry-all-errors", NULL,                                            \
            "also after any error that another try may not have"                                   \
    }

struct wf_fetch_retry {
    uint64_t count;      /* 0: none */
    int64_t delay_ms;    /* 0: doubling */
    int64_t max_time_ms; /* 0: no limit */
    bool connrefused;
    bool all_errors;
};

/* A try that ended. */
struct wf_fetch_try {
    uint64_t retries;       /* made before */
    uint64_t elapsed_ms;    /* since the first try began */
    int exit_code;          /* 0: a response with this status */
    int status;             /* 0: none */
    int64_t retry_after_ms; /* of the response; -1: not said */
};

/* Whether @id is one of these options. */
bool wf_fetch_retry_has(int id);
/* False: *out_error says what is expected in place of @value. */
bool wf_fetch_retry_set(struct wf_fetch_retry *retry, int id, const char *value,
                        const char **out_error);

/* True: try again after *out_delay_ms. */
bool wf_fetch_retry_wanted(const struct wf_fetch_retry *retry, const struct wf_fetch_try *ended,
                           int64_t *out_delay_ms);

/* The value of a Retry-After field, seconds or a date (RFC 9110 section 10.2.3), as a time from
 * @now, which is in seconds since 1970; -1: neither. */
int64_t wf_fetch_retry_after_ms(const char *value, int64_t now);

#endif
