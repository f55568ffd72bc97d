/* -w: text with curl's variables, as far as they make sense here. */
#include "write_out.h"

#include "write_value.h"

#include <stdbool.h>
#include <string.h>

/* Where the text goes from here on; NULL: nowhere. */
struct output {
    FILE *to;
    FILE *standard;
    FILE *errors;
    FILE *warnings;
};

static bool is(const char *name, size_t len, const char *other)
{
    return strlen(other) == len && memcmp(name, other, len) == 0;
}

static void put_named(struct output *out, const char *name, size_t len,
                      const struct wf_fetch_result *result)
{
    if (is(name, len, "stdout"))
        out->to = out->standard;
    else if (is(name, len, "stderr"))
        out->to = out->errors;
    else if (is(name, len, "json"))
        wf_fetch_write_json(out->to, result);
    else if (is(name, len, "header_json"))
        wf_fetch_write_header_json(out->to, result);
    else if (!wf_fetch_write_value(out->to, name, len, result) && out->warnings)
        fprintf(out->warnings, "weft: -w has no variable '%.*s'\n", (int)(len > 64 ? 64 : len),
                name);
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
                        FILE *errors, FILE *warnings)
{
    static const char header[] = "%header{";
    struct output out = {to, to, errors, warnings};

    while (*format != '\0') {
        bool is_header = strncmp(format, header, sizeof(header) - 1) == 0;
        const char *name = format + (is_header ? sizeof(header) - 1 : 2);
        const char *end = NULL;

        if (is_header || (format[0] == '%' && format[1] == '{'))
            end = strchr(name, '}');
        if (end && !is_header && is(name, (size_t)(end - name), "onerror")) {
            /* The rest is for what failed. */
            if (result->exit_code == 0)
                return;
            format = end + 1;
        } else if (end) {
            if (is_header)
                wf_fetch_write_header(out.to, name, (size_t)(end - name), result);
            else
                put_named(&out, name, (size_t)(end - name), result);
            format = end + 1;
        } else if (format[0] == '%' && format[1] == '%') {
            fputc('%', out.to);
            format += 2;
        } else if (format[0] == '\\') {
            format += put_escape(out.to, format);
        } else {
            fputc(*format++, out.to);
        }
    }
}
