/* How a client is set up. A plain value: initialise it with WEFT_CONFIG_INIT, change what differs,
 * pass it to weft_client_new(), which copies it (strings and memory too). A zero means zero. */
#ifndef WEFT_CONFIG_H
#define WEFT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One frame of HTTP/2, one line of a head of HTTP/1.1, or one thing that happened to a connection.
 * Valid during the call only. */
struct weft_trace_event {
    uint64_t connection; /* number of the connection in this client, from 1 */
    uint64_t time_ns;    /* CLOCK_MONOTONIC */
    bool is_frame;    /* or a line; false: text is a note such as "connected to 127.0.0.1:8443" */
    bool sent;        /* frames and lines: by us */
    const char *text; /* one line, printable ASCII, no newline */
    uint64_t dropped; /* events that found no room since the last one delivered */
};

/* Called on a worker thread, never on an I/O thread; calls do not overlap. */
typedef void (*weft_trace_fn)(void *user, const struct weft_trace_event *event);

enum weft_log_level {
    WEFT_LOG_ERROR,   /* something does not work, or is dangerous */
    WEFT_LOG_WARNING, /* it works, but somebody should look: a limit was reached, a retry */
    WEFT_LOG_INFO,    /* connections opened, closed and failed */
    WEFT_LOG_DEBUG    /* what else may help to find out why */
};

/* Valid during the call only. */
struct weft_log_line {
    enum weft_log_level level;
    uint64_t time_ns; /* CLOCK_MONOTONIC */
    const char *text; /* printable ASCII, no newline, never a field's value; what it is about comes
                         first: "conn=3 https://a.example:443: ..." */
    uint64_t dropped; /* lines that found no room since the last one delivered */
};

/* Called on a worker thread, never on an I/O thread; calls do not overlap, and lines of one I/O
 * thread come in order. */
typedef void (*weft_log_fn)(void *user, const struct weft_log_line *line);

/* Which versions of HTTP a client speaks. */
enum weft_versions {
    WEFT_HTTP_AUTO, /* https: what ALPN agrees on, HTTP/2 if it can be had; a server that answers
                       HTTP_1_1_REQUIRED is spoken to by HTTP/1.1 from then on. http: HTTP/1.1, or
                       HTTP/2 with http2_prior_knowledge */
    WEFT_HTTP_1_1,  /* HTTP/1.1 only */
    WEFT_HTTP_2     /* HTTP/2 only; http: with prior knowledge */
};

enum weft_tls_version { WEFT_TLS_1_2 = 12, WEFT_TLS_1_3 = 13 };

struct weft_config {
    size_t size; /* sizeof(struct weft_config), so that it can grow */

    unsigned io_threads; /* threads that own connections; 1 to 64 */
    unsigned workers;    /* threads that run callbacks; 1 to 64; started when first needed */
    unsigned connections_per_origin; /* HTTP/2 connections that an origin is given when it is first
                                        used, per I/O thread; 1 to 1024 */

    int64_t deadline_ms; /* of requests that give none, from submission; WEFT_FOREVER: none */
    int64_t connect_timeout_ms; /* name, TCP and TLS together */
    uint32_t max_queued; /* requests that may wait for a connection or stream, per origin and I/O
                            thread */

    /* TLS. */
    const char *ca_file;       /* PEM; NULL: the system's store */
    bool insecure_skip_verify; /* accept any certificate; for tests only */
    /* Cleartext http:// URLs speak HTTP/2 with prior knowledge (RFC 9113 section 3.3) and not
     * HTTP/1.1. */
    bool http2_prior_knowledge;

    /* HTTP/2. Octets. */
    uint32_t stream_window; /* receive window of a stream: bounds what waits for a reader; 65,535 to
                               2^31-1 */
    uint32_t connection_window;    /* receive window of a connection; 65,535 to 2^31-1 */
    uint32_t max_header_list_size; /* of a response, as RFC 9113 section 6.5.2 counts */
    uint64_t max_body_size;        /* of a response body that is collected in memory */

    /* Observation. */
    weft_trace_fn trace; /* NULL: none */
    void *trace_user;

