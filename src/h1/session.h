/* One client connection of HTTP/1.1 (RFC 9112) without its I/O: octets in, events out; a request
 * in, octets out. No function blocks, reads a clock or calls back (the trace excepted). Thread:
 * owner.
 *
 *   asking    wf_h1_session_request(s, message); only when wf_h1_session_is_idle(s).
 *   writing   count = wf_h1_session_output(s, slices, max); write them;
 *             wf_h1_session_wrote(s, n);
 *   reading   while (wf_h1_session_next(s, &in, &event)) handle(event);
 *             All of @in is used up; whatever is kept of it is kept here. Call it with an empty
 *             @in after wf_h1_session_wrote(), too: bodies that went out make events.
 *
 * One request at a time: it ends with WF_H1_EVENT_COMPLETE, which says whether another may follow,
 * or with WF_H1_EVENT_ERROR, after which the session is dead. What can be read in two ways is an
 * error, and so is every octet that no request asked for. */
#ifndef WF_H1_SESSION_H
#define WF_H1_SESSION_H

#include "base/alloc.h"
#include "base/field.h"
#include "h1/error.h"

struct wf_h1_session;

/* A line of a head or of trailers as it goes over the wire, without its end; the empty line at the
 * end of a section, too. @line is valid during the call. */
typedef void (*wf_h1_trace_fn)(void *user, bool sent, struct wf_slice line);

/* Use WF_H1_CONFIG_INIT and change what differs. */
struct wf_h1_config {
    uint32_t max_header_list_size; /* octets of a section as RFC 9113 section 6.5.2 counts; all
                                      sections of a response together may have twice that */
    uint32_t max_fields;           /* field lines in a section */
    uint32_t max_head_len;         /* octets of a section as they come, its status line included */
    uint32_t max_informational;    /* 1xx responses to one request */
    uint32_t max_extensions;       /* octets of chunk extensions, beyond one for each of content */
    wf_h1_trace_fn trace;          /* NULL: none */
    void *trace_user;
};

#define WF_H1_CONFIG_INIT                                                                          \
    {                                                                                              \
        .max_header_list_size = 65536, .max_fields = 256, .max_head_len = 131072,                  \
        .max_informational = 64, .max_extensions = 16384                                           \
    }

enum wf_h1_section_kind {
    WF_H1_SECTION_INFORMATIONAL, /* 1xx but 101; the final response is yet to come */
    WF_H1_SECTION_RESPONSE,
    WF_H1_SECTION_TRAILERS
};

enum wf_h1_event_type {
    WF_H1_EVENT_HEADERS,
    WF_H1_EVENT_DATA,
    WF_H1_EVENT_BODY_SENT, /* the octets of the last wf_h1_session_send_body() were written */
    WF_H1_EVENT_COMPLETE,
    WF_H1_EVENT_ERROR
};

struct wf_h1_event {
    enum wf_h1_event_type type;
    union {
        struct {
            /* Names in lower case; without the fields that concern the connection (RFC 9110
             * section 7.6.1), which were obeyed. Until the next call of wf_h1_session_next(). */
            const struct wf_field_section *section;
            enum wf_h1_section_kind kind;
            uint16_t status; /* of trailers: 0 */
            bool is_1_0;
            int64_t content_length; /* -1: none was given */
        } headers;
        struct wf_slice data; /* inside what was passed as `in`; never empty */
        bool reusable;        /* COMPLETE: another request may follow */
        struct wf_h1_err error;
    };
};

/* NULL: no memory. */
WF_MUST_USE struct wf_h1_session *wf_h1_session_new(const struct wf_h1_config *config);
/* NULL is a no-op. */
void wf_h1_session_free(struct wf_h1_session *session);

struct wf_h1_message {
    /* :method, :scheme, :authority and :path first, then the others, names in lower case. */
    const struct wf_field *fields;
    size_t count;
    bool end_stream;   /* no body and no trailers follow */
    bool has_trailers; /* trailers may follow: the body is sent in chunks, whatever its length */
};

enum wf_h1_submit {
    WF_H1_SUBMITTED,
    WF_H1_SUBMIT_BUSY,    /* a request is being answered, or the session is dead */
    WF_H1_SUBMIT_INVALID, /* a field would be read as something else than it is */
    WF_H1_SUBMIT_NO_MEMORY
};

/* Queues the head. The fields are copied. A body without content-length goes in chunks. */
WF_MUST_USE enum wf_h1_submit wf_h1_session_request(struct wf_h1_session *session,
                                                    const struct wf_h1_message *message);

/* Gives the next octets of the body, once the last ones were reported as sent. @body is borrowed
 * until BODY_SENT, COMPLETE or ERROR. @end: they are the last, and no trailers follow. NULL, or
 * what is wrong, after which the request cannot be sent: more or fewer octets than content-length
 * says, or no memory. */
WF_MUST_USE const char *wf_h1_session_send_body(struct wf_h1_session *session, struct wf_slice body,
                                                bool end);
/* Ends a body that goes in chunks by trailers, in the same order of calls. */
WF_MUST_USE const char *wf_h1_session_send_trailers(struct wf_h1_session *session,
                                                    const struct wf_field *fields, size_t count);

/* Fills @slices, room for @max and at least 3, with what is to be written next, and returns their
 * number. They hold until the next call of any function of the session. */
size_t wf_h1_session_output(const struct wf_h1_session *session, struct wf_slice *slices,
                            size_t max);
/* The first @len octets of the last output were taken by the transport. */
void wf_h1_session_wrote(struct wf_h1_session *session, size_t len);
bool wf_h1_session_wants_write(const struct wf_h1_session *session);

/* Parses until one event is there: true, with @in advanced behind what it took. False: @in is used
 * up. Handle the event before the next call. */
bool wf_h1_session_next(struct wf_h1_session *session, struct wf_slice *in,
                        struct wf_h1_event *out_event);

/* The peer has orderly ended the connection (in TLS: by close_notify), which completes a body that
 * goes on until then, and is an error in the middle of anything else: events follow. */
void wf_h1_session_end(struct wf_h1_session *session);
/* The connection is gone in any other way: a response that is not whole is lost. */
void wf_h1_session_lost(struct wf_h1_session *session);

/* Takes the request back, without events: the session is idle again when no octet of it was handed
 * to the transport, and dead otherwise. */
void wf_h1_session_cancel(struct wf_h1_session *session);

/* Gives unused memory back: for a connection that has nothing to do for a while. */
void wf_h1_session_trim(struct wf_h1_session *session);

/* A request may be made. */
bool wf_h1_session_is_idle(const struct wf_h1_session *session);
bool wf_h1_session_is_dead(const struct wf_h1_session *session);
/* A status line has come, so that the peer speaks HTTP/1.x. */
bool wf_h1_session_is_ready(const struct wf_h1_session *session);
/* Of the request that is being answered: an octet was handed to the transport. */
bool wf_h1_session_was_sent(const struct wf_h1_session *session);
/* Its body goes in chunks, which trailers may follow. */
bool wf_h1_session_is_in_chunks(const struct wf_h1_session *session);
/* How many of it were. */
uint64_t wf_h1_session_sent_len(const struct wf_h1_session *session);
/* All of it was. */
bool wf_h1_session_is_sent(const struct wf_h1_session *session);
/* Its final response has begun, were it by the first digit of its status. */
bool wf_h1_session_has_begun(const struct wf_h1_session *session);

#endif
