/* A server that misbehaves by a plan and remembers what it did with each request: the one who
 * knows, when a client says what became of them. All that it decides follows from the plan's seed,
 * the request's number and how often the request came.
 *
 * It lies to nobody: what it refuses, or leaves out of a GOAWAY, it has not processed and never
 * will, and what it reads after its own end of a connection it does not process. Requests are "/N"
 * with N below ORACLE_REQUESTS; an answer's body is N. */
#ifndef TESTS_SUPPORT_ORACLE_SERVER_H
#define TESTS_SUPPORT_ORACLE_SERVER_H

#include "support/oracle_record.h"

#define ORACLE_ACTS_MAX 12u

struct oracle_plan {
    uint64_t seed;
    bool is_h1;           /* HTTP/1.1, or HTTP/2 with prior knowledge */
    uint32_t max_streams; /* HTTP/2 only */
    unsigned trouble;     /* of a hundred requests that come, how many are not simply answered */
    bool stalls;          /* to say nothing, ever, is among the troubles */
    unsigned listens;     /* connections after which it listens no more; 0: always */
};

/* What it can do with a request: so many, and their names. The first is a plain answer. */
unsigned oracle_act_count(bool is_h1);
const char *oracle_act_name(bool is_h1, unsigned act);

struct oracle_server;

/* Listens on 127.0.0.1 and starts its thread. Aborts when that cannot be done. */
struct oracle_server *oracle_server_new(const struct oracle_plan *plan);
uint16_t oracle_server_port(const struct oracle_server *server);
/* Once the client is closed: reads what it left, ends the thread, and tells. @out_logs has room for
 * ORACLE_REQUESTS; @out_acts is added to. Returns whether requests may have been sent that were
 * never read. */
bool oracle_server_free(struct oracle_server *server, struct oracle_log *out_logs,
                        unsigned out_acts[ORACLE_ACTS_MAX]);

#endif
