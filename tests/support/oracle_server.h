/* An HTTP/2 server that misbehaves by a plan and remembers what it did with each request: the one
 * who knows, when a client says what became of them. All that it decides follows from the plan's
 * seed, the request's number and how often the request came.
 *
 * It lies to nobody: what it refuses, or leaves out of a GOAWAY, it has not processed and never
 * will. Requests are "/N" with N below ORACLE_REQUESTS. */
#ifndef TESTS_SUPPORT_ORACLE_SERVER_H
#define TESTS_SUPPORT_ORACLE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#define ORACLE_REQUESTS 16u

enum oracle_act {
    ORACLE_ANSWER,
    ORACLE_REFUSE, /* REFUSED_STREAM */
    ORACLE_RESET,  /* any other code */
    ORACLE_HALF,   /* a response that begins, then any code or the end of the connection */
    ORACLE_HINT,   /* 103, then any code or the end of the connection */
    ORACLE_STALL,  /* nothing, ever */
    ORACLE_GOAWAY, /* with any last stream identifier, and then an end or none */
    ORACLE_CUT,    /* the end of the connection, with all that was written before it */
    ORACLE_TORN,   /* an answer, of which some octets are missing */
    ORACLE_ACTS
};

struct oracle_plan {
    uint64_t seed;
    uint32_t max_streams;
    unsigned trouble; /* of a hundred requests that come, how many are not simply answered */
    bool stalls;      /* ORACLE_STALL is among the troubles */
    unsigned listens; /* connections after which it listens no more; 0: always */
};

/* What became of one request, all the times that it came. */
struct oracle_log {
    unsigned received;   /* its HEADERS were read */
    unsigned processed;  /* it had its effect */
    unsigned not ;       /* it was refused, or above the last stream of a GOAWAY, and told so */
    unsigned begun;      /* a response began, and what the client reads first says so */
    unsigned ambiguous;  /* nothing that the client can have read proves either */
    bool came_again;     /* after it had been processed */
    bool came_once_more; /* after a response had begun */
    char trail[160];     /* for people: connection, stream and what happened, one after another */
};

struct oracle_server;

/* Listens on 127.0.0.1 and starts its thread. Aborts when that cannot be done. */
struct oracle_server *oracle_server_new(const struct oracle_plan *plan);
uint16_t oracle_server_port(const struct oracle_server *server);
/* Once the client is closed: reads what it left, ends the thread, and tells. @out_logs has room for
 * ORACLE_REQUESTS. Returns whether octets may have been lost on their way, in either direction. */
bool oracle_server_free(struct oracle_server *server, struct oracle_log *out_logs,
                        unsigned out_acts[ORACLE_ACTS]);

#endif
