/* Counters of a client, summed over its I/O threads when asked. */
#ifndef WEFT_STATS_H
#define WEFT_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "weft/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Limits of the configuration that end requests or connections; see docs/CONFORMANCE.md. */
enum weft_limit {
    WEFT_LIMIT_BODY,     /* max_body_size */
    WEFT_LIMIT_BUFFERED, /* max_buffered */
    WEFT_LIMIT_FIELDS,   /* max_header_list_size and what else bounds a header section */
    WEFT_LIMIT_FRAMES,   /* control_burst and what else bounds the frames of a connection, or chunk
                            extensions */
    WEFT_LIMIT_STALL,    /* write_stall_ms */
    WEFT_LIMIT_RATE,     /* min_body_rate */
    WEFT_LIMIT_SILENCE,  /* ping_timeout_ms */
    WEFT_LIMIT_TLS,      /* records of TLS without content */
    WEFT_LIMIT_QUEUE,    /* max_queued; not a part of limits_reached */
    WEFT_LIMIT_STAGE,    /* try_timeout_ms, first_byte_timeout_ms, no_progress_timeout_ms */
    WEFT_LIMIT_COUNT     /* number of limits; grows */
};
/* "max_body_size", "frames" and so on. Static storage; never NULL. */
WEFT_API const char *weft_limit_name(enum weft_limit limit);

/* Room for codes and limits that later versions know. */
#define WEFT_STATS_CODES  64
#define WEFT_STATS_LIMITS 32

/* Set size to sizeof(struct weft_stats) before the call. Each number is exact for what its I/O
 * thread has published, which is once per turn of its loop. */
struct weft_stats {
    size_t size;
    uint64_t submitted;          /* requests that an I/O thread has taken */
    uint64_t succeeded;          /* completed with WEFT_OK */
    uint64_t failed;             /* completed with anything else */
    uint64_t connections_opened; /* ready to carry requests */
    uint64_t connections_failed; /* ended before they were ready */
    uint64_t connections_open;   /* now */
    uint64_t requests_queued;    /* now, waiting for a connection or a stream */
    uint64_t streams_open;       /* now */
    uint64_t octets_read;        /* from sockets */
    uint64_t octets_written;     /* to sockets */
    uint64_t wakeups;            /* of I/O threads by other threads */
    uint64_t turns;              /* of the I/O threads' loops */
    uint64_t trace_dropped;      /* trace events that found no room */
    uint64_t limits_reached; /* requests or connections that a limit of the configuration ended */
    uint64_t tls_handshakes; /* that succeeded */
    uint64_t tls_resumed;    /* of those: went on with the session of an earlier connection */
    uint64_t connections_opening;  /* now: name, TCP or TLS under way */
    uint64_t connections_draining; /* now: of connections_open, those that take no more requests */
    uint64_t buffered;             /* now: octets of bodies that are kept for their readers */
    uint64_t name_queries;         /* names asked of the hosts file or the name servers */
    uint64_t name_cache_hits;      /* names that were known already */
    uint64_t log_dropped;          /* log lines that found no room */
    uint64_t errors[WEFT_STATS_CODES];  /* requests that completed with each enum weft_code */
    uint64_t limits[WEFT_STATS_LIMITS]; /* times that each enum weft_limit was reached */
    uint64_t retries;                   /* tries that followed another of the same request */
    uint64_t retries_denied;    /* requests that ended because the retry budget was used up */
    uint64_t windows_grown;     /* now: octets by which receive windows of streams are larger than
                                   config.stream_window, all together */
    uint64_t connections_http1; /* now: of connections_open, those that speak HTTP/1.1 */
    uint64_t origins; /* now: that have connections or waiting requests, or are remembered; each I/O
                         thread counts its own */
    /* Now, of all HTTP/2 connections together: octets of bodies that servers take from us, and that
     * they may send us, before the window of their connection is used up. */
    uint64_t send_window;
    uint64_t receive_window;
};

#ifdef __cplusplus
}
#endif
#endif