    /* Limits on what a server may do; see docs/CONFORMANCE.md for all of them. */
    uint32_t max_header_fields; /* field lines in one header section; 1 to 65,535 */
    uint32_t max_informational; /* 1xx responses to one request */
    uint32_t control_burst; /* frames of one kind (PING, SETTINGS, ...) that may come at once for
                               nothing: no content, no stream; 10 to 1,000,000 */
    int64_t write_stall_ms; /* a connection whose server reads nothing of what waits to be written
                               ends after this; WEFT_FOREVER: never */
    uint32_t min_body_rate; /* octets a second; a response whose body comes slower ends; 0: off */
    uint32_t min_body_rate_ms; /* over which that is measured; 10 to 3,600,000 */
    /* A connection without requests closes after this; WEFT_FOREVER: never. */
    int64_t idle_timeout_ms;
    /* Octets of bodies that are collected or wait for their readers, of all requests together; each
     * I/O thread has its share. The request that goes beyond ends. */
    uint64_t max_buffered;

    weft_log_fn log; /* NULL: none */
    void *log_user;
    enum weft_log_level log_level; /* the most talkative level that is delivered */

    /* Time limits of stages, besides connect_timeout_ms; all within the request's deadline.
     * WEFT_FOREVER: none. */
    int64_t tls_timeout_ms; /* of a TLS handshake */
    /* A peer that stopped. When a request waits and nothing is read for ping_after_ms, an HTTP/2
     * connection asks with a PING; when nothing comes for ping_timeout_ms after that, it has ended.
     * HTTP/1.1 has no PING: the kernel probes the server's host instead, and the connection has
     * ended when that has acknowledged nothing for both times together (at least 5 s). A process
     * that has stopped on a host that goes on cannot be told from one that takes long: only
     * first_byte_timeout_ms, no_progress_timeout_ms, try_timeout_ms and the deadline are for that.
     * WEFT_FOREVER for the first: neither. */
    int64_t ping_after_ms;   /* 10 to 3,600,000 */
    int64_t ping_timeout_ms; /* 10 to 3,600,000 */
    /* What was sent and is not acknowledged by the server's host for this long ends the connection
     * (TCP_USER_TIMEOUT), probes of idle connections included; WEFT_FOREVER: as long as the kernel
     * likes. */
    int64_t tcp_user_timeout_ms;

    /* The protocol and the pool of connections, for each origin and I/O thread. */
    enum weft_versions versions;
    /* Connections that may be open at once: those above connections_per_origin are opened while
     * requests wait that the others have no stream for (with HTTP/1.1: are busy). 1 to 1024; below
     * connections_per_origin it counts as that. */
    unsigned max_connections_per_origin;
    /* A connection that is older, give or take 10 percent, is replaced: a new one is opened first.
     * At least 10; WEFT_FOREVER: never. */
    int64_t max_age_ms;

    /* Names and addresses. Lists end with NULL. The URL's own host and port remain what the server
     * is told and what its certificate is checked against. */
    const char *const *resolve;    /* "host:port:address[,address]...", as curl's --resolve: no name
                                      server is asked; "*" for any host; IPv6 may be in brackets */
    const char *const *connect_to; /* "host:port:host2:port2", as curl's --connect-to: where to
                                      connect to instead; each may be empty: any, or unchanged */
    const char *dns_servers; /* "127.0.0.1:5353,[::1]"; NULL: the system's. The hosts file is asked
                                first all the same */
    /* All connections go to this Unix socket; "@name": an abstract one. NULL: none. */
    const char *unix_socket;

    /* Whom we believe: what is given here, ca_file included, is added up and takes the place of the
     * system's store. Files are read by weft_client_new(), the system's store at the first https
     * connection. All memory here is the caller's again when weft_client_new() returns. */
    const char *ca_path; /* a directory of PEM files */
    const void *ca_pem;  /* PEM */
    size_t ca_pem_len;
    /* Public keys: "sha256//" and the base64 of the SHA-256 of a SubjectPublicKeyInfo; the array
     * ends with NULL and has 64 at most. A server whose certificate has none of them is refused
     * (WEFT_ERR_PIN), however good the certificate is, and also with insecure_skip_verify. NULL: no
     * pins. */
    const char *const *pins;
    /* In place of the URL's host, for all https connections: the name that SNI asks for and that
     * the certificate must be for, or an address that it must be for. The :authority of requests
     * stays the URL's. NULL: the URL's host. */
    const char *server_name;

    /* Who we are: a certificate with its chain, PEM, from a file or memory, and its key; NULL for
     * both keys: it is with the certificate. Keys with a password are not taken. */
    const char *cert_file;
    const char *key_file;
    const void *cert_pem;
    size_t cert_pem_len;
    const void *key_pem;
    size_t key_pem_len;

