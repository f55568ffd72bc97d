/* One HTTP/2 connection (RFC 9113) without its I/O: octets in, events out; commands in, octets out.
 * No function blocks, reads a clock or calls back (the frame trace excepted). Thread: owner.
 *
 *   reading   while (wf_h2_session_next(s, now, &in, &event)) handle(event);
 *             What is left in `in` afterwards is the beginning of a frame: keep it and put it in
 *             front of what is read next. It is at most 9 octets and max_frame_size.
 *   writing   count = wf_h2_session_output(s, slices, max, budget); write them;
 * wf_h2_session_wrote(s, n); after a write, call wf_h2_session_next() with an empty `in`: bodies
 * that went out make events. After a read there may be output, and the other way round.
 *
 * Streams. A stream is opened by wf_h2_session_request() (client) or by a HEADERS event (server)
 * and ends once: with an event WF_H2_EVENT_CLOSED, after which its pointer is dead, or by the
 * owner's wf_h2_session_reset(), which makes no event. There is no third way. A connection error, a
 * GOAWAY or the loss of the transport ends streams by the same events.
 *
 * Flow control. Connection credit goes back to the peer as DATA arrives, so that one slow consumer
 * never stops the others; stream credit goes back when the owner calls wf_h2_session_consume().
 * What may wait for a consumer is bounded by the stream windows. */
#ifndef WF_H2_SESSION_H
#define WF_H2_SESSION_H

#include "base/alloc.h"
#include "base/field.h"
#include "h2/error.h"
#include "h2/limits.h"

struct wf_h2_guard;
struct wf_h2_growth_pool;
struct wf_h2_session;
struct wf_h2_stream;

enum wf_h2_role { WF_H2_CLIENT, WF_H2_SERVER };

/* One frame for people who watch; only valid during the call. For a HEADERS, CONTINUATION or
 * PUSH_PROMISE frame that ends a received field block, @section holds what was decoded; for one
 * that begins a sent block, @fields. @payload is the frame's payload, or what of a DATA frame is in
 * memory. */
struct wf_h2_trace {
    bool sent;
    uint8_t type;
    uint8_t flags;
    uint32_t stream_id;
    uint32_t len;
    struct wf_slice payload;
    const struct wf_field_section *section;
    const struct wf_field *fields;
    size_t field_count;
};

typedef void (*wf_h2_trace_fn)(void *user, const struct wf_h2_trace *frame);

/* Use WF_H2_CONFIG_INIT and change what differs. Values that RFC 9113 forbids are contract errors.
 */
struct wf_h2_config {
    enum wf_h2_role role;
    /* Local settings (RFC 9113 section 6.5.2), sent in the first SETTINGS frame. */
    uint32_t header_table_size;      /* of our decoder, octets */
    uint32_t max_concurrent_streams; /* server: streams the client may open */
    uint32_t initial_window_size;    /* receive window of each stream, octets */
    uint32_t max_frame_size;         /* octets */
    uint32_t
        max_header_list_size; /* octets as section 6.5.2 counts; a larger section ends its stream */
    /* Not settings. */
    uint32_t connection_window; /* receive window of the connection, octets, at least 65,535 */
    /* Receive windows that grow (growth.h), octets. */
    uint32_t max_stream_window;            /* of a stream; not above the initial one: none grows */
    uint32_t max_connection_window;        /* of the connection; the same */
    uint32_t max_growth;                   /* what all streams' windows may grow by together */
    struct wf_h2_growth_pool *growth_pool; /* that other sessions draw on too; NULL: none. Outlives
                                              the session */
    uint32_t encoder_table_cap;   /* most that our encoder uses for its dynamic table, octets */
    uint32_t max_fields;          /* field lines in a section that we accept */
    uint32_t max_field_block_len; /* octets of one received field block, all its frames together */
    uint32_t max_continuations;   /* CONTINUATION frames of one field block */
    uint32_t max_queued_control;  /* octets of answers (SETTINGS and PING ACK, RST_STREAM) not yet
                                     written */
    uint32_t max_informational;   /* 1xx responses to one request */
    uint32_t control_burst; /* harmless frames of a kind that may come for nothing; limits.h */
    uint32_t settings_timeout_ms; /* until the peer must have acknowledged our SETTINGS */
    uint32_t assumed_streams; /* client: streams that are opened at most before the peer's SETTINGS
                                 have come */
    wf_h2_trace_fn trace;     /* NULL: none */
    void *trace_user;
};

