/* What a session writes: the head made of an HTTP/2 style field list, bodies and trailers. */
#include "h1/session.h"
#include "support/cmocka.h"
#include "support/h1_player.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct wf_h1_config defaults = WF_H1_CONFIG_INIT;

static struct wf_field field(const char *name, const char *value)
{
    return (struct wf_field){wf_slice_str(name), wf_slice_str(value), false};
}

/* Takes what is to be written, @piece octets at a time, and appends it to @out. */
static void take(struct wf_h1_session *session, char *out, size_t cap, size_t piece)
{
    size_t at = strlen(out);
    struct wf_slice slices[3];
    while (wf_h1_session_output(session, slices, 3) > 0) {
        size_t len = slices[0].len < piece ? slices[0].len : piece;
        assert_true(at + len < cap);
        memcpy(out + at, slices[0].ptr, len);
        at += len;
        out[at] = '\0';
        wf_h1_session_wrote(session, len);
    }
    assert_false(wf_h1_session_wants_write(session));
}

static bool body_was_sent(struct wf_h1_session *session)
{
    struct wf_slice nothing = wf_slice(NULL, 0);
    struct wf_h1_event event;
    if (!wf_h1_session_next(session, &nothing, &event))
        return false;
    assert_int_equal(event.type, WF_H1_EVENT_BODY_SENT);
    return true;
}

static void check_head(const struct wf_field *fields, size_t count, bool end_stream,
                       const char *expected)
{
    struct wf_h1_session *session = wf_h1_session_new(&defaults);
    struct wf_h1_message message = {.fields = fields, .count = count, .end_stream = end_stream};
    char out[500] = "";
    assert_non_null(session);
    assert_int_equal(wf_h1_session_request(session, &message), WF_H1_SUBMITTED);
    assert_false(wf_h1_session_was_sent(session));
    take(session, out, sizeof(out), 7);
    assert_string_equal(out, expected);
    assert_true(wf_h1_session_was_sent(session));
    assert_int_equal(wf_h1_session_is_sent(session), end_stream);
    wf_h1_session_free(session);
}

static void test_pseudo_fields_become_request_line_and_host(void **state)
{
    (void)state;
    const struct wf_field fields[] = {
        field(":method", "GET"),  field(":scheme", "https"), field(":authority", "a.test:8443"),
        field(":path", "/x?y=z"), field("accept", "*/*"),    field("user-agent", "weft"),
    };
    check_head(
        fields, COUNT(fields), true,
        "GET /x?y=z HTTP/1.1\r\nhost: a.test:8443\r\naccept: */*\r\nuser-agent: weft\r\n\r\n");
}

static void test_cookies_become_one_field(void **state)
{
    (void)state;
    const struct wf_field fields[] = {
        field(":method", "GET"), field(":scheme", "http"), field(":authority", "a"),
        field(":path", "/"),     field("cookie", "a=1"),   field("x", "y"),
        field("cookie", "b=2"),
    };
    check_head(fields, COUNT(fields), true,
               "GET / HTTP/1.1\r\nhost: a\r\ncookie: a=1; b=2\r\nx: y\r\n\r\n");
}

static void test_te_is_for_the_next_hop(void **state)
{
    (void)state;
    const struct wf_field fields[] = {field(":method", "GET"), field(":scheme", "http"),
                                      field(":authority", "a"), field(":path", "/"),
                                      field("te", "trailers")};
    check_head(fields, COUNT(fields), true,
               "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\n\r\n");
}

