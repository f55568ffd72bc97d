/* The bound on what waits for its turn. */
#include "fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_windows_of_all_transfers_stay_below_the_bound(void **state)
{
    (void)state;
    for (size_t transfers = 1; transfers <= 256; transfers++) {
        uint32_t window = wf_fetch_stream_window(transfers);

        assert_true(window >= 65535);
        assert_true(window <= 1u << 20);
        assert_true(transfers * window <= 24u << 20);
    }
}

static void test_a_few_transfers_get_a_whole_window(void **state)
{
    (void)state;
    assert_int_equal(wf_fetch_stream_window(1), 1u << 20);
    assert_int_equal(wf_fetch_stream_window(24), 1u << 20);
}

static void test_those_that_wait_here_need_no_window(void **state)
{
    (void)state;
    assert_int_equal(wf_fetch_stream_window(100000), wf_fetch_stream_window(256));
    assert_int_equal(wf_fetch_stream_window(0), 1u << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_of_all_transfers_stay_below_the_bound),
        cmocka_unit_test(test_a_few_transfers_get_a_whole_window),
        cmocka_unit_test(test_those_that_wait_here_need_no_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
