/* Receive windows that grow where they are what limits the sender: a window must hold what comes in
 * a round trip, and as much again, since credit goes back by halves and a sender that is held back
 * shows no more than it may send. From credit to credit it is seen how many octets came for a round
 * trip; three eighths of the window or more, and it doubles.
 *
 * No PING measures the round trip, for some servers count them. It is first that of our SETTINGS,
 * which may be long because the server was slow to acknowledge them. From then on it is the
 * shortest time after which octets came that only the credit before had allowed.
 *
 * Nothing grows while octets wait for a reader of ours. Thread: owner of the session. */
#ifndef WF_H2_GROWTH_H
#define WF_H2_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

/* What the streams' windows of several sessions have grown by, and may, octets. */
struct wf_h2_growth_pool {
    uint64_t grown;
    uint64_t max;
};

struct wf_h2_growth {
    struct wf_h2_growth_pool *pool; /* outlives the session; NULL: no bound but its own */
    uint32_t left;                  /* octets by which the windows of its streams may grow yet */
    uint32_t max_stream_window;     /* octets; up to the initial one: none grows */
    uint32_t max_connection_window; /* the same of the connection's own */
    uint32_t round_trip_ms;         /* at most; 0: not known, or too short to matter */
};

#define WF_H2_GROWTH_UNIT 32768u

/* Six octets, which is what a stream has room for. */
struct wf_h2_window_growth {
    uint16_t units;        /* by which the window is larger than the initial one */
    uint16_t credit_ms[2]; /* when credit went last; 0: never, or the reader was slow */
};

/* Credit that goes back now. */
struct wf_h2_credit {
    uint32_t window;    /* octets that the peer may send when nothing waits for a reader */
    uint32_t increment; /* at least half of them */
    int32_t open;       /* what the peer may send from now on */
};

static inline uint32_t wf_h2_growth_octets(const struct wf_h2_window_growth *grown)
{
    return grown->units * WF_H2_GROWTH_UNIT;
}

/* Returns by how many octets the window grows with this credit; 0: not at all. */
uint32_t wf_h2_growth_of_stream(struct wf_h2_growth *growth, struct wf_h2_window_growth *grown,
                                const struct wf_h2_credit *credit, uint64_t now_ms);
uint32_t wf_h2_growth_of_connection(struct wf_h2_growth *growth, struct wf_h2_window_growth *grown,
                                    const struct wf_h2_credit *credit, uint64_t now_ms);
void wf_h2_growth_give_back(struct wf_h2_growth *growth, struct wf_h2_window_growth *grown);

/* The stream has ended: others may have what it had. */
static inline void wf_h2_growth_end(struct wf_h2_growth *growth, struct wf_h2_window_growth *grown)
{
    if (grown->units > 0)
        wf_h2_growth_give_back(growth, grown);
}

#endif
