/* The field lines of a request: which are refused (RFC 9113 section 8.2), and which take the place
 * of one that is there already. */
#include "message/request_build.h"

#include "base/assert.h"
#include "base/field_rules.h"
#include "message/error.h"

#define INVALID(error, ...)                                                                        \
    wf_error_set(error, WEFT_ERR_INVALID_REQUEST, WEFT_STAGE_QUEUE, WEFT_NOT_SENT, __VA_ARGS__)

static void refuse_octet(struct weft_error *error, struct wf_slice name, const char *part,
                         struct wf_slice text, size_t at)
{
    unsigned octet = text.ptr[at];

    if (octet > 0x20 && octet < 0x7f)
        INVALID(error, "The field %s of \"%.*s\" has '%c' (0x%02x) at position %zu.", part,
                wf_request_quoted(name), (const char *)name.ptr, (int)octet, octet, at + 1);
    else
        INVALID(error, "The field %s of \"%.*s\" has the octet 0x%02x at position %zu.", part,
                wf_request_quoted(name), (const char *)name.ptr, octet, at + 1);
}

bool wf_request_check_octets(size_t fields_len, struct wf_slice name, struct wf_slice value,
                             struct weft_error *error)
{
    if (name.len == 0) {
        INVALID(error, "A field name is empty.");
        return false;
    }
    if (name.ptr[0] == ':') {
        INVALID(error,
                "The field \"%.*s\" is a pseudo-header field, which the URL and method make.",
                wf_request_quoted(name), (const char *)name.ptr);
        return false;
    }
    size_t at = wf_field_name_bad_octet(name);
    if (at < name.len) {
        refuse_octet(error, name, "name", name, at);
        return false;
    }
    at = wf_field_value_bad_octet(value);
    if (at < value.len) {
        refuse_octet(error, name, "value", value, at);
        return false;
    }
    if (name.len > WF_REQUEST_FIELDS_MAX_LEN || value.len > WF_REQUEST_FIELDS_MAX_LEN ||
        fields_len + name.len + value.len > WF_REQUEST_FIELDS_MAX_LEN) {
        wf_error_set(error, WEFT_ERR_FIELDS_TOO_LARGE, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                     "With \"%.*s\" the fields have more than %u octets.", wf_request_quoted(name),
                     (const char *)name.ptr, WF_REQUEST_FIELDS_MAX_LEN);
        return false;
    }
    return true;
}

/* Fields that mean something to whoever sends them. */
enum meaning { PLAIN, CONNECTION_SPECIFIC, TE, HOST, EXPECT, USER_AGENT, CONTENT_LENGTH };

/* @name is in lower case. Most are of a length that no such name has. */
static enum meaning meaning_of(struct wf_slice name)
{
    switch (name.len) {
    case 2:
        return wf_slice_is(name, "te") ? TE : PLAIN;
    case 4:
        return wf_slice_is(name, "host") ? HOST : PLAIN;
    case 6:
        return wf_slice_is(name, "expect") ? EXPECT : PLAIN;
    case 14:
        return wf_slice_is(name, "content-length") ? CONTENT_LENGTH : PLAIN;
    default:
        if (wf_slice_is(name, "user-agent"))
            return USER_AGENT;
        return wf_field_is_connection_specific(name) ? CONNECTION_SPECIFIC : PLAIN;
    }
}

/* Fields that HTTP/2 forbids. */
static bool check_meaning(enum meaning meaning, struct wf_slice name, struct wf_slice value,
                          struct weft_error *error)
{
    if (meaning == CONNECTION_SPECIFIC) {
        INVALID(error, "The field \"%.*s\" concerns a connection, which HTTP/2 forbids.",
                wf_request_quoted(name), (const char *)name.ptr);
        return false;
    }
    /* RFC 9113 section 8.2.2. */
    if (meaning == TE && !wf_slice_is_nocase(value, "trailers")) {
        INVALID(error, "The field \"te\" is \"%.*s\"; HTTP/2 allows \"trailers\" only.",
                wf_request_quoted(value), (const char *)value.ptr);
        return false;
    }
    if (meaning == HOST) {
        struct weft_error inner;
        if (wf_url_check_authority(value, &inner) != WEFT_OK) {
            INVALID(error, "%s", inner.text);
            return false;
        }
    }
    return true;
}