static void test_a_body_of_unknown_length_goes_in_chunks(void **state)
{
    (void)state;
    const struct wf_field fields[] = {field(":method", "POST"), field(":scheme", "http"),
                                      field(":authority", "a"), field(":path", "/")};
    check_head(fields, COUNT(fields), false,
               "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
}

static void test_a_body_with_its_length_goes_as_it_is(void **state)
{
    (void)state;
    struct wf_h1_session *session = wf_h1_session_new(&defaults);
    char out[300] = "";
    assert_non_null(session);
    assert_int_equal(h1_request(session, "POST", 8), WF_H1_SUBMITTED);
    assert_null(wf_h1_session_send_body(session, wf_slice_str("hello"), false));
    assert_false(body_was_sent(session));
    take(session, out, sizeof(out), 3);
    assert_true(body_was_sent(session));
    assert_false(wf_h1_session_is_sent(session));
    assert_null(wf_h1_session_send_body(session, wf_slice_str("you"), true));
    take(session, out, sizeof(out), 3);
    assert_true(wf_h1_session_is_sent(session));
    assert_true(body_was_sent(session));
    assert_false(body_was_sent(session));
    assert_string_equal(out, "POST /p HTTP/1.1\r\nhost: a.test\r\ncontent-length: 8\r\n\r\n"
                             "helloyou");
    wf_h1_session_free(session);
}

static void test_chunks_and_the_last_chunk(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 2, 5, 1000};
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct wf_h1_session *session = wf_h1_session_new(&defaults);
        char out[300] = "";
        assert_non_null(session);
        assert_int_equal(h1_request(session, "PUT", 0), WF_H1_SUBMITTED);
        take(session, out, sizeof(out), pieces[i]);
        out[0] = '\0';
        assert_null(wf_h1_session_send_body(session, wf_slice_str("hello, worlds..."), false));
        take(session, out, sizeof(out), pieces[i]);
        assert_true(body_was_sent(session));
        assert_null(wf_h1_session_send_body(session, wf_slice_str("!"), true));
        take(session, out, sizeof(out), pieces[i]);
        assert_string_equal(out, "10\r\nhello, worlds...\r\n1\r\n!\r\n0\r\n\r\n");
        assert_true(wf_h1_session_is_sent(session));
        wf_h1_session_free(session);
    }
}

static void test_an_empty_end_is_the_last_chunk_alone(void **state)
{
    (void)state;
    struct wf_h1_session *session = wf_h1_session_new(&defaults);
    char out[300] = "";
    assert_non_null(session);
    assert_int_equal(h1_request(session, "PUT", 0), WF_H1_SUBMITTED);
    take(session, out, sizeof(out), 1000);
    out[0] = '\0';
    assert_null(wf_h1_session_send_body(session, wf_slice(NULL, 0), true));
    take(session, out, sizeof(out), 1000);
    assert_string_equal(out, "0\r\n\r\n");
    wf_h1_session_free(session);
}

static void test_trailers_follow_the_last_chunk(void **state)
{
    (void)state;
    const struct wf_field fields[] = {field(":method", "POST"), field(":scheme", "http"),
                                      field(":authority", "a"), field(":path", "/"),
                                      field("content-length", "2")};
    const struct wf_field trailers[] = {field("x-sum", "1"), field("x-more", "2")};
    const struct wf_field bad[] = {field("x", "a\r\nb")};
    struct wf_h1_session *session = wf_h1_session_new(&defaults);
    struct wf_h1_message message = {.fields = fields, .count = COUNT(fields), .has_trailers = true};
    char out[300] = "";
    assert_non_null(session);
    assert_int_equal(wf_h1_session_request(session, &message), WF_H1_SUBMITTED);
    assert_null(wf_h1_session_send_body(session, wf_slice_str("hi"), false));
    take(session, out, sizeof(out), 1000);
    assert_true(body_was_sent(session));
    assert_non_null(wf_h1_session_send_trailers(session, bad, 1));
    assert_null(wf_h1_session_send_trailers(session, trailers, COUNT(trailers)));
    take(session, out, sizeof(out), 1000);
    assert_string_equal(out, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
                             "2\r\nhi\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n");
    assert_true(wf_h1_session_is_sent(session));
    wf_h1_session_free(session);
}

static void test_trailers_need_chunks(void **state)
{
    (void)state;
    struct wf_h1_session *session = wf_h1_session_new(&defaults);
    assert_non_null(session);
    assert_int_equal(h1_request(session, "POST", 8), WF_H1_SUBMITTED);
    assert_non_null(wf_h1_session_send_trailers(session, NULL, 0));
    wf_h1_session_free(session);
}

static void test_a_body_must_have_its_content_length(void **state)
{
    (void)state;
    struct wf_h1_session *session = wf_h1_session_new(&defaults);
    assert_non_null(session);
    assert_int_equal(h1_request(session, "POST", 3), WF_H1_SUBMITTED);
    assert_non_null(wf_h1_session_send_body(session, wf_slice_str("four"), false));
    assert_non_null(wf_h1_session_send_body(session, wf_slice_str("12"), true));
    assert_null(wf_h1_session_send_body(session, wf_slice_str("123"), true));
    wf_h1_session_free(session);
}

