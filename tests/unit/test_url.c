#include "message/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MUTATIONS 60000

/* A parsed URL with its room, which is of the exact size so that a sanitizer sees an overrun. */
struct parsed {
    struct wf_url url;
    struct weft_error error;
    enum weft_code code;
    char *room;
};

static struct parsed parse_slice(struct wf_slice text)
{
    struct parsed p = {0};
    p.room = malloc(wf_url_room(text.len));
    assert_non_null(p.room);
    p.code = wf_url_parse(&p.url, text, p.room, &p.error);
    return p;
}

static struct parsed parse(const char *text)
{
    return parse_slice(wf_slice_str(text));
}

struct good {
    const char *text;
    bool https;
    const char *host;
    unsigned port;
    const char *authority;
    const char *path;
    char kind; /* 'n'ame, '4', '6' */
};

static const struct good good_urls[] = {
    {"http://a", false, "a", 80, "a", "/", 'n'},
    {"https://a/", true, "a", 443, "a", "/", 'n'},
    {"HTTPS://Example.COM/Path", true, "example.com", 443, "example.com", "/Path", 'n'},
    {"http://a:80/", false, "a", 80, "a", "/", 'n'},
    {"https://a:443/", true, "a", 443, "a", "/", 'n'},
    {"http://a:443/", false, "a", 443, "a:443", "/", 'n'},
    {"https://a:8443/x", true, "a", 8443, "a:8443", "/x", 'n'},
    {"http://a:/x", false, "a", 80, "a", "/x", 'n'},
    {"http://a:0080/", false, "a", 80, "a", "/", 'n'},
    {"http://a:65535", false, "a", 65535, "a:65535", "/", 'n'},
    {"http://a?q=1", false, "a", 80, "a", "/?q=1", 'n'},
    {"http://a#top", false, "a", 80, "a", "/", 'n'},
    {"http://a/p?q#f?g/h", false, "a", 80, "a", "/p?q", 'n'},
    {"http://a/p?", false, "a", 80, "a", "/p?", 'n'},
    {"http://a/p?x=http://b@c:9/?d", false, "a", 80, "a", "/p?x=http://b@c:9/?d", 'n'},
    {"http://a/%41%7e%Ff", false, "a", 80, "a", "/%41%7e%Ff", 'n'},
    {"http://a/-._~!$&'()*+,;=:@[]|/?-._~!$&'()*+,;=:@[]|/?", false, "a", 80, "a",
     "/-._~!$&'()*+,;=:@[]|/?-._~!$&'()*+,;=:@[]|/?", 'n'},
    {"http://a//../b/./c", false, "a", 80, "a", "//../b/./c", 'n'},
    {"http://my_host-1.example/", false, "my_host-1.example", 80, "my_host-1.example", "/", 'n'},
    {"http://example.com./", false, "example.com", 80, "example.com.", "/", 'n'},
    {"http://xn--bcher-kva.example/", false, "xn--bcher-kva.example", 80, "xn--bcher-kva.example",
     "/", 'n'},
    {"http://3com.com/", false, "3com.com", 80, "3com.com", "/", 'n'},
    {"http://1.2.3.4.example", false, "1.2.3.4.example", 80, "1.2.3.4.example", "/", 'n'},
    {"http://0xyz/", false, "0xyz", 80, "0xyz", "/", 'n'},
    {"http://127.0.0.1:8080/", false, "127.0.0.1", 8080, "127.0.0.1:8080", "/", '4'},
    {"http://127.0.0.1./", false, "127.0.0.1", 80, "127.0.0.1", "/", '4'},
    {"http://[::1]/", false, "::1", 80, "[::1]", "/", '6'},
    {"https://[::1]:8443/", true, "::1", 8443, "[::1]:8443", "/", '6'},
    {"https://[2001:DB8::0:1]", true, "2001:db8::1", 443, "[2001:db8::1]", "/", '6'},
    {"https://[0:0:0:0:0:0:0:1]/", true, "::1", 443, "[::1]", "/", '6'},
    {"http://[::ffff:1.2.3.4]/", false, "::ffff:1.2.3.4", 80, "[::ffff:1.2.3.4]", "/", '6'},
    {"http://[::FFFF:FFFF:FFFF]/", false, "::ffff:255.255.255.255", 80, "[::ffff:255.255.255.255]",
     "/", '6'},
};

