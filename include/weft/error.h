/* What can go wrong, as plain values. Nothing here needs freeing; every call is legal on every
 * thread. */
#ifndef WEFT_ERROR_H
#define WEFT_ERROR_H

#include <stdint.h>

#include "weft/export.h"

#ifdef __cplusplus
extern "C" {
#endif

enum weft_code {
    WEFT_OK = 0,

    /* The call. */
    WEFT_ERR_NO_MEMORY,
    WEFT_ERR_INVALID_ARGUMENT, /* a NULL or a value that the function cannot take */
    WEFT_ERR_INVALID_URL,
    WEFT_ERR_INVALID_REQUEST, /* a method, field or body that must not be sent (RFC 9113
                                 section 8.2) */
    WEFT_ERR_FROZEN,          /* the request was submitted before and cannot change any more */
    WEFT_ERR_WOULD_DEADLOCK,  /* waiting for oneself: inside a callback of the same client */
    WEFT_ERR_TIMEOUT,         /* the time given to a wait is over; the request goes on */

    /* The request was ended here. */
    WEFT_ERR_CANCELLED,
    WEFT_ERR_DEADLINE, /* the request's deadline, counted from its submission */
    /* A time limit of a stage: first_byte_timeout_ms, no_progress_timeout_ms or try_timeout_ms; the
     * text says which. */
    WEFT_ERR_STAGE_TIMEOUT,
    WEFT_ERR_CLOSED,     /* the client is closed */
    WEFT_ERR_QUEUE_FULL, /* too many requests wait already */
    WEFT_ERR_FORKED,     /* the client was made before fork(), in the parent */

    /* No connection. */
    WEFT_ERR_RESOLVE,
    WEFT_ERR_CONNECT, /* no address could be connected to */
    WEFT_ERR_CONNECT_REFUSED,
    WEFT_ERR_CONNECT_TIMEOUT,
    WEFT_ERR_TLS,              /* the handshake failed */
    WEFT_ERR_CERTIFICATE,      /* not trusted: unknown issuer, bad signature or purpose */
    WEFT_ERR_CERTIFICATE_TIME, /* expired or not yet valid */
    WEFT_ERR_CERTIFICATE_HOST, /* issued for another host */
    WEFT_ERR_PIN,              /* the server's public key is none of config.pins */
    WEFT_ERR_CLIENT_CERT,      /* the client's certificate: it cannot be used, the server refuses
                                  it, or asks for one and there is none */
    WEFT_ERR_NOT_HTTP2,        /* the server does not speak HTTP/2, or not for this request (h2_code
                                  13, HTTP_1_1_REQUIRED), and HTTP/1.1 was not to be had */
    WEFT_ERR_NOT_HTTP1,        /* the server does not speak HTTP/1.1, which was all that it could be
                                  asked in; the text says what it speaks where that can be told */

    /* The connection or the stream broke. */
    WEFT_ERR_CONNECTION_LOST, /* reset, or ended before the response was complete */
    WEFT_ERR_TRUNCATED,       /* TCP ended without TLS close_notify in the middle of a response */
    WEFT_ERR_GOAWAY,          /* the server ended the connection and did not process the request */
    WEFT_ERR_REFUSED,         /* REFUSED_STREAM: not processed */
    WEFT_ERR_RESET,           /* the server reset the stream; see h2_code */
    WEFT_ERR_PROTOCOL,        /* the server broke a rule of HTTP/2, see h2_code, or of HTTP/1.1 */

    /* Limits. */
    WEFT_ERR_BODY_TOO_LARGE,   /* above max_body_size */
    WEFT_ERR_FIELDS_TOO_LARGE, /* the request's fields are above what the server accepts, or the
                                  response's above max_header_list_size */

    /* Streaming and files. */
    WEFT_ERR_BUSY,        /* another thread writes to this request; one at a time */
    WEFT_ERR_UPLOAD_OVER, /* the body was finished, or the response is complete and the server wants
                             no more of it */
    WEFT_ERR_FILE,        /* the file of a body could not be read or written; see sys_errno */

    WEFT_ERR_INTERNAL, /* a system call failed that should not; see sys_errno */
    WEFT_CODE_COUNT    /* number of codes; grows */
};

/* Where a request ended. */
enum weft_stage {
    WEFT_STAGE_QUEUE, /* waiting for an I/O thread, a connection or a free stream */
    WEFT_STAGE_RESOLVE,
    WEFT_STAGE_CONNECT,
    WEFT_STAGE_TLS,
    WEFT_STAGE_SEND, /* the request was being written */
    WEFT_STAGE_WAIT, /* all was sent; no response yet */
    WEFT_STAGE_BODY  /* the response had begun */
};

/* May it be sent again? Never says less than is proven; of several tries, the most that any of them
 * may have done. */
enum weft_effect {
    WEFT_NOT_SENT,        /* no octet of it was given to the transport */
    WEFT_NOT_PROCESSED,   /* the server said that it did not process it (RFC 9113 section 8.7), or
                             wants it over HTTP/1.1 */
    WEFT_MAYBE_PROCESSED, /* cannot be known */
    WEFT_PROCESSED        /* a response had begun */
};

#define WEFT_ERROR_TEXT_LEN 192

struct weft_error {
    enum weft_code code;
    enum weft_stage stage;
    enum weft_effect effect;
    uint32_t h2_code;               /* RFC 9113 section 7, where one was sent or received; else 0 */
    int sys_errno;                  /* else 0 */
    int tls_code;                   /* the TLS library's number; else 0 */
    char text[WEFT_ERROR_TEXT_LEN]; /* one sentence for people, without a newline */
};

/* "WEFT_ERR_DEADLINE" and so on. Static storage; never NULL. */
WEFT_API const char *weft_code_name(enum weft_code code);
/* "queue", "resolve", ... */
WEFT_API const char *weft_stage_name(enum weft_stage stage);
/* "not sent", "not processed", "maybe processed", "processed" */
WEFT_API const char *weft_effect_name(enum weft_effect effect);

#ifdef __cplusplus
}
#endif
#endif
