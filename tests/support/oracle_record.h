/* What an oracle server did with each request that came, and what can be known of it at the other
 * end. Every time that a request comes is one try, and a try is judged for itself: the order in
 * which a server reads its connections proves nothing. Thread: the server's, while that runs. */
#ifndef TESTS_SUPPORT_ORACLE_RECORD_H
#define TESTS_SUPPORT_ORACLE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#define ORACLE_REQUESTS 16u
#define ORACLE_NOTES    3u

/* What the octets that the server wrote say of a try. */
enum oracle_said {
    ORACLE_SAID_NOTHING, /* nothing that would tell whether it was processed */
    ORACLE_SAID_NOT,     /* that it was not */
    ORACLE_SAID_BEGUN    /* a response, or the beginning of one */
};

struct oracle_try {
    struct oracle_try *next;
    unsigned number;  /* of the request */
    unsigned attempt; /* how often it had come before */
    unsigned conn;
    uint32_t stream;
    enum oracle_said said;
    bool was_processed;
    bool is_late;     /* read when the server had said its last on the connection */
    bool is_again;    /* came, and not late, when a response to it had begun */
    bool is_unclear;  /* what was said may not have arrived */
    bool is_wrong;    /* what was said breaks the rules */
    bool is_farewell; /* what was said was no answer to it, but came when one was due */
    const char *notes[ORACLE_NOTES];
};

/* Of one request, all its tries together. */
struct oracle_log {
    unsigned received;
    unsigned processed;
    unsigned refused;  /* tries of which it was said that they were not processed */
    unsigned begun;    /* tries of which a response began */
    unsigned doubtful; /* tries of which nothing was said */
    unsigned unclear;  /* of all of these */
    unsigned wrong;
    unsigned farewells;
    bool came_again; /* after a response to it had begun that the client must have read */
    char trail[240]; /* for people: connection, stream and what happened, one after another */
};

struct oracle_record {
    struct oracle_try *tries; /* the last first */
};

struct oracle_try *oracle_record_try(struct oracle_record *record, unsigned number, unsigned conn,
                                     uint32_t stream, bool is_late);
/* For people; @what is kept as it is. */
void oracle_try_note(struct oracle_try *attempt, const char *what);
/* What was said on @conn may not have arrived. */
void oracle_record_lost(struct oracle_record *record, unsigned conn);
/* Frees it. @out_logs has room for ORACLE_REQUESTS. */
void oracle_record_fini(struct oracle_record *record, struct oracle_log *out_logs);

#endif
