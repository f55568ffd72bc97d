/* Pins, client certificates, versions, suites, the name that is asked for, and the key log. */
#include "io_thread/tls.h"

#include "support/cmocka.h"
#include "support/tls_pair.h"

#include "io_thread/tls_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CERTS WEFT_TEST_CERTS "/"

static char *read_text(const char *path, char *into, size_t cap)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(into, 1, cap - 1, file);
    (void)fclose(file);
    assert_true(len < cap - 1);
    into[len] = '\0';
    return into;
}

/* How a handshake ends, and what is said of it. */
static void expect_end(const struct tls_pair_config *config, enum wf_io_error_kind kind,
                       const char *says)
{
    struct tls_pair pair;
    tls_pair_init(&pair, config);
    enum wf_io_result result = tls_pair_handshake(&pair);
    if (pair.client->error.kind != kind)
        print_error("%s\n", pair.client->error.text);
    assert_int_equal(pair.client->error.kind, kind);
    assert_int_equal(result, kind == WF_IO_ERR_NONE ? WF_IO_OK : WF_IO_ERROR);
    if (says != NULL)
        assert_non_null(strstr(pair.client->error.text, says));
    tls_pair_fini(&pair);
}

static void test_a_pinned_key_is_taken_and_no_other(void **state)
{
    (void)state;
    char good[128];
    char other[128];
    const char *const right[] = {read_text(CERTS "good.pin", good, sizeof(good)), NULL};
    const char *const wrong[] = {read_text(CERTS "untrusted.pin", other, sizeof(other)), NULL};
    const char *const both[] = {other, good, NULL};
    for (int i = 0; i < 4; i++) {
        const struct tls_peer_config peer = {.certificate = "good", .tls12 = (i & 1) != 0};
        const bool insecure = (i & 2) != 0;
        struct wf_tls_config tls = {.pins = right};
        const struct tls_pair_config config = {.peer = peer, .tls = &tls, .insecure = insecure};
        expect_end(&config, WF_IO_ERR_NONE, NULL);
        tls.pins = both;
        expect_end(&config, WF_IO_ERR_NONE, NULL);
        tls.pins = wrong;
        expect_end(&config, WF_IO_ERR_PIN, "pinned");
    }
}

static void test_a_pin_does_not_replace_the_certificate(void **state)
{
    (void)state;
    char text[128];
    const char *const pins[] = {read_text(CERTS "untrusted.pin", text, sizeof(text)), NULL};
    const struct wf_tls_config tls = {.pins = pins};
    expect_end(&(struct tls_pair_config){.peer = {.certificate = "untrusted"}, .tls = &tls},
               WF_IO_ERR_UNTRUSTED, NULL);
    read_text(CERTS "good.pin", text, sizeof(text));
    expect_end(&(struct tls_pair_config){.peer = {.certificate = "good"},
                                         .host = "other.test",
                                         .tls = &tls},
               WF_IO_ERR_WRONG_HOST, NULL);
}

