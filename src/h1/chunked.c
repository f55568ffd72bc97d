#include "h1/chunked.h"

/* Leading zeros included: 60 bits, below every overflow. */
#define SIZE_MAX_DIGITS 15u

static int hex_value(uint8_t octet)
{
    if (octet >= '0' && octet <= '9')
        return octet - '0';
    octet |= 0x20u;
    return octet >= 'a' && octet <= 'f' ? octet - 'a' + 10 : -1;
}

static const char *size_octet(struct wf_h1_chunked *c, uint8_t octet)
{
    int value = hex_value(octet);
    if (value >= 0) {
        if (c->digits == SIZE_MAX_DIGITS)
            return "a chunk size has too many digits";
        c->digits++;
        c->size = c->size << 4 | (unsigned)value;
        return NULL;
    }
    if (c->digits == 0)
        return "a chunk does not begin with its size";
    if (octet == '\r')
        c->state = WF_H1_CHUNK_SIZE_LF;
    else if (octet == ';')
        c->state = WF_H1_CHUNK_EXTENSION;
    else if (octet == ' ' || octet == '\t')
        c->state = WF_H1_CHUNK_SPACE;
    else
        return "a chunk size has an octet that is no hexadecimal digit";
    return NULL;
}

/* RFC 9112 section 7.1.1: extensions that nobody knows are skipped. */
static const char *extension_octet(struct wf_h1_chunked *c, uint8_t octet)
{
    if (octet == '\r')
        c->state = WF_H1_CHUNK_SIZE_LF;
    else if ((octet < 0x20 && octet != '\t') || octet == 0x7f)
        return "a chunk extension has an octet that it may not have";
    return NULL;
}

static const char *space_octet(struct wf_h1_chunked *c, uint8_t octet)
{
    if (octet == ';')
        c->state = WF_H1_CHUNK_EXTENSION;
    else if (octet != ' ' && octet != '\t')
        return "white space follows a chunk size";
    return NULL;
}

static const char *size_line_ends(struct wf_h1_chunked *c, uint8_t octet)
{
    if (octet != '\n')
        return "a chunk size line has a CR without its LF";
    c->left = c->size;
    c->state = c->size == 0 ? WF_H1_CHUNK_LAST : WF_H1_CHUNK_DATA;
    return NULL;
}

static const char *data_ends(struct wf_h1_chunked *c, uint8_t octet)
{
    if (octet != (c->state == WF_H1_CHUNK_DATA_CR ? '\r' : '\n'))
        return "a chunk is longer than its size";
    if (c->state == WF_H1_CHUNK_DATA_CR) {
        c->state = WF_H1_CHUNK_DATA_LF;
        return NULL;
    }
    /* What was content pays for extensions of its length. */
    c->extensions -= c->size < c->extensions ? (uint32_t)c->size : c->extensions;
    c->state = WF_H1_CHUNK_SIZE;
    c->digits = 0;
    c->size = 0;
    return NULL;
}

static struct wf_h1_err framing_octet(struct wf_h1_chunked *c, uint8_t octet)
{
    const char *wrong = NULL;
    switch (c->state) {
    case WF_H1_CHUNK_SIZE:
        wrong = size_octet(c, octet);
        break;
    case WF_H1_CHUNK_SPACE:
    case WF_H1_CHUNK_EXTENSION:
        if (++c->extensions > c->max_extensions)
            return wf_h1_err(WF_H1_ERR_FLOOD, "chunk extensions are larger than we accept");
        wrong = c->state == WF_H1_CHUNK_SPACE ? space_octet(c, octet) : extension_octet(c, octet);
        break;
    case WF_H1_CHUNK_SIZE_LF:
        wrong = size_line_ends(c, octet);
        break;
    case WF_H1_CHUNK_DATA_CR:
    case WF_H1_CHUNK_DATA_LF:
        wrong = data_ends(c, octet);
        break;
    case WF_H1_CHUNK_DATA:
    case WF_H1_CHUNK_LAST:
        break; /* not read octet by octet */
    }
    return wrong == NULL ? WF_H1_OK : wf_h1_err(WF_H1_ERR_PROTOCOL, wrong);
}

struct wf_h1_err wf_h1_chunked_next(struct wf_h1_chunked *chunked, struct wf_slice *in,
                                    struct wf_slice *out_bytes)
{
    *out_bytes = wf_slice(NULL, 0);
    while (in->len > 0 && chunked->state != WF_H1_CHUNK_LAST) {
        if (chunked->state == WF_H1_CHUNK_DATA) {
            size_t len = in->len < chunked->left ? in->len : (size_t)chunked->left;
            *out_bytes = wf_slice(in->ptr, len);
            *in = wf_slice_skip(*in, len);
            chunked->left -= len;
            if (chunked->left == 0)
                chunked->state = WF_H1_CHUNK_DATA_CR;
            return WF_H1_OK;
        }
        struct wf_h1_err err = framing_octet(chunked, in->ptr[0]);
        if (err.kind != WF_H1_ERR_NONE)
            return err;
        *in = wf_slice_skip(*in, 1);
    }
    return WF_H1_OK;
}
