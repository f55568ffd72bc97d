/* The mailbox on one thread: order, and who is told to wake whom. */
#include "workers/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct letter {
    struct wf_mail mail;
    int number;
};

struct fixture {
    struct wf_mailbox mb;
    struct letter letters[4];
};

static void set_up(struct fixture *f)
{
    wf_mailbox_init(&f->mb);
    for (int i = 0; i < 4; i++)
        f->letters[i] = (struct letter){.number = i};
}

static bool push(struct fixture *f, int i)
{
    return wf_mailbox_push(&f->mb, &f->letters[i].mail, &f->letters[i].mail);
}

static int number_of(const struct wf_mail *mail)
{
    return wf_container_of(mail, struct letter, mail)->number;
}

static void test_an_empty_mailbox_gives_nothing(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_null(wf_mailbox_take_all(&f.mb));
}

static void test_take_all_returns_oldest_first(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (int i = 0; i < 4; i++)
        assert_false(push(&f, i));
    struct wf_mail *mail = wf_mailbox_take_all(&f.mb);
    for (int i = 0; i < 4; i++) {
        assert_non_null(mail);
        assert_int_equal(number_of(mail), i);
        mail = mail->next;
    }
    assert_null(mail);
    assert_null(wf_mailbox_take_all(&f.mb));
}

static void test_a_chain_keeps_its_place_between_single_pushes(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_false(push(&f, 0));
    f.letters[2].mail.next = &f.letters[1].mail;
    f.letters[1].mail.next = &f.letters[3].mail; /* does not matter */
    assert_false(wf_mailbox_push(&f.mb, &f.letters[2].mail, &f.letters[1].mail));
    assert_false(push(&f, 3));
    struct wf_mail *mail = wf_mailbox_take_all(&f.mb);
    for (int i = 0; i < 4; i++, mail = mail->next)
        assert_int_equal(number_of(mail), i);
    assert_null(mail);
}

static void test_an_awake_consumer_is_never_woken(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_false(push(&f, 0));
    assert_false(push(&f, 1));
}

static void test_exactly_one_pusher_is_told_per_sleep(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_true(wf_mailbox_prepare_sleep(&f.mb));
    assert_true(push(&f, 0));
    assert_false(push(&f, 1));
    wf_mailbox_end_sleep(&f.mb);
    assert_non_null(wf_mailbox_take_all(&f.mb));
    assert_true(wf_mailbox_prepare_sleep(&f.mb));
    assert_true(push(&f, 2));
    assert_false(push(&f, 3));
}

static void test_sleep_is_refused_while_something_is_queued(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_false(push(&f, 0));
    assert_false(wf_mailbox_prepare_sleep(&f.mb));
    assert_false(push(&f, 1)); /* it stayed awake */
    assert_non_null(wf_mailbox_take_all(&f.mb));
    assert_true(wf_mailbox_prepare_sleep(&f.mb));
}

static void test_a_consumer_that_woke_by_itself_is_not_woken(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_true(wf_mailbox_prepare_sleep(&f.mb));
    wf_mailbox_end_sleep(&f.mb);
    assert_false(push(&f, 0));
}

/* The stages of a push are one compare-and-swap and a look at `asleep`. A producer that stops
 * between them delays a wake-up at most until the next one pushes, and what it pushed can be taken.
 */
static void test_a_producer_preempted_between_two_steps_of_a_push_holds_up_nobody(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_true(wf_mailbox_prepare_sleep(&f.mb));
    wf_mail_stack_push(&f.mb.mails, &f.letters[0].mail, &f.letters[0].mail); /* and no further */
    assert_true(push(&f, 1));
    struct wf_mail *mail = wf_mailbox_take_all(&f.mb);
    assert_int_equal(number_of(mail), 0);
    assert_int_equal(number_of(mail->next), 1);
    assert_null(mail->next->next);
    assert_false(wf_mailbox_claim_wake(&f.mb)); /* it goes on: somebody else has woken */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_mailbox_gives_nothing),
        cmocka_unit_test(test_take_all_returns_oldest_first),
        cmocka_unit_test(test_a_chain_keeps_its_place_between_single_pushes),
        cmocka_unit_test(test_an_awake_consumer_is_never_woken),
        cmocka_unit_test(test_exactly_one_pusher_is_told_per_sleep),
        cmocka_unit_test(test_sleep_is_refused_while_something_is_queued),
        cmocka_unit_test(test_a_consumer_that_woke_by_itself_is_not_woken),
        cmocka_unit_test(test_a_producer_preempted_between_two_steps_of_a_push_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