#define WF_H2_CONFIG_INIT(the_role)                                                                \
    {                                                                                              \
        .role = (the_role), .header_table_size = 4096, .max_concurrent_streams = 128,              \
        .initial_window_size = 1048576, .max_frame_size = 16384, .max_header_list_size = 65536,    \
        .connection_window = 16777216, .encoder_table_cap = 4096, .max_fields = 256,               \
        .max_field_block_len = 131072, .max_continuations = 128, .max_queued_control = 65536,      \
        .max_informational = WF_H2_DEFAULT_MAX_INFORMATIONAL,                                      \
        .control_burst = WF_H2_DEFAULT_CONTROL_BURST, .settings_timeout_ms = 10000,                \
        .assumed_streams = WF_H2_DEFAULT_ASSUMED_STREAMS                                           \
    }

/* What is proven about a stream that ended without a complete response. */
enum wf_h2_effect {
    WF_H2_NOT_SENT,      /* no octet of its HEADERS was handed to the transport */
    WF_H2_NOT_PROCESSED, /* REFUSED_STREAM, HTTP_1_1_REQUIRED, or above GOAWAY's last stream
                            identifier (RFC 9113 8.7) */
    WF_H2_MAYBE_PROCESSED,
    WF_H2_PROCESSED /* a final response began */
};

enum wf_h2_end {
    WF_H2_END_COMPLETE,      /* both sides sent END_STREAM; the message was well formed */
    WF_H2_END_RESET_BY_PEER, /* RST_STREAM; NO_ERROR after a complete response is complete, not this
                              */
    WF_H2_END_STREAM_ERROR,  /* we found an error and sent RST_STREAM */
    WF_H2_END_GOAWAY,        /* above the last stream identifier of a GOAWAY */
    WF_H2_END_CONNECTION_ERROR, /* an error that we found ended the connection */
    WF_H2_END_CONNECTION_LOST   /* wf_h2_session_lost() was called */
};

enum wf_h2_section_kind {
    WF_H2_SECTION_REQUEST,
    WF_H2_SECTION_INFORMATIONAL, /* 1xx; the final response is yet to come */
    WF_H2_SECTION_RESPONSE,
    WF_H2_SECTION_TRAILERS
};

enum wf_h2_event_type {
    WF_H2_EVENT_HEADERS,
    WF_H2_EVENT_DATA,
    WF_H2_EVENT_BODY_SENT, /* the last wf_h2_session_send_body() is done with: written, or copied
                            */
    WF_H2_EVENT_CLOSED,
    WF_H2_EVENT_SETTINGS, /* the peer's settings changed; capacity may have */
    WF_H2_EVENT_SETTINGS_ACK,
    WF_H2_EVENT_PING_ACK,
    WF_H2_EVENT_GOAWAY, /* no new streams here; those above last_stream_id follow as CLOSED */
    WF_H2_EVENT_CONNECTION_ERROR /* GOAWAY is queued; write it, then close. All streams follow as
                                    CLOSED */
};

struct wf_h2_event {
    enum wf_h2_event_type type;
    bool end_stream;             /* HEADERS, DATA: the peer sent all of the message */
    struct wf_h2_stream *stream; /* NULL for events of the connection */
    union {
        struct {
            const struct wf_field_section
                *section; /* until the next call of wf_h2_session_next() */
            enum wf_h2_section_kind kind;
            uint16_t status;        /* RESPONSE and INFORMATIONAL */
            int64_t content_length; /* -1: none was given */
        } headers;
        struct {
            struct wf_slice bytes; /* inside what was passed as `in`; may be empty at the end */
        } data;
        struct {
            enum wf_h2_end end;
            enum wf_h2_effect effect;
            uint32_t code;      /* RFC 9113 section 7 */
            const char *reason; /* static storage; NULL for COMPLETE */
        } closed;
        struct {
            uint32_t last_stream_id;
            uint32_t code;
            struct wf_slice debug; /* as the peer sent it: not text that can be trusted */
        } goaway;
        struct wf_h2_err error; /* CONNECTION_ERROR */
        uint8_t ping[8];        /* PING_ACK */
    };
};

