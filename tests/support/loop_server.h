/* A small HTTP/2 server on loopback, cleartext, on a thread of its own: the other end of tests of
 * the public API. What a request's path asks for is what happens to it:
 *
 *   /bytes/N    200 with N octets          /echo      200 with the request's body
 *   /status/N   N without a body           /hang      no answer, ever
 *   /refuse     RST_STREAM REFUSED_STREAM  /reset     RST_STREAM INTERNAL_ERROR
 *   /half       a response that is reset in the middle of its body
 *   /cut        a response that loses its connection in the middle of its body
 *   /goaway     GOAWAY that excludes the request, then the end of the connection
 *   /trailers   200, a body and trailers   /drip/N    N octets, one for each DATA frame
 *   /early-hints  103 twice, then 200     /hints-only  103, and then nothing
 *   /mirror     200 with the request's body as it comes, and its trailers
 *   /deaf       nothing is read of the request's body, and no answer
 *   /enough     200 without a body at once; the request's body is not read
 *   /enough-reset   the same, then RST_STREAM NO_ERROR
 *   /continue   100, and from then on as /mirror
 */
#ifndef TESTS_SUPPORT_LOOP_SERVER_H
#define TESTS_SUPPORT_LOOP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

struct loop_server;

struct loop_server_config {
    uint32_t max_streams;         /* 0: 128 */
    uint32_t close_after;         /* requests after which a connection is closed; 0: never */
    void (*thread_started)(void); /* called on the server's thread; may be NULL */
    const char *unix_socket;      /* listens there instead; "@name": abstract; NULL: TCP */
    bool ipv6;                    /* listens on ::1 instead of 127.0.0.1 */
    uint16_t port;                /* TCP; 0: any */
    bool any_address;             /* listens on all IPv4 addresses instead of 127.0.0.1 */
};

/* Listens on 127.0.0.1 and starts the thread. Aborts when that cannot be done. */
struct loop_server *loop_server_new(const struct loop_server_config *config);
uint16_t loop_server_port(const struct loop_server *server);
/* Requests whose HEADERS were received so far; connections accepted so far. */
uint64_t loop_server_requests(struct loop_server *server);
uint64_t loop_server_connections(struct loop_server *server);
/* Streams that a client reset so far, and the code that the last of them was reset with. */
uint64_t loop_server_resets(struct loop_server *server, uint32_t *out_code);
/* Octets of requests' bodies that came so far. */
uint64_t loop_server_body_len(struct loop_server *server);
/* Waits until @count requests were received in all. */
void loop_server_await_requests(struct loop_server *server, uint64_t count);
/* Waits until @count streams were reset by clients. */
void loop_server_await_resets(struct loop_server *server, uint64_t count);
void loop_server_free(struct loop_server *server);

#endif
