#include "message/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct entry {
    const char *name;
    struct weft_error error;
};

#define ENTRY(c, s, e, t)                                                                          \
    [c] = {#c, {.code = (c), .stage = WEFT_STAGE_##s, .effect = WEFT_##e, .text = t}}

/* The effect is what the code alone proves: a deadline may pass at any stage. */
static const struct entry entries[WEFT_CODE_COUNT] = {
    ENTRY(WEFT_OK, BODY, PROCESSED, "The response is complete."),
    ENTRY(WEFT_ERR_NO_MEMORY, QUEUE, MAYBE_PROCESSED, "Out of memory."),
    ENTRY(WEFT_ERR_INVALID_ARGUMENT, QUEUE, NOT_SENT, "An argument is not valid."),
    ENTRY(WEFT_ERR_INVALID_URL, QUEUE, NOT_SENT, "The URL is not valid."),
    ENTRY(WEFT_ERR_INVALID_REQUEST, QUEUE, NOT_SENT, "The request is not valid."),
    ENTRY(WEFT_ERR_FROZEN, QUEUE, NOT_SENT,
          "The request was submitted before and cannot be changed."),
    ENTRY(WEFT_ERR_WOULD_DEADLOCK, QUEUE, MAYBE_PROCESSED,
          "A callback must not wait for its own client."),
    ENTRY(WEFT_ERR_TIMEOUT, WAIT, MAYBE_PROCESSED,
          "The time for waiting is over; the request goes on."),
    ENTRY(WEFT_ERR_CANCELLED, QUEUE, MAYBE_PROCESSED, "The request was cancelled."),
    ENTRY(WEFT_ERR_DEADLINE, QUEUE, MAYBE_PROCESSED, "The request's deadline has passed."),
    ENTRY(WEFT_ERR_STAGE_TIMEOUT, WAIT, MAYBE_PROCESSED, "A stage of the request took too long."),
    ENTRY(WEFT_ERR_CLOSED, QUEUE, MAYBE_PROCESSED, "The client is closed."),
    ENTRY(WEFT_ERR_QUEUE_FULL, QUEUE, NOT_SENT, "Too many requests are waiting."),
    ENTRY(WEFT_ERR_FORKED, QUEUE, NOT_SENT,
          "The client belongs to the parent process: it was made before fork()."),
    ENTRY(WEFT_ERR_RESOLVE, RESOLVE, NOT_SENT, "The host name could not be resolved."),
    ENTRY(WEFT_ERR_CONNECT, CONNECT, NOT_SENT, "No address of the host could be connected to."),
    ENTRY(WEFT_ERR_CONNECT_REFUSED, CONNECT, NOT_SENT, "The connection was refused."),
    ENTRY(WEFT_ERR_CONNECT_TIMEOUT, CONNECT, NOT_SENT, "Connecting took too long."),
    ENTRY(WEFT_ERR_TLS, TLS, NOT_SENT, "The TLS handshake failed."),
    ENTRY(WEFT_ERR_CERTIFICATE, TLS, NOT_SENT, "The server's certificate is not trusted."),
    ENTRY(WEFT_ERR_CERTIFICATE_TIME, TLS, NOT_SENT,
          "The server's certificate is expired or not yet valid."),
    ENTRY(WEFT_ERR_CERTIFICATE_HOST, TLS, NOT_SENT,
          "The server's certificate was issued for another host."),
    ENTRY(WEFT_ERR_PIN, TLS, NOT_SENT, "The server's public key is none of those pinned."),
    ENTRY(WEFT_ERR_CLIENT_CERT, TLS, MAYBE_PROCESSED,
          "The client's certificate is missing, refused or cannot be used."),
    ENTRY(WEFT_ERR_NOT_HTTP2, CONNECT, MAYBE_PROCESSED, "The server does not speak HTTP/2."),
    ENTRY(WEFT_ERR_NOT_HTTP1, WAIT, MAYBE_PROCESSED, "The server does not speak HTTP/1.1."),
    ENTRY(WEFT_ERR_CONNECTION_LOST, WAIT, MAYBE_PROCESSED,
          "The connection ended before the response was complete."),
    ENTRY(WEFT_ERR_TRUNCATED, BODY, MAYBE_PROCESSED,
          "The connection was cut in the middle of the response."),
    ENTRY(WEFT_ERR_GOAWAY, WAIT, NOT_PROCESSED,
          "The server ended the connection and did not process the request."),
    ENTRY(WEFT_ERR_REFUSED, WAIT, NOT_PROCESSED, "The server refused the request unprocessed."),
    ENTRY(WEFT_ERR_RESET, WAIT, MAYBE_PROCESSED, "The server reset the stream."),
    ENTRY(WEFT_ERR_PROTOCOL, WAIT, MAYBE_PROCESSED, "The server broke a rule of HTTP."),
    ENTRY(WEFT_ERR_BODY_TOO_LARGE, BODY, PROCESSED, "The response's body is larger than allowed."),
    ENTRY(WEFT_ERR_FIELDS_TOO_LARGE, WAIT, MAYBE_PROCESSED,
          "The fields of the request or the response are larger than allowed."),
    ENTRY(WEFT_ERR_BUSY, SEND, MAYBE_PROCESSED, "Another thread writes to this request."),
    ENTRY(WEFT_ERR_UPLOAD_OVER, SEND, MAYBE_PROCESSED, "The request's body takes no more octets."),
    ENTRY(WEFT_ERR_FILE, SEND, MAYBE_PROCESSED, "The file of a body could not be read or written."),
    ENTRY(WEFT_ERR_INTERNAL, QUEUE, MAYBE_PROCESSED, "A system call failed that should not."),
};

static const char *const stage_names[] = {"queue", "resolve", "connect", "tls",
                                          "send",  "wait",    "body"};
static const char *const effect_names[] = {"not sent", "not processed", "maybe processed",
                                           "processed"};

_Static_assert(sizeof(stage_names) / sizeof(stage_names[0]) == WEFT_STAGE_BODY + 1,
               "a name for each stage");
_Static_assert(sizeof(effect_names) / sizeof(effect_names[0]) == WEFT_PROCESSED + 1,
               "a name for each effect");

const char *weft_code_name(enum weft_code code)
{
    if ((unsigned)code >= WEFT_CODE_COUNT)
        return "unknown code";
    return entries[code].name;
}

const char *weft_stage_name(enum weft_stage stage)
{
    if ((unsigned)stage > WEFT_STAGE_BODY)
        return "unknown stage";
    return stage_names[stage];
}

const char *weft_effect_name(enum weft_effect effect)
{
    if ((unsigned)effect > WEFT_PROCESSED)
        return "unknown effect";
    return effect_names[effect];
}

const struct weft_error *wf_error_static(enum weft_code code)
{
    if ((unsigned)code >= WEFT_CODE_COUNT)
        code = WEFT_ERR_INTERNAL;
    return &entries[code].error;
}

void wf_error_set(struct weft_error *error, enum weft_code code, enum weft_stage stage,
                  enum weft_effect effect, const char *format, ...)
{
    *error = (struct weft_error){.code = code, .stage = stage, .effect = effect};

    va_list args;
    va_start(args, format);
    int len = vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    if (len < 0)
        error->text[0] = '\0'; /* no format of ours can fail; the code still tells */
    if (len >= (int)sizeof(error->text))
        memcpy(error->text + sizeof(error->text) - 4, "...", 4);

    for (char *c = error->text; *c != '\0'; c++) {
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    }
}
