/* The inside of a session, for the files session*.c.
 *
 *   session.c                making one, the event loop, what the owner may ask
 *   session_end.c            how streams and the connection end
 *   session_recv.c           frames in, one at a time
 *   session_recv_data.c      DATA in
 *   session_recv_headers.c   field blocks in
 *   session_control.c        the other frames in
 *   session_send.c           frames out, field blocks out
 *   session_send_data.c      bodies out, and the output as the transport sees it */
#ifndef WF_H2_SESSION_INTERNAL_H
#define WF_H2_SESSION_INTERNAL_H

#include "base/assert.h"
#include "h2/fields.h"
#include "h2/flow.h"
#include "h2/frame_decode.h"
#include "h2/frame_encode.h"
#include "h2/guard.h"
#include "h2/hpack_decode.h"
#include "h2/hpack_encode.h"
#include "h2/output.h"
#include "h2/session.h"
#include "h2/settings.h"
#include "h2/stream_set.h"

#define WF_H2_REMEMBERED_RESETS 256u /* a power of two */
#define WF_H2_PINGS_IN_FLIGHT   4u

/* A received field block that is not whole yet (RFC 9113 section 4.3). */
struct wf_h2_open_block {
    struct wf_buf buf;
    uint32_t stream_id; /* 0: no block is open */
    uint32_t continuations;
    bool end_stream;
    /* Also of a block in one frame: why it ends its stream, although it must be decoded; or NULL.
     */
    const char *wrong;
    uint32_t wrong_code;
};

/* Streams that we reset: the peer's frames for them may have crossed our RST_STREAM (RFC 9113
 * section 5.1). An identifier that is pushed out raises `forgotten`, and at or below that every
 * closed stream is taken for one that we reset: lenient, never wrong against an honest peer. */
struct wf_h2_reset_memory {
    uint32_t ids[WF_H2_REMEMBERED_RESETS];
    uint32_t forgotten;
};

struct wf_h2_session {
    struct wf_h2_config config;
    bool is_server;

    /* Life of the connection. */
    bool dead;          /* tested before anything is parsed */
    bool events_due;    /* error_pending, or a stream may be in `ending` or `sent` */
    bool error_pending; /* `error` was not yet reported */
    bool ready;         /* the peer's first SETTINGS have come */
    bool goaway_sent;
    bool goaway_received;
    bool settings_unacked; /* ours; until then the more permissive of old and new values holds */
    struct wf_h2_err error;
    uint64_t settings_deadline;
    uint64_t now_ms; /* of the last wf_h2_session_next() */
    struct wf_h2_guard guard;
    uint32_t goaway_last_id; /* the peer's last GOAWAY */
    uint32_t refused_above;  /* server: last_stream_id of our GOAWAY */

    /* Streams. */
    struct wf_h2_stream_set streams;
    struct wf_node ending;         /* streams whose CLOSED event is due */
    struct wf_node sent;           /* streams whose BODY_SENT event is due */
    struct wf_node send_list;      /* streams with body octets and window: round robin */
    struct wf_h2_stream *reported; /* its CLOSED event was returned; freed at the next call */
    struct wf_h2_reset_memory resets;
    uint32_t next_id;         /* client: of the next stream */
    uint32_t highest_peer_id; /* server: of the last stream that the client opened */

    /* Input. */
    uint32_t preface_left;            /* server: octets of the client's preface still to come */
    uint32_t skip_left;               /* octets of a frame that nobody wants */
    struct wf_h2_stream *data_stream; /* a DATA frame is being passed on */
    uint32_t data_left;
    uint32_t pad_left;
    bool data_ends_stream;
    struct wf_h2_open_block block;
    struct wf_hpack_decoder *decoder;
    struct wf_field_section section; /* what HEADERS events point at */
    uint64_t head_serial;            /* of the section that `head` was read from; 0: none */
    struct wf_h2_message_head head;

    /* Windows and settings. */
    struct wf_h2_settings remote;
    int32_t send_window;
    uint64_t piece_end; /* position in the output: until it is written no new round begins */
    struct wf_h2_recv_window recv_window;
    struct wf_h2_growth growth;
    struct wf_h2_window_growth recv_growth; /* of recv_window */
    uint32_t stream_recv_window;            /* of a new stream */

    /* Output. */
    struct wf_hpack_encoder *encoder;
    struct wf_h2_output out;
    uint8_t pings[WF_H2_PINGS_IN_FLIGHT][8];
    uint32_t ping_first;
    uint32_t ping_count;
};

/* What became of the input. */
enum wf_h2_step {
    WF_H2_STEP_DONE,  /* something was taken; go on */
    WF_H2_STEP_EVENT, /* an event was made */
    WF_H2_STEP_WAIT   /* more octets are needed */
};

/* @stream is NULL for an event of the connection. */
static inline void wf_h2_event_init(struct wf_h2_event *event, enum wf_h2_event_type type,
                                    struct wf_h2_stream *stream)
{
    event->type = type;
    event->end_stream = false;
    event->stream = stream;
}

/* Streams that the peer lets us have open at once. */
static inline uint32_t wf_h2_max_streams(const struct wf_h2_session *s)
{
    return s->ready ? s->remote.max_concurrent_streams : s->config.assumed_streams;
}

/* session_end.c */

/* The one way out of a stream: it can no longer be found, and waits to be reported. O(1). */
void wf_h2_stream_end(struct wf_h2_session *s, struct wf_h2_stream *stream, enum wf_h2_end end,
                      uint32_t code, const char *reason);
