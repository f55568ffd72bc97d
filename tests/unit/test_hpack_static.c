/* The static table: appendix A of RFC 7541, and the lookups. */
#include "h2/field_octets.h"
#include "h2/hpack_static.h"
#include "h2/octets.h"

#include "support/cmocka.h"

static unsigned find_name(struct wf_slice name)
{
    return wf_hpack_static_find_name(name, wf_octets_hash(name.ptr, name.len));
}

static struct wf_slice name_at(unsigned index)
{
    const struct wf_field_line *line = &wf_hpack_static_lines[index];
    return wf_slice(wf_hpack_static_octets + line->offset, line->name_len);
}

static struct wf_slice value_at(unsigned index)
{
    const struct wf_field_line *line = &wf_hpack_static_lines[index];
    return wf_slice(wf_hpack_static_octets + line->offset + line->name_len, line->value_len);
}

static void test_entries_stand_where_the_rfc_puts_them(void **state)
{
    (void)state;
    static const struct {
        unsigned index;
        const char *name;
        const char *value;
    } known[] = {
        {1, ":authority", ""},
        {2, ":method", "GET"},
        {3, ":method", "POST"},
        {4, ":path", "/"},
        {5, ":path", "/index.html"},
        {6, ":scheme", "http"},
        {7, ":scheme", "https"},
        {8, ":status", "200"},
        {9, ":status", "204"},
        {10, ":status", "206"},
        {11, ":status", "304"},
        {12, ":status", "400"},
        {13, ":status", "404"},
        {14, ":status", "500"},
        {15, "accept-charset", ""},
        {16, "accept-encoding", "gzip, deflate"},
        {19, "accept", ""},
        {20, "access-control-allow-origin", ""},
        {23, "authorization", ""},
        {24, "cache-control", ""},
        {28, "content-length", ""},
        {32, "cookie", ""},
        {33, "date", ""},
        {38, "host", ""},
        {46, "location", ""},
        {54, "server", ""},
        {55, "set-cookie", ""},
        {58, "user-agent", ""},
        {61, "www-authenticate", ""},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_true(wf_slice_is(name_at(known[i].index), known[i].name));
        assert_true(wf_slice_is(value_at(known[i].index), known[i].value));
    }
}

static void test_every_name_is_found_at_its_lowest_index(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= WF_HPACK_STATIC_COUNT; i++) {
        unsigned lowest = i;
        while (lowest > 1 && wf_slice_equal(name_at(lowest - 1), name_at(i)))
            lowest--;
        assert_int_equal(find_name(name_at(i)), lowest);
        assert_int_equal(wf_hpack_static_lines[i].static_name, lowest);
    }
}

static void test_every_value_is_found_with_its_name(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= WF_HPACK_STATIC_COUNT; i++)
        assert_int_equal(wf_hpack_static_find_value(find_name(name_at(i)), value_at(i)), i);
    assert_int_equal(wf_hpack_static_find_value(2, wf_slice_str("PUT")), 0);
    assert_int_equal(wf_hpack_static_find_value(8, wf_slice_str("")), 0);
    assert_int_equal(wf_hpack_static_find_value(61, wf_slice_str("x")), 0);
}

static void test_other_names_are_not_found(void **state)
{
    (void)state;
    static const char *const others[] = {"",
                                         ":",
                                         ":protocol",
                                         "x",
                                         "Host",
                                         "hosts",
                                         "hos",
                                         "statuses",
                                         "www-authenticatf",
                                         "access-control-allow-origi"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(find_name(wf_slice_str(others[i])), 0);
    /* Names that the hash cannot tell apart: it does not look at all octets. */
    assert_int_equal(find_name(wf_slice_str("access-cXntrol-allow-origin")), 0);
    for (unsigned i = 1; i <= WF_HPACK_STATIC_COUNT; i++) {
        for (size_t at = 0; at < name_at(i).len; at++) {
            uint8_t name[32];
            memcpy(name, name_at(i).ptr, name_at(i).len);
            name[at] ^= 0x20;
            assert_int_equal(find_name(wf_slice(name, name_at(i).len)), 0);
        }
    }
}

static void test_names_are_valid_by_the_octet_classes(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= WF_HPACK_STATIC_COUNT; i++) {
        assert_true(wf_octets_are_name(name_at(i).ptr, name_at(i).len));
        assert_true(wf_octets_are_value(value_at(i).ptr, value_at(i).len));
    }
}

static void test_octets_that_a_name_may_not_hold(void **state)
{
    (void)state;
    const char *token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
    for (unsigned octet = 0; octet < 256; octet++) {
        uint8_t name[3] = {'a', (uint8_t)octet, 'b'};
        bool legal = octet != 0 && strchr(token, (int)octet) != NULL;
        assert_int_equal(wf_octets_are_name(name, 3), legal);
        assert_int_equal(wf_octets_are_name(name + 1, 2), legal || octet == ':');
        assert_int_equal(wf_octets_are_name(name, 2), legal);
    }
    assert_false(wf_octets_are_name((const uint8_t *)"", 0));
    assert_false(wf_octets_are_name((const uint8_t *)":", 1));
    assert_false(wf_octets_are_name((const uint8_t *)"::a", 3));
}

static void test_octets_that_a_value_may_not_hold(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        for (size_t len = 1; len <= 20; len++) {
            for (size_t at = 0; at < len; at++) {
                uint8_t value[20];
                memset(value, 'v', sizeof(value));
                value[at] = (uint8_t)octet;
                bool edge = at == 0 || at == len - 1;
                bool legal = octet != 0 && octet != '\r' && octet != '\n' &&
                             !(edge && (octet == ' ' || octet == '\t'));
                assert_int_equal(wf_octets_are_value(value, len), legal);
            }
        }
    }
    assert_true(wf_octets_are_value((const uint8_t *)"", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries_stand_where_the_rfc_puts_them),
        cmocka_unit_test(test_every_name_is_found_at_its_lowest_index),
        cmocka_unit_test(test_every_value_is_found_with_its_name),
        cmocka_unit_test(test_other_names_are_not_found),
        cmocka_unit_test(test_names_are_valid_by_the_octet_classes),
        cmocka_unit_test(test_octets_that_a_name_may_not_hold),
        cmocka_unit_test(test_octets_that_a_value_may_not_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
