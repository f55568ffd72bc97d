#include "h2/frame_text.h"

#include "h2/frame.h"
#include "support/cmocka.h"

static void assert_text(const struct wf_h2_trace *frame, const char *expected)
{
    char text[256];
    size_t len = wf_h2_frame_text(frame, text, sizeof(text));
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(text));
}

static struct wf_h2_trace frame_of(uint8_t type, uint8_t flags, uint32_t id, const char *payload,
                                   size_t len)
{
    return (struct wf_h2_trace){.type = type,
                                .flags = flags,
                                .stream_id = id,
                                .len = (uint32_t)len,
                                .payload = wf_slice(payload, len)};
}

static void test_each_type_says_what_its_payload_says(void **state)
{
    (void)state;
    struct wf_h2_trace frame = frame_of(WF_H2_FRAME_DATA, 0x9, 3, "\2abc", 4);
    assert_text(&frame, "DATA stream=3 len=4 END_STREAM PADDED padding=2");
    frame = frame_of(WF_H2_FRAME_HEADERS, 0x2c, 1, "\0\x80\0\0\5\x0f", 6);
    assert_text(&frame, "HEADERS stream=1 len=6 END_HEADERS PADDED PRIORITY depends_on=5 "
                        "weight=16 exclusive");
    frame = frame_of(WF_H2_FRAME_PRIORITY, 0, 1, "\0\0\0\5\0", 5);
    assert_text(&frame, "PRIORITY stream=1 len=5 depends_on=5 weight=1");
    frame = frame_of(WF_H2_FRAME_RST_STREAM, 0, 1, "\0\0\0\x8", 4);
    assert_text(&frame, "RST_STREAM stream=1 len=4 code=8 (CANCEL)");
    frame = frame_of(WF_H2_FRAME_SETTINGS, 0, 0, "\0\4\0\0\0\1\0\x99\0\0\0\2", 12);
    assert_text(&frame, "SETTINGS stream=0 len=12 INITIAL_WINDOW_SIZE=1 setting-153=2");
    frame = frame_of(WF_H2_FRAME_SETTINGS, 1, 0, "", 0);
    assert_text(&frame, "SETTINGS stream=0 len=0 ACK");
    frame = frame_of(WF_H2_FRAME_PUSH_PROMISE, 4, 1, "\0\0\0\2", 4);
    assert_text(&frame, "PUSH_PROMISE stream=1 len=4 END_HEADERS promised=2");
    frame = frame_of(WF_H2_FRAME_PING, 1, 0, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
    assert_text(&frame, "PING stream=0 len=8 ACK opaque=0123456789abcdef");
    frame = frame_of(WF_H2_FRAME_GOAWAY, 0, 0, "\0\0\0\x7\0\0\0\0bye\n", 12);
    assert_text(&frame, "GOAWAY stream=0 len=12 last_stream=7 code=0 (NO_ERROR) debug=bye\\x0a");
    frame = frame_of(WF_H2_FRAME_WINDOW_UPDATE, 0, 9, "\0\0\1\0", 4);
    assert_text(&frame, "WINDOW_UPDATE stream=9 len=4 increment=256");
    frame = frame_of(WF_H2_FRAME_CONTINUATION, 4, 9, "", 0);
    assert_text(&frame, "CONTINUATION stream=9 len=0 END_HEADERS");
    frame = frame_of(0xfe, 0x81, 9, "", 0);
    assert_text(&frame, "UNKNOWN(0xfe) stream=9 len=0 0x81");
}

static void test_fields_are_escaped(void **state)
{
    (void)state;
    struct wf_field field = {.name = wf_slice("a", 1), .value = wf_slice("\x1b[31m\\\xff", 7)};
    struct wf_h2_trace frame = frame_of(WF_H2_FRAME_HEADERS, 5, 1, "", 0);
    frame.sent = true;
    frame.fields = &field;
    frame.field_count = 1;
    assert_text(&frame, "HEADERS stream=1 len=0 END_STREAM END_HEADERS [a: \\x1b[31m\\x5c\\xff]");
}

static void test_a_payload_too_short_for_its_type_is_passed_over(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 12; type++) {
        for (size_t len = 0; len < 9; len++) {
            char text[200];
            struct wf_h2_trace frame =
                frame_of((uint8_t)type, 0xff, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", len);
            size_t written = wf_h2_frame_text(&frame, text, sizeof(text));
            assert_true(written > 0 && written < sizeof(text));
        }
    }
}

static void test_a_line_is_cut_at_its_room(void **state)
{
    (void)state;
    char text[64];
    struct wf_h2_trace frame = frame_of(WF_H2_FRAME_GOAWAY, 0, 0, "\0\0\0\x7\0\0\0\0\1\2\3", 11);
    for (size_t cap = 1; cap < sizeof(text); cap++) {
        memset(text, 'x', sizeof(text));
        size_t len = wf_h2_frame_text(&frame, text, cap);
        assert_true(len < cap);
        assert_int_equal(text[len], '\0');
        assert_int_equal(text[cap], 'x');
    }
    assert_int_equal(wf_h2_frame_text(&frame, text, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_says_what_its_payload_says),
        cmocka_unit_test(test_fields_are_escaped),
        cmocka_unit_test(test_a_payload_too_short_for_its_type_is_passed_over),
        cmocka_unit_test(test_a_line_is_cut_at_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
