/* A certificate for a server that nobody configured: ECDSA P-256, signed by itself, for localhost,
 * 127.0.0.1 and ::1. Thread: any, after wolfSSL_Init(). */
#ifndef SERVE_CERTIFICATE_H
#define SERVE_CERTIFICATE_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>

#define SERVE_CERT_MAX 2048
#define SERVE_KEY_MAX  256

struct serve_certificate {
    uint8_t cert[SERVE_CERT_MAX]; /* DER */
    uint32_t cert_len;
    uint8_t key[SERVE_KEY_MAX]; /* DER */
    uint32_t key_len;
};

/* 0, or wolfSSL's error code. */
WF_MUST_USE int serve_certificate_make(struct serve_certificate *out_certificate);
/* As PEM. 0 or an errno value. */
WF_MUST_USE int serve_certificate_write(const struct serve_certificate *certificate,
                                        const char *path);

#endif
