#include "message/request.h"

#include "support/failing_alloc.h"
#include "weft/weft.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct weft_request *make(const char *method, const char *url)
{
    struct weft_request *request = weft_request_new(method, url);
    assert_non_null(request);
    return request;
}

static struct weft_request *get(void)
{
    return make("GET", "https://Example.com:8443/a?b#c");
}

/* The fields as "name: value" lines. */
static const char *lines_of(const struct weft_request *request)
{
    static char text[4096];
    size_t len = 0;
    for (size_t i = 0; i < wf_request_field_count(request); i++) {
        const struct wf_field *field = &wf_request_fields(request)[i];
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s: %.*s%s\n",
                                (int)field->name.len, (const char *)field->name.ptr,
                                (int)field->value.len, (const char *)field->value.ptr,
                                field->never_indexed ? " (secret)" : "");
        assert_true(len < sizeof(text));
    }
    return text;
}

#define AGENT "user-agent: weft/" WEFT_VERSION "\n"
#define HEAD_OF(method)                                                                            \
    ":method: " method "\n:scheme: https\n:authority: example.com:8443\n:path: /a?b\n"

static void assert_invalid(struct weft_request *request, enum weft_code code, const char *says)
{
    struct weft_error error;
    assert_int_equal(weft_request_check(request, &error), code);
    assert_int_equal(error.code, code);
    assert_int_equal(error.effect, WEFT_NOT_SENT);
    assert_true(wf_request_is_failed(request));
    if (strstr(error.text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, says);
}

static void test_pseudo_header_fields_come_first_then_the_defaults(void **state)
{
    (void)state;
    struct weft_request *request = get();
    assert_int_equal(weft_request_check(request, NULL), WEFT_OK);
    assert_false(wf_request_is_failed(request));
    assert_string_equal(lines_of(request), HEAD_OF("GET") AGENT);
    assert_string_equal((const char *)wf_request_origin(request)->text.ptr,
                        "https://example.com:8443");
    weft_request_unref(request);
}

static void test_fields_follow_in_order_with_lower_case_names_and_trimmed_values(void **state)
{
    (void)state;
    struct weft_request *request = get();
    assert_int_equal(weft_request_add_field(request, "X-One", " 1 \t"), WEFT_OK);
    assert_int_equal(weft_request_add_secret_field(request, "authorization", "me"), WEFT_OK);
    assert_int_equal(weft_request_add_field(request, "x-one", ""), WEFT_OK);
    assert_int_equal(weft_request_add_field(request, "TE", "trailers"), WEFT_OK);
    assert_string_equal(lines_of(request), HEAD_OF("GET") AGENT
                        "x-one: 1\nauthorization: me (secret)\nx-one: \nte: trailers\n");
    weft_request_unref(request);
}

static void test_many_and_long_fields_keep_their_text(void **state)
{
    (void)state;
    struct weft_request *request = get();
    char *value = malloc(10001);
    memset(value, 'v', 10000);
    value[10000] = '\0';
    for (int i = 0; i < 100; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "X-%d", i);
        assert_int_equal(weft_request_add_field(request, name, i % 10 == 0 ? value : name),
                         WEFT_OK);
    }
    assert_int_equal(wf_request_field_count(request), 105);
    for (int i = 0; i < 100; i++) {
        char name[32];
        const struct wf_field *field = &wf_request_fields(request)[5 + i];
        (void)snprintf(name, sizeof(name), "x-%d", i);
        assert_true(wf_slice_is(field->name, name));
        name[0] = 'X';
        assert_true(wf_slice_is(field->value, i % 10 == 0 ? value : name));
    }
    free(value);
    weft_request_unref(request);
}

static void test_host_sets_the_authority_and_not_the_origin(void **state)
{
    (void)state;
    struct weft_request *request = get();
    assert_int_equal(weft_request_add_field(request, "Host", "other.example:1"), WEFT_OK);
    assert_true(wf_slice_is(wf_request_fields(request)[2].value, "other.example:1"));
    assert_int_equal(wf_request_field_count(request), 5);
    assert_true(wf_slice_is(wf_request_url(request)->host, "example.com"));
    weft_request_unref(request);
}

