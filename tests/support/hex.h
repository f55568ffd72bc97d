/* Octets written as hexadecimal digits, with spaces anywhere between two octets. */
#ifndef WF_TESTS_HEX_H
#define WF_TESTS_HEX_H

#include "base/slice.h"

#include <stdio.h>
#include <stdlib.h>

/* Reads @text to @out, which has room for @cap octets; a mistake in @text ends the test program. */
static inline struct wf_slice test_hex(const char *text, uint8_t *out, size_t cap)
{
    size_t len = 0;
    while (*text != 0) {
        unsigned octet;
        int used = 0;
        if (*text == ' ') {
            text++;
            continue;
        }
        if (sscanf(text, "%2x%n", &octet, &used) != 1 || used != 2 || len == cap) {
            fprintf(stderr, "not hexadecimal, or too long: %s\n", text);
            abort();
        }
        out[len++] = (uint8_t)octet;
        text += 2;
    }
    return wf_slice(out, len);
}

#endif
