#include "io_thread/tcp_peer.h"

#include <limits.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Probes of a host whose process need not answer, in seconds: of a connection in the pool, so that
 * one whose host has gone is closed before it is used, and of one on which a request waits. Linux
 * counts no probes where TCP_USER_TIMEOUT is set, but gives up at the first that is due behind it:
 * the interval is short so that no single loss is fatal. */
#define IDLE_SECONDS     5
#define IDLE_INTERVAL    2
#define WAITING_SECONDS  2
#define WAITING_INTERVAL 1
#define PROBE_COUNT      6

static void set_int(int fd, int level, int name, int value)
{
    /* What the socket does not know it refuses, and then it goes without. */
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

void wf_tcp_set_probes(int fd, bool waits)
{
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, waits ? WAITING_INTERVAL : IDLE_INTERVAL);
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, waits ? WAITING_SECONDS : IDLE_SECONDS);
}

void wf_tcp_set_timeouts(int fd, int64_t user_timeout_ms)
{
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBE_COUNT);
    wf_tcp_set_probes(fd, false);
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (user_timeout_ms >= 0)
        set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                user_timeout_ms < INT_MAX ? (int)user_timeout_ms : INT_MAX);
}

static bool get_info(int fd, struct tcp_info *info)
{
    socklen_t len = sizeof(*info);
    memset(info, 0, sizeof(*info));
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

bool wf_tcp_silence(int fd, uint64_t *out_ms)
{
    struct tcp_info info;
    if (!get_info(fd, &info))
        return false;
    *out_ms = info.tcpi_last_ack_recv < info.tcpi_last_data_recv ? info.tcpi_last_ack_recv
                                                                 : info.tcpi_last_data_recv;
    return true;
}

bool wf_tcp_is_in_doubt(int fd)
{
    struct tcp_info info;
    return get_info(fd, &info) && info.tcpi_probes > 0;
}

bool wf_tcp_progress(int fd, struct wf_tcp_progress *out_progress)
{
    struct tcp_info info;
    int queued;
    if (!get_info(fd, &info) || ioctl(fd, SIOCOUTQ, &queued) != 0)
        return false;
    out_progress->acked = info.tcpi_bytes_acked;
    out_progress->queued = queued > 0 ? (uint64_t)queued : 0;
    return true;
}
