#include "base/field_rules.h"

#define T 1u /* token octets (RFC 9110 section 5.6.2) but upper-case letters */
#define U 2u /* upper-case letters */

static const uint8_t token_class[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
    0, T, 0, T, T, T, T, T, 0, 0, T, T, 0, T, T, 0, /* sp to / */
    T, T, T, T, T, T, T, T, T, T, 0, 0, 0, 0, 0, 0, /* 0 to ? */
    0, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* @ to O */
    U, U, U, U, U, U, U, U, U, U, U, 0, 0, 0, T, T, /* P to _ */
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* ` to o */
    T, T, T, T, T, T, T, T, T, T, T, 0, T, 0, T, 0, /* p to DEL */
};

/* The index of the first octet of none of @classes, or the length. */
static size_t find_outside(struct wf_slice s, unsigned classes)
{
    size_t i = 0;

    while (i < s.len && (token_class[s.ptr[i]] & classes) != 0)
        i++;
    return i;
}

static bool is_space(uint8_t octet)
{
    return octet == ' ' || octet == '\t';
}

bool wf_field_name_is_valid(struct wf_slice name)
{
    return name.len > 0 && find_outside(name, T) == name.len;
}

bool wf_field_value_is_valid(struct wf_slice value)
{
    if (value.len == 0)
        return true;
    if (is_space(value.ptr[0]) || is_space(value.ptr[value.len - 1]))
        return false;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t octet = value.ptr[i];
        if (octet == '\0' || octet == '\r' || octet == '\n')
            return false;
    }
    return true;
}

bool wf_method_is_valid(struct wf_slice method)
{
    return method.len > 0 && find_outside(method, T | U) == method.len;
}

size_t wf_field_name_bad_octet(struct wf_slice name)
{
    return find_outside(name, T | U);
}

size_t wf_field_value_bad_octet(struct wf_slice value)
{
    size_t i = 0;

    for (; i < value.len; i++) {
        uint8_t octet = value.ptr[i];
        if ((octet < 0x20 && octet != '\t') || octet == 0x7f)
            break;
    }
    return i;
}

bool wf_field_is_connection_specific(struct wf_slice name)
{
    switch (name.len) {
    case 7:
        return wf_slice_is(name, "upgrade");
    case 10:
        return wf_slice_is(name, "connection") || wf_slice_is(name, "keep-alive");
    case 16:
        return wf_slice_is(name, "proxy-connection");
    case 17:
        return wf_slice_is(name, "transfer-encoding");
    default:
        return false;
    }
}

struct wf_slice wf_slice_trim(struct wf_slice s)
{
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_space(s.ptr[0]))
        s = wf_slice_skip(s, 1);
    return s;
}

bool wf_slice_is_nocase(struct wf_slice s, const char *lower)
{
    if (s.len != strlen(lower))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (wf_ascii_lower(s.ptr[i]) != (uint8_t)lower[i])
            return false;
    }
    return true;
}
