/* Numbers of the command line. Locales and signs are kept out by reading digits ourselves. */
#include "number.h"

#include <stddef.h>
#include <string.h>

#define MAX_SECONDS 1000000000u
/* Digits of a fraction that can matter; the rest is only checked to be digits. */
#define FRACTION_DIGITS 6

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits up to @max; leaves @text at the first other character. */
static bool read_digits(const char **text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (!is_digit(**text))
        return false;
    for (; is_digit(**text); (*text)++) {
        uint64_t digit = (uint64_t)(**text - '0');

        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool wf_tool_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t value;

    if (!read_digits(&text, max, &value) || *text != '\0' || value < min)
        return false;
    *out = value;
    return true;
}

/* A number with an optional fraction, in millionths; at least one of the two parts has digits. */
static bool read_micros(const char **text, uint64_t *out)
{
    uint64_t whole = 0;
    uint64_t fraction = 0;
    unsigned digits = 0;

    if (**text != '.' && !read_digits(text, MAX_SECONDS, &whole))
        return false;
    if (**text == '.') {
        (*text)++;
        if (!is_digit(**text))
            return false;
        for (; is_digit(**text); (*text)++) {
            if (digits++ < FRACTION_DIGITS)
                fraction = fraction * 10 + (uint64_t)(**text - '0');
        }
    }
    for (; digits < FRACTION_DIGITS; digits++)
        fraction *= 10;
    *out = whole * 1000000 + fraction;
    return true;
}

/* @micros millionths of a unit of @unit_ms milliseconds. */
static bool to_ms(uint64_t micros, uint64_t unit_ms, int64_t *out_ms)
{
    uint64_t ms;

    if (micros / 1000 * unit_ms > MAX_SECONDS * UINT64_C(1000000))
        return false;
    /* In two parts: hours times millionths would not fit. */
    ms = micros / 1000000 * unit_ms + micros % 1000000 * unit_ms / 1000000;
    if (ms > MAX_SECONDS * UINT64_C(1000))
        return false;
    if (ms == 0 && micros != 0)
        ms = 1;
    *out_ms = (int64_t)ms;
    return true;
}

bool wf_tool_parse_seconds(const char *text, int64_t *out_ms)
{
    uint64_t micros;

    return read_micros(&text, &micros) && *text == '\0' && to_ms(micros, 1000, out_ms);
}

bool wf_tool_parse_duration(const char *text, int64_t *out_ms)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}, {"h", 3600000}};
    uint64_t micros;

    if (!read_micros(&text, &micros))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text, units[i].name) == 0)
            return to_ms(micros, units[i].ms, out_ms);
    }
    return false;
}
