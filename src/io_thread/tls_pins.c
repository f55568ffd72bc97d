#include "io_thread/tls_pins.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/hash.h>

#include <limits.h>

#define PREFIX      "sha256//"
#define BASE64_LEN  44u /* of 32 octets: 43 digits and one = */
#define DIGIT_COUNT 43u

/* -1: no digit of base64 (RFC 4648 section 4). */
static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool parse(const char *text, uint8_t *out)
{
    if (strncmp(text, PREFIX, sizeof(PREFIX) - 1) != 0)
        return false;
    text += sizeof(PREFIX) - 1;
    if (strlen(text) != BASE64_LEN || text[DIGIT_COUNT] != '=')
        return false;
    uint32_t bits = 0;
    unsigned held = 0;
    size_t len = 0;
    for (size_t i = 0; i < DIGIT_COUNT; i++) {
        int value = digit(text[i]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffffu;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[len++] = (uint8_t)(bits >> held);
        }
    }
    return (bits & 3u) == 0; /* RFC 4648 section 3.5: bits of padding are zero */
}

enum wf_pins_result wf_pins_init(struct wf_pins *pins, const char *const *texts,
                                 const char **out_bad)
{
    *pins = (struct wf_pins){0};
    *out_bad = NULL;
    size_t count = 0;
    while (texts != NULL && count <= WF_PINS_MAX && texts[count] != NULL)
        count++;
    if (count > WF_PINS_MAX)
        return WF_PINS_TOO_MANY;
    if (count == 0)
        return WF_PINS_OK;
    pins->hashes = wf_calloc(count, sizeof(*pins->hashes));
    if (pins->hashes == NULL)
        return WF_PINS_NO_MEMORY;
    pins->count = count;
    for (size_t i = 0; i < count; i++) {
        if (!parse(texts[i], pins->hashes[i])) {
            *out_bad = texts[i];
            wf_pins_fini(pins);
            return WF_PINS_MALFORMED;
        }
    }
    return WF_PINS_OK;
}

void wf_pins_fini(struct wf_pins *pins)
{
    wf_free(pins->hashes);
    *pins = (struct wf_pins){0};
}

bool wf_pins_match(const struct wf_pins *pins, struct wf_slice public_key)
{
    uint8_t hash[WF_PIN_LEN];
    if (public_key.len == 0 || public_key.len > UINT32_MAX ||
        wc_Sha256Hash(public_key.ptr, (word32)public_key.len, hash) != 0)
        return false;
    bool found = false;
    for (size_t i = 0; i < pins->count; i++)
        found = found || memcmp(pins->hashes[i], hash, sizeof(hash)) == 0;
    return found;
}
