/* What a session reads: whole, octet by octet and split at random it must be the same. */
#include "support/cmocka.h"
#include "support/h1_player.h"

#define RANDOM_SPLITS 20

static struct test_random seeds;

static const struct wf_h1_config defaults = WF_H1_CONFIG_INIT;

enum end { GOES_ON, ORDERLY, CUT };

static void play_once(struct h1_player *player, const char *methods, const char *wire, size_t piece,
                      enum end end)
{
    assert_true(h1_player_init(player, &defaults, methods));
    if (piece == SIZE_MAX) {
        struct choice choice = choice_random(test_random_next(&seeds));
        h1_player_feed_random(player, wf_slice_str(wire), &choice);
    } else {
        h1_player_feed(player, wf_slice_str(wire), piece);
    }
    if (end != GOES_ON)
        h1_player_end(player, end == ORDERLY);
}

/* @methods are asked one after the other, the server says @wire, and then the log is @expected. */
static void play(const char *methods, const char *wire, enum end end, const char *expected)
{
    for (int i = 0; i < RANDOM_SPLITS + 2; i++) {
        struct h1_player player;
        play_once(&player, methods, wire, i == 0 ? 0 : i == 1 ? 1 : SIZE_MAX, end);
        assert_string_equal(h1_player_text(&player), expected);
        h1_player_fini(&player);
    }
}

static void test_a_response_with_content_length(void **state)
{
    (void)state;
    play("G", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello", GOES_ON,
         "response 200 5 [content-length: 5] [x-a: b]\ndata 5 hello\ncomplete\n");
}

static void test_requests_follow_each_other(void **state)
{
    (void)state;
    play("GGH",
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nA"
         "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
         GOES_ON,
         "response 200 1 [content-length: 1]\ndata 1 A\ncomplete\n"
         "response 404 0 [content-length: 0]\ncomplete\n"
         "response 200 9 [content-length: 9]\ncomplete\n");
}

static void test_a_chunked_response_with_trailers(void **state)
{
    (void)state;
    play("G",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 7\r\nKeep-Alive: x\r\n\r\n",
         GOES_ON, "response 200 -1\ndata 5 abcde\ntrailers 0 -1 [x-sum: 7]\ncomplete\n");
}

static void test_a_chunked_response_without_trailers(void **state)
{
    (void)state;
    play("GG",
         "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n"
         "HTTP/1.1 204 \r\n\r\n",
         GOES_ON, "response 200 -1\ncomplete\nresponse 204 -1\ncomplete\n");
}

static void test_fields_of_the_connection_stay_here(void **state)
{
    (void)state;
    play("G",
         "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nServer: s\r\n"
         "Upgrade: h2c\r\nContent-Length: 0\r\n\r\n",
         GOES_ON, "response 200 0 [server: s] [content-length: 0]\ncomplete\n");
}

static void test_a_body_goes_on_until_the_connection_ends(void **state)
{
    (void)state;
    play("G", "HTTP/1.1 200 OK\r\n\r\nall of it", ORDERLY,
         "response 200 -1\ndata 9 all of it\ncomplete, close\n");
    play("G", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", ORDERLY,
         "response 200 -1\ncomplete, close\n");
}

static void test_a_body_until_the_end_needs_an_orderly_end(void **state)
{
    (void)state;
    play("G", "HTTP/1.1 200 OK\r\n\r\nall of", CUT,
         "response 200 -1\ndata 6 all of\n"
         "error 5 begun: the connection ended before the response was complete\n");
}

static void test_no_body_for_head_204_and_304(void **state)
{
    (void)state;
    play("HGGG",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "HTTP/1.1 204 No Content\r\n\r\n"
         "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"
         "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
         GOES_ON,
         "response 200 -1\ncomplete\nresponse 204 -1\ncomplete\n"
         "response 304 100 [content-length: 100]\ncomplete\nresponse 304 -1\ncomplete\n");
}

static void test_informational_responses_come_first(void **state)
{
    (void)state;
    play("G",
         "HTTP/1.1 100 Continue\r\n\r\n"
         "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
         GOES_ON,
         "informational 100 -1\ninformational 103 -1 [link: </a>]\n"
         "response 200 2 [content-length: 2]\ndata 2 ok\ncomplete\n");
}

static void test_http_1_0_closes_unless_it_says_otherwise(void **state)
{
    (void)state;
    play("GG", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", GOES_ON,
         "response 200 1 [content-length: 1]\ndata 1 x\ncomplete, close\n");
    play("GG",
         "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\nx"
         "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\ny",
         GOES_ON,
         "response 200 1 [content-length: 1]\ndata 1 x\ncomplete\n"
         "response 200 1 [content-length: 1]\ndata 1 y\ncomplete, close\n");
}

static void test_connection_close_ends_it_after_the_response(void **state)
{
    (void)state;
    play("GG", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nxHTTP", GOES_ON,
         "response 200 1 [content-length: 1]\ndata 1 x\ncomplete, close\n");
}

