/* Whether the peer of an HTTP/2 connection is still there: asked by one PING when a stream waits
 * and nothing comes. Thread: I/O.
 *
 * Each silence costs one PING, and while nothing but answers to PING comes, the next silence must
 * be twice as long. After the third the next waits for minutes: servers count PINGs that come
 * oftener than once in five minutes between HEADERS and DATA of theirs, and end the connection at
 * the fourth. */
#ifndef WF_IO_THREAD_CONN_PING_H
#define WF_IO_THREAD_CONN_PING_H

#include <stdbool.h>
#include <stdint.h>

struct wf_conn;

struct wf_conn_ping {
    uint64_t quiet_at; /* ms: nothing was read since, while a stream waits; UINT64_MAX: none does */
    uint64_t asked_at; /* ms: a PING is out since; UINT64_MAX: none is */
    unsigned asked;    /* PINGs since the last HEADERS or DATA */
    uint64_t acked;    /* octets that the peer's host had acknowledged at the last look */
    uint64_t until;    /* octets it will have acknowledged when it has the PING; 0: not known yet */
};

void wf_conn_ping_init(struct wf_conn_ping *ping);
/* Octets came. */
static inline void wf_conn_ping_heard(struct wf_conn_ping *ping, uint64_t now_ms)
{
    ping->quiet_at = now_ms;
    ping->asked_at = UINT64_MAX;
}
/* HEADERS or DATA came. */
static inline void wf_conn_ping_served(struct wf_conn_ping *ping)
{
    ping->asked = 0;
}
/* When wf_conn_ping_check() wants to be called; UINT64_MAX: never. */
uint64_t wf_conn_ping_deadline(struct wf_conn *conn);
/* Asks, or ends the connection that did not answer. True: it was ended. */
bool wf_conn_ping_check(struct wf_conn *conn);

#endif
