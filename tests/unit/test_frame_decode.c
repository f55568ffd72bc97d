/* Frames in: the public vectors, and the edges that those leave out. */
#include "h2/frame_decode.h"

#include "h2/settings.h"
#include "support/cmocka.h"
#include "support/frame_vector.h"

static const char *const vectors[] = {
    "continuation/header",
    "continuation/normal",
    "data/normal",
    "error/data-frame-padding",
    "error/data-frame-size",
    "error/data-frame-stream",
    "error/goaway-frame-size",
    "error/goaway-frame-stream",
    "error/headers-frame-padding",
    "error/headers-frame-stream",
    "error/ping-frame-size",
    "error/ping-frame-stream",
    "error/priority-frame-size",
    "error/priority-frame-stream",
    "error/push_promise-frame-padding",
    "error/push_promise-frame-promised_stream-odd",
    "error/push_promise-frame-promised_stream-zero",
    "error/push_promise-frame-stream",
    "error/rst_stream-frame-size",
    "error/rst_stream-frame-stream",
    "error/settings-frame-ack-size",
    "error/settings-frame-size",
    "error/settings-frame-stream",
    "error/window_update-frame-increment",
    "error/window_update-frame-size",
    "goaway/normal",
    "headers/normal",
    "headers/priority",
    "ping/normal",
    "priority/normal",
    "push_promise/normal",
    "rst_stream/normal",
    "settings/normal",
    "window_update/normal",
};

static void assert_priority(const struct frame_vector *vector,
                            const struct wf_h2_priority *priority)
{
    assert_int_equal(priority->depends_on, frame_vector_number(vector, "stream_dependency"));
    assert_int_equal(priority->weight + 1, frame_vector_number(vector, "weight"));
    assert_int_equal(priority->exclusive, frame_vector_number(vector, "exclusive"));
}

static void assert_string(const struct frame_vector *vector, const char *name, struct wf_slice got)
{
    assert_true(wf_slice_equal(got, frame_vector_string(vector, name)));
}

/* Decodes the payload, and compares what it says with the vector when that is a good one. */
static bool decode_payload(const struct frame_vector *vector,
                           const struct wf_h2_frame_header *header, const uint8_t *payload,
                           struct wf_h2_err *err)
{
    struct wf_h2_headers_payload headers;
    struct wf_h2_priority priority;
    struct wf_slice fragment;
    uint32_t a;
    uint32_t b;
    switch ((enum wf_h2_frame_type)header->type) {
    case WF_H2_FRAME_DATA:
        if (!wf_h2_data_decode(header, payload[0], &a, &b, err))
            return false;
        assert_string(vector, "data", wf_slice(payload + 1, a));
        assert_int_equal(b, frame_vector_number(vector, "padding_length"));
        return true;
    case WF_H2_FRAME_HEADERS:
        if (!wf_h2_headers_decode(header, payload, &headers, err))
            return false;
        assert_string(vector, "header_block_fragment", headers.fragment);
        if (headers.has_priority)
            assert_priority(vector, &headers.priority);
        return true;
    case WF_H2_FRAME_PRIORITY:
        if (!wf_h2_priority_decode(header, payload, &priority, err))
            return false;
        assert_priority(vector, &priority);
        return true;
    case WF_H2_FRAME_RST_STREAM:
        assert_int_equal(wf_h2_get_u32(payload), frame_vector_number(vector, "error_code"));
        return true;
    case WF_H2_FRAME_SETTINGS:
        a = wf_h2_setting_decode(payload).value;
        b = wf_h2_setting_decode(payload + 6).value;
        assert_int_equal(a, 8192);
        assert_int_equal(b, 5000);
        return true;
    case WF_H2_FRAME_PUSH_PROMISE:
        if (!wf_h2_push_promise_decode(header, payload, &fragment, &a, err))
            return false;
        assert_string(vector, "header_block_fragment", fragment);
        assert_int_equal(a, frame_vector_number(vector, "promised_stream_id"));
        return true;
    case WF_H2_FRAME_PING:
        assert_string(vector, "opaque_data", wf_slice(payload, 8));
        return true;
    case WF_H2_FRAME_GOAWAY: {
        struct wf_h2_goaway_payload goaway = wf_h2_goaway_decode(header, payload);
        assert_int_equal(goaway.last_stream_id, frame_vector_number(vector, "last_stream_id"));
        assert_int_equal(goaway.code, frame_vector_number(vector, "error_code"));
        assert_string(vector, "additional_debug_data", goaway.debug);
        return true;
    }
    case WF_H2_FRAME_WINDOW_UPDATE:
        if (!wf_h2_window_update_decode(header, payload, &a, err))
            return false;
        assert_int_equal(a, frame_vector_number(vector, "window_size_increment"));
        return true;
    case WF_H2_FRAME_CONTINUATION:
        assert_string(vector, "header_block_fragment", wf_slice(payload, header->len));
        return true;
    }
    return true;
}