/* The client's preface and SETTINGS (or the server's SETTINGS) are queued at once. NULL: no memory.
 */
WF_MUST_USE struct wf_h2_session *wf_h2_session_new(const struct wf_h2_config *config,
                                                    uint64_t now_ms);
/* Streams that have not ended go without an event. NULL is a no-op. */
void wf_h2_session_free(struct wf_h2_session *session);

/* Parses until one event is there: true, with @in advanced behind what it took. False: @in holds no
 * whole frame, or the connection has ended. Handle the event before the next call. */
bool wf_h2_session_next(struct wf_h2_session *session, uint64_t now_ms, struct wf_slice *in,
                        struct wf_h2_event *out_event);

/* The transport is gone (an error, or its end): all streams end as CONNECTION_LOST, by events of
 * wf_h2_session_next(). */
void wf_h2_session_lost(struct wf_h2_session *session);

/* Fills @slices (room for @max) with what is to be written next, in order, some @budget octets at
 * most, and returns their number. DATA frames are made here, one stream after another, a frame
 * each. Slices hold until the next call of any function of the session. Calling again without
 * wf_h2_session_wrote() gives the same octets, perhaps more. */
size_t wf_h2_session_output(struct wf_h2_session *session, struct wf_slice *slices, size_t max,
                            size_t budget);
/* The first @len octets of the last output were taken by the transport. */
void wf_h2_session_wrote(struct wf_h2_session *session, size_t len);
bool wf_h2_session_wants_write(const struct wf_h2_session *session);

struct wf_h2_message {
    const struct wf_field
        *fields; /* pseudo-header fields first; valid as RFC 9113 section 8.2 has it */
    size_t count;
    uint64_t cache_key; /* see wf_hpack_encode() */
    bool end_stream;    /* no body and no trailers follow */
    bool is_head;       /* client: the method is HEAD, so the response has no content */
};

enum wf_h2_submit {
    WF_H2_SUBMITTED,
    WF_H2_SUBMIT_NO_CAPACITY,   /* the peer's MAX_CONCURRENT_STREAMS is reached: wait */
    WF_H2_SUBMIT_DRAINING,      /* GOAWAY was sent or received, or the connection has ended */
    WF_H2_SUBMIT_NO_STREAM_IDS, /* identifiers are used up (RFC 9113 section 5.1.1): another
                                   connection */
    WF_H2_SUBMIT_TOO_LARGE,     /* above the peer's MAX_HEADER_LIST_SIZE */
    WF_H2_SUBMIT_NO_MEMORY
};

/* Client: opens a stream and queues its HEADERS. @user is what wf_h2_stream_user() returns. */
enum wf_h2_submit wf_h2_session_request(struct wf_h2_session *session,
                                        const struct wf_h2_message *message, void *user,
                                        struct wf_h2_stream **out_stream);
/* Server: 1xx, the response; both: trailers (end_stream set, after the body was reported as sent).
 * WF_H2_SUBMIT_DRAINING: the stream has ended, and its CLOSED event is due. */
enum wf_h2_submit wf_h2_session_send_headers(struct wf_h2_session *session,
                                             struct wf_h2_stream *stream,
                                             const struct wf_h2_message *message);
/* Gives the stream's next body octets, once the last ones were reported as sent. @body is borrowed
 * until BODY_SENT, CLOSED or wf_h2_session_reset(), whichever is first; where the stream ends with
 * these octets, CLOSED comes and BODY_SENT does not. @end: END_STREAM follows them; an empty body
 * with @end sends an empty DATA frame. Nothing happens on a stream whose CLOSED is due. */
void wf_h2_session_send_body(struct wf_h2_session *session, struct wf_h2_stream *stream,
                             struct wf_slice body, bool end);
/* The time as wf_h2_session_next() has it, before credit that goes back between two of its calls.
 */