/* Runs a handshake and then reads, since a server of TLS 1.3 refuses a client after it. */
static void expect_client(const struct wf_tls_config *tls, bool tls12, enum wf_io_error_kind kind,
                          const char *says)
{
    struct tls_pair pair;
    const struct tls_pair_config config = {
        .peer = {.certificate = "good", .tls12 = tls12, .client_ca = "client_root"}, .tls = tls};
    tls_pair_init(&pair, &config);
    bool accepted = false;
    enum wf_io_result result = WF_IO_AGAIN;
    struct wf_buf got = {0};
    for (int turn = 0; turn < 100 && result != WF_IO_ERROR; turn++) {
        if (result == WF_IO_AGAIN)
            result = wf_transport_handshake(pair.client);
        if (result == WF_IO_OK && tls_pair_read_all(&pair, &got) == WF_IO_ERROR)
            result = WF_IO_ERROR;
        tls_peer_pull(&pair.peer);
        accepted = accepted || tls_peer_accept(&pair.peer);
        (void)tls_peer_push(&pair.peer, SIZE_MAX);
    }
    wf_buf_fini(&got);
    if (pair.client->error.kind != kind)
        print_error("%s\n", pair.client->error.text);
    assert_int_equal(pair.client->error.kind, kind);
    assert_int_equal(accepted, kind == WF_IO_ERR_NONE);
    if (says != NULL && strstr(pair.client->error.text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", pair.client->error.text, says);
    tls_pair_fini(&pair);
}

static void test_a_server_gets_the_certificate_that_it_asks_for(void **state)
{
    (void)state;
    static char cert[16384];
    static char key[4096];
    read_text(CERTS "client.pem", cert, sizeof(cert));
    read_text(CERTS "client.key", key, sizeof(key));
    const struct wf_tls_config files = {.cert_file = CERTS "client.pem",
                                        .key_file = CERTS "client.key"};
    const struct wf_tls_config one_file = {.cert_file = CERTS "client.both.pem"};
    const struct wf_tls_config memory = {.cert_pem = wf_slice_str(cert),
                                         .key_pem = wf_slice_str(key)};
    const struct wf_tls_config mixed = {.cert_file = CERTS "client.pem",
                                        .key_pem = wf_slice_str(key)};
    for (int tls12 = 0; tls12 < 2; tls12++) {
        expect_client(&files, tls12 != 0, WF_IO_ERR_NONE, NULL);
        expect_client(&one_file, tls12 != 0, WF_IO_ERR_NONE, NULL);
        expect_client(&memory, tls12 != 0, WF_IO_ERR_NONE, NULL);
        expect_client(&mixed, tls12 != 0, WF_IO_ERR_NONE, NULL);
    }
}

static void test_a_certificate_that_the_server_refuses_has_an_error_of_its_own(void **state)
{
    (void)state;
    const struct wf_tls_config expired = {.cert_file = CERTS "client_expired.pem",
                                          .key_file = CERTS "client_expired.key"};
    const struct wf_tls_config unknown = {.cert_file = CERTS "client_untrusted.pem",
                                          .key_file = CERTS "client_untrusted.key"};
    for (int tls12 = 0; tls12 < 2; tls12++) {
        expect_client(&expired, tls12 != 0, WF_IO_ERR_CLIENT_CERT, "refuses the client");
        expect_client(&unknown, tls12 != 0, WF_IO_ERR_CLIENT_CERT, "refuses the client");
    }
}

struct bad_identity {
    struct wf_tls_config config;
    int sys_errno;
    const char *says;
};

static void test_a_certificate_that_cannot_be_used_is_told_at_once(void **state)
{
    (void)state;
    static const struct bad_identity cases[] = {
        {{.cert_file = "/nonexistent/me.pem"}, ENOENT, "client certificate /nonexistent/me.pem"},
        {{.cert_file = CERTS "client.pem", .key_file = "/nonexistent/key"},
         ENOENT,
         "private key /nonexistent/key"},
        {{.cert_file = CERTS "client.key", .key_file = CERTS "client.key"},
         0,
         "no client certificate that can be used"},
        {{.cert_file = CERTS "client.pem", .key_file = CERTS "client.pem"},
         0,
         "no private key that can be used"},
        {{.cert_file = CERTS "client.pem"}, 0, "no private key that can be used"},
        {{.cert_file = CERTS "client.pem", .key_file = CERTS "good.key"}, 0, "does not belong"},
        {{.cert_file = CERTS "client.pem", .key_file = CERTS "client.encrypted.key"},
         0,
         "password"},
        {{.key_file = CERTS "client.key"}, 0, "without a certificate"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wf_tls_config config = cases[i].config;
        struct wf_io_error error = {0};
        config.insecure = true;
        assert_null(wf_tls_ctx_new(&config, &error));
        if (strstr(error.text, cases[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.text, cases[i].says);
        assert_int_equal(error.kind, WF_IO_ERR_CLIENT_CERT);
        assert_int_equal(error.sys_errno, cases[i].sys_errno);
    }
}

static void test_a_key_is_told_from_that_of_another_certificate(void **state)
{
    (void)state;
    static const char *const kinds[] = {
        "rsa",
        "p384",
#ifdef HAVE_ED25519
        "ed25519",
#endif
    };
    enum { NAMES = 2 * sizeof(kinds) / sizeof(kinds[0]) };
    for (unsigned i = 0; i < NAMES * NAMES; i++) {
        char cert[256];
        char key[256];
        const unsigned c = i / NAMES;
        const unsigned k = i % NAMES;
        (void)snprintf(cert, sizeof(cert), CERTS "%s_%c.pem", kinds[c / 2], 'a' + (int)(c % 2));
        (void)snprintf(key, sizeof(key), CERTS "%s_%c.key", kinds[k / 2], 'a' + (int)(k % 2));
        const struct wf_tls_config config = {.insecure = true, .cert_file = cert, .key_file = key};
        struct wf_io_error error = {0};
        struct wf_tls_ctx *ctx = wf_tls_ctx_new(&config, &error);
        if ((ctx != NULL) != (c == k))
            fail_msg("%s with %s: %s", cert, key, ctx != NULL ? "taken" : error.text);
        if (ctx == NULL)
            assert_int_equal(error.kind, WF_IO_ERR_CLIENT_CERT);
        wf_tls_ctx_free(ctx);
    }
}

static void test_a_key_may_be_written_in_other_ways(void **state)
{
    (void)state;
    static const char *const keys[] = {CERTS "client.pkcs8.key", CERTS "client.no_public.key"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct wf_tls_config right = {.cert_file = CERTS "client.pem", .key_file = keys[i]};
        const struct wf_tls_config wrong = {
            .insecure = true, .cert_file = CERTS "client_untrusted.pem", .key_file = keys[i]};
        expect_client(&right, false, WF_IO_ERR_NONE, NULL);
        struct wf_io_error error = {0};
        assert_null(wf_tls_ctx_new(&wrong, &error));
        assert_non_null(strstr(error.text, "does not belong"));
    }
}

static void test_versions_are_what_the_configuration_says(void **state)
{
    (void)state;
    for (unsigned least = 12; least <= 13; least++) {
        for (unsigned most = least; most <= 13; most++) {
            for (unsigned server = 12; server <= 13; server++) {
                const struct wf_tls_config tls = {.min_version = least, .max_version = most};
                const struct tls_pair_config config = {
                    .peer = {.certificate = "good", .tls12 = server == 12}, .tls = &tls};
                struct tls_pair pair;
                tls_pair_init(&pair, &config);
                bool agrees = server >= least && server <= most;
                bool failed = false;
                for (int turn = 0; turn < 20 && !failed; turn++) {
                    failed = wf_transport_handshake(pair.client) == WF_IO_ERROR;
                    tls_peer_pull(&pair.peer);
                    (void)tls_peer_accept(&pair.peer);
                    (void)tls_peer_push(&pair.peer, SIZE_MAX);
                }
                assert_int_equal(failed, !agrees);
                if (agrees)
                    assert_string_equal(wf_tls_version(pair.client),
                                        server == 12 ? "TLSv1.2" : "TLSv1.3");
                tls_pair_fini(&pair);
            }
        }
    }
}

static void expect_refused(const struct wf_tls_config *config, const char *says)
{
    struct wf_io_error error = {0};
    assert_null(wf_tls_ctx_new(config, &error));
    assert_int_equal(error.kind, WF_IO_ERR_CONFIG);
    if (strstr(error.text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, says);
}

static void test_a_minimum_above_the_maximum_is_refused(void **state)
{
    (void)state;
    expect_refused(&(struct wf_tls_config){.insecure = true, .min_version = 13, .max_version = 12},
                   "above");
}

static void expect_suite(const struct wf_tls_config *tls, bool tls12, const char *a, const char *b)
{
    struct tls_pair pair;
    const struct tls_pair_config config = {.peer = {.certificate = "good", .tls12 = tls12},
                                           .tls = tls};
    tls_pair_connect(&pair, &config);
    const char *got = wf_tls_cipher(pair.client);
    if (strcmp(got, a) != 0 && strcmp(got, b) != 0)
        fail_msg("%s was agreed on", got);
    tls_pair_fini(&pair);
}

static void test_suites_are_those_that_are_named(void **state)
{
    (void)state;
    expect_suite(&(struct wf_tls_config){.ciphers13 = "TLS_AES_256_GCM_SHA384"}, false,
                 "TLS_AES_256_GCM_SHA384", "TLS13-AES256-GCM-SHA384");
    expect_suite(&(struct wf_tls_config){.ciphers13 = "TLS13-CHACHA20-POLY1305-SHA256"}, false,
                 "TLS_CHACHA20_POLY1305_SHA256", "TLS13-CHACHA20-POLY1305-SHA256");
    expect_suite(&(struct wf_tls_config){.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"}, true,
                 "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384");
    /* Either list leaves the other version alone. */
    expect_suite(&(struct wf_tls_config){.ciphers13 = "TLS_AES_256_GCM_SHA384",
                                         .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:"
                                                    "ECDHE-ECDSA-AES128-GCM-SHA256"},
                 false, "TLS_AES_256_GCM_SHA384", "TLS13-AES256-GCM-SHA384");
}

/* RFC 9113 section 9.2.2. */
static void test_suites_that_http2_prohibits_cannot_be_named(void **state)
{
    (void)state;
    static const char *const names[] = {
        "ECDHE-RSA-AES128-SHA",
        "AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-SHA384",
        "DES-CBC3-SHA",
        "NULL-SHA256",
        "HIGH:!aNULL",
        "ALL",
        "TLS_AES_128_GCM_SHA256",
        ":",
        "",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        expect_refused(&(struct wf_tls_config){.insecure = true, .ciphers = names[i]},
                       names[i][0] >= 'A' ? "HTTP/2 allows" : "empty");
    expect_refused(
        &(struct wf_tls_config){.insecure = true, .ciphers13 = "ECDHE-ECDSA-AES256-GCM-SHA384"},
        "TLS 1.3");
}

static void test_another_server_name_is_asked_for_and_verified(void **state)
{
    (void)state;
    const struct wf_tls_config good = {.server_name = "good.test"};
    const struct wf_tls_config other = {.server_name = "other.test"};
    expect_end(&(struct tls_pair_config){.peer = {.certificate = "good"},
                                         .host = "10.1.2.3",
                                         .tls = &good},
               WF_IO_ERR_NONE, NULL);
    expect_end(&(struct tls_pair_config){.peer = {.certificate = "good"},
                                         .host = "good.test",
                                         .tls = &other},
               WF_IO_ERR_WRONG_HOST, "other.test");

    struct tls_pair pair;
    char name[64];
    unsigned len = sizeof(name) - 1;
    tls_pair_init(&pair, &(struct tls_pair_config){
                             .peer = {.certificate = "good"}, .host = "10.1.2.3", .tls = &good});
    assert_int_equal(wf_transport_handshake(pair.client), WF_IO_AGAIN);
    tls_peer_pull(&pair.peer);
    struct wf_slice hello = wf_buf_slice(&pair.peer.in);
    assert_int_equal(wolfSSL_SNI_GetFromBuffer(hello.ptr, (unsigned)hello.len,
                                               WOLFSSL_SNI_HOST_NAME, (unsigned char *)name, &len),
                     WOLFSSL_SUCCESS);
    name[len] = '\0';
    assert_string_equal(name, "good.test");
    tls_pair_fini(&pair);
}

static void test_a_server_name_that_cannot_be_one_is_refused(void **state)
{
    (void)state;
    char longest[256];
    memset(longest, 'a', sizeof(longest));
    longest[254] = '\0';
    const char *const names[] = {"", "a b", "a\n", "h\xc3\xb6st", longest};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        expect_refused(&(struct wf_tls_config){.insecure = true, .server_name = names[i]},
                       "no server can be named");
}

static void test_a_directory_of_authorities_is_searched(void **state)
{
    (void)state;
    struct wf_io_error error = {0};
    struct wf_tls_ctx *ctx = wf_tls_ctx_new(&(struct wf_tls_config){.ca_path = CERTS}, &error);
    assert_non_null(ctx); /* keys and requests lie there too */
    assert_false(ctx->needs_system_trust);
    wf_tls_ctx_free(ctx);
    expect_refused(&(struct wf_tls_config){.ca_path = "/nonexistent"}, "directory /nonexistent");
    expect_refused(&(struct wf_tls_config){.ca_path = "/proc/self/task"}, "no CA certificate");
}

static void test_system_authorities_can_be_left_for_later(void **state)
{
    (void)state;
    struct wf_io_error error = {0};
    struct wf_tls_ctx *ctx = wf_tls_ctx_new(&(struct wf_tls_config){.defer_system = true}, &error);
    assert_non_null(ctx);
    assert_true(ctx->needs_system_trust);
    bool loaded = wf_tls_ctx_load_system(ctx, &error);
    assert_int_equal(ctx->needs_system_trust, !loaded);
    if (!loaded)
        assert_string_equal(error.text, "the system has no CA certificates");
    wf_tls_ctx_free(ctx);
}

#ifdef HAVE_SECRET_CALLBACK
/* How many lines of the log have @label, 64 digits and then @secret_len octets in hexadecimal. */
static unsigned count_lines(const char *log, const char *label, size_t secret_len)
{
    unsigned count = 0;
    size_t label_len = strlen(label);
    for (const char *line = log; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t len = strcspn(line, "\n");
        if (len <= label_len || strncmp(line, label, label_len) != 0 || line[label_len] != ' ')
            continue;
        const char *rest = line + label_len + 1;
        assert_int_equal(strspn(rest, "0123456789abcdef"), 64);
        assert_int_equal(rest[64], ' ');
        assert_int_equal(strspn(rest + 65, "0123456789abcdef"), 2 * secret_len);
        assert_int_equal(rest[65 + 2 * secret_len], '\n');
        count++;
    }
    return count;
}

static void test_the_secrets_of_connections_are_logged(void **state)
{
    (void)state;
    char path[] = "/tmp/weft-test-XXXXXX";
    static char log[16384];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    const struct wf_tls_config tls = {.keylog_file = path, .ciphers13 = "TLS_AES_128_GCM_SHA256"};
    for (int i = 0; i < 2; i++)
        expect_end(&(struct tls_pair_config){.peer = {.certificate = "good"}, .tls = &tls},
                   WF_IO_ERR_NONE, NULL);
    expect_end(
        &(struct tls_pair_config){.peer = {.certificate = "good", .tls12 = true}, .tls = &tls},
        WF_IO_ERR_NONE, NULL);
    read_text(path, log, sizeof(log));
    (void)unlink(path);
    assert_int_equal(count_lines(log, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", 32), 2);
    assert_int_equal(count_lines(log, "SERVER_HANDSHAKE_TRAFFIC_SECRET", 32), 2);
    assert_int_equal(count_lines(log, "CLIENT_TRAFFIC_SECRET_0", 32), 2);
    assert_int_equal(count_lines(log, "SERVER_TRAFFIC_SECRET_0", 32), 2);
    assert_null(strstr(log, "000000000000000000000000")); /* none is what was never filled in */
#ifdef OPENSSL_EXTRA
    assert_int_equal(count_lines(log, "CLIENT_RANDOM", 48), 1);
#else
    assert_non_null(strstr(log, "# a connection of TLS 1.2"));
#endif
}

static void test_a_new_key_log_is_for_nobody_else_to_read(void **state)
{
    (void)state;
    char folder[] = "/tmp/weft-test-XXXXXX";
    char path[64];
    struct wf_io_error error = {0};
    struct stat status;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/keys", folder);
    struct wf_tls_ctx *ctx =
        wf_tls_ctx_new(&(struct wf_tls_config){.insecure = true, .keylog_file = path}, &error);
    assert_non_null(ctx);
    wf_tls_ctx_free(ctx);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 077, 0);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void test_the_environment_names_a_key_log_too(void **state)
{
    (void)state;
    char path[] = "/tmp/weft-test-XXXXXX";
    static char log[16384];
    struct wf_tls_config tls = {0};
    const struct tls_pair_config config = {.peer = {.certificate = "good"}, .tls = &tls};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(setenv("SSLKEYLOGFILE", path, 1), 0);
    tls.keylog_file = ""; /* in so many words: none */
    expect_end(&config, WF_IO_ERR_NONE, NULL);
    assert_int_equal(strlen(read_text(path, log, sizeof(log))), 0);
    tls.keylog_file = NULL;
    expect_end(&config, WF_IO_ERR_NONE, NULL);
    assert_true(strlen(read_text(path, log, sizeof(log))) > 0);
    (void)unlink(path);

    /* One that cannot be written is worth a warning, not a failure. */
    struct wf_io_error error = {0};
    assert_int_equal(setenv("SSLKEYLOGFILE", "/nonexistent/keys", 1), 0);
    struct wf_tls_ctx *ctx = wf_tls_ctx_new(&(struct wf_tls_config){.insecure = true}, &error);
    assert_non_null(ctx);
    assert_non_null(strstr(error.text, "/nonexistent/keys"));
    wf_tls_ctx_free(ctx);
    assert_int_equal(unsetenv("SSLKEYLOGFILE"), 0);
}
#endif

static void test_a_key_log_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    const struct wf_tls_config config = {.insecure = true, .keylog_file = "/nonexistent/keys"};
#ifdef HAVE_SECRET_CALLBACK
    expect_refused(&config, "/nonexistent/keys");
#else
    expect_refused(&config, "HAVE_SECRET_CALLBACK");
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pinned_key_is_taken_and_no_other),
        cmocka_unit_test(test_a_pin_does_not_replace_the_certificate),
        cmocka_unit_test(test_a_server_gets_the_certificate_that_it_asks_for),
        cmocka_unit_test(test_a_certificate_that_the_server_refuses_has_an_error_of_its_own),
        cmocka_unit_test(test_a_certificate_that_cannot_be_used_is_told_at_once),
        cmocka_unit_test(test_a_key_is_told_from_that_of_another_certificate),
        cmocka_unit_test(test_a_key_may_be_written_in_other_ways),
        cmocka_unit_test(test_versions_are_what_the_configuration_says),
        cmocka_unit_test(test_a_minimum_above_the_maximum_is_refused),
        cmocka_unit_test(test_suites_are_those_that_are_named),
        cmocka_unit_test(test_suites_that_http2_prohibits_cannot_be_named),
        cmocka_unit_test(test_another_server_name_is_asked_for_and_verified),
        cmocka_unit_test(test_a_server_name_that_cannot_be_one_is_refused),
        cmocka_unit_test(test_a_directory_of_authorities_is_searched),
        cmocka_unit_test(test_system_authorities_can_be_left_for_later),
#ifdef HAVE_SECRET_CALLBACK
        cmocka_unit_test(test_the_secrets_of_connections_are_logged),
        cmocka_unit_test(test_a_new_key_log_is_for_nobody_else_to_read),
        cmocka_unit_test(test_the_environment_names_a_key_log_too),
#endif
        cmocka_unit_test(test_a_key_log_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
