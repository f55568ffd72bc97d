/* Sessions of earlier connections, offered and kept. */
#include "io_thread/tls_internal.h"

#include <time.h>

/* Longer tickets are not worth their memory. */
#define TICKET_MAX 4096u

int64_t wf_tls_wall_clock(void)
{
    return (int64_t)time(NULL);
}

/* FNV-1a: for telling tickets apart, which are random anyway. */
static uint64_t hash_of(const uint8_t *octets, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ octets[i]) * 0x100000001b3u;
    return hash;
}

/* 0: there is none, or it is too long. */
static uint64_t ticket_of(WOLFSSL *ssl)
{
    uint8_t ticket[TICKET_MAX];
    unsigned len = TICKET_MAX;
    if (wolfSSL_get_SessionTicket(ssl, ticket, &len) != WOLFSSL_SUCCESS || len == 0)
        return 0;
    return hash_of(ticket, len);
}

void wf_tls_resume(struct wf_tls *tls)
{
    struct wf_tls_identity *identity = NULL;
    WOLFSSL_SESSION *session =
        wf_tls_sessions_take(&tls->io->sessions, tls->key, wf_tls_wall_clock(), &identity);
    if (session == NULL)
        return;
    /* What does not hold any more is found out, and told, by a full handshake. */
    if (wf_tls_identity_holds(tls, identity) &&
        wolfSSL_set_session(tls->ssl, session) == WOLFSSL_SUCCESS) {
        tls->identity = identity;
        identity = NULL;
        tls->ticket_hash = ticket_of(tls->ssl);
        wf_tls_sessions_note_offered(&tls->io->sessions, tls->ticket_hash);
    }
    wolfSSL_SESSION_free(session);
    wf_free(identity);
}

/* NULL: no memory, or the chain was not seen. */
static struct wf_tls_identity *identity_of(struct wf_tls *tls)
{
    if (tls->identity != NULL) {
        struct wf_tls_identity *copy =
            wf_tls_identity_new(wf_slice(tls->identity->leaf, tls->identity->leaf_len));
        if (copy != NULL) {
            copy->not_before = tls->identity->not_before;
            copy->not_after = tls->identity->not_after;
            copy->verified = tls->identity->verified;
        }
        return copy;
    }
    if (!tls->chain_seen && !tls->insecure)
        return NULL;
    WOLFSSL_X509 *certificate = wolfSSL_get_peer_certificate(tls->ssl);
    int len = 0;
    const unsigned char *der = certificate ? wolfSSL_X509_get_der(certificate, &len) : NULL;
    struct wf_tls_identity *identity =
        der != NULL && len > 0 ? wf_tls_identity_new(wf_slice(der, (size_t)len)) : NULL;
    wolfSSL_X509_free(certificate);
    if (identity != NULL) {
        identity->not_before = tls->not_before;
        identity->not_after = tls->not_after;
        identity->verified = wf_tls_wall_clock();
    }
    return identity;
}

void wf_tls_keep_session(struct wf_tls *tls)
{
    bool tls13 = strcmp(wolfSSL_get_version(tls->ssl), "TLSv1.3") == 0;
    /* With a session of TLS 1.2 wolfSSL offers nothing newer: a server that has learned TLS 1.3 in
     * the meantime, and maybe nothing else, could not be talked to. */
    if (!tls13 && !tls->ctx->tls12_only)
        return;
    uint64_t hash = ticket_of(tls->ssl);
    /* A ticket of TLS 1.3 is used once, so that nobody who listens can tell that two connections
     * are of one client. Sessions of TLS 1.2 are known by their identifier as well. */
    if (tls13 ? hash == 0 || hash == tls->ticket_hash ||
                    wf_tls_sessions_was_offered(&tls->io->sessions, hash)
              : tls->has_kept && hash == tls->ticket_hash)
        return;
    tls->has_kept = true;
    tls->ticket_hash = hash;
    struct wf_tls_identity *identity = identity_of(tls);
    WOLFSSL_SESSION *session = identity == NULL ? NULL : wolfSSL_get1_session(tls->ssl);
    if (session == NULL) {
        wf_free(identity);
        return;
    }
    wf_tls_sessions_put(&tls->io->sessions, tls->key, session, identity, wf_tls_wall_clock());
}
