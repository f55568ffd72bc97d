#include "io_thread/tls_keylog.h"

#include "io_thread/tls_setup.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANDOM_LEN 32u
#define SECRET_MAX 64u

/* wolfSSL tells TLS 1.3 secrets by a callback, which is an option of its build; those of TLS 1.2
 * only where it imitates OpenSSL, which a lean build does not. */
#if defined(HAVE_SECRET_CALLBACK) && defined(WOLFSSL_TLS13)
#define CAN_LOG 1
#else
#define CAN_LOG 0
#endif

struct wf_keylog {
    int fd;
};

bool wf_keylog_open(const char *path, struct wf_keylog **out, struct wf_io_error *out_error)
{
    bool asked = path != NULL;
    *out = NULL;
    if (!asked)
        path = secure_getenv("SSLKEYLOGFILE");
    if (path == NULL || path[0] == '\0')
        return true;
    if (!CAN_LOG) {
        (void)wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, 0,
                                "no keys are logged: wolfSSL was built without "
                                "HAVE_SECRET_CALLBACK (see scripts/setup)",
                                "");
        return !asked;
    }
    struct wf_keylog *keylog = wf_calloc(1, sizeof(*keylog));
    if (keylog == NULL)
        return wf_tls_setup_no_memory(out_error);
    /* Without blocking: it may be a pipe that nobody reads. */
    keylog->fd =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (keylog->fd < 0) {
        int failure = errno;
        char what[112];
        wf_free(keylog);
        (void)snprintf(what, sizeof(what), "cannot write the key log %.60s: ", path);
        (void)wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, failure, 0, what, strerror(failure));
        return !asked;
    }
    *out = keylog;
    return true;
}

void wf_keylog_close(struct wf_keylog *keylog)
{
    if (keylog == NULL)
        return;
    (void)close(keylog->fd);
    wf_free(keylog);
}

#if CAN_LOG
static size_t append_hex(char *line, size_t at, const uint8_t *octets, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        line[at++] = digits[octets[i] >> 4];
        line[at++] = digits[octets[i] & 15u];
    }
    return at;
}

/* One write, so that lines of several threads and processes do not mix. */
static void write_line(const struct wf_keylog *keylog, WOLFSSL *ssl, const char *label,
                       const uint8_t *secret, size_t secret_len)
{
    char line[64 + 2 * RANDOM_LEN + 2 * SECRET_MAX];
    uint8_t client_random[RANDOM_LEN];
    if (secret_len > SECRET_MAX || strlen(label) > 40 ||
        wolfSSL_get_client_random(ssl, client_random, RANDOM_LEN) != RANDOM_LEN)
        return;
    size_t len = strlen(label);
    memcpy(line, label, len);
    line[len++] = ' ';
    len = append_hex(line, len, client_random, RANDOM_LEN);
    line[len++] = ' ';
    len = append_hex(line, len, secret, secret_len);
    line[len++] = '\n';
    ssize_t written = write(keylog->fd, line, len);
    (void)written; /* a full disk is no reason to end a connection */
    explicit_bzero(line, sizeof(line));
}

static int secret_found(WOLFSSL *ssl, int id, const unsigned char *secret, int len, void *user)
{
    const char *label = NULL;
    if (id == CLIENT_HANDSHAKE_TRAFFIC_SECRET)
        label = "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
    else if (id == SERVER_HANDSHAKE_TRAFFIC_SECRET)
        label = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    else if (id == CLIENT_TRAFFIC_SECRET)
        label = "CLIENT_TRAFFIC_SECRET_0";
    else if (id == SERVER_TRAFFIC_SECRET)
        label = "SERVER_TRAFFIC_SECRET_0";
    else if (id == EXPORTER_SECRET)
        label = "EXPORTER_SECRET";
    if (label != NULL && len > 0)
        write_line(user, ssl, label, secret, (size_t)len);
    return 0;
}
#endif

bool wf_keylog_watch(struct wf_keylog *keylog, WOLFSSL *ssl)
{
#if CAN_LOG
    wolfSSL_KeepArrays(ssl); /* or TLS 1.2 has forgotten its secret when the handshake is done */
    return wolfSSL_set_tls13_secret_cb(ssl, secret_found, keylog) == WOLFSSL_SUCCESS;
#else
    (void)keylog;
    (void)ssl;
    return false;
#endif
}

void wf_keylog_handshake_done(struct wf_keylog *keylog, WOLFSSL *ssl)
{
#if CAN_LOG
    if (strcmp(wolfSSL_get_version(ssl), "TLSv1.2") == 0) {
#ifdef OPENSSL_EXTRA
        unsigned char *master;
        unsigned char *unused;
        unsigned len;
        unsigned unused_len;
        if (wolfSSL_get_keys(ssl, &master, &len, &unused, &unused_len, &unused, &unused_len) ==
            WOLFSSL_SUCCESS)
            write_line(keylog, ssl, "CLIENT_RANDOM", master, len);
#else
        static const char missing[] =
            "# a connection of TLS 1.2: this wolfSSL does not tell its secret (no OPENSSL_EXTRA); "
            "with TLS 1.3 it does\n";
        ssize_t written = write(keylog->fd, missing, sizeof(missing) - 1);
        (void)written;
#endif
    }
    wolfSSL_FreeArrays(ssl);
#else
    (void)keylog;
    (void)ssl;
#endif
}
