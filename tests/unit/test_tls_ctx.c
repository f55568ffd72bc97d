#include "io_thread/tls_ctx.h"

#include "io_thread/transport.h"

#include "support/cmocka.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *out_len)
{
    FILE *file = fopen(path, "rb");
    char *octets = calloc(1, 65536);
    assert_non_null(file);
    assert_non_null(octets);
    *out_len = fread(octets, 1, 65535, file);
    (void)fclose(file);
    return octets;
}

static void assert_refused(const struct wf_tls_config *config, const char *says, int sys_errno)
{
    struct wf_io_error error = {0};
    assert_null(wf_tls_ctx_new(config, &error));
    assert_int_equal(error.kind, WF_IO_ERR_CONFIG);
    assert_int_equal(error.sys_errno, sys_errno);
    if (strstr(error.text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, says);
}

static void assert_taken(const struct wf_tls_config *config)
{
    struct wf_io_error error = {0};
    struct wf_tls_ctx *ctx = wf_tls_ctx_new(config, &error);
    assert_string_equal(error.text, "");
    assert_non_null(ctx);
    assert_int_equal(ctx->insecure, config->insecure);
    wf_tls_ctx_free(ctx);
}

static void test_a_ca_file_is_taken(void **state)
{
    (void)state;
    assert_taken(&(struct wf_tls_config){.ca_file = WEFT_TEST_CERTS "/root.pem"});
}

static void test_ca_certificates_in_memory_are_taken(void **state)
{
    (void)state;
    size_t len;
    char *pem = read_file(WEFT_TEST_CERTS "/root.pem", &len);
    assert_taken(&(struct wf_tls_config){.ca_pem = wf_slice(pem, len)});
    free(pem);
}

static void test_insecure_needs_no_ca(void **state)
{
    (void)state;
    assert_taken(&(struct wf_tls_config){.insecure = true});
}

static void test_a_ca_file_that_does_not_exist_is_named(void **state)
{
    (void)state;
    assert_refused(&(struct wf_tls_config){.ca_file = "/nonexistent/ca.pem"}, "/nonexistent/ca.pem",
                   ENOENT);
}

static void test_a_directory_is_no_ca_file(void **state)
{
    (void)state;
    assert_refused(&(struct wf_tls_config){.ca_file = "/"}, "cannot read the CA file /", EISDIR);
}

static void test_a_file_without_certificate_is_refused(void **state)
{
    (void)state;
    assert_refused(&(struct wf_tls_config){.ca_file = WEFT_TEST_CERTS "/root.key"},
                   "no CA certificate that can be used", 0);
    assert_refused(&(struct wf_tls_config){.ca_file = "/dev/null"},
                   "no CA certificate that can be used", 0);
    assert_refused(&(struct wf_tls_config){.ca_pem = wf_slice_str("nonsense")},
                   "no CA certificate that can be used", 0);
}

static void test_the_systems_certificates_are_the_default(void **state)
{
    (void)state;
    struct wf_io_error error = {0};
    struct wf_tls_ctx *ctx = wf_tls_ctx_new(&(struct wf_tls_config){0}, &error);
    /* A machine without any says so, and does not go on without. */
    if (ctx == NULL)
        assert_string_equal(error.text, "the system has no CA certificates");
    wf_tls_ctx_free(ctx);
}

static void test_the_speed_of_aes_is_measured_once(void **state)
{
    (void)state;
    bool fast = wf_tls_aes_is_fast();
    for (int i = 0; i < 100; i++)
        assert_int_equal(wf_tls_aes_is_fast(), fast);
}

static void test_the_library_has_a_name(void **state)
{
    (void)state;
    assert_non_null(strstr(wf_tls_library(), "wolfSSL "));
}

static void *make_and_free(void *user)
{
    struct wf_io_error error;
    (void)user;
    for (int i = 0; i < 5; i++) {
        struct wf_tls_ctx *ctx = wf_tls_ctx_new(&(struct wf_tls_config){.insecure = true}, &error);
        if (ctx == NULL)
            return "failed";
        wf_tls_ctx_free(ctx);
    }
    wf_tls_thread_end();
    return NULL;
}

static void test_clients_may_start_on_many_threads_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_and_free, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_null(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients_may_start_on_many_threads_at_once),
        cmocka_unit_test(test_a_ca_file_is_taken),
        cmocka_unit_test(test_ca_certificates_in_memory_are_taken),
        cmocka_unit_test(test_insecure_needs_no_ca),
        cmocka_unit_test(test_a_ca_file_that_does_not_exist_is_named),
        cmocka_unit_test(test_a_directory_is_no_ca_file),
        cmocka_unit_test(test_a_file_without_certificate_is_refused),
        cmocka_unit_test(test_the_systems_certificates_are_the_default),
        cmocka_unit_test(test_the_speed_of_aes_is_measured_once),
        cmocka_unit_test(test_the_library_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
