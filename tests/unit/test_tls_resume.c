/* Sessions that are resumed, and those that must not be. */
#include "io_thread/tls.h"

#include "support/cmocka.h"
#include "support/tls_pair.h"

#include "io_thread/tls_internal.h"

#include <stdio.h>
#include <time.h>

#define CERTS WEFT_TEST_CERTS "/"

/* What differs from one connection to the next. */
struct again {
    const char *host;
    uint16_t port;
    const char *alpn;
    const char *certificate; /* a server of its own, without the tickets */
};

/* A connection on which octets come, so that tickets do too, and which is closed in order. */
static bool connect_once(struct tls_pair *pair, const struct tls_pair_config *config)
{
    tls_pair_connect(pair, config);
    tls_peer_write(&pair->peer, "hello", 5);
    struct wf_buf got = {0};
    assert_int_equal(tls_pair_read_all(pair, &got), WF_IO_AGAIN);
    assert_int_equal(wf_buf_len(&got), 5);
    wf_buf_fini(&got);
    return wf_tls_is_resumed(pair->client);
}

static bool connect_like(struct tls_pair *first, const struct again *again, bool tls12)
{
    struct tls_pair pair;
    const struct tls_pair_config config = {.like = first,
                                           .peer = {.certificate = again->certificate,
                                                    .alpn = again->alpn,
                                                    .tls12 = again->certificate != NULL && tls12},
                                           .host = again->host,
                                           .alpn = again->alpn,
                                           .port = again->port};
    bool resumed = connect_once(&pair, &config);
    tls_pair_fini(&pair);
    return resumed;
}

static void begin(struct tls_pair *first, const struct wf_tls_config *tls, bool tls12)
{
    const struct wf_tls_config tls12_only = {.max_version = 12};
    const struct tls_pair_config config = {.peer = {.certificate = "good", .tls12 = tls12},
                                           .tls = tls != NULL ? tls
                                                  : tls12     ? &tls12_only
                                                              : NULL};
    assert_false(connect_once(first, &config));
}

static bool can_resume(const struct tls_pair *pair)
{
    return pair->ctx->can_resume;
}

static void test_a_later_connection_resumes(void **state)
{
    (void)state;
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct tls_pair first;
        begin(&first, NULL, tls12 != 0);
        for (int i = 0; i < 5; i++)
            assert_int_equal(connect_like(&first, &(struct again){0}, tls12 != 0),
                             can_resume(&first));
        tls_pair_fini(&first);
    }
}

static void test_without_room_for_sessions_none_is_resumed(void **state)
{
    (void)state;
    struct tls_pair first;
    const struct tls_pair_config config = {.peer = {.certificate = "good"}};
    tls_pair_init(&first, &config);
    tls_pair_fini(&first);
    begin(&first, NULL, false);
    wf_tls_io_keep_sessions(first.io, 0);
    wf_tls_sessions_fini(&first.io->sessions);
    assert_false(connect_like(&first, &(struct again){0}, false));
    assert_false(connect_like(&first, &(struct again){0}, false));
    tls_pair_fini(&first);
}

static void test_another_host_port_or_protocol_is_another_session(void **state)
{
    (void)state;
    static const struct again others[] = {
        {.host = "x.wild.test"}, {.host = "127.0.0.1"}, {.port = 444}, {.alpn = "h2"}};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct tls_pair first;
        begin(&first, NULL, false);
        assert_false(connect_like(&first, &others[i], false));
        assert_int_equal(connect_like(&first, &others[i], false), can_resume(&first));
        assert_int_equal(connect_like(&first, &(struct again){0}, false), can_resume(&first));
        tls_pair_fini(&first);
    }
}

static void test_a_server_that_forgot_the_session_shakes_hands_in_full(void **state)
{
    (void)state;
    struct tls_pair first;
    begin(&first, NULL, false);
    assert_false(connect_like(&first, &(struct again){.certificate = "good"}, false));
    tls_pair_fini(&first);
}

