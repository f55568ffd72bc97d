#include "io_thread/bad_addresses.h"

#include "support/cmocka.h"

#include <string.h>

static struct wf_address address_of(unsigned number)
{
    struct wf_address address = {.len = 16};
    memcpy(&address.storage, &number, sizeof(number));
    return address;
}

static unsigned number_of(const struct wf_address *address)
{
    unsigned number;
    memcpy(&number, &address->storage, sizeof(number));
    return number;
}

static void test_what_failed_goes_behind_the_others(void **state)
{
    (void)state;
    struct wf_bad_addresses bad = {0};
    struct wf_address list[] = {address_of(1), address_of(2), address_of(3), address_of(4)};
    wf_bad_addresses_note(&bad, &list[0], 0);
    wf_bad_addresses_note(&bad, &list[2], 0);
    wf_bad_addresses_sort(&bad, list, 4, 10);
    static const unsigned expected[] = {2, 4, 1, 3};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(number_of(&list[i]), expected[i]);
}

static void test_it_comes_back_after_a_while(void **state)
{
    (void)state;
    struct wf_bad_addresses bad = {0};
    struct wf_address one = address_of(1), none = {.len = 0};
    wf_bad_addresses_note(&bad, &one, 100);
    wf_bad_addresses_note(&bad, &none, 100);
    assert_int_equal(bad.count, 1);
    assert_true(wf_bad_addresses_has(&bad, &one, 100 + WF_BAD_ADDRESS_MS - 1));
    assert_false(wf_bad_addresses_has(&bad, &one, 100 + WF_BAD_ADDRESS_MS));
}

static void test_the_oldest_failure_is_forgotten_first(void **state)
{
    (void)state;
    struct wf_bad_addresses bad = {0};
    struct wf_address address;
    for (unsigned i = 0; i < WF_BAD_ADDRESSES_MAX; i++) {
        address = address_of(i);
        wf_bad_addresses_note(&bad, &address, i);
    }
    address = address_of(0);
    wf_bad_addresses_note(&bad, &address, 100); /* the latest now, and no second entry */
    assert_int_equal(bad.count, WF_BAD_ADDRESSES_MAX);
    address = address_of(1000);
    wf_bad_addresses_note(&bad, &address, 101);
    assert_int_equal(bad.count, WF_BAD_ADDRESSES_MAX);
    address = address_of(0);
    assert_true(wf_bad_addresses_has(&bad, &address, 101));
    address = address_of(1);
    assert_false(wf_bad_addresses_has(&bad, &address, 101));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_failed_goes_behind_the_others),
        cmocka_unit_test(test_it_comes_back_after_a_while),
        cmocka_unit_test(test_the_oldest_failure_is_forgotten_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