/* Ends the stream as complete when both sides have and none of its octets wait to be written. */
void wf_h2_stream_end_if_closed(struct wf_h2_session *s, struct wf_h2_stream *stream);
/* Stream error (RFC 9113 section 5.4.2); @stream is NULL when there is none (any more). */
void wf_h2_stream_error(struct wf_h2_session *s, struct wf_h2_stream *stream, uint32_t id,
                        uint32_t code, const char *reason);
/* Connection error (RFC 9113 section 5.4.1). Nothing is parsed after it. */
void wf_h2_connection_error(struct wf_h2_session *s, uint32_t code, const char *reason);
/* One of the two. */
void wf_h2_raise(struct wf_h2_session *s, struct wf_h2_stream *stream, uint32_t id,
                 const struct wf_h2_err *err);
/* A stream error for a stream that may be gone: one on an idle stream becomes an error of the
 * connection, since RST_STREAM has no place there (section 5.1); on a closed one it is dropped. */
void wf_h2_raise_absent(struct wf_h2_session *s, uint32_t id, const struct wf_h2_err *err);
void wf_h2_no_memory(struct wf_h2_session *s);
/* A frame came that costs work and brings nothing. False: it was one too many, and the connection
 * has ended. */
bool wf_h2_tolerate(struct wf_h2_session *s, enum wf_h2_nuisance kind, uint32_t cost);

/* A stream that cannot be found was once there, or was never. */
enum wf_h2_absent { WF_H2_ABSENT_IDLE, WF_H2_ABSENT_CLOSED, WF_H2_ABSENT_RESET_BY_US };
enum wf_h2_absent wf_h2_session_absent(const struct wf_h2_session *s, uint32_t id);
void wf_h2_remember_reset(struct wf_h2_session *s, uint32_t id);

/* session_recv*.c, session_control.c: each takes one frame, whose payload is whole except for DATA.
 */
enum wf_h2_step wf_h2_recv_step(struct wf_h2_session *s, struct wf_slice *in,
                                struct wf_h2_event *event);
void wf_h2_recv_trace_frame(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                            struct wf_slice payload, const struct wf_field_section *section);
static inline void wf_h2_recv_trace(struct wf_h2_session *s,
                                    const struct wf_h2_frame_header *header,
                                    struct wf_slice payload, const struct wf_field_section *section)
{
    if (WF_UNLIKELY(s->config.trace != NULL))
        wf_h2_recv_trace_frame(s, header, payload, section);
}

enum wf_h2_step wf_h2_recv_data(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                struct wf_slice *in, struct wf_h2_event *event);
enum wf_h2_step wf_h2_recv_data_piece(struct wf_h2_session *s, struct wf_slice *in,
                                      struct wf_h2_event *event);

enum wf_h2_step wf_h2_recv_headers(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                   const uint8_t *payload, struct wf_h2_event *event);
enum wf_h2_step wf_h2_recv_continuation(struct wf_h2_session *s,
                                        const struct wf_h2_frame_header *header,
                                        const uint8_t *payload, struct wf_h2_event *event);
enum wf_h2_step wf_h2_recv_push_promise(struct wf_h2_session *s,
                                        const struct wf_h2_frame_header *header,
                                        const uint8_t *payload);

enum wf_h2_step wf_h2_recv_settings(struct wf_h2_session *s,
                                    const struct wf_h2_frame_header *header, const uint8_t *payload,
                                    struct wf_h2_event *event);
enum wf_h2_step wf_h2_recv_ping(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                const uint8_t *payload, struct wf_h2_event *event);
enum wf_h2_step wf_h2_recv_goaway(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                  const uint8_t *payload, struct wf_h2_event *event);
enum wf_h2_step wf_h2_recv_rst_stream(struct wf_h2_session *s,
                                      const struct wf_h2_frame_header *header,
                                      const uint8_t *payload);
enum wf_h2_step wf_h2_recv_window_update(struct wf_h2_session *s,
                                         const struct wf_h2_frame_header *header,
                                         const uint8_t *payload);
enum wf_h2_step wf_h2_recv_priority(struct wf_h2_session *s,
                                    const struct wf_h2_frame_header *header,
                                    const uint8_t *payload);

/* session_send*.c: each queues a frame, and ends the connection when there is no memory for it. */

/* Preface and SETTINGS. False: no memory. */
WF_MUST_USE bool wf_h2_send_first_flight(struct wf_h2_session *s);
void wf_h2_send_settings_ack(struct wf_h2_session *s);
void wf_h2_send_ping_ack(struct wf_h2_session *s, const uint8_t opaque[8]);
/* @provoked: the peer caused it, so it counts against max_queued_control. */
void wf_h2_send_rst_stream(struct wf_h2_session *s, uint32_t id, uint32_t code, bool provoked);
void wf_h2_send_window_update(struct wf_h2_session *s, uint32_t id, uint32_t increment);
/* False: no memory. */
WF_MUST_USE bool wf_h2_send_goaway(struct wf_h2_session *s, uint32_t last_stream_id, uint32_t code,
                                   const char *debug);
/* Puts the stream on the send list, or takes it off, as its body and window have it. */
void wf_h2_stream_schedule(struct wf_h2_session *s, struct wf_h2_stream *stream);
/* Keeps the priority of a stream that is there (RFC 9113 section 5.3.2). */
void wf_h2_note_priority(struct wf_h2_session *s, uint32_t id,
                         const struct wf_h2_priority *priority);
/* @len octets of @stream's DATA are done with: credit may go back, and more of it than came if they
 * were @content that somebody has used. */
void wf_h2_return_stream_credit(struct wf_h2_session *s, struct wf_h2_stream *stream, uint32_t len,
                                bool content);
/* The same for the connection, of whose window of @window octets @increment are open again. */
void wf_h2_announce_connection_credit(struct wf_h2_session *s, uint32_t window, uint32_t increment);

#endif
