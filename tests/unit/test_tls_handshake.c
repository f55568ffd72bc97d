/* Handshakes: protocols, certificates, and servers that are none. */
#include "io_thread/tls.h"

#include "support/cmocka.h"
#include "support/tls_pair.h"

#include "io_thread/tls_internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct tls_pair_config plain = {.peer = {.certificate = "good"}};

static void assert_protocol(const char *server, const char *client, bool tls12,
                            const char *expected)
{
    struct tls_pair pair;
    const struct tls_pair_config config = {
        .peer = {.certificate = "good", .alpn = server, .tls12 = tls12}, .alpn = client};
    tls_pair_connect(&pair, &config);
    const char *agreed = wf_transport_protocol(pair.client);
    if (expected == NULL)
        assert_null(agreed);
    else
        assert_string_equal(agreed, expected);
    assert_string_equal(wf_tls_version(pair.client), tls12 ? "TLSv1.2" : "TLSv1.3");
    tls_pair_fini(&pair);
}

static void test_alpn_agrees_on_what_the_server_knows(void **state)
{
    (void)state;
    for (int tls12 = 0; tls12 < 2; tls12++) {
        assert_protocol("h2", WF_TLS_ALPN_DEFAULT, tls12 != 0, "h2");
        assert_protocol("http/1.1", WF_TLS_ALPN_DEFAULT, tls12 != 0, "http/1.1");
        assert_protocol(NULL, WF_TLS_ALPN_DEFAULT, tls12 != 0, NULL);
        assert_protocol("h2", NULL, tls12 != 0, NULL);
    }
}

/* The cipher suites of the client's first flight (RFC 8446 section 4.1.2). */
static size_t offered_suites(uint16_t *out, size_t cap)
{
    struct tls_pair pair;
    tls_pair_init(&pair, &plain);
    assert_int_equal(wf_transport_handshake(pair.client), WF_IO_AGAIN);
    tls_peer_pull(&pair.peer);
    const uint8_t *hello = pair.peer.in.data + pair.peer.in.start;
    size_t at = 5 + 4 + 2 + 32; /* record and handshake headers, version, random */
    at += 1 + (size_t)hello[at];
    size_t count = ((size_t)hello[at] << 8 | hello[at + 1]) / 2;
    at += 2;
    assert_true(count <= cap && at + 2 * count <= wf_buf_len(&pair.peer.in));
    for (size_t i = 0; i < count; i++)
        out[i] = (uint16_t)(hello[at + 2 * i] << 8 | hello[at + 2 * i + 1]);
    tls_pair_fini(&pair);
    return count;
}

static void test_only_aead_suites_with_ephemeral_keys_are_offered_the_faster_first(void **state)
{
    (void)state;
    static const uint16_t allowed[] = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c,
                                       0xc02f, 0xc030, 0xcca8, 0xcca9};
    uint16_t offered[64] = {0};
    size_t count = offered_suites(offered, 64);
    assert_int_equal(offered[0], wf_tls_aes_is_fast() ? 0x1301 : 0x1303);
    assert_int_equal(count, sizeof(allowed) / sizeof(allowed[0]));
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < sizeof(allowed) / sizeof(allowed[0]); j++)
            found = found || offered[i] == allowed[j];
        assert_true(found);
    }
}

/* Whether the client's first flight has extension @type; its compression methods are checked on the
 * way. */
