#include "io_thread/verify.h"

#include "base/buf.h"

#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define DNS(text)                                                                                  \
    {                                                                                              \
        0x82, text, sizeof(text) - 1                                                               \
    }
#define IP(text)                                                                                   \
    {                                                                                              \
        0x87, text, sizeof(text) - 1                                                               \
    }

struct general_name {
    uint8_t tag;
    const char *octets;
    size_t len;
};

/* Puts a header of @tag before all that @buf holds. */
static void wrap(struct wf_buf *buf, uint8_t tag)
{
    uint8_t header[4] = {tag};
    size_t len = wf_buf_len(buf);
    size_t header_len = 2;
    assert_true(len < 65536);
    if (len < 0x80) {
        header[1] = (uint8_t)len;
    } else if (len < 0x100) {
        header[1] = 0x81;
        header[2] = (uint8_t)len;
        header_len = 3;
    } else {
        header[1] = 0x82;
        header[2] = (uint8_t)(len >> 8);
        header[3] = (uint8_t)len;
        header_len = 4;
    }
    struct wf_buf outer = {0};
    assert_true(wf_buf_append(&outer, header, header_len));
    assert_true(wf_buf_append(&outer, buf->data + buf->start, len));
    wf_buf_fini(buf);
    *buf = outer;
}

static void prepend(struct wf_buf *buf, const void *octets, size_t len)
{
    struct wf_buf whole = {0};
    assert_true(wf_buf_append(&whole, octets, len));
    assert_true(wf_buf_append(&whole, buf->data + buf->start, wf_buf_len(buf)));
    wf_buf_fini(buf);
    *buf = whole;
}

/* An Extension with the names. */
static void build_extension(struct wf_buf *out, const struct general_name *names, size_t count)
{
    static const uint8_t oid[] = {0x06, 3, 0x55, 0x1d, 0x11};
    for (size_t i = 0; i < count; i++) {
        struct wf_buf name = {0};
        assert_true(wf_buf_append(&name, names[i].octets, names[i].len));
        wrap(&name, names[i].tag);
        assert_true(wf_buf_append(out, name.data + name.start, wf_buf_len(&name)));
        wf_buf_fini(&name);
    }
    wrap(out, 0x30);
    wrap(out, 0x04);
    prepend(out, oid, sizeof(oid));
    wrap(out, 0x30);
}

/* The rest around the content of Extensions: only so much as a walk to the names needs. */
static void build_certificate(struct wf_buf *extensions)
{
    static const uint8_t serial[] = {0x02, 1, 7};
    static const uint8_t signature[] = {0x03, 2, 0, 1};
    wrap(extensions, 0x30);
    wrap(extensions, 0xa3);
    prepend(extensions, serial, sizeof(serial));
    wrap(extensions, 0x30);
    assert_true(wf_buf_append(extensions, signature, sizeof(signature)));
    wrap(extensions, 0x30);
}

static enum wf_verify_result verify(const struct general_name *names, size_t count,
                                    const char *host)
{
    struct wf_buf der = {0};
    build_extension(&der, names, count);
    build_certificate(&der);
    enum wf_verify_result result = wf_verify_host(wf_buf_slice(&der), host);
    wf_buf_fini(&der);
    return result;
}

struct name_case {
    const char *presented;
    const char *host;
    enum wf_verify_result result;
};

