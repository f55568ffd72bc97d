/* Message validity (RFC 9113 section 8) as a client and a server session enforce it. */
#include "support/h2_twice.h"

/* One response that is malformed: a stream error, and the connection lives on. */
#define ASSERT_MALFORMED(flags, ...)                                                               \
    do {                                                                                           \
        struct h2_rig rig;                                                                         \
        rig_init_client(&rig);                                                                     \
        rig_get(&rig, 1);                                                                          \
        peer_send_headers(&rig.peer, 1, flags, __VA_ARGS__, NULL);                                 \
        rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);                                    \
        rig_fini(&rig);                                                                            \
    } while (0)

static void test_status_must_be_there_once_and_be_a_number(void **state)
{
    (void)state;
    ASSERT_MALFORMED(0, "server", "x");
    ASSERT_MALFORMED(0, ":status", "200", ":status", "200");
    ASSERT_MALFORMED(0, ":status", "20");
    ASSERT_MALFORMED(0, ":status", "2000");
    ASSERT_MALFORMED(0, ":status", "2x0");
    ASSERT_MALFORMED(0, ":status", "099");
    ASSERT_MALFORMED(0, ":status", "600");
    ASSERT_MALFORMED(0, ":status", "");
    ASSERT_MALFORMED(0, ":status", "+20");
}

static void test_101_is_malformed(void **state)
{
    (void)state;
    ASSERT_MALFORMED(0, ":status", "101");
}

static void test_pseudo_header_fields_of_requests_are_malformed_in_a_response(void **state)
{
    (void)state;
    ASSERT_MALFORMED(0, ":status", "200", ":path", "/");
    ASSERT_MALFORMED(0, ":status", "200", ":method", "GET");
    ASSERT_MALFORMED(0, ":status", "200", ":authority", "a");
}

static void test_unknown_pseudo_header_fields_are_malformed(void **state)
{
    (void)state;
    ASSERT_MALFORMED(0, ":status", "200", ":protocol", "x");
    ASSERT_MALFORMED(0, ":status", "200", ":", "x");
}

static void test_a_pseudo_header_field_after_a_regular_one_is_malformed(void **state)
{
    (void)state;
    ASSERT_MALFORMED(0, "server", "x", ":status", "200");
}

static void test_connection_specific_fields_are_malformed(void **state)
{
    (void)state;
    ASSERT_MALFORMED(0, ":status", "200", "connection", "close");
    ASSERT_MALFORMED(0, ":status", "200", "keep-alive", "timeout=5");
    ASSERT_MALFORMED(0, ":status", "200", "proxy-connection", "close");
    ASSERT_MALFORMED(0, ":status", "200", "transfer-encoding", "chunked");
    ASSERT_MALFORMED(0, ":status", "200", "upgrade", "websocket");
    ASSERT_MALFORMED(0, ":status", "200", "te", "trailers");
}

static void test_octets_that_a_name_or_value_may_not_have_are_malformed(void **state)
{
    (void)state;
    ASSERT_MALFORMED(0, ":status", "200", "Server", "x");
    ASSERT_MALFORMED(0, ":status", "200", "a b", "x");
    ASSERT_MALFORMED(0, ":status", "200", "", "x");
    ASSERT_MALFORMED(0, ":status", "200", "x-a", "a\r\nb");
    ASSERT_MALFORMED(0, ":status", "200", "x-a", "a\nb");
    ASSERT_MALFORMED(0, ":status", "200", "x-a", " a");
    ASSERT_MALFORMED(0, ":status", "200", "x-a", "a ");
}