static bool offers_extension(uint16_t type)
{
    struct tls_pair pair;
    tls_pair_init(&pair, &plain);
    assert_int_equal(wf_transport_handshake(pair.client), WF_IO_AGAIN);
    tls_peer_pull(&pair.peer);
    const uint8_t *hello = pair.peer.in.data + pair.peer.in.start;
    size_t at = 5 + 4 + 2 + 32;
    at += 1 + (size_t)hello[at];                        /* session identifier */
    at += 2 + ((size_t)hello[at] << 8 | hello[at + 1]); /* suites */
    assert_memory_equal(hello + at, "\x01\x00", 2);     /* no compression */
    size_t end = at + 4 + ((size_t)hello[at + 2] << 8 | hello[at + 3]);
    assert_true(end <= wf_buf_len(&pair.peer.in));
    bool found = false;
    size_t count = 0;
    for (at += 4; at + 4 <= end; count++) {
        found = found || (hello[at] << 8 | hello[at + 1]) == type;
        at += 4 + ((size_t)hello[at + 2] << 8 | hello[at + 3]);
    }
    assert_true(count > 3 && at == end);
    tls_pair_fini(&pair);
    return found;
}

/* RFC 9113 sections 9.2.1 and 9.2.3: a server can only ask for what was offered. */
static void
test_neither_compression_nor_renegotiation_nor_late_authentication_is_offered(void **state)
{
    (void)state;
    assert_true(offers_extension(43));  /* supported_versions, to see that extensions are found */
    assert_false(offers_extension(49)); /* post_handshake_auth */
    assert_false(offers_extension(0xff01)); /* renegotiation_info */
}

struct certificate_case {
    const char *certificate;
    const char *host;
    enum wf_io_error_kind kind; /* WF_IO_ERR_NONE: it is good */
    const char *says;
};

static const struct certificate_case certificate_cases[] = {
    {"good", "good.test", WF_IO_ERR_NONE, NULL},
    {"good", "GOOD.Test.", WF_IO_ERR_NONE, NULL},
    {"good", "any.wild.test", WF_IO_ERR_NONE, NULL},
    {"good", "127.0.0.1", WF_IO_ERR_NONE, NULL},
    {"good", "::1", WF_IO_ERR_NONE, NULL},
    {"below_middle", "good.test", WF_IO_ERR_NONE, NULL},
    {"good", "other.test", WF_IO_ERR_WRONG_HOST, "not for other.test"},
    {"good", "a.b.wild.test", WF_IO_ERR_WRONG_HOST, "not for a.b.wild.test"},
    {"good", "wild.test", WF_IO_ERR_WRONG_HOST, "not for wild.test"},
    {"good", "127.0.0.2", WF_IO_ERR_WRONG_HOST, "not for 127.0.0.2"},
    {"good", "::2", WF_IO_ERR_WRONG_HOST, "not for ::2"},
    {"address_as_name", "127.0.0.1", WF_IO_ERR_WRONG_HOST, "not for 127.0.0.1"},
    {"no_names", "no_names", WF_IO_ERR_WRONG_HOST, "no subject alternative name"},
    {"self_signed", "good.test", WF_IO_ERR_UNTRUSTED, "not trusted"},
    {"untrusted", "good.test", WF_IO_ERR_UNTRUSTED, "no trusted issuer"},
    {"below_leaf", "good.test", WF_IO_ERR_UNTRUSTED, "no trusted issuer"},
    {"expired", "good.test", WF_IO_ERR_EXPIRED, "expired"},
    {"not_yet", "good.test", WF_IO_ERR_NOT_YET_VALID, "not valid yet"},
    {"wrong_purpose", "good.test", WF_IO_ERR_BAD_CERT, "another purpose"},
    {"forged", "good.test", WF_IO_ERR_BAD_CERT, "wrong signature"},
};

