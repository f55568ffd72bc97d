/* Everything that could be read in two ways, and every limit: refused, however it is split. */
#include "support/cmocka.h"
#include "support/h1_player.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define OK            "HTTP/1.1 200 OK\r\n"
#define CHUNKED       OK "Transfer-Encoding: chunked\r\n\r\n"
#define MAX_HEAD      400u
#define RANDOM_SPLITS 10

static struct test_random seeds;

static struct wf_h1_config small(void)
{
    struct wf_h1_config config = WF_H1_CONFIG_INIT;
    config.max_header_list_size = 300;
    config.max_fields = 4;
    config.max_head_len = MAX_HEAD;
    config.max_informational = 2;
    config.max_extensions = 20;
    return config;
}

struct refused {
    enum wf_h1_err_kind kind;
    bool has_begun;
    const char *wire;
    const char *reason; /* a part of it */
};

static const struct refused refused[] = {
    /* No HTTP/1.x at all. */
    {WF_H1_ERR_NOT_HTTP, false, "\r\n" OK, "no HTTP/1.1 response"},
    {WF_H1_ERR_NOT_HTTP, false, "HTTP/2.0 200 OK\r\n\r\n", "no HTTP/1.1 response"},
    {WF_H1_ERR_NOT_HTTP, false, "SSH-2.0-OpenSSH\r\n", "no HTTP/1.1 response"},
    {WF_H1_ERR_NOT_HTTP, false, "http/1.1 200 OK\r\n\r\n", "no HTTP/1.1 response"},
    {WF_H1_ERR_NOT_HTTP, false, "<html>", "no HTTP/1.1 response"},
    /* Status lines. */
    {WF_H1_ERR_PROTOCOL, false, "HTTP/1.1  200 OK\r\n\r\n", "status code"},
    {WF_H1_ERR_PROTOCOL, true, "HTTP/1.1 2000 OK\r\n\r\n", "followed by a space"},
    {WF_H1_ERR_PROTOCOL, false, "HTTP/1.1 000 OK\r\n\r\n", "100 to 599"},
    {WF_H1_ERR_PROTOCOL, false, "HTTP/1.1 999 OK\r\n\r\n", "100 to 599"},
    {WF_H1_ERR_PROTOCOL, true, "HTTP/1.1 200 O\x01\r\n\r\n", "reason phrase"},
    {WF_H1_ERR_PROTOCOL, false, "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", "101"},
    /* Ends of lines. */
    {WF_H1_ERR_PROTOCOL, true, "HTTP/1.1 200 OK\n\n", "LF without CR"},
    {WF_H1_ERR_PROTOCOL, true, OK "a: b\nc: d\r\n\r\n", "LF without CR"},
    {WF_H1_ERR_PROTOCOL, true, OK "a: b\r\n\n", "LF without CR"},
    {WF_H1_ERR_PROTOCOL, true, "HTTP/1.1 200 O\rK\r\n\r\n", "CR stands within"},
    {WF_H1_ERR_PROTOCOL, true, OK "a: b\rc: d\r\n\r\n", "CR stands within"},
    {WF_H1_ERR_PROTOCOL, true, OK "a: b\r\r\n\r\n", "CR stands within"},
    /* Field lines. */
    {WF_H1_ERR_PROTOCOL, true, OK "a: b\r\n c\r\n\r\n", "folded"},
    {WF_H1_ERR_PROTOCOL, true, OK "a: b\r\n\tc: d\r\n\r\n", "folded"},
    {WF_H1_ERR_PROTOCOL, true, OK " a: b\r\n\r\n", "folded"},
    {WF_H1_ERR_PROTOCOL, true, OK "Content-Length : 5\r\n\r\n", "its colon"},
    {WF_H1_ERR_PROTOCOL, true, OK "a\t: 5\r\n\r\n", "its colon"},
    {WF_H1_ERR_PROTOCOL, true, OK "no colon\r\n\r\n", "no colon"},
    {WF_H1_ERR_PROTOCOL, true, OK ": empty\r\n\r\n", "name is empty"},
    {WF_H1_ERR_PROTOCOL, true, OK "a b: c\r\n\r\n", "field name has an octet"},
    {WF_H1_ERR_PROTOCOL, true, OK "a\x7f: c\r\n\r\n", "field name has an octet"},
    /* Framing. */
    {WF_H1_ERR_PROTOCOL, true, OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "differs"},
    {WF_H1_ERR_PROTOCOL, true, OK "Content-Length: 5, 5\r\n\r\n", "not a number"},
    {WF_H1_ERR_PROTOCOL, true, OK "Content-Length: -1\r\n\r\n", "not a number"},
    {WF_H1_ERR_PROTOCOL, true, OK "Content-Length: +1\r\n\r\n", "not a number"},
    {WF_H1_ERR_PROTOCOL, true, OK "Content-Length: 0x1\r\n\r\n", "not a number"},
    {WF_H1_ERR_PROTOCOL, true, OK "Content-Length:\r\n\r\n", "not a number"},
    {WF_H1_ERR_PROTOCOL, true, OK "Content-Length: 99999999999999999999\r\n\r\n", "not a number"},
    {WF_H1_ERR_PROTOCOL, true, OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     "beside transfer-encoding"},
    {WF_H1_ERR_PROTOCOL, true, OK "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
     "beside transfer-encoding"},
    {WF_H1_ERR_PROTOCOL, true, OK "Transfer-Encoding: gzip, chunked\r\n\r\n", "not chunked"},
    {WF_H1_ERR_PROTOCOL, true, OK "Transfer-Encoding: identity\r\n\r\n", "not chunked"},
    {WF_H1_ERR_PROTOCOL, true, OK "Transfer-Encoding:\r\n\r\n", "not chunked"},
    {WF_H1_ERR_PROTOCOL, true,
     OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "not chunked"},
    {WF_H1_ERR_PROTOCOL, true, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0"},
    {WF_H1_ERR_PROTOCOL, false, "HTTP/1.1 103 Hints\r\nContent-Length: 4\r\n\r\n",
     "informational response announces"},
    {WF_H1_ERR_PROTOCOL, false, "HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n",
     "informational response announces"},
    /* Chunks. */
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "\r\n", "begin with its size"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "-1\r\n", "begin with its size"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "+1\r\n", "begin with its size"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "0x1\r\nx", "hexadecimal"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED " 1\r\nx", "begin with its size"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "1 \r\nx", "white space"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "fffffffffffffffff\r\nx", "too many digits"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "1\nx", "hexadecimal"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "1\rx", "CR without its LF"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "1\r\nxy\r\n", "longer than its size"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "1\r\nx\n", "longer than its size"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "1;a\nb\r\n", "chunk extension has an octet"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "0\r\n\n", "LF without CR"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "0\r\na : b\r\n\r\n", "its colon"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "0\r\na: b\r\n c\r\n\r\n", "folded"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "0\r\nContent-Length: 3\r\n\r\n", "concerns framing"},
    {WF_H1_ERR_PROTOCOL, true, CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n",
     "concerns framing"},
    {WF_H1_ERR_FLOOD, true, CHUNKED "1;12345678901234567890\r\n", "chunk extensions"},
    /* Limits. */
    {WF_H1_ERR_LIMIT, true, OK "a: b\r\nc: d\r\ne: f\r\ng: h\r\ni: j\r\n\r\n", "more field lines"},
    {WF_H1_ERR_LIMIT, true, CHUNKED "0\r\na: b\r\nc: d\r\ne: f\r\ng: h\r\ni: j\r\n\r\n",
     "more field lines"},
    {WF_H1_ERR_LIMIT, true,
     OK "connection: a\r\nconnection: b\r\nconnection: c\r\n"
        "connection: d\r\nconnection: e\r\n\r\n",
     "more field lines"},
    {WF_H1_ERR_LIMIT, false, "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n",
     "more informational responses"},
};

