/* The options that say who the client and its servers have to be: curl's spellings. Thread: owner.
 */
#ifndef WF_FETCH_OPTIONS_TLS_H
#define WF_FETCH_OPTIONS_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "weft/config.h"

enum {
    OPT_TLS_CAPATH = 400,
    OPT_TLS_KEY,
    OPT_TLS_PINS,
    OPT_TLS_1_2,
    OPT_TLS_1_3,
    OPT_TLS_MAX,
    OPT_TLS_CIPHERS,
    OPT_TLS_CIPHERS_13,
    OPT_TLS_NO_SESSIONS,
    OPT_TLS_END
};

/* Rows of the table of options. */
#define WF_FETCH_OPTIONS_TLS                                                                       \
    {OPT_TLS_CAPATH, "capath", "DIR", "trust the authorities in the files there"},                 \
        {'E', "cert", "FILE", "the client's certificate, PEM, with its chain and\nmaybe its key"}, \
        {OPT_TLS_KEY, "key", "FILE", "its private key, PEM, without a password"},                  \
        {OPT_TLS_PINS, "pinnedpubkey", "PINS",                                                     \
         "sha256//BASE64 of a public key that the server may\nhave, several with ; between them"}, \
        {OPT_TLS_1_2, "tlsv1.2", NULL, "TLS 1.2 or newer; the default"},                           \
        {OPT_TLS_1_3, "tlsv1.3", NULL, "TLS 1.3 or newer"},                                        \
        {OPT_TLS_MAX, "tls-max", "VERSION", "no newer TLS than 1.2 or 1.3"},                       \
        {OPT_TLS_CIPHERS, "ciphers", "LIST", "suites of TLS 1.2, with colons between them"},       \
        {OPT_TLS_CIPHERS_13, "tls13-ciphers", "LIST", "the same for TLS 1.3"},                     \
    {                                                                                              \
        OPT_TLS_NO_SESSIONS, "no-sessionid", NULL, "resume no TLS session"                         \
    }

/* All zero: nothing was said. Strings are borrowed from the command line. */
struct wf_fetch_tls {
    const char *ca_path;
    const char *cert_file;
    const char *key_file;
    char *pin_text;                    /* the pins, each ending in NUL */
    const char **pins;                 /* into pin_text; ends with NULL */
    enum weft_tls_version min_version; /* 0: not said */
    enum weft_tls_version max_version;
    const char *ciphers;
    const char *ciphers13;
    bool no_sessions;
};

/* Whether @id is one of these options. */
bool wf_fetch_tls_has(int id);
/* False: the value is none, and *out_error says what is expected. */
bool wf_fetch_tls_set(struct wf_fetch_tls *tls, int id, const char *value, const char **out_error);
/* @config borrows from @tls. */
void wf_fetch_tls_apply(const struct wf_fetch_tls *tls, struct weft_config *config);
void wf_fetch_tls_fini(struct wf_fetch_tls *tls);

#endif
