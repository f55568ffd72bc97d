/* Certificates. Chain, dates and signatures are wolfSSL's; the host is compared by verify.c, since
 * wolfSSL's own comparison differs between versions and builds, and in some of them checks nothing.
 */
#include "io_thread/tls_internal.h"
#include "io_thread/verify.h"

#include <wolfssl/wolfcrypt/error-crypt.h>

#if !defined(KEEP_PEER_CERT) && !defined(OPENSSL_EXTRA)
#error "this wolfSSL does not keep the peer's certificate: build it with KEEP_PEER_CERT"
#endif

/* The time in which all of the chain is valid, for those who resume. */
static void note_validity(struct wf_tls *tls, const WOLFSSL_X509_STORE_CTX *store)
{
    tls->not_before = INT64_MIN;
    tls->not_after = INT64_MAX;
    for (int i = 0; i < store->totalCerts; i++) {
        struct wf_slice der = wf_slice(store->certs[i].buffer, (size_t)store->certs[i].length);
        int64_t from, to;
        if (!wf_verify_validity(der, &from, &to))
            return;
        tls->not_before = from > tls->not_before ? from : tls->not_before;
        tls->not_after = to < tls->not_after ? to : tls->not_after;
    }
    tls->chain_seen = true;
}

/* Changes nothing: what wolfSSL found wrong stays wrong. Takes a look at the chain, where wolfSSL
 * was built to show it, and at a leaf that nobody known has signed, because wolfSSL has one number
 * for "unknown issuer" and "its own issuer". */
int wf_tls_verified(int is_valid, WOLFSSL_X509_STORE_CTX *store)
{
    struct wf_tls *tls = store->userCtx;
    if (tls != NULL && store->error_depth == 0 && store->totalCerts > 0 && store->certs != NULL) {
        if (is_valid == 1)
            note_validity(tls, store);
        else
            tls->self_issued = wf_verify_is_self_issued(
                wf_slice(store->certs[0].buffer, (size_t)store->certs[0].length));
    }
    return is_valid == 1;
}

/* With WOLFSSL_VERIFY_NONE a certificate for another purpose is refused all the same. */
int wf_tls_accept_any(int is_valid, WOLFSSL_X509_STORE_CTX *store)
{
    (void)is_valid;
    (void)store;
    return 1;
}

static enum wf_io_result fail_host(struct wf_tls *tls, enum wf_verify_result result)
{
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

static bool pins_hold(const struct wf_tls *tls, struct wf_slice leaf)
{
    struct wf_slice public_key;
    return tls->ctx->pins.count == 0 ||
           (wf_verify_public_key(leaf, &public_key) && wf_pins_match(&tls->ctx->pins, public_key));
}

static enum wf_io_result verify_leaf(struct wf_tls *tls, struct wf_slice leaf)
{
    if (!tls->insecure) {
        enum wf_io_result result = fail_host(tls, wf_verify_host(leaf, tls->host));
        if (result != WF_IO_OK)
            return result;
    }
    if (!pins_hold(tls, leaf))
        return wf_io_fail(&tls->base, WF_IO_ERR_PIN, 0, 0,
                          "the public key of %.64s is none of those that are pinned", tls->host);
    return WF_IO_OK;
}

static bool time_holds(const struct wf_tls *tls, const struct wf_tls_identity *identity)
{
    int64_t now = wf_tls_wall_clock();
    return tls->insecure || (now >= identity->not_before && now <= identity->not_after);
}

static struct wf_slice leaf_of(const struct wf_tls_identity *identity)
{
    return wf_slice(identity->leaf, identity->leaf_len);
}

bool wf_tls_identity_holds(const struct wf_tls *tls, const struct wf_tls_identity *identity)
{
    return time_holds(tls, identity) && pins_hold(tls, leaf_of(identity)) &&
           (tls->insecure || wf_verify_host(leaf_of(identity), tls->host) == WF_VERIFY_OK);
}

static enum wf_io_result verify_certificate(struct wf_tls *tls)
{
    WOLFSSL_X509 *certificate = wolfSSL_get_peer_certificate(tls->ssl);
    int len = 0;
    const unsigned char *der = certificate ? wolfSSL_X509_get_der(certificate, &len) : NULL;
    struct wf_slice leaf = wf_slice(der, der != NULL && len > 0 ? (size_t)len : 0);
    enum wf_io_result result = verify_leaf(tls, leaf);
    wolfSSL_X509_free(certificate);
    return result;
}

enum wf_io_result wf_tls_verify_server(struct wf_tls *tls)
{
    tls->resumed =
        tls->identity != NULL && !tls->chain_seen && wolfSSL_session_reused(tls->ssl) == 1;
    if (!tls->resumed) {
        wf_free(tls->identity); /* the server would not have the session */
        tls->identity = NULL;
        return verify_certificate(tls);
    }
    if (!time_holds(tls, tls->identity))
        return wf_io_fail(&tls->base, WF_IO_ERR_EXPIRED, 0, 0,
                          "the certificate of %.64s has expired", tls->host);
    return verify_leaf(tls, leaf_of(tls->identity));
}
