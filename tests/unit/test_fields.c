/* Message validity rule by rule, with and without the static table's hint. */
#include "h2/fields.h"
#include "support/cmocka.h"

#define MAX_LINES 16

struct text_section {
    struct wf_field_section section;
    struct wf_field_line lines[MAX_LINES];
    char octets[512];
};

/* Builds a section of name and value pairs, ended by NULL. */
static void build(struct text_section *text, va_list args)
{
    memset(text, 0, sizeof(*text));
    uint32_t at = 0;
    uint32_t count = 0;
    for (;;) {
        const char *name = va_arg(args, const char *);
        if (name == NULL)
            break;
        const char *value = va_arg(args, const char *);
        text->lines[count++] = (struct wf_field_line){
            .offset = at, .name_len = (uint32_t)strlen(name), .value_len = (uint32_t)strlen(value)};
        at += (uint32_t)snprintf(text->octets + at, sizeof(text->octets) - at, "%s%s", name, value);
        assert_true(at < sizeof(text->octets) && count < MAX_LINES);
    }
    text->section = (struct wf_field_section){.lines = text->lines,
                                              .octets = (const uint8_t *)text->octets,
                                              .count = count,
                                              .octets_len = at,
                                              .serial = 1};
}

static const char *response(struct wf_h2_message_head *head, ...)
{
    struct text_section text;
    va_list args;
    va_start(args, head);
    build(&text, args);
    va_end(args);
    return wf_h2_check_response(&text.section, head);
}

static const char *request(struct wf_h2_message_head *head, ...)
{
    struct text_section text;
    va_list args;
    va_start(args, head);
    build(&text, args);
    va_end(args);
    return wf_h2_check_request(&text.section, head);
}

static const char *trailers(int unused, ...)
{
    struct text_section text;
    va_list args;
    va_start(args, unused);
    build(&text, args);
    va_end(args);
    return wf_h2_check_trailers(&text.section);
}

static void test_a_response_gives_status_and_content_length(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    assert_null(response(&head, ":status", "404", "server", "x", "content-length", "0123", NULL));
    assert_int_equal(head.status, 404);
    assert_int_equal(head.content_length, 123);
    assert_null(response(&head, ":status", "599", NULL));
    assert_int_equal(head.content_length, -1);
    assert_null(response(&head, ":status", "100", NULL));
    assert_int_equal(head.status, 100);
}

static void test_content_length_holds_18_digits(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    assert_null(response(&head, ":status", "200", "content-length", "999999999999999999", NULL));
    assert_true(head.content_length == 999999999999999999);
    assert_non_null(
        response(&head, ":status", "200", "content-length", "9999999999999999999", NULL));
}

static void test_repeated_equal_content_lengths_are_one(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    assert_null(
        response(&head, ":status", "200", "content-length", "7", "content-length", "7", NULL));
    assert_int_equal(head.content_length, 7);
    assert_non_null(
        response(&head, ":status", "200", "content-length", "7", "content-length", "8", NULL));
}

static void test_the_static_name_hint_is_enough(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    struct wf_field_line lines[] = {
        {.offset = 0, .name_len = 7, .value_len = 3, .static_name = 8},
        {.offset = 10, .name_len = 14, .value_len = 1, .static_name = 28},
        {.offset = 25, .name_len = 17, .value_len = 1, .static_name = 57}};
    struct wf_field_section section = {
        .lines = lines,
        .octets = (const uint8_t *)":status200content-length5transfer-encodingx",
        .count = 2};
    assert_null(wf_h2_check_response(&section, &head));
    assert_int_equal(head.status, 200);
    assert_int_equal(head.content_length, 5);
    section.count = 3;
    assert_non_null(wf_h2_check_response(&section, &head));
}

static void test_an_invalid_octet_makes_any_section_malformed(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    struct wf_field_line lines[] = {
        {.offset = 0, .name_len = 7, .value_len = 3, .static_name = 8},
        {.offset = 10, .name_len = 1, .value_len = 1, .flags = WF_FIELD_INVALID}};
    struct wf_field_section section = {
        .lines = lines, .octets = (const uint8_t *)":status200Ab", .count = 2};
    assert_non_null(wf_h2_check_response(&section, &head));
    section.lines = lines + 1;
    section.count = 1;
    assert_non_null(wf_h2_check_trailers(&section));
    lines[1].flags = 0;
    assert_null(wf_h2_check_trailers(&section));
}

