#include "support/faulty_socket.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define MAX_FDS 1024

/* The linker sends calls of recv() to __wrap_recv(), and so on. */
ssize_t __real_recv(int fd, void *buf, size_t len, int flags);
ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_socket(int domain, int type, int protocol);
int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __real_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);

struct watch {
    int epoll_fd;
    struct epoll_event event;
    bool is_set;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct faults faults;
static long calls[FAULTY_CALLS];
static struct watch watches[MAX_FDS];
static _Thread_local bool is_spared;

void faulty_socket_set(const struct faults *wanted)
{
    pthread_mutex_lock(&lock);
    faults = wanted != NULL ? *wanted : (struct faults){0};
    memset(calls, 0, sizeof(calls));
    pthread_mutex_unlock(&lock);
}

long faulty_socket_calls(enum faulty_call call)
{
    pthread_mutex_lock(&lock);
    long count = calls[call];
    pthread_mutex_unlock(&lock);
    return count;
}

void faulty_socket_spare(void)
{
    is_spared = true;
}

/* Makes the kernel tell again what is ready. */
static void arm_again(int fd)
{
    if (fd < 0 || fd >= MAX_FDS || !watches[fd].is_set)
        return;
    struct epoll_event event = watches[fd].event;
    /* A descriptor that is watched no more needs no telling. */
    (void)__real_epoll_ctl(watches[fd].epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

/* Counts a call. Returns the error that it is to end with, or 0. */
static int count_call(enum faulty_call call)
{
    calls[call]++;
    return faults.fails_at[call] != 0 && calls[call] >= faults.fails_at[call] ? faults.error[call]
                                                                              : 0;
}

/* What becomes of a transfer of @len octets: an error, or how many it may be. */
static int plan(enum faulty_call call, int fd, size_t *len)
{
    pthread_mutex_lock(&lock);
    int error = count_call(call);
    bool is_odd = calls[call] % 2 == 1;
    if (error == 0 && faults.interrupted[call] && is_odd)
        error = EINTR;
    if (error == 0 && faults.again[call] && is_odd) {
        arm_again(fd);
        error = EAGAIN;
    }
    size_t most = faults.max_len[call];
    if (calls[call] == 1 && faults.first_len[call] != 0)
        most = faults.first_len[call];
    if (error == 0 && most != 0 && most < *len)
        *len = most;
    pthread_mutex_unlock(&lock);
    return error;
}

static void was_short(int fd)
{
    pthread_mutex_lock(&lock);
    arm_again(fd);
    pthread_mutex_unlock(&lock);
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
    size_t most = len;
    if (is_spared || (flags & MSG_DONTWAIT) != 0)
        return __real_recv(fd, buf, len, flags);
    errno = plan(FAULTY_RECV, fd, &most);
    if (errno != 0)
        return -1;
    ssize_t got = __real_recv(fd, buf, most, flags);
    if (got > 0 && most < len)
        was_short(fd);
    return got;
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
    size_t most = len;
    if (is_spared)
        return __real_send(fd, buf, len, flags);
    errno = plan(FAULTY_SEND, fd, &most);
    if (errno != 0)
        return -1;
    ssize_t sent = __real_send(fd, buf, most, flags);
    if (sent > 0 && most < len)
        was_short(fd);
    return sent;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct iovec iov[64];
    struct msghdr part = *message;
    size_t total = 0;
    size_t count = 0;
    if (is_spared)
        return __real_sendmsg(fd, message, flags);
    for (size_t i = 0; i < message->msg_iovlen; i++)
        total += message->msg_iov[i].iov_len;
    size_t most = total;
    errno = plan(FAULTY_SEND, fd, &most);
    if (errno != 0)
        return -1;
    if (most == total)
        return __real_sendmsg(fd, message, flags);
    for (size_t left = most; left > 0 && count < 64; count++) {
        iov[count] = message->msg_iov[count];
        if (iov[count].iov_len > left)
            iov[count].iov_len = left;
        left -= iov[count].iov_len;
    }
    part.msg_iov = iov;
    part.msg_iovlen = count;
    ssize_t sent = __real_sendmsg(fd, &part, flags);
    was_short(fd);
    return sent;
}

static int plain_error(enum faulty_call call)
{
    pthread_mutex_lock(&lock);
    int error = count_call(call);
    pthread_mutex_unlock(&lock);
    return error;
}

int __wrap_socket(int domain, int type, int protocol)
{
    int error = is_spared ? 0 : plain_error(FAULTY_SOCKET);
    if (error == 0)
        return __real_socket(domain, type, protocol);
    errno = error;
    return -1;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    int error = is_spared ? 0 : plain_error(FAULTY_CONNECT);
    if (error == 0)
        return __real_connect(fd, address, len);
    errno = error;
    return -1;
}

int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    int error = 0;
    if (operation == EPOLL_CTL_ADD && !is_spared)
        error = plain_error(FAULTY_EPOLL_ADD);
    if (error != 0) {
        errno = error;
        return -1;
    }
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < MAX_FDS) {
        watches[fd].is_set = operation != EPOLL_CTL_DEL;
        watches[fd].epoll_fd = epoll_fd;
        if (operation != EPOLL_CTL_DEL)
            watches[fd].event = *event;
    }
    pthread_mutex_unlock(&lock);
    return __real_epoll_ctl(epoll_fd, operation, fd, event);
}