static void test_good_urls_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good_urls) / sizeof(good_urls[0]); i++) {
        const struct good *want = &good_urls[i];
        struct parsed got = parse(want->text);
        if (got.code != WEFT_OK)
            fail_msg("%s: %s", want->text, got.error.text);
        assert_int_equal(got.url.https, want->https);
        assert_string_equal((const char *)got.url.host.ptr, want->host);
        assert_int_equal(got.url.host.len, strlen(want->host));
        assert_int_equal(got.url.port, want->port);
        assert_string_equal((const char *)got.url.authority.ptr, want->authority);
        assert_int_equal(got.url.authority.len, strlen(want->authority));
        assert_string_equal((const char *)got.url.path.ptr, want->path);
        assert_int_equal(got.url.path.len, strlen(want->path));
        assert_int_equal(got.url.host_is_ip4, want->kind == '4');
        assert_int_equal(got.url.host_is_ip6, want->kind == '6');
        free(got.room);
    }
}

struct bad {
    const char *text;
    const char *says; /* the message contains it */
};

static const struct bad bad_urls[] = {
    {"", "does not begin with http:// or https://"},
    {"example.com", "\"example.com\" does not begin with"},
    {"example.com/http://b", "scheme \"example.com/http\" is neither"},
    {"localhost:8080/x", "\"localhost:8080/x\" does not begin with"},
    {"http:", "does not begin with"},
    {"http:/a", "\"http:/a\" does not begin with"},
    {"://a", "scheme \"\""},
    {"ftp://a/", "scheme \"ftp\" is neither"},
    {"httpss://a/", "scheme \"httpss\""},
    {" http://a/", "scheme \" http\""},
    {"http://", "no host"},
    {"http:///path", "no host"},
    {"http://:80/", "no host"},
    {"http://?q", "no host"},
    {"http://user@a/", "'@' (position 12)"},
    {"http://user:secret@a/", "user name or password"},
    {"http://a b/", "octet 0x20 at position 9, which a host name must not have"},
    {"http://a\tb/", "octet 0x09 at position 9"},
    {"http://b\xc3\xbc"
     "cher/",
     "octet 0xc3 at position 9, which a host name must not have; write it in its xn-- form"},
    {"http://a%2eb/", "'%' (0x25) at position 9, which a host name must not have; write it in its "
                      "xn-- form"},
    {"http://a\\b/", "'\\' (0x5c) at position 9"},
    {"http://a,b/", "',' (0x2c) at position 9"},
    {"http://a..b/", "\"a..b\" has an empty label before position 10"},
    {"http://.a/", "\".a\" has an empty label before position 8"},
    {"http://./", "empty label"},
    {"http://a../", "\"a.\" has an empty label"},
    {"http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b/",
     "label of more than 63 octets"},
    {"http://127.1/", "\"127.1\" is a number but not an IPv4 address"},
    {"http://2130706433/", "\"2130706433\" is a number"},
    {"http://0x7f000001/", "\"0x7f000001\" is a number"},
    {"http://0X7F.1/", "\"0X7F.1\" is a number"},
    {"http://1.2.3.256/", "\"1.2.3.256\" is a number"},
    {"http://1.2.3.04/", "\"1.2.3.04\" is a number"},
    {"http://1.2.3.4.5/", "\"1.2.3.4.5\" is a number"},
    {"http://[::1/", "'[' at position 8 without a ']'"},
    {"http://[]/", "\"[]\" is not an IPv6 address"},
    {"http://[1:2]/", "\"[1:2]\" is not an IPv6 address"},
    {"http://[:::]/", "\"[:::]\" is not"},
    {"http://[1.2.3.4]/", "\"[1.2.3.4]\" is not"},
    {"http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/", "is not an IPv6 address"},
    {"http://[fe80::1%25eth0]/", "zone identifier ('%' at position 16)"},
    {"http://[::g]/", "'g' (0x67) at position 11, which an IPv6 address must not have"},
    {"http://[::1]x/", "'x' (0x78) at position 13, which the end of an IPv6 address"},
    {"http://1::2/",
     "':' (0x3a) at position 10, which a port must not have; an IPv6 address stands"},
    {"http://a:80:90/", "':' (0x3a) at position 12"},
    {"http://a:8x/", "'x' (0x78) at position 11, which a port"},
    {"http://a:-1/", "'-' (0x2d) at position 10"},
    {"http://a:0/", "port \"0\" is not between 1 and 65535"},
    {"http://a:65536/", "port \"65536\""},
    {"http://a:18446744073709551696/", "port \"18446744073709551696\""},
    {"http://a/b c", "octet 0x20 at position 11, which a URL must not have; write it as %20"},
    {"http://a/\r\nx: y", "octet 0x0d at position 10"},
    {"http://a/\x7f", "octet 0x7f at position 10"},
    {"http://a/\xc3\xa4", "octet 0xc3 at position 10, which a URL must not have; write it as %C3"},
    {"http://a/?q={1}", "'{' (0x7b) at position 13, which a URL must not have; write it as %7B"},
    {"http://a/<", "'<' (0x3c)"},
    {"http://a/>", "'>' (0x3e)"},
    {"http://a/\"", "'\"' (0x22)"},
    {"http://a/`", "'`' (0x60)"},
    {"http://a/^", "'^' (0x5e)"},
    {"http://a/\\", "'\\' (0x5c)"},
    {"http://a/}", "'}' (0x7d)"},
    {"http://a/#b#c", "'#' (0x23) at position 12"},
    {"http://a/#b c", "octet 0x20 at position 12"},
    {"http://a/%", "'%' at position 10"},
    {"http://a/%4", "'%' at position 10"},
    {"http://a/%4g", "'%' at position 10"},
    {"http://a/%%41", "'%' at position 10"},
    {"http://a/?%zz", "'%' at position 11"},
};

