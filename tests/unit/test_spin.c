/* Spinning: bounded, learned, and absent where it cannot help. */
#include "workers/spin.h"

#include "workers/park.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS 1000000u

/* As on a machine with CPUs to spare, whatever this one has. */
static void init_allowed(struct wf_spin *spin)
{
    wf_spin_init(spin);
    spin->allowed = true;
}

static unsigned limit_of(struct wf_spin *spin)
{
    return atomic_load_explicit(&spin->limit_ns, memory_order_relaxed);
}

static void wait_that_took(struct wf_spin *spin, uint64_t ns)
{
    struct wf_spin_wait wait;
    wf_spin_begin(&wait, spin);
    wait.began_ns = wf_now_ns() - ns;
    wf_spin_end(&wait);
}

/* The thread may lose its CPU within what should be a short wait; then that was not one. */
static void raise_limit(struct wf_spin *spin)
{
    for (int i = 0; i < 1000 && limit_of(spin) == 0; i++)
        wait_that_took(spin, 0);
}

static void test_without_a_spin_nobody_spins(void **state)
{
    (void)state;
    struct wf_spin_wait wait;
    wf_spin_begin(&wait, NULL);
    assert_false(wf_spin_again(&wait));
    wf_spin_end(&wait);
}

static void test_on_a_single_cpu_nobody_spins(void **state)
{
    (void)state;
    cpu_set_t before;
    assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((unsigned)sched_getcpu(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    struct wf_spin spin;
    wf_spin_init(&spin);
    assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
    wait_that_took(&spin, 0);
    struct wf_spin_wait wait;
    wf_spin_begin(&wait, &spin);
    assert_false(wf_spin_again(&wait));
}

static void test_short_waits_raise_the_limit_and_long_ones_lower_it_to_nothing(void **state)
{
    (void)state;
    struct wf_spin spin;
    init_allowed(&spin);
    assert_int_equal(limit_of(&spin), 0);
    raise_limit(&spin);
    unsigned high = limit_of(&spin);
    assert_in_range(high, 1000, 10000);
    wait_that_took(&spin, MS);
    assert_in_range(limit_of(&spin), 1, high - 1);
    for (int i = 0; i < 20; i++)
        wait_that_took(&spin, MS);
    assert_int_equal(limit_of(&spin), 0);
}

static void test_a_spin_ends(void **state)
{
    (void)state;
    struct wf_spin spin;
    init_allowed(&spin);
    raise_limit(&spin);
    struct wf_spin_wait wait;
    wf_spin_begin(&wait, &spin);
    unsigned rounds = 0;
    while (wf_spin_again(&wait))
        rounds++;
    assert_true(rounds > 0);
    assert_true(wf_now_ns() - wait.began_ns >= limit_of(&spin));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_spin_nobody_spins),
        cmocka_unit_test(test_on_a_single_cpu_nobody_spins),
        cmocka_unit_test(test_short_waits_raise_the_limit_and_long_ones_lower_it_to_nothing),
        cmocka_unit_test(test_a_spin_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
