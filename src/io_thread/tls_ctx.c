#include "io_thread/tls_ctx.h"

#include "base/buf.h"
#include "io_thread/tls_internal.h"
#include "io_thread/transport.h"

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#ifdef FP_ECC
#include <wolfssl/wolfcrypt/ecc.h>
#endif

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define OLDEST_WOLFSSL 0x05005004u /* 5.5.4: what this code was checked with */
#define CA_FILE_MAX    (16u << 20)
#define PROBE_LEN      4096
#define PROBE_ROUNDS   4

/* One list holds the names of both versions. For TLS 1.2 only suites with ephemeral keys and AEAD
 * are offered: RFC 9113 section 9.2.2 allows a peer to refuse HTTP/2 with any other. */
#define AES_13    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384"
#define CHACHA_13 "TLS13-CHACHA20-POLY1305-SHA256"
#define AES_12                                                                                     \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define CHACHA_12 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

static const char aes_first[] = AES_13 ":" CHACHA_13 ":" AES_12 ":" CHACHA_12;
static const char chacha_first[] = CHACHA_13 ":" AES_13 ":" CHACHA_12 ":" AES_12;

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
        ;
}

void wf_tls_thread_end(void)
{
#ifdef FP_ECC
    wc_ecc_fp_free(); /* some 12 MB of this thread's */
#endif
}

static bool fail(struct wf_io_error *out_error, enum wf_io_error_kind kind, int sys_errno,
                 int tls_code, const char *what, const char *why)
{
    struct wf_transport carrier = {0};
    (void)wf_io_fail(&carrier, kind, sys_errno, tls_code, "%s%s", what, why);
    *out_error = carrier.error;
    return false;
}

static bool fail_memory(struct wf_io_error *out_error)
{
    return fail(out_error, WF_IO_ERR_NO_MEMORY, 0, 0, "out of memory", "");
}

static bool load_pem(WOLFSSL_CTX *ctx, struct wf_slice pem, const char *name,
                     struct wf_io_error *out_error)
{
    int ret =
        pem.len == 0 || pem.len > CA_FILE_MAX
            ? WOLFSSL_FAILURE
            : wolfSSL_CTX_load_verify_buffer(ctx, pem.ptr, (long)pem.len, WOLFSSL_FILETYPE_PEM);
    if (ret == WOLFSSL_SUCCESS)
        return true;
    if (ret == MEMORY_E)
        return fail_memory(out_error);
    return fail(out_error, WF_IO_ERR_CONFIG, 0, ret, "no CA certificate that can be used is in ",
                name);
}

/* Read here and not by wolfSSL, which has one answer to a missing file and a broken one. */
static bool load_file(WOLFSSL_CTX *ctx, const char *path, struct wf_io_error *out_error)
{
    struct wf_buf pem;
    wf_buf_init(&pem);
    int failure = 0;
    bool enough_memory = true;
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        failure = errno;
    while (failure == 0 && enough_memory && wf_buf_len(&pem) <= CA_FILE_MAX) {
        enough_memory = wf_buf_reserve(&pem, 65536);
        if (!enough_memory)
            break;
        size_t got = fread(wf_buf_tail(&pem), 1, 65536, file);
        wf_buf_commit(&pem, got);
        if (got == 0) {
            failure = ferror(file) ? errno : 0;
            break;
        }
    }
    if (file != NULL)
        (void)fclose(file);

    bool done = false;
    char name[96];
    if (failure != 0) {
        (void)snprintf(name, sizeof(name), "cannot read the CA file %.60s: ", path);
        (void)fail(out_error, WF_IO_ERR_CONFIG, failure, 0, name, strerror(failure));
    } else if (!enough_memory) {
        (void)fail_memory(out_error);
    } else {
        done = load_pem(ctx, wf_buf_slice(&pem), path, out_error);
    }
    wf_buf_fini(&pem);
    return done;
}

static bool load_system(WOLFSSL_CTX *ctx, struct wf_io_error *out_error)
{
#ifdef WOLFSSL_SYS_CA_CERTS
    int ret = wolfSSL_CTX_load_system_CA_certs(ctx);
    if (ret == WOLFSSL_SUCCESS)
        return true;
    return fail(out_error, WF_IO_ERR_CONFIG, 0, ret, "the system has no CA certificates", "");
#else
    return load_file(ctx, "/etc/ssl/certs/ca-certificates.crt", out_error);
#endif
}

static bool load_trust(WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                       struct wf_io_error *out_error)
{
    if (config->insecure)
        return true;
    if (config->ca_file != NULL && !load_file(ctx, config->ca_file, out_error))
        return false;
    if (config->ca_pem.len > 0 && !load_pem(ctx, config->ca_pem, "the memory given", out_error))
        return false;
    return config->ca_file != NULL || config->ca_pem.len > 0 || load_system(ctx, out_error);
}

/* Nothing is left to defaults: they differ between versions and builds, and one of them is to
 * verify nothing. */
static bool set_up(WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                   struct wf_io_error *out_error)
{
    int groups[] = {WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_SECP384R1};
    wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER,
                           config->insecure ? wf_tls_accept_any : wf_tls_verified);
    if (wolfSSL_CTX_SetMinVersion(ctx, WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS)
        return fail(out_error, WF_IO_ERR_CONFIG, 0, 0, "TLS 1.2 cannot be made the minimum", "");
    if (wolfSSL_CTX_set_groups(ctx, groups, sizeof(groups) / sizeof(groups[0])) != WOLFSSL_SUCCESS)
        return fail(out_error, WF_IO_ERR_CONFIG, 0, 0, "the key exchange groups cannot be set", "");
    if (wolfSSL_CTX_set_cipher_list(ctx, wf_tls_aes_is_fast() ? aes_first : chacha_first) !=
        WOLFSSL_SUCCESS)
        return fail(out_error, WF_IO_ERR_CONFIG, 0, 0, "the cipher suites cannot be set", "");
#ifdef OPENSSL_EXTRA
    /* Where it is on by default a blocked handshake tries eleven times instead of once. */
    (void)wolfSSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
#endif
    return load_trust(ctx, config, out_error);
}

struct wf_tls_ctx *wf_tls_ctx_new(const struct wf_tls_config *config, struct wf_io_error *out_error)
{
    (void)pthread_once(&library_once, library_init);
    if (library_status != WOLFSSL_SUCCESS || wolfSSL_lib_version_hex() < OLDEST_WOLFSSL) {
        (void)fail(out_error, WF_IO_ERR_CONFIG, 0, library_status,
                   "wolfSSL does not start, or is too old: ", wolfSSL_lib_version());
        return NULL;
    }
    struct wf_tls_ctx *ctx = wf_calloc(1, sizeof(*ctx));
    if (ctx == NULL) {
        (void)fail_memory(out_error);
        return NULL;
    }
    ctx->insecure = config->insecure;
    ctx->wolfssl = wolfSSL_CTX_new(wolfSSLv23_client_method());
    if (ctx->wolfssl == NULL)
        (void)fail_memory(out_error);
    else if (set_up(ctx->wolfssl, config, out_error))
        return ctx;
    wf_tls_ctx_free(ctx);
    return NULL;
}

void wf_tls_ctx_free(struct wf_tls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    wolfSSL_CTX_free(ctx->wolfssl);
    wf_free(ctx);
}
