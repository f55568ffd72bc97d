/* Versions and cipher suites. What is offered is a choice from a list of ours: RFC 9113 section
 * 9.2.2 lets a peer refuse HTTP/2 with any suite of its Appendix A, and what is left is AEAD with
 * ephemeral keys. */
#include "io_thread/tls_setup.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LIST_MAX 768u

struct suite {
    const char *name;  /* OpenSSL's, which wolfSSL takes; of TLS 1.3 wolfSSL's own */
    const char *other; /* IANA's */
    bool is_aes;
    bool tls13;
};

/* In the order of preference where AES is fast; else ChaCha20 goes first. */
static const struct suite suites[] = {
    {"TLS13-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256", true, true},
    {"TLS13-AES256-GCM-SHA384", "TLS_AES_256_GCM_SHA384", true, true},
    {"TLS13-CHACHA20-POLY1305-SHA256", "TLS_CHACHA20_POLY1305_SHA256", false, true},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true, false},
    {"ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", true, false},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", true, false},
    {"ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", true, false},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", false,
     false},
    {"ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", false, false},
};
#define SUITE_COUNT (sizeof(suites) / sizeof(suites[0]))

static void append(char *list, const char *name)
{
    size_t len = strlen(list);
    (void)snprintf(list + len, LIST_MAX - len, "%s%s", len > 0 ? ":" : "", name);
}

static void append_default(char *list, bool tls13)
{
    bool aes_first = wf_tls_aes_is_fast();
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < SUITE_COUNT; i++) {
            if (suites[i].tls13 == tls13 && suites[i].is_aes == (aes_first == (round == 0)))
                append(list, suites[i].name);
        }
    }
}

static const struct suite *find(const char *name, size_t len, bool tls13)
{
    for (size_t i = 0; i < SUITE_COUNT; i++) {
        const struct suite *suite = &suites[i];
        bool is_it = (strlen(suite->name) == len && strncasecmp(suite->name, name, len) == 0) ||
                     (strlen(suite->other) == len && strncasecmp(suite->other, name, len) == 0);
        if (is_it && suite->tls13 == tls13)
            return suite;
    }
    return NULL;
}

/* @given: names with colons or commas between them. */
static bool append_given(char *list, const char *given, bool tls13, struct wf_io_error *out_error)
{
    bool used[SUITE_COUNT] = {false};
    bool any = false;
    while (*given != '\0') {
        size_t len = strcspn(given, ":, ");
        if (len > 0) {
            const struct suite *suite = find(given, len, tls13);
            if (suite == NULL) {
                char what[112];
                (void)snprintf(what, sizeof(what), "%.*s is no suite of TLS %s that %s",
                               len > 48 ? 48 : (int)len, given, tls13 ? "1.3" : "1.2",
                               tls13 ? "is known here" : "HTTP/2 allows (RFC 9113 9.2.2)");
                return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, 0, what, "");
            }
            if (!used[suite - suites])
                append(list, suite->name);
            used[suite - suites] = true;
            any = true;
        }
        given += len + (given[len] != '\0');
    }
    return any || wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, 0, "a list of cipher suites",
                                    " is empty");
}

static unsigned oldest(const struct wf_tls_config *config)
{
    return config->min_version == 0 ? 12 : config->min_version;
}

static unsigned newest(const struct wf_tls_config *config)
{
    return config->max_version == 0 ? 13 : config->max_version;
}

WOLFSSL_CTX *wf_tls_new_context(const struct wf_tls_config *config, struct wf_io_error *out_error)
{
    if (oldest(config) > newest(config)) {
        (void)wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, 0,
                                "the minimum version of TLS is above the maximum", "");
        return NULL;
    }
    WOLFSSL_METHOD *method = newest(config) == 12   ? wolfTLSv1_2_client_method()
                             : oldest(config) == 13 ? wolfTLSv1_3_client_method()
                                                    : wolfSSLv23_client_method();
    WOLFSSL_CTX *ctx = method == NULL ? NULL : wolfSSL_CTX_new(method);
    if (ctx == NULL) {
        (void)wf_tls_setup_no_memory(out_error);
        return NULL;
    }
    if (wolfSSL_CTX_SetMinVersion(ctx, oldest(config) == 13 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2) ==
        WOLFSSL_SUCCESS)
        return ctx;
    wolfSSL_CTX_free(ctx);
    (void)wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, 0,
                            "the minimum version of TLS cannot be set", "");
    return NULL;
}

bool wf_tls_groups_set(WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                       struct wf_io_error *out_error)
{
    int groups[] = {WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_SECP384R1};
    const int count = sizeof(groups) / sizeof(groups[0]);
    int ret = WOLFSSL_SUCCESS;
    /* A context without TLS 1.3 does not take them as a list. */
    if (newest(config) >= 13)
        ret = wolfSSL_CTX_set_groups(ctx, groups, count);
    for (int i = 0; newest(config) < 13 && i < count && ret == WOLFSSL_SUCCESS; i++)
        ret = wolfSSL_CTX_UseSupportedCurve(ctx, (word16)groups[i]);
    if (ret == WOLFSSL_SUCCESS)
        return true;
    return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, ret,
                             "the key exchange groups cannot be set", "");
}

bool wf_tls_suites_set(WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                       struct wf_io_error *out_error)
{
    char list[LIST_MAX] = "";
    if (newest(config) >= 13 && config->ciphers13 == NULL)
        append_default(list, true);
    else if (newest(config) >= 13 && !append_given(list, config->ciphers13, true, out_error))
        return false;
    if (oldest(config) <= 12 && config->ciphers == NULL)
        append_default(list, false);
    else if (oldest(config) <= 12 && !append_given(list, config->ciphers, false, out_error))
        return false;
    int ret = wolfSSL_CTX_set_cipher_list(ctx, list);
    if (ret == WOLFSSL_SUCCESS)
        return true;
    return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, ret, "the cipher suites cannot be set",
                             "");
}