static void test_trailers_hold_regular_fields_only(void **state)
{
    (void)state;
    assert_null(trailers(0, "x-sum", "1", NULL));
    assert_null(trailers(0, "content-length", "1", NULL));
    assert_non_null(trailers(0, ":status", "200", NULL));
    assert_non_null(trailers(0, ":new", "1", NULL));
    assert_non_null(trailers(0, "te", "trailers", NULL));
    assert_non_null(trailers(0, "upgrade", "x", NULL));
}

static void test_a_request_needs_method_scheme_and_path(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    assert_null(request(&head, ":method", "HEAD", ":scheme", "https", ":path", "/", NULL));
    assert_true(head.is_head);
    assert_non_null(request(&head, ":scheme", "https", ":path", "/", NULL));
    assert_non_null(request(&head, ":method", "GET", ":path", "/", NULL));
    assert_non_null(request(&head, ":method", "GET", ":scheme", "https", NULL));
    assert_non_null(request(&head, ":method", "", ":scheme", "https", ":path", "/", NULL));
    assert_non_null(
        request(&head, ":method", "GET", ":scheme", "https", ":path", "/", ":path", "/", NULL));
}

static void test_the_path_of_http_begins_with_a_slash(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    assert_non_null(request(&head, ":method", "GET", ":scheme", "http", ":path", "", NULL));
    assert_non_null(request(&head, ":method", "GET", ":scheme", "http", ":path", "a", NULL));
    assert_non_null(request(&head, ":method", "GET", ":scheme", "http", ":path", "*", NULL));
    assert_null(request(&head, ":method", "OPTIONS", ":scheme", "http", ":path", "*", NULL));
    assert_null(request(&head, ":method", "GET", ":scheme", "urn", ":path", "a", NULL));
}

static void test_host_and_authority_must_agree(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    assert_null(request(&head, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a",
                        "host", "a", NULL));
    assert_non_null(request(&head, ":method", "GET", ":scheme", "http", ":path", "/", ":authority",
                            "a", "host", "b", NULL));
    assert_non_null(request(&head, ":method", "GET", ":scheme", "http", ":path", "/", ":authority",
                            "me@a", NULL));
    assert_non_null(request(&head, ":method", "GET", ":scheme", "http", ":path", "/", "host", "a",
                            "host", "b", NULL));
}

static void test_connect_has_an_authority_and_no_path(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    assert_null(request(&head, ":method", "CONNECT", ":authority", "a:443", NULL));
    assert_true(head.is_connect);
    assert_non_null(request(&head, ":method", "CONNECT", NULL));
    assert_non_null(
        request(&head, ":method", "CONNECT", ":authority", "a:443", ":scheme", "https", NULL));
}

static void test_te_says_trailers_and_nothing_else(void **state)
{
    (void)state;
    struct wf_h2_message_head head;
    assert_null(
        request(&head, ":method", "GET", ":scheme", "http", ":path", "/", "te", "trailers", NULL));
    assert_non_null(request(&head, ":method", "GET", ":scheme", "http", ":path", "/", "te",
                            "trailers, gzip", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_response_gives_status_and_content_length),
        cmocka_unit_test(test_content_length_holds_18_digits),
        cmocka_unit_test(test_repeated_equal_content_lengths_are_one),
        cmocka_unit_test(test_the_static_name_hint_is_enough),
        cmocka_unit_test(test_an_invalid_octet_makes_any_section_malformed),
        cmocka_unit_test(test_trailers_hold_regular_fields_only),
        cmocka_unit_test(test_a_request_needs_method_scheme_and_path),
        cmocka_unit_test(test_the_path_of_http_begins_with_a_slash),
        cmocka_unit_test(test_host_and_authority_must_agree),
        cmocka_unit_test(test_connect_has_an_authority_and_no_path),
        cmocka_unit_test(test_te_says_trailers_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
