#include "support/tls_peer.h"

#include "support/cmocka.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int receive(WOLFSSL *ssl, char *buf, int len, void *context)
{
    struct tls_peer *peer = context;
    size_t have = wf_buf_len(&peer->in);
    size_t take = (size_t)len < have ? (size_t)len : have;
    (void)ssl;
    if (take == 0)
        return peer->end_seen ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_WANT_READ;
    memcpy(buf, peer->in.data + peer->in.start, take);
    wf_buf_consume(&peer->in, take);
    return (int)take;
}

static int transmit(WOLFSSL *ssl, char *buf, int len, void *context)
{
    struct tls_peer *peer = context;
    (void)ssl;
    return wf_buf_append(&peer->out, buf, (size_t)len) ? len : WOLFSSL_CBIO_ERR_GENERAL;
}

static void load_certificate(struct tls_peer *peer, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.chain.pem", WEFT_TEST_CERTS, name);
    if (access(path, R_OK) != 0)
        (void)snprintf(path, sizeof(path), "%s/%s.pem", WEFT_TEST_CERTS, name);
    assert_int_equal(wolfSSL_CTX_use_certificate_chain_file(peer->ctx, path), WOLFSSL_SUCCESS);
    (void)snprintf(path, sizeof(path), "%s/%s.key", WEFT_TEST_CERTS, name);
    assert_int_equal(wolfSSL_CTX_use_PrivateKey_file(peer->ctx, path, WOLFSSL_FILETYPE_PEM),
                     WOLFSSL_SUCCESS);
}

static void ask_for_certificate(struct tls_peer *peer, const char *issuer)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.pem", WEFT_TEST_CERTS, issuer);
    assert_int_equal(wolfSSL_CTX_load_verify_locations(peer->ctx, path, NULL), WOLFSSL_SUCCESS);
    wolfSSL_CTX_set_verify(peer->ctx, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
}

static void make_context(struct tls_peer *peer, const struct tls_peer_config *config)
{
    if (config->like != NULL) {
        peer->ctx = config->like->ctx;
        assert_int_equal(wolfSSL_CTX_up_ref(peer->ctx), WOLFSSL_SUCCESS);
        return;
    }
    peer->ctx =
        wolfSSL_CTX_new(config->tls12 ? wolfTLSv1_2_server_method() : wolfTLSv1_3_server_method());
    assert_non_null(peer->ctx);
    load_certificate(peer, config->certificate);
    if (config->client_ca != NULL)
        ask_for_certificate(peer, config->client_ca);
}

void tls_peer_init(struct tls_peer *peer, int fd, const struct tls_peer_config *config)
{
    *peer = (struct tls_peer){.fd = fd};
    assert_int_equal(wolfSSL_Init(), WOLFSSL_SUCCESS);
    make_context(peer, config);
    peer->ssl = wolfSSL_new(peer->ctx);
    assert_non_null(peer->ssl);
    wolfSSL_SSLSetIORecv(peer->ssl, receive);
    wolfSSL_SSLSetIOSend(peer->ssl, transmit);
    wolfSSL_SetIOReadCtx(peer->ssl, peer);
    wolfSSL_SetIOWriteCtx(peer->ssl, peer);
    if (config->alpn != NULL) {
        char names[64];
        (void)snprintf(names, sizeof(names), "%s", config->alpn);
        assert_int_equal(wolfSSL_UseALPN(peer->ssl, names, (unsigned)strlen(names),
                                         WOLFSSL_ALPN_CONTINUE_ON_MISMATCH),
                         WOLFSSL_SUCCESS);
    }
}

void tls_peer_fini(struct tls_peer *peer)
{
    wolfSSL_free(peer->ssl);
    wolfSSL_CTX_free(peer->ctx);
    (void)wolfSSL_Cleanup();
    if (peer->fd >= 0)
        (void)close(peer->fd);
    wf_buf_fini(&peer->in);
    wf_buf_fini(&peer->out);
    wf_buf_fini(&peer->wire);
}

bool tls_peer_accept(struct tls_peer *peer)
{
    return wolfSSL_accept(peer->ssl) == WOLFSSL_SUCCESS;
}

void tls_peer_write(struct tls_peer *peer, const void *octets, size_t len)
{
    assert_int_equal(wolfSSL_write(peer->ssl, octets, (int)len), len);
}

int tls_peer_read(struct tls_peer *peer, void *buf, size_t cap)
{
    int ret = wolfSSL_read(peer->ssl, buf, (int)cap);
    if (ret > 0)
        return ret;
    int code = wolfSSL_get_error(peer->ssl, ret);
    if (code == WOLFSSL_ERROR_WANT_READ)
        return 0;
    return code == WOLFSSL_ERROR_ZERO_RETURN ? -1 : -2;
}

void tls_peer_close_notify(struct tls_peer *peer)
{
    (void)wolfSSL_shutdown(peer->ssl);
}

void tls_peer_update_keys(struct tls_peer *peer)
{
    assert_int_equal(wolfSSL_update_keys(peer->ssl), WOLFSSL_SUCCESS);
}

void tls_peer_pull(struct tls_peer *peer)
{
    uint8_t buf[16384];
    ssize_t got;
    while ((got = recv(peer->fd, buf, sizeof(buf), 0)) > 0) {
        assert_true(wf_buf_append(&peer->in, buf, (size_t)got));
        assert_true(wf_buf_append(&peer->wire, buf, (size_t)got));
    }
    if (got == 0)
        peer->end_seen = true;
}

size_t tls_peer_push(struct tls_peer *peer, size_t max)
{
    size_t have = wf_buf_len(&peer->out);
    size_t want = max < have ? max : have;
    if (want == 0)
        return 0;
    ssize_t sent = send(peer->fd, peer->out.data + peer->out.start, want, MSG_NOSIGNAL);
    if (sent <= 0)
        return 0;
    wf_buf_consume(&peer->out, (size_t)sent);
    return (size_t)sent;
}

void tls_peer_hang_up(struct tls_peer *peer)
{
    (void)close(peer->fd);
    peer->fd = -1;
}

size_t tls_count_records(struct wf_slice wire, uint8_t type)
{
    size_t count = 0;
    while (wire.len >= 5) {
        size_t len = 5 + ((size_t)wire.ptr[3] << 8 | wire.ptr[4]);
        if (len > wire.len)
            break;
        count += wire.ptr[0] == type;
        wire = wf_slice_skip(wire, len);
    }
    return count;
}
