/* What the kernel does for us, and knows, about the other end of a TCP connection. On sockets of
 * other kinds nothing happens and nothing is known. Thread: I/O. */
#ifndef WF_IO_THREAD_TCP_PEER_H
#define WF_IO_THREAD_TCP_PEER_H

#include <stdbool.h>
#include <stdint.h>

struct wf_tcp_progress {
    uint64_t acked;  /* octets that the peer's host has acknowledged */
    uint64_t queued; /* octets that it has not */
};

/* Has the kernel give the connection up when the peer's host is silent: @user_timeout_ms for octets
 * that it does not acknowledge (negative: the kernel's own limit), and probes when there are none.
 */
void wf_tcp_set_timeouts(int fd, int64_t user_timeout_ms);
/* How often the host is probed while nothing is on its way to it: often when somebody @waits. */
void wf_tcp_set_probes(int fd, bool waits);
/* Milliseconds since the peer's host has last acknowledged or sent anything. False: not known. */
bool wf_tcp_silence(int fd, uint64_t *out_ms);
/* The host has not answered a probe, or not yet. */
bool wf_tcp_is_in_doubt(int fd);

/* False: not known. */
bool wf_tcp_progress(int fd, struct wf_tcp_progress *out_progress);

#endif