static void test_user_agent_is_replaced_and_an_empty_one_sends_none(void **state)
{
    (void)state;
    struct weft_request *request = make("POST", "https://example.com:8443/a?b");
    (void)weft_request_add_field(request, "user-agent", "mine/1");
    assert_string_equal(lines_of(request),
                        HEAD_OF("POST") "user-agent: mine/1\ncontent-length: 0\n");
    (void)weft_request_add_field(request, "user-agent", " ");
    assert_string_equal(lines_of(request), HEAD_OF("POST") "content-length: 0\n");
    (void)weft_request_add_field(request, "user-agent", "");
    assert_int_equal(weft_request_set_body(request, "0123456789", 10), WEFT_OK);
    assert_string_equal(lines_of(request), HEAD_OF("POST") "content-length: 10\n");
    (void)weft_request_add_field(request, "user-agent", "new");
    (void)weft_request_add_field(request, "user-agent", "newer");
    assert_string_equal(lines_of(request),
                        HEAD_OF("POST") "content-length: 10\nuser-agent: newer\n");
    weft_request_unref(request);
}

static void test_a_body_is_copied_and_its_length_sent(void **state)
{
    (void)state;
    struct weft_request *request = get();
    char body[] = "hello";
    assert_int_equal(weft_request_set_body(request, body, 5), WEFT_OK);
    body[0] = 'j';
    assert_true(wf_slice_is(wf_request_body(request), "hello"));
    assert_string_equal(lines_of(request), HEAD_OF("GET") AGENT "content-length: 5\n");
    assert_int_equal(weft_request_set_body(request, "more than that", 14), WEFT_OK);
    assert_string_equal(lines_of(request), HEAD_OF("GET") AGENT "content-length: 14\n");
    assert_int_equal(weft_request_set_body(request, NULL, 0), WEFT_OK);
    assert_int_equal(wf_request_body(request).len, 0);
    assert_string_equal(lines_of(request), HEAD_OF("GET") AGENT "content-length: 0\n");
    weft_request_unref(request);
}

static void test_methods_that_expect_content_say_when_there_is_none(void **state)
{
    (void)state;
    static const char *const yes[] = {"POST", "PUT", "PATCH"};
    static const char *const no[] = {"GET", "HEAD", "DELETE", "OPTIONS", "post"};
    for (size_t i = 0; i < 3; i++) {
        struct weft_request *request = make(yes[i], "http://a");
        assert_non_null(strstr(lines_of(request), "content-length: 0\n"));
        weft_request_unref(request);
    }
    for (size_t i = 0; i < 5; i++) {
        struct weft_request *request = make(no[i], "http://a");
        assert_null(strstr(lines_of(request), "content-length"));
        weft_request_unref(request);
    }
}

static void count_release(void *user)
{
    ++*(int *)user;
}

static void test_a_borrowed_body_is_released_once_with_the_last_reference(void **state)
{
    (void)state;
    int released = 0;
    static const char body[] = "lent";
    struct weft_request *request = get();
    assert_int_equal(weft_request_borrow_body(request, body, 4, count_release, &released), WEFT_OK);
    assert_ptr_equal(wf_request_body(request).ptr, body);
    assert_ptr_equal(weft_request_ref(request), request);
    weft_request_unref(request);
    assert_int_equal(released, 0);
    weft_request_unref(request);
    assert_int_equal(released, 1);
}

static void test_a_borrowed_body_is_released_when_another_takes_its_place(void **state)
{
    (void)state;
    int first = 0;
    int second = 0;
    struct weft_request *request = get();
    (void)weft_request_borrow_body(request, "a", 1, count_release, &first);
    (void)weft_request_borrow_body(request, "b", 1, count_release, &second);
    assert_int_equal(first, 1);
    (void)weft_request_set_body(request, "c", 1);
    assert_int_equal(second, 1);
    weft_request_unref(request);
    assert_int_equal(first, 1);
    assert_int_equal(second, 1);
}

