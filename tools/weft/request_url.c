#include "request_url.h"

#include "common/file.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static void append_text(struct wf_tool_bytes *to, const char *text)
{
    wf_tool_bytes_append(to, text, strlen(text));
}

char *wf_fetch_url_with_query(const char *url, const char *query)
{
    size_t len = strcspn(url, "#");
    struct wf_tool_bytes made = {NULL, 0};

    wf_tool_bytes_append(&made, url, len);
    if (query && query[0] != '\0') {
        append_text(&made, strchr(made.data, '?') ? "&" : "?");
        append_text(&made, query);
    }
    append_text(&made, url + len);
    return made.data;
}

/* What a path may contain stays, RFC 3986 section 3.3; the rest is percent-encoded. */
static void append_path_octets(struct wf_tool_bytes *to, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";
    static const char digits[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        unsigned char octet = (unsigned char)*text;
        char escape[3] = {'%', digits[octet >> 4], digits[octet & 15]};

        if (strchr(plain, *text))
            wf_tool_bytes_append(to, text, 1);
        else
            wf_tool_bytes_append(to, escape, sizeof(escape));
    }
}

char *wf_fetch_url_with_name(const char *url, const char *path)
{
    const char *authority = strstr(url, "://");
    const char *slash = strrchr(path, '/');
    struct wf_tool_bytes made = {NULL, 0};
    size_t start = authority ? (size_t)(authority - url) + 3 : 0;
    size_t path_start = start + strcspn(url + start, "/?#");
    size_t path_end = path_start + strcspn(url + path_start, "?#");
    bool is_missing = path_start == path_end;

    wf_tool_bytes_append(&made, url, path_end);
    if (is_missing)
        append_text(&made, "/");
    if (is_missing || url[path_end - 1] == '/')
        append_path_octets(&made, slash ? slash + 1 : path);
    append_text(&made, url + path_end);
    return made.data;
}

char *wf_fetch_basic_credentials(const char *user)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)user;
    size_t len = strlen(user);
    struct wf_tool_bytes made = {NULL, 0};

    append_text(&made, "Basic ");
    for (size_t i = 0; i < len; i += 3) {
        size_t count = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)in[i] << 16;
        char group[4];

        if (count > 1)
            bits |= (uint32_t)in[i + 1] << 8;
        if (count > 2)
            bits |= in[i + 2];
        group[0] = digits[bits >> 18];
        group[1] = digits[bits >> 12 & 63];
        group[2] = count > 1 ? digits[bits >> 6 & 63] : '=';
        group[3] = count > 2 ? digits[bits & 63] : '=';
        wf_tool_bytes_append(&made, group, sizeof(group));
    }
    return made.data;
}
