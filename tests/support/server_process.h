/* loop_server, TLS in front of it, and h1_server in a process of their own, which is this program
 * executed again with
 * "--serve": so that memory and descriptors are the client's alone, and so that servers can die. */
#ifndef TESTS_SUPPORT_SERVER_PROCESS_H
#define TESTS_SUPPORT_SERVER_PROCESS_H

#include "support/random.h"

#include <stdbool.h>
#include <sys/types.h>

struct server_process {
    unsigned h2_port;
    unsigned h1_port;
    unsigned tls_port; /* HTTP/2; the certificate is of WEFT_TEST_CERTS */
    pid_t pid;
    int alive_fd; /* it ends when this is closed */
};

/* Ports that are free, and below those that the kernel gives to outgoing connections, which could
 * take them in between. */
void server_process_choose_ports(struct server_process *process, struct test_random *random);
/* Returns when all listen. Aborts when that cannot be done. */
void server_process_start(struct server_process *process);
/* Returns when it has gone; @kills: by SIGKILL. */
void server_process_stop(struct server_process *process, bool kills);

/* For main(): the other process's part. -1: this is not it. */
int server_process_main(int argc, char **argv);

#endif
