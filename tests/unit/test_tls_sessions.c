#include "io_thread/tls_sessions.h"

#include "support/cmocka.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#define NOW 1700000000

static struct wf_tls_identity *identity_from(char mark)
{
    struct wf_tls_identity *identity = wf_tls_identity_new(wf_slice(&mark, 1));
    assert_non_null(identity);
    identity->verified = NOW;
    return identity;
}

static void put(struct wf_tls_sessions *sessions, const char *key, char mark)
{
    WOLFSSL_SESSION *session = wolfSSL_SESSION_new();
    assert_non_null(session);
    wf_tls_sessions_put(sessions, wf_slice_str(key), session, identity_from(mark), NOW);
}

/* The mark of the session that was put; 0: there is none. */
static char take_at(struct wf_tls_sessions *sessions, const char *key, int64_t now)
{
    struct wf_tls_identity *identity = NULL;
    WOLFSSL_SESSION *session = wf_tls_sessions_take(sessions, wf_slice_str(key), now, &identity);
    if (session == NULL) {
        assert_null(identity);
        return 0;
    }
    char mark = (char)identity->leaf[0];
    wolfSSL_SESSION_free(session);
    wf_free(identity);
    return mark;
}

static char take(struct wf_tls_sessions *sessions, const char *key)
{
    return take_at(sessions, key, NOW);
}

static void test_a_session_is_found_by_its_whole_key_and_once(void **state)
{
    (void)state;
    struct wf_tls_sessions sessions;
    wf_tls_sessions_init(&sessions, 8);
    put(&sessions, "a.test\n443", 'a');
    put(&sessions, "a.test\n4433", 'b');
    assert_int_equal(take(&sessions, "a.test\n44"), 0);
    assert_int_equal(take(&sessions, "a.test\n443"), 'a');
    assert_int_equal(take(&sessions, "a.test\n443"), 0);
    assert_int_equal(take(&sessions, "a.test\n4433"), 'b');
    assert_int_equal(sessions.count, 0);
    wf_tls_sessions_fini(&sessions);
}

static void test_the_newest_is_taken_first(void **state)
{
    (void)state;
    struct wf_tls_sessions sessions;
    wf_tls_sessions_init(&sessions, 8);
    put(&sessions, "a", '1');
    put(&sessions, "a", '2');
    assert_int_equal(take(&sessions, "a"), '2');
    assert_int_equal(take(&sessions, "a"), '1');
    wf_tls_sessions_fini(&sessions);
}

static void test_the_oldest_goes_beyond_the_bound(void **state)
{
    (void)state;
    struct wf_tls_sessions sessions;
    wf_tls_sessions_init(&sessions, 3);
    put(&sessions, "a", 'a');
    put(&sessions, "b", 'b');
    put(&sessions, "c", 'c');
    put(&sessions, "d", 'd');
    assert_int_equal(sessions.count, 3);
    assert_int_equal(take(&sessions, "a"), 0);
    assert_int_equal(take(&sessions, "b"), 'b');
    assert_int_equal(take(&sessions, "c"), 'c');
    assert_int_equal(take(&sessions, "d"), 'd');
    wf_tls_sessions_fini(&sessions);
}

static void test_one_server_cannot_drive_out_the_others(void **state)
{
    (void)state;
    struct wf_tls_sessions sessions;
    wf_tls_sessions_init(&sessions, 8);
    put(&sessions, "other", 'o');
    for (char mark = 'a'; mark <= 'z'; mark++)
        put(&sessions, "busy", mark);
    assert_int_equal(sessions.count, 1 + WF_TLS_SESSIONS_PER_KEY);
    assert_int_equal(take(&sessions, "busy"), 'z');
    assert_int_equal(take(&sessions, "other"), 'o');
    wf_tls_sessions_fini(&sessions);
}

static void test_none_are_kept_where_none_are_wanted(void **state)
{
    (void)state;
    struct wf_tls_sessions sessions;
    wf_tls_sessions_init(&sessions, 0);
    put(&sessions, "a", 'a');
    assert_int_equal(sessions.count, 0);
    assert_int_equal(take(&sessions, "a"), 0);
    wf_tls_sessions_fini(&sessions);
}

static void test_a_session_lives_a_day_after_the_full_handshake(void **state)
{
    (void)state;
    struct wf_tls_sessions sessions;
    wf_tls_sessions_init(&sessions, 8);
    put(&sessions, "a", 'a');
    assert_int_equal(take_at(&sessions, "a", NOW + WF_TLS_SESSION_LIFETIME_S - 1), 'a');
    put(&sessions, "a", 'a');
    assert_int_equal(take_at(&sessions, "a", NOW + WF_TLS_SESSION_LIFETIME_S), 0);
    assert_int_equal(sessions.count, 0);
    /* Nor does it live in a past that a clock was set back to. */
    put(&sessions, "a", 'a');
    assert_int_equal(take_at(&sessions, "a", NOW - 1), 0);
    wf_tls_sessions_fini(&sessions);
}

static void test_a_session_that_is_kept_twice_is_there_once(void **state)
{
    (void)state;
    struct wf_tls_sessions sessions;
    wf_tls_sessions_init(&sessions, 8);
    WOLFSSL_SESSION *session = wolfSSL_SESSION_new();
    assert_non_null(session);
    assert_int_equal(wolfSSL_SESSION_up_ref(session), WOLFSSL_SUCCESS);
    wf_tls_sessions_put(&sessions, wf_slice_str("a"), session, identity_from('1'), NOW);
    wf_tls_sessions_put(&sessions, wf_slice_str("a"), session, identity_from('2'), NOW);
    assert_int_equal(sessions.count, 1);
    assert_int_equal(take(&sessions, "a"), '2');
    wf_tls_sessions_fini(&sessions);
}

static void test_offered_tickets_are_remembered_for_a_while(void **state)
{
    (void)state;
    struct wf_tls_sessions sessions;
    wf_tls_sessions_init(&sessions, 8);
    assert_false(wf_tls_sessions_was_offered(&sessions, 1000));
    wf_tls_sessions_note_offered(&sessions, 1000);
    for (uint64_t i = 1; i < WF_TLS_TICKETS_NOTED; i++)
        wf_tls_sessions_note_offered(&sessions, i);
    assert_true(wf_tls_sessions_was_offered(&sessions, 1000));
    wf_tls_sessions_note_offered(&sessions, 2000);
    assert_false(wf_tls_sessions_was_offered(&sessions, 1000));
    assert_true(wf_tls_sessions_was_offered(&sessions, 2000));
    wf_tls_sessions_fini(&sessions);
}

static void test_a_certificate_beyond_reason_is_not_kept(void **state)
{
    (void)state;
    static const uint8_t octets[WF_TLS_LEAF_MAX + 1];
    assert_null(wf_tls_identity_new(wf_slice(octets, sizeof(octets))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_is_found_by_its_whole_key_and_once),
        cmocka_unit_test(test_the_newest_is_taken_first),
        cmocka_unit_test(test_the_oldest_goes_beyond_the_bound),
        cmocka_unit_test(test_one_server_cannot_drive_out_the_others),
        cmocka_unit_test(test_none_are_kept_where_none_are_wanted),
        cmocka_unit_test(test_a_session_lives_a_day_after_the_full_handshake),
        cmocka_unit_test(test_a_session_that_is_kept_twice_is_there_once),
        cmocka_unit_test(test_offered_tickets_are_remembered_for_a_while),
        cmocka_unit_test(test_a_certificate_beyond_reason_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