static bool parse_length(struct wf_slice value, uint64_t *out)
{
    uint64_t length = 0;

    for (size_t i = 0; i < value.len; i++) {
        uint8_t octet = value.ptr[i];
        if (octet < '0' || octet > '9' || length > (UINT64_MAX - 9) / 10)
            return false;
        length = length * 10 + (uint64_t)(octet - '0');
    }
    *out = length;
    return value.len > 0;
}

/* A content-length of the caller; the field replaces ours. Whether it is that of the body is seen
 * in wf_request_error(), since the body may be set after it. */
static bool check_length(const struct weft_request *request, struct wf_slice value,
                         uint64_t *out_length, struct weft_error *error)
{
    if (!parse_length(value, out_length)) {
        INVALID(error, "The field \"content-length\" is \"%.*s\", which is not a number of octets.",
                wf_request_quoted(value), (const char *)value.ptr);
        return false;
    }
    if (request->length_is_given && request->seldom.given_length != *out_length) {
        INVALID(error, "The field \"content-length\" is given twice, as %llu and as %llu.",
                (unsigned long long)request->seldom.given_length, (unsigned long long)*out_length);
        return false;
    }
    return true;
}

/* Puts a checked field where it belongs. False: out of memory. */
static bool put_field(struct weft_request *request, enum meaning meaning,
                      const struct wf_field *field)
{
    if (WF_LIKELY(meaning == PLAIN))
        return wf_request_append_field(request, field);
    if (meaning == HOST) {
        wf_request_set_value(request, WF_REQUEST_AUTHORITY, field->value);
        return true;
    }
    if (meaning == CONTENT_LENGTH && request->length_index != 0) {
        wf_request_set_value(request, request->length_index, field->value);
        return true;
    }
    bool is_agent = meaning == USER_AGENT;
    if (is_agent && request->agent_index != 0) {
        if (field->value.len == 0) {
            wf_request_remove_field(request, request->agent_index);
            request->agent_index = 0;
            return true;
        }
        wf_request_set_value(request, request->agent_index, field->value);
        request->fields[request->agent_index].never_indexed = field->never_indexed;
        return true;
    }
    if (is_agent && field->value.len == 0)
        return true;
    if (!wf_request_append_field(request, field))
        return false;
    if (is_agent)
        request->agent_index = request->field_count - 1;
    if (meaning == CONTENT_LENGTH)
        request->length_index = request->field_count - 1;
    return true;
}

static enum weft_code add_field(struct weft_request *request, const char *name_text,
                                const char *value_text, bool never_indexed)
{
    struct weft_error error;
    uint64_t length = 0;

    if (request == NULL)
        return WEFT_ERR_INVALID_ARGUMENT;
    if (atomic_load_explicit(&request->frozen, memory_order_relaxed))
        return WEFT_ERR_FROZEN;
    if (name_text == NULL || value_text == NULL)
        return wf_request_remember_null(request, name_text == NULL ? "field name" : "field value");

    struct wf_slice name = wf_slice_str(name_text);
    struct wf_slice value = wf_slice_trim(wf_slice_str(value_text));
    if (!wf_request_check_octets(request->fields_len, name, value, &error))
        return wf_request_remember(request, &error);
    char *text = wf_request_take_text(request, name.len + value.len);
    if (text == NULL)
        return wf_request_remember_no_memory(request);
    for (size_t i = 0; i < name.len; i++)
        text[i] = (char)wf_ascii_lower(name.ptr[i]);
    memcpy(text + name.len, value.ptr, value.len);

    struct wf_field field = {wf_slice(text, name.len), wf_slice(text + name.len, value.len),
                             never_indexed};
    enum meaning meaning = meaning_of(field.name);
    bool is_length = meaning == CONTENT_LENGTH;
    if (!check_meaning(meaning, field.name, field.value, &error) ||
        (is_length && !check_length(request, field.value, &length, &error)))
        return wf_request_remember(request, &error);
    if (!put_field(request, meaning, &field))
        return wf_request_remember_no_memory(request);
    if (meaning == EXPECT && wf_slice_is_nocase(field.value, "100-continue"))
        request->expects_continue = true;
    if (is_length) {
        request->length_is_given = true;
        request->seldom.given_length = length;
        wf_request_update_failed(request);
    }
    return WEFT_OK;
}

enum weft_code weft_request_add_field(struct weft_request *request, const char *name,
                                      const char *value)
{
    return add_field(request, name, value, false);
}

enum weft_code weft_request_add_secret_field(struct weft_request *request, const char *name,
                                             const char *value)
{
    return add_field(request, name, value, true);
}
