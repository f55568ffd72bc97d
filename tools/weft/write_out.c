/* -w: curl's variables, as far as they make sense here. */
#include "write_out.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum variable {
    HTTP_CODE,
    HTTP_VERSION,
    SIZE_DOWNLOAD,
    SIZE_UPLOAD,
    SPEED_DOWNLOAD,
    TIME_TOTAL,
    TIME_QUEUE,
    TIME_NAMELOOKUP,
    TIME_CONNECT,
    TIME_APPCONNECT,
    TIME_POSTTRANSFER,
    TIME_STARTTRANSFER,
    NUM_CONNECTS,
    CONN_ID,
    REMOTE_IP,
    REMOTE_PORT,
    URL,
    URLNUM,
    METHOD,
    CONTENT_TYPE,
    FILENAME,
    NUM_HEADERS,
    EXITCODE,
    ERRORMSG
};

static const struct {
    const char *name;
    enum variable variable;
} variables[] = {
    {"http_code", HTTP_CODE},
    {"response_code", HTTP_CODE},
    {"http_version", HTTP_VERSION},
    {"size_download", SIZE_DOWNLOAD},
    {"size_upload", SIZE_UPLOAD},
    {"speed_download", SPEED_DOWNLOAD},
    {"time_total", TIME_TOTAL},
    {"time_queue", TIME_QUEUE},
    {"time_namelookup", TIME_NAMELOOKUP},
    {"time_connect", TIME_CONNECT},
    {"time_appconnect", TIME_APPCONNECT},
    {"time_posttransfer", TIME_POSTTRANSFER},
    {"time_starttransfer", TIME_STARTTRANSFER},
    {"num_connects", NUM_CONNECTS},
    {"conn_id", CONN_ID},
    {"remote_ip", REMOTE_IP},
    {"remote_port", REMOTE_PORT},
    {"url", URL},
    {"url_effective", URL},
    {"urlnum", URLNUM},
    {"method", METHOD},
    {"content_type", CONTENT_TYPE},
    {"filename_effective", FILENAME},
    {"num_headers", NUM_HEADERS},
    {"exitcode", EXITCODE},
    {"errormsg", ERRORMSG},
};

static uint64_t speed(const struct wf_fetch_result *result)
{
    if (result->time_ns == 0)
        return 0;
    return (uint64_t)((double)result->body_len * 1e9 / (double)result->time_ns);
}

/* What was not a part of the transfer took no time, as curl has it. */
static void put_seconds(FILE *to, int64_t time_ns)
{
    uint64_t ns = time_ns > 0 ? (uint64_t)time_ns : 0;

    fprintf(to, "%" PRIu64 ".%06" PRIu64, ns / 1000000000, ns % 1000000000 / 1000);
}

static const char *version(const struct wf_fetch_result *result)
{
    if (!result->status)
        return "0";
    return strcmp(result->timings.protocol, "http/1.1") == 0 ? "1.1" : "2";
}

/* The port stands behind the last colon; a Unix socket has neither address nor port. */
static void put_remote(FILE *to, const char *address, bool port)
{
    const char *colon = strrchr(address, ':');

    if (!colon || address[0] == '/' || address[0] == '@')
        fputs(port ? "0" : "", to);
    else if (port)
        fputs(colon + 1, to);
    else if (address[0] == '[')
        fprintf(to, "%.*s", (int)(colon - address - 2), address + 1);
    else
        fprintf(to, "%.*s", (int)(colon - address), address);
}

static bool put_timing(FILE *to, enum variable variable, const struct weft_timings *timings)
{
    switch ((int)variable) {
    case TIME_QUEUE:
        put_seconds(to, timings->queue_ns);
        return true;
    case TIME_NAMELOOKUP:
        put_seconds(to, timings->resolve_ns);
        return true;
    case TIME_CONNECT:
        put_seconds(to, timings->connect_ns);
        return true;
    case TIME_APPCONNECT:
        put_seconds(to, timings->tls_ns);
        return true;
    case TIME_POSTTRANSFER:
        put_seconds(to, timings->sent_ns);
        return true;
    case TIME_STARTTRANSFER:
        put_seconds(to, timings->head_ns);
        return true;
    case NUM_CONNECTS:
        fputs(timings->connection != 0 && !timings->connection_was_reused ? "1" : "0", to);
        return true;
    case CONN_ID:
        fprintf(to, "%" PRIu64, timings->connection);
        return true;
    case REMOTE_IP:
    case REMOTE_PORT:
        put_remote(to, timings->address, variable == REMOTE_PORT);
        return true;
    default:
        return false;
    }
}

static void put_variable(FILE *to, enum variable variable, const struct wf_fetch_result *result)
{
    if (put_timing(to, variable, &result->timings))
        return;
    switch ((int)variable) {
    case HTTP_CODE:
        fprintf(to, "%03d", result->status);
        return;
    case HTTP_VERSION:
        fputs(version(result), to);
        return;
    case SIZE_DOWNLOAD:
        fprintf(to, "%" PRIu64, result->body_len);
        return;
    case SIZE_UPLOAD:
        fprintf(to, "%" PRIu64, result->upload_len);
        return;
    case SPEED_DOWNLOAD:
        fprintf(to, "%" PRIu64, speed(result));
        return;
    case TIME_TOTAL:
        put_seconds(to, (int64_t)result->time_ns);
        return;
    case URL:
        fputs(result->url, to);
        return;
    case URLNUM:
        fprintf(to, "%zu", result->index);
        return;
    case METHOD:
        fputs(result->method, to);
        return;
    case CONTENT_TYPE:
        fputs(result->content_type, to);
        return;
    case FILENAME:
        fputs(result->filename, to);
        return;
    case NUM_HEADERS:
        fprintf(to, "%zu", result->field_count);
        return;
    case EXITCODE:
        fprintf(to, "%d", result->exit_code);
        return;
    case ERRORMSG:
        fputs(result->error, to);
        return;
    }
}

static void put_named(FILE *to, const char *name, size_t len, const struct wf_fetch_result *result,
                      FILE *warnings)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0) {
            put_variable(to, variables[i].variable, result);
            return;
        }
    }
    if (warnings)
        fprintf(warnings, "weft: -w has no variable '%.*s'\n", (int)(len > 64 ? 64 : len), name);
}

/* Returns how many octets of @text were used. */
static size_t put_escape(FILE *to, const char *text)
{
    switch (text[1]) {
    case 'n':
        fputc('\n', to);
        return 2;
    case 'r':
        fputc('\r', to);
        return 2;
    case 't':
        fputc('\t', to);
        return 2;
    case '\\':
        fputc('\\', to);
        return 2;
    default:
        fputc('\\', to);
        return 1;
    }
}

void wf_fetch_write_out(FILE *to, const char *format, const struct wf_fetch_result *result,
                        FILE *warnings)
{
    while (*format != '\0') {
        const char *end = NULL;

        if (format[0] == '%' && format[1] == '{')
            end = strchr(format, '}');
        if (end) {
            put_named(to, format + 2, (size_t)(end - format) - 2, result, warnings);
            format = end + 1;
        } else if (format[0] == '%' && format[1] == '%') {
            fputc('%', to);
            format += 2;
        } else if (format[0] == '\\') {
            format += put_escape(to, format);
        } else {
            fputc(*format++, to);
        }
    }
}