static void test_names_match_as_the_rfcs_say(void **state)
{
    (void)state;
    static const struct name_case cases[] = {
        {"example.test", "example.test", WF_VERIFY_OK},
        {"EXAMPLE.test", "example.TEST", WF_VERIFY_OK},
        {"example.test", "example.test.", WF_VERIFY_OK},
        {"example.test.", "example.test", WF_VERIFY_OK},
        {"backend", "backend", WF_VERIFY_OK},
        {"example.test", "www.example.test", WF_VERIFY_MISMATCH},
        {"www.example.test", "example.test", WF_VERIFY_MISMATCH},
        {"example.tes", "example.test", WF_VERIFY_MISMATCH},
        {"*.example.test", "www.example.test", WF_VERIFY_OK},
        {"*.Example.test", "WWW.example.Test.", WF_VERIFY_OK},
        {"*.example.test", "example.test", WF_VERIFY_MISMATCH},
        {"*.example.test", "a.b.example.test", WF_VERIFY_MISMATCH},
        {"*.example.test", ".example.test", WF_VERIFY_MISMATCH},
        {"w*.example.test", "www.example.test", WF_VERIFY_MISMATCH},
        {"*w.example.test", "www.example.test", WF_VERIFY_MISMATCH},
        {"www.*.test", "www.example.test", WF_VERIFY_MISMATCH},
        {"*.*.test", "www.example.test", WF_VERIFY_MISMATCH},
        {"*.test", "example.test", WF_VERIFY_MISMATCH},
        {"*", "backend", WF_VERIFY_MISMATCH},
        {"*.", "backend.", WF_VERIFY_MISMATCH},
        {"", "backend", WF_VERIFY_MISMATCH},
        {"example.test", "", WF_VERIFY_MISMATCH},
        {"example.test", ".", WF_VERIFY_MISMATCH},
        /* A name that looks like an address is none. */
        {"127.0.0.1", "127.0.0.1", WF_VERIFY_MISMATCH},
        {"*.0.0.1", "127.0.0.1", WF_VERIFY_MISMATCH},
        {"::1", "::1", WF_VERIFY_MISMATCH},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct general_name name = {0x82, cases[i].presented, strlen(cases[i].presented)};
        enum wf_verify_result result = verify(&name, 1, cases[i].host);
        if (result != cases[i].result)
            fail_msg("\"%s\" for \"%s\": %d", cases[i].presented, cases[i].host, (int)result);
    }
}

static void test_a_nul_inside_a_name_does_not_end_it(void **state)
{
    (void)state;
    const struct general_name name = DNS("example.test\0.evil.test");
    assert_int_equal(verify(&name, 1, "example.test"), WF_VERIFY_MISMATCH);
}

static void test_addresses_are_compared_as_octets(void **state)
{
    (void)state;
    const struct general_name v4 = IP("\x7f\x00\x00\x01");
    const struct general_name v6 = IP("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1");
    const struct general_name cut = IP("\x7f\x00\x00");
    const struct general_name mapped = IP("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1");
    assert_int_equal(verify(&v4, 1, "127.0.0.1"), WF_VERIFY_OK);
    assert_int_equal(verify(&v4, 1, "127.0.0.2"), WF_VERIFY_MISMATCH);
    assert_int_equal(verify(&v6, 1, "::1"), WF_VERIFY_OK);
    assert_int_equal(verify(&v6, 1, "0:0:0:0:0:0:0:1"), WF_VERIFY_OK);
    assert_int_equal(verify(&v6, 1, "::2"), WF_VERIFY_MISMATCH);
    assert_int_equal(verify(&cut, 1, "127.0.0.1"), WF_VERIFY_MISMATCH);
    assert_int_equal(verify(&mapped, 1, "127.0.0.1"), WF_VERIFY_MISMATCH);
}

static void test_any_of_several_names_will_do(void **state)
{
    (void)state;
    const struct general_name names[] = {
        DNS("one.test"), {0x81, "mail@two.test", 13}, IP("\x7f\x00\x00\x01"), DNS("two.test")};
    assert_int_equal(verify(names, 4, "two.test"), WF_VERIFY_OK);
    assert_int_equal(verify(names, 4, "127.0.0.1"), WF_VERIFY_OK);
    assert_int_equal(verify(names, 4, "mail@two.test"), WF_VERIFY_MISMATCH);
}

static void test_names_of_other_kinds_are_no_names(void **state)
{
    (void)state;
    const struct general_name mail = {0x81, "mail@two.test", 13};
    assert_int_equal(verify(&mail, 1, "two.test"), WF_VERIFY_NO_NAMES);
    assert_int_equal(verify(NULL, 0, "two.test"), WF_VERIFY_NO_NAMES);
}

static void test_the_extension_must_not_come_twice(void **state)
{
    (void)state;
    const struct general_name name = DNS("one.test");
    struct wf_buf first = {0}, second = {0};
    build_extension(&first, &name, 1);
    build_extension(&second, &name, 1);
    assert_true(wf_buf_append(&first, second.data + second.start, wf_buf_len(&second)));
    build_certificate(&first);
    assert_int_equal(wf_verify_host(wf_buf_slice(&first), "one.test"), WF_VERIFY_MALFORMED);
    wf_buf_fini(&first);
    wf_buf_fini(&second);
}

static void test_long_lists_of_names_are_read_to_the_end(void **state)
{
    (void)state;
    struct general_name names[400];
    for (size_t i = 0; i < 399; i++)
        names[i] = (struct general_name)DNS("filler.test");
    names[399] = (struct general_name)DNS("last.test");
    assert_int_equal(verify(names, 400, "last.test"), WF_VERIFY_OK);
}