static void test_a_borrowed_body_is_released_when_it_is_refused(void **state)
{
    (void)state;
    int released = 0;
    struct weft_request *request = get();
    assert_int_equal(weft_request_borrow_body(request, NULL, 3, count_release, &released),
                     WEFT_ERR_INVALID_ARGUMENT);
    weft_request_unref(request);
    assert_int_equal(released, 1);
    assert_int_equal(weft_request_borrow_body(NULL, "a", 1, count_release, &released),
                     WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(released, 2);
}

static void test_a_content_length_must_be_the_bodys(void **state)
{
    (void)state;
    struct weft_request *request = get();
    assert_int_equal(weft_request_add_field(request, "Content-Length", "5"), WEFT_OK);
    assert_invalid(request, WEFT_ERR_INVALID_REQUEST,
                   "\"content-length\" is 5, but the body has 0 octets");
    assert_int_equal(weft_request_set_body(request, "hello", 5), WEFT_OK);
    assert_int_equal(weft_request_check(request, NULL), WEFT_OK);
    assert_false(wf_request_is_failed(request));
    assert_string_equal(lines_of(request), HEAD_OF("GET") AGENT "content-length: 5\n");
    assert_int_equal(weft_request_set_body(request, "four", 4), WEFT_OK);
    assert_invalid(request, WEFT_ERR_INVALID_REQUEST, "is 5, but the body has 4 octets");
    weft_request_unref(request);

    request = make("POST", "https://example.com:8443/a?b");
    (void)weft_request_set_body(request, "hello", 5);
    assert_int_equal(weft_request_add_field(request, "content-length", "0005"), WEFT_OK);
    assert_int_equal(weft_request_check(request, NULL), WEFT_OK);
    assert_string_equal(lines_of(request), HEAD_OF("POST") AGENT "content-length: 0005\n");
    weft_request_unref(request);
}

static void test_a_content_length_that_is_no_number_is_an_error(void **state)
{
    (void)state;
    static const char *const values[] = {
        "", "-1", "+1", "1 2", "5,5", "0x5", "18446744073709551616", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct weft_request *request = get();
        assert_int_equal(weft_request_add_field(request, "content-length", values[i]),
                         WEFT_ERR_INVALID_REQUEST);
        assert_invalid(request, WEFT_ERR_INVALID_REQUEST, "\"content-length\" is \"");
        assert_invalid(request, WEFT_ERR_INVALID_REQUEST, values[i]);
        weft_request_unref(request);
    }
}

static void test_two_content_lengths_that_differ_are_an_error(void **state)
{
    (void)state;
    struct weft_request *request = get();
    (void)weft_request_add_field(request, "content-length", "0");
    assert_int_equal(weft_request_add_field(request, "content-length", "0"), WEFT_OK);
    assert_int_equal(weft_request_check(request, NULL), WEFT_OK);
    assert_int_equal(weft_request_add_field(request, "content-length", "1"),
                     WEFT_ERR_INVALID_REQUEST);
    assert_invalid(request, WEFT_ERR_INVALID_REQUEST, "given twice, as 0 and as 1");
    weft_request_unref(request);
}

struct refusal {
    const char *name;
    const char *value;
    const char *says;
};

static void test_fields_that_http2_forbids_are_errors_that_name_them(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"Connection", "close", "\"connection\""},
        {"proxy-connection", "x", "\"proxy-connection\""},
        {"Keep-Alive", "1", "\"keep-alive\""},
        {"transfer-encoding", "chunked", "\"transfer-encoding\""},
        {"UPGRADE", "h2c", "\"upgrade\""},
        {"te", "gzip", "\"te\" is \"gzip\""},
        {"te", "trailers, gzip", "\"te\" is \"trailers, gzip\""},
        {"te", "", "\"te\" is \"\""},
        {":path", "/", "\":path\" is a pseudo-header field"},
        {":", "/", "\":\" is a pseudo-header field"},
        {"", "x", "name is empty"},
        {"a b", "x", "name of \"a b\" has the octet 0x20 at position 2"},
        {"a:b", "x", "name of \"a:b\" has ':' (0x3a) at position 2"},
        {"a\xc3\xa4", "x", "has the octet 0xc3 at position 2"},
        {"a\n", "x", "has the octet 0x0a at position 2"},
        {"x-a", "1\r\nx-b: 2", "value of \"x-a\" has the octet 0x0d at position 2"},
        {"x-a", "1\n2", "value of \"x-a\" has the octet 0x0a at position 2"},
        {"x-a", "1\x7f", "value of \"x-a\" has the octet 0x7f at position 2"},
        {"x-a", "\x01", "value of \"x-a\" has the octet 0x01 at position 1"},
        {"host", "", "host field has no host"},
        {"host", "a/b", "'/' (0x2f) at position 2"},
        {"host", "u@a", "'@' (position 2)"},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct weft_request *request = get();
        enum weft_code code = weft_request_add_field(request, refusals[i].name, refusals[i].value);
        if (code != WEFT_ERR_INVALID_REQUEST)
            fail_msg("accepted: %s: %s", refusals[i].name, refusals[i].value);
        assert_invalid(request, WEFT_ERR_INVALID_REQUEST, refusals[i].says);
        assert_string_equal(lines_of(request), HEAD_OF("GET") AGENT);
        weft_request_unref(request);
    }
}