    enum weft_tls_version tls_min_version;
    enum weft_tls_version tls_max_version;
    /* Names of cipher suites with colons between them, OpenSSL's or IANA's; the first is preferred.
     * Suites that HTTP/2 prohibits (RFC 9113 section 9.2.2) are refused. NULL: all others, the
     * fastest here first. */
    const char *ciphers;   /* of TLS 1.2 */
    const char *ciphers13; /* of TLS 1.3 */
    /* Sessions that each I/O thread keeps for later connections to the same server; 0: none is
     * resumed; at most 1024. What a full handshake verified is verified again. Sessions of TLS 1.2
     * are kept with a tls_max_version of 1.2 only. */
    unsigned tls_sessions;
    /* Appends the secrets of TLS connections to this file, for looking into captured traffic. NULL:
     * what the environment's SSLKEYLOGFILE says when weft_client_new() is called, if it is set; ""
     * not even that. */
    const char *keylog_file;

    /* From the request being sent to its response beginning. None by default, for answers may take
     * long; over HTTP/1.1 nothing else notices a server that has stopped before the deadline. */
    int64_t first_byte_timeout_ms;
    /* Nothing of a request was sent and nothing came for it; what waits for the program's own
     * reading is not meant. */
    int64_t no_progress_timeout_ms;
    int64_t try_timeout_ms; /* of each try, until its response begins */

    /* Tries. A request that failed before any part of a response was handed out is tried again:
     * when it was not sent or not processed, always; when it may have been processed, if its method
     * is idempotent (RFC 9110 section 9.2.2) or WEFT_RETRY_MAYBE was given. */
    uint32_t max_tries;        /* 1 to 100; 1: none is made again */
    uint32_t retry_backoff_ms; /* about what the second try waits; twice that the next, and so on to
                                  1 s; 1 to 1000 */
    /* Tries that follow a refusal, or of which the one before may have been processed, have a
     * budget: this percentage of the requests of the last 10 s, and so many a second besides. */
    uint32_t retry_budget_percent; /* 0 to 100 */
    uint32_t retry_budget_min;     /* a second, of the whole client; 0 to 1,000,000 */
    /* While no connection can be had, requests wait for a server that has answered before, for it
     * may be starting again; up to their deadlines, and no longer than this since the first
     * failure. A server that has never answered is tried max_tries times. */
    int64_t connect_retry_ms;

    /* Streaming. */
    uint32_t upload_buffer;    /* octets of one request's body that wait to be sent; 1024 to 2^30 */
    int64_t expect_timeout_ms; /* how long a body that expects "100 Continue" waits for it; 0: not
                                  at all; WEFT_FOREVER: until there is a response. A server that
                                  answers 417 gets the request again without "expect", if tries are
                                  not limited to one and the body can be had again */
    /* HTTP/2, octets, up to 2^31-1. Windows double where they limit the server: where half of one
     * and more comes in a round trip, which no PING measures. 0, or not above the window itself: it
     * never grows. */
    uint32_t max_stream_window;     /* stream_window grows up to this while the reader keeps up; for
                                       all streams by no more than half of max_buffered */
    uint32_t max_connection_window; /* connection_window grows up to this, and what the windows of a
                                       connection's streams grow by is no more, together */
};

/* Defaults: one I/O thread and connection, up to 8 where streams run out; 30 s for a request, 10 s
 * to connect; windows of 1 MiB and 16 MiB, which grow to 16 and 32; a response's fields up to
 * 64 KiB and a collected body up to 64 MiB, 1 GiB of bodies in all; a server that does not read is
 * given 30 s. */
#define WEFT_CONFIG_INIT                                                                           \
    {                                                                                              \
        sizeof(struct weft_config), 1, 1, 1, 30000, 10000, 100000, NULL, false, false, 1u << 20,   \
            1u << 24, 1u << 16, 1u << 26, NULL, NULL, 256, 64, 1000, 30000, 0, 10000, 90000,       \
            1u << 30, NULL, NULL, WEFT_LOG_INFO, 8000, 2500, 5000, 10000, WEFT_HTTP_AUTO, 8,       \
            WEFT_FOREVER, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0,  \
            NULL, 0, WEFT_TLS_1_2, WEFT_TLS_1_3, NULL, NULL, 64, NULL, -1, -1, -1, 3, 25, 20, 10,  \
            30000, 262144, 1000, 1u << 24, 1u << 25                                                \
    }

#ifdef __cplusplus
}
#endif
#endif
