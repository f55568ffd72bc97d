/* A server that takes any legal step, or now and then an illegal one, towards a client session, and
 * writes down what each step means: the facts, in the order of its octets. Which step is the
 * choice of a struct choice, random numbers or a fuzzer's octets. What it may do it knows from a
 * watcher, which also checks the client. Checks by CHECK(); Thread: one. */
#ifndef WF_TESTS_H2_WILD_H
#define WF_TESTS_H2_WILD_H

#include "h2/hpack_encode.h"
#include "support/choice.h"
#include "support/h2_watcher.h"

#define WILD_MAX_FACTS 4096u

enum wild_fact_kind {
    FACT_INFORMATIONAL,
    FACT_RESPONSE, /* value: status */
    FACT_DATA,     /* value: octets of content */
    FACT_TRAILERS,
    FACT_END,             /* END_STREAM */
    FACT_RESET,           /* value: code */
    FACT_GOAWAY,          /* id: last stream identifier; value: code */
    FACT_STREAM_ERROR,    /* value: the code of the client's RST_STREAM */
    FACT_CONNECTION_ERROR /* value: the code of the client's GOAWAY */
};

struct wild_fact {
    enum wild_fact_kind kind;
    uint32_t id;
    uint32_t value;
    uint64_t at; /* octets that the server had sent behind the frame */
};

struct wild_stream {
    uint16_t status;
    bool has_content;     /* DATA is legal */
    int64_t content_left; /* of content-length; -1: none was given */
    uint64_t body_len;
    bool touched; /* the server has said something about it: a GOAWAY cannot leave it out */
    bool spoiled; /* an illegal step was taken on it */
};

struct wild_server {
    struct h2_watcher watcher;
    struct wf_hpack_encoder *encoder;
    struct wf_buf out;              /* what whoever plays the network takes */
    uint64_t sent;                  /* octets that were made in all */
    struct wf_h2_settings settings; /* of the server, as last sent */
    struct wild_stream streams[WATCHER_MAX_STREAMS];
    bool said_settings;
    bool said_goaway;
    uint32_t goaway_last;
    bool broken;             /* an illegal step ended the connection: what follows is noise */
    unsigned illegal_one_in; /* steps of which one is illegal; 0: none */
    unsigned continuations;  /* CONTINUATION frames of a block that are one too many */
    struct wild_fact facts[WILD_MAX_FACTS];
    uint32_t fact_count;
};

void wild_init(struct wild_server *server, unsigned illegal_one_in);
void wild_fini(struct wild_server *server);
/* One step. */
void wild_step(struct wild_server *server, struct choice *choice);
/* From here on the server is kind: it answers and ends all that is open. */
void wild_settle(struct wild_server *server);
/* The end of the last whole frame among the first @len octets of `out`. */
size_t wild_boundary(const struct wild_server *server, size_t len);

/* For h2_wild_illegal.c. */
void wild_note(struct wild_server *server, enum wild_fact_kind kind, uint32_t id, uint32_t value);
void wild_frame(struct wild_server *server, uint8_t type, uint8_t flags, uint32_t id,
                const void *payload, size_t len);
void wild_headers(struct wild_server *server, struct choice *choice, uint32_t id, uint8_t flags,
                  const struct wf_field *fields, size_t count);
/* A stream on which the server may act, or NULL; such as has, or has not, a response begun. */
struct watched_stream *wild_pick(struct wild_server *server, struct choice *choice, bool answered);
struct wild_stream *wild_of(struct wild_server *server, const struct watched_stream *stream);
void wild_illegal(struct wild_server *server, struct choice *choice);

#endif
