/* A random walk: a client session with an application, and a server that does what it likes, in
 * memory; and the oracle, which knows from the server's facts what each request must have become.
 * Checks by CHECK(). Thread: one. */
#ifndef WF_TESTS_H2_WALK_H
#define WF_TESTS_H2_WALK_H

#include "support/h2_caller.h"
#include "support/h2_wild.h"

struct walk {
    struct h2_caller caller;
    struct wild_server server;
    uint64_t delivered; /* octets of server.out that the client has had */
};

struct walk_plan {
    unsigned steps;          /* at most */
    unsigned illegal_one_in; /* of the server's steps one is illegal; 0: none */
    size_t max_upload;       /* octets of a request's body; 0: as many as the caller likes */
    void (*enter)(
        bool inside); /* around calls of the session, in which memory may run out, or NULL */
};

/* What the server's facts say of a request, and whether it became that. */
struct walk_outcome {
    unsigned informational;
    uint16_t status;
    uint64_t body_len;
    bool trailers;
    bool peer_ended;
    bool ended;
    bool by_connection;
    enum wf_h2_end end;
    uint32_t code;
};

/* The facts of stream @id among the first @delivered octets. */
struct walk_outcome walk_expect(const struct wild_server *server, uint32_t id, uint64_t delivered);

void walk_run(struct choice *choice, const struct walk_plan *plan);

#endif
