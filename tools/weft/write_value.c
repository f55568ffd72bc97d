#include "write_value.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum variable {
    CONN_ID,
    CONTENT_TYPE,
    ERRORMSG,
    EXITCODE,
    FILENAME,
    HTTP_CODE,
    HTTP_VERSION,
    METHOD,
    NUM_CONNECTS,
    NUM_HEADERS,
    NUM_REDIRECTS,
    NUM_RETRIES,
    REMOTE_IP,
    REMOTE_PORT,
    SCHEME,
    SIZE_DOWNLOAD,
    SIZE_HEADER,
    SIZE_UPLOAD,
    SPEED_DOWNLOAD,
    SPEED_UPLOAD,
    SSL_VERIFY_RESULT,
    TIME_APPCONNECT,
    TIME_CONNECT,
    TIME_NAMELOOKUP,
    TIME_POSTTRANSFER,
    TIME_PRETRANSFER,
    TIME_QUEUE,
    TIME_REDIRECT,
    TIME_STARTTRANSFER,
    TIME_TOTAL,
    URL,
    URLNUM
};

enum kind { TEXT, NUMBER };

/* In the order of their names, in which JSON has them. */
static const struct {
    const char *name;
    enum variable variable;
    enum kind kind;
} variables[] = {
    {"conn_id", CONN_ID, NUMBER},
    {"content_type", CONTENT_TYPE, TEXT},
    {"errormsg", ERRORMSG, TEXT},
    {"exitcode", EXITCODE, NUMBER},
    {"filename_effective", FILENAME, TEXT},
    {"http_code", HTTP_CODE, NUMBER},
    {"http_version", HTTP_VERSION, TEXT},
    {"method", METHOD, TEXT},
    {"num_connects", NUM_CONNECTS, NUMBER},
    {"num_headers", NUM_HEADERS, NUMBER},
    {"num_redirects", NUM_REDIRECTS, NUMBER},
    {"num_retries", NUM_RETRIES, NUMBER},
    {"remote_ip", REMOTE_IP, TEXT},
    {"remote_port", REMOTE_PORT, NUMBER},
    {"response_code", HTTP_CODE, NUMBER},
    {"scheme", SCHEME, TEXT},
    {"size_download", SIZE_DOWNLOAD, NUMBER},
    {"size_header", SIZE_HEADER, NUMBER},
    {"size_upload", SIZE_UPLOAD, NUMBER},
    {"speed_download", SPEED_DOWNLOAD, NUMBER},
    {"speed_upload", SPEED_UPLOAD, NUMBER},
    {"ssl_verify_result", SSL_VERIFY_RESULT, NUMBER},
    {"time_appconnect", TIME_APPCONNECT, NUMBER},
    {"time_connect", TIME_CONNECT, NUMBER},
    {"time_namelookup", TIME_NAMELOOKUP, NUMBER},
    {"time_posttransfer", TIME_POSTTRANSFER, NUMBER},
    {"time_pretransfer", TIME_PRETRANSFER, NUMBER},
    {"time_queue", TIME_QUEUE, NUMBER},
    {"time_redirect", TIME_REDIRECT, NUMBER},
    {"time_starttransfer", TIME_STARTTRANSFER, NUMBER},
    {"time_total", TIME_TOTAL, NUMBER},
    {"url", URL, TEXT},
    {"url_effective", URL, TEXT},
    {"urlnum", URLNUM, NUMBER},
};

#define VARIABLE_COUNT (sizeof(variables) / sizeof(variables[0]))

static void put_number(FILE *to, uint64_t number)
{
    fprintf(to, "%" PRIu64, number);
}

static void put_speed(FILE *to, uint64_t octets, uint64_t time_ns)
{
    put_number(to, time_ns ? (uint64_t)((double)octets * 1e9 / (double)time_ns) : 0);
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

static const char *scheme(const char *url)
{
    if (strncasecmp(url, "https:", 6) == 0)
        return "HTTPS";
    return strncasecmp(url, "http:", 5) == 0 ? "HTTP" : "";
}

/* When a request could go out: it had a connection, and that was ready. */
static int64_t pretransfer_ns(const struct weft_timings *timings)
{
    int64_t steps[] = {timings->queue_ns, timings->resolve_ns, timings->connect_ns,
                       timings->tls_ns};
    int64_t last = 0;

    for (size_t i = 0; timings->connection && i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i] > last)
            last = steps[i];
    }
    return last;
}

/* A text that a JSON string may be written as, or not. */
static void put_text(FILE *to, const char *text, size_t len, bool json)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (json && (c == '"' || c == '\\'))
            fprintf(to, "\\%c", c);
        else if (json && c < 0x20)
            fprintf(to, "\\u%04x", c);
        else
            fputc(c, to);
    }
}

/* An address without its port, which stands behind the last colon; a Unix socket has neither. */
static const char *split_address(const char *address, size_t *out_len)
{
    const char *colon = strrchr(address, ':');

    *out_len = 0;
    if (!colon || address[0] == '/' || address[0] == '@')
        return NULL;
    *out_len = (size_t)(colon - address);
    return colon + 1;
}

static const char *text_of(enum variable variable, const struct wf_fetch_result *result,
                           size_t *out_len)
{
    const char *address = result->timings.address;
    const char *text = "";

    switch ((int)variable) {
    case REMOTE_IP:
        (void)split_address(address, out_len);
        if (*out_len < 2 || address[0] != '[')
            return address;
        *out_len -= 2;
        return address + 1;
    case CONTENT_TYPE:
        text = result->content_type;
        break;
    case ERRORMSG:
        text = result->error;
        break;
    case FILENAME:
        text = result->filename;
        break;
    case HTTP_VERSION:
        text = version(result);
        break;
    case METHOD:
        text = result->method;
        break;
    case SCHEME:
        text = scheme(result->url);
        break;
    case URL:
        text = result->url;
        break;
    default:
        break;
    }
    *out_len = strlen(text);
    return text;
}