static void check(const struct refused *one, struct wf_slice wire, unsigned run)
{
    struct wf_h1_config config = small();
    struct h1_player player;
    assert_true(h1_player_init(&player, &config, "G"));
    if (run < 2) {
        h1_player_feed(&player, wire, run);
    } else {
        struct choice choice = choice_random(test_random_next(&seeds));
        h1_player_feed_random(&player, wire, &choice);
    }
    if (!player.failed)
        fail_msg("%s\nwas taken: %s", one->wire, h1_player_text(&player));
    if (player.error.kind != one->kind || strstr(player.error.reason, one->reason) == NULL ||
        player.has_begun != one->has_begun)
        fail_msg("%s\ngave %s", one->wire, h1_player_text(&player));
    assert_int_equal(player.completed, 0);
    h1_player_fini(&player);
}

static void test_what_is_ambiguous_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        for (unsigned run = 0; run < 2 + RANDOM_SPLITS; run++)
            check(&refused[i], wf_slice_str(refused[i].wire), run);
    }
}

static void test_nul_is_refused_in_names_and_values(void **state)
{
    (void)state;
    static const char name[] = OK "a\0b: c\r\n\r\n";
    static const char value[] = OK "a: b\0c\r\n\r\n";
    static const struct refused bad_name = {WF_H1_ERR_PROTOCOL, true, "NUL in a name", "name has"};
    static const struct refused bad_value = {WF_H1_ERR_PROTOCOL, true, "NUL in a value",
                                             "value has"};
    for (unsigned run = 0; run < 4; run++) {
        check(&bad_name, wf_slice(name, sizeof(name) - 1), run);
        check(&bad_value, wf_slice(value, sizeof(value) - 1), run);
    }
}

