/* Absolute http and https URLs (RFC 3986, RFC 9110 section 4.2), strictly: what is accepted can be
 * sent as it is. Thread: any.
 *
 * Beyond RFC 3986 only '[', ']' and '|' are taken in path and query, which browsers send too; dot
 * segments are left alone. Refused: user names and passwords, percent-encoded or non-ASCII hosts,
 * numbers that are no dotted quad (127.1), IPv6 zone identifiers. */
#ifndef WF_MESSAGE_URL_H
#define WF_MESSAGE_URL_H

#include "base/slice.h"
#include "weft/error.h"

#define WF_URL_MAX_LEN      65536u
#define WF_URL_HOST_MAX_LEN 253u /* RFC 1035 section 2.3.4, as text without the root's dot */

/* What connections are shared by. */
struct wf_url_origin {
    struct wf_slice text; /* "https://a.example:443" */
    uint64_t hash;        /* of it */
};

/* All text lives in the room that was given to wf_url_parse() and ends in a NUL that is not
 * counted. */
struct wf_url {
    bool https;
    bool host_is_ip4;
    bool host_is_ip6;
    bool has_path; /* the URL had a path or a query: needed for OPTIONS (RFC 9113 section 8.3.1) */
    uint16_t port;
    /* In lower case, without brackets; addresses in their canonical form. One trailing dot is
     * dropped: certificates and SNI have none, and a.example and a.example. share connections. */
    struct wf_slice host;
    /* For :authority: the host as written but in lower case, its dot kept, IPv6 in brackets; the
     * port unless it is the scheme's own. */
    struct wf_slice authority;
    struct wf_slice path; /* path and query, "/" at least; the fragment is dropped */
    struct wf_url_origin origin;
};

/* Octets of room that wf_url_parse() needs for a URL of @len. */
size_t wf_url_room(size_t len);

/* WEFT_OK, or WEFT_ERR_INVALID_URL with @error saying what is wrong and where; positions count
 * octets from 1. @room has wf_url_room(text.len) octets and must outlive @url. */
enum weft_code wf_url_parse(struct wf_url *url, struct wf_slice text, char *room,
                            struct weft_error *error);

/* Whether @text can stand as host[:port] of a URL; @error as above. */
enum weft_code wf_url_check_authority(struct wf_slice text, struct weft_error *error);

#endif
