/* What the drivers of the peers' libraries share: bench_peer_NAME URL REQUESTS IN_FLIGHT
 * CONNECTIONS [UPLOAD-FILE]. They accept any certificate, drop what they receive, and end with a
 * line of counts and latencies and with the status 0 when every request had a status of 200. */
#ifndef WEFT_BENCH_PEER_H
#define WEFT_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_job {
    const char *url;
    bool tls;
    char host[64];
    char port[8];
    const char *path;
    size_t requests;
    size_t in_flight; /* on each connection */
    size_t connections;
    const char *upload; /* NULL: GET */
    size_t upload_len;

    size_t started;
    size_t succeeded;
    size_t failed;
    uint32_t *latencies_us;
};

/* Ends the program when the command line is not as above. */
void peer_job_parse(struct peer_job *job, int argc, char **argv);
uint64_t peer_now_us(void);
void peer_job_done(struct peer_job *job, bool succeeded, uint64_t began_us);
/* Prints the line; returns the exit status. */
int peer_job_report(struct peer_job *job);

#endif