void wf_h2_session_set_time(struct wf_h2_session *session, uint64_t now_ms);
/* The owner has used @len octets of DATA of @stream: stream credit goes back. */
void wf_h2_session_consume(struct wf_h2_session *session, struct wf_h2_stream *stream, size_t len);
/* Ends the stream here and now, with RST_STREAM where the peer may still know it. @stream is dead.
 * HEADERS that wait to be written go out before RST_STREAM all the same, since the peer's dynamic
 * table needs them. Also for a stream whose CLOSED event has not come yet, which then never comes.
 */
void wf_h2_session_reset(struct wf_h2_session *session, struct wf_h2_stream *stream, uint32_t code);

/* Gives unused memory back: for a connection that has nothing to do for a while. */
void wf_h2_session_trim(struct wf_h2_session *session);

/* Queues a PING (RFC 9113 section 6.7); its answer is WF_H2_EVENT_PING_ACK. False: no memory. */
bool wf_h2_session_ping(struct wf_h2_session *session, const uint8_t opaque[8]);
/* Queues a GOAWAY and refuses new streams; open ones go on. @debug may be NULL. */
bool wf_h2_session_goaway(struct wf_h2_session *session, uint32_t code, const char *debug);
/* Server: likewise, but the client learns that streams above @last_stream_id were not and will not
 * be processed (RFC 9113 section 6.8). Those that are open are the caller's to leave alone. */
bool wf_h2_session_goaway_at(struct wf_h2_session *session, uint32_t last_stream_id, uint32_t code,
                             const char *debug);

/* When wf_h2_session_timeout() wants to be called, in now_ms; UINT64_MAX: never. */
uint64_t wf_h2_session_deadline(const struct wf_h2_session *session);
/* A deadline has passed: may end the connection (SETTINGS_TIMEOUT), by events. */
void wf_h2_session_timeout(struct wf_h2_session *session, uint64_t now_ms);

/* Streams that may be opened now; 0 while draining. Before the peer's SETTINGS have come,
 * config.assumed_streams are. */
uint32_t wf_h2_session_capacity(const struct wf_h2_session *session);
/* Streams that the peer lets us have open at once; UINT32_MAX: it sets no limit. */
uint32_t wf_h2_session_max_streams(const struct wf_h2_session *session);
uint32_t wf_h2_session_open_streams(const struct wf_h2_session *session);
bool wf_h2_session_is_draining(const struct wf_h2_session *session);
/* The connection has ended: nothing is parsed any more; pending output may still be written. */
bool wf_h2_session_is_dead(const struct wf_h2_session *session);
/* The peer's first SETTINGS have come. */
bool wf_h2_session_is_ready(const struct wf_h2_session *session);

/* Octets of bodies that the connection's windows allow now, both directions. */
struct wf_h2_windows {
    uint32_t send;
    uint32_t receive;
};
struct wf_h2_windows wf_h2_session_windows(const struct wf_h2_session *session);

void *wf_h2_stream_user(const struct wf_h2_stream *stream);
void wf_h2_stream_set_user(struct wf_h2_stream *stream, void *user);
uint32_t wf_h2_stream_id(const struct wf_h2_stream *stream);
/* Octets of content that the peer may send without waiting for credit. */
uint32_t wf_h2_stream_recv_room(const struct wf_h2_stream *stream);
/* Octets that were given by wf_h2_session_send_body() and are in no frame yet, of a stream on which
 * the peer has sent all that it will; 0 for other streams. */
size_t wf_h2_stream_late_body(const struct wf_h2_stream *stream);
/* Octets of content that are in DATA frames so far. */
uint64_t wf_h2_stream_body_sent(const struct wf_h2_stream *stream);
/* Counters of what cost work and brought nothing; see guard.h. */
const struct wf_h2_guard *wf_h2_session_guard(const struct wf_h2_session *session);
/* What will be true of the stream if the owner resets it now: never NOT_SENT, since its HEADERS go
 * out before RST_STREAM. Streams that end with the connection say NOT_SENT where it is so in
 * CLOSED. */
enum wf_h2_effect wf_h2_stream_effect(const struct wf_h2_session *session,
                                      const struct wf_h2_stream *stream);
/* Whether any octet of the stream's HEADERS was handed to the transport. Client only. */
bool wf_h2_stream_was_sent(const struct wf_h2_session *session, const struct wf_h2_stream *stream);

#endif