static void run_certificate_case(const struct certificate_case *it, bool tls12)
{
    struct tls_pair pair;
    const struct tls_pair_config config = {
        .peer = {.certificate = it->certificate, .alpn = "h2", .tls12 = tls12},
        .host = it->host,
        .alpn = WF_TLS_ALPN_DEFAULT};
    tls_pair_init(&pair, &config);
    enum wf_io_result result = tls_pair_handshake(&pair);
    const struct wf_io_error *error = &pair.client->error;
    if (error->kind != it->kind)
        print_error("%s for %s: kind %d, code %d, \"%s\"\n", it->certificate, it->host,
                    (int)error->kind, error->tls_code, error->text);
    assert_int_equal(error->kind, it->kind);
    assert_int_equal(result, it->kind == WF_IO_ERR_NONE ? WF_IO_OK : WF_IO_ERROR);
    if (it->says != NULL && strstr(error->text, it->says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error->text, it->says);
    /* The error stays what it was. */
    if (result == WF_IO_ERROR)
        assert_int_equal(wf_transport_handshake(pair.client), WF_IO_ERROR);
    tls_pair_fini(&pair);
}

static void test_each_flaw_of_a_certificate_has_an_error_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(certificate_cases) / sizeof(certificate_cases[0]); i++) {
        run_certificate_case(&certificate_cases[i], false);
        run_certificate_case(&certificate_cases[i], true);
    }
}

static void test_a_self_signed_certificate_that_is_the_ca_file_is_trusted(void **state)
{
    (void)state;
    struct tls_pair pair;
    const struct tls_pair_config config = {.peer = {.certificate = "self_signed"},
                                           .ca = "self_signed"};
    tls_pair_connect(&pair, &config);
    tls_pair_fini(&pair);
}

static void test_insecure_accepts_any_certificate_for_any_host(void **state)
{
    (void)state;
    static const char *const certificates[] = {"self_signed", "untrusted", "expired",
                                               "not_yet",     "no_names",  "wrong_purpose"};
    for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]); i++) {
        struct tls_pair pair;
        const struct tls_pair_config config = {
            .peer = {.certificate = certificates[i]}, .host = "whatever.test", .insecure = true};
        tls_pair_connect(&pair, &config);
        tls_pair_fini(&pair);
    }
}

static void test_a_wrong_host_learns_nothing_of_the_client(void **state)
{
    (void)state;
    struct tls_pair pair;
    struct tls_pair_config config = plain;
    config.host = "other.test";
    tls_pair_init(&pair, &config);
    assert_int_equal(tls_pair_handshake(&pair), WF_IO_ERROR);
    tls_peer_pull(&pair.peer);
    assert_false(tls_peer_accept(&pair.peer)); /* our Finished never came */
    tls_pair_fini(&pair);
}

/* The name in the server name extension of the client's first flight. */
static bool offered_name(const struct tls_pair_config *config, char *out, unsigned cap)
{
    struct tls_pair pair;
    unsigned len = cap - 1;
    tls_pair_init(&pair, config);
    assert_int_equal(wf_transport_handshake(pair.client), WF_IO_AGAIN);
    tls_peer_pull(&pair.peer);
    struct wf_slice hello = wf_buf_slice(&pair.peer.in);
    int ret = wolfSSL_SNI_GetFromBuffer(hello.ptr, (unsigned)hello.len, WOLFSSL_SNI_HOST_NAME,
                                        (unsigned char *)out, &len);
    out[len] = '\0';
    tls_pair_fini(&pair);
    return ret == WOLFSSL_SUCCESS && len > 0;
}

static void test_server_name_is_sent_for_names_in_lower_case_and_never_for_addresses(void **state)
{
    (void)state;
    char name[256];
    struct tls_pair_config config = plain;
    config.host = "Some.Host.TEST.";
    assert_true(offered_name(&config, name, sizeof(name)));
    assert_string_equal(name, "some.host.test");
    config.host = "127.0.0.1";
    assert_false(offered_name(&config, name, sizeof(name)));
    config.host = "::1";
    assert_false(offered_name(&config, name, sizeof(name)));
}

static void test_a_handshake_that_arrives_octet_by_octet_succeeds(void **state)
{
    (void)state;
    struct tls_pair_config config = plain;
    config.push_at_once = 1;
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct tls_pair pair;
        config.peer.tls12 = tls12 != 0;
        tls_pair_connect(&pair, &config);
        tls_pair_fini(&pair);
    }
}

