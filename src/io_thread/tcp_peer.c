#include "io_thread/tcp_peer.h"

#include <limits.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Probes of a host whose process need not answer: a request that waits for minutes costs no PING
 * for them, and a connection in the pool that has lost its host is noticed. Seconds. */
#define PROBE_IDLE     15
#define PROBE_INTERVAL 5
#define PROBE_COUNT    3

void wf_tcp_set_timeouts(int fd, int64_t user_timeout_ms)
{
    static const int on = 1;
    static const int idle = PROBE_IDLE;
    static const int interval = PROBE_INTERVAL;
    static const int count = PROBE_COUNT;
    /* What the socket does not know it refuses, and then it goes without. */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    if (user_timeout_ms < 0)
        return;
    unsigned timeout = user_timeout_ms < INT_MAX ? (unsigned)user_timeout_ms : INT_MAX;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

bool wf_tcp_progress(int fd, struct wf_tcp_progress *out_progress)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    int queued;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        ioctl(fd, SIOCOUTQ, &queued) != 0)
        return false;
    out_progress->acked = info.tcpi_bytes_acked;
    out_progress->queued = queued > 0 ? (uint64_t)queued : 0;
    return true;
}
