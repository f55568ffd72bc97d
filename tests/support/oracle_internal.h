/* What the parts of oracle_server.h share: oracle_server.c has sockets and a thread, oracle_h2.c
 * and oracle_h1.c decide what is done with a request. Thread: the server's. */
#ifndef TESTS_SUPPORT_ORACLE_INTERNAL_H
#define TESTS_SUPPORT_ORACLE_INTERNAL_H

#include "support/oracle_server.h"

#include "base/buf.h"

/* A connection, as far as it is the same in both protocols. */
struct oracle_conn {
    int fd;
    unsigned round;     /* how many there were before it */
    void *state;        /* the protocol's */
    bool ends;          /* with all that is still to be written */
    bool ends_at_touch; /* as soon as the client says anything more */
    bool is_torn;       /* some of what is still to be written is left out */
    bool is_aborted;    /* it ends by a reset */
    bool is_silent;     /* we have said our last, and read what comes */
};

struct oracle_server {
    struct oracle_plan plan;
    const struct oracle_protocol *protocol;
    struct oracle_record record;
    unsigned acts[ORACLE_ACTS_MAX];
    bool has_unread; /* requests may have been sent that were never read */
};

struct oracle_protocol {
    unsigned act_count;
    const char *const *act_names;
    void (*open)(struct oracle_server *server, struct oracle_conn *conn);
    void (*read)(struct oracle_server *server, struct oracle_conn *conn, struct wf_slice octets);
    /* Appends all that is to be written now. */
    void (*gather)(struct oracle_server *server, struct oracle_conn *conn, struct wf_buf *out);
    void (*close)(struct oracle_server *server, struct oracle_conn *conn);
};

extern const struct oracle_protocol oracle_protocol_h2;
extern const struct oracle_protocol oracle_protocol_h1;

/* Aborts, and says what could not be done. */
void oracle_must(bool ok, const char *what);
/* What the plan says about one thing: from 0 to @end - 1. */
unsigned oracle_decide(const struct oracle_server *server, const char *what, unsigned a, unsigned b,
                       unsigned end);
/* The same about a try. */
unsigned oracle_decide_for(const struct oracle_server *server, const char *what,
                           const struct oracle_try *attempt, unsigned end);
/* Counts and notes it. */
unsigned oracle_choose_act(struct oracle_server *server, struct oracle_try *attempt);
/* It has its effect. */
void oracle_process_perhaps(const struct oracle_server *server, struct oracle_try *attempt);
/* The number of the request for @path. */
unsigned oracle_number_of(struct wf_slice path);

#endif
