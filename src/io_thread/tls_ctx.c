#include "io_thread/tls_ctx.h"

#include "io_thread/tls_internal.h"
#include "io_thread/tls_keylog.h"
#include "io_thread/tls_setup.h"

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#ifdef FP_ECC
#include <wolfssl/wolfcrypt/ecc.h>
#endif

#include <pthread.h>
#include <string.h>
#include <time.h>

#define OLDEST_WOLFSSL 0x05005004u /* 5.5.4: what this code was checked with */
#define PROBE_LEN      4096
#define PROBE_ROUNDS   4

#define SERVER_NAME_OCTETS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"

/* wolfSSL shows the chain of a good certificate only when it was built so; without, there is no
 * telling until when a session may be resumed. */
#ifdef WOLFSSL_ALWAYS_VERIFY_CB
#define CAN_SEE_CHAINS true
#else
#define CAN_SEE_CHAINS false
#endif

/* Written once per process, behind pthread_once: wolfSSL's own start-up is process-wide. It is
 * never undone, since another part of the program may use wolfSSL too. */
static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;
static pthread_once_t probe_once = PTHREAD_ONCE_INIT;
static bool aes_is_fast;

static void library_init(void)
{
    library_status = wolfSSL_Init();
}

static uint64_t clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* UINT64_MAX: does not work here. @aes is ready to encrypt. */
static uint64_t time_aes(Aes *aes, uint8_t *octets)
{
    uint8_t iv[12] = {0};
    uint8_t tag[16];
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < PROBE_ROUNDS; i++) {
        uint64_t start = clock_ns();
        if (wc_AesGcmEncrypt(aes, octets, octets, PROBE_LEN, iv, sizeof(iv), tag, sizeof(tag), NULL,
                             0) != 0)
            return UINT64_MAX;
        uint64_t taken = clock_ns() - start;
        best = taken < best ? taken : best;
    }
    return best;
}

static uint64_t time_chacha(uint8_t *octets)
{
    const uint8_t key[CHACHA20_POLY1305_AEAD_KEYSIZE] = {1};
    const uint8_t iv[CHACHA20_POLY1305_AEAD_IV_SIZE] = {2};
    uint8_t tag[CHACHA20_POLY1305_AEAD_AUTHTAG_SIZE];
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < PROBE_ROUNDS; i++) {
        uint64_t start = clock_ns();
        if (wc_ChaCha20Poly1305_Encrypt(key, iv, NULL, 0, octets, PROBE_LEN, octets, tag) != 0)
            return UINT64_MAX;
        uint64_t taken = clock_ns() - start;
        best = taken < best ? taken : best;
    }
    return best;
}

static void probe(void)
{
    const uint8_t key[16] = {3};
    /* Twice the size and some: a shared library may have been built with options that make its Aes
     * larger than these headers say. */
    Aes *aes = wf_alloc_aligned(64, 2 * sizeof(*aes) + 1024);
    uint8_t *octets = wf_calloc(1, PROBE_LEN);
    if (aes != NULL && octets != NULL) {
        memset(aes, 0, 2 * sizeof(*aes) + 1024);
        if (wc_AesInit(aes, NULL, INVALID_DEVID) == 0) {
            if (wc_AesGcmSetKey(aes, key, sizeof(key)) == 0)
                aes_is_fast = time_aes(aes, octets) <= time_chacha(octets);
            wc_AesFree(aes);
        }
    }
    wf_free(octets);
    wf_free(aes);
}

bool wf_tls_aes_is_fast(void)
{
    (void)pthread_once(&library_once, library_init);
    (void)pthread_once(&probe_once, probe);
    return aes_is_fast;
}

const char *wf_tls_library(void)
{
    return "wolfSSL " LIBWOLFSSL_VERSION_STRING
#ifndef WOLFSSL_TICKET_NONCE_MALLOC
           ", without ticket-nonce-malloc: TLS 1.3 tickets with nonces above 8 octets fail"
#endif
#ifndef WOLFSSL_ALWAYS_VERIFY_CB
           ", without WOLFSSL_ALWAYS_VERIFY_CB: no session is resumed"
#endif
#ifndef HAVE_SECRET_CALLBACK
           ", without HAVE_SECRET_CALLBACK: no keys are logged"
#endif
        ;
}

void wf_tls_thread_end(void)
{
#ifdef FP_ECC
    wc_ecc_fp_free(); /* some 12 MB of this thread's */
#endif
}

