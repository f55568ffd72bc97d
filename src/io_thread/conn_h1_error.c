#include "io_thread/conn_h1_error.h"

#include "base/assert.h"
#include "io_thread/conn.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "message/error.h"

enum weft_code wf_conn_h1_code(const struct wf_conn *conn, enum wf_h1_err_kind kind)
{
    switch (kind) {
    case WF_H1_ERR_NONE:
    case WF_H1_ERR_PROTOCOL:
    case WF_H1_ERR_FLOOD:
    case WF_H1_ERR_UNASKED:
        return WEFT_ERR_PROTOCOL;
    case WF_H1_ERR_NOT_HTTP:
    case WF_H1_ERR_HTTP2:
    case WF_H1_ERR_TLS:
        return WEFT_ERR_NOT_HTTP1;
    case WF_H1_ERR_LIMIT:
        return WEFT_ERR_FIELDS_TOO_LARGE;
    case WF_H1_ERR_LOST:
        return conn->error.code != WEFT_OK ? conn->error.code : WEFT_ERR_CONNECTION_LOST;
    case WF_H1_ERR_NO_MEMORY:
        return WEFT_ERR_NO_MEMORY;
    }
    WF_UNREACHABLE("no other kind");
}

/* What to do about a server that speaks something else without TLS; over TLS there was ALPN. */
static const char *advice(const struct wf_conn *conn, enum wf_h1_err_kind kind)
{
    if (conn->origin->https)
        return "";
    if (kind == WF_H1_ERR_HTTP2)
        return "; set http2_prior_knowledge to speak it without TLS";
    return kind == WF_H1_ERR_TLS ? "; its URLs begin with https://" : "";
}

static void count_limit(struct wf_conn *conn, enum wf_h1_err_kind kind)
{
    if (kind == WF_H1_ERR_LIMIT)
        wf_io_thread_count_limit(conn->io, WEFT_LIMIT_FIELDS);
    else if (kind == WF_H1_ERR_FLOOD)
        wf_io_thread_count_limit(conn->io, WEFT_LIMIT_FRAMES);
}

void wf_conn_h1_note_error(struct wf_conn *conn, const struct wf_h1_err *err, enum weft_stage stage)
{
    static const char *const did[] = {
        [WF_H1_ERR_NONE] = "",
        [WF_H1_ERR_PROTOCOL] = "sent a response that is not valid",
        [WF_H1_ERR_NOT_HTTP] = "does not speak HTTP/1.1",
        [WF_H1_ERR_HTTP2] = "speaks HTTP/2 and not HTTP/1.1",
        [WF_H1_ERR_TLS] = "speaks TLS on this port",
        [WF_H1_ERR_LIMIT] = "sent a response that is not valid",
        [WF_H1_ERR_FLOOD] = "sent a response that is not valid",
        [WF_H1_ERR_UNASKED] = "broke a rule of HTTP/1.1",
        [WF_H1_ERR_LOST] = "ended the connection",
        [WF_H1_ERR_NO_MEMORY] = "sent a response that cannot be kept",
    };
    count_limit(conn, err->kind);
    /* What was read after a write had failed says more than that it failed. */
    if (conn->error.code == WEFT_OK || err->kind != WF_H1_ERR_LOST)
        wf_error_set(&conn->error, wf_conn_h1_code(conn, err->kind), stage, WEFT_NOT_SENT,
                     "%s %s: %s%s", conn->origin->key, did[err->kind], err->reason,
                     advice(conn, err->kind));
}
