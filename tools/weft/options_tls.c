#include "options_tls.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

bool wf_fetch_tls_has(int id)
{
    return id == 'E' || (id >= OPT_TLS_CAPATH && id < OPT_TLS_END);
}

/* What the pins look like is the library's to say. */
static bool set_pins(struct wf_fetch_tls *tls, const char *value, const char **out_error)
{
    size_t count = 0;

    if (value[0] == '\0') {
        *out_error = "--pinnedpubkey needs sha256//BASE64";
        return false;
    }
    wf_fetch_tls_fini(tls);
    tls->pin_text = wf_tool_strndup(value, strlen(value));
    for (char *pin = strtok(tls->pin_text, ";"); pin; pin = strtok(NULL, ";")) {
        tls->pins = wf_tool_grow(tls->pins, count, sizeof(*tls->pins));
        tls->pins[count++] = pin;
    }
    tls->pins = wf_tool_grow(tls->pins, count, sizeof(*tls->pins));
    tls->pins[count] = NULL;
    if (count > 0)
        return true;
    *out_error = "--pinnedpubkey needs sha256//BASE64";
    return false;
}

static bool set_max(struct wf_fetch_tls *tls, const char *value, const char **out_error)
{
    if (strcmp(value, "1.2") == 0)
        tls->max_version = WEFT_TLS_1_2;
    else if (strcmp(value, "1.3") == 0 || strcmp(value, "default") == 0)
        tls->max_version = WEFT_TLS_1_3;
    else
        *out_error = "--tls-max needs 1.2 or 1.3";
    return *out_error == NULL;
}

bool wf_fetch_tls_set(struct wf_fetch_tls *tls, int id, const char *value, const char **out_error)
{
    *out_error = NULL;
    switch (id) {
    case OPT_TLS_CAPATH:
        tls->ca_path = value;
        return true;
    case 'E':
        tls->cert_file = value;
        return true;
    case OPT_TLS_KEY:
        tls->key_file = value;
        return true;
    case OPT_TLS_PINS:
        return set_pins(tls, value, out_error);
    case OPT_TLS_1_2:
        tls->min_version = WEFT_TLS_1_2;
        return true;
    case OPT_TLS_1_3:
        tls->min_version = WEFT_TLS_1_3;
        return true;
    case OPT_TLS_MAX:
        return set_max(tls, value, out_error);
    case OPT_TLS_CIPHERS:
        tls->ciphers = value;
        return true;
    case OPT_TLS_CIPHERS_13:
        tls->ciphers13 = value;
        return true;
    default:
        tls->no_sessions = true;
        return true;
    }
}

void wf_fetch_tls_apply(const struct wf_fetch_tls *tls, struct weft_config *config)
{
    config->ca_path = tls->ca_path;
    config->cert_file = tls->cert_file;
    config->key_file = tls->key_file;
    config->pins = tls->pins;
    if (tls->min_version)
        config->tls_min_version = tls->min_version;
    if (tls->max_version)
        config->tls_max_version = tls->max_version;
    config->ciphers = tls->ciphers;
    config->ciphers13 = tls->ciphers13;
    if (tls->no_sessions)
        config->tls_sessions = 0;
}

void wf_fetch_tls_fini(struct wf_fetch_tls *tls)
{
    free(tls->pins);
    free(tls->pin_text);
    tls->pins = NULL;
    tls->pin_text = NULL;
}
