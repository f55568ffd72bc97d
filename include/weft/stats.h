/* Counters of a client, summed over its I/O threads when asked. */
#ifndef WEFT_STATS_H
#define WEFT_STATS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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
};

#ifdef __cplusplus
}
#endif
#endif
