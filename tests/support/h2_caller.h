/* An application above a client session: submits requests with a body of a pattern, consumes what
 * comes, and checks everything that it is told against the promises in h2/session.h. What became of
 * each request is kept, for whoever knows what should have.
 * Memory that the session borrows is of the exact size and freed as soon as it may be, so that a
 * sanitizer sees a late use. Checks by CHECK(); Thread: one. */
#ifndef WF_TESTS_H2_CALLER_H
#define WF_TESTS_H2_CALLER_H

#include "base/buf.h"
#include "h2/session.h"
#include "support/choice.h"

#define CALLER_MAX_CALLS 64u

struct caller_call {
    struct wf_h2_stream *stream; /* NULL: not opened, or ended */
    uint32_t number;
    uint32_t id;
    bool is_head;
    bool has_trailers; /* to send */
    /* The body that is sent. */
    size_t upload_len;
    size_t upload_at;  /* given to the session */
    uint8_t *piece;    /* with the session */
    bool upload_ended; /* END_STREAM was given to the session, too */
    bool upload_due;   /* the session can take the next piece */
    /* What came. */
    unsigned informational;
    uint16_t status;
    uint64_t body_len;
    uint64_t unconsumed;
    bool has_got_trailers;
    bool peer_ended;
    /* How it ended. */
    bool opened;
    bool ended;
    bool cancelled; /* by us */
    enum wf_h2_end end;
    enum wf_h2_effect effect;
    uint32_t code;
};

struct h2_caller {
    struct wf_h2_session *session;
    struct wf_h2_config config;
    uint64_t now_ms;
    bool knows_bodies;          /* responses come from a server that sends the pattern */
    bool no_memory;             /* allocations fail: a request may end for that */
    void (*enter)(bool inside); /* around calls of the session; NULL: nothing */
    size_t max_upload;          /* octets of a body; also bounds the fields */
    struct wf_buf in;           /* the beginning of a frame */
    struct caller_call calls[CALLER_MAX_CALLS];
    uint32_t call_count;
    bool has_error;
    struct wf_h2_err error;
    unsigned goaways;
    unsigned pings;
    unsigned pongs;
    bool is_lost;
};

/* @enter may be NULL; else memory may run out between its two calls. False: no memory. */
bool caller_init(struct h2_caller *caller, const struct wf_h2_config *config,
                 void (*enter)(bool inside));
void caller_fini(struct h2_caller *caller);

/* Submits a request; @choice makes it what it is. */
enum wf_h2_submit caller_submit(struct h2_caller *caller, struct choice *choice);
/* Gives the next pieces of bodies, of lengths of @choice's; all of the rest when it is NULL. */
void caller_upload(struct h2_caller *caller, struct choice *choice);
/* Consumes some of what came; all of it when @choice is NULL. */
void caller_consume(struct h2_caller *caller, struct choice *choice);
void caller_cancel(struct h2_caller *caller, struct caller_call *call, uint32_t code);

void caller_ping(struct h2_caller *caller);

/* Feeds the session and handles its events. */
void caller_read(struct h2_caller *caller, struct wf_slice octets);
/* Lets the session write up to @budget octets, of which the transport takes up to @taken, and gives
 * those to @sink. Returns how many they were. */
size_t caller_write(struct h2_caller *caller, size_t budget, size_t taken,
                    void (*sink)(void *user, struct wf_slice octets), void *user);
/* The transport is gone. */
void caller_lose(struct h2_caller *caller);
/* Handles the events that are there without input. */
void caller_drain(struct h2_caller *caller);

/* Requests that have a stream. */
uint32_t caller_open(const struct h2_caller *caller);

#endif
