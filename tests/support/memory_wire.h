/* A transport without a socket: what the client sends gathers in one buffer, and what it receives
 * is taken from another. Ends the process where memory runs out. */
#ifndef TESTS_SUPPORT_MEMORY_WIRE_H
#define TESTS_SUPPORT_MEMORY_WIRE_H

#include "base/buf.h"
#include "io_thread/transport.h"

#include <stdbool.h>

struct memory_wire {
    struct wf_transport base;
    struct wf_buf sent;     /* by the client, without its first @skip octets */
    struct wf_buf received; /* by the client, at its next turn */
    size_t skip;            /* of what is sent next, thrown away */
    bool ended;             /* by the peer, after @received */
};

/* @skip: the preface's octets, to start with the first frame. Freed by its connection. */
struct memory_wire *memory_wire_new(size_t skip);

#endif
