/* Sessions to resume: what an I/O thread's TLS connections left behind for later ones to the same
 * server. Bounded; the one that was used longest ago goes first. Thread: I/O, the owner's.
 *
 * A resumed handshake shows no certificate. What the full one verified is kept beside the session,
 * and wf_tls compares it again each time: host, pins, and the validity of the whole chain. */
#ifndef WF_IO_THREAD_TLS_SESSIONS_H
#define WF_IO_THREAD_TLS_SESSIONS_H

#include "base/alloc.h"
#include "base/list.h"
#include "base/slice.h"

#include <stdint.h>

struct WOLFSSL_SESSION;

/* Of one server: more tickets than that are of no use, and would drive out those of others. */
#define WF_TLS_SESSIONS_PER_KEY 4u
/* RFC 8446 section 4.6.1 allows seven days; what is verified once a day is verified. */
#define WF_TLS_SESSION_LIFETIME_S 86400
#define WF_TLS_LEAF_MAX           16384u
#define WF_TLS_TICKETS_NOTED      64u

/* Who the server proved to be. */
struct wf_tls_identity {
    int64_t not_before; /* of the chain, in seconds since 1970: the latest */
    int64_t not_after;  /* the earliest */
    int64_t verified;   /* when the full handshake was */
    size_t leaf_len;
    uint8_t leaf[]; /* DER */
};

struct wf_tls_sessions {
    struct wf_node entries; /* newest first */
    size_t count;
    size_t max;
    uint64_t offered[WF_TLS_TICKETS_NOTED]; /* hashes of the tickets that were used last; a ring */
    unsigned next_offered;
};

void wf_tls_sessions_init(struct wf_tls_sessions *sessions, size_t max);
void wf_tls_sessions_fini(struct wf_tls_sessions *sessions);

/* NULL: out of memory, or a leaf of more than WF_TLS_LEAF_MAX octets. Freed by wf_free(). */
WF_MUST_USE struct wf_tls_identity *wf_tls_identity_new(struct wf_slice leaf);

/* Keeps a session, once however often it is given. Takes over @session and @identity in any case.
 */
void wf_tls_sessions_put(struct wf_tls_sessions *sessions, struct wf_slice key,
                         struct WOLFSSL_SESSION *session, struct wf_tls_identity *identity,
                         int64_t now);
/* The newest of @key, which is the caller's from then on: a ticket is used once (RFC 8446 appendix
 * C.4). NULL: none. */
WF_MUST_USE struct WOLFSSL_SESSION *wf_tls_sessions_take(struct wf_tls_sessions *sessions,
                                                         struct wf_slice key, int64_t now,
                                                         struct wf_tls_identity **out_identity);

/* Drops all of @key. */
void wf_tls_sessions_forget(struct wf_tls_sessions *sessions, struct wf_slice key);

/* A kept session may be of a connection that is still open and gets further tickets into it: so
 * that none is used twice, those that were offered are remembered, by a hash. */
void wf_tls_sessions_note_offered(struct wf_tls_sessions *sessions, uint64_t ticket);
bool wf_tls_sessions_was_offered(const struct wf_tls_sessions *sessions, uint64_t ticket);

#endif
