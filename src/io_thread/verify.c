/* A walk over just so much of a certificate (RFC 5280 section 4.1) as leads to the subject
 * alternative name extension. DER is definite-length and minimal (X.690 section 10.1); what is not
 * is refused, so that nobody can hide a name from one reader and show it to another. */
#include "io_thread/verify.h"

#include <arpa/inet.h>

#define TAG_BOOLEAN      0x01u
#define TAG_OCTET_STRING 0x04u
#define TAG_OID          0x06u
#define TAG_SEQUENCE     0x30u
#define TAG_VERSION      0xa0u /* [0] EXPLICIT, of TBSCertificate; absent in version 1 */
#define TAG_EXTENSIONS   0xa3u /* [3] EXPLICIT, of TBSCertificate */
#define TAG_UTC_TIME     0x17u
#define TAG_TIME         0x18u /* GeneralizedTime */
#define TAG_DNS_NAME     0x82u /* [2] IMPLICIT IA5String, of GeneralName */
#define TAG_IP_ADDRESS   0x87u /* [7] IMPLICIT OCTET STRING, of GeneralName */

#define NAME_MAX_LEN 253

/* What the certificate is asked for: a name without its trailing dot, or the octets of an address.
 */
struct reference {
    bool is_address;
    struct wf_slice octets;
    uint8_t address[16];
};

static bool read_length(struct wf_slice *in, size_t *out_len)
{
    if (in->len == 0)
        return false;
    uint8_t first = in->ptr[0];
    *in = wf_slice_skip(*in, 1);
    if (first < 0x80) {
        *out_len = first;
        return true;
    }
    size_t octets = first & 0x7fu;
    if (octets == 0 || octets > 3 || octets > in->len || in->ptr[0] == 0)
        return false;
    size_t len = 0;
    for (size_t i = 0; i < octets; i++)
        len = len << 8 | in->ptr[i];
    *in = wf_slice_skip(*in, octets);
    *out_len = len;
    return len >= 0x80;
}

/* Takes one element off the front of *in. */
static bool read_element(struct wf_slice *in, uint8_t *out_tag, struct wf_slice *out_content)
{
    if (in->len == 0)
        return false;
    *out_tag = in->ptr[0];
    if ((*out_tag & 0x1fu) == 0x1fu) /* tags of several octets do not occur in certificates */
        return false;
    *in = wf_slice_skip(*in, 1);
    size_t len;
    if (!read_length(in, &len) || len > in->len)
        return false;
    *out_content = wf_slice(in->ptr, len);
    *in = wf_slice_skip(*in, len);
    return true;
}

static bool read_tagged(struct wf_slice *in, uint8_t tag, struct wf_slice *out_content)
{
    uint8_t found;
    return read_element(in, &found, out_content) && found == tag;
}

/* One Extension: SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING }. */
static bool read_extension(struct wf_slice *in, struct wf_slice *out_oid,
                           struct wf_slice *out_value)
{
    struct wf_slice body, content;
    uint8_t tag;
    if (!read_tagged(in, TAG_SEQUENCE, &body) || !read_tagged(&body, TAG_OID, out_oid) ||
        !read_element(&body, &tag, &content))
        return false;
    if (tag == TAG_BOOLEAN && (content.len != 1 || !read_element(&body, &tag, &content)))
        return false;
    *out_value = content;
    return tag == TAG_OCTET_STRING && body.len == 0;
}

static bool read_tbs(struct wf_slice der, struct wf_slice *out_tbs)
{
    struct wf_slice certificate;
    return read_tagged(&der, TAG_SEQUENCE, &certificate) && der.len == 0 &&
           read_tagged(&certificate, TAG_SEQUENCE, out_tbs);
}

