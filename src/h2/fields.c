#include "h2/fields.h"

#include "base/assert.h"

/* Names that mean something here. */
enum known_name {
    OTHER,
    AUTHORITY,
    METHOD,
    PATH,
    SCHEME,
    STATUS,
    OTHER_PSEUDO,
    CONTENT_LENGTH,
    HOST,
    TE,
    CONNECTION_SPECIFIC /* RFC 9113 section 8.2.2 */
};

/* Which of them have a static table index (RFC 7541 appendix A). A name with an index is nothing
 * else. */
static const uint8_t name_by_static_index[62] = {
    [1] = AUTHORITY,
    [2] = METHOD,
    [3] = METHOD,
    [4] = PATH,
    [5] = PATH,
    [6] = SCHEME,
    [7] = SCHEME,
    [8] = STATUS,
    [9] = STATUS,
    [10] = STATUS,
    [11] = STATUS,
    [12] = STATUS,
    [13] = STATUS,
    [14] = STATUS,
    [28] = CONTENT_LENGTH,
    [38] = HOST,
    [57] = CONNECTION_SPECIFIC, /* transfer-encoding */
};

struct name_of {
    const char *text;
    enum known_name name;
};

static const struct name_of names[] = {
    {":authority", AUTHORITY},
    {":method", METHOD},
    {":path", PATH},
    {":scheme", SCHEME},
    {":status", STATUS},
    {"content-length", CONTENT_LENGTH},
    {"host", HOST},
    {"te", TE},
    {"connection", CONNECTION_SPECIFIC},
    {"keep-alive", CONNECTION_SPECIFIC},
    {"proxy-connection", CONNECTION_SPECIFIC},
    {"transfer-encoding", CONNECTION_SPECIFIC},
    {"upgrade", CONNECTION_SPECIFIC},
};

#define LETTER(c) (UINT32_C(1) << ((c) - 'a'))
#define FIRST_LETTERS                                                                              \
    (LETTER('c') | LETTER('h') | LETTER('k') | LETTER('p') | LETTER('t') | LETTER('u'))

/* The first octet rules most names out. */
static inline bool may_be_known(struct wf_slice name)
{
    if (name.len == 0)
        return false;
    unsigned letter = (unsigned)name.ptr[0] - 'a';
    return name.ptr[0] == ':' || (letter < 26 && (FIRST_LETTERS >> letter & 1) != 0);
}

static enum known_name name_from_text(struct wf_slice name)
{
    uint8_t first = name.ptr[0];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((uint8_t)names[i].text[0] == first && wf_slice_is(name, names[i].text))
            return names[i].name;
    }
    return first == ':' ? OTHER_PSEUDO : OTHER;
}

static inline enum known_name name_of_line(const struct wf_field_section *section, uint32_t i)
{
    uint8_t index = section->lines[i].static_name;
    if (WF_LIKELY(index > 0 && index < sizeof(name_by_static_index)))
        return (enum known_name)name_by_static_index[index];
    struct wf_slice name = wf_section_name(section, i);
    return may_be_known(name) ? name_from_text(name) : OTHER;
}

static bool is_pseudo(enum known_name name)
{
    return name >= AUTHORITY && name <= OTHER_PSEUDO;
}

/* RFC 9110 section 8.6: digits only. Lines that repeat the same number count as one; RFC 9110
 * leaves the choice, and what a list of values in one line meant is anybody's guess: it is refused.
 */
static const char *check_content_length(struct wf_slice value, struct wf_h2_message_head *head)
{
    int64_t number = 0;
    if (value.len == 0 || value.len > 18)
        return "content-length is not a number that can be";
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return "content-length is not a number";
        number = number * 10 + (value.ptr[i] - '0');
    }
    if (head->content_length >= 0 && head->content_length != number)
        return "content-length is given twice and differs";
    head->content_length = number;
    return NULL;
}

/* RFC 9113 section 8.3.2 and RFC 9110 section 15: three digits, 100 to 599. */
static const char *check_status(struct wf_slice value, struct wf_h2_message_head *head)
{
    if (head->status != 0)
        return ":status is given twice";
    if (value.len != 3 || value.ptr[0] < '1' || value.ptr[0] > '5' || value.ptr[1] < '0' ||
        value.ptr[1] > '9' || value.ptr[2] < '0' || value.ptr[2] > '9')
        return ":status is not a number from 100 to 599";
    head->status =
        (uint16_t)((value.ptr[0] - '0') * 100 + (value.ptr[1] - '0') * 10 + (value.ptr[2] - '0'));
    /* RFC 9113 section 8.6. */
    return head->status == 101 ? "101 (Switching Protocols) has no place in HTTP/2" : NULL;
}

static const char *check_line(const struct wf_field_section *section, uint32_t i,
                              enum known_name name, bool after_regular)
{
    if (WF_UNLIKELY((section->lines[i].flags & WF_FIELD_INVALID) != 0))
        return "a field has an octet that its name or value may not have";
    if (WF_UNLIKELY(name == OTHER_PSEUDO))
        return "a pseudo-header field is unknown";
    if (WF_UNLIKELY(is_pseudo(name) && after_regular))
        return "a pseudo-header field follows a regular field";
    if (WF_UNLIKELY(name == CONNECTION_SPECIFIC))
        return "a connection-specific field has no place in HTTP/2";
    return NULL;
}

/* A regular field that means nothing here and has no octet that it may not have. */
static inline bool is_plain(const struct wf_field_section *section, uint32_t i,
                            enum known_name name)
{
    return name == OTHER && (section->lines[i].flags & WF_FIELD_INVALID) == 0;
}