static void test_a_malformed_response_is_dropped_and_the_next_one_is_fine(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    rig_get(&rig, 3);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", "upgrade", "x", NULL);
    peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 10);
    peer_send_headers(&rig.peer, 3, WF_H2_FLAG_END_STREAM, ":status", "200", "x-a", "b", NULL);
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_expect(&rig, "HEADERS 3 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 3 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_content_length_must_be_one_number(void **state)
{
    (void)state;
    ASSERT_MALFORMED(0, ":status", "200", "content-length", "");
    ASSERT_MALFORMED(0, ":status", "200", "content-length", "-1");
    ASSERT_MALFORMED(0, ":status", "200", "content-length", "1x");
    ASSERT_MALFORMED(0, ":status", "200", "content-length", "5, 5");
    ASSERT_MALFORMED(0, ":status", "200", "content-length", "99999999999999999999");
    ASSERT_MALFORMED(0, ":status", "200", "content-length", "5", "content-length", "6");
}

/* A response with content-length 5, then DATA of so many octets. */
static void answer_5_with(struct h2_rig *rig, size_t len, uint8_t flags)
{
    rig_init_client(rig);
    rig_get(rig, 1);
    peer_send_headers(&rig->peer, 1, 0, ":status", "200", "content-length", "5", "content-length",
                      "5", NULL);
    peer_send_data(&rig->peer, 1, flags, len);
    rig_expect(rig, "HEADERS 1 RESPONSE 200");
}

static void test_content_as_long_as_content_length_is_complete(void **state)
{
    (void)state;
    struct h2_rig rig;
    answer_5_with(&rig, 5, WF_H2_FLAG_END_STREAM);
    rig_expect(&rig, "DATA 1 5 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_content_longer_than_content_length_is_malformed(void **state)
{
    (void)state;
    struct h2_rig rig;
    answer_5_with(&rig, 6, 0);
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_content_shorter_than_content_length_is_malformed(void **state)
{
    (void)state;
    struct h2_rig rig;
    answer_5_with(&rig, 4, WF_H2_FLAG_END_STREAM);
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_no_content_where_content_length_says_some_is_malformed(void **state)
{
    (void)state;
    ASSERT_MALFORMED(WF_H2_FLAG_END_STREAM, ":status", "200", "content-length", "5");
}

static void test_trailers_before_all_content_came_are_malformed(void **state)
{
    (void)state;
    struct h2_rig rig;
    answer_5_with(&rig, 4, 0);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, "x-sum", "1", NULL);
    rig_expect(&rig, "DATA 1 4");
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_padding_is_no_content(void **state)
{
    (void)state;
    struct h2_rig rig;
    answer_5_with(&rig, 3, 0);
    peer_send_frame(&rig.peer, WF_H2_FRAME_DATA, WF_H2_FLAG_PADDED | WF_H2_FLAG_END_STREAM, 1,
                    "\7ab1234567", 10);
    rig_expect(&rig, "DATA 1 5 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_a_response_to_head_has_no_content(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_submit(&rig, "HEAD", true);
    rig_submit(&rig, "HEAD", true);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, ":status", "200", "content-length",
                      "500", NULL);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    peer_expect_headers(&rig.peer, 1);
    peer_expect_headers(&rig.peer, 3);
    peer_send_headers(&rig.peer, 3, 0, ":status", "200", "content-length", "500", NULL);
    peer_send_data(&rig.peer, 3, 0, 0);
    rig_expect(&rig, "HEADERS 3 RESPONSE 200");
    peer_send_data(&rig.peer, 3, WF_H2_FLAG_END_STREAM, 500);
    rig_expect_stream_error(&rig, 3, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_204_and_304_have_no_content(void **state)
{
    (void)state;
    struct h2_rig rig;
    static const char *const statuses[] = {"204", "304"};
    for (size_t i = 0; i < 2; i++) {
        rig_init_client(&rig);
        rig_get(&rig, 1);
        rig_get(&rig, 3);
        peer_send_headers(&rig.peer, 1, 0, ":status", statuses[i], "content-length", "5", NULL);
        peer_send_data(&rig.peer, 1, WF_H2_FLAG_END_STREAM, 0);
        rig_run(&rig);
        assert_int_equal(wf_h2_session_open_streams(rig.session), 1);
        peer_send_headers(&rig.peer, 3, 0, ":status", statuses[i], NULL);
        peer_send_data(&rig.peer, 3, 0, 1);
        rig_run(&rig);
        peer_expect_rst_stream(&rig.peer, 3, WF_H2_PROTOCOL_ERROR);
        rig_fini(&rig);
    }
}

static void test_data_before_the_response_is_malformed(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "103", NULL);
    peer_send_data(&rig.peer, 1, 0, 1);
    rig_expect(&rig, "HEADERS 1 INFORMATIONAL 103");
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_informational_responses_come_before_the_response(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "100", NULL);
    peer_send_headers(&rig.peer, 1, 0, ":status", "103", "link", "</a>", NULL);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, ":status", "200", NULL);
    rig_expect(&rig, "HEADERS 1 INFORMATIONAL 100");
    rig_expect(&rig, "HEADERS 1 INFORMATIONAL 103");
    rig_expect(&rig, "HEADERS 1 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_an_informational_response_with_end_stream_is_malformed(void **state)
{
    (void)state;
    ASSERT_MALFORMED(WF_H2_FLAG_END_STREAM, ":status", "103");
}

static void test_a_second_response_is_malformed(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", NULL);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_trailers_end_the_response(void **state)
{
    (void)state;
    struct h2_rig rig;
    answer_5_with(&rig, 5, 0);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, "x-sum", "1", NULL);
    rig_expect(&rig, "DATA 1 5");
    rig_expect(&rig, "HEADERS 1 TRAILERS 0 END");
    rig_expect(&rig, "CLOSED 1 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_trailers_without_end_stream_are_malformed(void **state)
{
    (void)state;
    struct h2_rig rig;
    answer_5_with(&rig, 5, 0);
    peer_send_headers(&rig.peer, 1, 0, "x-sum", "1", NULL);
    rig_expect(&rig, "DATA 1 5");
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_trailers_with_a_pseudo_header_field_are_malformed(void **state)
{
    (void)state;
    struct h2_rig rig;
    answer_5_with(&rig, 5, 0);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, ":status", "200", NULL);
    rig_expect(&rig, "DATA 1 5");
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_trailers_with_a_connection_specific_field_are_malformed(void **state)
{
    (void)state;
    struct h2_rig rig;
    answer_5_with(&rig, 5, 0);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, "connection", "close", NULL);
    rig_expect(&rig, "DATA 1 5");
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

static void test_a_section_above_our_limit_is_a_stream_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.max_header_list_size = 200;
    rig_init_client_with(&rig, &config);
    rig_get(&rig, 1);
    rig_get(&rig, 3);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", "a", "1", "b", "2", "c", "3", "d", "4",
                      "e", "5", "f", "6", NULL);
    rig_expect_stream_error(&rig, 1, WF_H2_ENHANCE_YOUR_CALM);
    peer_send_headers(&rig.peer, 3, WF_H2_FLAG_END_STREAM, ":status", "200", "f", "6", NULL);
    rig_expect(&rig, "HEADERS 3 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 3 COMPLETE NO_ERROR PROCESSED");
    rig_fini(&rig);
}

static void test_too_many_fields_are_a_stream_error(void **state)
{
    (void)state;
    struct h2_rig rig;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    config.max_fields = 3;
    rig_init_client_with(&rig, &config);
    rig_get(&rig, 1);
    peer_send_headers(&rig.peer, 1, 0, ":status", "200", "a", "1", "b", "2", "c", "3", NULL);
    rig_expect_stream_error(&rig, 1, WF_H2_ENHANCE_YOUR_CALM);
    rig_fini(&rig);
}

/* The same block again is not read again; what depends on the request still is looked at. */
static void test_a_repeated_section_is_checked_against_its_own_request(void **state)
{
    (void)state;
    struct h2_rig rig;
    rig_init_client(&rig);
    rig_get(&rig, 1);
    rig_submit(&rig, "HEAD", true);
    peer_expect_headers(&rig.peer, 3);
    rig_get(&rig, 5);
    for (uint32_t id = 1; id <= 3; id += 2)
        peer_send_headers(&rig.peer, id, id == 3 ? WF_H2_FLAG_END_STREAM : 0, ":status", "200",
                          "content-length", "3", NULL);
    peer_send_headers(&rig.peer, 5, WF_H2_FLAG_END_STREAM, ":status", "200", "content-length", "3",
                      NULL);
    rig_expect(&rig, "HEADERS 1 RESPONSE 200");
    rig_expect(&rig, "HEADERS 3 RESPONSE 200 END");
    rig_expect(&rig, "CLOSED 3 COMPLETE NO_ERROR PROCESSED");
    rig_expect_stream_error(&rig, 5, WF_H2_PROTOCOL_ERROR);
    peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, ":status", "200", "content-length", "3",
                      NULL);
    rig_expect_stream_error(&rig, 1, WF_H2_PROTOCOL_ERROR);
    rig_fini(&rig);
}

#define ASSERT_REQUEST_MALFORMED(...)                                                              \
    do {                                                                                           \
        struct h2_rig rig;                                                                         \
        rig_init_server(&rig);                                                                     \
        peer_send_headers(&rig.peer, 1, WF_H2_FLAG_END_STREAM, __VA_ARGS__, NULL);                 \
        rig_expect_no_event(&rig);                                                                 \
        peer_expect_rst_stream(&rig.peer, 1, WF_H2_PROTOCOL_ERROR);                                \
        rig_fini(&rig);                                                                            \
    } while (0)

static void test_a_malformed_request_never_reaches_the_server(void **state)
{
    (void)state;
    ASSERT_REQUEST_MALFORMED(":scheme", "https", ":path", "/");
    ASSERT_REQUEST_MALFORMED(":method", "GET", ":path", "/");
    ASSERT_REQUEST_MALFORMED(":method", "GET", ":scheme", "https");
    ASSERT_REQUEST_MALFORMED(":method", "GET", ":scheme", "https", ":path", "");
    ASSERT_REQUEST_MALFORMED(":method", "GET", ":method", "GET", ":scheme", "https", ":path", "/");
    ASSERT_REQUEST_MALFORMED(":method", "GET", ":scheme", "https", ":path", "/", ":status", "200");
    ASSERT_REQUEST_MALFORMED(":method", "GET", ":scheme", "https", ":path", "/", "te", "gzip");
    ASSERT_REQUEST_MALFORMED(":method", "GET", ":scheme", "https", ":path", "/", "content-length",
                             "1");
    ASSERT_REQUEST_MALFORMED(":method", "CONNECT", ":authority", "a:1", ":path", "/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_must_be_there_once_and_be_a_number),
        cmocka_unit_test(test_101_is_malformed),
        cmocka_unit_test(test_pseudo_header_fields_of_requests_are_malformed_in_a_response),
        cmocka_unit_test(test_unknown_pseudo_header_fields_are_malformed),
        cmocka_unit_test(test_a_pseudo_header_field_after_a_regular_one_is_malformed),
        cmocka_unit_test(test_connection_specific_fields_are_malformed),
        cmocka_unit_test(test_octets_that_a_name_or_value_may_not_have_are_malformed),
        cmocka_unit_test(test_a_malformed_response_is_dropped_and_the_next_one_is_fine),
        cmocka_unit_test(test_content_length_must_be_one_number),
        cmocka_unit_test(test_content_as_long_as_content_length_is_complete),
        cmocka_unit_test(test_content_longer_than_content_length_is_malformed),
        cmocka_unit_test(test_content_shorter_than_content_length_is_malformed),
        cmocka_unit_test(test_no_content_where_content_length_says_some_is_malformed),
        cmocka_unit_test(test_trailers_before_all_content_came_are_malformed),
        cmocka_unit_test(test_padding_is_no_content),
        cmocka_unit_test(test_a_response_to_head_has_no_content),
        cmocka_unit_test(test_204_and_304_have_no_content),
        cmocka_unit_test(test_data_before_the_response_is_malformed),
        cmocka_unit_test(test_informational_responses_come_before_the_response),
        cmocka_unit_test(test_an_informational_response_with_end_stream_is_malformed),
        cmocka_unit_test(test_a_second_response_is_malformed),
        cmocka_unit_test(test_trailers_end_the_response),
        cmocka_unit_test(test_trailers_without_end_stream_are_malformed),
        cmocka_unit_test(test_trailers_with_a_pseudo_header_field_are_malformed),
        cmocka_unit_test(test_trailers_with_a_connection_specific_field_are_malformed),
        cmocka_unit_test(test_a_section_above_our_limit_is_a_stream_error),
        cmocka_unit_test(test_too_many_fields_are_a_stream_error),
        cmocka_unit_test(test_a_repeated_section_is_checked_against_its_own_request),
        cmocka_unit_test(test_a_malformed_request_never_reaches_the_server),
    };
    return RUN_TWICE(tests);
}
