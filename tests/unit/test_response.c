#include "message/response.h"

#include "base/pool.h"
#include "support/failing_alloc.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LINES_MAX 64

/* A section as a decoder hands it over, in memory that is scribbled over afterwards. */
struct source {
    struct wf_field_line lines[LINES_MAX];
    uint8_t octets[8192];
    struct wf_field_section section;
};

struct fixture {
    struct wf_pool *pool;
    struct wf_response response;
    struct source source;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (f == NULL || (f->pool = wf_pool_new(WF_RESPONSE_BLOCK_LEN)) == NULL)
        return -1;
    wf_response_init(&f->response);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    failing_alloc_after(-1);
    wf_response_fini(&f->response, f->pool);
    wf_pool_unref(f->pool);
    free(f);
    return 0;
}

static void add_line(struct source *source, const char *name, const char *value)
{
    struct wf_field_section *s = &source->section;
    size_t name_len = strlen(name);
    size_t value_len = strlen(value);
    assert_true(s->count < LINES_MAX &&
                s->octets_len + name_len + value_len <= sizeof(source->octets));
    source->lines[s->count++] = (struct wf_field_line){
        .offset = s->octets_len, .name_len = (uint32_t)name_len, .value_len = (uint32_t)value_len};
    memcpy(source->octets + s->octets_len, name, name_len);
    memcpy(source->octets + s->octets_len + name_len, value, value_len);
    s->octets_len += (uint32_t)(name_len + value_len);
    s->lines = source->lines;
    s->octets = source->octets;
}

static void scribble(struct source *source)
{
    memset(source, 0xaa, sizeof(*source));
    source->section = (struct wf_field_section){0};
}

static void fill_head(struct source *source, size_t value_len)
{
    char value[4096];
    assert_true(value_len < sizeof(value));
    memset(value, 'v', value_len);
    value[value_len] = '\0';
    add_line(source, ":status", "200");
    add_line(source, "server", "weft");
    add_line(source, "x-pad", value);
}

static void assert_head(const struct wf_response *response, size_t value_len)
{
    struct wf_field_section s = wf_response_fields(response);
    assert_int_equal(wf_response_status(response), 200);
    assert_int_equal(s.count, 2);
    assert_true(wf_slice_is(wf_section_name(&s, 0), "server"));
    assert_true(wf_slice_is(wf_section_value(&s, 0), "weft"));
    assert_true(wf_slice_is(wf_section_name(&s, 1), "x-pad"));
    assert_int_equal(wf_section_value(&s, 1).len, value_len);
    for (size_t i = 0; i < value_len; i++)
        assert_int_equal(wf_section_value(&s, 1).ptr[i], 'v');
}

static void set_head(struct fixture *f, size_t value_len)
{
    fill_head(&f->source, value_len);
    assert_true(wf_response_set_head(&f->response, f->pool, 200, &f->source.section));
    scribble(&f->source);
}

static uint8_t octet_at(size_t i)
{
    return (uint8_t)(i * 7 + (i >> 8));
}

/* Appends octets of the pattern in pieces of @piece. */
static bool append(struct fixture *f, size_t len, size_t piece, int64_t content_length)
{
    uint8_t buf[4096];
    for (size_t done = 0; done < len;) {
        size_t n = piece < len - done ? piece : len - done;
        for (size_t i = 0; i < n; i++)
            buf[i] = octet_at(f->response.body_len + i);
        if (!wf_response_append_body(&f->response, f->pool, wf_slice(buf, n), content_length))
            return false;
        done += n;
    }
    return true;
}

static void assert_body(const struct wf_response *response, size_t len)
{
    struct wf_slice body = wf_response_body(response);
    assert_int_equal(body.len, len);
    for (size_t i = 0; i < len; i++) {
        if (body.ptr[i] != octet_at(i))
            fail_msg("octet %zu of %zu differs", i, len);
    }
}

static bool body_is_in_block(const struct wf_response *response)
{
    return response->block != NULL && response->body >= response->block &&
           response->body < response->block + WF_RESPONSE_BLOCK_LEN;
}

