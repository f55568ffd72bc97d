/* wolfSSL's numbers as kinds and sentences. */
#include "io_thread/tls_internal.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include <errno.h>
#include <string.h>

struct cause {
    int code;
    enum wf_io_error_kind kind;
    const char *before; /* the host */
    const char *after;
};

/* Host names are cut to 64 octets, so that the cause is never what falls off the end. */
static const struct cause causes[] = {
    {ASN_SELF_SIGNED_E, WF_IO_ERR_UNTRUSTED, "the certificate of ", " has no trusted issuer"},
    {ASN_NO_SIGNER_E, WF_IO_ERR_UNTRUSTED, "the certificate of ", " has no trusted issuer"},
    {ASN_AFTER_DATE_E, WF_IO_ERR_EXPIRED, "the certificate of ", " has expired"},
    {ASN_BEFORE_DATE_E, WF_IO_ERR_NOT_YET_VALID, "the certificate of ", " is not valid yet"},
    {ASN_SIG_CONFIRM_E, WF_IO_ERR_BAD_CERT, "the certificate of ", " has a wrong signature"},
    {ASN_SIG_OID_E, WF_IO_ERR_BAD_CERT, "the certificate of ", " has a wrong signature"},
    {ASN_SIG_HASH_E, WF_IO_ERR_BAD_CERT, "the certificate of ", " has a wrong signature"},
    {KEYUSAGE_E, WF_IO_ERR_BAD_CERT, "the certificate of ", " is for another purpose"},
    {KEYUSE_SIGNATURE_E, WF_IO_ERR_BAD_CERT, "the certificate of ", " is for another purpose"},
    {KEYUSE_ENCIPHER_E, WF_IO_ERR_BAD_CERT, "the certificate of ", " is for another purpose"},
    {EXTKEYUSE_AUTH_E, WF_IO_ERR_BAD_CERT, "the certificate of ", " is for another purpose"},
    {EXTKEYUSAGE_E, WF_IO_ERR_BAD_CERT, "the certificate of ", " is for another purpose"},
    {NOT_CA_ERROR, WF_IO_ERR_BAD_CERT, "an issuer of the certificate of ", " is no CA"},
    {ASN_PATHLEN_SIZE_E, WF_IO_ERR_BAD_CERT, "the chain of the certificate of ", " is too long"},
    {ASN_PATHLEN_INV_E, WF_IO_ERR_BAD_CERT, "the chain of the certificate of ", " is too long"},
    {MAX_CHAIN_ERROR, WF_IO_ERR_BAD_CERT, "the chain of the certificate of ", " is too long"},
    {ASN_NAME_INVALID_E, WF_IO_ERR_BAD_CERT,
     "an issuer may not certify the name of the certificate of ", ""},
    {OCSP_CERT_REVOKED, WF_IO_ERR_BAD_CERT, "the certificate of ", " has been revoked"},
    {CRL_CERT_REVOKED, WF_IO_ERR_BAD_CERT, "the certificate of ", " has been revoked"},
    {NO_PEER_CERT, WF_IO_ERR_BAD_CERT, "", " sent no certificate"},
    {ASN_PARSE_E, WF_IO_ERR_BAD_CERT, "the certificate of ", " cannot be read"},
    {PEER_KEY_ERROR, WF_IO_ERR_BAD_CERT, "the key in the certificate of ", " cannot be used"},
    {ECC_KEY_SIZE_E, WF_IO_ERR_BAD_CERT, "the key in the certificate of ", " is too short"},
    {RSA_KEY_SIZE_E, WF_IO_ERR_BAD_CERT, "the key in the certificate of ", " is too short"},
    {VERSION_ERROR, WF_IO_ERR_TLS_VERSION, "", " speaks no version of TLS above 1.1"},
    {MEMORY_E, WF_IO_ERR_NO_MEMORY, "out of memory in TLS with ", ""},
#ifdef WOLFSSL_TICKET_NONCE_MALLOC
    {INVALID_PARAMETER, WF_IO_ERR_TLS_PROTOCOL, "", " sent a TLS message with a wrong value"},
#else
    {INVALID_PARAMETER, WF_IO_ERR_TICKET_NONCE, "",
     " sent what this wolfSSL cannot take; build it with ticket-nonce-malloc"},
#endif
    {VERIFY_MAC_ERROR, WF_IO_ERR_TLS_PROTOCOL, "a TLS record of ", " was altered on its way"},
};

static const char *alert_name(int alert)
{
    switch (alert) {
    case 10:
        return "unexpected message";
    case 20:
        return "bad record MAC";
    case 22:
        return "record overflow";
    case 40:
        return "handshake failure: no cipher suite, group or signature in common";
    case 42:
        return "bad certificate";
    case 43:
        return "unsupported certificate";
    case 44:
        return "certificate revoked";
    case 45:
        return "certificate expired";
    case 46:
        return "certificate unknown";
    case 47:
        return "illegal parameter";
    case 48:
        return "unknown CA";
    case 49:
        return "access denied";
    case 50:
        return "decode error";
    case 51:
        return "decrypt error";
    case 70:
        return "protocol version";
    case 71:
        return "insufficient security";
    case 80:
        return "internal error";
    case 86:
        return "inappropriate fallback";
    case 90:
        return "user canceled";
    case 109:
        return "missing extension";
    case 110:
        return "unsupported extension";
    case 112:
        return "unrecognized name: it knows no such host";
    case 116:
        return "certificate required: it wants a client certificate";
    case 120:
        return "no application protocol in common";
    default:
        return "unknown";
    }
}

/* Whether an alert is about the certificate of whom it is sent to (RFC 8446 section 6.2). */
static bool is_about_certificate(int alert)
{
    return (alert >= 42 && alert <= 46) || alert == 48 || alert == 116;
}

