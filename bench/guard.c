/* Two fixed workloads in memory, for counting instructions; scripts/check-instructions runs it.
 *
 *   guard session REQUESTS   a client's and a server's session, nothing else
 *   guard path REQUESTS      submission, mailbox, the I/O thread's turn, session, completion queue
 *
 * 100 requests at a time, as a busy client has them. What is counted happens in counted(), all
 * else outside: the canned answers of the second workload, for instance. */
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void guard_check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "guard: %s\n", what);
        exit(1);
    }
}

void counted(guard_step_fn *step, void *user)
{
    step(user);
}

int main(int argc, char **argv)
{
    unsigned long requests = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    unsigned long rounds = requests / GUARD_IN_FLIGHT;
    if (rounds > 0 && strcmp(argv[1], "session") == 0)
        guard_session(rounds);
    else if (rounds > 0 && strcmp(argv[1], "path") == 0)
        guard_path(rounds);
    else
        guard_check(false, "usage: guard session|path REQUESTS (100 at least)");
    return 0;
}