static void test_bad_urls_are_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_urls) / sizeof(bad_urls[0]); i++) {
        struct parsed got = parse(bad_urls[i].text);
        if (got.code != WEFT_ERR_INVALID_URL)
            fail_msg("accepted: %s", bad_urls[i].text);
        assert_int_equal(got.error.code, WEFT_ERR_INVALID_URL);
        assert_int_equal(got.error.effect, WEFT_NOT_SENT);
        if (strstr(got.error.text, bad_urls[i].says) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", bad_urls[i].text, got.error.text,
                     bad_urls[i].says);
        free(got.room);
    }
}

static void test_a_password_is_not_repeated_in_the_message(void **state)
{
    (void)state;
    struct parsed got = parse("http://user:secret@a/");
    assert_null(strstr(got.error.text, "secret"));
    free(got.room);
}

static void test_a_nul_octet_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    static const char text[] = "http://[::1]:80/a?b#c";
    for (size_t i = 0; i < sizeof(text); i++) {
        char copy[sizeof(text) + 1];
        memcpy(copy, text, i);
        copy[i] = '\0';
        memcpy(copy + i + 1, text + i, sizeof(text) - 1 - i);
        struct parsed got = parse_slice(wf_slice(copy, sizeof(text)));
        assert_int_equal(got.code, WEFT_ERR_INVALID_URL);
        free(got.room);
    }
}

static void test_the_longest_url_is_taken_and_one_octet_more_is_not(void **state)
{
    (void)state;
    char *text = malloc(WF_URL_MAX_LEN + 1);
    memset(text, 'x', WF_URL_MAX_LEN + 1);
    memcpy(text, "http://a/", 9);
    struct parsed got = parse_slice(wf_slice(text, WF_URL_MAX_LEN));
    assert_int_equal(got.code, WEFT_OK);
    assert_int_equal(got.url.path.len, WF_URL_MAX_LEN - 8);
    free(got.room);
    got = parse_slice(wf_slice(text, WF_URL_MAX_LEN + 1));
    assert_int_equal(got.code, WEFT_ERR_INVALID_URL);
    assert_non_null(strstr(got.error.text, "65537 octets"));
    free(got.room);
    free(text);
}

static void test_the_longest_host_is_taken_and_one_octet_more_is_not(void **state)
{
    (void)state;
    char text[300] = "https://";
    for (int i = 0; i < 126; i++)
        strcat(text, "a.");
    strcat(text, "b"); /* 253 octets */
    size_t len = strlen(text);
    strcat(text, ".:65535/");
    struct parsed got = parse(text);
    assert_int_equal(got.code, WEFT_OK);
    assert_int_equal(got.url.host.len, 253);
    free(got.room);
    strcpy(text + len, "c");
    got = parse(text);
    assert_int_equal(got.code, WEFT_ERR_INVALID_URL);
    assert_non_null(strstr(got.error.text, "254 octets"));
    free(got.room);
}

static void test_spellings_of_one_origin_share_its_key(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"https://Example.com/a", "https://example.com.:443/b?c"},
        {"http://[::1]", "http://[0::0:1]:80"},
        {"http://127.0.0.1/", "http://127.0.0.1.:80/"},
    };
    static const char *const different[][2] = {
        {"https://a/", "http://a/"},
        {"https://a/", "https://a:444/"},
        {"https://a/", "https://b/"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct parsed a = parse(same[i][0]);
        struct parsed b = parse(same[i][1]);
        assert_true(wf_slice_equal(a.url.origin.text, b.url.origin.text));
        assert_true(a.url.origin.hash == b.url.origin.hash);
        free(a.room);
        free(b.room);
        a = parse(different[i][0]);
        b = parse(different[i][1]);
        assert_false(wf_slice_equal(a.url.origin.text, b.url.origin.text));
        assert_false(a.url.origin.hash == b.url.origin.hash);
        free(a.room);
        free(b.room);
    }
    struct parsed p = parse("HTTP://[::1]:8080/");
    assert_string_equal((const char *)p.url.origin.text.ptr, "http://[::1]:8080");
    free(p.room);
}

