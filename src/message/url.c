#include "message/url.h"

#include "base/assert.h"
#include "base/field_rules.h"
#include "message/error.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#define LABEL_MAX_LEN 63u /* RFC 1035 section 2.3.4 */
#define PORT_HTTP     80u
#define PORT_HTTPS    443u
#define QUOTE_MAX     48 /* octets of the caller's text that a message repeats */

/* pchar, '/' and '?' of RFC 3986 with '%', and '[', ']' and '|'. */
static const uint8_t is_path_octet[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
    0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* sp to / */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, /* 0 to ? */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* @ to O */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, /* P to _ */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* ` to o */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, /* p to DEL */
};

/* The text as the caller gave it, to name positions in it. */
struct source {
    const char *what; /* "URL" */
    const uint8_t *start;
    struct weft_error *error;
};

/* A host as it was found in the source. */
struct host {
    struct wf_slice text; /* of a name or IPv4 address without its trailing dot */
    bool is_ip4;
    bool is_ip6;
    bool has_dot;
    char ip6[INET6_ADDRSTRLEN]; /* canonical (RFC 5952) */
};

#define INVALID(source, ...)                                                                       \
    wf_error_set((source)->error, WEFT_ERR_INVALID_URL, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,           \
                 __VA_ARGS__)

static int quoted(struct wf_slice s)
{
    return s.len < QUOTE_MAX ? (int)s.len : QUOTE_MAX;
}

static size_t position(const struct source *source, const uint8_t *at)
{
    return (size_t)(at - source->start) + 1;
}

static void refuse_octet(const struct source *source, const uint8_t *at, const char *where,
                         const char *advice)
{
    if (*at > 0x20 && *at < 0x7f)
        INVALID(source, "The %s has '%c' (0x%02x) at position %zu, which %s must not have%s.",
                source->what, *at, *at, position(source, at), where, advice);
    else
        INVALID(source, "The %s has the octet 0x%02x at position %zu, which %s must not have%s.",
                source->what, *at, position(source, at), where, advice);
}

/* @text up to the first @stop. */
static struct wf_slice take_until(struct wf_slice text, char stop)
{
    const uint8_t *found = text.len > 0 ? memchr(text.ptr, stop, text.len) : NULL;

    return found != NULL ? wf_slice(text.ptr, (size_t)(found - text.ptr)) : text;
}

/* RFC 3986 section 3.2: where path, query or fragment begin, or the end. */
static struct wf_slice take_authority(struct wf_slice text)
{
    size_t i = 0;

    while (i < text.len && text.ptr[i] != '/' && text.ptr[i] != '?' && text.ptr[i] != '#')
        i++;
    return wf_slice(text.ptr, i);
}

static bool is_hex_digit(uint8_t octet)
{
    uint8_t lower = wf_ascii_lower(octet);
    return (lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f');
}

static bool is_digit(uint8_t octet)
{
    return octet >= '0' && octet <= '9';
}

static bool parse_scheme(const struct source *source, struct wf_slice *rest, bool *out_https)
{
    struct wf_slice scheme = take_until(*rest, ':');

    if (scheme.len + 3 > rest->len || memcmp(rest->ptr + scheme.len, "://", 3) != 0) {
        INVALID(source, "The URL \"%.*s\" does not begin with http:// or https://.", quoted(*rest),
                (const char *)rest->ptr);
        return false;
    }
    *out_https = wf_slice_is_nocase(scheme, "https");
    if (!*out_https && !wf_slice_is_nocase(scheme, "http")) {
        INVALID(source, "The URL's scheme \"%.*s\" is neither http nor https.", quoted(scheme),
                (const char *)scheme.ptr);
        return false;
    }
    *rest = wf_slice_skip(*rest, scheme.len + 3);
    return true;
}

/* @text is what stood in brackets. */
static bool parse_ip6(const struct source *source, struct wf_slice text, struct host *out)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t octet = text.ptr[i];
        if (octet == '%') {
            INVALID(source,
                    "The %s has an IPv6 zone identifier ('%%' at position %zu), which is not "
                    "supported.",
                    source->what, position(source, text.ptr + i));
            return false;
        }
        if (!is_hex_digit(octet) && octet != ':' && octet != '.') {
            refuse_octet(source, text.ptr + i, "an IPv6 address", "");
            return false;
        }
    }
    if (text.len < sizeof(copy)) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
    }
    if (text.len >= sizeof(copy) || inet_pton(AF_INET6, copy, &address) != 1 ||
        inet_ntop(AF_INET6, &address, out->ip6, sizeof(out->ip6)) == NULL) {
        INVALID(source, "The host \"[%.*s]\" is not an IPv6 address.", quoted(text),
                (const char *)text.ptr);
        return false;
    }
    out->is_ip6 = true;
    out->text = wf_slice_str(out->ip6);
    return true;
}

static bool check_labels(const struct source *source, struct wf_slice name)
{
    size_t label_len = 0;

    for (size_t i = 0; i <= name.len; i++) {
        bool ends = i == name.len || name.ptr[i] == '.';
        if (!ends) {
            label_len++;
            continue;
        }
        if (label_len == 0 || label_len > LABEL_MAX_LEN) {
            INVALID(source, "The host name \"%.*s\" has %s before position %zu.", quoted(name),
                    (const char *)name.ptr,
                    label_len == 0 ? "an empty label" : "a label of more than 63 octets",
                    position(source, name.ptr + i));
            return false;
        }
        label_len = 0;
    }
    return true;
}

/* A last label such as 1 or 0x7f makes a number, which some resolvers read as an address. */
static bool ends_in_number(struct wf_slice name)
{
    size_t start = name.len;

    while (start > 0 && name.ptr[start - 1] != '.')
        start--;
    struct wf_slice label = wf_slice_skip(name, start);
    bool is_hex = label.len >= 2 && label.ptr[0] == '0' && wf_ascii_lower(label.ptr[1]) == 'x';
    for (size_t i = is_hex ? 2 : 0; i < label.len; i++) {
        if (is_hex ? !is_hex_digit(label.ptr[i]) : !is_digit(label.ptr[i]))
            return false;
    }
    return true;
}

static bool parse_ip4(const struct source *source, struct wf_slice name, struct host *out)
{
    char copy[INET_ADDRSTRLEN];
    struct in_addr address;

    if (name.len < sizeof(copy)) {
        memcpy(copy, name.ptr, name.len);
        copy[name.len] = '\0';
    }
    if (name.len >= sizeof(copy) || inet_pton(AF_INET, copy, &address) != 1) {
        INVALID(source, "The host \"%.*s\" is a number but not an IPv4 address of four parts.",
                quoted(name), (const char *)name.ptr);
        return false;
    }
    out->is_ip4 = true;
    out->has_dot = false;
    return true;
}

static bool parse_name(const struct source *source, struct wf_slice text, struct host *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t octet = text.ptr[i];
        uint8_t lower = wf_ascii_lower(octet);
        if ((lower >= 'a' && lower <= 'z') || is_digit(octet) || octet == '-' || octet == '.' ||
            octet == '_')
            continue;
        refuse_octet(source, text.ptr + i, "a host name",
                     octet >= 0x80 || octet == '%' ? "; write it in its xn-- form" : "");
        return false;
    }
    out->has_dot = text.len > 1 && text.ptr[text.len - 1] == '.';
    if (out->has_dot)
        text.len--;
    if (text.len > WF_URL_HOST_MAX_LEN) {
        INVALID(source, "The host name \"%.*s...\" has %zu octets, more than %u.", quoted(text),
                (const char *)text.ptr, text.len, WF_URL_HOST_MAX_LEN);
        return false;
    }
    out->text = text;
    return check_labels(source, text) && (!ends_in_number(text) || parse_ip4(source, text, out));
}

/* @text is what follows the ':', perhaps nothing (RFC 3986 section 3.2.3). */
static bool parse_port(const struct source *source, struct wf_slice text, uint16_t *out_port)
{
    uint32_t port = 0;

    if (text.len == 0)
        return true;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i])) {
            refuse_octet(source, text.ptr + i, "a port",
                         text.ptr[i] == ':' ? "; an IPv6 address stands in brackets" : "");
            return false;
        }
        if (port <= UINT16_MAX)
            port = port * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX) {
        INVALID(source, "The %s's port \"%.*s\" is not between 1 and 65535.", source->what,
                quoted(text), (const char *)text.ptr);
        return false;
    }
    *out_port = (uint16_t)port;
    return true;
}

/* @out_port stays as it is when there is no port. */
static bool parse_authority(const struct source *source, struct wf_slice text, struct host *out,
                            uint16_t *out_port)
{
    struct wf_slice host = take_until(text, '@');

    /* RFC 9110 section 4.2.4. The text is not repeated, since it may hold a password. */
    if (host.len < text.len) {
        INVALID(source,
                "The %s has a user name or password before '@' (position %zu), which is not "
                "supported; send an authorization field.",
                source->what, position(source, text.ptr + host.len));
        return false;
    }
    bool bracketed = text.len > 0 && text.ptr[0] == '[';
    host = take_until(text, bracketed ? ']' : ':');
    if (bracketed && host.len == text.len) {
        INVALID(source, "The %s has '[' at position %zu without a ']'.", source->what,
                position(source, text.ptr));
        return false;
    }
    struct wf_slice rest = wf_slice_skip(text, host.len + (bracketed ? 1 : 0));
    if (rest.len > 0 && rest.ptr[0] != ':') {
        refuse_octet(source, rest.ptr, "the end of an IPv6 address", "");
        return false;
    }
    if (host.len == 0) {
        INVALID(source, "The %s has no host.", source->what);
        return false;
    }
    /* The port first: of an IPv6 address without brackets it is what tells. */
    if (rest.len > 0 && !parse_port(source, wf_slice_skip(rest, 1), out_port))
        return false;
    return bracketed ? parse_ip6(source, wf_slice_skip(host, 1), out)
                     : parse_name(source, host, out);
}

static bool check_path(const struct source *source, struct wf_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t octet = text.ptr[i];
        if (octet >= 0x80 || !is_path_octet[octet]) {
            char advice[24];
            (void)snprintf(advice, sizeof(advice), "; write it as %%%02X", octet);
            refuse_octet(source, text.ptr + i, "a URL", advice);
            return false;
        }
        if (octet == '%' && (text.len - i < 3 || !is_hex_digit(text.ptr[i + 1]) ||
                             !is_hex_digit(text.ptr[i + 2]))) {
            INVALID(source,
                    "The URL has a '%%' at position %zu without two hexadecimal digits behind it; "
                    "write it as %%25.",
                    position(source, text.ptr + i));
            return false;
        }
    }
    return true;
}

static void put(char **room, struct wf_slice text)
{
    if (text.len > 0)
        memcpy(*room, text.ptr, text.len);
    *room += text.len;
}

static void put_host(char **room, const struct wf_url *url)
{
    if (url->host_is_ip6)
        put(room, wf_slice("[", 1));
    put(room, url->host);
    if (url->host_is_ip6)
        put(room, wf_slice("]", 1));
}

static void put_port(char **room, unsigned port)
{
    char text[6];
    size_t start = sizeof(text);

    do {
        text[--start] = (char)('0' + port % 10);
        port /= 10;
    } while (port > 0);
    text[--start] = ':';
    put(room, wf_slice(text + start, sizeof(text) - start));
}

/* Ends the text that began at @start. */
static struct wf_slice end_text(char **room, const char *start)
{
    struct wf_slice text = wf_slice(start, (size_t)(*room - start));

    *(*room)++ = '\0';
    return text;
}

static void put_authority(struct wf_url *url, const struct host *host, char **room)
{
    const char *start = *room;

    for (size_t i = 0; i < host->text.len; i++)
        *(*room)++ = (char)wf_ascii_lower(host->text.ptr[i]);
    url->host = end_text(room, start);

    start = *room;
    put_host(room, url);
    if (host->has_dot)
        put(room, wf_slice(".", 1));
    if (url->port != (url->https ? PORT_HTTPS : PORT_HTTP))
        put_port(room, url->port);
    url->authority = end_text(room, start);

    start = *room;
    put(room, wf_slice_str(url->https ? "https://" : "http://"));
    put_host(room, url);
    put_port(room, url->port);
    url->origin.text = end_text(room, start);
}

static void put_path(struct wf_url *url, struct wf_slice path, char **room)
{
    const char *start = *room;

    if (path.len == 0 || path.ptr[0] != '/')
        put(room, wf_slice("/", 1));
    put(room, path);
    url->path = end_text(room, start);
}

/* FNV-1a, then a mix so that the low bits depend on all of it. */
static uint64_t hash_text(struct wf_slice text)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ text.ptr[i]) * 0x100000001b3u;
    return hash ^ (hash >> 32);
}

size_t wf_url_room(size_t len)
{
    size_t host_len = len < WF_URL_HOST_MAX_LEN ? len : WF_URL_HOST_MAX_LEN;

    if (host_len < INET6_ADDRSTRLEN) /* the canonical form can be longer than what was written */
        host_len = INET6_ADDRSTRLEN;
    /* The host three times with brackets, scheme, ports and NULs around it; '/' and path. */
    return (len < WF_URL_MAX_LEN ? len : WF_URL_MAX_LEN) + 3 * host_len + 32;
}

enum weft_code wf_url_parse(struct wf_url *url, struct wf_slice text, char *room,
                            struct weft_error *error)
{
    const struct source source = {"URL", text.ptr, error};
    const char *const room_start = room;
    struct host host = {0};
    struct wf_slice rest = text;

    *url = (struct wf_url){0};
    if (text.len > WF_URL_MAX_LEN) {
        INVALID(&source, "The URL has %zu octets, more than %u.", text.len, WF_URL_MAX_LEN);
        return WEFT_ERR_INVALID_URL;
    }
    if (!parse_scheme(&source, &rest, &url->https))
        return WEFT_ERR_INVALID_URL;
    url->port = url->https ? PORT_HTTPS : PORT_HTTP;

    struct wf_slice authority = take_authority(rest);
    rest = wf_slice_skip(rest, authority.len);
    struct wf_slice path = take_until(rest, '#');
    struct wf_slice fragment = wf_slice_skip(rest, path.len);
    if (!parse_authority(&source, authority, &host, &url->port) || !check_path(&source, path) ||
        (fragment.len > 0 && !check_path(&source, wf_slice_skip(fragment, 1))))
        return WEFT_ERR_INVALID_URL;

    url->host_is_ip4 = host.is_ip4;
    url->host_is_ip6 = host.is_ip6;
    url->has_path = path.len > 0;
    put_authority(url, &host, &room);
    put_path(url, path, &room);
    url->origin.hash = hash_text(url->origin.text);
    wf_assert((size_t)(room - room_start) <= wf_url_room(text.len));
    return WEFT_OK;
}

enum weft_code wf_url_check_authority(struct wf_slice text, struct weft_error *error)
{
    const struct source source = {"host field", text.ptr, error};
    struct host host = {0};
    uint16_t port = 0;

    return parse_authority(&source, text, &host, &port) ? WEFT_OK : WEFT_ERR_INVALID_URL;
}