static void test_octets_above_ascii_are_sent_in_values(void **state)
{
    (void)state;
    struct weft_request *request = get();
    assert_int_equal(weft_request_add_field(request, "x", "\xc3\xa4\tb"), WEFT_OK);
    assert_int_equal(weft_request_check(request, NULL), WEFT_OK);
    weft_request_unref(request);
}

static void test_the_first_error_is_remembered(void **state)
{
    (void)state;
    struct weft_request *request = make("GET", "nonsense");
    assert_int_equal(weft_request_add_field(request, "te", "x"), WEFT_ERR_INVALID_REQUEST);
    assert_int_equal(weft_request_add_field(request, "fine", "x"), WEFT_OK);
    assert_int_equal(weft_request_set_body(request, "x", 1), WEFT_OK);
    assert_invalid(request, WEFT_ERR_INVALID_URL, "nonsense");
    weft_request_unref(request);
}

static void test_null_arguments_are_errors(void **state)
{
    (void)state;
    struct weft_request *request = make(NULL, "http://a");
    assert_invalid(request, WEFT_ERR_INVALID_ARGUMENT, "method is NULL");
    weft_request_unref(request);
    request = make("GET", NULL);
    assert_invalid(request, WEFT_ERR_INVALID_ARGUMENT, "URL is NULL");
    weft_request_unref(request);
    request = get();
    assert_int_equal(weft_request_add_field(request, NULL, "x"), WEFT_ERR_INVALID_ARGUMENT);
    assert_invalid(request, WEFT_ERR_INVALID_ARGUMENT, "field name is NULL");
    weft_request_unref(request);
    request = get();
    assert_int_equal(weft_request_add_field(request, "x", NULL), WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_request_set_body(request, NULL, 1), WEFT_ERR_INVALID_ARGUMENT);
    assert_invalid(request, WEFT_ERR_INVALID_ARGUMENT, "field value is NULL");
    weft_request_unref(request);
    weft_request_unref(NULL);
    struct weft_error error;
    assert_int_equal(weft_request_check(NULL, &error), WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_request_add_field(NULL, "x", "x"), WEFT_ERR_INVALID_ARGUMENT);
    assert_int_equal(weft_request_set_body(NULL, "x", 1), WEFT_ERR_INVALID_ARGUMENT);
}

static void test_methods_are_checked(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"", NULL, "method \"\" is not a token"},
        {"GET /x", NULL, "method \"GET /x\" is not a token"},
        {"G\r\nX", NULL, "is not a token"},
        {"CONNECT", NULL, "CONNECT is not supported"},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL,
         "longer than 64 octets"},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct weft_request *request = make(refusals[i].name, "http://a");
        assert_invalid(request, WEFT_ERR_INVALID_REQUEST, refusals[i].says);
        weft_request_unref(request);
    }
}

