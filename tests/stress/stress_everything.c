/* Everything at once: sixteen threads submit, cancel, read, write, finish, wait, drop and close, on
 * clients of several I/O threads, over HTTP/1.1, HTTP/2 and TLS, while servers misbehave and are
 * killed and started again. Each submission completes exactly once, the counts add up, no
 * descriptor stays open, and memory is level.
 *
 *   stress_everything [SECONDS [SEED]]
 *
 * The servers are a process of their own ("--serve"), so that memory and descriptors are the
 * client's alone. What is random follows from the seed, which is printed; the order in which
 * threads run does not. */
#include "everything.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define THREADS     16u
#define SHORT_RUN_S 5u

struct server_process everything_servers;
char everything_letters[LETTERS];
atomic_bool everything_is_over;
atomic_ullong everything_callbacks;
atomic_ullong everything_wrong;

static uint64_t restarts;

void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "stress_everything: %s: %s\n", what, strerror(errno));
    exit(1);
}

void complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    atomic_fetch_add(&everything_wrong, 1);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    must(dir != NULL, "/proc/self/fd");
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count;
}

/* Once a second: memory is sampled, and now and then the servers or the client change. */
static void conduct(unsigned seconds, struct test_random *random)
{
    unsigned period = seconds < 60 ? 2 : 7;
    for (unsigned s = 1; s <= seconds; s++) {
        (void)sleep(1);
        memory_sample();
        if (s % period == 1) {
            server_process_stop(&everything_servers, test_random_below(random, 2) == 0);
            server_process_start(&everything_servers);
            restarts++;
        }
        if (s % (period + 1) == 2)
            clients_replace_one((int64_t)test_random_below(random, 100));
        if (s % 30 == 0)
            memory_print(s);
        (void)fflush(stdout);
    }
    memory_judge(seconds);
}

static void report(struct caller *callers)
{
    struct caller sum = {0};
    const struct client_totals *total = clients_totals();
    for (unsigned i = 0; i < THREADS; i++) {
        for (unsigned k = 0; k < KINDS; k++)
            sum.submitted[k] += callers[i].submitted[k];
        for (unsigned k = 0; k < WEFT_CODE_COUNT; k++)
            sum.codes[k] += callers[i].codes[k];
        sum.dropped += callers[i].dropped;
        sum.waited += callers[i].waited;
        sum.queue_done += callers[i].queue_done;
    }
    unsigned long long all = sum.submitted[0] + sum.submitted[1] + sum.submitted[2];
    printf(
        "%llu submitted: %llu to wait for (%llu waited, %llu dropped), %llu with callbacks (%llu "
        "came), %llu to queues (%llu came)\n",
        all, (unsigned long long)sum.submitted[0], (unsigned long long)sum.waited,
        (unsigned long long)sum.dropped, (unsigned long long)sum.submitted[1],
        (unsigned long long)everything_callbacks, (unsigned long long)sum.submitted[2],
        (unsigned long long)sum.queue_done);
    printf("%llu succeeded, %llu failed, %llu retries, %llu connections, %llu clients, %llu "
           "restarts of the servers\n",
           (unsigned long long)total->succeeded, (unsigned long long)total->failed,
           (unsigned long long)total->retries, (unsigned long long)total->connections,
           (unsigned long long)total->clients, (unsigned long long)restarts);
    for (unsigned k = 0; k < WEFT_CODE_COUNT; k++) {
        if (sum.codes[k] > 0)
            printf("  %s %llu\n", weft_code_name((enum weft_code)k),
                   (unsigned long long)sum.codes[k]);
    }
    if (sum.submitted[BY_WAIT] != sum.waited + sum.dropped ||
        sum.submitted[BY_CALLBACK] != everything_callbacks ||
        sum.submitted[BY_QUEUE] != sum.queue_done)
        complain("completions do not add up\n");
    if (total->succeeded + total->failed != all)
        complain("the client's counters do not add up: %llu of %llu\n",
                 (unsigned long long)(total->succeeded + total->failed), all);
    if (sum.codes[WEFT_OK] == 0)
        complain("nothing ever succeeded\n");
}

static void run(unsigned seconds, struct test_random *random)
{
    static struct caller callers[THREADS];
    clients_open();
    for (unsigned i = 0; i < THREADS; i++) {
        callers[i].random.state = test_random_next(random);
        callers[i].cq = weft_cq_new();
        must(callers[i].cq != NULL, "weft_cq_new");
    }
    for (unsigned i = 0; i < THREADS; i++)
        must(pthread_create(&callers[i].thread, NULL, caller_run, &callers[i]) == 0, "thread");
    conduct(seconds, random);
    everything_is_over = true;
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(callers[i].thread, NULL);
    clients_close(100);
    for (unsigned i = 0; i < THREADS; i++) {
        uint64_t before;
        do {
            before = callers[i].queue_done;
            caller_take_events(&callers[i]);
        } while (callers[i].queue_done > before);
        weft_cq_unref(callers[i].cq);
    }
    /* No future is left, so no octet of a body is. */
    clients_free();
    memory_judge_end();
    report(callers);
}

int main(int argc, char **argv)
{
    int status = server_process_main(argc, argv);
    if (status >= 0)
        return status;
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : SHORT_RUN_S;
    struct test_random random;
    if (argc > 2) {
        random.state = strtoull(argv[2], NULL, 10);
        printf("seed %s\n", argv[2]);
    } else {
        random = test_random_start("stress_everything");
    }
    if (seconds == 0) {
        (void)fprintf(stderr, "usage: stress_everything [SECONDS [SEED]]\n");
        return 2;
    }
    for (size_t i = 0; i < LETTERS; i++)
        everything_letters[i] = (char)('a' + i % 26);
    memory_start();
    server_process_choose_ports(&everything_servers, &random);
    unsigned before = open_descriptors();
    server_process_start(&everything_servers);
    run(seconds, &random);
    server_process_stop(&everything_servers, false);
    unsigned after = open_descriptors();
    printf("descriptors: %u before, %u after\n", before, after);
    if (before != after)
        complain("descriptors were left open\n");
    printf("%s\n", everything_wrong == 0 ? "all is well" : "something is wrong");
    return everything_wrong == 0 ? 0 : 1;
}
