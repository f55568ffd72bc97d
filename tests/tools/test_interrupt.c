/* SIGINT as a flag, a descriptor and an interrupted call. */
#include "common/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* In a process of its own, since the flag stays set. Returns its wait status. */
static int in_child(int (*body)(void))
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0)
        _exit(body());
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int one_signal(void)
{
    struct pollfd fd = {.events = POLLIN};

    if (!wf_tool_interrupt_install() || wf_tool_interrupt_signal() != 0)
        return 1;
    fd.fd = wf_tool_interrupt_fd();
    if (poll(&fd, 1, 0) != 0)
        return 2;
    raise(SIGTERM);
    if (wf_tool_interrupt_signal() != SIGTERM)
        return 3;
    return poll(&fd, 1, 0) == 1 ? 0 : 4;
}

static void test_a_signal_sets_the_flag_and_the_descriptor(void **state)
{
    (void)state;
    assert_int_equal(in_child(one_signal), 0);
}

static int two_signals(void)
{
    if (!wf_tool_interrupt_install())
        return 1;
    raise(SIGINT);
    raise(SIGINT);
    return 2;
}

static void test_the_second_signal_ends_the_program(void **state)
{
    int status = in_child(two_signals);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

static void *raise_here(void *user)
{
    pthread_kill(pthread_self(), SIGINT);
    return user;
}

/* The main thread sleeps until the signal that another thread got is its own. */
static int signal_elsewhere(void)
{
    pthread_t thread;

    if (!wf_tool_interrupt_install())
        return 1;
    alarm(10);
    if (pthread_create(&thread, NULL, raise_here, NULL) != 0)
        return 2;
    while (!wf_tool_interrupt_signal()) {
        struct pollfd fd = {.fd = wf_tool_interrupt_fd(), .events = POLLIN};

        poll(&fd, 1, -1);
    }
    pthread_join(thread, NULL);
    return wf_tool_interrupt_signal() == SIGINT ? 0 : 3;
}

static void test_a_signal_to_another_thread_reaches_the_main_thread(void **state)
{
    (void)state;
    assert_int_equal(in_child(signal_elsewhere), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_signal_sets_the_flag_and_the_descriptor),
        cmocka_unit_test(test_the_second_signal_ends_the_program),
        cmocka_unit_test(test_a_signal_to_another_thread_reaches_the_main_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
