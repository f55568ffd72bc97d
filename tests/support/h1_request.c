#include "support/h1_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The next line without its end; false: it is not there yet. */
static bool take_line(struct h1_request *request, char *line, size_t cap)
{
    struct wf_slice in = wf_buf_slice(&request->in);
    const uint8_t *end = in.len == 0 ? NULL : memchr(in.ptr, '\n', in.len);
    if (end == NULL)
        return false;
    size_t len = (size_t)(end - in.ptr);
    (void)snprintf(line, cap, "%.*s", (int)len, (const char *)in.ptr);
    line[strcspn(line, "\r")] = '\0';
    wf_buf_consume(&request->in, len + 1);
    return true;
}

static bool take_head(struct h1_request *request)
{
    struct wf_slice in = wf_buf_slice(&request->in);
    char line[1024];
    if (in.len == 0 || memmem(in.ptr, in.len, "\r\n\r\n", 4) == NULL)
        return false;
    request->part = H1_REQUEST_BODY;
    request->left = 0;
    request->expects_continue = false;
    (void)take_line(request, line, sizeof(line));
    if (sscanf(line, "%*s %127s", request->path) != 1)
        request->path[0] = '\0';
    while (take_line(request, line, sizeof(line)) && line[0] != '\0') {
        if (strncasecmp(line, "content-length:", 15) == 0)
            request->left = strtoul(line + 15, NULL, 10);
        else if (strncasecmp(line, "transfer-encoding:", 18) == 0)
            request->part = H1_REQUEST_CHUNK_SIZE;
        else if (strncasecmp(line, "expect:", 7) == 0)
            request->expects_continue = true;
    }
    request->body_len = request->left;
    return true;
}

static bool take_octets(struct h1_request *request)
{
    size_t len = wf_buf_len(&request->in);
    if (len > request->left)
        len = request->left;
    wf_buf_consume(&request->in, len);
    request->left -= len;
    return request->left == 0;
}

static bool take_size(struct h1_request *request)
{
    char line[64];
    if (!take_line(request, line, sizeof(line)))
        return false;
    size_t len = strtoul(line, NULL, 16);
    request->body_len += len;
    request->left = len + 2;
    request->part = len == 0 ? H1_REQUEST_TRAILERS : H1_REQUEST_CHUNK;
    return true;
}

static enum h1_request_step complete(struct h1_request *request)
{
    request->part = H1_REQUEST_HEAD;
    return H1_REQUEST_COMPLETE;
}

enum h1_request_step h1_request_next(struct h1_request *request)
{
    char line[1024];
    for (;;) {
        switch (request->part) {
        case H1_REQUEST_HEAD:
            return take_head(request) ? H1_REQUEST_BEGUN : H1_REQUEST_MORE;
        case H1_REQUEST_BODY:
            return take_octets(request) ? complete(request) : H1_REQUEST_MORE;
        case H1_REQUEST_CHUNK_SIZE:
            if (!take_size(request))
                return H1_REQUEST_MORE;
            break;
        case H1_REQUEST_CHUNK:
            if (!take_octets(request))
                return H1_REQUEST_MORE;
            request->part = H1_REQUEST_CHUNK_SIZE;
            break;
        case H1_REQUEST_TRAILERS:
            if (!take_line(request, line, sizeof(line)))
                return H1_REQUEST_MORE;
            if (line[0] == '\0')
                return complete(request);
            break;
        }
    }
}

void h1_request_fini(struct h1_request *request)
{
    wf_buf_fini(&request->in);
}
