#include "options.h"

#include "base/slice.h"
#include "weft/weft.h"

#include <stddef.h>
#include <string.h>

enum kind { KIND_FLAG, KIND_TEXT, KIND_NUMBER, KIND_HELP, KIND_VERSION };

struct option {
    const char *name;
    enum kind kind;
    size_t offset; /* of the field that is set */
    bool on;       /* what a flag sets */
    uint32_t min, max;
};

#define FIELD(name) offsetof(struct serve_options, name)

static const struct option known[] = {
    {"--address", KIND_TEXT, FIELD(address), false, 0, 0},
    {"--port", KIND_NUMBER, FIELD(port), false, 0, 65535},
    {"--tls", KIND_FLAG, FIELD(cleartext), false, 0, 0},
    {"--cleartext", KIND_FLAG, FIELD(cleartext), true, 0, 0},
    {"--cert", KIND_TEXT, FIELD(cert), false, 0, 0},
    {"--key", KIND_TEXT, FIELD(key), false, 0, 0},
    {"--write-cert", KIND_TEXT, FIELD(write_cert), false, 0, 0},
    {"--root", KIND_TEXT, FIELD(root), false, 0, 0},
    {"--threads", KIND_NUMBER, FIELD(threads), false, 1, SERVE_THREADS_MAX},
    {"--max-streams", KIND_NUMBER, FIELD(max_streams), false, 1, 65536},
    /* RFC 9113 section 6.9.1: no window is above 2^31-1. */
    {"--window", KIND_NUMBER, FIELD(window), false, 1, 2147483647},
    {"--quiet", KIND_FLAG, FIELD(quiet), true, 0, 0},
    {"-q", KIND_FLAG, FIELD(quiet), true, 0, 0},
    {"--verbose", KIND_FLAG, FIELD(verbose), true, 0, 0},
    {"-v", KIND_FLAG, FIELD(verbose), true, 0, 0},
    {"--help", KIND_HELP, 0, false, 0, 0},
    {"-h", KIND_HELP, 0, false, 0, 0},
    {"--version", KIND_VERSION, 0, false, 0, 0},
    {"-V", KIND_VERSION, 0, false, 0, 0},
};

static const char help[] =
    "usage: weft-serve [options]\n"
    "A small HTTP/2 server for tests, demonstrations and benchmarks.\n"
    "\n"
    "  --address A      listen on this IPv4 or IPv6 address (127.0.0.1)\n"
    "  --port N         listen on this port; 0: any (8443; 8080 with --cleartext)\n"
    "  --tls            TLS with ALPN h2 (the default)\n"
    "  --cleartext      HTTP/2 with prior knowledge, without TLS\n"
    "  --cert F --key F PEM files; without them a certificate for localhost, 127.0.0.1 and ::1\n"
    "                   is made at each start\n"
    "  --write-cert F   write the certificate that was made to F, for a client to trust\n"
    "  --threads N      event loops, a thread each (1)\n"
    "  --max-streams N  streams that a client may have open on a connection (256)\n"
    "  --window N       octets that a client may send on a stream before we take them (1048576)\n"
    "  --root DIR       serve the files below DIR under /files/\n"
    "  -q, --quiet      no line of counts at the end\n"
    "  -v, --verbose    a line on stderr for each frame\n"
    "  -h, --help       this text\n"
    "  -V, --version    the version\n"
    "\n"
    "When it is ready it prints one line: listening on https://127.0.0.1:8443\n"
    "It ends on SIGINT or SIGTERM.\n"
    "\n"
    "paths:\n"
    "  /                a short text\n"
    "  /bytes/N         N octets\n"
    "  /delay/MS        a text after MS milliseconds\n"
    "  /status/N        an answer of status N, 200 to 599\n"
    "  /echo            the request's body, as it arrives\n"
    "  /upload          how long the request's body is, and its SHA-256\n"
    "  /headers         the request's fields, a line each\n"
    "  /drip/N/MS       N octets, one at a time, MS milliseconds apart\n"
    "  /trailers        a text, then trailers\n"
    "  /informational   103, then 200\n"
    "  /early           an answer before the request's body was read\n"
    "  /reset           RST_STREAM in mid-body; /reset/CODE chooses the error code\n"
    "  /goaway          GOAWAY that does not cover this request\n"
    "  /goaway/after    an answer, then GOAWAY\n"
    "  /cut             the connection ends in mid-body\n"
    "  /files/PATH      a file below --root\n";

