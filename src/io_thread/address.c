#include "io_thread/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static void unix_text(const struct wf_address *address, char *out, size_t cap)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)&address->storage;
    size_t head = offsetof(struct sockaddr_un, sun_path);
    size_t len = address->len > head ? address->len - head : 0;
    if (len > sizeof(un->sun_path))
        len = sizeof(un->sun_path);
    /* An abstract name begins with NUL and is as long as the length says. */
    if (len > 0 && un->sun_path[0] == '\0')
        (void)snprintf(out, cap, "@%.*s", (int)(len - 1), un->sun_path + 1);
    else
        (void)snprintf(out, cap, "%.*s", (int)len, un->sun_path);
}

char *wf_address_text(const struct wf_address *address, char *out, size_t cap)
{
    char ip[INET6_ADDRSTRLEN] = "?";
    switch (address->storage.ss_family) {
    case AF_INET: {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&address->storage;
        (void)inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
        (void)snprintf(out, cap, "%s:%u", ip, (unsigned)ntohs(in->sin_port));
        break;
    }
    case AF_INET6: {
        const struct sockaddr_in6 *in6 =
            (const struct sockaddr_in6 *)(const void *)&address->storage;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
        (void)snprintf(out, cap, "[%s]:%u", ip, (unsigned)ntohs(in6->sin6_port));
        break;
    }
    case AF_UNIX:
        unix_text(address, out, cap);
        break;
    default:
        (void)snprintf(out, cap, "address family %u", (unsigned)address->storage.ss_family);
        break;
    }
    return out;
}

struct wf_peer wf_peer_of(const struct wf_address *address)
{
    struct wf_peer peer = {.family = address->len > 0 ? address->storage.ss_family : AF_UNSPEC};
    if (peer.family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&address->storage;
        memcpy(peer.ip, &in->sin_addr, sizeof(in->sin_addr));
        peer.port = ntohs(in->sin_port);
    } else if (peer.family == AF_INET6) {
        const struct sockaddr_in6 *in6 =
            (const struct sockaddr_in6 *)(const void *)&address->storage;
        memcpy(peer.ip, &in6->sin6_addr, sizeof(in6->sin6_addr));
        peer.port = ntohs(in6->sin6_port);
    }
    return peer;
}

bool wf_peer_address(const struct wf_peer *peer, struct wf_address *out_address)
{
    memset(out_address, 0, sizeof(*out_address));
    if (peer->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)&out_address->storage;
        in->sin_family = AF_INET;
        in->sin_port = htons(peer->port);
        memcpy(&in->sin_addr, peer->ip, sizeof(in->sin_addr));
        out_address->len = sizeof(*in);
    } else if (peer->family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&out_address->storage;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(peer->port);
        memcpy(&in6->sin6_addr, peer->ip, sizeof(in6->sin6_addr));
        out_address->len = sizeof(*in6);
    }
    return out_address->len > 0;
}
