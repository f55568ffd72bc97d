/* The command line of weft-load: h2load's spellings. */
#include "options.h"

#include "common/args.h"
#include "common/file.h"
#include "common/number.h"

#include "weft/weft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_THREADS                64
#define MAX_CONNECTIONS_PER_THREAD 1024
#define MAX_STREAMS                1000000
#define MAX_IN_FLIGHT              10000000
#define DEFAULT_TIMEOUT_MS         30000
#define DEFAULT_WINDOW_BITS        30

enum { OPT_CACERT = 256, OPT_H1, OPT_HTTP1, OPT_UNIQUE, OPT_VERSION, OPT_WARM_UP };

static const struct wf_tool_option table[] = {
    {'n', "requests", "N", "requests in all (1)"},
    {'c', "clients", "N", "connections in all (1)"},
    {'m', "max-concurrent-streams", "N", "requests in flight on each connection (1)"},
    {'t', "threads", "N", "I/O threads, and as many that submit (1)"},
    {'D', "duration", "TIME", "run so long, instead of -n; 10, 500ms, 2m, 1h"},
    {OPT_WARM_UP, "warm-up-time", "TIME", "run so long before -D begins to count"},
    {'T', "timeout", "TIME", "for each request (30)"},
    {'i', "input-file", "FILE",
     "one URL on each line, in place of those on the\n"
     "command line; - is stdin; a path alone belongs to\n"
     "the first URL's origin"},
    {'d', "data", "FILE", "POST this file"},
    {'X', "method", "METHOD", "in place of GET or POST"},
    {'H', "header", "LINE", "'name: value'; 'name:' removes a default"},
    {OPT_UNIQUE, "unique-field", "NAME",
     "a field of this name with another number in each\n"
     "request, which is then made anew each time"},
    {'w', "window-bits", "N", "stream window of 2^N-1 octets, 16 to 31 (30)"},
    {'W', "connection-window-bits", "N", "the same for a connection"},
    {OPT_H1, "h1", NULL,
     "HTTP/1.1 only; without it ALPN decides, and http://\nis HTTP/2. One request in flight on "
     "each connection"},
    {OPT_HTTP1, "http1.1", NULL, "the same"},
    {'k', "insecure", NULL, "accept any certificate"},
    {OPT_CACERT, "cacert", "FILE", "trust the authorities in this PEM file only"},
    {'v', "verbose", NULL, "each frame on stderr; slow"},
    {OPT_VERSION, "version", NULL, "print the version"},
    {'h', "help", NULL, "print this"},
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

__attribute__((format(printf, 2, 3))) static bool fail(struct wf_load_options *options,
                                                       const char *format, ...)
{
    va_list list;

    va_start(list, format);
    (void)vsnprintf(options->error, sizeof(options->error), format, list); /* cut when too long */
    va_end(list);
    return false;
}

static bool set_unsigned(struct wf_load_options *options, const char *name, const char *value,
                         unsigned max, unsigned *out)
{
    uint64_t number;

    if (!wf_tool_parse_count(value, 1, max, &number))
        return fail(options, "%s takes a number from 1 to %u, not '%s'", name, max, value);
    *out = (unsigned)number;
    return true;
}

static bool set_requests(struct wf_load_options *options, const char *value)
{
    if (wf_tool_parse_count(value, 1, UINT64_MAX / 2, &options->requests))
        return true;
    return fail(options, "-n takes a number from 1 on, not '%s'", value);
}

static bool set_time(struct wf_load_options *options, const char *name, const char *value,
                     int64_t *out_ms)
{
    if (wf_tool_parse_duration(value, out_ms) && *out_ms > 0)
        return true;
    return fail(options, "%s takes a time such as 10, 1.5s, 500ms, 2m or 1h, not '%s'", name,
                value);
}

static bool set_window(struct wf_load_options *options, const char *name, const char *value,
                       uint32_t *out)
{
    uint64_t bits;

    if (!wf_tool_parse_count(value, 16, 31, &bits))
        return fail(options, "%s takes a number from 16 to 31, not '%s'", name, value);
    *out = (uint32_t)((UINT64_C(1) << bits) - 1);
    return true;
}

static bool read_body(struct wf_load_options *options, const char *path)
{
    wf_load_body_close(&options->body);
    if (!wf_load_body_open(&options->body, path))
        return fail(options, "cannot read %s: %s", path, strerror(errno));
    options->has_body = true;
    return true;
}

static bool read_urls(struct wf_load_options *options, const char *path)
{
    struct wf_tool_bytes text = {NULL, 0};
    bool done;

    if (!wf_tool_read_file(path, &text)) {
        free(text.data);
        return fail(options, "cannot read %s: %s", path, strerror(errno));
    }
    wf_load_url_list_fini(&options->urls);
    done = wf_load_url_list_add_lines(&options->urls, text.data, text.len);
    free(text.data);
    if (!done)
        return fail(options, "the first line of %s is not a URL", path);
    if (options->urls.count == 0)
        return fail(options, "%s holds no URL", path);
    return true;
}

static bool add_header(struct wf_load_options *options, const char *line)
{
    if (wf_tool_headers_add(&options->headers, line))
        return true;
    return fail(options, "-H needs 'name: value', not '%s'", line);
}

static bool set_option(struct wf_load_options *options, int id, const char *value,
                       const char **input_file)
{
    switch (id) {
    case 'n':
        return set_requests(options, value);
    case 'c':
        return set_unsigned(options, "-c", value, MAX_THREADS * MAX_CONNECTIONS_PER_THREAD,
                            &options->connections);
    case 'm':
        return set_unsigned(options, "-m", value, MAX_STREAMS, &options->streams);
    case 't':
        return set_unsigned(options, "-t", value, MAX_THREADS, &options->threads);
    case 'D':
        return set_time(options, "-D", value, &options->duration_ms);
    case OPT_WARM_UP:
        return set_time(options, "--warm-up-time", value, &options->warm_up_ms);
    case 'T':
        return set_time(options, "-T", value, &options->timeout_ms);
    case 'i':
        *input_file = value;
        return true;
    case 'd':
        return read_body(options, value);
    case 'X':
        options->method = value;
        return true;
    case 'H':
        return add_header(options, value);
    case 'w':
        return set_window(options, "-w", value, &options->stream_window);
    case 'W':
        return set_window(options, "-W", value, &options->connection_window);
    case OPT_UNIQUE:
        options->unique_field = value;
        return true;
    case OPT_CACERT:
        options->ca_file = value;
        return true;
    case OPT_H1:
    case OPT_HTTP1:
        options->http1 = true;
        return true;
    case 'k':
        options->insecure = true;
        return true;
    case 'v':
        options->verbose = true;
        return true;
    case 'h':
        options->show_help = true;
        return true;
    default:
        options->show_version = true;
        return true;
    }
}

/* Numbers that are fine alone and wrong together. */
static bool check(struct wf_load_options *options)
{
    uint64_t in_flight = (uint64_t)options->connections * options->streams;

    if (options->urls.count == 0)
        return fail(options, "no URL given; 'weft-load --help' tells more");
    if (options->warm_up_ms && !options->duration_ms)
        return fail(options, "--warm-up-time needs -D");
    if (options->connections < options->threads)
        return fail(options, "-c %u is less than -t %u: each thread needs a connection",
                    options->connections, options->threads);
    if (!options->duration_ms && options->requests < options->connections)
        return fail(options, "-n %llu is less than -c %u: each connection needs a request",
                    (unsigned long long)options->requests, options->connections);
    if (options->http1 && options->streams > 1)
        return fail(options,
                    "-m %u is more than the one request that HTTP/1.1 has in flight on a "
                    "connection; raise -c",
                    options->streams);
    if (options->connections_per_thread > MAX_CONNECTIONS_PER_THREAD)
        return fail(options, "-c %u is more than %u connections a thread; raise -t",
                    options->connections, MAX_CONNECTIONS_PER_THREAD);
    if (in_flight > MAX_IN_FLIGHT)
        return fail(options, "-c %u times -m %u is more than %u requests in flight",
                    options->connections, options->streams, MAX_IN_FLIGHT);
    return true;
}

static bool complete(struct wf_load_options *options, const char *input_file)
{
    if (options->show_help || options->show_version)
        return true;
    if (input_file && !read_urls(options, input_file))
        return false;
    options->connections_per_thread =
        (options->connections + options->threads - 1) / options->threads;
    if (!options->method)
        options->method = options->has_body ? "POST" : "GET";
    (void)wf_tool_headers_add(&options->defaults, "user-agent: weft-load/" WEFT_VERSION);
    return check(options);
}

bool wf_load_options_parse(struct wf_load_options *options, int argc, char *const *argv)
{
    struct wf_tool_args args = WF_TOOL_ARGS_INIT(table, TABLE_COUNT, argc, argv);
    const char *input_file = NULL;

    *options = (struct wf_load_options){
        .requests = 1,
        .connections = 1,
        .streams = 1,
        .threads = 1,
        .timeout_ms = DEFAULT_TIMEOUT_MS,
        .stream_window = (UINT32_C(1) << DEFAULT_WINDOW_BITS) - 1,
        .connection_window = (UINT32_C(1) << DEFAULT_WINDOW_BITS) - 1,
    };
    args.equals = true;
    for (;;) {
        switch (wf_tool_args_next(&args)) {
        case WF_TOOL_ARG_END:
            return complete(options, input_file);
        case WF_TOOL_ARG_ERROR:
            return fail(options, "%s", args.error);
        case WF_TOOL_ARG_OPERAND:
            if (!wf_load_url_list_add(&options->urls, args.value, strlen(args.value)))
                return fail(options, "'%s' is a path and follows no URL", args.value);
            break;
        case WF_TOOL_ARG_OPTION:
            if (!set_option(options, args.option->id, args.value, &input_file))
                return false;
            break;
        }
    }
}

void wf_load_options_fini(struct wf_load_options *options)
{
    wf_load_url_list_fini(&options->urls);
    wf_tool_headers_fini(&options->headers);
    wf_tool_headers_fini(&options->defaults);
    wf_load_body_close(&options->body);
}

void wf_load_options_help(FILE *to)
{
    fputs("Usage: weft-load [options] URL...\n"
          "Loads an HTTP/2 or HTTP/1.1 server and reports. Several URLs are used in turn.\n\n",
          to);
    wf_tool_args_help(table, TABLE_COUNT, to);
    fputs("\nExit status: 0 when every request was answered with a status below 400, 1 when one "
          "was not,\n2 for a wrong command line.\n",
          to);
}
