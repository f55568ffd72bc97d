/* What the files of stress_everything share: the programme that its callers follow, and the clients
 * that they use. A complaint makes the whole fail. */
#ifndef WF_TESTS_EVERYTHING_H
#define WF_TESTS_EVERYTHING_H

#include "support/random.h"
#include "support/server_process.h"
#include "weft/weft.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define OPEN_AT_ONCE 24u
#define KINDS        3u
#define LETTERS      70000u

/* By which a client speaks. TLS is HTTP/2 over it. */
enum protocol { H2, H1, TLS, PROTOCOLS };

enum kind { BY_WAIT, BY_CALLBACK, BY_QUEUE };

struct caller {
    pthread_t thread;
    struct test_random random;
    struct weft_cq *cq;
    struct weft_future *open[OPEN_AT_ONCE];
    uint64_t submitted[KINDS];
    uint64_t dropped; /* BY_WAIT, and nobody waited */
    uint64_t waited;
    uint64_t queue_done;
    uint64_t codes[WEFT_CODE_COUNT];
};

/* Of the clients that are closed. */
struct client_totals {
    uint64_t clients;
    uint64_t succeeded;
    uint64_t failed;
    uint64_t retries;
    uint64_t connections;
};

extern struct server_process everything_servers; /* started before the first call, ports chosen */
extern char everything_letters[LETTERS];         /* as the servers' bodies, "abc...zabc..." */
extern atomic_bool everything_is_over;           /* callers leave their loops */
extern atomic_ullong everything_callbacks;       /* that came */
extern atomic_ullong everything_wrong;           /* complaints */

/* Ends the program with @what unless @ok. */
void must(bool ok, const char *what);
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* One client for each protocol that stays from start to end, so that what a client gathers shows,
 * and one that is replaced now and then. The conductor's thread opens and closes; take is for any.
 */
void clients_open(void);
/* A reference. */
struct weft_client *clients_take(enum protocol protocol, bool stays);
/* Closes the one of those that are replaced whose turn it is, in the middle of everything. */
void clients_replace_one(int64_t drain_ms);
/* Closes all that are open, which can still be asked for their counts. */
void clients_close(int64_t drain_ms);
/* Once no future is left. Complains when any octet of a body is. */
void clients_free(void);
const struct client_totals *clients_totals(void);

/* The thread of a caller; its argument is a struct caller with a random state and a queue. */
void *caller_run(void *user);
/* Takes what is in the queue now, on any thread, one at a time. */
void caller_take_events(struct caller *caller);

/* Before the first thread and the first client. */
void memory_start(void);
/* Samples memory; the conductor calls it once a second. */
void memory_sample(void);
void memory_print(unsigned second);
/* Complains when memory was not level over a run of @seconds, if that is long enough to tell. */
void memory_judge(unsigned seconds);
/* Complains when anything of the library's is still allocated. */
void memory_judge_end(void);

#endif
