/* Where to connect to: a socket address of any family. A plain value. */
#ifndef WF_IO_THREAD_ADDRESS_H
#define WF_IO_THREAD_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define WF_ADDRESSES_MAX    16
#define WF_ADDRESS_TEXT_MAX 128

struct wf_address {
    struct sockaddr_storage storage;
    socklen_t len;
};

/* An Internet address in little room; of a Unix socket the family alone. */
struct wf_peer {
    uint8_t ip[16];
    uint16_t port;   /* host order */
    uint16_t family; /* AF_UNSPEC: none */
};
struct wf_peer wf_peer_of(const struct wf_address *address);
/* False: it was none, or a Unix socket. */
bool wf_peer_address(const struct wf_peer *peer, struct wf_address *out_address);

/* Writes "127.0.0.1:443", "[::1]:443" or the path of a Unix socket ("@name": an abstract one), cut
 * to
 * @cap, always terminated. Returns @out. */
char *wf_address_text(const struct wf_address *address, char *out, size_t cap);

#endif
