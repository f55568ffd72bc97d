/* A client session and a server session that talk in memory, each with a small application:
 * the server answers /bytes/N with N octets of a pattern and anything else with what it was sent,
 * the client records what became of each request. Asserts by CMocka. */
#ifndef WF_TESTS_H2_PAIR_H
#define WF_TESTS_H2_PAIR_H

#include "base/buf.h"
#include "h2/session.h"
#include "support/random.h"

/* How octets travel: all at once, in steps of so many octets, or in random steps. */
enum h2_pair_pace { H2_PAIR_WHOLE, H2_PAIR_STEPS, H2_PAIR_RANDOM };

struct h2_call {
    struct wf_h2_stream *stream;
    struct wf_slice upload; /* what is still to be given to the session */
    struct wf_buf body;     /* what came */
    uint16_t status;
    unsigned informational;
    unsigned trailers;
    bool ended;
    enum wf_h2_end end;
    enum wf_h2_effect effect;
    uint32_t code;
};

struct h2_pair {
    struct wf_h2_session *client;
    struct wf_h2_session *server;
    struct wf_buf to_server; /* on the wire */
    struct wf_buf to_client;
    enum h2_pair_pace pace;
    size_t step;
    struct test_random random;
    size_t upload_piece; /* octets of one wf_h2_session_send_body() */
    bool server_sends_trailers;
    unsigned server_open;
};

void h2_pair_init(struct h2_pair *pair, const struct wf_h2_config *client,
                  const struct wf_h2_config *server);
void h2_pair_fini(struct h2_pair *pair);

/* Submits a GET of @path, or a POST of @upload when it has a pointer. */
void h2_pair_call(struct h2_pair *pair, struct h2_call *call, const char *path,
                  struct wf_slice upload);
void h2_call_fini(struct h2_call *call);

/* Moves octets and handles events until neither side has anything to do. */
void h2_pair_run(struct h2_pair *pair);

/* The octet at @at of what the server sends, and a run of them. */
uint8_t h2_pattern_octet(size_t at);
struct wf_slice h2_pattern(size_t len);

#endif
