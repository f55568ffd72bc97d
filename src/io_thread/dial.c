#include "io_thread/dial.h"

#include "base/assert.h"
#include "io_thread/bad_addresses.h"
#include "io_thread/poller.h"
#include "io_thread/timers.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A Unix socket whose backlog is full says so at once; nothing tells when there is room. */
#define FULL_BACKLOG_MS 20u
/* What an address must have been given before a cancelled dial speaks against it. */
#define SILENT_MS 1000u

struct attempt {
    struct wf_poll_source source; /* fd -1: not begun, or over */
    struct wf_dial *dial;
    uint64_t begun_ms;
};

struct wf_dial {
    struct wf_poller *poller;
    struct wf_timers *timers;
    struct wf_timer timer; /* begins the next attempt */
    uint32_t stagger_ms;
    wf_dial_fn *done;
    void *user;

    size_t count;
    size_t begun;
    size_t open; /* attempts under way */
    int sys_errno;
    struct wf_bad_addresses *bad; /* NULL: nobody keeps them */
    struct wf_address addresses[WF_ADDRESSES_MAX];
    struct attempt attempts[WF_ADDRESSES_MAX];
};

static bool is_own_limit(int sys_errno)
{
    return sys_errno == EMFILE || sys_errno == ENFILE || sys_errno == ENOBUFS ||
           sys_errno == ENOMEM;
}

static void record(struct wf_dial *dial, int sys_errno)
{
    if (dial->sys_errno == 0 || !is_own_limit(dial->sys_errno))
        dial->sys_errno = sys_errno;
}

static void note_bad(struct wf_dial *dial, const struct attempt *attempt)
{
    if (dial->bad != NULL)
        wf_bad_addresses_note(dial->bad, &dial->addresses[attempt - dial->attempts],
                              dial->timers->now_ms);
}

/* Those still open that had @head_start_ms and did not use it. */
static void note_slow(struct wf_dial *dial, uint64_t head_start_ms)
{
    for (size_t i = 0; i < dial->begun; i++) {
        const struct attempt *attempt = &dial->attempts[i];
        if (attempt->source.fd >= 0 && dial->timers->now_ms - attempt->begun_ms >= head_start_ms)
            note_bad(dial, attempt);
    }
}

static void close_attempt(struct wf_dial *dial, struct attempt *attempt)
{
    wf_poller_remove(dial->poller, &attempt->source);
    (void)close(attempt->source.fd);
    attempt->source.fd = -1;
    dial->open--;
}

static void dial_free(struct wf_dial *dial)
{
    wf_timer_cancel(&dial->timer);
    for (size_t i = 0; i < dial->begun; i++) {
        if (dial->attempts[i].source.fd >= 0)
            close_attempt(dial, &dial->attempts[i]);
    }
    wf_assert(dial->open == 0);
    wf_free(dial);
}

/* The reason, and as many of the addresses tried as there is room for. */
static void describe(const struct wf_dial *dial, struct wf_dial_result *result)
{
    size_t cap = sizeof(result->text);
    int len = snprintf(result->text, cap, "%s", strerror(result->sys_errno));
    for (size_t i = 0; i < dial->begun && len > 0 && (size_t)len < cap; i++) {
        char address[WF_ADDRESS_TEXT_MAX];
        (void)wf_address_text(&dial->addresses[i], address, sizeof(address));
        const char *between = i == 0 ? " (" : ", ";
        if ((size_t)len + strlen(", ") + strlen(address) + sizeof(", ...)") > cap) {
            len += snprintf(result->text + len, cap - (size_t)len, "%s...", between);
            break;
        }
        len += snprintf(result->text + len, cap - (size_t)len, "%s%s", between, address);
    }
    if (dial->begun > 0 && len > 0 && (size_t)len < cap)
        (void)snprintf(result->text + len, cap - (size_t)len, ")");
}

static void finish(struct wf_dial *dial, struct attempt *winner)
{
    struct wf_dial_result result = {.fd = -1, .tried = dial->begun};
    if (winner != NULL) {
        wf_poller_remove(dial->poller, &winner->source);
        result.fd = winner->source.fd;
        result.address = dial->addresses[winner - dial->attempts];
        winner->source.fd = -1;
        dial->open--;
        note_slow(dial, dial->stagger_ms);
    } else {
        result.sys_errno = dial->sys_errno;
        describe(dial, &result);
    }
    wf_dial_fn *done = dial->done;
    void *user = dial->user;
    dial_free(dial);
    done(user, &result);
}