static void test_octets_after_the_response_end_the_connection(void **state)
{
    (void)state;
    play("G", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy", GOES_ON,
         "response 200 1 [content-length: 1]\ndata 1 x\ncomplete\n"
         "error 4 begun: octets came that no request asked for\n");
    play("", "HTTP/1.1 408 Request Timeout\r\n\r\n", GOES_ON,
         "error 4: octets came that no request asked for\n");
}

static void test_a_response_before_its_request_was_written_is_none(void **state)
{
    (void)state;
    struct wf_h1_session *session = wf_h1_session_new(&defaults);
    struct wf_slice in = wf_slice_str("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct wf_h1_event event;
    assert_non_null(session);
    assert_int_equal(h1_request(session, "GET", -1), WF_H1_SUBMITTED);
    assert_true(wf_h1_session_next(session, &in, &event));
    assert_int_equal(event.type, WF_H1_EVENT_ERROR);
    assert_int_equal(event.error.kind, WF_H1_ERR_UNASKED);
    assert_false(wf_h1_session_was_sent(session));
    assert_false(wf_h1_session_has_begun(session));
    assert_false(wf_h1_session_wants_write(session));
    wf_h1_session_free(session);
}

static void test_truncation_is_an_error_wherever_it_is(void **state)
{
    (void)state;
    static const char wire[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n0\r\nx: y\r\n\r\n";
    for (size_t len = 0; len < sizeof(wire) - 1; len++) {
        for (int orderly = 0; orderly < 2; orderly++) {
            struct h1_player player;
            assert_true(h1_player_init(&player, &defaults, "G"));
            h1_player_feed(&player, wf_slice(wire, len), 0);
            h1_player_end(&player, orderly);
            assert_true(player.failed);
            assert_int_equal(player.error.kind, WF_H1_ERR_LOST);
            assert_int_equal(player.completed, 0);
            assert_int_equal(player.has_begun, len > 9);
            h1_player_fini(&player);
        }
    }
}

static void test_an_informational_response_is_no_beginning(void **state)
{
    (void)state;
    play("G", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 ", CUT,
         "informational 100 -1\nerror 5: the connection ended in a status line\n");
    play("G", "HTTP/1.1 103 Early", CUT, "error 5: the connection ended in a status line\n");
    play("G", "HTTP/1.1 2", CUT, "error 5 begun: the connection ended in a status line\n");
}

static void test_the_end_of_an_idle_connection_is_no_error(void **state)
{
    (void)state;
    play("G", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ORDERLY,
         "response 200 0 [content-length: 0]\ncomplete\n");
    play("", "", CUT, "");
}

static void test_a_response_before_the_end_of_the_upload_closes(void **state)
{
    (void)state;
    play("PG", "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", GOES_ON,
         "response 413 2 [content-length: 2]\ndata 2 no\ncomplete, close\n");
}

static void test_trimming_an_idle_session_leaves_it_usable(void **state)
{
    (void)state;
    struct h1_player player;
    assert_true(h1_player_init(&player, &defaults, "G"));
    h1_player_feed(&player, wf_slice_str("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 0);
    wf_h1_session_trim(player.session);
    assert_true(wf_h1_session_is_idle(player.session));
    assert_int_equal(h1_request(player.session, "GET", -1), WF_H1_SUBMITTED);
    assert_int_equal(h1_request(player.session, "GET", -1), WF_H1_SUBMIT_BUSY);
    wf_h1_session_trim(player.session);
    assert_true(wf_h1_session_wants_write(player.session));
    h1_player_fini(&player);
}

int main(void)
{
    seeds = test_random_start("h1_session");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_response_with_content_length),
        cmocka_unit_test(test_requests_follow_each_other),
        cmocka_unit_test(test_a_chunked_response_with_trailers),
        cmocka_unit_test(test_a_chunked_response_without_trailers),
        cmocka_unit_test(test_fields_of_the_connection_stay_here),
        cmocka_unit_test(test_a_body_goes_on_until_the_connection_ends),
        cmocka_unit_test(test_a_body_until_the_end_needs_an_orderly_end),
        cmocka_unit_test(test_no_body_for_head_204_and_304),
        cmocka_unit_test(test_informational_responses_come_first),
        cmocka_unit_test(test_http_1_0_closes_unless_it_says_otherwise),
        cmocka_unit_test(test_connection_close_ends_it_after_the_response),
        cmocka_unit_test(test_octets_after_the_response_end_the_connection),
        cmocka_unit_test(test_a_response_before_its_request_was_written_is_none),
        cmocka_unit_test(test_truncation_is_an_error_wherever_it_is),
        cmocka_unit_test(test_an_informational_response_is_no_beginning),
        cmocka_unit_test(test_the_end_of_an_idle_connection_is_no_error),
        cmocka_unit_test(test_a_response_before_the_end_of_the_upload_closes),
        cmocka_unit_test(test_trimming_an_idle_session_leaves_it_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
