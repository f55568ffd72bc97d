/* A client without threads and one HTTP/2 connection without a socket: a test takes the I/O
 * thread's turns, and plays the server by the frame. What happens in a turn is then the same every
 * time. */
#ifndef TESTS_SUPPORT_STEPPED_H
#define TESTS_SUPPORT_STEPPED_H

#include "support/memory_wire.h"
#include "weft/weft.h"

struct stepped {
    struct weft_client *client;
    struct wf_conn *conn;
    struct memory_wire *wire; /* the connection's */
    struct weft_request *request;
};

/* @config: NULL for the defaults. The origin has this one connection and no other. */
void stepped_init(struct stepped *stepped, const struct weft_config *config);
/* Ends the connection, too. */
void stepped_fini(struct stepped *stepped);

/* Submits GET with a deadline of 5 s; the future is the caller's. Nothing is sent before a turn. */
struct weft_future *stepped_submit(struct stepped *stepped);
/* One turn; it never sleeps. */
void stepped_turn(struct stepped *stepped);
/* The stream of the next HEADERS that the client sent; 0: there is none. */
uint32_t stepped_next_request(struct stepped *stepped);
/* The same, after as many turns as it takes, for at most some seconds. */
uint32_t stepped_await_request(struct stepped *stepped);
/* Turns until @future is done, for at most some seconds. */
enum weft_code stepped_await(struct stepped *stepped, struct weft_future *future);

/* What the client receives in its next turn. */
void stepped_put(struct stepped *stepped, uint8_t type, uint8_t flags, uint32_t stream_id,
                 const void *payload, size_t len);
/* SETTINGS with MAX_CONCURRENT_STREAMS, and the acknowledgement of the client's. */
void stepped_put_settings(struct stepped *stepped, uint8_t max_streams);
/* A whole response of status 200. */
void stepped_put_answer(struct stepped *stepped, uint32_t stream_id);
void stepped_put_reset(struct stepped *stepped, uint32_t stream_id, uint8_t code);

#endif