static void test_what_a_method_means_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        bool head;
        bool idempotent;
    } cases[] = {{"GET", false, true},   {"HEAD", true, true},    {"POST", false, false},
                 {"PUT", false, true},   {"DELETE", false, true}, {"OPTIONS", false, true},
                 {"TRACE", false, true}, {"PATCH", false, false}, {"get", false, false},
                 {"PURGE", false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_request *request = make(cases[i].method, "http://a");
        assert_int_equal(request->is_head, cases[i].head);
        assert_int_equal(request->is_idempotent, cases[i].idempotent);
        assert_true(wf_slice_is(wf_request_method(request), cases[i].method));
        weft_request_unref(request);
    }
}

static void test_options_without_a_path_is_for_the_whole_server(void **state)
{
    (void)state;
    struct weft_request *request = make("OPTIONS", "http://a");
    assert_true(wf_slice_is(wf_request_fields(request)[3].value, "*"));
    weft_request_unref(request);
    request = make("OPTIONS", "http://a/");
    assert_true(wf_slice_is(wf_request_fields(request)[3].value, "/"));
    weft_request_unref(request);
    request = make("GET", "http://a");
    assert_true(wf_slice_is(wf_request_fields(request)[3].value, "/"));
    weft_request_unref(request);
}

static void test_trace_must_not_have_a_body(void **state)
{
    (void)state;
    struct weft_request *request = make("TRACE", "http://a");
    assert_int_equal(weft_request_set_body(request, "x", 1), WEFT_ERR_INVALID_REQUEST);
    assert_invalid(request, WEFT_ERR_INVALID_REQUEST, "TRACE");
    weft_request_unref(request);
}

static void test_a_frozen_request_does_not_change(void **state)
{
    (void)state;
    int released = 0;
    struct weft_request *request = get();
    wf_request_freeze(request);
    wf_request_freeze(request);
    assert_int_equal(weft_request_add_field(request, "x", "y"), WEFT_ERR_FROZEN);
    assert_int_equal(weft_request_add_secret_field(request, "x", "y"), WEFT_ERR_FROZEN);
    assert_int_equal(weft_request_set_body(request, "x", 1), WEFT_ERR_FROZEN);
    assert_int_equal(weft_request_borrow_body(request, "x", 1, count_release, &released),
                     WEFT_ERR_FROZEN);
    assert_int_equal(weft_request_check(request, NULL), WEFT_OK);
    assert_string_equal(lines_of(request), HEAD_OF("GET") AGENT);
    assert_int_equal(wf_request_body(request).len, 0);
    weft_request_unref(request);
    assert_int_equal(released, 0);
}

static void test_cache_keys_are_unique_and_come_with_the_second_submission(void **state)
{
    (void)state;
    struct weft_request *a = get();
    struct weft_request *b = get();
    /* One that is submitted only once has no use for a key. */
    wf_request_submitted(a);
    wf_request_submitted(b);
    assert_true(wf_request_cache_key(a) == 0);
    wf_request_submitted(a);
    wf_request_submitted(b);
    assert_true(wf_request_cache_key(a) != 0);
    assert_true(wf_request_cache_key(a) != wf_request_cache_key(b));
    weft_request_unref(a);
    weft_request_unref(b);
}

static void test_fields_above_the_limit_are_an_error(void **state)
{
    (void)state;
    struct weft_request *request = get();
    size_t len = WF_REQUEST_FIELDS_MAX_LEN / 2;
    char *value = malloc(len + 1);
    memset(value, 'v', len);
    value[len] = '\0';
    assert_int_equal(weft_request_add_field(request, "x-big", value), WEFT_OK);
    assert_int_equal(weft_request_add_field(request, "x-more", value), WEFT_ERR_FIELDS_TOO_LARGE);
    assert_invalid(request, WEFT_ERR_FIELDS_TOO_LARGE, "\"x-more\"");
    free(value);
    weft_request_unref(request);
}

/* Builds one request with everything; the memory of what failed must still be freed. */
static struct weft_request *build_all(int *released)
{
    static const char long_value[3000] = {[0 ... 2998] = 'v'};
    struct weft_request *request = weft_request_new("POST", "https://a/b");
    if (request == NULL)
        return NULL;
    for (int i = 0; i < 12; i++)
        (void)weft_request_add_field(request, "x", "y");
    (void)weft_request_add_field(request, "long", long_value);
    (void)weft_request_set_body(request, "copied", 6);
    (void)weft_request_borrow_body(request, "lent", 4, count_release, released);
    return request;
}

