#include "io_thread/tls_pins.h"

#include "support/cmocka.h"

#include <string.h>

/* The SHA-256 of the empty string is no key's: here it is of "abc" (FIPS 180-2 appendix B.1). */
#define PIN_ABC "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define PIN_ONE "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="

static void test_a_pin_is_the_sha256_of_a_key(void **state)
{
    (void)state;
    static const char *const texts[] = {PIN_ONE, PIN_ABC, NULL};
    struct wf_pins pins;
    const char *bad;
    assert_int_equal(wf_pins_init(&pins, texts, &bad), WF_PINS_OK);
    assert_int_equal(pins.count, 2);
    assert_true(wf_pins_match(&pins, wf_slice_str("abc")));
    assert_false(wf_pins_match(&pins, wf_slice_str("abd")));
    assert_false(wf_pins_match(&pins, wf_slice_str("")));
    wf_pins_fini(&pins);
}

static void test_one_pin_that_does_not_match_matches_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {PIN_ONE, NULL};
    struct wf_pins pins;
    const char *bad;
    assert_int_equal(wf_pins_init(&pins, texts, &bad), WF_PINS_OK);
    assert_false(wf_pins_match(&pins, wf_slice_str("abc")));
    wf_pins_fini(&pins);
}

static void test_without_pins_there_is_nothing_to_hold(void **state)
{
    (void)state;
    static const char *const none[] = {NULL};
    struct wf_pins pins;
    const char *bad;
    assert_int_equal(wf_pins_init(&pins, NULL, &bad), WF_PINS_OK);
    assert_int_equal(pins.count, 0);
    assert_int_equal(wf_pins_init(&pins, none, &bad), WF_PINS_OK);
    assert_int_equal(pins.count, 0);
}

static void test_what_is_no_pin_is_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "sha256//",
        "sha1//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        "SHA256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",   /* no padding */
        "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0==", /* too much */
        "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFaA",   /* 43 digits */
        "sha256//ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=",  /* base64url */
        "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=",  /* bits behind the end */
        "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0\n",
        PIN_ABC ";" PIN_ONE,
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *const texts[] = {PIN_ABC, wrong[i], NULL};
        struct wf_pins pins;
        const char *bad;
        assert_int_equal(wf_pins_init(&pins, texts, &bad), WF_PINS_MALFORMED);
        assert_ptr_equal(bad, wrong[i]);
        assert_int_equal(pins.count, 0);
    }
}

static void test_more_pins_than_the_bound_are_refused(void **state)
{
    (void)state;
    const char *texts[WF_PINS_MAX + 2] = {NULL};
    struct wf_pins pins;
    const char *bad;
    for (size_t i = 0; i < WF_PINS_MAX; i++)
        texts[i] = PIN_ABC;
    assert_int_equal(wf_pins_init(&pins, texts, &bad), WF_PINS_OK);
    assert_int_equal(pins.count, WF_PINS_MAX);
    wf_pins_fini(&pins);
    texts[WF_PINS_MAX] = PIN_ABC;
    assert_int_equal(wf_pins_init(&pins, texts, &bad), WF_PINS_TOO_MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pin_is_the_sha256_of_a_key),
        cmocka_unit_test(test_one_pin_that_does_not_match_matches_nothing),
        cmocka_unit_test(test_without_pins_there_is_nothing_to_hold),
        cmocka_unit_test(test_what_is_no_pin_is_named),
        cmocka_unit_test(test_more_pins_than_the_bound_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
