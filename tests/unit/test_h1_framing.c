/* How long a response is, by RFC 9112 section 6.3, and whether its connection lives on. */
#include "h1/framing.h"
#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Notes pairs of name and value up to NULL. Returns the first thing that is wrong. */
static const char *note(struct wf_h1_framing *framing, ...)
{
    const char *wrong = NULL;
    va_list args;
    va_start(args, framing);
    wf_h1_framing_init(framing);
    for (;;) {
        const char *name = va_arg(args, const char *);
        if (name == NULL || wrong != NULL)
            break;
        const char *value = va_arg(args, const char *);
        wrong = wf_h1_framing_note(framing, wf_slice_str(name), wf_slice_str(value));
    }
    va_end(args);
    return wrong;
}

static void test_content_length_is_a_number(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "-1", "+1", "1 1", "0x10", "1a", "1.", "1, 1", "1234567890123456789"};
    struct wf_h1_framing framing;
    assert_null(note(&framing, "Content-Length", "042", NULL));
    assert_int_equal(framing.content_length, 42);
    assert_null(note(&framing, "content-length", "999999999999999999", NULL));
    assert_true(framing.content_length == 999999999999999999);
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (note(&framing, "content-length", bad[i], NULL) == NULL)
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static void test_content_length_may_be_repeated_but_not_differ(void **state)
{
    (void)state;
    struct wf_h1_framing framing;
    assert_null(note(&framing, "content-length", "5", "CONTENT-LENGTH", "5", NULL));
    assert_non_null(note(&framing, "content-length", "5", "content-length", "6", NULL));
}

static void test_transfer_encoding_is_chunked_and_nothing_else(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "identity",         "gzip",     "gzip, chunked",
                                      "chunked,", "chunked, chunked", "xchunked", "chunked;q=1"};
    struct wf_h1_framing framing;
    assert_null(note(&framing, "Transfer-Encoding", "Chunked", NULL));
    assert_true(framing.is_chunked);
    assert_non_null(
        note(&framing, "transfer-encoding", "chunked", "transfer-encoding", "chunked", NULL));
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (note(&framing, "transfer-encoding", bad[i], NULL) == NULL)
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static void test_content_length_beside_chunked_is_refused(void **state)
{
    (void)state;
    struct wf_h1_framing framing;
    assert_null(note(&framing, "transfer-encoding", "chunked", "content-length", "0", NULL));
    assert_non_null(wf_h1_framing_check(&framing, 200, false));
}

static void test_chunked_in_http_1_0_is_refused(void **state)
{
    (void)state;
    struct wf_h1_framing framing;
    assert_null(note(&framing, "transfer-encoding", "chunked", NULL));
    assert_null(wf_h1_framing_check(&framing, 200, false));
    assert_non_null(wf_h1_framing_check(&framing, 200, true));
}

static void test_101_and_informational_content_are_refused(void **state)
{
    (void)state;
    struct wf_h1_framing framing;
    assert_null(note(&framing, NULL));
    assert_non_null(wf_h1_framing_check(&framing, 101, false));
    assert_null(wf_h1_framing_check(&framing, 103, false));
    assert_null(note(&framing, "content-length", "0", NULL));
    assert_null(wf_h1_framing_check(&framing, 103, false));
    assert_null(note(&framing, "content-length", "1", NULL));
    assert_non_null(wf_h1_framing_check(&framing, 103, false));
    assert_null(note(&framing, "transfer-encoding", "chunked", NULL));
    assert_non_null(wf_h1_framing_check(&framing, 100, false));
}

static void test_the_body_is_what_section_6_3_says(void **state)
{
    (void)state;
    struct wf_h1_framing none;
    struct wf_h1_framing five;
    struct wf_h1_framing zero;
    struct wf_h1_framing chunked;
    assert_null(note(&none, NULL));
    assert_null(note(&five, "content-length", "5", NULL));
    assert_null(note(&zero, "content-length", "0", NULL));
    assert_null(note(&chunked, "transfer-encoding", "chunked", NULL));
    static const uint16_t bodyless[] = {204, 304};
    for (size_t i = 0; i < COUNT(bodyless); i++) {
        assert_int_equal(wf_h1_framing_body(&five, bodyless[i], false), WF_H1_BODY_NONE);
        assert_int_equal(wf_h1_framing_body(&chunked, bodyless[i], false), WF_H1_BODY_NONE);
        assert_int_equal(wf_h1_framing_body(&none, bodyless[i], false), WF_H1_BODY_NONE);
    }
    assert_int_equal(wf_h1_framing_body(&five, 200, true), WF_H1_BODY_NONE);
    assert_int_equal(wf_h1_framing_body(&none, 200, true), WF_H1_BODY_NONE);
    assert_int_equal(wf_h1_framing_body(&zero, 200, false), WF_H1_BODY_NONE);
    assert_int_equal(wf_h1_framing_body(&five, 200, false), WF_H1_BODY_LENGTH);
    assert_int_equal(wf_h1_framing_body(&chunked, 200, false), WF_H1_BODY_CHUNKED);
    assert_int_equal(wf_h1_framing_body(&none, 200, false), WF_H1_BODY_UNTIL_CLOSE);
}

static void test_a_connection_lives_on_as_section_9_3_says(void **state)
{
    (void)state;
    struct wf_h1_framing framing;
    assert_null(note(&framing, NULL));
    assert_true(wf_h1_framing_keeps_alive(&framing, 200, false));
    assert_false(wf_h1_framing_keeps_alive(&framing, 200, true));
    assert_null(note(&framing, "Connection", "Keep-Alive", NULL));
    assert_true(wf_h1_framing_keeps_alive(&framing, 200, true));
    assert_null(note(&framing, "connection", "te,\tClose , x", NULL));
    assert_false(wf_h1_framing_keeps_alive(&framing, 200, false));
    assert_null(note(&framing, "connection", "keep-alive", "connection", "close", NULL));
    assert_false(wf_h1_framing_keeps_alive(&framing, 200, true));
    assert_null(note(&framing, "connection", "closed", NULL));
    assert_true(wf_h1_framing_keeps_alive(&framing, 200, false));
}

static void test_a_204_that_announces_content_ends_its_connection(void **state)
{
    (void)state;
    struct wf_h1_framing framing;
    assert_null(note(&framing, "content-length", "5", NULL));
    assert_false(wf_h1_framing_keeps_alive(&framing, 204, false));
    assert_true(wf_h1_framing_keeps_alive(&framing, 304, false));
    assert_null(note(&framing, "transfer-encoding", "chunked", NULL));
    assert_false(wf_h1_framing_keeps_alive(&framing, 204, false));
    assert_null(note(&framing, "content-length", "0", NULL));
    assert_true(wf_h1_framing_keeps_alive(&framing, 204, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_length_is_a_number),
        cmocka_unit_test(test_content_length_may_be_repeated_but_not_differ),
        cmocka_unit_test(test_transfer_encoding_is_chunked_and_nothing_else),
        cmocka_unit_test(test_content_length_beside_chunked_is_refused),
        cmocka_unit_test(test_chunked_in_http_1_0_is_refused),
        cmocka_unit_test(test_101_and_informational_content_are_refused),
        cmocka_unit_test(test_the_body_is_what_section_6_3_says),
        cmocka_unit_test(test_a_connection_lives_on_as_section_9_3_says),
        cmocka_unit_test(test_a_204_that_announces_content_ends_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
