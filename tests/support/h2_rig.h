/* A session in memory with a scripted peer at its other end. The session's events are kept as lines
 * of text, which a test expects one by one:
 *
 *   HEADERS 1 RESPONSE 200 END       DATA 1 10 END        BODY_SENT 1
 *   CLOSED 1 RESET_BY_PEER CANCEL MAYBE_PROCESSED         GOAWAY 1 NO_ERROR
 *   SETTINGS    SETTINGS_ACK    PING_ACK 12345678         CONNECTION_ERROR PROTOCOL_ERROR
 *
 * DATA of one stream that comes in pieces is one line as long as nothing else comes in between. */
#ifndef WF_TESTS_H2_RIG_H
#define WF_TESTS_H2_RIG_H

#include "h2/session.h"
#include "support/h2_peer.h"

#define RIG_MAX_EVENTS 512
#define RIG_EVENT_LEN  96

struct h2_rig {
    struct wf_h2_session *session;
    struct h2_peer peer;
    struct wf_buf to_session;
    uint64_t now_ms;
    bool keeps_credit; /* DATA is not consumed as it comes */
    bool blocked;      /* the transport takes nothing */
    char events[RIG_MAX_EVENTS][RIG_EVENT_LEN];
    size_t event_count;
    size_t event_next;
    char last_reason[128]; /* of the last CLOSED or CONNECTION_ERROR */
};

/* Octets that are fed and written in one go; SIZE_MAX: all. Tests run once with each. */
extern size_t rig_step;

void rig_init(struct h2_rig *rig, const struct wf_h2_config *config);
/* A client session, and SETTINGS exchanged both ways. */
void rig_init_client(struct h2_rig *rig);
void rig_init_client_with(struct h2_rig *rig, const struct wf_h2_config *config);
void rig_init_server(struct h2_rig *rig);
void rig_fini(struct h2_rig *rig);

/* Lets the session read what the peer has sent. */
void rig_run(struct h2_rig *rig);

/* A GET (or a POST that has not begun its body) of "/", which the peer has read. */
struct wf_h2_stream *rig_get(struct h2_rig *rig, uint32_t expected_id);
struct wf_h2_stream *rig_post(struct h2_rig *rig, uint32_t expected_id);
/* Not read by the peer yet. */
struct wf_h2_stream *rig_submit(struct h2_rig *rig, const char *method, bool end_stream);

#define rig_expect(rig, text)    rig_expect_at(rig, text, __FILE__, __LINE__)
#define rig_expect_no_event(rig) rig_expect_at(rig, NULL, __FILE__, __LINE__)
void rig_expect_at(struct h2_rig *rig, const char *text, const char *file, int line);

/* The connection ended by our error: its event, one for each of the streams, and GOAWAY. */
#define rig_expect_connection_error(rig, code)                                                     \
    rig_expect_connection_error_at(rig, code, __FILE__, __LINE__)
void rig_expect_connection_error_at(struct h2_rig *rig, uint32_t code, const char *file, int line);
/* The stream ended by our error: RST_STREAM, and its event. */
#define rig_expect_stream_error(rig, id, code)                                                     \
    rig_expect_stream_error_at(rig, id, code, __FILE__, __LINE__)
void rig_expect_stream_error_at(struct h2_rig *rig, uint32_t id, uint32_t code, const char *file,
                                int line);

#endif