/* False: it is no time. */
static bool put_time(FILE *to, enum variable variable, const struct wf_fetch_result *result)
{
    const struct weft_timings *timings = &result->timings;

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
    case TIME_PRETRANSFER:
        put_seconds(to, pretransfer_ns(timings));
        return true;
    case TIME_POSTTRANSFER:
        put_seconds(to, timings->sent_ns);
        return true;
    case TIME_STARTTRANSFER:
        put_seconds(to, timings->head_ns);
        return true;
    case TIME_REDIRECT:
        put_seconds(to, 0);
        return true;
    case TIME_TOTAL:
        put_seconds(to, (int64_t)result->time_ns);
        return true;
    default:
        return false;
    }
}

static void put_count(FILE *to, enum variable variable, const struct wf_fetch_result *result)
{
    const struct weft_timings *timings = &result->timings;
    const char *port;
    size_t len;

    switch ((int)variable) {
    case CONN_ID:
        put_number(to, timings->connection);
        return;
    case EXITCODE:
        fprintf(to, "%d", result->exit_code);
        return;
    case NUM_CONNECTS:
        put_number(to, timings->connection != 0 && !timings->connection_was_reused);
        return;
    case NUM_HEADERS:
        put_number(to, result->field_count);
        return;
    case NUM_RETRIES:
        put_number(to, result->retries);
        return;
    case REMOTE_PORT:
        port = split_address(timings->address, &len);
        fputs(port ? port : "0", to);
        return;
    case SIZE_DOWNLOAD:
        put_number(to, result->body_len);
        return;
    case SIZE_HEADER:
        put_number(to, result->head_len);
        return;
    case SIZE_UPLOAD:
        put_number(to, result->upload_len);
        return;
    case SPEED_DOWNLOAD:
        put_speed(to, result->body_len, result->time_ns);
        return;
    case SPEED_UPLOAD:
        put_speed(to, result->upload_len, result->time_ns);
        return;
    case SSL_VERIFY_RESULT:
        fprintf(to, "%d", result->verify_result);
        return;
    case URLNUM:
        put_number(to, result->index);
        return;
    default: /* NUM_REDIRECTS: none is followed */
        put_number(to, 0);
        return;
    }
}

static void put_value(FILE *to, size_t index, const struct wf_fetch_result *result, bool json)
{
    enum variable variable = variables[index].variable;
    size_t len;

    if (variable == HTTP_CODE) {
        fprintf(to, json ? "%d" : "%03d", result->status);
    } else if (variables[index].kind == TEXT) {
        const char *text = text_of(variable, result, &len);

        if (json && len == 0) {
            fputs("null", to);
            return;
        }
        fputs(json ? "\"" : "", to);
        put_text(to, text, len, json);
        fputs(json ? "\"" : "", to);
    } else if (!put_time(to, variable, result)) {
        put_count(to, variable, result);
    }
}

bool wf_fetch_write_value(FILE *to, const char *name, size_t len,
                          const struct wf_fetch_result *result)
{
    for (size_t i = 0; i < VARIABLE_COUNT; i++) {
        if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0) {
            put_value(to, i, result, false);
            return true;
        }
    }
    return false;
}

void wf_fetch_write_json(FILE *to, const struct wf_fetch_result *result)
{
    for (size_t i = 0; i < VARIABLE_COUNT; i++) {
        fprintf(to, "%s\"%s\":", i ? "," : "{", variables[i].name);
        put_value(to, i, result, true);
    }
    fputc('}', to);
}

static bool same_name(const struct weft_field *field, const char *name, size_t len)
{
    return field->name_len == len && strncasecmp(field->name, name, len) == 0;
}

/* Whether a field line before @index has the name of @field. */
static bool came_before(const struct wf_fetch_result *result, size_t index,
                        const struct weft_field *field)
{
    struct weft_field other;

    for (size_t i = 0; i < index && weft_future_field_at(result->response, i, &other); i++) {
        if (same_name(&other, field->name, field->name_len))
            return true;
    }
    return false;
}

void wf_fetch_write_header_json(FILE *to, const struct wf_fetch_result *result)
{
    struct weft_field field;
    struct weft_field other;
    const char *before = "";

    fputc('{', to);
    for (size_t i = 0; weft_future_field_at(result->response, i, &field); i++) {
        if (came_before(result, i, &field))
            continue;
        fprintf(to, "%s\"", before);
        put_text(to, field.name, field.name_len, true);
        fputs("\":[\"", to);
        put_text(to, field.value, field.value_len, true);
        fputc('"', to);
        for (size_t j = i + 1; weft_future_field_at(result->response, j, &other); j++) {
            if (!same_name(&other, field.name, field.name_len))
                continue;
            fputs(",\"", to);
            put_text(to, other.value, other.value_len, true);
            fputc('"', to);
        }
        fputc(']', to);
        before = ",\n";
    }
    fputs("\n}", to);
}

void wf_fetch_write_header(FILE *to, const char *name, size_t len,
                           const struct wf_fetch_result *result)
{
    struct weft_field field;

    for (size_t i = 0; weft_future_field_at(result->response, i, &field); i++) {
        if (same_name(&field, name, len)) {
            put_text(to, field.value, field.value_len, false);
            return;
        }
    }
}