static bool number(const char *text, uint32_t min, uint32_t max, uint32_t *out_value)
{
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > max)
            return false;
    }
    *out_value = (uint32_t)value;
    return value >= min;
}

static const struct option *find(const char *argument, const char **out_value)
{
    const char *equals = strncmp(argument, "--", 2) == 0 ? strchr(argument, '=') : NULL;
    struct wf_slice name = wf_slice_str(argument);
    *out_value = NULL;
    if (equals != NULL) {
        name.len = (size_t)(equals - argument);
        *out_value = equals + 1;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (wf_slice_is(name, known[i].name))
            return &known[i];
    }
    return NULL;
}

static bool set_number(struct serve_options *options, const struct option *option,
                       const char *value, FILE *err)
{
    uint32_t parsed;
    if (!number(value, option->min, option->max, &parsed)) {
        fprintf(err, "weft-serve: %s takes a number from %u to %u, not '%s'\n", option->name,
                option->min, option->max, value);
        return false;
    }
    if (option->offset == FIELD(port)) {
        options->port = (uint16_t)parsed;
        options->port_given = true;
    } else {
        *(uint32_t *)(void *)((char *)options + option->offset) = parsed;
    }
    return true;
}

/* Sets what @option says. @value: NULL for a flag. */
static bool set(struct serve_options *options, const struct option *option, const char *value,
                FILE *err)
{
    void *field = (char *)options + option->offset;
    if (option->kind == KIND_NUMBER)
        return set_number(options, option, value, err);
    if (option->kind == KIND_TEXT)
        *(const char **)field = value;
    else
        *(bool *)field = option->on;
    return true;
}

static bool agree(const struct serve_options *options, FILE *err)
{
    const char *wrong = NULL;
    if ((options->cert == NULL) != (options->key == NULL))
        wrong = "--cert and --key go together";
    else if (options->cleartext && (options->cert != NULL || options->write_cert != NULL))
        wrong = "--cleartext has no certificate";
    else if (options->cert != NULL && options->write_cert != NULL)
        wrong = "--write-cert writes a certificate that was made, so it excludes --cert";
    if (wrong != NULL)
        fprintf(err, "weft-serve: %s\n", wrong);
    return wrong == NULL;
}

enum serve_parsed serve_options_parse(int argc, char **argv, FILE *out, FILE *err,
                                      struct serve_options *out_options)
{
    struct serve_options options = {
        .address = "127.0.0.1", .threads = 1, .max_streams = 256, .window = 1048576};
    for (int i = 1; i < argc; i++) {
        const char *value;
        const struct option *option = find(argv[i], &value);
        if (option == NULL) {
            fprintf(err, "weft-serve: unknown option '%s'; try --help\n", argv[i]);
            return SERVE_PARSED_BAD;
        }
        if (option->kind == KIND_HELP || option->kind == KIND_VERSION) {
            fputs(option->kind == KIND_HELP ? help : "weft-serve " WEFT_VERSION "\n", out);
            return SERVE_PARSED_DONE;
        }
        bool takes_value = option->kind != KIND_FLAG;
        if (takes_value && value == NULL && i + 1 < argc)
            value = argv[++i];
        if (takes_value != (value != NULL)) {
            fprintf(err, "weft-serve: %s %s\n", option->name,
                    takes_value ? "needs a value" : "takes no value");
            return SERVE_PARSED_BAD;
        }
        if (!set(&options, option, value, err))
            return SERVE_PARSED_BAD;
    }
    if (!options.port_given)
        options.port = options.cleartext ? 8080 : 8443;
    if (!agree(&options, err))
        return SERVE_PARSED_BAD;
    *out_options = options;
    return SERVE_PARSED_RUN;
}
