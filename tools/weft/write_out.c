/* -w: curl's variables, as far as they make sense here. */
#include "write_out.h"

#include <inttypes.h>
#include <string.h>

enum variable {
    HTTP_CODE,
    HTTP_VERSION,
    SIZE_DOWNLOAD,
    SIZE_UPLOAD,
    SPEED_DOWNLOAD,
    TIME_TOTAL,
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

static void put_variable(FILE *to, enum variable variable, const struct wf_fetch_result *result)
{
    switch (variable) {
    case HTTP_CODE:
        fprintf(to, "%03d", result->status);
        return;
    case HTTP_VERSION:
        fputs(result->status ? "2" : "0", to);
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
        fprintf(to, "%" PRIu64 ".%06" PRIu64, result->time_ns / 1000000000,
                result->time_ns % 1000000000 / 1000);
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