/* Between two connections the server was given another version. wolfSSL does not get over that, so
 * the connection is given up, and the next one does without. */
static void test_a_session_of_another_version_is_in_the_way_once(void **state)
{
    (void)state;
    struct tls_pair first;
    struct tls_pair pair;
    begin(&first, NULL, false);
    const struct tls_pair_config config = {.like = &first,
                                           .peer = {.certificate = "good", .tls12 = true}};
    tls_pair_init(&pair, &config);
    bool offered = ((struct wf_tls *)(void *)pair.client)->identity != NULL;
    assert_int_equal(offered, can_resume(&first));
    if (offered) {
        assert_int_equal(tls_pair_handshake(&pair), WF_IO_ERROR);
        assert_true(wf_tls_is_worth_again(pair.client));
    }
    tls_pair_fini(&pair);
    assert_int_equal(first.io->sessions.count, 0);
    tls_pair_connect(&pair, &config);
    assert_false(wf_tls_is_resumed(pair.client));
    tls_pair_fini(&pair);
    tls_pair_fini(&first);
}

static void test_what_is_wrong_with_a_certificate_is_told_at_once(void **state)
{
    (void)state;
    struct tls_pair first;
    struct tls_pair pair;
    begin(&first, NULL, false);
    const struct tls_pair_config config = {.like = &first, .peer = {.certificate = "untrusted"}};
    tls_pair_init(&pair, &config);
    assert_int_equal(tls_pair_handshake(&pair), WF_IO_ERROR);
    assert_false(wf_tls_is_worth_again(pair.client));
    tls_pair_fini(&pair);
    tls_pair_fini(&first);
}

/* Nor is a newer version out of reach for a session of TLS 1.2. */
static void test_sessions_of_tls_1_2_are_not_kept_where_tls_1_3_may_come(void **state)
{
    (void)state;
    struct tls_pair first;
    const struct wf_tls_config both = {0};
    const struct again other = {.certificate = "good"};
    begin(&first, &both, true);
    assert_int_equal(first.io->sessions.count, 0);
    assert_false(connect_like(&first, &other, false));
    tls_pair_fini(&first);
}

/* A server that does not know the session proves who it is, and is believed no further. */
static void test_another_server_gains_nothing_by_the_session(void **state)
{
    (void)state;
    static const char *const certificates[] = {"untrusted", "expired", "self_signed"};
    static const enum wf_io_error_kind kinds[] = {WF_IO_ERR_UNTRUSTED, WF_IO_ERR_EXPIRED,
                                                  WF_IO_ERR_UNTRUSTED};
    for (size_t i = 0; i < 3; i++) {
        struct tls_pair first;
        struct tls_pair pair;
        begin(&first, NULL, false);
        const struct tls_pair_config config = {.like = &first,
                                               .peer = {.certificate = certificates[i]}};
        tls_pair_init(&pair, &config);
        assert_int_equal(tls_pair_handshake(&pair), WF_IO_ERROR);
        assert_int_equal(pair.client->error.kind, kinds[i]);
        tls_pair_fini(&pair);
        tls_pair_fini(&first);
    }
}

/* The identity of the one session that is kept. */
static struct wf_tls_identity *kept(struct tls_pair *first, struct WOLFSSL_SESSION **out_session)
{
    struct wf_tls *tls = (struct wf_tls *)(void *)first->client; /* base is its first member */
    struct wf_tls_identity *identity = NULL;
    *out_session =
        wf_tls_sessions_take(&first->io->sessions, tls->key, wf_tls_wall_clock(), &identity);
    assert_non_null(*out_session);
    return identity;
}

static void put_back(struct tls_pair *first, struct WOLFSSL_SESSION *session,
                     struct wf_tls_identity *identity)
{
    struct wf_tls *tls = (struct wf_tls *)(void *)first->client;
    wf_tls_sessions_put(&first->io->sessions, tls->key, session, identity, wf_tls_wall_clock());
}

