#include "h1/line.h"

#include "base/field_rules.h"

static bool is_digit(uint8_t octet)
{
    return octet >= '0' && octet <= '9';
}

/* RFC 9112 section 4: HTAB, SP, visible and non-ASCII octets. */
static bool is_reason_phrase(struct wf_slice text)
{
    return wf_field_value_bad_octet(text) == text.len;
}

const char *wf_h1_parse_status_line(struct wf_slice line, struct wf_h1_status_line *out)
{
    const uint8_t *p = line.ptr;
    if (line.len < WF_H1_STATUS_AT + 3 ||
        memcmp(p, WF_H1_VERSION_PREFIX, WF_H1_VERSION_PREFIX_LEN) != 0 || !is_digit(p[7]) ||
        p[8] != ' ')
        return "the status line does not begin with a version, a space and a status code";
    const uint8_t *code = p + WF_H1_STATUS_AT;
    /* RFC 9110 section 15: 100 to 599. */
    if (code[0] < '1' || code[0] > '5' || !is_digit(code[1]) || !is_digit(code[2]))
        return "the status code is not a number from 100 to 599";
    struct wf_slice rest = wf_slice_skip(line, WF_H1_STATUS_AT + 3);
    if (rest.len > 0 && rest.ptr[0] != ' ')
        return "the status code is not followed by a space";
    if (!is_reason_phrase(rest))
        return "the reason phrase has an octet that it may not have";
    out->status = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
    /* RFC 9110 section 2.5: a higher minor version is read as the highest that we know. */
    out->is_1_0 = p[7] == '0';
    return NULL;
}

const char *wf_h1_parse_field_line(struct wf_slice line, struct wf_slice *out_name,
                                   struct wf_slice *out_value)
{
    /* RFC 9112 section 5.2: a line that goes on from the last one, or claims to. */
    if (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
        return "a field is folded over two lines";
    const uint8_t *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
    if (colon == NULL)
        return "a field line has no colon";
    struct wf_slice name = wf_slice(line.ptr, (size_t)(colon - line.ptr));
    if (name.len == 0)
        return "a field name is empty";
    /* RFC 9112 section 5.1: proxies have read such names differently. */
    if (colon[-1] == ' ' || colon[-1] == '\t')
        return "white space stands between a field name and its colon";
    if (wf_field_name_bad_octet(name) < name.len)
        return "a field name has an octet that it may not have";
    struct wf_slice value = wf_slice_trim(wf_slice_skip(line, name.len + 1));
    if (!wf_field_value_is_valid(value))
        return "a field value has an octet that it may not have";
    *out_name = name;
    *out_value = value;
    return NULL;
}