static void test_an_empty_response_has_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(wf_response_status(&f->response), 0);
    assert_int_equal(wf_response_fields(&f->response).count, 0);
    assert_int_equal(wf_response_trailers(&f->response).count, 0);
    assert_int_equal(wf_response_body(&f->response).len, 0);
}

static void test_the_head_is_copied_without_its_pseudo_header_field(void **state)
{
    struct fixture *f = *state;
    set_head(f, 10);
    assert_head(&f->response, 10);
}

static void test_a_head_of_only_a_status_has_no_fields(void **state)
{
    struct fixture *f = *state;
    add_line(&f->source, ":status", "204");
    assert_true(wf_response_set_head(&f->response, f->pool, 204, &f->source.section));
    assert_int_equal(wf_response_status(&f->response), 204);
    assert_int_equal(wf_response_fields(&f->response).count, 0);
}

static void test_a_small_response_allocates_nothing_but_its_block(void **state)
{
    struct fixture *f = *state;
    void *block = wf_pool_take(f->pool); /* the pool has memory afterwards */
    assert_non_null(block);
    wf_pool_give(f->pool, block);
    failing_alloc_after(0);
    set_head(f, 100);
    assert_true(append(f, 600, 100, -1));
    add_line(&f->source, "x-sum", "1");
    assert_true(wf_response_set_trailers(&f->response, f->pool, &f->source.section));
    assert_int_equal(failing_alloc_failures(), 0);
    assert_head(&f->response, 100);
    assert_body(&f->response, 600);
    assert_true(body_is_in_block(&f->response));
    struct wf_field_section trailers = wf_response_trailers(&f->response);
    assert_int_equal(trailers.count, 1);
    assert_true(wf_slice_is(wf_section_name(&trailers, 0), "x-sum"));
}

static void test_heads_of_every_size_around_the_blocks_are_kept(void **state)
{
    struct fixture *f = *state;
    for (size_t len = 900; len < 1100; len++) {
        set_head(f, len);
        assert_true(append(f, 40, 7, -1));
        assert_head(&f->response, len);
        assert_body(&f->response, 40);
        wf_response_fini(&f->response, f->pool);
    }
}

static void test_bodies_of_any_size_and_hint_stay_in_one_piece(void **state)
{
    struct fixture *f = *state;
    static const size_t lens[] = {1, 3, 900, 1023, 1024, 1025, 4096, 4097, 100000, 2500000};
    static const size_t pieces[] = {1, 13, 1000, 4096};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        for (size_t j = 0; j < 4; j++) {
            if (lens[i] / pieces[j] > 5000)
                continue;
            const int64_t hints[] = {-1, 0, (int64_t)lens[i], 10, INT64_MAX};
            for (size_t k = 0; k < 5; k++) {
                set_head(f, 20);
                assert_true(append(f, lens[i], pieces[j], hints[k]));
                assert_body(&f->response, lens[i]);
                assert_head(&f->response, 20);
                wf_response_fini(&f->response, f->pool);
            }
        }
    }
}

static void test_a_body_of_announced_length_is_allocated_once(void **state)
{
    struct fixture *f = *state;
    set_head(f, 10);
    failing_alloc_after(1);
    assert_true(append(f, 50000, 1000, 50000));
    assert_int_equal(f->response.body_cap, 50000);
    assert_int_equal(failing_alloc_failures(), 0);
    assert_body(&f->response, 50000);
}

static void test_a_lying_content_length_allocates_little_and_seldom(void **state)
{
    struct fixture *f = *state;
    assert_true(append(f, 10, 10, INT64_MAX));
    assert_true(f->response.body_cap <= WF_RESPONSE_FIRST_BODY_MAX);
    wf_response_fini(&f->response, f->pool);
    size_t moves = 0;
    for (size_t cap = 0; f->response.body_len < 100000; cap = f->response.body_cap) {
        assert_true(append(f, 1000, 1000, 20));
        moves += f->response.body_cap != cap;
    }
    assert_true(moves <= 10);
    assert_true(f->response.body_cap <= 200000);
}

static void test_the_last_growth_stops_at_the_announced_length(void **state)
{
    struct fixture *f = *state;
    assert_true(append(f, 1500000, 4000, 1500000));
    assert_int_equal(f->response.body_cap, 1500000);
}