static void test_other_protocols_are_named_by_their_first_octets(void **state)
{
    (void)state;
    static const char settings[] = "\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64";
    static const char not_first[] = "\0\0\x0c\4\1\0\0\0\0";
    static const char on_a_stream[] = "\0\0\0\4\0\0\0\0\1";
    static const char alert[] = "\x15\3\3\0\2\2\x28";
    static const char record[] = "\x15\3\3\0\3\2\x28";
    static const struct refused http2 = {WF_H1_ERR_HTTP2, false, "SETTINGS", "SETTINGS frame"};
    static const struct refused tls = {WF_H1_ERR_TLS, false, "an alert", "TLS alert"};
    static const struct refused neither = {WF_H1_ERR_NOT_HTTP, false, "neither", "no HTTP/1.1"};
    for (unsigned run = 0; run < 2 + RANDOM_SPLITS; run++) {
        check(&http2, wf_slice(settings, sizeof(settings) - 1), run);
        check(&neither, wf_slice(not_first, sizeof(not_first) - 1), run);
        check(&neither, wf_slice(on_a_stream, sizeof(on_a_stream) - 1), run);
        check(&tls, wf_slice(alert, sizeof(alert) - 1), run);
        check(&neither, wf_slice(record, sizeof(record) - 1), run);
    }
}

static void test_the_beginning_of_another_protocol_and_no_more_is_no_http(void **state)
{
    (void)state;
    struct wf_h1_config config = small();
    for (unsigned orderly = 0; orderly < 2; orderly++) {
        struct h1_player player;
        assert_true(h1_player_init(&player, &config, "G"));
        h1_player_feed(&player, wf_slice("\x15\3\3", 3), 0);
        assert_false(player.failed);
        h1_player_end(&player, orderly);
        assert_true(player.failed);
        assert_int_equal(player.error.kind, WF_H1_ERR_NOT_HTTP);
        h1_player_fini(&player);
    }
}

/* @head, then octets without an end. */
static void check_endless(const char *head, const char *reason)
{
    static char wire[2 * MAX_HEAD + 100];
    struct refused one = {WF_H1_ERR_LIMIT, true, head, reason};
    memset(wire, 'x', sizeof(wire));
    memcpy(wire, head, strlen(head));
    for (unsigned run = 0; run < 2 + RANDOM_SPLITS; run++)
        check(&one, wf_slice(wire, sizeof(wire)), run);
}

static void test_an_endless_head_is_refused(void **state)
{
    (void)state;
    check_endless("HTTP/1.1 200 ", "a head is larger");
    check_endless(OK, "a head is larger");
    check_endless(OK "a: ", "a head is larger");
    check_endless(CHUNKED "0\r\na: ", "a head is larger");
}

static void test_fields_above_the_list_size_are_refused(void **state)
{
    (void)state;
    char wire[400];
    struct refused one = {WF_H1_ERR_LIMIT, true, "a large field", "fields are larger"};
    (void)snprintf(wire, sizeof(wire), OK "a: %0267d\r\n\r\n", 0);
    for (unsigned run = 0; run < 4; run++) {
        one.kind = WF_H1_ERR_LIMIT;
        (void)snprintf(wire, sizeof(wire), OK "a: %0268d\r\n\r\n", 0);
        check(&one, wf_slice_str(wire), run);
    }
    struct wf_h1_config config = small();
    struct h1_player player;
    assert_true(h1_player_init(&player, &config, "G"));
    (void)snprintf(wire, sizeof(wire), OK "a: %0267d\r\n\r\n", 0);
    h1_player_feed(&player, wf_slice_str(wire), 0);
    assert_false(player.failed);
    h1_player_fini(&player);
}

static void test_sections_together_have_a_limit(void **state)
{
    (void)state;
    char wire[1000];
    struct refused one = {WF_H1_ERR_LIMIT, true, "three sections", "sections together"};
    (void)snprintf(wire, sizeof(wire),
                   "HTTP/1.1 103 H\r\na: %0220d\r\n\r\nHTTP/1.1 103 H\r\na: %0220d\r\n\r\n" OK
                   "a: %0220d\r\n\r\n",
                   0, 0, 0);
    for (unsigned run = 0; run < 4; run++)
        check(&one, wf_slice_str(wire), run);
}

int main(void)
{
    seeds = test_random_start("h1_refused");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_ambiguous_is_refused),
        cmocka_unit_test(test_nul_is_refused_in_names_and_values),
        cmocka_unit_test(test_other_protocols_are_named_by_their_first_octets),
        cmocka_unit_test(test_the_beginning_of_another_protocol_and_no_more_is_no_http),
        cmocka_unit_test(test_an_endless_head_is_refused),
        cmocka_unit_test(test_fields_above_the_list_size_are_refused),
        cmocka_unit_test(test_sections_together_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