static void test_the_validity_of_the_whole_chain_is_kept(void **state)
{
    (void)state;
    struct tls_pair first;
    const struct tls_pair_config config = {.peer = {.certificate = "below_middle"}};
    struct WOLFSSL_SESSION *session;
    assert_false(connect_once(&first, &config));
    if (!can_resume(&first)) {
        tls_pair_fini(&first);
        skip();
    }
    struct wf_tls_identity *identity = kept(&first, &session);
    int64_t now = wf_tls_wall_clock();
    assert_true(identity->not_before > now - 10 * 365 * 86400 && identity->not_before <= now);
    assert_true(identity->not_after > now && identity->not_after < now + 3651 * 86400);
    assert_true(identity->verified >= now - 60 && identity->verified <= now);
    put_back(&first, session, identity);
    tls_pair_fini(&first);
}

static void test_an_expired_chain_is_not_resumed(void **state)
{
    (void)state;
    struct tls_pair first;
    struct WOLFSSL_SESSION *session;
    begin(&first, NULL, false);
    if (!can_resume(&first)) {
        tls_pair_fini(&first);
        skip();
    }
    struct wf_tls_identity *identity = kept(&first, &session);
    identity->not_after = wf_tls_wall_clock() - 1;
    put_back(&first, session, identity);
    assert_false(connect_like(&first, &(struct again){0}, false));
    tls_pair_fini(&first);
}

static void test_a_chain_that_expires_in_the_handshake_is_refused(void **state)
{
    (void)state;
    struct tls_pair first;
    struct tls_pair pair;
    begin(&first, NULL, false);
    const struct tls_pair_config config = {.like = &first};
    tls_pair_init(&pair, &config);
    struct wf_tls *tls = (struct wf_tls *)(void *)pair.client;
    if (tls->identity != NULL) {
        tls->identity->not_after = wf_tls_wall_clock() - 1;
        assert_int_equal(tls_pair_handshake(&pair), WF_IO_ERROR);
        assert_int_equal(pair.client->error.kind, WF_IO_ERR_EXPIRED);
    }
    assert_int_equal(tls->identity != NULL, can_resume(&first));
    tls_pair_fini(&pair);
    tls_pair_fini(&first);
}

static void test_a_changed_host_or_pin_is_not_resumed(void **state)
{
    (void)state;
    struct tls_pair first;
    struct WOLFSSL_SESSION *session;
    begin(&first, NULL, false);
    if (!can_resume(&first)) {
        tls_pair_fini(&first);
        skip();
    }
    struct wf_tls *tls = (struct wf_tls *)(void *)first.client;
    struct wf_tls_identity *identity = kept(&first, &session);
    assert_true(wf_tls_identity_holds(tls, identity));
    /* Another name in the same place. */
    memcpy(tls->host, "evil.test", 10);
    assert_false(wf_tls_identity_holds(tls, identity));
    memcpy(tls->host, "good.test", 10);
    assert_true(wf_tls_identity_holds(tls, identity));
    /* A pin that this key does not have. */
    static const char *const texts[] = {"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
                                        NULL};
    const char *bad;
    assert_int_equal(wf_pins_init(&first.ctx->pins, texts, &bad), WF_PINS_OK);
    assert_false(wf_tls_identity_holds(tls, identity));
    put_back(&first, session, identity);

    /* The session is not offered, and the full handshake says what is wrong. */
    struct tls_pair pair;
    const struct tls_pair_config config = {.like = &first};
    tls_pair_init(&pair, &config);
    assert_null(((struct wf_tls *)(void *)pair.client)->identity);
    assert_int_equal(tls_pair_handshake(&pair), WF_IO_ERROR);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_PIN);
    tls_pair_fini(&pair);
    tls_pair_fini(&first);
}

