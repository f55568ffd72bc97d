#include "h2/flow.h"
#include "support/cmocka.h"

static void test_a_window_goes_up_to_2_31_less_1(void **state)
{
    (void)state;
    int32_t window = 65535;
    assert_true(wf_h2_window_add(&window, 0x7fffffff - 65535));
    assert_int_equal(window, 0x7fffffff);
    assert_false(wf_h2_window_add(&window, 1));
    assert_int_equal(window, 0x7fffffff);
    assert_false(wf_h2_window_add(&window, 0x7fffffff));
}

static void test_a_window_goes_below_zero_and_comes_back(void **state)
{
    (void)state;
    int32_t window = 5;
    assert_true(wf_h2_window_shift(&window, 65535, 0));
    assert_int_equal(window, 5 - 65535);
    assert_true(wf_h2_window_add(&window, 65530));
    assert_int_equal(window, 0);
    assert_true(wf_h2_window_shift(&window, 0, 0x7fffffff));
    assert_int_equal(window, 0x7fffffff);
}

static void test_a_shift_out_of_range_changes_nothing(void **state)
{
    (void)state;
    int32_t window = 1;
    assert_false(wf_h2_window_shift(&window, 0, 0x7fffffff));
    assert_int_equal(window, 1);
    window = -0x7fffffff;
    assert_false(wf_h2_window_shift(&window, 1, 0));
    assert_int_equal(window, -0x7fffffff);
}

static void test_no_more_is_received_than_the_window_holds(void **state)
{
    (void)state;
    struct wf_h2_recv_window window = {.open = 100};
    assert_true(wf_h2_recv_window_take(&window, 100));
    assert_false(wf_h2_recv_window_take(&window, 1));
    assert_true(wf_h2_recv_window_take(&window, 0));
    window.open = -5;
    assert_false(wf_h2_recv_window_take(&window, 1));
    assert_false(wf_h2_recv_window_take(&window, 0x80000000u));
}

static void test_credit_goes_back_at_half_the_target(void **state)
{
    (void)state;
    struct wf_h2_recv_window window = {.open = 100};
    assert_true(wf_h2_recv_window_take(&window, 80));
    assert_int_equal(wf_h2_recv_window_return(&window, 49, 100), 0);
    assert_int_equal(window.open, 20);
    assert_int_equal(wf_h2_recv_window_return(&window, 2, 100), 51);
    assert_int_equal(window.open, 71);
    assert_int_equal(window.unreturned, 0);
    assert_int_equal(wf_h2_recv_window_return(&window, 0, 100), 0);
}

static void test_a_window_of_one_octet_still_moves(void **state)
{
    (void)state;
    struct wf_h2_recv_window window = {.open = 1};
    assert_true(wf_h2_recv_window_take(&window, 1));
    assert_int_equal(wf_h2_recv_window_return(&window, 1, 1), 1);
    assert_int_equal(window.open, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_goes_up_to_2_31_less_1),
        cmocka_unit_test(test_a_window_goes_below_zero_and_comes_back),
        cmocka_unit_test(test_a_shift_out_of_range_changes_nothing),
        cmocka_unit_test(test_no_more_is_received_than_the_window_holds),
        cmocka_unit_test(test_credit_goes_back_at_half_the_target),
        cmocka_unit_test(test_a_window_of_one_octet_still_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
