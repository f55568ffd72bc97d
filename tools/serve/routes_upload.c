/* Answers about the request itself. */
#include <wolfssl/options.h>

#include "routes.h"
#include "worker.h"

#include <wolfssl/wolfcrypt/sha256.h>

#include <inttypes.h>
#include <stdio.h>

/* --- /echo: what comes in goes out, and is only then paid back as window credit --- */

/* `waiting` becomes what is lent; what was lent is used again. */
static void echo_pump(struct serve_exchange *x)
{
    size_t len = wf_buf_len(&x->waiting);
    if (x->sending || x->last_given || (len == 0 && !x->request_ended))
        return;
    struct wf_buf emptied = x->out;
    x->out = x->waiting;
    x->waiting = emptied;
    serve_exchange_give(x, wf_buf_slice(&x->out), x->request_ended);
}

static void echo_sent(struct serve_exchange *x)
{
    size_t len = wf_buf_len(&x->out);
    wf_buf_consume(&x->out, len);
    if (len > 0 && !x->request_ended)
        wf_h2_session_consume(x->connection->session, x->stream, len);
    echo_pump(x);
}

static void echo_data(struct serve_exchange *x, struct wf_slice bytes, bool end)
{
    (void)end;
    if (!wf_buf_append(&x->waiting, bytes.ptr, bytes.len)) {
        serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
        return;
    }
    echo_pump(x);
}

static const struct serve_behaviour echo_behaviour = {.data = echo_data, .sent = echo_sent};

void serve_echo(struct serve_connection *c, const struct serve_request *request)
{
    struct wf_slice type = serve_request_field(request, "content-type");
    struct wf_slice length = serve_request_field(request, "content-length");
    struct wf_field fields[3] = {{.name = wf_slice_str(":status"), .value = wf_slice_str("200")}};
    size_t count = 1;
    if (type.len > 0)
        fields[count++] = (struct wf_field){.name = wf_slice_str("content-type"), .value = type};
    if (length.len > 0)
        fields[count++] =
            (struct wf_field){.name = wf_slice_str("content-length"), .value = length};

    struct serve_exchange *x = serve_exchange_begin(c, request, &echo_behaviour);
    if (x == NULL)
        return;
    struct wf_h2_message message = {.fields = fields, .count = count};
    c->queued += 64 + type.len + length.len;
    if (wf_h2_session_send_headers(c->session, x->stream, &message) != WF_H2_SUBMITTED) {
        serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
        return;
    }
    echo_pump(x);
}

/* --- /upload: how long, and which SHA-256 --- */

struct digest {
    wc_Sha256 sha;
    uint64_t len;
};

static void upload_answer(struct serve_exchange *x)
{
    struct digest *digest = x->extra;
    uint8_t hash[WC_SHA256_DIGEST_SIZE];
    char text[2 * sizeof(hash) + 64];
    if (wc_Sha256Final(&digest->sha, hash) != 0) {
        serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
        return;
    }
    size_t len = (size_t)snprintf(text, sizeof(text), "%" PRIu64 " ", digest->len);
    for (size_t i = 0; i < sizeof(hash); i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%02x", hash[i]);
    text[len++] = '\n';

    struct serve_spec spec = {.status = 200, .type = SERVE_TYPE_TEXT, .length = (int64_t)len};
    if (!wf_buf_append(&x->out, text, len)) {
        serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
        return;
    }
    if (serve_exchange_head(x, &spec, false))
        serve_exchange_give(x, wf_buf_slice(&x->out), true);
}

static void upload_data(struct serve_exchange *x, struct wf_slice bytes, bool end)
{
    struct digest *digest = x->extra;
    /* A DATA frame is shorter than 2^24 octets. */
    if (bytes.len > 0 && wc_Sha256Update(&digest->sha, bytes.ptr, (word32)bytes.len) != 0) {
        serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
        return;
    }
    digest->len += bytes.len;
    if (end)
        upload_answer(x);
    else
        wf_h2_session_consume(x->connection->session, x->stream, bytes.len);
}

static void upload_over(struct serve_exchange *x)
{
    struct digest *digest = x->extra;
    if (digest != NULL)
        wc_Sha256Free(&digest->sha);
    wf_free(digest);
}

static const struct serve_behaviour upload_behaviour = {.data = upload_data, .over = upload_over};

void serve_upload(struct serve_connection *c, const struct serve_request *request)
{
    struct serve_exchange *x = serve_exchange_begin(c, request, &upload_behaviour);
    if (x == NULL)
        return;
    struct digest *digest = wf_calloc(1, sizeof(*digest));
    if (digest == NULL || wc_InitSha256(&digest->sha) != 0) {
        wf_free(digest);
        serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
        return;
    }
    x->extra = digest;
    if (request->ended)
        upload_answer(x);
}

/* --- /headers --- */

static bool append_field(struct wf_buf *out, struct wf_slice name, struct wf_slice value)
{
    return wf_buf_append(out, name.ptr, name.len) && wf_buf_append(out, ": ", 2) &&
           wf_buf_append(out, value.ptr, value.len) && wf_buf_append(out, "\n", 1);
}

static const struct serve_behaviour headers_behaviour = {0};

void serve_headers(struct serve_connection *c, const struct serve_request *request)
{
    const struct wf_field_section *section = request->section;
    struct serve_exchange *x = serve_exchange_begin(c, request, &headers_behaviour);
    if (x == NULL)
        return;
    for (uint32_t i = 0; i < section->count; i++) {
        if (!append_field(&x->out, wf_section_name(section, i), wf_section_value(section, i))) {
            serve_exchange_reset(x, WF_H2_INTERNAL_ERROR);
            return;
        }
    }
    struct serve_spec spec = {
        .status = 200, .type = SERVE_TYPE_TEXT, .length = (int64_t)wf_buf_len(&x->out)};
    if (serve_exchange_head(x, &spec, false) && !x->is_head)
        serve_exchange_give(x, wf_buf_slice(&x->out), true);
}

/* --- /early: RFC 9113 section 8.1: a complete response before the request is, then NO_ERROR --- */

static void early_data(struct serve_exchange *x, struct wf_slice bytes, bool end)
{
    /* No credit goes back: the client is to stop. */
    (void)x;
    (void)bytes;
    (void)end;
}

static void early_sent(struct serve_exchange *x)
{
    if (!x->request_ended)
        serve_exchange_reset(x, WF_H2_NO_ERROR);
}

static const struct serve_behaviour early_behaviour = {.data = early_data, .sent = early_sent};

void serve_early(struct serve_connection *c, const struct serve_request *request)
{
    static const char text[] = "enough\n";
    struct serve_spec spec = {.status = 200, .type = SERVE_TYPE_TEXT, .length = sizeof(text) - 1};
    struct serve_exchange *x = serve_exchange_begin(c, request, &early_behaviour);
    if (x != NULL && serve_exchange_head(x, &spec, false) && !x->is_head)
        serve_exchange_give(x, wf_slice(text, sizeof(text) - 1), true);
}