/* Its ticket, as a hash, of a connection that offered one; 0: none. */
static uint64_t offered_ticket(struct tls_pair *first)
{
    struct tls_pair pair;
    const struct tls_pair_config config = {.like = first};
    tls_pair_init(&pair, &config);
    struct wf_tls *tls = (struct wf_tls *)(void *)pair.client;
    uint64_t ticket = tls->identity != NULL ? tls->ticket_hash : 0;
    tls_pair_fini(&pair);
    return ticket;
}

static void test_a_ticket_of_tls_1_3_is_offered_once(void **state)
{
    (void)state;
    struct tls_pair first;
    begin(&first, NULL, false);
    if (!can_resume(&first)) {
        tls_pair_fini(&first);
        skip();
    }
    assert_int_not_equal(offered_ticket(&first), 0);
    /* It was offered to somebody, who may have seen it, although no handshake came of it. */
    assert_int_equal(offered_ticket(&first), 0);
    /* Closing the connection that it came with does not bring it back. */
    wf_tls_say_goodbye(first.client);
    assert_int_equal(offered_ticket(&first), 0);
    tls_pair_fini(&first);
}

static void test_a_session_ends_with_the_connection_that_failed(void **state)
{
    (void)state;
    struct tls_pair first;
    const struct tls_pair_config config = {.peer = {.certificate = "good"}};
    tls_pair_connect(&first, &config);
    /* Nothing was read yet; then the connection breaks. */
    tls_peer_hang_up(&first.peer);
    first.client->hangup = true;
    struct wf_buf got = {0};
    assert_int_equal(tls_pair_read_all(&first, &got), WF_IO_ERROR);
    wf_buf_fini(&got);
    wf_tls_say_goodbye(first.client);
    assert_int_equal(first.io->sessions.count, 0);
    tls_pair_fini(&first);
}

static void test_insecure_sessions_are_pinned_too(void **state)
{
    (void)state;
    char pin[128] = "";
    FILE *file = fopen(CERTS "self_signed.pin", "r");
    assert_non_null(file);
    assert_non_null(fgets(pin, sizeof(pin), file));
    (void)fclose(file);
    const char *const pins[] = {pin, NULL};
    const struct wf_tls_config tls = {.pins = pins};
    const struct tls_pair_config config = {
        .peer = {.certificate = "self_signed"}, .tls = &tls, .insecure = true};
    struct tls_pair first;
    assert_false(connect_once(&first, &config));
    assert_true(connect_like(&first, &(struct again){0}, false));
    memset(first.ctx->pins.hashes[0], 0, WF_PIN_LEN);
    struct tls_pair pair;
    const struct tls_pair_config again = {.like = &first};
    tls_pair_init(&pair, &again);
    assert_int_equal(tls_pair_handshake(&pair), WF_IO_ERROR);
    assert_int_equal(pair.client->error.kind, WF_IO_ERR_PIN);
    tls_pair_fini(&pair);
    tls_pair_fini(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_later_connection_resumes),
        cmocka_unit_test(test_without_room_for_sessions_none_is_resumed),
        cmocka_unit_test(test_another_host_port_or_protocol_is_another_session),
        cmocka_unit_test(test_a_server_that_forgot_the_session_shakes_hands_in_full),
        cmocka_unit_test(test_a_session_of_another_version_is_in_the_way_once),
        cmocka_unit_test(test_what_is_wrong_with_a_certificate_is_told_at_once),
        cmocka_unit_test(test_sessions_of_tls_1_2_are_not_kept_where_tls_1_3_may_come),
        cmocka_unit_test(test_another_server_gains_nothing_by_the_session),
        cmocka_unit_test(test_the_validity_of_the_whole_chain_is_kept),
        cmocka_unit_test(test_an_expired_chain_is_not_resumed),
        cmocka_unit_test(test_a_chain_that_expires_in_the_handshake_is_refused),
        cmocka_unit_test(test_a_changed_host_or_pin_is_not_resumed),
        cmocka_unit_test(test_a_ticket_of_tls_1_3_is_offered_once),
        cmocka_unit_test(test_a_session_ends_with_the_connection_that_failed),
        cmocka_unit_test(test_insecure_sessions_are_pinned_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