static void test_each_failed_allocation_is_remembered_and_leaks_nothing(void **state)
{
    (void)state;
    long n = 0;
    for (bool failed = true; failed; n++) {
        int released = 0;
        failing_alloc_after(n);
        struct weft_request *request = build_all(&released);
        failed = failing_alloc_failures() > 0;
        failing_alloc_after(-1);
        if (request == NULL) {
            assert_int_equal(n, 0);
            continue;
        }
        assert_int_equal(weft_request_check(request, NULL), failed ? WEFT_ERR_NO_MEMORY : WEFT_OK);
        assert_int_equal(wf_request_is_failed(request), failed);
        weft_request_unref(request);
        assert_int_equal(released, 1);
    }
    assert_true(n >= 5);
}

static void *use_on_a_thread(void *user)
{
    struct weft_request *request = user;
    for (int i = 0; i < 2000; i++) {
        (void)weft_request_ref(request);
        wf_request_freeze(request);
        if (wf_request_field_count(request) != 5 ||
            weft_request_add_field(request, "x", "y") != WEFT_ERR_FROZEN)
            return "not frozen";
        weft_request_unref(request);
    }
    weft_request_unref(request);
    return NULL;
}

static void test_a_request_is_frozen_and_released_by_many_threads(void **state)
{
    (void)state;
    int released = 0;
    pthread_t threads[4];
    struct weft_request *request = make("POST", "https://a/");
    (void)weft_request_add_field(request, "user-agent", "");
    (void)weft_request_borrow_body(request, "x", 1, count_release, &released);
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, use_on_a_thread, weft_request_ref(request)), 0);
    weft_request_unref(request);
    for (int i = 0; i < 4; i++) {
        void *complaint = NULL;
        assert_int_equal(pthread_join(threads[i], &complaint), 0);
        assert_null(complaint);
    }
    assert_int_equal(released, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pseudo_header_fields_come_first_then_the_defaults),
        cmocka_unit_test(test_fields_follow_in_order_with_lower_case_names_and_trimmed_values),
        cmocka_unit_test(test_many_and_long_fields_keep_their_text),
        cmocka_unit_test(test_host_sets_the_authority_and_not_the_origin),
        cmocka_unit_test(test_user_agent_is_replaced_and_an_empty_one_sends_none),
        cmocka_unit_test(test_a_body_is_copied_and_its_length_sent),
        cmocka_unit_test(test_methods_that_expect_content_say_when_there_is_none),
        cmocka_unit_test(test_a_borrowed_body_is_released_once_with_the_last_reference),
        cmocka_unit_test(test_a_borrowed_body_is_released_when_another_takes_its_place),
        cmocka_unit_test(test_a_borrowed_body_is_released_when_it_is_refused),
        cmocka_unit_test(test_a_content_length_must_be_the_bodys),
        cmocka_unit_test(test_a_content_length_that_is_no_number_is_an_error),
        cmocka_unit_test(test_two_content_lengths_that_differ_are_an_error),
        cmocka_unit_test(test_fields_that_http2_forbids_are_errors_that_name_them),
        cmocka_unit_test(test_octets_above_ascii_are_sent_in_values),
        cmocka_unit_test(test_the_first_error_is_remembered),
        cmocka_unit_test(test_null_arguments_are_errors),
        cmocka_unit_test(test_methods_are_checked),
        cmocka_unit_test(test_what_a_method_means_is_known),
        cmocka_unit_test(test_options_without_a_path_is_for_the_whole_server),
        cmocka_unit_test(test_trace_must_not_have_a_body),
        cmocka_unit_test(test_a_frozen_request_does_not_change),
        cmocka_unit_test(test_cache_keys_are_unique_and_come_with_the_second_submission),
        cmocka_unit_test(test_fields_above_the_limit_are_an_error),
        cmocka_unit_test(test_each_failed_allocation_is_remembered_and_leaks_nothing),
        cmocka_unit_test(test_a_request_is_frozen_and_released_by_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