static void test_nothing_is_sent_that_could_be_two_lines(void **state)
{
    (void)state;
    static const struct wf_field bad[] = {
        {{(const uint8_t *)":path", 5}, {(const uint8_t *)"/ HTTP/1.1\r\nx:", 14}, false},
        {{(const uint8_t *)":path", 5}, {(const uint8_t *)"/a b", 4}, false},
        {{(const uint8_t *)":path", 5}, {(const uint8_t *)"", 0}, false},
        {{(const uint8_t *)":method", 7}, {(const uint8_t *)"GET /", 5}, false},
        {{(const uint8_t *)":authority", 10}, {(const uint8_t *)"a\nb", 3}, false},
        {{(const uint8_t *)"a", 1}, {(const uint8_t *)"b\rc", 3}, false},
        {{(const uint8_t *)"a", 1}, {(const uint8_t *)"b\0c", 3}, false},
        {{(const uint8_t *)"a:", 2}, {(const uint8_t *)"b", 1}, false},
        {{(const uint8_t *)"", 0}, {(const uint8_t *)"b", 1}, false},
        {{(const uint8_t *)"connection", 10}, {(const uint8_t *)"close", 5}, false},
        {{(const uint8_t *)"transfer-encoding", 17}, {(const uint8_t *)"chunked", 7}, false},
        {{(const uint8_t *)"content-length", 14}, {(const uint8_t *)"x", 1}, false},
        {{(const uint8_t *)"content-length", 14}, {(const uint8_t *)"5", 1}, false},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct wf_h1_session *session = wf_h1_session_new(&defaults);
        /* The last of a kind counts, so that the bad one replaces the good one. */
        const struct wf_field fields[] = {field(":method", "GET"), field(":scheme", "http"),
                                          field(":authority", "a"), field(":path", "/"), bad[i]};
        struct wf_h1_message message = {.fields = fields, .count = 5, .end_stream = true};
        assert_non_null(session);
        if (wf_h1_session_request(session, &message) != WF_H1_SUBMIT_INVALID)
            fail_msg("number %zu was taken", i);
        assert_true(wf_h1_session_is_idle(session));
        assert_false(wf_h1_session_wants_write(session));
        wf_h1_session_free(session);
    }
}

static void test_an_early_response_forgets_the_rest_of_the_upload(void **state)
{
    (void)state;
    struct wf_h1_session *session = wf_h1_session_new(&defaults);
    struct wf_slice in = wf_slice_str("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
    struct wf_h1_event event;
    assert_non_null(session);
    assert_int_equal(h1_request(session, "POST", 8), WF_H1_SUBMITTED);
    assert_null(wf_h1_session_send_body(session, wf_slice_str("12345678"), true));
    wf_h1_session_wrote(session, 10);
    assert_true(wf_h1_session_next(session, &in, &event));
    assert_int_equal(event.type, WF_H1_EVENT_HEADERS);
    assert_true(wf_h1_session_wants_write(session));
    assert_true(wf_h1_session_next(session, &in, &event));
    assert_int_equal(event.type, WF_H1_EVENT_COMPLETE);
    assert_false(event.reusable);
    assert_false(wf_h1_session_wants_write(session));
    assert_true(wf_h1_session_is_dead(session));
    assert_false(wf_h1_session_next(session, &in, &event));
    wf_h1_session_free(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pseudo_fields_become_request_line_and_host),
        cmocka_unit_test(test_cookies_become_one_field),
        cmocka_unit_test(test_te_is_for_the_next_hop),
        cmocka_unit_test(test_a_body_of_unknown_length_goes_in_chunks),
        cmocka_unit_test(test_a_body_with_its_length_goes_as_it_is),
        cmocka_unit_test(test_chunks_and_the_last_chunk),
        cmocka_unit_test(test_an_empty_end_is_the_last_chunk_alone),
        cmocka_unit_test(test_trailers_follow_the_last_chunk),
        cmocka_unit_test(test_trailers_need_chunks),
        cmocka_unit_test(test_a_body_must_have_its_content_length),
        cmocka_unit_test(test_nothing_is_sent_that_could_be_two_lines),
        cmocka_unit_test(test_an_early_response_forgets_the_rest_of_the_upload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
