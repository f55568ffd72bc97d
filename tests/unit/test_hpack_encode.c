/* The encoder: what it indexes, size updates, the cache of blocks, lack of memory; and random round
 * trips with table sizes that change. */
#include "support/hpack_codec.h"
#include "support/random.h"

static void test_static_entries_are_one_octet(void **state)
{
    (void)state;
    encode(":method", "GET");
    assert_out("82");
    encode(":status", "500");
    assert_out("8e");
    encode("accept-encoding", "gzip, deflate");
    assert_out("90");
    assert_int_equal(table_count(), 0);
}

static void test_a_field_that_comes_again_is_one_octet(void **state)
{
    (void)state;
    encode("x-kind", "one");
    assert_int_equal(table_count(), 1);
    encode("x-kind", "one");
    assert_out("be");
    encode("user-agent", "weft");
    encode("x-kind", "one");
    assert_out("bf");
}

static void test_a_name_that_comes_again_is_an_index(void **state)
{
    (void)state;
    encode("x-kind", "one");
    encode("x-kind", "*");
    assert_out("7e 01 2a");
}

static void test_octets_are_plain_where_huffman_code_is_not_shorter(void **state)
{
    (void)state;
    encode("x", "&&&&");
    assert_out("40 01 78 04 26262626");
    encode("y", "");
    assert_out("40 01 79 00");
}

static void test_values_that_seldom_come_again_stay_out_of_the_table(void **state)
{
    (void)state;
    static const char *const names[] = {":path",    "age",           "content-length",
                                        "etag",     "if-none-match", "if-modified-since",
                                        "location", "set-cookie"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        encode(names[i], "12345");
        assert_int_equal(wf_buf_slice(&out).ptr[0] & 0xf0, 0);
    }
    assert_int_equal(table_count(), 0);
}

static void test_a_field_that_changes_all_the_time_leaves_the_table_alone(void **state)
{
    (void)state;
    encode("x-kind", "one");
    for (unsigned i = 0; i < 1000; i++) {
        char value[24];
        snprintf(value, sizeof(value), "%u", i);
        encode("x-request-id", value);
        encode("x-kind", "one");
        assert_int_equal(wf_buf_slice(&out).ptr[0] & 0x80, 0x80);
    }
    assert_in_range(table_count(), 2, 1 + 4 + 1000 / 32 + 1);
    assert_true(wf_hpack_encoder_table(encoder)->next < 50);
}

static void test_a_field_that_stops_changing_enters_the_table_at_its_second_coming(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        char value[24];
        snprintf(value, sizeof(value), "%u", i);
        encode("x-request-id", value);
    }
    uint32_t count = table_count();
    encode("x-request-id", "steady");
    assert_int_equal(table_count(), count);
    encode("x-request-id", "steady");
    assert_int_equal(table_count(), count + 1);
    encode("x-request-id", "steady");
    assert_out("be");
    encode("x-request-id", "new");
    assert_int_equal(table_count(), count + 2);
}

