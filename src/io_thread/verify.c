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

bool wf_verify_is_self_issued(struct wf_slice der)
{
    struct wf_slice tbs, fields[5]; /* serial, signature, issuer, validity, subject */
    uint8_t tag;
    if (!read_tbs(der, &tbs))
        return false;
    if (tbs.len > 0 && tbs.ptr[0] == TAG_VERSION && !read_element(&tbs, &tag, &fields[0]))
        return false;
    for (size_t i = 0; i < 5; i++) {
        if (!read_element(&tbs, &tag, &fields[i]))
            return false;
    }
    return wf_slice_equal(fields[2], fields[4]);
}
