/* The encoder's guess that a field is what its position had in the last block: that it is used, and
 * that it is never believed. */
#include "h2/hpack_guess.h"

#include "support/hpack_codec.h"

static bool is_index(void)
{
    return wf_buf_len(&out) > 0 && (wf_buf_slice(&out).ptr[0] & 0x80) != 0;
}

static void encode_two(struct wf_field first, struct wf_field second)
{
    struct wf_field fields[] = {first, second};
    encode_fields(0, fields, 2);
}

/* A test may set what would take four thousand million insertions. */
static struct wf_hpack_dyntab *table(void)
{
    return (struct wf_hpack_dyntab *)(uintptr_t)wf_hpack_encoder_table(encoder);
}

static void test_a_block_that_comes_again_is_an_index_a_field(void **state)
{
    (void)state;
    struct wf_field fields[] = {field(":method", "GET"), field(":path", "/"),
                                field("user-agent", "weft"), field("x-kind", "one"),
                                field("x-kind", "")};
    encode_fields(0, fields, 5);
    for (unsigned i = 0; i < 3; i++) {
        encode_fields(0, fields, 5);
        assert_out("82 84 c0 bf be");
    }
}

static void test_more_fields_than_guesses_are_indices_too(void **state)
{
    (void)state;
    struct wf_field fields[WF_HPACK_GUESSES + 3];
    char values[WF_HPACK_GUESSES + 3][8];
    size_t count = sizeof(fields) / sizeof(fields[0]);
    for (size_t i = 0; i < count; i++) {
        snprintf(values[i], sizeof(values[i]), "%zu", i);
        fields[i] = i % 2 == 0 ? field("cache-control", values[i]) : field("x", values[i]);
        encode(i % 2 == 0 ? "cache-control" : "x", values[i]);
        encode(i % 2 == 0 ? "cache-control" : "x", values[i]);
    }
    for (size_t i = 0; i < 2; i++)
        encode_fields(0, fields, count);
    encode_fields(0, fields, count);
    assert_int_equal(wf_buf_len(&out), table_count());
    assert_int_equal(table_count(), count);
}

static void test_an_entry_that_was_evicted_is_not_referred_to(void **state)
{
    (void)state;
    set_peer_table_size(100);
    encode_two(field(":method", "GET"), field("x-kind", "one"));
    encode_two(field(":method", "GET"), field("x-kind", "one"));
    assert_out("82 be");
    encode("x-other", "one");
    encode("x-third", "one");
    encode_two(field(":method", "GET"), field("x-kind", "one"));
    assert_int_equal(wf_buf_slice(&out).ptr[1], 0x40);
    encode_two(field(":method", "GET"), field("x-kind", "one"));
    assert_out("82 be");
}

static void test_a_table_that_was_emptied_has_nothing_to_refer_to(void **state)
{
    (void)state;
    encode("x-kind", "one");
    encode("x-kind", "one");
    set_peer_table_size(0);
    encode("x-kind", "one");
    assert_int_equal(wf_buf_slice(&out).ptr[0], 0x20);
    assert_int_equal(wf_buf_slice(&out).ptr[1], 0x00);
    set_peer_table_size(4096);
    encode("x-kind", "one");
    assert_int_equal(table_count(), 1);
    encode("x-kind", "one");
    assert_out("be");
}

static void test_numbers_of_entries_may_wrap(void **state)
{
    (void)state;
    table()->next = UINT32_MAX - 2;
    for (unsigned i = 0; i < 6; i++) {
        char value[] = {(char)('a' + i), 0};
        encode_two(field("x-first", "one"), field("x-kind", value));
        encode_two(field("x-first", "one"), field("x-kind", value));
        assert_int_equal(wf_buf_len(&out), 2);
        assert_int_equal(wf_buf_slice(&out).ptr[1], 0xbe);
    }
    assert_in_range(table()->next, 1, 10);
}

/* As if numbers had wrapped just so far that one stands for another entry. */
static void test_a_number_that_another_entry_has_now_is_compared(void **state)
{
    (void)state;
    static const char *const others[][2] = {
        {"x-kind", "two"}, {"x-kine", "one"}, {"x-kindo", "ne"}, {"x-kin", "done"}};
    struct wf_field secret = field("x-token", "is in no table");
    secret.never_indexed = true;
    for (size_t i = 0; i < 4; i++) {
        use_table_cap(4096);
        encode("x-kind", "one");
        set_peer_table_size(0);
        set_peer_table_size(4096);
        encode_fields(0, &secret, 0);
        assert_int_equal(table_count(), 0);
        table()->next = 0;
        encode_two(secret, field(others[i][0], others[i][1]));
        assert_int_equal(table_count(), 1);
        encode("x-kind", "one");
        assert_false(is_index());
        encode("x-kind", "one");
        assert_out("be");
    }
}

