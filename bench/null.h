/* The parts of null_server: the cheapest HTTP/2 server that lets itself be measured against. One
 * thread, loopback only. It walks frame headers, never decodes a field block, answers every request
 * with canned frames and counts. It trusts its peer: it is for benchmarks and for nothing else. */
#ifndef WEFT_BENCH_NULL_H
#define WEFT_BENCH_NULL_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NULL_IN_CAP  262144u
#define NULL_OUT_CAP 524288u
#define NULL_STREAMS 4096u /* with an unfinished body, per connection; a power of two */

/* What bench/run reads from the file of counts. */
struct null_counts {
    uint64_t responses;
    uint64_t upload_octets;
    uint64_t connections;
};

struct null_listener {
    int fd;
    uint64_t body_len;
    bool tls;
    bool hangs;        /* never answers */
    bool changes_date; /* each response has another `date`, which enters the dynamic table */
};

struct null_server {
    int epoll_fd;
    SSL_CTX *tls; /* NULL: no certificate was given */
    struct null_counts *counts;
    uint8_t in[NULL_IN_CAP]; /* what was read last; connections keep what is left over */
};

/* A response whose body is not sent yet. */
struct null_stream {
    uint32_t id; /* 0: free */
    int64_t window;
    uint64_t body_left;
};

struct null_conn {
    const struct null_listener *listener;
    struct null_counts *counts;
    int fd;
    SSL *ssl;
    bool dead;
    bool had_preface;
    bool has_fields;      /* the fields are in the client's table */
    bool ends_with_block; /* of the HEADERS frame whose CONTINUATION is awaited */
    uint32_t date;        /* seconds that `date` is ahead */
    uint32_t dates;       /* of them in the client's table, above the other fields */
    int64_t window;
    int64_t initial_window;
    uint32_t max_frame_size;
    uint32_t unreturned; /* octets of uploads that no WINDOW_UPDATE gave back */
    uint32_t active;     /* streams with a body left */
    uint32_t next;       /* the stream that sends the next frame */
    struct null_stream streams[NULL_STREAMS];
    size_t kept_len; /* the beginning of a frame */
    uint8_t kept[32768];
    size_t out_start;
    size_t out_len;
    uint8_t out[NULL_OUT_CAP];
};

/* null_frames.c. Queues the server's SETTINGS. */
void null_conn_begin(struct null_conn *conn);
/* Takes whole frames from @in; returns how many octets were taken. */
size_t null_conn_take(struct null_conn *conn, const uint8_t *in, size_t len);
/* Queues DATA while there is room, window and something to send. */
void null_conn_fill(struct null_conn *conn);

#endif
