#include "routes.h"

#include "base/assert.h"

enum methods {
    METHOD_GET = 1,  /* and HEAD */
    METHOD_POST = 2, /* and PUT, PATCH */
    METHOD_ANY = 4
};

struct route {
    const char *name; /* the first segment of the path */
    unsigned methods;
    serve_handler_fn *handle;
};

static const struct route routes[] = {
    {"", METHOD_GET, serve_index},
    {"bytes", METHOD_GET, serve_bytes},
    {"delay", METHOD_GET, serve_delay},
    {"status", METHOD_ANY, serve_status},
    {"echo", METHOD_POST, serve_echo},
    {"upload", METHOD_POST, serve_upload},
    {"headers", METHOD_ANY, serve_headers},
    {"drip", METHOD_GET, serve_drip},
    {"trailers", METHOD_GET, serve_trailers},
    {"informational", METHOD_GET, serve_informational},
    {"early", METHOD_ANY, serve_early},
    {"reset", METHOD_ANY, serve_reset},
    {"goaway", METHOD_ANY, serve_goaway},
    {"cut", METHOD_ANY, serve_cut},
    {"files", METHOD_GET, serve_files},
};

bool serve_argument(struct wf_slice *arguments, uint64_t max, uint64_t *out_value)
{
    struct wf_slice rest = *arguments;
    uint64_t value = 0;
    if (rest.len < 2 || rest.ptr[0] != '/')
        return false;
    rest = wf_slice_skip(rest, 1);
    while (rest.len > 0 && rest.ptr[0] >= '0' && rest.ptr[0] <= '9') {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(rest.ptr[0] - '0');
        rest = wf_slice_skip(rest, 1);
    }
    /* At least one digit, and then the end or the next argument. */
    if (rest.len == arguments->len - 1 || value > max || (rest.len > 0 && rest.ptr[0] != '/'))
        return false;
    *arguments = rest;
    *out_value = value;
    return true;
}

void serve_not_found(struct serve_connection *c, const struct serve_request *request)
{
    serve_answer_text(c, request, 404, "not found\n");
}

struct wf_slice serve_request_field(const struct serve_request *request, const char *name)
{
    const struct wf_field_section *section = request->section;
    for (uint32_t i = 0; i < section->count; i++) {
        if (wf_slice_is(wf_section_name(section, i), name))
            return wf_section_value(section, i);
    }
    return wf_slice("", 0);
}

static bool method_is_allowed(struct wf_slice method, unsigned methods)
{
    if ((methods & METHOD_ANY) != 0)
        return true;
    if (wf_slice_is(method, "GET") || wf_slice_is(method, "HEAD"))
        return (methods & METHOD_GET) != 0;
    if (wf_slice_is(method, "POST") || wf_slice_is(method, "PUT") || wf_slice_is(method, "PATCH"))
        return (methods & METHOD_POST) != 0;
    return false;
}

static void answer_method_not_allowed(struct serve_connection *c,
                                      const struct serve_request *request, unsigned methods)
{
    static const char text[] = "method not allowed\n";
    struct serve_spec spec = {
        .status = 405,
        .type = SERVE_TYPE_TEXT,
        .length = sizeof(text) - 1,
        /* RFC 9110 section 15.5.6: a 405 says which methods are. */
        .allow = (methods & METHOD_GET) != 0 ? "GET, HEAD" : "POST, PUT, PATCH",
    };
    serve_answer(c, request, &spec, wf_slice(text, sizeof(text) - 1));
}

/* Splits off the first segment, and drops the query. */
static struct wf_slice split_path(struct wf_slice path, struct wf_slice *out_arguments)
{
    const uint8_t *query = path.len > 0 ? memchr(path.ptr, '?', path.len) : NULL;
    if (query != NULL)
        path.len = (size_t)(query - path.ptr);
    if (path.len == 0 || path.ptr[0] != '/') {
        /* "*", or CONNECT, which has no path. */
        *out_arguments = path;
        return wf_slice("*", 1);
    }
    path = wf_slice_skip(path, 1);
    const uint8_t *slash = path.len > 0 ? memchr(path.ptr, '/', path.len) : NULL;
    struct wf_slice name =
        wf_slice(path.ptr, slash != NULL ? (size_t)(slash - path.ptr) : path.len);
    *out_arguments = wf_slice_skip(path, name.len);
    return name;
}

/* The request that was answered last, once more. */
static bool answer_from_memo(struct serve_connection *c, const struct wf_h2_event *event)
{
    const struct serve_memo *memo = &c->memo;
    if (memo->serial == 0 || memo->serial != event->headers.section->serial || !event->end_stream)
        return false;
    struct serve_request request = {
        .stream = event->stream, .is_head = memo->end_stream, .ended = true};
    struct serve_spec spec = memo->spec;
    serve_answer(c, &request, &spec, memo->body);
    return true;
}

void serve_route(struct serve_connection *c, const struct wf_h2_event *event)
{
    if (answer_from_memo(c, event))
        return;
    struct serve_request request = {
        .section = event->headers.section, .stream = event->stream, .ended = event->end_stream};
    request.method = serve_request_field(&request, ":method");
    request.is_head = wf_slice_is(request.method, "HEAD");
    struct wf_slice name = split_path(serve_request_field(&request, ":path"), &request.arguments);
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (!wf_slice_is(name, routes[i].name))
            continue;
        if (method_is_allowed(request.method, routes[i].methods))
            routes[i].handle(c, &request);
        else
            answer_method_not_allowed(c, &request, routes[i].methods);
        return;
    }
    serve_not_found(c, &request);
}
