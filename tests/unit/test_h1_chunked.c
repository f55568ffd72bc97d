/* The chunked coding, whole and octet by octet. */
#include "h1/chunked.h"
#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIMIT        10u

struct decoded {
    char text[64];
    size_t len;
    size_t left; /* octets behind the last chunk */
    bool over;
    struct wf_h1_err err;
};

static void decode_piece(struct wf_h1_chunked *chunked, struct wf_slice in, struct decoded *out)
{
    while (in.len > 0 && !wf_h1_chunked_is_over(chunked) && out->err.kind == WF_H1_ERR_NONE) {
        struct wf_slice bytes;
        out->err = wf_h1_chunked_next(chunked, &in, &bytes);
        if (out->err.kind != WF_H1_ERR_NONE)
            return;
        assert_true(out->len + bytes.len <= sizeof(out->text));
        if (bytes.len > 0)
            memcpy(out->text + out->len, bytes.ptr, bytes.len);
        out->len += bytes.len;
    }
    out->left += in.len;
}

/* The same however the input comes. */
static struct decoded decode(const char *text)
{
    struct decoded whole = {0};
    struct decoded split = {0};
    struct wf_h1_chunked chunked;
    wf_h1_chunked_init(&chunked, LIMIT);
    decode_piece(&chunked, wf_slice_str(text), &whole);
    whole.over = wf_h1_chunked_is_over(&chunked);
    wf_h1_chunked_init(&chunked, LIMIT);
    for (size_t i = 0; text[i] != '\0' && split.err.kind == WF_H1_ERR_NONE; i++)
        decode_piece(&chunked, wf_slice(text + i, 1), &split);
    split.over = wf_h1_chunked_is_over(&chunked);
    assert_int_equal(whole.err.kind, split.err.kind);
    assert_ptr_equal(whole.err.reason, split.err.reason);
    assert_int_equal(whole.over, split.over);
    assert_int_equal(whole.len, split.len);
    assert_memory_equal(whole.text, split.text, whole.len);
    return whole;
}

static void test_chunks_become_content(void **state)
{
    (void)state;
    struct decoded out = decode("5\r\nhello\r\n0A\r\n, world..!\r\n0\r\n\r\n");
    assert_int_equal(out.err.kind, WF_H1_ERR_NONE);
    assert_true(out.over);
    assert_int_equal(out.left, 2);
    assert_int_equal(out.len, 15);
    assert_memory_equal(out.text, "hello, world..!", 15);
}

static void test_extensions_are_skipped(void **state)
{
    (void)state;
    struct decoded out = decode("2;a=\"b;\"\r\nhi\r\n3 \t;x\r\nyou\r\n0;end\r\n");
    assert_int_equal(out.err.kind, WF_H1_ERR_NONE);
    assert_true(out.over);
    assert_memory_equal(out.text, "hiyou", 5);
}

static void test_bad_chunks_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\r\n",
        ";a\r\n",
        "x\r\n",
        "-1\r\n",
        "+1\r\n",
        " 1\r\na",
        "1 \r\na",
        "1\t\r\na",
        "0x1\r\na",
        "1g\r\na",
        "1\na",
        "1\r\r\na",
        "1\ra",
        "1;a\nb",
        "1;a\rb",
        "1\r\nab\r\n",
        "1\r\na\n",
        "1\r\na\r\r\n",
        "1\r\na0\r\n",
        "1\r\na\rX",
        "0000000000000001\r\na",
        "fffffffffffffffff\r\n",
        "1;a\x01\r\na",
        "1;\x7f\r\n",
        "1,0\r\n",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (decode(bad[i]).err.kind != WF_H1_ERR_PROTOCOL)
            fail_msg("number %zu was taken: %s", i, bad[i]);
    }
}

static void test_the_largest_chunk_does_not_overflow(void **state)
{
    (void)state;
    struct decoded out = decode("FFFFFFFFFFFFFFF\r\nabc");
    assert_int_equal(out.err.kind, WF_H1_ERR_NONE);
    assert_int_equal(out.len, 3);
    assert_false(out.over);
}

static void test_extensions_have_a_limit_which_content_extends(void **state)
{
    (void)state;
    assert_int_equal(decode("1;12345678\r\na\r\n").err.kind, WF_H1_ERR_NONE);
    assert_int_equal(decode("1;1234567890\r\na\r\n").err.kind, WF_H1_ERR_FLOOD);
    assert_int_equal(decode("1;12345678\r\na\r\n1;12345678\r\na").err.kind, WF_H1_ERR_FLOOD);
    assert_int_equal(
        decode("a;1234567\r\n0123456789\r\na;1234567\r\n0123456789\r\n0;1234567\r\n").err.kind,
        WF_H1_ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks_become_content),
        cmocka_unit_test(test_extensions_are_skipped),
        cmocka_unit_test(test_bad_chunks_are_refused),
        cmocka_unit_test(test_the_largest_chunk_does_not_overflow),
        cmocka_unit_test(test_extensions_have_a_limit_which_content_extends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
