/* Who we are, for servers that ask: a certificate with its chain, and its key. */
#include "io_thread/tls_setup.h"
#include "io_thread/verify.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include <string.h>

#define POINT_MAX 256u /* octets of an uncompressed point; of P-521: 133 */

static bool contains(struct wf_slice text, const char *word)
{
    return text.len > 0 && memmem(text.ptr, text.len, word, strlen(word)) != NULL;
}

static bool fail(struct wf_io_error *out_error, int tls_code, const char *what, const char *where)
{
    return wf_tls_setup_fail(out_error, WF_IO_ERR_CLIENT_CERT, 0, tls_code, what, where);
}

/* The file where one is named, else the memory. False: *out_error says why. */
static bool find(const char *path, struct wf_slice given, const char *what, struct wf_buf *file,
                 struct wf_slice *out, struct wf_io_error *out_error)
{
    *out = given;
    if (path == NULL)
        return true;
    if (!wf_tls_read_file(path, what, file, out_error)) {
        if (out_error->kind == WF_IO_ERR_CONFIG)
            out_error->kind = WF_IO_ERR_CLIENT_CERT;
        return false;
    }
    *out = wf_buf_slice(file);
    return true;
}

/* Whether the public key that @private_key makes is @public_key, a SubjectPublicKeyInfo. True also
 * when it is not an EC key. */
static bool points_agree(ecc_key *private_key, struct wf_slice private_der, ecc_key *public_key,
                         struct wf_slice public_der)
{
    uint8_t made[POINT_MAX];
    uint8_t certified[POINT_MAX];
    word32 made_len = sizeof(made);
    word32 certified_len = sizeof(certified);
    word32 at = 0;
    if (wc_EccPrivateKeyDecode(private_der.ptr, &at, private_key, (word32)private_der.len) != 0)
        return true;
    at = 0;
    return wc_EccPublicKeyDecode(public_der.ptr, &at, public_key, (word32)public_der.len) == 0 &&
           wc_ecc_make_pub(private_key, NULL) == 0 &&
           wc_ecc_export_x963(private_key, made, &made_len) == 0 &&
           wc_ecc_export_x963(public_key, certified, &certified_len) == 0 &&
           made_len == certified_len && memcmp(made, certified, made_len) == 0;
}

/* @cert_der and @key_der have room for as many octets as the PEM has. */
static bool pem_pair_agrees(struct wf_slice cert, struct wf_slice key, uint8_t *cert_der,
                            uint8_t *key_der, ecc_key *private_key, ecc_key *public_key)
{
    struct wf_slice public_der;
    int cert_len = wc_CertPemToDer(cert.ptr, (int)cert.len, cert_der, (int)cert.len, CERT_TYPE);
    int key_len = wc_KeyPemToDer(key.ptr, (int)key.len, key_der, (int)key.len, NULL);
    return cert_len > 0 && key_len > 0 &&
           wf_verify_public_key(wf_slice(cert_der, (size_t)cert_len), &public_der) &&
           points_agree(private_key, wf_slice(key_der, (size_t)key_len), public_key, public_der);
}

/* What wolfSSL_CTX_check_private_key() asks of an EC key differs between builds, and in Debian's it
 * is no more than that the certificate's point lies on the curve. Of other keys it is right. */
static bool ec_pair_agrees(struct wf_slice cert, struct wf_slice key, bool *out_no_memory)
{
    uint8_t *cert_der = wf_alloc(cert.len);
    uint8_t *key_der = wf_alloc(key.len);
    ecc_key *private_key = wc_ecc_key_new(NULL);
    ecc_key *public_key = wc_ecc_key_new(NULL);
    *out_no_memory =
        cert_der == NULL || key_der == NULL || private_key == NULL || public_key == NULL;
    bool agrees =
        !*out_no_memory && pem_pair_agrees(cert, key, cert_der, key_der, private_key, public_key);
    if (key_der != NULL)
        explicit_bzero(key_der, key.len);
    wc_ecc_key_free(public_key);
    wc_ecc_key_free(private_key);
    wf_free(key_der);
    wf_free(cert_der);
    return agrees;
}

static bool use(WOLFSSL_CTX *ctx, struct wf_slice cert, const char *cert_name, struct wf_slice key,
                const char *key_name, struct wf_io_error *out_error)
{
    int ret = cert.len == 0 || cert.len > INT32_MAX
                  ? WOLFSSL_FAILURE
                  : wolfSSL_CTX_use_certificate_chain_buffer(ctx, cert.ptr, (long)cert.len);
    if (ret == MEMORY_E)
        return wf_tls_setup_no_memory(out_error);
    if (ret != WOLFSSL_SUCCESS)
        return fail(out_error, ret, "no client certificate that can be used is in ", cert_name);
    if (contains(key, "ENCRYPTED"))
        return fail(out_error, 0, "keys with a password are not supported: decrypt the one in ",
                    key_name);
    ret =
        key.len == 0 || key.len > INT32_MAX
            ? WOLFSSL_FAILURE
            : wolfSSL_CTX_use_PrivateKey_buffer(ctx, key.ptr, (long)key.len, WOLFSSL_FILETYPE_PEM);
    if (ret == MEMORY_E)
        return wf_tls_setup_no_memory(out_error);
    if (ret != WOLFSSL_SUCCESS)
        return fail(out_error, ret, "no private key that can be used is in ", key_name);
    bool no_memory = false;
    bool agrees = wolfSSL_CTX_check_private_key(ctx) == WOLFSSL_SUCCESS &&
                  ec_pair_agrees(cert, key, &no_memory);
    if (no_memory)
        return wf_tls_setup_no_memory(out_error);
    if (!agrees)
        return fail(out_error, 0, "the private key does not belong to the client certificate in ",
                    cert_name);
    return true;
}

bool wf_tls_client_cert_set(WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                            struct wf_io_error *out_error)
{
    bool has_cert = config->cert_file != NULL || config->cert_pem.len > 0;
    bool has_key = config->key_file != NULL || config->key_pem.len > 0;
    if (!has_cert)
        return !has_key || fail(out_error, 0, "a private key is given without a certificate", "");

    static const char in_memory[] = "the memory given";
    const char *cert_name = config->cert_file != NULL ? config->cert_file : in_memory;
    const char *key_name = config->key_file != NULL  ? config->key_file
                           : config->key_pem.len > 0 ? in_memory
                                                     : cert_name;
    struct wf_buf cert_file;
    struct wf_buf key_file;
    struct wf_slice cert;
    struct wf_slice key;
    wf_buf_init(&cert_file);
    wf_buf_init(&key_file);
    bool done =
        find(config->cert_file, config->cert_pem, "client certificate", &cert_file, &cert,
             out_error) &&
        find(config->key_file, config->key_pem, "private key", &key_file, &key, out_error) &&
        use(ctx, cert, cert_name, has_key ? key : cert, key_name, out_error);
    /* Keys do not stay behind in memory that others get. */
    if (key_file.data != NULL)
        explicit_bzero(key_file.data, key_file.cap);
    if (cert_file.data != NULL)
        explicit_bzero(cert_file.data, cert_file.cap);
    wf_buf_fini(&cert_file);
    wf_buf_fini(&key_file);
    return done;
}