/* Finds the content of SubjectAltName. OK: *out_names has it. */
static enum wf_verify_result find_names(struct wf_slice der, struct wf_slice *out_names)
{
    static const uint8_t oid_subject_alt_name[] = {0x55, 0x1d, 0x11}; /* 2.5.29.17 */
    struct wf_slice tbs, content;
    uint8_t tag = 0;
    if (!read_tbs(der, &tbs))
        return WF_VERIFY_MALFORMED;
    while (tbs.len > 0 && tag != TAG_EXTENSIONS) {
        if (!read_element(&tbs, &tag, &content))
            return WF_VERIFY_MALFORMED;
    }
    if (tag != TAG_EXTENSIONS)
        return WF_VERIFY_NO_NAMES;

    struct wf_slice extensions;
    if (tbs.len != 0 || !read_tagged(&content, TAG_SEQUENCE, &extensions) || content.len != 0)
        return WF_VERIFY_MALFORMED;
    bool found = false;
    while (extensions.len > 0) {
        struct wf_slice oid, value;
        if (!read_extension(&extensions, &oid, &value))
            return WF_VERIFY_MALFORMED;
        if (!wf_slice_equal(oid, wf_slice(oid_subject_alt_name, sizeof(oid_subject_alt_name))))
            continue;
        /* RFC 5280 section 4.2: an extension must not occur twice. */
        if (found || !read_tagged(&value, TAG_SEQUENCE, out_names) || value.len != 0)
            return WF_VERIFY_MALFORMED;
        found = true;
    }
    return found ? WF_VERIFY_OK : WF_VERIFY_NO_NAMES;
}

static uint8_t lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20u) : octet;
}

/* Not strcasecmp: a NUL inside a presented name must not end the comparison. */
static bool equal_ignoring_case(struct wf_slice a, struct wf_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

static struct wf_slice without_trailing_dot(struct wf_slice name)
{
    if (name.len > 1 && name.ptr[name.len - 1] == '.')
        name.len--;
    return name;
}

static bool name_matches(struct wf_slice presented, struct wf_slice name)
{
    presented = without_trailing_dot(presented);
    if (presented.len == 0 || name.len == 0)
        return false;
    if (presented.len < 2 || presented.ptr[0] != '*' || presented.ptr[1] != '.')
        return equal_ignoring_case(presented, name);

    /* RFC 6125 section 6.4.3. "*." needs two more labels: one certificate for all of a top-level
     * domain is nobody's to have. */
    struct wf_slice parent = wf_slice_skip(presented, 1);
    if (memchr(parent.ptr + 1, '.', parent.len - 1) == NULL)
        return false;
    const uint8_t *dot = memchr(name.ptr, '.', name.len);
    if (dot == NULL || dot == name.ptr)
        return false;
    return equal_ignoring_case(parent, wf_slice_skip(name, (size_t)(dot - name.ptr)));
}

static bool reference_init(struct reference *reference, const char *host)
{
    size_t len = strlen(host);
    reference->is_address = true;
    if (inet_pton(AF_INET, host, reference->address) == 1) {
        reference->octets = wf_slice(reference->address, 4);
        return true;
    }
    if (inet_pton(AF_INET6, host, reference->address) == 1) {
        reference->octets = wf_slice(reference->address, 16);
        return true;
    }
    reference->is_address = false;
    reference->octets = without_trailing_dot(wf_slice(host, len));
    return reference->octets.len > 0 && reference->octets.len <= NAME_MAX_LEN;
}

enum wf_verify_result wf_verify_host(struct wf_slice der, const char *host)
{
    struct wf_slice names;
    enum wf_verify_result result = find_names(der, &names);
    if (result != WF_VERIFY_OK)
        return result;
    struct reference reference;
    if (!reference_init(&reference, host))
        return WF_VERIFY_MISMATCH;

    bool matched = false;
    bool any = false;
    /* All of them are read, also behind a match: a broken list proves nothing. */
    while (names.len > 0) {
        uint8_t tag;
        struct wf_slice content;
        if (!read_element(&names, &tag, &content))
            return WF_VERIFY_MALFORMED;
        any = any || tag == TAG_DNS_NAME || tag == TAG_IP_ADDRESS;
        if (tag == TAG_DNS_NAME && !reference.is_address)
            matched = matched || name_matches(content, reference.octets);
        if (tag == TAG_IP_ADDRESS && reference.is_address)
            matched = matched || wf_slice_equal(content, reference.octets);
    }
    if (matched)
        return WF_VERIFY_OK;
    return any ? WF_VERIFY_MISMATCH : WF_VERIFY_NO_NAMES;
}

/* The fields of TBSCertificate behind the version, each whole: serial number, signature, issuer,
 * validity, subject, subjectPublicKeyInfo. */
#define FIELD_COUNT 6
enum { FIELD_ISSUER = 2, FIELD_VALIDITY, FIELD_SUBJECT, FIELD_PUBLIC_KEY };

static bool read_fields(struct wf_slice der, struct wf_slice fields[FIELD_COUNT])
{
    struct wf_slice tbs, content;
    uint8_t tag;
    if (!read_tbs(der, &tbs))
        return false;
    if (tbs.len > 0 && tbs.ptr[0] == TAG_VERSION && !read_element(&tbs, &tag, &content))
        return false;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const uint8_t *start = tbs.ptr;
        if (!read_element(&tbs, &tag, &content))
            return false;
        fields[i] = wf_slice(start, (size_t)(tbs.ptr - start));
    }
    return true;
}

