/* System calls of sockets that do less than they could, or fail, for programs that were given
 * weft_faulty_socket() in CMake. What is held back "comes later": the descriptor is armed again in
 * its epoll set, so that edge-triggered callers hear of it as they would from a kernel.
 * Set up between runs; threads that called faulty_socket_spare() see the kernel alone. */
#ifndef WF_TESTS_FAULTY_SOCKET_H
#define WF_TESTS_FAULTY_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

enum faulty_call {
    FAULTY_RECV,
    FAULTY_SEND,
    FAULTY_SOCKET,
    FAULTY_CONNECT,
    FAULTY_EPOLL_ADD,
    FAULTY_CALLS
};

struct faults {
    size_t max_len[2];   /* octets that one recv, one send takes; 0: all */
    size_t first_len[2]; /* octets that the first recv, the first send of all takes; 0: all */
    bool again[2];       /* every other call says EAGAIN */
    bool interrupted[2]; /* every other call says EINTR */
    /* The call with this number, from 1, and all after it fail with `error`; 0: none. */
    long fails_at[FAULTY_CALLS];
    int error[FAULTY_CALLS];
};

/* Forgets what was counted. NULL: no faults. */
void faulty_socket_set(const struct faults *faults);
/* Calls since then. */
long faulty_socket_calls(enum faulty_call call);
void faulty_socket_spare(void);

#endif
