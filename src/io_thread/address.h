/* Where to connect to: a socket address of any family. A plain value. */
#ifndef WF_IO_THREAD_ADDRESS_H
#define WF_IO_THREAD_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

#define WF_ADDRESSES_MAX    16
#define WF_ADDRESS_TEXT_MAX 128

struct wf_address {
    struct sockaddr_storage storage;
    socklen_t len;
};

/* Writes "127.0.0.1:443", "[::1]:443" or the path of a Unix socket ("@name": an abstract one), cut
 * to
 * @cap, always terminated. Returns @out. */
char *wf_address_text(const struct wf_address *address, char *out, size_t cap);

#endif
