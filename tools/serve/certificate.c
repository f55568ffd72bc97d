#include <wolfssl/options.h>

#include "certificate.h"

#include "base/slice.h"

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/random.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One year and a month: clients refuse leaf certificates that live much longer. */
#define DAYS_VALID 397

int serve_certificate_write(const struct serve_certificate *certificate, const char *path)
{
    uint8_t pem[2 * SERVE_CERT_MAX];
    int len = wc_DerToPem(certificate->cert, certificate->cert_len, pem, sizeof(pem), CERT_TYPE);
    if (len <= 0)
        return EIO;
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return errno;
    size_t written = fwrite(pem, 1, (size_t)len, file);
    int closed = fclose(file);
    return written == (size_t)len && closed == 0 ? 0 : EIO;
}

#if defined(WOLFSSL_CERT_GEN) && defined(WOLFSSL_ALT_NAMES) && defined(HAVE_ECC)

/* RFC 5280 section 4.2.1.6: a sequence of dNSName [2] and iPAddress [7] entries. */
static const uint8_t alternative_names[] = {
    0x30, 35,                                                                   /* SEQUENCE */
    0x82, 9,  'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't',                      /* localhost */
    0x87, 4,  127, 0,   0,   1,                                                 /* 127.0.0.1 */
    0x87, 16, 0,   0,   0,   0,   0,   0,   0,   0,   0,   0, 0, 0, 0, 0, 0, 1, /* ::1 */
};

static int describe(Cert *cert)
{
    int ret = wc_InitCert(cert);
    if (ret != 0)
        return ret;
    cert->sigType = CTC_SHA256wECDSA;
    cert->daysValid = DAYS_VALID;
    cert->selfSigned = 1;
    /* Trust stores that want an anchor to be a CA take it too. */
    cert->isCA = 1;
    (void)snprintf(cert->subject.org, sizeof(cert->subject.org), "weft-serve");
    (void)snprintf(cert->subject.commonName, sizeof(cert->subject.commonName), "localhost");
    memcpy(cert->altNames, alternative_names, sizeof(alternative_names));
    cert->altNamesSz = (int)sizeof(alternative_names);
#ifdef WOLFSSL_CERT_EXT
    ret = wc_SetKeyUsage(cert, "digitalSignature,keyCertSign");
    if (ret == 0)
        ret = wc_SetExtKeyUsage(cert, "serverAuth");
#endif
    return ret;
}

static int sign(Cert *cert, ecc_key *key, WC_RNG *rng, struct serve_certificate *out)
{
    int ret = wc_MakeCert(cert, out->cert, sizeof(out->cert), NULL, key, rng);
    if (ret < 0)
        return ret;
    ret = wc_SignCert(cert->bodySz, cert->sigType, out->cert, sizeof(out->cert), NULL, key, rng);
    if (ret < 0)
        return ret;
    out->cert_len = (uint32_t)ret;
    ret = wc_EccKeyToDer(key, out->key, sizeof(out->key));
    if (ret < 0)
        return ret;
    out->key_len = (uint32_t)ret;
    return 0;
}

int serve_certificate_make(struct serve_certificate *out_certificate)
{
    WC_RNG rng;
    ecc_key key;
    int ret = wc_InitRng(&rng);
    if (ret != 0)
        return ret;
    ret = wc_ecc_init(&key);
    if (ret != 0)
        goto free_rng;
    Cert *cert = wf_calloc(1, sizeof(*cert));
    if (cert == NULL) {
        ret = MEMORY_E;
        goto free_key;
    }
    ret = wc_ecc_make_key_ex(&rng, 32, &key, ECC_SECP256R1);
    if (ret == 0)
        ret = describe(cert);
    if (ret == 0)
        ret = sign(cert, &key, &rng, out_certificate);
    wf_free(cert);
free_key:
    (void)wc_ecc_free(&key);
free_rng:
    (void)wc_FreeRng(&rng);
    return ret;
}

#else

int serve_certificate_make(struct serve_certificate *out_certificate)
{
    (void)out_certificate;
    return NOT_COMPILED_IN;
}

#endif