static void attempt_ready(struct wf_poll_source *source, uint32_t epoll_events)
{
    struct attempt *attempt = wf_container_of(source, struct attempt, source);
    struct wf_dial *dial = attempt->dial;
    if ((epoll_events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0)
        return;

    int failure = 0;
    socklen_t len = sizeof(failure);
    if (getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &failure, &len) < 0)
        failure = errno;
    if (failure == 0 && (epoll_events & EPOLLOUT) != 0) {
        finish(dial, attempt);
        return;
    }
    record(dial, failure != 0 ? failure : ECONNABORTED);
    note_bad(dial, attempt);
    close_attempt(dial, attempt);
    if (dial->begun < dial->count)
        wf_timer_set(dial->timers, &dial->timer, 0);
    else if (dial->open == 0)
        finish(dial, NULL);
}

/* 0, EINPROGRESS, or why it failed. Only for the first two there is a descriptor. */
static int connect_socket(const struct wf_address *address, int *out_fd)
{
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    const int on = 1;
    if ((family == AF_INET || family == AF_INET6) &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        goto fail;
    *out_fd = fd;
    if (connect(fd, (const struct sockaddr *)&address->storage, address->len) == 0)
        return 0;
    /* An interrupted connect goes on in the background like one in progress. */
    if (errno == EINPROGRESS || errno == EINTR)
        return EINPROGRESS;
fail:;
    int failure = errno;
    (void)close(fd);
    return failure;
}

/* Begins the next attempt. 0: it is under way, or has finished the dial (*out_finished). EAGAIN: to
 * be begun later. */
static int begin(struct wf_dial *dial, bool *out_finished)
{
    struct attempt *attempt = &dial->attempts[dial->begun];
    const struct wf_address *address = &dial->addresses[dial->begun];
    int fd = -1;
    int outcome = connect_socket(address, &fd);
    if (outcome == EAGAIN && address->storage.ss_family == AF_UNIX)
        return EAGAIN;
    dial->begun++;
    attempt->dial = dial;
    attempt->begun_ms = dial->timers->now_ms;
    wf_poll_source_init(&attempt->source, -1, attempt_ready);
    if (outcome != 0 && outcome != EINPROGRESS) {
        if (!is_own_limit(outcome))
            note_bad(dial, attempt);
        return outcome == EAGAIN ? EADDRNOTAVAIL
                                 : outcome; /* no local port: not to be waited for */
    }

    attempt->source.fd = fd;
    int failure = wf_poller_add(dial->poller, &attempt->source, WF_POLL_SOCKET);
    if (failure != 0) {
        (void)close(fd);
        attempt->source.fd = -1;
        return failure;
    }
    dial->open++;
    if (outcome == 0) {
        *out_finished = true;
        finish(dial, attempt);
    }
    return 0;
}

/* Attempts begin here and nowhere else: the wheel's now is fresh inside its callbacks, so the wait
 * for the next attempt is counted right. */
static void dial_step(struct wf_timer *timer)
{
    struct wf_dial *dial = wf_container_of(timer, struct wf_dial, timer);
    while (dial->begun < dial->count) {
        bool finished = false;
        int failure = begin(dial, &finished);
        if (finished)
            return;
        if (failure == EAGAIN) {
            wf_timer_set(dial->timers, &dial->timer, dial->timers->now_ms + FULL_BACKLOG_MS);
            return;
        }
        if (failure != 0) {
            record(dial, failure);
            continue;
        }
        if (dial->begun < dial->count)
            wf_timer_set(dial->timers, &dial->timer, dial->timers->now_ms + dial->stagger_ms);
        return;
    }
    if (dial->open == 0)
        finish(dial, NULL);
}

struct wf_dial *wf_dial_start(struct wf_poller *poller, struct wf_timers *timers,
                              const struct wf_address *addresses, size_t count, uint32_t stagger_ms,
                              wf_dial_fn *done, void *user)
{
    struct wf_dial *dial = wf_calloc(1, sizeof(*dial));
    if (dial == NULL)
        return NULL;
    dial->poller = poller;
    dial->timers = timers;
    dial->stagger_ms = stagger_ms;
    dial->done = done;
    dial->user = user;
    dial->count = count < WF_ADDRESSES_MAX ? count : WF_ADDRESSES_MAX;
    if (dial->count > 0)
        memcpy(dial->addresses, addresses, dial->count * sizeof(addresses[0]));
    else
        dial->sys_errno = EDESTADDRREQ;
    wf_timer_init(&dial->timer, dial_step);
    wf_timer_set(timers, &dial->timer, 0);
    return dial;
}

void wf_dial_watch(struct wf_dial *dial, struct wf_bad_addresses *bad)
{
    dial->bad = bad;
}

void wf_dial_cancel(struct wf_dial *dial)
{
    if (dial == NULL)
        return;
    note_slow(dial, SILENT_MS);
    dial_free(dial);
}
