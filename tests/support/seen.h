/* What a completion callback saw. CMocka's asserts stay on the test's own thread, so the callback
 * notes and the test looks. */
#ifndef TESTS_SUPPORT_SEEN_H
#define TESTS_SUPPORT_SEEN_H

#include "weft/weft.h"

#include <pthread.h>
#include <stdatomic.h>

struct seen {
    atomic_int calls;
    atomic_int code;
    atomic_int status;
    atomic_int wait_code;  /* of waiting for `other` inside the callback */
    atomic_int close_code; /* of closing `client` inside the callback */
    char thread_name[16];
    struct weft_client *client; /* NULL: not closed */
    struct weft_future *other;  /* NULL: not waited for */
    pthread_mutex_t lock;
    pthread_cond_t called;
};

void seen_init(struct seen *seen);
/* Waits until there were @calls callbacks. */
void seen_await(struct seen *seen, int calls);
/* Counts one call and tells whoever awaits it. */
void seen_count(struct seen *seen);
/* A delivery whose callback fills @seen. */
struct weft_delivery seen_delivery(struct seen *seen);

#endif
