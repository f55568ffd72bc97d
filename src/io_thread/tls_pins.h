/* Public keys that a server may have, whatever its certificates say: SHA-256 of the
 * SubjectPublicKeyInfo (RFC 7469 section 2.4), written as curl does: "sha256//" and base64.
 * Immutable once made; thread: any. */
#ifndef WF_IO_THREAD_TLS_PINS_H
#define WF_IO_THREAD_TLS_PINS_H

#include "base/alloc.h"
#include "base/slice.h"

#include <stdbool.h>

#define WF_PIN_LEN  32u
#define WF_PINS_MAX 64u

struct wf_pins {
    uint8_t (*hashes)[WF_PIN_LEN];
    size_t count; /* 0: every key will do */
};

enum wf_pins_result { WF_PINS_OK, WF_PINS_MALFORMED, WF_PINS_TOO_MANY, WF_PINS_NO_MEMORY };

/* @texts ends with NULL; NULL: none. MALFORMED: *out_bad is the one that is no pin. */
WF_MUST_USE enum wf_pins_result wf_pins_init(struct wf_pins *pins, const char *const *texts,
                                             const char **out_bad);
void wf_pins_fini(struct wf_pins *pins);

/* Whether one of @pins is of @public_key, the DER of a SubjectPublicKeyInfo. */
bool wf_pins_match(const struct wf_pins *pins, struct wf_slice public_key);

#endif
