/* What the drivers of the peers' libraries share. */
#include "peer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void usage(void)
{
    fputs("usage: URL REQUESTS IN-FLIGHT CONNECTIONS [UPLOAD-FILE]\n", stderr);
    exit(2);
}

static void map_upload(struct peer_job *job, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0)
        usage();
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (data == MAP_FAILED)
        usage();
    close(fd);
    job->upload = data;
    job->upload_len = (size_t)st.st_size;
}

void peer_job_parse(struct peer_job *job, int argc, char **argv)
{
    *job = (struct peer_job){0};
    if (argc < 5 || sscanf(argv[1], "%*[htps]://%63[^:/]:%7[0-9]", job->host, job->port) != 2)
        usage();
    job->url = argv[1];
    job->tls = strncmp(argv[1], "https:", 6) == 0;
    job->path = strchr(strstr(argv[1], "://") + 3, '/');
    job->requests = strtoul(argv[2], NULL, 10);
    job->in_flight = strtoul(argv[3], NULL, 10);
    job->connections = strtoul(argv[4], NULL, 10);
    if (job->path == NULL || job->requests == 0 || job->in_flight == 0 || job->connections == 0)
        usage();
    if (argc > 5 && argv[5][0] != '\0')
        map_upload(job, argv[5]);
    job->latencies_us = calloc(job->requests, sizeof(*job->latencies_us));
    if (job->latencies_us == NULL)
        exit(1);
}

uint64_t peer_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void peer_job_done(struct peer_job *job, bool succeeded, uint64_t began_us)
{
    if (succeeded)
        job->latencies_us[job->succeeded++] = (uint32_t)(peer_now_us() - began_us);
    else
        job->failed++;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int peer_job_report(struct peer_job *job)
{
    size_t count = job->succeeded;
    qsort(job->latencies_us, count, sizeof(*job->latencies_us), compare);
    printf("REPORT ok=%zu err=%zu p50us=%u.0 p99us=%u.0\n", count, job->failed,
           count > 0 ? job->latencies_us[count / 2] : 0,
           count > 0 ? job->latencies_us[count * 99 / 100] : 0);
    free(job->latencies_us);
    return count == job->requests ? 0 : 1;
}
