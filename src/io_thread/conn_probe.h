/* Whether the host of a peer is still there, where the protocol has no PING: while a request waits
 * and nothing comes, the kernel's probes ask it. Thread: I/O.
 *
 * This tells a host that is gone, or a line that is cut, from one that is there. It does not tell a
 * process that has stopped from one that takes long: its kernel acknowledges for it. */
#ifndef WF_IO_THREAD_CONN_PROBE_H
#define WF_IO_THREAD_CONN_PROBE_H

#include <stdbool.h>
#include <stdint.h>

struct wf_conn;

struct wf_conn_probe {
    uint64_t silence; /* ms: when the silence began that is looked into; UINT64_MAX: none is */
    uint64_t look_at; /* ms: next look into that silence */
    bool is_eager;    /* the kernel probes more often than an idle connection's */
};

void wf_conn_probe_init(struct wf_conn_probe *probe);
/* When wf_conn_probe_check() wants to be called, while a request waits; UINT64_MAX: never. */
uint64_t wf_conn_probe_deadline(const struct wf_conn *conn);
/* Begins to ask, or ends the connection whose host has not answered. True: it was ended. */
bool wf_conn_probe_check(struct wf_conn *conn);
/* Nothing waits any more on a connection whose probe is eager. */
void wf_conn_probe_rest(struct wf_conn *conn);

#endif