static void test_another_field_at_the_position_is_told_apart(void **state)
{
    (void)state;
    static const char *const fields[][2] = {
        {"x-kind", "one"},  {"x-kind", "two"},      {"x-kine", "one"},     {"x-kindo", "ne"},
        {"x-kin", "done"},  {"x-kin", "one"},       {"x-kind", ""},        {":method", "GET"},
        {":method", "PUT"}, {":path", "/"},         {":path", "?"},        {":path", "/index.htm"},
        {":status", "200"}, {":status", "404"},     {":status", "201"},    {"x-kindone", ""},
        {"x", "-kindone"},  {"accept-charset", ""}, {"accept", "-charset"}};
    size_t count = sizeof(fields) / sizeof(fields[0]);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < count; i++) {
            for (size_t k = 0; k < count; k++) {
                encode(fields[i][0], fields[i][1]);
                encode(fields[k][0], fields[k][1]);
            }
        }
    }
}

static void test_a_field_of_another_static_value_is_still_one_octet(void **state)
{
    (void)state;
    encode(":status", "200");
    encode(":status", "404");
    assert_out("8d");
    encode(":path", "/a");
    encode(":path", "/index.html");
    assert_out("85");
    encode(":path", "/");
    assert_out("84");
}

static void test_what_becomes_a_secret_is_no_longer_an_index(void **state)
{
    (void)state;
    struct wf_field fields[] = {field("x-kind", "one"), field(":method", "GET"),
                                field("cookie", "long=123456789012345")};
    encode_fields(0, fields, 3);
    encode_fields(0, fields, 3);
    assert_out("bf 82 be");
    for (size_t i = 0; i < 3; i++)
        fields[i].never_indexed = true;
    for (size_t i = 0; i < 3; i++) {
        encode_fields(0, fields + i, 1);
        assert_int_equal(wf_buf_slice(&out).ptr[0] & 0xf0, 0x10);
        encode_fields(0, fields, 3);
        assert_int_equal(wf_buf_slice(&out).ptr[0], 0x1f);
    }
}

/* The static table has both names, with an empty value. */
static void test_an_empty_secret_is_no_index(void **state)
{
    (void)state;
    static const char *const names[] = {"authorization", "proxy-authorization", "cookie"};
    for (size_t i = 0; i < 3; i++) {
        encode(names[i], "a");
        encode(names[i], "");
        assert_int_equal(wf_buf_slice(&out).ptr[0], 0x1f);
        encode(names[i], "");
        assert_int_equal(wf_buf_slice(&out).ptr[0], 0x1f);
    }
    assert_int_equal(table_count(), 0);
}

static void test_a_name_is_the_index_of_its_newest_entry(void **state)
{
    (void)state;
    encode_two(field("x-kind", "one"), field("x-kind", "two"));
    encode("x-kind", "*");
    assert_out("7e 01 2a");
}

/* Were the hash of the secret's name kept, "two" would enter the table where nobody finds it. */
static void test_a_name_in_no_table_leaves_the_guess_as_it_is(void **state)
{
    (void)state;
    struct wf_field secret = field("x-token", "of the caller's own");
    secret.never_indexed = true;
    encode("x-kind", "one");
    encode_fields(0, &secret, 1);
    encode("x-kind", "two");
    encode_two(field(":method", "GET"), field("x-kind", "two"));
    assert_out("82 be");
}

static void test_a_guess_that_is_right_counts_as_a_field_that_comes_again(void **state)
{
    (void)state;
    encode("x-kind", "a");
    encode("x-kind", "b");
    encode("x-kind", "c");
    encode("x-kind", "c");
    for (unsigned i = 0; i < 4; i++) {
        char value[] = {(char)('d' + i), 0};
        encode("x-kind", value);
    }
    assert_int_equal(table_count(), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_block_that_comes_again_is_an_index_a_field),
        TEST(test_more_fields_than_guesses_are_indices_too),
        TEST(test_an_entry_that_was_evicted_is_not_referred_to),
        TEST(test_a_table_that_was_emptied_has_nothing_to_refer_to),
        TEST(test_numbers_of_entries_may_wrap),
        TEST(test_a_number_that_another_entry_has_now_is_compared),
        TEST(test_another_field_at_the_position_is_told_apart),
        TEST(test_a_field_of_another_static_value_is_still_one_octet),
        TEST(test_what_becomes_a_secret_is_no_longer_an_index),
        TEST(test_an_empty_secret_is_no_index),
        TEST(test_a_name_is_the_index_of_its_newest_entry),
        TEST(test_a_name_in_no_table_leaves_the_guess_as_it_is),
        TEST(test_a_guess_that_is_right_counts_as_a_field_that_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
