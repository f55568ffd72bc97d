/* The command line of weft: curl's spellings. */
#include "options.h"

#include "common/args.h"
#include "common/memory.h"
#include "common/number.h"
#include "exit_code.h"
#include "request_url.h"

#include "weft/weft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_STALL_MS 30000
#define STALL_NOT_GIVEN  (-1)

enum {
    OPT_CACERT = 256,
    OPT_CONNECT_TIMEOUT,
    OPT_EXPECT_TIMEOUT,
    OPT_HTTP1,
    OPT_HTTP2,
    OPT_MAX_FILESIZE,
    OPT_PRIOR_KNOWLEDGE,
    OPT_URL,
    OPT_VERSION
};

static const struct wf_tool_option table[] = {
    {'X', "request", "METHOD", "method; GET, POST with a body, HEAD with -I"},
    WF_FETCH_OPTIONS_DATA,
    {'T', "upload-file", "FILE",
     "PUT this file to the next URL, whose path may end in\n"
     "a slash for FILE's name; - is stdin, as it comes"},
    {'H', "header", "LINE", "'name: value'; 'name:' removes a default,\n'name;' sends it empty"},
    {'A', "user-agent", "NAME", "'' sends none"},
    {'u', "user", "NAME:PASSWORD", "basic authorization"},
    {'o', "output", "FILE", "for the body of the next URL; - is stdout"},
    {'O', "remote-name", NULL, "the same, named as the end of the URL's path"},
    {'i', "include", NULL, "the response's head before the body"},
    {'I', "head", NULL, "HEAD, and prints the response's head"},
    {'D', "dump-header", "FILE", "the responses' heads; - is stdout"},
    {OPT_MAX_FILESIZE, "max-filesize", "SIZE",
     "a larger body fails with exit status 63; octets,\nor with k, M or G behind"},
    {'f', "fail", NULL, "a status of 400 or more fails with exit status 22"},
    {'k', "insecure", NULL, "accept any certificate"},
    {OPT_CACERT, "cacert", "FILE", "trust the authorities in this PEM file only"},
    WF_FETCH_OPTIONS_TLS,
    {'m', "max-time", "SECONDS",
     "for each URL, from the start; fractions are fine;\n"
     "0, the default: no limit"},
    {OPT_CONNECT_TIMEOUT, "connect-timeout", "SECONDS", "for name, TCP and TLS (10)"},
    {OPT_EXPECT_TIMEOUT, "expect100-timeout", "SECONDS",
     "how long a body that goes with 'Expect: 100-continue'\nwaits for the server to want it (1)"},
    {'y', "speed-time", "SECONDS",
     "give up when nothing arrives for so long;\n"
     "0: no limit; 30 without -m"},
    WF_FETCH_OPTIONS_RETRY,
    WF_FETCH_OPTIONS_NET,
    {OPT_HTTP1, "http1.1", NULL, "HTTP/1.1 only"},
    {OPT_HTTP2, "http2", NULL, "for https://, if the server has it; the default"},
    {OPT_PRIOR_KNOWLEDGE, "http2-prior-knowledge", NULL, "HTTP/2 for http://, too, without asking"},
    {'v', "verbose", NULL, "each frame on stderr: > sent, < received, * notes"},
    {'s', "silent", NULL, "no error messages"},
    {'S', "show-error", NULL, "error messages in spite of -s"},
    {'w', "write-out", "FORMAT|@FILE",
     "print after each transfer; knows %{http_code}\n"
     "%{size_download} %{time_total} %{num_retries}\n"
     "%{errormsg} %header{NAME} %{json} %{header_json}\n"
     "and more of curl's, %{stderr}, \\n and \\t"},
    {OPT_URL, "url", "URL", "the same as an URL without --url"},
    {OPT_VERSION, "version", NULL, "print the version"},
    {'h', "help", NULL, "print this"},
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

__attribute__((format(printf, 3, 4))) static bool fail(struct wf_fetch_options *options,
                                                       int exit_code, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    (void)vsnprintf(options->error, sizeof(options->error), format, list); /* cut when too long */
    va_end(list);
    options->exit_code = exit_code;
    return false;
}

static void add_url(struct wf_fetch_options *options, const char *url)
{
    options->urls = wf_tool_grow(options->urls, options->url_count, sizeof(*options->urls));
    options->urls[options->url_count++] = url;
}

static void add_output(struct wf_fetch_options *options, bool from_url, const char *path)
{
    struct wf_fetch_output output = {from_url, path};

    if (path && strcmp(path, "-") == 0)
        output.path = NULL;
    options->outputs = wf_tool_grow(options->outputs, options->output_count, sizeof(output));
    options->outputs[options->output_count++] = output;
}

/* "." is curl's other name for the standard input. */
static bool add_upload(struct wf_fetch_options *options, const char *path)
{
    if (strcmp(path, ".") == 0)
        path = "-";
    for (size_t i = 0; i < options->upload_count; i++) {
        if (strcmp(path, "-") == 0 && strcmp(options->uploads[i], "-") == 0)
            return fail(options, WF_FETCH_EXIT_USAGE, "-T can take stdin, '-', only once");
    }
    options->uploads =
        wf_tool_grow(options->uploads, options->upload_count, sizeof(*options->uploads));
    options->uploads[options->upload_count++] = path;
    return true;
}

static bool read_into(struct wf_fetch_options *options, const char *path,
                      struct wf_tool_bytes *bytes)
{
    if (wf_tool_read_file(path, bytes))
        return true;
    return fail(options, WF_FETCH_EXIT_READ, "cannot read %s: %s", path, strerror(errno));
}

static bool set_data(struct wf_fetch_options *options, int id, const char *value)
{
    const char *path = NULL;

    if (wf_fetch_data_set(&options->data, id, value, &path))
        return true;
    return fail(options, WF_FETCH_EXIT_READ, "cannot read %s: %s", path, strerror(errno));
}

static bool set_seconds(struct wf_fetch_options *options, const char *name, const char *value,
                        int64_t *out_ms)
{
    if (wf_tool_parse_seconds(value, out_ms))
        return true;
    return fail(options, WF_FETCH_EXIT_USAGE, "%s needs a number of seconds, not '%s'", name,
                value);
}

/* Octets, with curl's units. */
static bool set_size(struct wf_fetch_options *options, const char *name, const char *value,
                     uint64_t *out)
{
    static const char units[] = "bkmg";
    char digits[24] = "";
    size_t len = strspn(value, "0123456789");
    const char *unit = NULL;
    unsigned shift = 0;

    if (value[len] != '\0' && value[len + 1] == '\0')
        unit = strchr(units, value[len] | 0x20);
    if (unit)
        shift = 10 * (unsigned)(unit - units);
    if (len < sizeof(digits) && (unit || value[len] == '\0')) {
        memcpy(digits, value, len);
        if (wf_tool_parse_count(digits, 0, UINT64_MAX >> shift, out)) {
            *out <<= shift;
            return true;
        }
    }
    return fail(options, WF_FETCH_EXIT_USAGE, "%s needs a size such as 1000, 64k or 2M, not '%s'",
                name, value);
}

static bool set_write_out(struct wf_fetch_options *options, const char *value)
{
    struct wf_tool_bytes format = {NULL, 0};

    if (value[0] == '@') {
        if (!read_into(options, value + 1, &format)) {
            free(format.data);
            return false;
        }
    } else {
        wf_tool_bytes_append(&format, value, strlen(value));
    }
    free(options->write_out);
    options->write_out = format.data;
    return true;
}

static void add_default(struct wf_fetch_options *options, const char *line)
{
    (void)wf_tool_headers_add(&options->defaults, line); /* ours are well formed */
}

static bool set_user_agent(struct wf_fetch_options *options, const char *value)
{
    struct wf_tool_bytes line = {NULL, 0};

    wf_tool_bytes_append(&line, "user-agent:", 11);
    wf_tool_bytes_append(&line, value, strlen(value));
    (void)wf_tool_headers_add(&options->headers, line.data); /* it has a name and a colon */
    free(line.data);
    return true;
}

static bool set_user(struct wf_fetch_options *options, const char *value)
{
    if (!strchr(value, ':'))
        return fail(options, WF_FETCH_EXIT_USAGE, "-u needs NAME:PASSWORD, not '%s'", value);
    options->user = value;
    return true;
}

static bool add_header(struct wf_fetch_options *options, const char *line)
{
    if (wf_tool_headers_add(&options->headers, line))
        return true;
    return fail(options, WF_FETCH_EXIT_USAGE, "-H needs 'name: value', not '%s'", line);
}

static bool set_flag(struct wf_fetch_options *options, int id)
{
    switch (id) {
    case 'O':
        add_output(options, true, NULL);
        break;
    case 'i':
        options->include = true;
        break;
    case 'I':
        options->head = true;
        break;
    case 'f':
        options->fail = true;
        break;
    case 'k':
        options->insecure = true;
        break;
    case 'v':
        options->verbose = true;
        break;
    case 's':
        options->silent = true;
        break;
    case 'S':
        options->show_error = true;
        break;
    case 'h':
        options->show_help = true;
        break;
    case OPT_VERSION:
        options->show_version = true;
        break;
    case OPT_HTTP1:
        options->http1 = true;
        options->http2_prior_knowledge = false;
        break;
    case OPT_HTTP2:
        options->http1 = false;
        break;
    case OPT_PRIOR_KNOWLEDGE:
        options->http1 = false;
        options->http2_prior_knowledge = true;
        break;
    default:
        break;
    }
    return true;
}

/* The options that files of their own know; *out_known says whether it was one. */
static bool set_known_elsewhere(struct wf_fetch_options *options, int id, const char *value,
                                bool *out_known)
{
    const char *error = NULL;
    bool done = true;

    *out_known = true;
    if (wf_fetch_data_has(id))
        return set_data(options, id, value);
    if (wf_fetch_tls_has(id))
        done = wf_fetch_tls_set(&options->tls, id, value, &error);
    else if (wf_fetch_retry_has(id))
        done = wf_fetch_retry_set(&options->retry, id, value, &error);
    else if (wf_fetch_net_has(id))
        wf_fetch_net_set(&options->net, id, value);
    else
        *out_known = false;
    return done || fail(options, WF_FETCH_EXIT_USAGE, "%s, not '%s'", error, value);
}

static bool set_option(struct wf_fetch_options *options, int id, const char *value)
{
    bool known;

    if (!set_known_elsewhere(options, id, value, &known))
        return false;
    if (known)
        return true;
    switch (id) {
    case 'X':
        options->method = value;
        options->method_is_given = true;
        return true;
    case 'T':
        return add_upload(options, value);
    case OPT_EXPECT_TIMEOUT:
        return set_seconds(options, "--expect100-timeout", value, &options->expect_timeout_ms);
    case 'H':
        return add_header(options, value);
    case 'A':
        return set_user_agent(options, value);
    case 'u':
        return set_user(options, value);
    case 'o':
        add_output(options, false, value);
        return true;
    case 'D':
        options->dump_head = value;
        return true;
    case OPT_MAX_FILESIZE:
        return set_size(options, "--max-filesize", value, &options->max_body);
    case OPT_CACERT:
        options->ca_file = value;
        return true;
    case 'm':
        return set_seconds(options, "--max-time", value, &options->max_time_ms);
    case OPT_CONNECT_TIMEOUT:
        return set_seconds(options, "--connect-timeout", value, &options->connect_timeout_ms);
    case 'y':
        return set_seconds(options, "--speed-time", value, &options->stall_ms);
    case 'w':
        return set_write_out(options, value);
    case OPT_URL:
        add_url(options, value);
        return true;
    default:
        return set_flag(options, id);
    }
}

static void add_default_fields(struct wf_fetch_options *options, bool has_body)
{
    bool is_json = options->data.is_json;

    add_default(options, "user-agent: weft/" WEFT_VERSION);
    add_default(options, is_json ? "accept: application/json" : "accept: */*");
    if (is_json)
        add_default(options, "content-type: application/json");
    else if (has_body)
        add_default(options, "content-type: application/x-www-form-urlencoded");
    if (options->user) {
        char *credentials = wf_fetch_basic_credentials(options->user);
        struct wf_tool_bytes line = {NULL, 0};

        wf_tool_bytes_append(&line, "authorization:", 14);
        wf_tool_bytes_append(&line, credentials, strlen(credentials));
        add_default(options, line.data);
        free(line.data);
        free(credentials);
    }
}

static bool complete(struct wf_fetch_options *options)
{
    bool has_body = options->data.has_body && !options->data.in_query;

    if (options->show_help || options->show_version)
        return true;
    if (options->url_count == 0)
        return fail(options, WF_FETCH_EXIT_USAGE, "no URL given; 'weft --help' tells more");
    if (options->head && has_body)
        return fail(options, WF_FETCH_EXIT_USAGE, "-I asks for no body and -d sends one; see -G");
    if (options->upload_count && (options->head || has_body))
        return fail(options, WF_FETCH_EXIT_USAGE,
                    "-T sends a body of its own and %s does not go with it",
                    options->head ? "-I" : "-d");
    /* Who says how long a transfer may take has said enough. */
    if (options->stall_ms == STALL_NOT_GIVEN)
        options->stall_ms = options->max_time_ms ? 0 : DEFAULT_STALL_MS;
    if (!options->method)
        options->method = options->head ? "HEAD" : has_body ? "POST" : "GET";
    add_default_fields(options, has_body);
    return true;
}

bool wf_fetch_options_parse(struct wf_fetch_options *options, int argc, char *const *argv)
{
    struct wf_tool_args args = WF_TOOL_ARGS_INIT(table, TABLE_COUNT, argc, argv);

    *options = (struct wf_fetch_options){.stall_ms = STALL_NOT_GIVEN, .expect_timeout_ms = -1};
    for (;;) {
        switch (wf_tool_args_next(&args)) {
        case WF_TOOL_ARG_END:
            return complete(options);
        case WF_TOOL_ARG_ERROR:
            return fail(options, WF_FETCH_EXIT_USAGE, "%s", args.error);
        case WF_TOOL_ARG_OPERAND:
            add_url(options, args.value);
            break;
        case WF_TOOL_ARG_OPTION:
            if (!set_option(options, args.option->id, args.value))
                return false;
            break;
        }
    }
}

void wf_fetch_options_fini(struct wf_fetch_options *options)
{
    free(options->urls);
    free(options->outputs);
    free(options->uploads);
    free(options->write_out);
    wf_fetch_data_fini(&options->data);
    wf_fetch_net_fini(&options->net);
    wf_fetch_tls_fini(&options->tls);
    wf_tool_headers_fini(&options->headers);
    wf_tool_headers_fini(&options->defaults);
}

void wf_fetch_options_help(FILE *to)
{
    fputs("Usage: weft [options] URL...\n"
          "Fetches URLs over HTTP/2 or HTTP/1.1, several at once; bodies go to stdout in the\n"
          "order of the URLs.\n\n",
          to);
    wf_tool_args_help(table, TABLE_COUNT, to);
    fputs("\nExit status: 0 when each response arrived completely, else curl's number for the "
          "first URL\nthat failed (2 for a wrong command line).\n",
          to);
}
