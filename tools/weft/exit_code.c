/* From the library's codes to curl's exit statuses. */
#include "exit_code.h"

#include <string.h>

/* What a broken connection is called depends on how far the request had come. */
static enum wf_fetch_exit lost_code(const struct weft_error *error)
{
    if (strstr(error->text, "before a response"))
        return WF_FETCH_EXIT_EMPTY;
    switch (error->stage) {
    case WEFT_STAGE_QUEUE:
    case WEFT_STAGE_RESOLVE:
    case WEFT_STAGE_CONNECT:
        return WF_FETCH_EXIT_CONNECT;
    case WEFT_STAGE_TLS:
        return WF_FETCH_EXIT_TLS;
    case WEFT_STAGE_SEND:
        return WF_FETCH_EXIT_SEND;
    case WEFT_STAGE_WAIT:
        return WF_FETCH_EXIT_RECEIVE;
    case WEFT_STAGE_BODY:
        return WF_FETCH_EXIT_PARTIAL;
    }
    return WF_FETCH_EXIT_RECEIVE;
}

/* What is wrong with HTTP/1.1 has no code of HTTP/2. */
static enum wf_fetch_exit protocol_code(const struct weft_error *error)
{
    if (error->h2_code != 0)
        return WF_FETCH_EXIT_HTTP2;
    return error->stage == WEFT_STAGE_BODY ? WF_FETCH_EXIT_RECEIVE : WF_FETCH_EXIT_WEIRD;
}

enum wf_fetch_exit wf_fetch_exit_code(const struct weft_error *error)
{
    switch (error->code) {
    case WEFT_OK:
        return WF_FETCH_EXIT_OK;
    case WEFT_ERR_NO_MEMORY:
        return WF_FETCH_EXIT_NO_MEMORY;
    case WEFT_ERR_INVALID_URL:
        return WF_FETCH_EXIT_URL;
    case WEFT_ERR_INVALID_ARGUMENT:
    case WEFT_ERR_INVALID_REQUEST:
    case WEFT_ERR_FROZEN:
        return WF_FETCH_EXIT_REQUEST;
    case WEFT_ERR_TIMEOUT:
    case WEFT_ERR_DEADLINE:
    case WEFT_ERR_STAGE_TIMEOUT:
    case WEFT_ERR_CONNECT_TIMEOUT:
        return WF_FETCH_EXIT_TIMEOUT;
    case WEFT_ERR_CANCELLED:
    case WEFT_ERR_CLOSED:
        return WF_FETCH_EXIT_CANCELLED;
    case WEFT_ERR_QUEUE_FULL:
        return WF_FETCH_EXIT_QUEUE;
    case WEFT_ERR_RESOLVE:
        return WF_FETCH_EXIT_RESOLVE;
    case WEFT_ERR_CONNECT:
    case WEFT_ERR_CONNECT_REFUSED:
        return WF_FETCH_EXIT_CONNECT;
    case WEFT_ERR_TLS:
        return WF_FETCH_EXIT_TLS;
    case WEFT_ERR_CERTIFICATE:
    case WEFT_ERR_CERTIFICATE_TIME:
    case WEFT_ERR_CERTIFICATE_HOST:
        return WF_FETCH_EXIT_CERTIFICATE;
    case WEFT_ERR_PIN:
        return WF_FETCH_EXIT_PIN;
    case WEFT_ERR_CLIENT_CERT:
        return WF_FETCH_EXIT_CLIENT_CERT;
    case WEFT_ERR_NOT_HTTP2:
    case WEFT_ERR_NOT_HTTP1:
        return WF_FETCH_EXIT_NOT_HTTP2;
    case WEFT_ERR_CONNECTION_LOST:
    case WEFT_ERR_TRUNCATED:
        return lost_code(error);
    case WEFT_ERR_GOAWAY:
        return WF_FETCH_EXIT_HTTP2;
    case WEFT_ERR_PROTOCOL:
        return protocol_code(error);
    case WEFT_ERR_REFUSED:
    case WEFT_ERR_RESET:
        return WF_FETCH_EXIT_STREAM;
    case WEFT_ERR_BODY_TOO_LARGE:
        return WF_FETCH_EXIT_BODY_TOO_LARGE;
    case WEFT_ERR_FILE:
        return WF_FETCH_EXIT_READ;
    case WEFT_ERR_FIELDS_TOO_LARGE:
        return WF_FETCH_EXIT_FIELDS_TOO_LARGE;
    case WEFT_ERR_FORKED:
    case WEFT_ERR_WOULD_DEADLOCK:
    case WEFT_ERR_BUSY:
    case WEFT_ERR_UPLOAD_OVER:
    case WEFT_ERR_INTERNAL:
    case WEFT_CODE_COUNT:
        return WF_FETCH_EXIT_INTERNAL;
    }
    return WF_FETCH_EXIT_INTERNAL;
}

const char *wf_fetch_hint(const struct weft_error *error)
{
    if (error->code == WEFT_ERR_NOT_HTTP1 && strstr(error->text, "http2_prior_knowledge"))
        return " (--http2-prior-knowledge)";
    if (error->code == WEFT_ERR_NOT_HTTP2 && strstr(error->text, "speaks HTTP/1"))
        return " (leave --http2-prior-knowledge out)";
    if (error->code == WEFT_ERR_NOT_HTTP2 && strstr(error->text, "speaks TLS"))
        return "; its URLs begin with https://";
    if (error->code == WEFT_ERR_TLS && strstr(error->text, "does not speak TLS"))
        return "; its URLs may begin with http://";
    return "";
}
