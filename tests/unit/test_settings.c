#include "h2/settings.h"
#include "support/cmocka.h"

static bool apply(struct wf_h2_settings *settings, const struct wf_h2_setting_entry *entries,
                  size_t count, bool from_server, uint32_t *out_smallest, struct wf_h2_err *err)
{
    struct wf_buf frame = {0};
    assert_true(wf_h2_settings_encode(&frame, entries, count));
    assert_int_equal(wf_buf_len(&frame), 9 + 6 * count);
    struct wf_slice payload = wf_slice_skip(wf_buf_slice(&frame), 9);
    bool ok = wf_h2_settings_apply(settings, payload, from_server, out_smallest, err);
    wf_buf_fini(&frame);
    return ok;
}

static void test_each_known_setting_is_stored(void **state)
{
    (void)state;
    struct wf_h2_settings settings = WF_H2_SETTINGS_INITIAL;
    struct wf_h2_err err;
    uint32_t smallest;
    const struct wf_h2_setting_entry entries[] = {{1, 100}, {2, 0},     {3, 7},
                                                  {4, 5},   {5, 20000}, {6, 1234}};
    assert_true(apply(&settings, entries, 6, true, &smallest, &err));
    assert_int_equal(settings.header_table_size, 100);
    assert_int_equal(settings.enable_push, 0);
    assert_int_equal(settings.max_concurrent_streams, 7);
    assert_int_equal(settings.initial_window_size, 5);
    assert_int_equal(settings.max_frame_size, 20000);
    assert_int_equal(settings.max_header_list_size, 1234);
    assert_int_equal(smallest, 100);
}

static void test_a_later_entry_wins_and_the_smallest_table_is_kept(void **state)
{
    (void)state;
    struct wf_h2_settings settings = WF_H2_SETTINGS_INITIAL;
    struct wf_h2_err err;
    uint32_t smallest;
    const struct wf_h2_setting_entry entries[] = {{1, 8192}, {1, 16}, {1, 4096}};
    assert_true(apply(&settings, entries, 3, true, &smallest, &err));
    assert_int_equal(settings.header_table_size, 4096);
    assert_int_equal(smallest, 16);
}

static void assert_refused(uint16_t id, uint32_t value, bool from_server, uint32_t code)
{
    struct wf_h2_settings settings = WF_H2_SETTINGS_INITIAL;
    struct wf_h2_settings before = settings;
    struct wf_h2_err err;
    uint32_t smallest;
    const struct wf_h2_setting_entry entries[] = {{3, 9}, {id, value}};
    assert_false(apply(&settings, entries, 2, from_server, &smallest, &err));
    assert_memory_equal(&settings, &before, sizeof(settings));
    assert_int_equal(err.scope, WF_H2_SCOPE_CONNECTION);
    assert_int_equal(err.code, code);
}

static void test_a_value_out_of_range_changes_nothing(void **state)
{
    (void)state;
    assert_refused(2, 2, false, WF_H2_PROTOCOL_ERROR);
    assert_refused(2, 1, true, WF_H2_PROTOCOL_ERROR);
    assert_refused(4, 0x80000000u, true, WF_H2_FLOW_CONTROL_ERROR);
    assert_refused(5, 16383, true, WF_H2_PROTOCOL_ERROR);
    assert_refused(5, 0x1000000, true, WF_H2_PROTOCOL_ERROR);
}

static void test_values_at_the_edge_are_taken(void **state)
{
    (void)state;
    struct wf_h2_settings settings = WF_H2_SETTINGS_INITIAL;
    struct wf_h2_err err;
    uint32_t smallest;
    const struct wf_h2_setting_entry entries[] = {{2, 1},     {4, 0x7fffffff}, {5, 16777215},
                                                  {5, 16384}, {0, 1},          {0xffff, 2}};
    assert_true(apply(&settings, entries, 6, false, &smallest, &err));
    assert_int_equal(settings.initial_window_size, 0x7fffffff);
    assert_int_equal(settings.max_frame_size, 16384);
}

static void test_names_are_those_of_the_rfc(void **state)
{
    (void)state;
    assert_string_equal(wf_h2_setting_name(4), "INITIAL_WINDOW_SIZE");
    assert_null(wf_h2_setting_name(0));
    assert_null(wf_h2_setting_name(7));
    assert_string_equal(wf_h2_code_name(0), "NO_ERROR");
    assert_string_equal(wf_h2_code_name(0xd), "HTTP_1_1_REQUIRED");
    assert_string_equal(wf_h2_code_name(0xe), "unknown error code");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_known_setting_is_stored),
        cmocka_unit_test(test_a_later_entry_wins_and_the_smallest_table_is_kept),
        cmocka_unit_test(test_a_value_out_of_range_changes_nothing),
        cmocka_unit_test(test_values_at_the_edge_are_taken),
        cmocka_unit_test(test_names_are_those_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
