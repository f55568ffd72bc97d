/* Four producers and a consumer that sleeps on the mailbox's own word whenever it may. */
#include "workers/mailbox.h"

#include "workers/park.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PRODUCERS 4
#define LETTERS   80000
#define CHAIN     3 /* each second push is a chain of so many */

struct letter {
    struct wf_mail mail;
    int producer;
    int number;
};

struct producer {
    struct wf_mailbox *mb;
    pthread_t thread;
    int index;
    size_t wakes;
    struct letter letters[LETTERS];
};

static struct producer producers[PRODUCERS];

static void *produce(void *arg)
{
    struct producer *p = arg;
    int i = 0;
    while (i < LETTERS) {
        int first = i;
        int count = first % 2 == 0 ? 1 : CHAIN;
        for (; i < first + count && i < LETTERS; i++) {
            p->letters[i] = (struct letter){.producer = p->index, .number = i};
            if (i > first)
                p->letters[i].mail.next = &p->letters[i - 1].mail;
        }
        if (wf_mailbox_push(p->mb, &p->letters[i - 1].mail, &p->letters[first].mail)) {
            p->wakes++;
            wf_park_wake(&p->mb->asleep, 1);
        }
    }
    return NULL;
}

static size_t sleep_if_empty(struct wf_mailbox *mb)
{
    size_t slept = 0;
    if (wf_mailbox_prepare_sleep(mb)) {
        slept = 1;
        while (atomic_load_explicit(&mb->asleep, memory_order_relaxed) != 0)
            (void)wf_park_wait(&mb->asleep, 1, WF_NEVER);
    }
    wf_mailbox_end_sleep(mb);
    return slept;
}

static void test_every_letter_arrives_once_and_in_its_producers_order(void **state)
{
    (void)state;
    static struct wf_mailbox mb;
    wf_mailbox_init(&mb);
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i].mb = &mb;
        producers[i].index = i;
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    int next[PRODUCERS] = {0};
    size_t sleeps = 0;
    size_t left = (size_t)PRODUCERS * LETTERS;
    int out_of_order = 0;
    while (left > 0) {
        struct wf_mail *mail = wf_mailbox_take_all(&mb);
        if (mail == NULL)
            sleeps += sleep_if_empty(&mb);
        for (; mail != NULL; mail = mail->next, left--) {
            struct letter *letter = wf_container_of(mail, struct letter, mail);
            out_of_order += letter->number != next[letter->producer]++;
        }
    }
    size_t wakes = 0;
    for (int i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_join(producers[i].thread, NULL), 0);
        wakes += producers[i].wakes;
    }
    assert_int_equal(out_of_order, 0);
    assert_null(wf_mailbox_take_all(&mb));
    /* Each sleep is ended by a push, and no push but one is told; a refused sleep may be told too.
     */
    assert_true(wakes >= sleeps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_letter_arrives_once_and_in_its_producers_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
