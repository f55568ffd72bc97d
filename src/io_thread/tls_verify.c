/* Certificates. Chain, dates and signatures are wolfSSL's; the host is compared by verify.c, since
 * wolfSSL's own comparison differs between versions and builds, and in some of them checks nothing.
 */
#include "io_thread/tls_internal.h"
#include "io_thread/verify.h"

#include <wolfssl/wolfcrypt/error-crypt.h>

#if !defined(KEEP_PEER_CERT) && !defined(OPENSSL_EXTRA)
#error "this wolfSSL does not keep the peer's certificate: build it with KEEP_PEER_CERT"
#endif

/* Changes nothing: what wolfSSL found wrong stays wrong. Only takes a look at a leaf that nobody
 * known has signed, because wolfSSL has one number for "unknown issuer" and "its own issuer". */
int wf_tls_verified(int is_valid, WOLFSSL_X509_STORE_CTX *store)
{
    if (is_valid == 1)
        return 1;
    struct wf_tls *tls = store->userCtx;
    if (tls != NULL && store->error_depth == 0 && store->totalCerts > 0 && store->certs != NULL)
        tls->self_issued = wf_verify_is_self_issued(
            wf_slice(store->certs[0].buffer, (size_t)store->certs[0].length));
    return 0;
}

/* With WOLFSSL_VERIFY_NONE a certificate for another purpose is refused all the same. */
int wf_tls_accept_any(int is_valid, WOLFSSL_X509_STORE_CTX *store)
{
    (void)is_valid;
    (void)store;
    return 1;
}

enum wf_io_result wf_tls_verify_host(struct wf_tls *tls)
{
    WOLFSSL_X509 *certificate = wolfSSL_get_peer_certificate(tls->ssl);
    int len = 0;
    const unsigned char *der = certificate ? wolfSSL_X509_get_der(certificate, &len) : NULL;
    enum wf_verify_result result = WF_VERIFY_MALFORMED;
    if (der != NULL && len > 0)
        result = wf_verify_host(wf_slice(der, (size_t)len), tls->host);
    wolfSSL_X509_free(certificate);

    switch (result) {
    case WF_VERIFY_OK:
        return WF_IO_OK;
    case WF_VERIFY_MISMATCH:
        return wf_io_fail(&tls->base, WF_IO_ERR_WRONG_HOST, 0, 0,
                          "the certificate is not for %.64s", tls->host);
    case WF_VERIFY_NO_NAMES:
        return wf_io_fail(&tls->base, WF_IO_ERR_WRONG_HOST, 0, 0,
                          "the certificate of %.64s has no subject alternative name", tls->host);
    case WF_VERIFY_MALFORMED:
        break;
    }
    return wf_io_fail(&tls->base, WF_IO_ERR_BAD_CERT, 0, 0,
                      "the certificate of %.64s cannot be read", tls->host);
}