/* Nothing is left to defaults: they differ between versions and builds, and one of them is to
 * verify nothing. */
static bool set_up(WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                   struct wf_io_error *out_error)
{
    wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER,
                           config->insecure ? wf_tls_accept_any : wf_tls_verified);
#ifdef OPENSSL_EXTRA
    /* Where it is on by default a blocked handshake tries eleven times instead of once. */
    (void)wolfSSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
#endif
    return wf_tls_groups_set(ctx, config, out_error) && wf_tls_suites_set(ctx, config, out_error) &&
           wf_tls_client_cert_set(ctx, config, out_error) &&
           (config->insecure || wf_tls_trust_given(ctx, config, out_error));
}

static bool set_pins(struct wf_tls_ctx *ctx, const char *const *texts,
                     struct wf_io_error *out_error)
{
    const char *bad;
    switch (wf_pins_init(&ctx->pins, texts, &bad)) {
    case WF_PINS_OK:
        return true;
    case WF_PINS_NO_MEMORY:
        return wf_tls_setup_no_memory(out_error);
    case WF_PINS_TOO_MANY:
        return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, 0, "more than 64 pins", "");
    case WF_PINS_MALFORMED:
        break;
    }
    return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, 0,
                             "a pin is sha256// and 44 characters of base64, not ", bad);
}

static bool set_server_name(struct wf_tls_ctx *ctx, const char *name, struct wf_io_error *out_error)
{
    if (name == NULL)
        return true;
    size_t len = strlen(name);
    if (len == 0 || len > TLS_HOST_MAX || strspn(name, SERVER_NAME_OCTETS) != len)
        return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, 0, "no server can be named ",
                                 name);
    ctx->server_name = wf_alloc(len + 1);
    if (ctx->server_name == NULL)
        return wf_tls_setup_no_memory(out_error);
    memcpy(ctx->server_name, name, len + 1);
    return true;
}

static bool uses_system(const struct wf_tls_config *config)
{
    return !config->insecure && config->ca_file == NULL && config->ca_path == NULL &&
           config->ca_pem.len == 0;
}

static bool fill(struct wf_tls_ctx *ctx, const struct wf_tls_config *config,
                 struct wf_io_error *out_error)
{
    ctx->wolfssl = wf_tls_new_context(config, out_error);
    if (ctx->wolfssl == NULL || !set_up(ctx->wolfssl, config, out_error) ||
        !set_pins(ctx, config->pins, out_error) ||
        !set_server_name(ctx, config->server_name, out_error))
        return false;
    ctx->insecure = config->insecure;
    ctx->can_resume = CAN_SEE_CHAINS || config->insecure;
    ctx->tls12_only = config->max_version == 12;
    ctx->has_client_cert = config->cert_file != NULL || config->cert_pem.len > 0;
    ctx->needs_system_trust = uses_system(config);
    return (!ctx->needs_system_trust || config->defer_system ||
            wf_tls_ctx_load_system(ctx, out_error)) &&
           wf_keylog_open(config->keylog_file, &ctx->keylog, out_error);
}

struct wf_tls_ctx *wf_tls_ctx_new(const struct wf_tls_config *config, struct wf_io_error *out_error)
{
    (void)pthread_once(&library_once, library_init);
    if (library_status != WOLFSSL_SUCCESS || wolfSSL_lib_version_hex() < OLDEST_WOLFSSL) {
        (void)wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, library_status,
                                "wolfSSL does not start, or is too old: ", wolfSSL_lib_version());
        return NULL;
    }
    struct wf_tls_ctx *ctx = wf_calloc(1, sizeof(*ctx));
    if (ctx == NULL)
        (void)wf_tls_setup_no_memory(out_error);
    else if (fill(ctx, config, out_error))
        return ctx;
    wf_tls_ctx_free(ctx);
    return NULL;
}

bool wf_tls_ctx_load_system(struct wf_tls_ctx *ctx, struct wf_io_error *out_error)
{
    if (!wf_tls_trust_system(ctx->wolfssl, out_error))
        return false;
    ctx->needs_system_trust = false;
    return true;
}

void wf_tls_ctx_free(struct wf_tls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    wolfSSL_CTX_free(ctx->wolfssl);
    wf_pins_fini(&ctx->pins);
    wf_keylog_close(ctx->keylog);
    wf_free(ctx->server_name);
    wf_free(ctx);
}