/* A server that answers the first flight with @octets, and then, if so, closes. */
static void assert_answer(const void *octets, size_t len, bool closes, enum wf_io_error_kind kind,
                          const char *says)
{
    struct tls_pair pair;
    tls_pair_init(&pair, &plain);
    assert_int_equal(wf_transport_handshake(pair.client), WF_IO_AGAIN);
    tls_peer_pull(&pair.peer);
    if (len > 0)
        assert_int_equal(send(pair.peer.fd, octets, len, MSG_NOSIGNAL), len);
    if (closes) {
        tls_peer_hang_up(&pair.peer);
        pair.client->hangup = true;
    }
    enum wf_io_result result = wf_transport_handshake(pair.client);
    const struct wf_io_error *error = &pair.client->error;
    if (error->kind != kind || strstr(error->text, says) == NULL)
        print_error("kind %d, code %d, \"%s\"\n", (int)error->kind, error->tls_code, error->text);
    assert_int_equal(result, WF_IO_ERROR);
    assert_int_equal(error->kind, kind);
    assert_non_null(strstr(error->text, says));
    assert_non_null(strstr(error->text, "good.test"));
    tls_pair_fini(&pair);
}

static void test_a_cleartext_server_is_recognised(void **state)
{
    (void)state;
    static const char http[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    static const uint8_t h2_settings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    assert_answer(http, sizeof(http) - 1, true, WF_IO_ERR_NOT_TLS, "does not speak TLS");
    assert_answer(http, 1, false, WF_IO_ERR_NOT_TLS, "does not speak TLS");
    assert_answer(h2_settings, sizeof(h2_settings), false, WF_IO_ERR_NOT_TLS, "does not speak TLS");
}

static void test_an_alert_is_reported_by_its_name(void **state)
{
    (void)state;
    static const uint8_t handshake_failure[] = {0x15, 3, 3, 0, 2, 2, 40};
    static const uint8_t unrecognized_name[] = {0x15, 3, 3, 0, 2, 2, 112};
    static const uint8_t no_protocol[] = {0x15, 3, 3, 0, 2, 2, 120};
    assert_answer(handshake_failure, 7, false, WF_IO_ERR_TLS_ALERT, "handshake failure");
    assert_answer(unrecognized_name, 7, true, WF_IO_ERR_TLS_ALERT, "knows no such host");
    assert_answer(no_protocol, 7, true, WF_IO_ERR_TLS_ALERT, "no application protocol");
}

static void test_a_server_without_a_common_version_is_told_as_such(void **state)
{
    (void)state;
    static const uint8_t alert[] = {0x15, 3, 1, 0, 2, 2, 70};
    /* A ServerHello of TLS 1.1 with a suite of that time. */
    static const uint8_t hello[] = {0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, 1, 1, 1,    1, 1,
                                    1,    1, 1, 1, 1,  1, 1, 1, 1,  1, 1, 1, 1, 1,    1, 1,
                                    1,    1, 1, 1, 1,  1, 1, 1, 1,  1, 1, 0, 0, 0x2f, 0};
    assert_answer(alert, sizeof(alert), false, WF_IO_ERR_TLS_VERSION, "version of TLS");
    assert_answer(hello, sizeof(hello), false, WF_IO_ERR_TLS_VERSION, "version of TLS");
}

static void test_the_end_of_tcp_in_the_handshake_is_told_as_such(void **state)
{
    (void)state;
    static const uint8_t part[] = {0x16, 3, 3, 0, 100, 2};
    assert_answer(NULL, 0, true, WF_IO_ERR_TLS_CLOSED, "closed the connection");
    assert_answer(part, sizeof(part), true, WF_IO_ERR_TLS_CLOSED, "closed the connection");
}

static void test_a_reset_in_the_handshake_is_told_as_such(void **state)
{
    (void)state;
    struct tls_pair pair;
    tls_pair_init(&pair, &plain);
    assert_int_equal(wf_transport_handshake(pair.client), WF_IO_AGAIN);
    /* Closing with octets unread resets. */
    tls_peer_hang_up(&pair.peer);
    assert_int_equal(wf_transport_handshake(pair.client), WF_IO_ERROR);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_TLS_CLOSED);
    assert_int_equal(pair.client->error.sys_errno, ECONNRESET);
    tls_pair_fini(&pair);
}

