#include "support/server_process.h"

#include "support/h1_server.h"
#include "support/loop_server.h"
#include "support/tls_front.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_PORT 12000u
#define PORTS      20000u

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "server_process: %s: %s\n", what, strerror(errno));
    abort();
}

static unsigned free_port(struct test_random *random)
{
    for (;;) {
        unsigned port = FIRST_PORT + (unsigned)test_random_below(random, PORTS);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(fd >= 0, "socket");
        bool is_free = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        (void)close(fd);
        if (is_free)
            return port;
    }
}

void server_process_choose_ports(struct server_process *process, struct test_random *random)
{
    process->h2_port = free_port(random);
    do {
        process->h1_port = free_port(random);
        process->tls_port = free_port(random);
    } while (process->h1_port == process->h2_port || process->tls_port == process->h2_port ||
             process->tls_port == process->h1_port);
}

void server_process_start(struct server_process *process)
{
    int in[2];
    int out[2];
    char h2[16];
    char h1[16];
    char tls[16];
    char octet = 0;
    must(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe");
    (void)snprintf(h2, sizeof(h2), "%u", process->h2_port);
    (void)snprintf(h1, sizeof(h1), "%u", process->h1_port);
    (void)snprintf(tls, sizeof(tls), "%u", process->tls_port);
    process->pid = fork();
    must(process->pid >= 0, "fork");
    if (process->pid == 0) {
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        (void)execl("/proc/self/exe", "servers", "--serve", h2, h1, tls, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    process->alive_fd = in[1];
    must(read(out[0], &octet, 1) == 1, "the servers do not listen");
    (void)close(out[0]);
}

void server_process_stop(struct server_process *process, bool kills)
{
    if (kills)
        (void)kill(process->pid, SIGKILL);
    (void)close(process->alive_fd);
    (void)waitpid(process->pid, NULL, 0);
}

int server_process_main(int argc, char **argv)
{
    if (argc != 5 || strcmp(argv[1], "--serve") != 0)
        return -1;
    struct loop_server_config config = {.port = (uint16_t)strtoul(argv[2], NULL, 10),
                                        .max_streams = 50};
    struct loop_server *h2 = loop_server_new(&config);
    struct h1_server *h1 = h1_server_new((uint16_t)strtoul(argv[3], NULL, 10));
    struct tls_front *tls =
        tls_front_new((uint16_t)strtoul(argv[4], NULL, 10), loop_server_port(h2), "h2");
    char octet = '!';
    must(write(1, &octet, 1) == 1, "write");
    while (read(0, &octet, 1) > 0)
        ;
    tls_front_free(tls);
    h1_server_free(h1);
    loop_server_free(h2);
    return 0;
}