static void test_growth_without_a_length_is_by_doubling(void **state)
{
    struct fixture *f = *state;
    size_t moves = 0;
    size_t cap = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(append(f, 1000, 1000, -1));
        moves += f->response.body_cap != cap;
        cap = f->response.body_cap;
    }
    assert_true(moves <= 10);
    assert_true(cap < 2100000);
}

static void test_a_dropped_body_leaves_the_head_and_room_for_another(void **state)
{
    struct fixture *f = *state;
    set_head(f, 10);
    uint16_t used = f->response.block_used;
    assert_true(append(f, 300, 100, -1));
    wf_response_drop_body(&f->response);
    assert_int_equal(wf_response_body(&f->response).len, 0);
    assert_true(f->response.block_used <= used + 7);
    assert_true(append(f, 5000, 1000, -1));
    wf_response_drop_body(&f->response);
    wf_response_drop_body(&f->response);
    assert_true(append(f, 300, 100, -1));
    assert_body(&f->response, 300);
    assert_head(&f->response, 10);
}

static void test_trailers_after_a_body_in_the_block_do_not_touch_it(void **state)
{
    struct fixture *f = *state;
    set_head(f, 10);
    assert_true(append(f, 301, 100, -1));
    add_line(&f->source, "a", "b");
    add_line(&f->source, "c", "d");
    assert_true(wf_response_set_trailers(&f->response, f->pool, &f->source.section));
    scribble(&f->source);
    struct wf_field_section s = wf_response_trailers(&f->response);
    assert_int_equal(s.count, 2);
    assert_true(wf_slice_is(wf_section_name(&s, 1), "c"));
    assert_true(wf_slice_is(wf_section_value(&s, 1), "d"));
    assert_body(&f->response, 301);
    /* A body that went on all the same would have to move. */
    assert_true(append(f, 10, 10, -1));
    assert_body(&f->response, 311);
    s = wf_response_trailers(&f->response);
    assert_true(wf_slice_is(wf_section_name(&s, 0), "a"));
    assert_true(wf_slice_is(wf_section_value(&s, 1), "d"));
}

static void test_no_memory_keeps_what_was_there(void **state)
{
    struct fixture *f = *state;
    fill_head(&f->source, 2000);
    failing_alloc_after(0);
    assert_false(wf_response_set_head(&f->response, f->pool, 200, &f->source.section));
    assert_int_equal(wf_response_status(&f->response), 0);
    assert_false(append(f, 2000, 2000, -1));
    assert_int_equal(wf_response_body(&f->response).len, 0);
    failing_alloc_after(-1);
    assert_true(wf_response_set_head(&f->response, f->pool, 200, &f->source.section));
    assert_true(append(f, 500, 100, -1));
    failing_alloc_after(0);
    assert_false(append(f, 1000, 1000, -1));
    assert_body(&f->response, 500);
    assert_false(wf_response_set_trailers(&f->response, f->pool, &f->source.section));
    assert_int_equal(wf_response_trailers(&f->response).count, 0);
    failing_alloc_after(-1);
    assert_true(append(f, 5000, 1000, -1));
    failing_alloc_after(0);
    assert_false(append(f, 4096, 4096, -1) && append(f, 4096, 4096, -1));
    assert_true(wf_response_body(&f->response).len >= 5500);
    assert_body(&f->response, wf_response_body(&f->response).len);
    assert_head(&f->response, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_empty_response_has_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_head_is_copied_without_its_pseudo_header_field,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_head_of_only_a_status_has_no_fields, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_small_response_allocates_nothing_but_its_block,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heads_of_every_size_around_the_blocks_are_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_bodies_of_any_size_and_hint_stay_in_one_piece, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_body_of_announced_length_is_allocated_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_lying_content_length_allocates_little_and_seldom,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_last_growth_stops_at_the_announced_length, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_growth_without_a_length_is_by_doubling, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_dropped_body_leaves_the_head_and_room_for_another,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_trailers_after_a_body_in_the_block_do_not_touch_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_keeps_what_was_there, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