const char *wf_h2_check_response(const struct wf_field_section *section,
                                 struct wf_h2_message_head *out)
{
    bool after_regular = false;
    *out = (struct wf_h2_message_head){.content_length = -1};
    for (uint32_t i = 0; i < section->count; i++) {
        enum known_name name = name_of_line(section, i);
        if (WF_LIKELY(is_plain(section, i, name))) {
            after_regular = true;
            continue;
        }
        const char *wrong = check_line(section, i, name, after_regular);
        if (wrong != NULL)
            return wrong;
        if (name == STATUS)
            wrong = check_status(wf_section_value(section, i), out);
        else if (is_pseudo(name))
            wrong = "a response has a pseudo-header field of requests";
        else if (name == CONTENT_LENGTH)
            wrong = check_content_length(wf_section_value(section, i), out);
        else if (name == TE)
            wrong = "a connection-specific field has no place in HTTP/2";
        if (wrong != NULL)
            return wrong;
        after_regular = after_regular || !is_pseudo(name);
    }
    return out->status == 0 ? ":status is missing" : NULL;
}

const char *wf_h2_check_trailers(const struct wf_field_section *section)
{
    for (uint32_t i = 0; i < section->count; i++) {
        enum known_name name = name_of_line(section, i);
        /* RFC 9113 section 8.1. */
        if (is_pseudo(name))
            return "trailers have a pseudo-header field";
        if (name == TE)
            return "a connection-specific field has no place in HTTP/2";
        const char *wrong = check_line(section, i, name, true);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

/* The pseudo-header fields of a request, and host; ptr is NULL for those that did not come. */
struct request_parts {
    struct wf_slice method;
    struct wf_slice scheme;
    struct wf_slice path;
    struct wf_slice authority;
    struct wf_slice host;
};

static const char *set_once(struct wf_slice *part, struct wf_slice value)
{
    if (part->ptr != NULL)
        return "a pseudo-header field is given twice";
    *part = value;
    return NULL;
}

static const char *check_request_line(const struct wf_field_section *section, uint32_t i,
                                      enum known_name name, struct request_parts *parts,
                                      struct wf_h2_message_head *head)
{
    struct wf_slice value = wf_section_value(section, i);
    switch (name) {
    case METHOD:
        return set_once(&parts->method, value);
    case SCHEME:
        return set_once(&parts->scheme, value);
    case PATH:
        return set_once(&parts->path, value);
    case AUTHORITY:
        return set_once(&parts->authority, value);
    case STATUS:
        return "a request has a pseudo-header field of responses";
    case CONTENT_LENGTH:
        return check_content_length(value, head);
    case TE:
        /* RFC 9113 section 8.2.2. */
        return wf_slice_is(value, "trailers") ? NULL : "te has a value other than trailers";
    case HOST:
        if (parts->host.ptr != NULL && !wf_slice_equal(parts->host, value))
            return "host is given twice";
        parts->host = value;
        return NULL;
    case OTHER:
    case OTHER_PSEUDO:
    case CONNECTION_SPECIFIC:
        return NULL;
    }
    WF_UNREACHABLE("every name has a case");
}

static bool starts_with_slash(struct wf_slice path)
{
    return path.len > 0 && path.ptr[0] == '/';
}

/* RFC 9113 sections 8.3.1 and 8.5. */
static const char *check_request_parts(const struct request_parts *parts,
                                       struct wf_h2_message_head *head)
{
    if (parts->method.ptr == NULL || parts->method.len == 0)
        return ":method is missing";
    head->is_head = wf_slice_is(parts->method, "HEAD");
    head->is_connect = wf_slice_is(parts->method, "CONNECT");
    if (head->is_connect) {
        if (parts->scheme.ptr != NULL || parts->path.ptr != NULL || parts->authority.ptr == NULL)
            return "CONNECT has other pseudo-header fields than :method and :authority";
        return NULL;
    }
    if (parts->scheme.ptr == NULL || parts->path.ptr == NULL)
        return ":scheme or :path is missing";
    bool is_http = wf_slice_is(parts->scheme, "http") || wf_slice_is(parts->scheme, "https");
    bool is_options_all = wf_slice_is(parts->method, "OPTIONS") && wf_slice_is(parts->path, "*");
    if (is_http && !starts_with_slash(parts->path) && !is_options_all)
        return ":path does not begin with a slash";
    if (is_http && parts->authority.len > 0 &&
        memchr(parts->authority.ptr, '@', parts->authority.len) != NULL)
        return ":authority holds user information";
    if (parts->authority.ptr != NULL && parts->host.ptr != NULL &&
        !wf_slice_equal(parts->authority, parts->host))
        return "host differs from :authority";
    return NULL;
}

const char *wf_h2_check_request(const struct wf_field_section *section,
                                struct wf_h2_message_head *out)
{
    bool after_regular = false;
    struct request_parts parts = {0};
    *out = (struct wf_h2_message_head){.content_length = -1};
    for (uint32_t i = 0; i < section->count; i++) {
        enum known_name name = name_of_line(section, i);
        const char *wrong = check_line(section, i, name, after_regular);
        if (wrong == NULL)
            wrong = check_request_line(section, i, name, &parts, out);
        if (wrong != NULL)
            return wrong;
        after_regular = after_regular || !is_pseudo(name);
    }
    return check_request_parts(&parts, out);
}