static void check_vector(const struct frame_vector *vector)
{
    struct wf_h2_err err = {0};
    struct wf_h2_frame_header header = wf_h2_frame_header_decode(vector->wire);
    bool ok = wf_h2_frame_header_check(&header, 16384, &err) &&
              decode_payload(vector, &header, vector->wire + WF_H2_FRAME_HEADER_LEN, &err);
    assert_int_equal(ok, !vector->is_error);
    if (!ok) {
        assert_true(frame_vector_allows(vector, err.code));
        assert_non_null(err.reason);
        return;
    }
    assert_int_equal(header.type, frame_vector_number(vector, "type"));
    assert_int_equal(header.flags, frame_vector_number(vector, "flags"));
    assert_int_equal(header.stream_id, frame_vector_number(vector, "stream_identifier"));
    assert_int_equal(header.len, frame_vector_number(vector, "length"));
}

static void test_the_public_vectors_decode_as_they_say(void **state)
{
    (void)state;
    size_t checked = 0;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char path[512];
        struct frame_vector vector;
        snprintf(path, sizeof(path), WEFT_TEST_DATA "/http2-frame-test-case/%s.json", vectors[i]);
        if (!frame_vector_load(&vector, path))
            continue;
        check_vector(&vector);
        frame_vector_free(&vector);
        checked++;
    }
    if (checked == 0) {
        print_message("SKIPPED: no vectors in " WEFT_TEST_DATA "/http2-frame-test-case\n");
        skip();
    }
    assert_int_equal(checked, sizeof(vectors) / sizeof(vectors[0]));
}

static bool check(uint8_t type, uint8_t flags, uint32_t stream_id, uint32_t len,
                  struct wf_h2_err *err)
{
    struct wf_h2_frame_header header = {
        .type = type, .flags = flags, .stream_id = stream_id, .len = len};
    return wf_h2_frame_header_check(&header, 16384, err);
}

static void test_the_longest_frame_is_max_frame_size(void **state)
{
    (void)state;
    struct wf_h2_err err;
    for (unsigned type = 0; type < 12; type++) {
        if (type != WF_H2_FRAME_DATA && type != WF_H2_FRAME_HEADERS &&
            type != WF_H2_FRAME_CONTINUATION && type < 10)
            continue;
        assert_true(check((uint8_t)type, 0, 1, 16384, &err));
        assert_false(check((uint8_t)type, 0, 1, 16385, &err));
        assert_int_equal(err.code, WF_H2_FRAME_SIZE_ERROR);
        assert_int_equal(err.scope, WF_H2_SCOPE_CONNECTION);
    }
}