static struct wf_slice read_der(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.der", WEFT_TEST_CERTS, name);
    FILE *file = fopen(path, "rb");
    uint8_t *octets = malloc(8192);
    assert_non_null(file);
    assert_non_null(octets);
    size_t len = fread(octets, 1, 8192, file);
    (void)fclose(file);
    assert_true(len > 100 && len < 8192);
    return wf_slice(octets, len);
}

static void test_real_certificates_are_read(void **state)
{
    (void)state;
    struct wf_slice good = read_der("good");
    struct wf_slice no_names = read_der("no_names");
    struct wf_slice address_as_name = read_der("address_as_name");
    struct wf_slice self_signed = read_der("self_signed");
    assert_int_equal(wf_verify_host(good, "good.test"), WF_VERIFY_OK);
    assert_int_equal(wf_verify_host(good, "x.wild.test"), WF_VERIFY_OK);
    assert_int_equal(wf_verify_host(good, "::1"), WF_VERIFY_OK);
    assert_int_equal(wf_verify_host(good, "good"), WF_VERIFY_MISMATCH);
    /* The common name is the same as the host, and does not count. */
    assert_int_equal(wf_verify_host(no_names, "no_names"), WF_VERIFY_NO_NAMES);
    assert_int_equal(wf_verify_host(address_as_name, "127.0.0.1"), WF_VERIFY_MISMATCH);
    assert_true(wf_verify_is_self_issued(self_signed));
    assert_false(wf_verify_is_self_issued(good));
    free((void *)(uintptr_t)good.ptr);
    free((void *)(uintptr_t)no_names.ptr);
    free((void *)(uintptr_t)address_as_name.ptr);
    free((void *)(uintptr_t)self_signed.ptr);
}

static void test_the_time_of_validity_is_read_in_both_notations(void **state)
{
    (void)state;
    struct wf_slice expired = read_der("expired");
    struct wf_slice not_yet = read_der("not_yet"); /* its end is a GeneralizedTime */
    int64_t from = 0;
    int64_t to = 0;
    assert_true(wf_verify_validity(expired, &from, &to));
    assert_int_equal(from, 1577836800); /* 2020-01-01 */
    assert_int_equal(to, 1609459200);   /* 2021-01-01 */
    assert_true(wf_verify_validity(not_yet, &from, &to));
    assert_int_equal(from, 2493072000); /* 2049-01-01 */
    assert_int_equal(to, 2524608000);   /* 2050-01-01 */
    free((void *)(uintptr_t)expired.ptr);
    free((void *)(uintptr_t)not_yet.ptr);
}

/* A certificate that is nothing but a time of validity, from @a to @b. */
static bool read_validity(uint8_t tag, const char *a, const char *b, int64_t *from, int64_t *to)
{
    static const uint8_t front[] = {0x02, 1, 1, 0x30, 0, 0x30, 0}; /* number, algorithm, issuer */
    static const uint8_t back[] = {0x30, 0, 0x30, 0};              /* subject, key */
    struct wf_buf der = {0};
    const char *const times[] = {b, a};
    for (size_t i = 0; i < 2; i++) {
        const uint8_t header[] = {tag, (uint8_t)strlen(times[i])};
        prepend(&der, times[i], strlen(times[i]));
        prepend(&der, header, sizeof(header));
    }
    wrap(&der, 0x30);
    prepend(&der, front, sizeof(front));
    assert_true(wf_buf_append(&der, back, sizeof(back)));
    wrap(&der, 0x30);
    wrap(&der, 0x30);
    bool read = wf_verify_validity(wf_buf_slice(&der), from, to);
    wf_buf_fini(&der);
    return read;
}

static void test_times_are_utc_to_the_second_and_within_the_calendar(void **state)
{
    (void)state;
    static const char *const wrong[] = {"20240229120000",    "20240229120000+0100",
                                        "202402291200Z",     "20241329120000Z",
                                        "20240200120000Z",   "20240229240000Z",
                                        "20240229126000Z",   "2024022912000xZ",
                                        "20240229120000.5Z", ""};
    int64_t from = 0;
    int64_t to = 0;
    assert_true(read_validity(0x18, "20240229120000Z", "20000301000000Z", &from, &to));
    assert_int_equal(from, 1709208000);
    assert_int_equal(to, 951868800);
    /* RFC 5280 section 4.1.2.5.1: two digits are of 1950 to 2049. */
    assert_true(read_validity(0x17, "491231235959Z", "500101000000Z", &from, &to));
    assert_int_equal(from, 2524607999);
    assert_int_equal(to, -631152000);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(read_validity(0x18, wrong[i], "20240229120000Z", &from, &to));
        assert_false(read_validity(0x18, "20240229120000Z", wrong[i], &from, &to));
    }
    assert_false(read_validity(0x04, "20240229120000Z", "20240229120000Z", &from, &to));
}