static void test_secrets_are_never_indexed(void **state)
{
    (void)state;
    struct wf_field secret = field("x-token", "of the caller's own");
    secret.never_indexed = true;
    encode_fields(0, &secret, 1);
    assert_int_equal(wf_buf_slice(&out).ptr[0], 0x10);
    encode("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_int_equal(wf_buf_slice(&out).ptr[0] & 0xf0, 0x10);
    encode("proxy-authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_int_equal(wf_buf_slice(&out).ptr[0] & 0xf0, 0x10);
    encode("cookie", "short=1234567890123");
    assert_int_equal(wf_buf_slice(&out).ptr[0] & 0xf0, 0x10);
    assert_int_equal(table_count(), 0);
    encode("cookie", "long=123456789012345");
    assert_int_equal(table_count(), 1);
}

static void test_a_secret_that_is_in_the_tables_is_still_a_literal(void **state)
{
    (void)state;
    struct wf_field fields[] = {field("x-kind", "one"), field(":method", "GET")};
    encode_fields(0, fields, 2);
    fields[0].never_indexed = true;
    fields[1].never_indexed = true;
    encode_fields(0, fields, 2);
    assert_int_equal(wf_buf_slice(&out).ptr[0], 0x1f);
}

static void test_an_entry_of_most_of_the_table_is_not_inserted(void **state)
{
    (void)state;
    char value[4097];
    memset(value, '&', sizeof(value));
    value[4096] = 0;
    encode("x", value + 4096 - 3039);
    assert_int_equal(table_count(), 1);
    uint32_t next = wf_hpack_encoder_table(encoder)->next;
    encode("x", value + 4096 - 3040);
    encode("x", value);
    assert_int_equal(wf_hpack_encoder_table(encoder)->next, next);
}

/* Hashes look at the ends and the middle only, so these all have the same. */
static void test_fields_that_hashing_cannot_tell_apart_are_told_apart(void **state)
{
    (void)state;
    char name[] = "x-23456789-23456789-23456789-23456789";
    char value[] = "v-23456789-23456789-23456789-23456789";
    for (unsigned i = 0; i < 60; i++) {
        name[10] = (char)('a' + i % 3);
        value[10] = (char)('a' + i % 20);
        encode(name, value);
        encode(name, value);
    }
    name[10] = 'q';
    encode(name, value);
    assert_int_equal(wf_buf_slice(&out).ptr[0] & 0xbf, 0);
}

static void test_long_strings_have_long_lengths(void **state)
{
    (void)state;
    /* Around the lengths at which the length itself, plain or coded, takes one octet more. */
    static const size_t lengths[] = {126, 127, 128, 160,   200,   203,   204,   205,   254,
                                     255, 256, 400, 16509, 16510, 16511, 26000, 26420, 70000};
    char *value = malloc(70001);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (unsigned kind = 0; kind < 2; kind++) {
            memset(value, kind == 0 ? 'e' : '&', lengths[i]);
            value[lengths[i]] = 0;
            encode(":path", value);
            encode(value, "x");
        }
    }
    free(value);
}

static void test_a_smaller_table_is_announced_by_the_next_block(void **state)
{
    (void)state;
    encode("x-kind", "one");
    set_peer_table_size(100);
    encode(":method", "GET");
    assert_out("3f 45 82");
    assert_int_equal(table_count(), 1);
    encode(":method", "GET");
    assert_out("82");
}

static void test_the_smallest_size_is_announced_before_the_final_one(void **state)
{
    (void)state;
    encode("x-kind", "one");
    set_peer_table_size(0);
    set_peer_table_size(60);
    set_peer_table_size(4096);
    encode(":method", "GET");
    assert_out("20 3f e1 1f 82");
    assert_int_equal(table_count(), 0);
}

static void test_a_size_that_did_not_change_is_not_announced(void **state)
{
    (void)state;
    set_peer_table_size(4096);
    set_peer_table_size(65536);
    encode(":method", "GET");
    assert_out("82");
}

static void test_a_larger_table_is_used_up_to_our_cap(void **state)
{
    (void)state;
    use_table_cap(8192);
    set_peer_table_size(65536);
    encode(":method", "GET");
    assert_out("3f e1 3f 82");
    set_peer_table_size(65537);
    encode(":method", "GET");
    assert_out("82");
}

static void test_a_cap_below_the_initial_size_is_announced_at_once(void **state)
{
    (void)state;
    use_table_cap(0);
    encode("x-kind", "one");
    assert_int_equal(wf_buf_slice(&out).ptr[0], 0x20);
    encode("x-kind", "one");
    assert_int_equal(wf_buf_slice(&out).ptr[0], 0x00);
    assert_int_equal(table_count(), 0);
}

/* The contract says that a key stands for the same fields; breaking it shows whether the cache
 * spoke. */
static bool cache_has(uint64_t key)
{
    struct wf_field other = field(":path", "/something else");
    struct wf_buf block;
    wf_buf_init(&block);
    assert_true(wf_hpack_encode(encoder, key, &other, 1, &block));
    bool cached = wf_buf_len(&out) == wf_buf_len(&block) &&
                  memcmp(wf_buf_slice(&out).ptr, wf_buf_slice(&block).ptr, wf_buf_len(&out)) == 0;
    wf_buf_fini(&block);
    return cached;
}

static void test_a_block_that_inserted_nothing_is_kept(void **state)
{
    (void)state;
    struct wf_field fields[] = {field(":method", "GET"), field(":path", "/a"),
                                field("x-kind", "one")};
    encode_fields(7, fields, 3);
    assert_int_equal(table_count(), 1);
    encode_fields(7, fields, 3);
    assert_true(cache_has(7));
    assert_false(cache_has(8));
    encode_fields(7, fields, 3);
}

static void test_a_block_without_a_key_is_not_kept(void **state)
{
    (void)state;
    encode(":method", "GET");
    encode(":method", "GET");
    assert_false(cache_has(0));
}

static void test_a_block_that_inserted_is_not_kept(void **state)
{
    (void)state;
    struct wf_field one = field("x-kind", "one");
    encode_fields(7, &one, 1);
    assert_false(cache_has(7));
}

static void test_an_insertion_ends_what_was_kept(void **state)
{
    (void)state;
    struct wf_field one = field("x-kind", "one");
    encode("x-kind", "one");
    encode_fields(7, &one, 1);
    assert_out("be");
    encode("user-agent", "weft");
    encode_fields(7, &one, 1);
    assert_out("bf");
}

static void test_a_size_update_goes_out_before_what_was_kept(void **state)
{
    (void)state;
    struct wf_field one = field(":method", "GET");
    encode_fields(7, &one, 1);
    encode_fields(7, &one, 1);
    set_peer_table_size(0);
    encode_fields(7, &one, 1);
    assert_out("20 82");
    encode_fields(7, &one, 1);
    assert_out("82");
}

static void test_many_keys_and_long_blocks_are_bounded(void **state)
{
    (void)state;
    char path[400];
    for (unsigned i = 1; i <= 1000; i++) {
        snprintf(path, sizeof(path), "/%0*u", i % 5 == 0 ? 390 : 5, i);
        struct wf_field one = field(":path", path);
        encode_fields(i, &one, 1);
        encode_fields(i, &one, 1);
        assert_int_equal(cache_has(i), i % 5 != 0);
    }
}

/* Each allocation fails once: then either nothing happened, or the block is right without it. */
static void test_each_failing_allocation_leaves_everything_as_it_was(void **state)
{
    (void)state;
    struct wf_field fields[40];
    char values[40][80];
    for (size_t i = 0; i < 40; i++) {
        snprintf(values[i], sizeof(values[i]), "value of field %zu, as long as it takes %030zu", i,
                 i);
        fields[i] = field(i % 2 == 0 ? "x-even" : "x-odd", values[i]);
    }
    for (long n = 0;; n++) {
        use_table_cap(4096);
        wf_buf_fini(&out);
        failing_alloc_after(n);
        bool done = wf_hpack_encode(encoder, 1, fields, 40, &out);
        bool failed = failing_alloc_failures() > 0;
        failing_alloc_after(-1);
        if (!done) {
            assert_true(failed);
            assert_int_equal(wf_buf_len(&out), 0);
            assert_int_equal(table_count(), 0);
        }
        if (done) {
            struct wf_field_section section;
            assert_int_equal(wf_hpack_decode(decoder, wf_buf_slice(&out), &section), WF_HPACK_OK);
            assert_int_equal(section.count, 40);
        }
        encode_fields(2, fields, 40);
        encode_fields(2, fields, 40);
        if (!failed)
            break;
    }
}

struct vocabulary {
    char names[40][40];
    char values[80][400];
    size_t value_lens[80];
};

static void make_vocabulary(struct vocabulary *v, struct test_random *random)
{
    static const char *const known[] = {":method", ":path",           ":status", "cookie",
                                        "date",    "accept",          "etag",    "host",
                                        "x",       "www-authenticate"};
    for (size_t i = 0; i < 40; i++) {
        if (i < 10)
            snprintf(v->names[i], sizeof(v->names[i]), "%s", known[i]);
        else
            snprintf(v->names[i], sizeof(v->names[i]), "x-%zu-%.*s", i,
                     (int)test_random_below(random, 30), "abcdefghijklmnopqrstuvwxyzabcdefg");
    }
    for (size_t i = 0; i < 80; i++) {
        v->value_lens[i] = test_random_below(random, i % 10 == 0 ? 400 : 40);
        for (size_t k = 0; k < v->value_lens[i]; k++)
            v->values[i][k] = (char)(i % 7 == 0 ? test_random_below(random, 256)
                                                : ' ' + test_random_below(random, 95));
    }
}

static void test_random_sections_survive_changing_table_sizes(void **state)
{
    (void)state;
    struct test_random random = test_random_start("encode");
    struct vocabulary *v = calloc(1, sizeof(*v));
    for (unsigned connection = 0; connection < 20; connection++) {
        use_table_cap((uint32_t)test_random_below(&random, 10000));
        make_vocabulary(v, &random);
        for (unsigned i = 0; i < 200; i++) {
            struct wf_field fields[30];
            size_t count = test_random_below(&random, 30);
            for (size_t k = 0; k < count; k++) {
                size_t value = test_random_below(&random, 80);
                fields[k].name = wf_slice_str(v->names[test_random_below(&random, 40)]);
                fields[k].value = wf_slice(v->values[value], v->value_lens[value]);
                fields[k].never_indexed = test_random_below(&random, 20) == 0;
            }
            for (size_t changes = test_random_below(&random, 10); changes > 7; changes--)
                set_peer_table_size((uint32_t)test_random_below(&random, 6000));
            /* The same request several times, so that its block comes from the cache. */
            uint64_t key = test_random_below(&random, 2) * (connection * 1000 + i + 1);
            for (size_t times = test_random_below(&random, 4); times > 0; times--)
                encode_fields(key, fields, count);
        }
    }
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_static_entries_are_one_octet),
        TEST(test_a_field_that_comes_again_is_one_octet),
        TEST(test_a_name_that_comes_again_is_an_index),
        TEST(test_octets_are_plain_where_huffman_code_is_not_shorter),
        TEST(test_values_that_seldom_come_again_stay_out_of_the_table),
        TEST(test_a_field_that_changes_all_the_time_leaves_the_table_alone),
        TEST(test_a_field_that_stops_changing_enters_the_table_at_its_second_coming),
        TEST(test_secrets_are_never_indexed),
        TEST(test_a_secret_that_is_in_the_tables_is_still_a_literal),
        TEST(test_an_entry_of_most_of_the_table_is_not_inserted),
        TEST(test_fields_that_hashing_cannot_tell_apart_are_told_apart),
        TEST(test_long_strings_have_long_lengths),
        TEST(test_a_smaller_table_is_announced_by_the_next_block),
        TEST(test_the_smallest_size_is_announced_before_the_final_one),
        TEST(test_a_size_that_did_not_change_is_not_announced),
        TEST(test_a_larger_table_is_used_up_to_our_cap),
        TEST(test_a_cap_below_the_initial_size_is_announced_at_once),
        TEST(test_a_block_that_inserted_nothing_is_kept),
        TEST(test_a_block_without_a_key_is_not_kept),
        TEST(test_a_block_that_inserted_is_not_kept),
        TEST(test_an_insertion_ends_what_was_kept),
        TEST(test_a_size_update_goes_out_before_what_was_kept),
        TEST(test_many_keys_and_long_blocks_are_bounded),
        TEST(test_each_failing_allocation_leaves_everything_as_it_was),
        TEST(test_random_sections_survive_changing_table_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
