#include "support/tls_pair.h"

#include "support/cmocka.h"

#include <stdio.h>
#include <sys/socket.h>

#define TURNS_MAX 200000 /* a pair that makes no progress fails instead of hanging */

static void make_context(struct tls_pair *pair, const struct tls_pair_config *config)
{
    char ca[512];
    struct wf_io_error error = {0};
    struct wf_tls_config tls = {0};
    if (config->like != NULL) {
        pair->ctx = config->like->ctx;
        pair->io = config->like->io;
        pair->is_like = true;
        return;
    }
    (void)snprintf(ca, sizeof(ca), "%s/%s.pem", WEFT_TEST_CERTS,
                   config->ca != NULL ? config->ca : "root");
    if (config->tls != NULL)
        tls = *config->tls;
    tls.ca_file = ca;
    tls.insecure = config->insecure;
    pair->ctx = wf_tls_ctx_new(&tls, &error);
    assert_string_equal(error.text, "");
    assert_non_null(pair->ctx);
    pair->io = wf_tls_io_new();
    assert_non_null(pair->io);
    wf_tls_io_keep_sessions(pair->io, 8);
}

void tls_pair_init(struct tls_pair *pair, const struct tls_pair_config *config)
{
    int fds[2];
    struct wf_io_error error = {0};
    struct tls_peer_config peer = config->peer;
    *pair = (struct tls_pair){0};
    pair->push_at_once = config->push_at_once == 0 ? SIZE_MAX : config->push_at_once;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    if (config->like != NULL && peer.certificate == NULL)
        peer.like = &config->like->peer;
    tls_peer_init(&pair->peer, fds[1], &peer);
    make_context(pair, config);
    pair->client_fd = fds[0];
    pair->client =
        wf_tls_new(pair->ctx, pair->io, fds[0], config->host != NULL ? config->host : "good.test",
                   config->port != 0 ? config->port : 443, config->alpn, &error);
    assert_non_null(pair->client);
}

void tls_pair_fini(struct tls_pair *pair)
{
    wf_transport_free(pair->client);
    if (!pair->is_like) {
        wf_tls_io_free(pair->io);
        wf_tls_ctx_free(pair->ctx);
    }
    tls_peer_fini(&pair->peer);
    if (!pair->is_like)
        wf_tls_thread_end();
}

enum wf_io_result tls_pair_handshake(struct tls_pair *pair)
{
    bool accepted = false;
    enum wf_io_result result = WF_IO_AGAIN;
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        if (result == WF_IO_AGAIN)
            result = wf_transport_handshake(pair->client);
        if (result == WF_IO_ERROR)
            return result;
        tls_peer_pull(&pair->peer);
        accepted = accepted || tls_peer_accept(&pair->peer);
        (void)tls_peer_push(&pair->peer, pair->push_at_once);
        if (accepted && result == WF_IO_OK)
            return result;
    }
    fail_msg("the handshake makes no progress");
    return WF_IO_ERROR;
}

void tls_pair_connect(struct tls_pair *pair, const struct tls_pair_config *config)
{
    tls_pair_init(pair, config);
    enum wf_io_result result = tls_pair_handshake(pair);
    assert_string_equal(pair->client->error.text, "");
    assert_int_equal(result, WF_IO_OK);
}

enum wf_io_result tls_pair_read_all(struct tls_pair *pair, struct wf_buf *into)
{
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        size_t pushed = tls_peer_push(&pair->peer, pair->push_at_once);
        enum wf_io_result result = WF_IO_OK;
        while (result == WF_IO_OK) {
            size_t len;
            assert_true(wf_buf_reserve(into, 65536));
            result = wf_transport_read(pair->client, wf_buf_tail(into), 65536, &len);
            wf_buf_commit(into, len);
        }
        if (result != WF_IO_AGAIN || pushed == 0)
            return result;
    }
    fail_msg("reading makes no progress");
    return WF_IO_ERROR;
}

void tls_pair_peer_read(struct tls_pair *pair, struct wf_buf *into, size_t len)
{
    uint8_t buf[16384];
    for (int turn = 0; turn < TURNS_MAX && wf_buf_len(into) < len; turn++) {
        tls_peer_pull(&pair->peer);
        int got = tls_peer_read(&pair->peer, buf, sizeof(buf));
        assert_true(got >= 0);
        assert_true(wf_buf_append(into, buf, (size_t)got));
        assert_int_not_equal(wf_transport_flush(pair->client), WF_IO_ERROR);
    }
    assert_int_equal(wf_buf_len(into), len);
}

void tls_pair_write(struct tls_pair *pair, const void *octets, size_t len)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)octets, .iov_len = len};
    size_t taken;
    assert_int_equal(wf_transport_write(pair->client, &iov, 1, &taken), WF_IO_OK);
    assert_int_equal(taken, len);
}

void fill_pattern(uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
}
