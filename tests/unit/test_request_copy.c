/* Copies of requests: what they share with the original, and what they do not. */
#include "message/request.h"

#include "support/failing_alloc.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define URL "https://example.org:8443/path?query"

static struct weft_request *post(void)
{
    struct weft_request *request = weft_request_new("POST", URL);

    assert_non_null(request);
    assert_int_equal(weft_request_add_field(request, "x-one", "1"), WEFT_OK);
    return request;
}

static const struct wf_field *find(const struct weft_request *request, const char *name)
{
    const struct wf_field *found = NULL;

    for (size_t i = 0; i < wf_request_field_count(request); i++) {
        if (wf_slice_is(wf_request_fields(request)[i].name, name))
            found = &wf_request_fields(request)[i];
    }
    return found;
}

static void assert_value(const struct weft_request *request, const char *name, const char *value)
{
    const struct wf_field *field = find(request, name);

    assert_non_null(field);
    assert_true(wf_slice_is(field->value, value));
}

static void count_release(void *user)
{
    ++*(int *)user;
}

static void test_a_copy_says_the_same_and_outlives_its_original(void **state)
{
    (void)state;
    int released = 0;
    struct weft_request *request = post();
    assert_int_equal(weft_request_borrow_body(request, "body", 4, count_release, &released),
                     WEFT_OK);
    struct weft_request *copy = weft_request_copy(request);
    assert_non_null(copy);
    size_t count = wf_request_field_count(request);
    weft_request_unref(request);
    assert_int_equal(wf_request_field_count(copy), count);
    assert_value(copy, ":method", "POST");
    assert_value(copy, ":authority", "example.org:8443");
    assert_value(copy, ":path", "/path?query");
    assert_value(copy, "x-one", "1");
    assert_value(copy, "content-length", "4");
    assert_int_equal(wf_request_url(copy)->port, 8443);
    assert_true(wf_slice_is(wf_request_body(copy), "body"));
    assert_int_equal(released, 0);
    weft_request_unref(copy);
    assert_int_equal(released, 1);
}

static void test_what_is_added_to_a_copy_is_not_in_the_original(void **state)
{
    (void)state;
    struct weft_request *request = post();
    struct weft_request *copy = weft_request_copy(request);
    assert_non_null(copy);
    assert_int_equal(weft_request_add_field(copy, "X-Two", " 2 "), WEFT_OK);
    assert_int_equal(weft_request_add_field(copy, "user-agent", "other"), WEFT_OK);
    assert_int_equal(weft_request_set_body(copy, "longer body", 11), WEFT_OK);
    assert_value(copy, "x-two", "2");
    assert_value(copy, "user-agent", "other");
    assert_value(copy, "content-length", "11");
    assert_null(find(request, "x-two"));
    assert_value(request, "content-length", "0");
    assert_int_equal(wf_request_body(request).len, 0);
    weft_request_unref(copy);
    weft_request_unref(request);
}

static void test_the_original_is_frozen_and_the_copy_is_not(void **state)
{
    (void)state;
    struct weft_request *request = post();
    wf_request_submitted(request);
    wf_request_submitted(request);
    struct weft_request *copy = weft_request_copy(request);
    assert_non_null(copy);
    assert_int_equal(weft_request_add_field(request, "x", "y"), WEFT_ERR_FROZEN);
    assert_int_equal(weft_request_add_field(copy, "x", "y"), WEFT_OK);
    assert_true(wf_request_cache_key(copy) == 0);
    wf_request_submitted(copy);
    wf_request_submitted(copy);
    assert_true(wf_request_cache_key(copy) != wf_request_cache_key(request));
    weft_request_unref(copy);
    weft_request_unref(request);
}

static void test_a_copy_of_many_fields_has_them_all(void **state)
{
    (void)state;
    struct weft_request *request = post();
    char name[24];
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof(name), "x-field-%d", i);
        assert_int_equal(weft_request_add_field(request, name, "a value of some length"), WEFT_OK);
    }
    struct weft_request *copy = weft_request_copy(request);
    assert_non_null(copy);
    weft_request_unref(request);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof(name), "x-more-%d", i);
        assert_int_equal(weft_request_add_field(copy, name, "another value of some length"),
                         WEFT_OK);
    }
    assert_value(copy, "x-field-39", "a value of some length");
    assert_value(copy, "x-more-39", "another value of some length");
    weft_request_unref(copy);
}

static void test_a_copy_of_a_failed_request_has_failed(void **state)
{
    (void)state;
    struct weft_request *request = weft_request_new("GET", "not a URL");
    assert_non_null(request);
    struct weft_request *copy = weft_request_copy(request);
    assert_non_null(copy);
    assert_int_not_equal(weft_request_check(copy, NULL), WEFT_OK);
    assert_int_equal(weft_request_check(copy, NULL), weft_request_check(request, NULL));
    weft_request_unref(copy);
    weft_request_unref(request);
    assert_null(weft_request_copy(NULL));
}

