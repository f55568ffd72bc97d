#include "tls.h"

#include "certificate.h"
#include "io_thread/tls_ctx.h"
#include "io_thread/tls_internal.h"
#include "options.h"

#include <string.h>

struct serve_tls {
    WOLFSSL_CTX *ctx;
};

static const char aes_first[] =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char chacha_first[] =
    "TLS13-CHACHA20-POLY1305-SHA256:TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

static bool use_files(struct serve_tls *tls, const struct serve_options *options, FILE *err)
{
    const char *wrong = NULL;
    if (wolfSSL_CTX_use_certificate_chain_file(tls->ctx, options->cert) != WOLFSSL_SUCCESS)
        wrong = options->cert;
    else if (wolfSSL_CTX_use_PrivateKey_file(tls->ctx, options->key, WOLFSSL_FILETYPE_PEM) !=
             WOLFSSL_SUCCESS)
        wrong = options->key;
    if (wrong != NULL)
        fprintf(err, "weft-serve: '%s' cannot be read or is not what it should be\n", wrong);
    return wrong == NULL;
}

static bool use_made(struct serve_tls *tls, const struct serve_options *options, FILE *err)
{
    struct serve_certificate made;
    int ret = serve_certificate_make(&made);
    if (ret != 0) {
        fprintf(
            err,
            "weft-serve: no certificate could be made (wolfSSL error %d); use --cert and --key\n",
            ret);
        return false;
    }
    int error =
        options->write_cert != NULL ? serve_certificate_write(&made, options->write_cert) : 0;
    if (error != 0) {
        fprintf(err, "weft-serve: '%s' cannot be written: %s\n", options->write_cert,
                strerror(error));
        return false;
    }
    if (wolfSSL_CTX_use_certificate_buffer(tls->ctx, made.cert, (long)made.cert_len,
                                           WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS &&
        wolfSSL_CTX_use_PrivateKey_buffer(tls->ctx, made.key, (long)made.key_len,
                                          WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS)
        return true;
    fprintf(err, "weft-serve: wolfSSL does not take the certificate that it made\n");
    return false;
}

/* Versions, groups and suites are never left to defaults, which differ between builds of wolfSSL.
 */
static bool set_up(WOLFSSL_CTX *ctx)
{
    int groups[] = {WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_SECP384R1};
    if (wolfSSL_CTX_SetMinVersion(ctx, WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS)
        return false;
    wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_NONE, NULL);
    if (wolfSSL_CTX_set_groups(ctx, groups, 3) != WOLFSSL_SUCCESS)
        return false;
#ifdef OPENSSL_EXTRA
    /* Where it is on by default a blocked handshake tries eleven times instead of once. */
    (void)wolfSSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
#endif
    return wolfSSL_CTX_set_cipher_list(ctx, wf_tls_aes_is_fast() ? aes_first : chacha_first) ==
           WOLFSSL_SUCCESS;
}

struct serve_tls *serve_tls_new(const struct serve_options *options, FILE *err)
{
    if (wolfSSL_Init() != WOLFSSL_SUCCESS) {
        fprintf(err, "weft-serve: wolfSSL does not start\n");
        return NULL;
    }
    struct serve_tls *tls = wf_calloc(1, sizeof(*tls));
    if (tls != NULL)
        tls->ctx = wolfSSL_CTX_new(wolfSSLv23_server_method());
    if (tls == NULL || tls->ctx == NULL || !set_up(tls->ctx)) {
        fprintf(err, "weft-serve: TLS cannot be set up\n");
        goto fail;
    }
    if (options->cert != NULL ? use_files(tls, options, err) : use_made(tls, options, err))
        return tls;
fail:
    if (tls != NULL)
        wolfSSL_CTX_free(tls->ctx);
    wf_free(tls);
    (void)wolfSSL_Cleanup();
    return NULL;
}

void serve_tls_free(struct serve_tls *tls)
{
    if (tls == NULL)
        return;
    wolfSSL_CTX_free(tls->ctx);
    wf_free(tls);
    (void)wolfSSL_Cleanup(); /* the process is about to end */
}

struct wf_transport *serve_tls_accept(struct serve_tls *tls, struct wf_tls_io *io, int fd)
{
    char alpn[] = "h2"; /* wolfSSL wants it writable */
    WOLFSSL *ssl = wolfSSL_new(tls->ctx);
    if (ssl == NULL)
        return NULL;
    struct wf_transport *transport = NULL;
    /* RFC 7301 section 3.2: no protocol in common is a fatal alert. */
    if (wolfSSL_UseALPN(ssl, alpn, 2, WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS)
        transport = wf_tls_new_server(ssl, io, fd);
    if (transport == NULL)
        wolfSSL_free(ssl);
    return transport;
}

void serve_tls_goodbye(struct wf_transport *transport)
{
    wf_tls_say_goodbye(transport);
}
