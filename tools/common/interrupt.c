/* A signal handler that sets a flag and writes to a pipe. */
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t came;
static int pipe_fds[2] = {-1, -1};
static pthread_t main_thread;

static void on_signal(int number)
{
    int saved = errno;

    if (!pthread_equal(pthread_self(), main_thread)) {
        /* The main thread may be blocked in a write, which only a signal of its own ends. */
        pthread_kill(main_thread, number);
    } else if (came) {
        signal(number, SIG_DFL);
        raise(number);
    } else {
        came = number;
        /* The pipe holds more than the one octet that is ever written. */
        if (write(pipe_fds[1], "", 1) < 0)
            came = number;
    }
    errno = saved;
}

bool wf_tool_interrupt_install(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    main_thread = pthread_self();
    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0;
}

int wf_tool_interrupt_signal(void)
{
    return came;
}

int wf_tool_interrupt_fd(void)
{
    return pipe_fds[0];
}