static void test_what_is_wrong_with_a_copy_is_not_wrong_with_the_original(void **state)
{
    (void)state;
    struct weft_request *request = post();
    struct weft_request *copy = weft_request_copy(request);
    assert_non_null(copy);
    assert_int_equal(weft_request_add_field(copy, "upgrade", "h2c"), WEFT_ERR_INVALID_REQUEST);
    struct weft_request *copy_of_it = weft_request_copy(copy);
    assert_non_null(copy_of_it);
    weft_request_unref(copy);
    struct weft_error error;
    assert_int_equal(weft_request_check(copy_of_it, &error), WEFT_ERR_INVALID_REQUEST);
    assert_non_null(strstr(error.text, "upgrade"));
    assert_int_equal(weft_request_check(request, NULL), WEFT_OK);
    weft_request_unref(copy_of_it);
    weft_request_unref(request);
}

static void test_running_out_of_memory_gives_no_copy_and_loses_nothing(void **state)
{
    (void)state;
    char name[24];
    long n = 0;
    for (bool failed = true; failed; n++) {
        struct weft_request *request = post();
        for (int i = 0; i < 20; i++) {
            (void)snprintf(name, sizeof(name), "x-field-%d", i);
            assert_int_equal(weft_request_add_field(request, name, "value"), WEFT_OK);
        }
        failing_alloc_after(n);
        struct weft_request *copy = weft_request_copy(request);
        failed = failing_alloc_failures() > 0;
        failing_alloc_after(-1);
        assert_true((copy == NULL) == failed);
        struct weft_request *later = weft_request_copy(request);
        assert_non_null(later);
        assert_value(later, "x-field-19", "value");
        weft_request_unref(later);
        weft_request_unref(copy);
        weft_request_unref(request);
    }
    assert_true(n > 3); /* a pool, its first blocks, and the fields */
}

#define THREADS   4u
#define ORIGINALS 200u
#define COPIES    16u

struct originals {
    struct weft_request *requests[ORIGINALS];
    atomic_size_t arrived; /* a barrier that wakes nobody: they go on within a few nanoseconds */
};

static void *copy_on_a_thread(void *user)
{
    struct originals *originals = user;
    struct weft_request *copies[COPIES];
    const char *complaint = NULL;
    for (size_t i = 0; i < ORIGINALS; i++) {
        struct weft_request *request = originals->requests[i];
        atomic_fetch_add(&originals->arrived, 1);
        while (atomic_load(&originals->arrived) < (i + 1) * THREADS)
            (void)sched_yield();
        for (size_t n = 0; n < COPIES; n++) {
            copies[n] = weft_request_copy(request);
            if (weft_request_add_field(copies[n], "x-two", "2") != WEFT_OK)
                complaint = "a copy could not be made, or added to";
        }
        for (size_t n = 0; n < COPIES; n++) {
            if (copies[n] != NULL &&
                wf_request_field_count(copies[n]) != wf_request_field_count(request) + 1)
                complaint = "a field is missing, or twice there";
            weft_request_unref(copies[n]);
        }
    }
    return (void *)(uintptr_t)complaint;
}

static void test_threads_copy_one_request_at_once(void **state)
{
    (void)state;
    struct originals originals;
    pthread_t threads[THREADS];
    atomic_init(&originals.arrived, 0);
    for (size_t i = 0; i < ORIGINALS; i++)
        originals.requests[i] = post();
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, copy_on_a_thread, &originals), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *complaint = NULL;
        assert_int_equal(pthread_join(threads[i], &complaint), 0);
        assert_null(complaint);
    }
    for (size_t i = 0; i < ORIGINALS; i++)
        weft_request_unref(originals.requests[i]);
    /* The pool went with the last of them, however many made it their own at once. */
    struct weft_request *request = post();
    failing_alloc_after(0);
    assert_null(weft_request_copy(request));
    failing_alloc_after(-1);
    weft_request_unref(request);
}

static void test_a_long_chain_of_copies_is_freed(void **state)
{
    (void)state;
    struct weft_request *request = post();
    for (int i = 0; i < 100000; i++) {
        struct weft_request *copy = weft_request_copy(request);
        assert_non_null(copy);
        weft_request_unref(request);
        request = copy;
    }
    assert_value(request, "x-one", "1");
    weft_request_unref(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copy_says_the_same_and_outlives_its_original),
        cmocka_unit_test(test_what_is_added_to_a_copy_is_not_in_the_original),
        cmocka_unit_test(test_the_original_is_frozen_and_the_copy_is_not),
        cmocka_unit_test(test_a_copy_of_many_fields_has_them_all),
        cmocka_unit_test(test_a_copy_of_a_failed_request_has_failed),
        cmocka_unit_test(test_what_is_wrong_with_a_copy_is_not_wrong_with_the_original),
        cmocka_unit_test(test_running_out_of_memory_gives_no_copy_and_loses_nothing),
        cmocka_unit_test(test_threads_copy_one_request_at_once),
        cmocka_unit_test(test_a_long_chain_of_copies_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
