#include "io_thread/name_cache.h"

#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

static struct wf_name_cache cache;

static int set_up(void **state)
{
    (void)state;
    wf_name_cache_init(&cache);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wf_name_cache_fini(&cache);
    return cache.count == 0 ? 0 : -1;
}

static struct wf_name_answer answer_of(uint32_t ttl_s, uint8_t mark)
{
    struct wf_name_answer answer = {.result = WF_RESOLVE_OK, .ttl_s = ttl_s, .why = "", .count = 2};
    answer.addresses[0].len = 16;
    memset(&answer.addresses[0].storage, mark, 16);
    answer.addresses[1].len = 28;
    memset(&answer.addresses[1].storage, mark + 1, 28);
    return answer;
}

static void test_an_answer_is_kept_as_long_as_its_ttl_says(void **state)
{
    (void)state;
    struct wf_name_answer in = answer_of(30, 7), out;
    assert_false(wf_name_cache_find(&cache, "a.test", 1000, &out));
    wf_name_cache_put(&cache, "a.test", &in, 1000);
    assert_true(wf_name_cache_find(&cache, "a.test", 1000, &out));
    assert_int_equal(out.ttl_s, 30);
    assert_int_equal(out.result, WF_RESOLVE_OK);
    assert_int_equal(out.count, 2);
    assert_memory_equal(out.addresses, in.addresses, 2 * sizeof(in.addresses[0]));
    assert_true(wf_name_cache_find(&cache, "A.Test", 30999, &out));
    assert_int_equal(out.ttl_s, 1);
    assert_false(wf_name_cache_find(&cache, "a.test", 31000, &out));
    assert_int_equal(cache.count, 0);
    assert_false(wf_name_cache_find(&cache, "b.test", 1000, &out));
}

static void test_a_ttl_of_zero_is_not_kept_and_a_long_one_is_cut(void **state)
{
    (void)state;
    struct wf_name_answer in = answer_of(0, 1), out;
    wf_name_cache_put(&cache, "zero.test", &in, 0);
    assert_false(wf_name_cache_find(&cache, "zero.test", 0, &out));
    in = answer_of(UINT32_MAX, 1);
    wf_name_cache_put(&cache, "long.test", &in, 0);
    assert_true(wf_name_cache_find(&cache, "long.test", 0, &out));
    assert_int_equal(out.ttl_s, WF_NAME_TTL_MAX_S);
}

static void test_that_there_is_no_name_is_kept_for_a_while(void **state)
{
    (void)state;
    struct wf_name_answer in = {.result = WF_RESOLVE_NOT_FOUND, .why = "there is none"}, out;
    wf_name_cache_put(&cache, "no.test", &in, 0);
    assert_true(wf_name_cache_find(&cache, "no.test", 0, &out));
    assert_int_equal(out.result, WF_RESOLVE_NOT_FOUND);
    assert_int_equal(out.count, 0);
    assert_string_equal(out.why, "there is none");
    assert_false(wf_name_cache_find(&cache, "no.test", WF_NAME_NEGATIVE_TTL_S * 1000, &out));
}

static void test_that_no_server_answered_is_not_kept(void **state)
{
    (void)state;
    static const enum wf_resolve_result results[] = {WF_RESOLVE_NO_SERVER, WF_RESOLVE_TIMEOUT,
                                                     WF_RESOLVE_NO_MEMORY, WF_RESOLVE_FAILED};
    struct wf_name_answer out;
    for (size_t i = 0; i < 4; i++) {
        struct wf_name_answer in = {.result = results[i], .ttl_s = 100, .why = "no"};
        wf_name_cache_put(&cache, "x.test", &in, 0);
        assert_false(wf_name_cache_find(&cache, "x.test", 0, &out));
    }
}

static void test_a_new_answer_takes_the_place_of_the_old(void **state)
{
    (void)state;
    struct wf_name_answer first = answer_of(10, 1), second = answer_of(20, 5), out;
    wf_name_cache_put(&cache, "a.test", &first, 0);
    wf_name_cache_put(&cache, "a.test", &second, 0);
    assert_int_equal(cache.count, 1);
    assert_true(wf_name_cache_find(&cache, "a.test", 0, &out));
    assert_memory_equal(out.addresses, second.addresses, sizeof(out.addresses[0]));
    struct wf_name_answer broken = {.result = WF_RESOLVE_NO_SERVER, .why = "no"};
    wf_name_cache_put(&cache, "a.test", &broken, 0);
    assert_false(wf_name_cache_find(&cache, "a.test", 0, &out));
}

static void test_the_name_used_longest_ago_makes_room(void **state)
{
    (void)state;
    struct wf_name_answer in = answer_of(60, 3), out;
    char name[32];
    for (unsigned i = 0; i < WF_NAME_CACHE_MAX; i++) {
        (void)snprintf(name, sizeof(name), "n%u.test", i);
        wf_name_cache_put(&cache, name, &in, 0);
    }
    assert_true(wf_name_cache_find(&cache, "n0.test", 0, &out));
    wf_name_cache_put(&cache, "new.test", &in, 0);
    assert_int_equal(cache.count, WF_NAME_CACHE_MAX);
    assert_true(wf_name_cache_find(&cache, "n0.test", 0, &out));
    assert_false(wf_name_cache_find(&cache, "n1.test", 0, &out));
    assert_true(wf_name_cache_find(&cache, "new.test", 0, &out));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_answer_is_kept_as_long_as_its_ttl_says),
        TEST(test_a_ttl_of_zero_is_not_kept_and_a_long_one_is_cut),
        TEST(test_that_there_is_no_name_is_kept_for_a_while),
        TEST(test_that_no_server_answered_is_not_kept),
        TEST(test_a_new_answer_takes_the_place_of_the_old),
        TEST(test_the_name_used_longest_ago_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
