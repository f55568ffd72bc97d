/* What can be wrong with an HTTP/1.1 connection. */
#ifndef WF_H1_ERROR_H
#define WF_H1_ERROR_H

enum wf_h1_err_kind {
    WF_H1_ERR_NONE,
    WF_H1_ERR_PROTOCOL, /* a rule of RFC 9112 is broken, or what came can be read in two ways */
    WF_H1_ERR_NOT_HTTP, /* what came does not begin as an HTTP/1.x response */
    WF_H1_ERR_LIMIT,    /* legal, and more fields than we take */
    WF_H1_ERR_UNASKED,  /* octets that no request asked for */
    WF_H1_ERR_LOST,     /* the connection ended before the response did */
    WF_H1_ERR_NO_MEMORY,
    WF_H1_ERR_FLOOD, /* legal, and more octets beside the content than we take */
    WF_H1_ERR_HTTP2, /* as NOT_HTTP, and it is HTTP/2 */
    WF_H1_ERR_TLS    /* as NOT_HTTP, and it is TLS */
};

struct wf_h1_err {
    enum wf_h1_err_kind kind;
    const char *reason; /* static storage, no full stop; NULL when kind is none */
};

static inline struct wf_h1_err wf_h1_err(enum wf_h1_err_kind kind, const char *reason)
{
    return (struct wf_h1_err){kind, reason};
}

#define WF_H1_OK ((struct wf_h1_err){WF_H1_ERR_NONE, NULL})

#endif
