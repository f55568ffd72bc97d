/* A server that reads one preface and then does exactly what a test's script says, on its own
 * thread, with blocking sockets: for what a well-behaved server never does. */
#ifndef TESTS_SUPPORT_RAW_SERVER_H
#define TESTS_SUPPORT_RAW_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

struct raw_server;

/* Plays one connection; the descriptor is closed afterwards. @round counts connections from 0. */
typedef void raw_script(struct raw_server *server, int fd, unsigned round);

struct raw_server {
    int listen_fd;
    uint16_t port;
    pthread_t thread;
    raw_script *script;
    void *user;
    atomic_bool stopping;
    atomic_uint connections;
};

void raw_server_start(struct raw_server *server, raw_script *script, void *user);
/* The same on @port of @host, "127.0.0.1" or "::1"; port 0: any. */
void raw_server_start_at(struct raw_server *server, const char *host, uint16_t port,
                         raw_script *script, void *user);
void raw_server_stop(struct raw_server *server);

/* A frame of @type; the payload is copied from @payload. False: the peer has gone. */
bool raw_send_frame(int fd, uint8_t type, uint8_t flags, uint32_t stream_id, const void *payload,
                    size_t len);
/* Empty SETTINGS, as a server's preface. */
bool raw_send_settings(int fd);
/* Reads frames (after the client's preface, when @first) until one of @type came; its stream
 * identifier, or UINT32_MAX when the peer has gone. */
uint32_t raw_await_frame(int fd, bool first, uint8_t type);
/* Reads and drops until the peer ends the connection. */
void raw_drain(int fd);
/* The next close() sends RST instead of FIN. */
void raw_reset_on_close(int fd);

#endif
