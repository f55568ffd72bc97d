/* Which protocol a connection speaks. */
#include "support/fixture.h"

#include "io_thread/protocol.h"

static struct weft_config config_of(enum weft_versions versions)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.versions = versions;
    return config;
}

static void test_alpn_offers_what_the_client_may_speak(void **state)
{
    (void)state;
    struct weft_config any = config_of(WEFT_HTTP_AUTO);
    struct weft_config old = config_of(WEFT_HTTP_1_1);
    struct weft_config new = config_of(WEFT_HTTP_2);
    assert_string_equal(wf_protocol_alpn(&any, false), "h2,http/1.1");
    assert_string_equal(wf_protocol_alpn(&old, false), "http/1.1");
    assert_string_equal(wf_protocol_alpn(&new, false), "h2");
    assert_string_equal(wf_protocol_alpn(&any, true), "http/1.1");
}

static void test_over_tls_alpn_decides(void **state)
{
    (void)state;
    struct weft_config any = config_of(WEFT_HTTP_AUTO);
    assert_null(wf_protocol_expected(&any, true));
    assert_ptr_equal(wf_protocol_choose(&any, true, "h2"), &wf_protocol_h2);
    assert_ptr_not_equal(wf_protocol_choose(&any, true, "http/1.1"), &wf_protocol_h2);
    assert_ptr_not_equal(wf_protocol_choose(&any, true, NULL), &wf_protocol_h2);
    assert_null(wf_protocol_choose(&any, true, "spdy/3"));
}

static void test_a_version_that_is_not_allowed_is_not_spoken(void **state)
{
    (void)state;
    struct weft_config old = config_of(WEFT_HTTP_1_1);
    struct weft_config new = config_of(WEFT_HTTP_2);
    assert_null(wf_protocol_choose(&old, true, "h2"));
    assert_null(wf_protocol_choose(&new, true, "http/1.1"));
    assert_null(wf_protocol_choose(&new, true, NULL));
    assert_ptr_equal(wf_protocol_expected(&new, true), &wf_protocol_h2);
}

static void test_cleartext_speaks_http2_with_prior_knowledge_only(void **state)
{
    (void)state;
    struct weft_config any = config_of(WEFT_HTTP_AUTO);
    any.http2_prior_knowledge = true;
    assert_ptr_equal(wf_protocol_choose(&any, false, NULL), &wf_protocol_h2);
    any.http2_prior_knowledge = false;
    assert_ptr_not_equal(wf_protocol_choose(&any, false, NULL), &wf_protocol_h2);
    struct weft_config new = config_of(WEFT_HTTP_2);
    new.http2_prior_knowledge = false;
    assert_ptr_equal(wf_protocol_choose(&new, false, NULL), &wf_protocol_h2);
}

static void test_a_future_says_what_it_was_sent_with(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct weft_future *future = fixture_expect(&f, "/bytes/5", WEFT_OK, 0, 0);
    assert_string_equal(weft_future_protocol(future), "h2");
    weft_future_unref(future);
    future = weft_get(f.client, "http://127.0.0.1:1/");
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECT_REFUSED);
    assert_null(weft_future_protocol(future));
    weft_future_unref(future);
    assert_null(weft_future_protocol(NULL));
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alpn_offers_what_the_client_may_speak),
        cmocka_unit_test(test_over_tls_alpn_decides),
        cmocka_unit_test(test_a_version_that_is_not_allowed_is_not_spoken),
        cmocka_unit_test(test_cleartext_speaks_http2_with_prior_knowledge_only),
        cmocka_unit_test(test_a_future_says_what_it_was_sent_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
