/* Plays what a server sends against an HTTP/1.1 session, in pieces of any size, and writes down the
 * events, so that two runs can be compared. */
#ifndef WF_TESTS_H1_PLAYER_H
#define WF_TESTS_H1_PLAYER_H

#include "base/buf.h"
#include "h1/session.h"
#include "support/choice.h"

struct h1_player {
    struct wf_h1_session *session;
    const char *methods; /* of the requests to come, as letters: G(ET), H(EAD), P(OST, no end) */
    struct wf_buf log;   /* a line for each event; neighbouring DATA are one */
    struct wf_buf data;  /* DATA not yet logged */
    size_t completed;
    struct wf_h1_err error;
    bool failed;
    bool has_begun; /* when it failed */
};

/* The first request is made and written. False: no memory. */
bool h1_player_init(struct h1_player *player, const struct wf_h1_config *config,
                    const char *methods);
void h1_player_fini(struct h1_player *player);

/* @piece octets at a time; 0: all at once. */
void h1_player_feed(struct h1_player *player, struct wf_slice in, size_t piece);
void h1_player_feed_random(struct h1_player *player, struct wf_slice in, struct choice *choice);
/* The connection ends: orderly, or not. */
void h1_player_end(struct h1_player *player, bool orderly);

/* The log as text; valid until the next call. */
const char *h1_player_text(struct h1_player *player);

/* One request, given @method ("GET", ...), without a body unless @body_len is not negative. */
enum wf_h1_submit h1_request(struct wf_h1_session *session, const char *method, int64_t body_len);

#endif
