#include "listener.h"

#include "base/assert.h"
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG  4096
#define PAUSE_MS 100u

static int parse_address(const char *text, uint16_t port, struct wf_address *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    *out = (struct wf_address){0};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(&out->storage, &v4, sizeof(v4));
        out->len = sizeof(v4);
    } else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        memcpy(&out->storage, &v6, sizeof(v6));
        out->len = sizeof(v6);
    } else {
        return EINVAL;
    }
    return 0;
}

int serve_listen(const char *address, uint16_t port, int *out_fd, struct wf_address *out_bound)
{
    struct wf_address wanted;
    int error = parse_address(address, port, &wanted);
    if (error != 0)
        return error;
    int fd = socket(wanted.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int on = 1;
    out_bound->len = sizeof(out_bound->storage);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&wanted.storage, wanted.len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&out_bound->storage, &out_bound->len) != 0) {
        error = errno;
        (void)close(fd);
        return error;
    }
    *out_fd = fd;
    return 0;
}

static void on_pause_end(struct wf_timer *timer)
{
    struct serve_worker *worker = wf_container_of(timer, struct serve_worker, listener_pause);
    int error = wf_poller_add(&worker->poller, &worker->listener, EPOLLIN | EPOLLEXCLUSIVE);
    if (error != 0)
        worker->failure = error;
}

static void on_connection(struct wf_poll_source *source, uint32_t events)
{
    (void)events;
    struct serve_worker *worker = wf_container_of(source, struct serve_worker, listener);
    serve_worker_tick(worker);
    int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        int on = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
                         sizeof(on)); /* slower without, no more */
        serve_connection_open(worker, fd, (uint32_t)worker->counts.connections + 1);
        return;
    }
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return;
    /* The listener stays readable: look again when something may have been given back. */
    wf_poller_remove(&worker->poller, &worker->listener);
    wf_timer_set(&worker->timers, &worker->listener_pause, worker->now_ms + PAUSE_MS);
}

int serve_listener_open(struct serve_worker *worker)
{
    wf_timer_init(&worker->listener_pause, on_pause_end);
    wf_poll_source_init(&worker->listener, worker->site->listen_fd, on_connection);
    return wf_poller_add(&worker->poller, &worker->listener, EPOLLIN | EPOLLEXCLUSIVE);
}

void serve_listener_close(struct serve_worker *worker)
{
    wf_timer_cancel(&worker->listener_pause);
    wf_poller_remove(&worker->poller, &worker->listener);
}
