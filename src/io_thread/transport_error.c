#include "io_thread/transport_error.h"

#include "message/error.h"

static enum weft_code code_of(enum wf_io_error_kind kind, enum weft_stage stage)
{
    switch (kind) {
    case WF_IO_ERR_NO_MEMORY:
        return WEFT_ERR_NO_MEMORY;
    case WF_IO_ERR_TRUNCATED:
        return WEFT_ERR_TRUNCATED;
    case WF_IO_ERR_UNTRUSTED:
    case WF_IO_ERR_BAD_CERT:
        return WEFT_ERR_CERTIFICATE;
    case WF_IO_ERR_EXPIRED:
    case WF_IO_ERR_NOT_YET_VALID:
        return WEFT_ERR_CERTIFICATE_TIME;
    case WF_IO_ERR_WRONG_HOST:
        return WEFT_ERR_CERTIFICATE_HOST;
    case WF_IO_ERR_PIN:
        return WEFT_ERR_PIN;
    case WF_IO_ERR_CLIENT_CERT:
        return WEFT_ERR_CLIENT_CERT;
    case WF_IO_ERR_TLS_ALERT:
    case WF_IO_ERR_TLS_VERSION:
    case WF_IO_ERR_NOT_TLS:
    case WF_IO_ERR_TLS_CLOSED:
    case WF_IO_ERR_TICKET_NONCE:
    case WF_IO_ERR_TLS_LIMIT:
    case WF_IO_ERR_TLS_PROTOCOL:
    case WF_IO_ERR_CONFIG:
        return WEFT_ERR_TLS;
    case WF_IO_ERR_SYSTEM:
        return stage == WEFT_STAGE_TLS ? WEFT_ERR_TLS : WEFT_ERR_CONNECTION_LOST;
    case WF_IO_ERR_NONE:
        break;
    }
    return WEFT_ERR_CONNECTION_LOST;
}

void wf_error_from_transport(struct weft_error *out_error, const struct wf_io_error *cause,
                             const char *origin, enum weft_stage stage)
{
    wf_error_set(out_error, code_of(cause->kind, stage), stage, WEFT_NOT_SENT, "%s: %s", origin,
                 cause->text);
    out_error->sys_errno = cause->sys_errno;
    out_error->tls_code = cause->tls_code;
}