bool wf_verify_is_self_issued(struct wf_slice der)
{
    struct wf_slice fields[FIELD_COUNT];
    return read_fields(der, fields) && wf_slice_equal(fields[FIELD_ISSUER], fields[FIELD_SUBJECT]);
}

bool wf_verify_public_key(struct wf_slice der, struct wf_slice *out_public_key)
{
    struct wf_slice fields[FIELD_COUNT];
    if (!read_fields(der, fields) || fields[FIELD_PUBLIC_KEY].ptr[0] != TAG_SEQUENCE)
        return false;
    *out_public_key = fields[FIELD_PUBLIC_KEY];
    return true;
}

/* @count digits, as a number. */
static bool read_digits(struct wf_slice *in, size_t count, int64_t *out)
{
    if (in->len < count)
        return false;
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (in->ptr[i] < '0' || in->ptr[i] > '9')
            return false;
        *out = *out * 10 + (in->ptr[i] - '0');
    }
    *in = wf_slice_skip(*in, count);
    return true;
}

/* Days from 1970 to the first of a month; the year begins in March, so that its leap day is last.
 */
static int64_t days_to(int64_t year, int64_t month)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - 719468;
}

static bool read_time(struct wf_slice *in, int64_t *out)
{
    struct wf_slice text;
    uint8_t tag;
    int64_t year, month, day, hour, minute, second;
    if (!read_element(in, &tag, &text) || (tag != TAG_UTC_TIME && tag != TAG_TIME) ||
        !read_digits(&text, tag == TAG_TIME ? 4 : 2, &year) || !read_digits(&text, 2, &month) ||
        !read_digits(&text, 2, &day) || !read_digits(&text, 2, &hour) ||
        !read_digits(&text, 2, &minute) || !read_digits(&text, 2, &second) ||
        !wf_slice_is(text, "Z"))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    if (tag == TAG_UTC_TIME)
        year += year >= 50 ? 1900 : 2000;
    *out = ((days_to(year, month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second;
    return true;
}

bool wf_verify_validity(struct wf_slice der, int64_t *out_not_before, int64_t *out_not_after)
{
    struct wf_slice fields[FIELD_COUNT];
    struct wf_slice validity;
    return read_fields(der, fields) &&
           read_tagged(&fields[FIELD_VALIDITY], TAG_SEQUENCE, &validity) &&
           read_time(&validity, out_not_before) && read_time(&validity, out_not_after) &&
           validity.len == 0;
}
