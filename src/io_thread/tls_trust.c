/* Whom we believe: the certificates of authorities that are given, else the system's. */
#include "io_thread/tls_setup.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_FILES_MAX 4096u

/* One file with all of them costs a third of the directory in which each has a file and two links:
 * the names of Debian and its kin, Fedora, openSUSE, Alpine and BSD. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static bool load_pem(WOLFSSL_CTX *ctx, struct wf_slice pem, const char *name,
                     struct wf_io_error *out_error)
{
    int ret =
        pem.len == 0 || pem.len > INT32_MAX
            ? WOLFSSL_FAILURE
            : wolfSSL_CTX_load_verify_buffer(ctx, pem.ptr, (long)pem.len, WOLFSSL_FILETYPE_PEM);
    if (ret == WOLFSSL_SUCCESS)
        return true;
    if (ret == MEMORY_E)
        return wf_tls_setup_no_memory(out_error);
    return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, ret,
                             "no CA certificate that can be used is in ", name);
}

static bool load_file(WOLFSSL_CTX *ctx, const char *path, struct wf_io_error *out_error)
{
    struct wf_buf pem;
    wf_buf_init(&pem);
    bool done = wf_tls_read_file(path, "CA file", &pem, out_error) &&
                load_pem(ctx, wf_buf_slice(&pem), path, out_error);
    wf_buf_fini(&pem);
    return done;
}

/* Anything may lie in such a directory; what is no certificate is passed over. False: out of
 * memory. */
static bool load_entry(WOLFSSL_CTX *ctx, const char *path, const char *name, unsigned *count,
                       struct wf_io_error *out_error)
{
    char file[1024];
    struct stat status;
    struct wf_io_error error = {.kind = WF_IO_ERR_NONE};
    int len = snprintf(file, sizeof(file), "%s/%s", path, name);
    if (len < 0 || (size_t)len >= sizeof(file) || stat(file, &status) != 0 ||
        !S_ISREG(status.st_mode))
        return true;
    if (load_file(ctx, file, &error)) {
        ++*count;
        return true;
    }
    *out_error = error;
    return error.kind != WF_IO_ERR_NO_MEMORY;
}

static bool load_path(WOLFSSL_CTX *ctx, const char *path, struct wf_io_error *out_error)
{
    char what[112];
    DIR *directory = opendir(path);
    if (directory == NULL) {
        int failure = errno;
        (void)snprintf(what, sizeof(what), "cannot read the CA directory %.60s: ", path);
        return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, failure, 0, what, strerror(failure));
    }
    unsigned count = 0;
    unsigned seen = 0;
    bool enough_memory = true;
    const struct dirent *entry;
    while (enough_memory && seen < PATH_FILES_MAX && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        seen++;
        enough_memory = load_entry(ctx, path, entry->d_name, &count, out_error);
    }
    (void)closedir(directory);
    if (!enough_memory)
        return false;
    return count > 0 || wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, 0,
                                          "no CA certificate that can be used is in ", path);
}

bool wf_tls_trust_given(WOLFSSL_CTX *ctx, const struct wf_tls_config *config,
                        struct wf_io_error *out_error)
{
    return (config->ca_file == NULL || load_file(ctx, config->ca_file, out_error)) &&
           (config->ca_path == NULL || load_path(ctx, config->ca_path, out_error)) &&
           (config->ca_pem.len == 0 ||
            load_pem(ctx, config->ca_pem, "the memory given", out_error));
}

bool wf_tls_trust_system(WOLFSSL_CTX *ctx, struct wf_io_error *out_error)
{
    for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++) {
        struct wf_io_error error = {.kind = WF_IO_ERR_NONE};
        if (load_file(ctx, bundles[i], &error))
            return true;
        if (error.kind == WF_IO_ERR_NO_MEMORY) {
            *out_error = error;
            return false;
        }
    }
#ifdef WOLFSSL_SYS_CA_CERTS
    int ret = wolfSSL_CTX_load_system_CA_certs(ctx);
    if (ret == WOLFSSL_SUCCESS)
        return true;
    if (ret == MEMORY_E)
        return wf_tls_setup_no_memory(out_error);
#else
    int ret = 0;
#endif
    return wf_tls_setup_fail(out_error, WF_IO_ERR_CONFIG, 0, ret,
                             "the system has no CA certificates", "");
}
