/* A small HTTP/1.1 server on loopback on a thread of its own, the sibling of loop_server.h. What a
 * request's path asks for is what happens to it:
 *
 *   /bytes/N   200 with N letters, in chunks when N is odd     /echo   200, as many as the body had
 *   /hang      no answer, ever         /cut     half a response, then the end of the connection
 *   /reset     the end without one     /goaway  204 and "connection: close"
 *
 * All other paths are 404. */
#ifndef TESTS_SUPPORT_H1_SERVER_H
#define TESTS_SUPPORT_H1_SERVER_H

#include <stdint.h>

struct h1_server;

/* Listens on 127.0.0.1, on @port or, when that is 0, any. Aborts when that cannot be done. */
struct h1_server *h1_server_new(uint16_t port);
/* The same on all IPv4 addresses. */
struct h1_server *h1_server_new_anywhere(uint16_t port);
uint16_t h1_server_port(const struct h1_server *server);
void h1_server_free(struct h1_server *server);

#endif
