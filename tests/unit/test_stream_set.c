#include "h2/stream_set.h"
#include "support/cmocka.h"

static struct wf_h2_stream *add(struct wf_h2_stream_set *set, uint32_t id)
{
    struct wf_h2_stream *stream = wf_h2_stream_set_take(set, id);
    assert_non_null(stream);
    wf_h2_stream_set_insert(set, stream);
    return stream;
}

static void test_streams_are_found_by_identifier(void **state)
{
    (void)state;
    struct wf_h2_stream_set set;
    assert_true(wf_h2_stream_set_init(&set));
    for (uint32_t id = 1; id < 10000; id += 2)
        add(&set, id);
    assert_int_equal(set.count, 5000);
    for (uint32_t id = 1; id < 10000; id += 2)
        assert_int_equal(wf_h2_stream_set_find(&set, id)->id, id);
    assert_null(wf_h2_stream_set_find(&set, 2));
    assert_null(wf_h2_stream_set_find(&set, 10001));
    wf_h2_stream_set_fini(&set);
}

static void test_streams_of_one_bucket_are_told_apart(void **state)
{
    (void)state;
    struct wf_h2_stream_set set;
    assert_true(wf_h2_stream_set_init(&set));
    struct wf_h2_stream *a = add(&set, 1);
    struct wf_h2_stream *b = add(&set, 1 + 128);
    struct wf_h2_stream *c = add(&set, 1 + 256);
    wf_h2_stream_set_remove(&set, b);
    assert_ptr_equal(wf_h2_stream_set_find(&set, 1), a);
    assert_null(wf_h2_stream_set_find(&set, 129));
    assert_ptr_equal(wf_h2_stream_set_find(&set, 257), c);
    wf_h2_stream_set_fini(&set);
}

static void test_colliding_streams_are_found_after_growth(void **state)
{
    (void)state;
    struct wf_h2_stream_set set;
    assert_true(wf_h2_stream_set_init(&set));
    for (uint32_t i = 0; i < 300; i++)
        add(&set, 1 + 128 * i);
    assert_true(set.mask > 63);
    for (uint32_t i = 0; i < 300; i++)
        assert_non_null(wf_h2_stream_set_find(&set, 1 + 128 * i));
    wf_h2_stream_set_fini(&set);
}

static void test_memory_is_used_again_and_zeroed(void **state)
{
    (void)state;
    struct wf_h2_stream_set set;
    assert_true(wf_h2_stream_set_init(&set));
    struct wf_h2_stream *first = add(&set, 1);
    first->user = &set;
    first->state = WF_H2_OPEN;
    wf_h2_stream_set_remove(&set, first);
    wf_h2_stream_set_give(&set, first);
    struct wf_h2_stream *second = wf_h2_stream_set_take(&set, 3);
    assert_ptr_equal(second, first);
    assert_null(second->user);
    assert_int_equal(second->state, WF_H2_IDLE);
    assert_int_equal(second->content_left, -1);
    assert_false(wf_node_is_linked(&second->node));
    wf_h2_stream_set_fini(&set);
}

static void remove_odd_hundreds(void *user, struct wf_h2_stream *stream)
{
    struct wf_h2_stream_set *set = user;
    if (stream->id % 100 == 1)
        wf_h2_stream_set_remove(set, stream);
}

static void test_each_stream_is_visited_and_may_be_removed(void **state)
{
    (void)state;
    struct wf_h2_stream_set set;
    assert_true(wf_h2_stream_set_init(&set));
    for (uint32_t id = 1; id < 1000; id += 2)
        add(&set, id);
    wf_h2_stream_set_each(&set, remove_odd_hundreds, &set);
    assert_int_equal(set.count, 490);
    assert_null(wf_h2_stream_set_find(&set, 101));
    assert_non_null(wf_h2_stream_set_find(&set, 103));
    wf_h2_stream_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_are_found_by_identifier),
        cmocka_unit_test(test_streams_of_one_bucket_are_told_apart),
        cmocka_unit_test(test_colliding_streams_are_found_after_growth),
        cmocka_unit_test(test_memory_is_used_again_and_zeroed),
        cmocka_unit_test(test_each_stream_is_visited_and_may_be_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