static void test_the_public_key_is_the_whole_element(void **state)
{
    (void)state;
    struct wf_slice der = read_der("good");
    struct wf_slice key;
    assert_true(wf_verify_public_key(der, &key));
    assert_int_equal(key.ptr[0], 0x30);
    assert_int_equal(key.len, 91); /* RFC 5480: P-256, uncompressed */
    assert_int_equal(key.ptr[1], 89);
    assert_false(wf_verify_public_key(wf_slice(der.ptr, der.len - 1), &key));
    free((void *)(uintptr_t)der.ptr);
}

static void test_a_certificate_cut_anywhere_is_malformed(void **state)
{
    (void)state;
    struct wf_slice der = read_der("good");
    for (size_t len = 0; len < der.len; len++) {
        /* In memory of just this size, so that a read behind it is seen. */
        uint8_t *octets = malloc(len == 0 ? 1 : len);
        assert_non_null(octets);
        memcpy(octets, der.ptr, len);
        assert_int_equal(wf_verify_host(wf_slice(octets, len), "good.test"), WF_VERIFY_MALFORMED);
        assert_false(wf_verify_is_self_issued(wf_slice(octets, len)));
        int64_t from, to;
        assert_false(wf_verify_validity(wf_slice(octets, len), &from, &to));
        struct wf_slice key;
        assert_false(wf_verify_public_key(wf_slice(octets, len), &key));
        free(octets);
    }
    free((void *)(uintptr_t)der.ptr);
}

static void test_no_single_octet_makes_it_valid_for_another_host(void **state)
{
    (void)state;
    struct wf_slice der = read_der("good");
    uint8_t *octets = malloc(der.len);
    assert_non_null(octets);
    for (size_t at = 0; at < der.len; at++) {
        memcpy(octets, der.ptr, der.len);
        for (unsigned value = 0; value < 256; value++) {
            octets[at] = (uint8_t)value;
            assert_int_not_equal(wf_verify_host(wf_slice(octets, der.len), "other.example"),
                                 WF_VERIFY_OK);
            (void)wf_verify_is_self_issued(wf_slice(octets, der.len));
        }
    }
    free(octets);
    free((void *)(uintptr_t)der.ptr);
}

static void test_lengths_must_be_minimal_and_definite(void **state)
{
    (void)state;
    static const uint8_t indefinite[] = {0x30, 0x80, 0x30, 0, 0, 0};
    static const uint8_t long_form[] = {0x30, 0x81, 2, 0x30, 0};
    static const uint8_t leading_zero[] = {0x30, 0x82, 0, 0x80};
    static const uint8_t enormous[] = {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30, 0};
    static const uint8_t shortest[] = {0x30, 2, 0x30, 0};
    const struct wf_slice bad[] = {
        wf_slice(indefinite, sizeof(indefinite)), wf_slice(long_form, sizeof(long_form)),
        wf_slice(leading_zero, sizeof(leading_zero)), wf_slice(enormous, sizeof(enormous))};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(wf_verify_host(bad[i], "good.test"), WF_VERIFY_MALFORMED);
    assert_int_equal(wf_verify_host(wf_slice(shortest, sizeof(shortest)), "good.test"),
                     WF_VERIFY_NO_NAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_match_as_the_rfcs_say),
        cmocka_unit_test(test_a_nul_inside_a_name_does_not_end_it),
        cmocka_unit_test(test_addresses_are_compared_as_octets),
        cmocka_unit_test(test_any_of_several_names_will_do),
        cmocka_unit_test(test_names_of_other_kinds_are_no_names),
        cmocka_unit_test(test_the_extension_must_not_come_twice),
        cmocka_unit_test(test_long_lists_of_names_are_read_to_the_end),
        cmocka_unit_test(test_real_certificates_are_read),
        cmocka_unit_test(test_the_time_of_validity_is_read_in_both_notations),
        cmocka_unit_test(test_times_are_utc_to_the_second_and_within_the_calendar),
        cmocka_unit_test(test_the_public_key_is_the_whole_element),
        cmocka_unit_test(test_a_certificate_cut_anywhere_is_malformed),
        cmocka_unit_test(test_no_single_octet_makes_it_valid_for_another_host),
        cmocka_unit_test(test_lengths_must_be_minimal_and_definite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