static void test_octets_without_sense_are_an_error(void **state)
{
    (void)state;
    uint8_t junk[500];
    memset(junk, 0xa5, sizeof(junk));
    memcpy(junk, "\x16\x03\x03\x01\xef", 5);
    struct tls_pair pair;
    tls_pair_init(&pair, &plain);
    assert_int_equal(wf_transport_handshake(pair.client), WF_IO_AGAIN);
    assert_int_equal(send(pair.peer.fd, junk, sizeof(junk), MSG_NOSIGNAL), sizeof(junk));
    assert_int_equal(wf_transport_handshake(pair.client), WF_IO_ERROR);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_TLS_PROTOCOL);
    tls_pair_fini(&pair);
}

static void test_a_ticket_that_this_wolfssl_cannot_take_is_told_with_its_remedy(void **state)
{
    (void)state;
    struct tls_pair pair;
    tls_pair_connect(&pair, &plain);
    struct wf_tls *tls = (struct wf_tls *)(void *)pair.client; /* base is its first member */
    assert_int_equal(wf_tls_fail(tls, -425), WF_IO_ERROR);
    bool takes_any = strstr(wf_tls_library(), "ticket-nonce-malloc") == NULL;
    assert_int_equal(pair.client->error.kind,
                     takes_any ? WF_IO_ERR_TLS_PROTOCOL : WF_IO_ERR_TICKET_NONCE);
    assert_non_null(strstr(pair.client->error.text, takes_any ? "a wrong value" : "malloc"));
    tls_pair_fini(&pair);
}

static void test_a_host_that_cannot_be_one_is_refused(void **state)
{
    (void)state;
    char host[400];
    struct wf_io_error error = {0};
    struct tls_pair pair;
    tls_pair_init(&pair, &plain);
    memset(host, 'a', sizeof(host));
    host[sizeof(host) - 1] = '\0';
    assert_null(wf_tls_new(pair.ctx, pair.io, pair.client_fd, host, 443, NULL, &error));
    assert_int_equal(error.kind, WF_IO_ERR_CONFIG);
    assert_null(wf_tls_new(pair.ctx, pair.io, pair.client_fd, "", 443, NULL, &error));
    tls_pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alpn_agrees_on_what_the_server_knows),
        cmocka_unit_test(
            test_neither_compression_nor_renegotiation_nor_late_authentication_is_offered),
        cmocka_unit_test(test_only_aead_suites_with_ephemeral_keys_are_offered_the_faster_first),
        cmocka_unit_test(test_each_flaw_of_a_certificate_has_an_error_of_its_own),
        cmocka_unit_test(test_a_self_signed_certificate_that_is_the_ca_file_is_trusted),
        cmocka_unit_test(test_insecure_accepts_any_certificate_for_any_host),
        cmocka_unit_test(test_a_wrong_host_learns_nothing_of_the_client),
        cmocka_unit_test(test_server_name_is_sent_for_names_in_lower_case_and_never_for_addresses),
        cmocka_unit_test(test_a_handshake_that_arrives_octet_by_octet_succeeds),
        cmocka_unit_test(test_a_cleartext_server_is_recognised),
        cmocka_unit_test(test_an_alert_is_reported_by_its_name),
        cmocka_unit_test(test_a_server_without_a_common_version_is_told_as_such),
        cmocka_unit_test(test_the_end_of_tcp_in_the_handshake_is_told_as_such),
        cmocka_unit_test(test_a_reset_in_the_handshake_is_told_as_such),
        cmocka_unit_test(test_octets_without_sense_are_an_error),
        cmocka_unit_test(test_a_ticket_that_this_wolfssl_cannot_take_is_told_with_its_remedy),
        cmocka_unit_test(test_a_host_that_cannot_be_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