static void test_flags_raise_the_shortest_length(void **state)
{
    (void)state;
    struct wf_h2_err err;
    assert_true(check(WF_H2_FRAME_DATA, 0, 1, 0, &err));
    assert_false(check(WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED, 1, 0, &err));
    assert_true(check(WF_H2_FRAME_DATA, WF_H2_FLAG_PRIORITY, 1, 0, &err));
    assert_true(check(WF_H2_FRAME_HEADERS, 0, 1, 0, &err));
    assert_false(check(WF_H2_FRAME_HEADERS, WF_H2_FLAG_PRIORITY, 1, 4, &err));
    assert_true(check(WF_H2_FRAME_HEADERS, WF_H2_FLAG_PRIORITY, 1, 5, &err));
    assert_false(check(WF_H2_FRAME_HEADERS, WF_H2_FLAG_PRIORITY | WF_H2_FLAG_PADDED, 1, 5, &err));
    assert_false(check(WF_H2_FRAME_PUSH_PROMISE, 0, 1, 3, &err));
    assert_false(check(WF_H2_FRAME_PUSH_PROMISE, WF_H2_FLAG_PADDED, 1, 4, &err));
    assert_true(check(WF_H2_FRAME_PUSH_PROMISE, WF_H2_FLAG_PADDED, 1, 5, &err));
    assert_true(
        check(WF_H2_FRAME_CONTINUATION, WF_H2_FLAG_PADDED | WF_H2_FLAG_PRIORITY, 1, 0, &err));
}

static void test_a_priority_of_wrong_length_is_an_error_of_its_stream(void **state)
{
    (void)state;
    struct wf_h2_err err;
    assert_false(check(WF_H2_FRAME_PRIORITY, 0, 1, 6, &err));
    assert_int_equal(err.scope, WF_H2_SCOPE_STREAM);
    assert_int_equal(err.code, WF_H2_FRAME_SIZE_ERROR);
}

static void test_a_frame_may_be_all_padding(void **state)
{
    (void)state;
    struct wf_h2_err err;
    uint32_t data_len;
    uint32_t pad_len;
    struct wf_h2_headers_payload headers;
    struct wf_h2_frame_header header = {
        .type = WF_H2_FRAME_DATA, .flags = WF_H2_FLAG_PADDED, .stream_id = 1, .len = 5};
    assert_true(wf_h2_data_decode(&header, 4, &data_len, &pad_len, &err));
    assert_int_equal(data_len, 0);
    assert_int_equal(pad_len, 4);
    assert_false(wf_h2_data_decode(&header, 5, &data_len, &pad_len, &err));
    assert_int_equal(err.code, WF_H2_PROTOCOL_ERROR);
    header.type = WF_H2_FRAME_HEADERS;
    assert_true(wf_h2_headers_decode(&header, (const uint8_t *)"\4padd", &headers, &err));
    assert_int_equal(headers.fragment.len, 0);
    assert_false(wf_h2_headers_decode(&header, (const uint8_t *)"\5padd", &headers, &err));
}

static void test_reserved_bits_are_ignored(void **state)
{
    (void)state;
    struct wf_h2_err err;
    uint32_t increment;
    static const uint8_t octets[] = {0, 0, 4, 8, 0xff, 0x80, 0, 0, 7, 0x80, 0, 0, 3};
    struct wf_h2_frame_header header = wf_h2_frame_header_decode(octets);
    assert_int_equal(header.stream_id, 7);
    assert_true(wf_h2_frame_header_check(&header, 16384, &err));
    assert_true(wf_h2_window_update_decode(&header, octets + 9, &increment, &err));
    assert_int_equal(increment, 3);
    assert_false(
        wf_h2_window_update_decode(&header, (const uint8_t *)"\x80\0\0\0", &increment, &err));
    assert_int_equal(err.scope, WF_H2_SCOPE_STREAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_public_vectors_decode_as_they_say),
        cmocka_unit_test(test_the_longest_frame_is_max_frame_size),
        cmocka_unit_test(test_flags_raise_the_shortest_length),
        cmocka_unit_test(test_a_priority_of_wrong_length_is_an_error_of_its_stream),
        cmocka_unit_test(test_a_frame_may_be_all_padding),
        cmocka_unit_test(test_reserved_bits_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