static void test_a_missing_path_is_told_from_a_slash(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool has_path;
    } cases[] = {
        {"http://a", false}, {"http://a#f", false}, {"http://a/", true}, {"http://a?", true}};
    for (size_t i = 0; i < 4; i++) {
        struct parsed p = parse(cases[i].text);
        assert_int_equal(p.url.has_path, cases[i].has_path);
        free(p.room);
    }
}

static void test_authorities_are_checked_alone(void **state)
{
    (void)state;
    struct weft_error error;
    assert_int_equal(wf_url_check_authority(wf_slice_str("A.example:80"), &error), WEFT_OK);
    assert_int_equal(wf_url_check_authority(wf_slice_str("[::1]"), &error), WEFT_OK);
    static const char *const bad[] = {"", ":80", "a/b", "u@a", "a:b", "a b", "a?b", "[::1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enum weft_code code = wf_url_check_authority(wf_slice_str(bad[i]), &error);
        if (code != WEFT_ERR_INVALID_URL)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(error.text, "host"));
    }
}

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % limit;
}

/* What was accepted, written out again, must parse to the same. */
static void check_accepted(const struct parsed *first)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "%s://%s%s", first->url.https ? "https" : "http",
                   (const char *)first->url.authority.ptr, (const char *)first->url.path.ptr);
    struct parsed again = parse(text);
    if (again.code != WEFT_OK)
        fail_msg("\"%s\" was made from an accepted URL: %s", text, again.error.text);
    for (const char *c = text; *c != '\0'; c++)
        assert_true(*c > 0x20 && *c < 0x7f);
    assert_int_equal(again.url.https, first->url.https);
    assert_int_equal(again.url.port, first->url.port);
    assert_int_equal(again.url.host_is_ip4, first->url.host_is_ip4);
    assert_int_equal(again.url.host_is_ip6, first->url.host_is_ip6);
    assert_true(wf_slice_equal(again.url.host, first->url.host));
    assert_true(wf_slice_equal(again.url.authority, first->url.authority));
    assert_true(wf_slice_equal(again.url.path, first->url.path));
    assert_true(wf_slice_equal(again.url.origin.text, first->url.origin.text));
    assert_true(again.url.origin.hash == first->url.origin.hash);
    free(again.room);
}

static size_t mutate(char *text, size_t len, size_t cap)
{
    static const char interesting[] = "/?#@:[]%.0129aAfFxX-_ \t\r\n\\{\xc3\xff";
    uint32_t steps = 1 + random_below(4);
    for (uint32_t i = 0; i < steps; i++) {
        size_t at = random_below((uint32_t)len + 1);
        char octet = random_below(4) == 0
                         ? (char)random_below(256)
                         : interesting[random_below((uint32_t)sizeof(interesting))];
        uint32_t how = random_below(3);
        if (how == 0 && at < len) {
            text[at] = octet;
        } else if (how == 1 && len < cap) {
            memmove(text + at + 1, text + at, len - at);
            text[at] = octet;
            len++;
        } else if (at < len) {
            memmove(text + at, text + at + 1, len - at - 1);
            len--;
        }
    }
    return len;
}

static void test_what_is_accepted_of_random_mutations_parses_to_the_same_again(void **state)
{
    (void)state;
    const char *given = getenv("WEFT_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    print_message("WEFT_TEST_SEED=%llu\n", (unsigned long long)seed);
    random_state = seed * 2654435761u + 1;

    size_t accepted = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        char text[256];
        const char *base = good_urls[random_below(sizeof(good_urls) / sizeof(good_urls[0]))].text;
        size_t len = strlen(base);
        memcpy(text, base, len);
        len = mutate(text, len, sizeof(text));
        struct parsed p = parse_slice(wf_slice(text, len));
        if (p.code == WEFT_OK) {
            accepted++;
            check_accepted(&p);
        } else {
            assert_int_equal(p.code, WEFT_ERR_INVALID_URL);
            assert_true(p.error.text[0] != '\0');
        }
        free(p.room);
    }
    assert_true(accepted > MUTATIONS / 20);
    assert_true(accepted < MUTATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_urls_are_taken_apart),
        cmocka_unit_test(test_bad_urls_are_refused_by_name),
        cmocka_unit_test(test_a_password_is_not_repeated_in_the_message),
        cmocka_unit_test(test_a_nul_octet_is_refused_wherever_it_stands),
        cmocka_unit_test(test_the_longest_url_is_taken_and_one_octet_more_is_not),
        cmocka_unit_test(test_the_longest_host_is_taken_and_one_octet_more_is_not),
        cmocka_unit_test(test_spellings_of_one_origin_share_its_key),
        cmocka_unit_test(test_a_missing_path_is_told_from_a_slash),
        cmocka_unit_test(test_authorities_are_checked_alone),
        cmocka_unit_test(test_what_is_accepted_of_random_mutations_parses_to_the_same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
