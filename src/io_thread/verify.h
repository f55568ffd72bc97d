/* Whether a certificate is for a host: the subject alternative names of the leaf, read from its
 * DER. Chain, dates and signatures are wolfSSL's; this answer is ours because wolfSSL's differs
 * between versions and builds. Pure; thread: any. The DER is a peer's: every step is
 * bounds-checked. */
#ifndef WF_IO_THREAD_VERIFY_H
#define WF_IO_THREAD_VERIFY_H

#include "base/slice.h"

enum wf_verify_result {
    WF_VERIFY_OK,
    WF_VERIFY_MISMATCH, /* it has names, but not this one */
    WF_VERIFY_NO_NAMES, /* it has no subject alternative names; the common name does not count */
    WF_VERIFY_MALFORMED
};

/* @host: a name (any case, one trailing dot is ignored) or an IPv4 or IPv6 literal. A literal is
 * compared with iPAddress entries only, a name with dNSName entries only (RFC 9110 section 4.3.5);
 * a wildcard is a whole left-most label and stands for exactly one label (RFC 6125 section 6.4.3).
 */
enum wf_verify_result wf_verify_host(struct wf_slice der, const char *host);

/* The SubjectPublicKeyInfo, whole, for pins. False: @der cannot be read. */
bool wf_verify_public_key(struct wf_slice der, struct wf_slice *out_public_key);

/* The first and the last second of validity (RFC 5280 section 4.1.2.5), since 1970. False: @der
 * cannot be read. */
bool wf_verify_validity(struct wf_slice der, int64_t *out_not_before, int64_t *out_not_after);

/* Whether issuer and subject are the same. For the words of an error, not for a decision. */
bool wf_verify_is_self_issued(struct wf_slice der);

#endif