static enum wf_io_result fail_alert(struct wf_tls *tls, int tls_code, int alert)
{
    bool has_cert = tls->ctx != NULL && tls->ctx->has_client_cert;
    bool is_client = !tls->is_server && is_about_certificate(alert);
    if (is_client && has_cert)
        (void)wf_io_fail(&tls->base, WF_IO_ERR_CLIENT_CERT, 0, tls_code,
                         "%.48s refuses the client certificate: alert %d (%s)", tls->host, alert,
                         alert_name(alert));
    else if (is_client)
        (void)wf_io_fail(&tls->base, WF_IO_ERR_CLIENT_CERT, 0, tls_code,
                         "%.48s wants a client certificate: alert %d", tls->host, alert);
    else if (alert == 70) /* protocol_version */
        (void)wf_io_fail(&tls->base, WF_IO_ERR_TLS_VERSION, 0, tls_code,
                         "%.64s speaks no version of TLS that is allowed here", tls->host);
    else
        (void)wf_io_fail(&tls->base, WF_IO_ERR_TLS_ALERT, 0, tls_code,
                         "%.48s ended TLS by alert %d (%s)", tls->host, alert, alert_name(alert));
    tls->base.error.tls_alert = alert;
    return WF_IO_ERROR;
}

/* What wolfSSL does not know or says less well than the callbacks saw it. False: nothing. */
static bool fail_transport(struct wf_tls *tls, int tls_code)
{
    struct wf_transport *t = &tls->base;
    if (tls->not_tls)
        (void)wf_io_fail(t, WF_IO_ERR_NOT_TLS, 0, tls_code, "%.64s does not speak TLS on this port",
                         tls->host);
    else if (tls->out_of_memory)
        (void)wf_io_fail(t, WF_IO_ERR_NO_MEMORY, 0, tls_code, "out of memory in TLS with %.64s",
                         tls->host);
    else if (tls->owes_too_much)
        (void)wf_io_fail(t, WF_IO_ERR_TLS_PROTOCOL, 0, tls_code,
                         "%.64s asks for TLS answers and does not read them", tls->host);
    else if (tls->renegotiates)
        (void)wf_io_fail(t, WF_IO_ERR_TLS_PROTOCOL, 0, tls_code,
                         "%.64s asks for a new TLS handshake, which HTTP/2 forbids", tls->host);
    else if (wf_tls_is_flooded(tls))
        (void)wf_io_fail(t, WF_IO_ERR_TLS_LIMIT, 0, tls_code,
                         "%.64s passed the limit on TLS records without content", tls->host);
    else
        return false;
    return true;
}

static enum wf_io_result fail_closed(struct wf_tls *tls, int tls_code)
{
    struct wf_transport *t = &tls->base;
    if (!tls->handshake_done && tls->receive_errno != 0)
        return wf_io_fail(t, WF_IO_ERR_TLS_CLOSED, tls->receive_errno, tls_code,
                          "the TLS handshake with %.48s was cut off: %s", tls->host,
                          strerror(tls->receive_errno));
    if (!tls->handshake_done)
        return wf_io_fail(t, WF_IO_ERR_TLS_CLOSED, 0, tls_code,
                          "%.64s closed the connection in the TLS handshake", tls->host);
    if (tls->receive_errno != 0)
        return wf_io_fail(t, WF_IO_ERR_SYSTEM, tls->receive_errno, tls_code, "reading failed: %s",
                          strerror(tls->receive_errno));
    return wf_io_fail(t, WF_IO_ERR_TRUNCATED, 0, tls_code,
                      "%.64s closed the connection without ending TLS", tls->host);
}

enum wf_io_result wf_tls_fail(struct wf_tls *tls, int tls_code)
{
    if (fail_transport(tls, tls_code))
        return WF_IO_ERROR;
    WOLFSSL_ALERT_HISTORY alerts = {.last_rx = {.code = -1}};
    if (wolfSSL_get_alert_history(tls->ssl, &alerts) == WOLFSSL_SUCCESS &&
        alerts.last_rx.code > 0 && alerts.last_rx.level == alert_fatal)
        return fail_alert(tls, tls_code, alerts.last_rx.code);
    if (tls->self_issued && (tls_code == ASN_NO_SIGNER_E || tls_code == ASN_SELF_SIGNED_E))
        return wf_io_fail(&tls->base, WF_IO_ERR_UNTRUSTED, 0, tls_code,
                          "the certificate of %.64s is self-signed and not trusted", tls->host);
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        const struct cause *cause = &causes[i];
        /* In the handshake this code has other reasons. */
        if (cause->code == INVALID_PARAMETER && !tls->handshake_done)
            continue;
        if (cause->code == tls_code)
            return wf_io_fail(&tls->base, cause->kind, 0, tls_code, "%s%.64s%s", cause->before,
                              tls->host, cause->after);
    }
    if (tls->end_seen || tls->receive_errno != 0)
        return fail_closed(tls, tls_code);
    if (tls->send_errno != 0)
        return wf_tls_fail_send(tls);
    char reason[80];
    wolfSSL_ERR_error_string_n((unsigned long)tls_code, reason, sizeof(reason));
    return wf_io_fail(&tls->base, WF_IO_ERR_TLS_PROTOCOL, 0, tls_code, "TLS with %.40s: %s (%d)",
                      tls->host, reason, tls_code);
}

enum wf_io_result wf_tls_fail_send(struct wf_tls *tls)
{
    return wf_io_fail(&tls->base, tls->handshake_done ? WF_IO_ERR_SYSTEM : WF_IO_ERR_TLS_CLOSED,
                      tls->send_errno, 0, "writing failed: %s", strerror(tls->send_errno));
}
