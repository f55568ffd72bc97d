/* Field lines of the command line. */
#include "headers.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Without the blanks at both ends. */
static char *copy_trimmed(const char *text, size_t len)
{
    while (len && is_blank(text[0])) {
        text++;
        len--;
    }
    while (len && is_blank(text[len - 1]))
        len--;
    return wf_tool_strndup(text, len);
}

bool wf_tool_headers_add(struct wf_tool_headers *headers, const char *line)
{
    size_t name_len = strcspn(line, ":");
    struct wf_tool_header header = {NULL, NULL};

    if (line[name_len] == ':') {
        header.value = copy_trimmed(line + name_len + 1, strlen(line + name_len + 1));
        if (header.value[0] == '\0') {
            free(header.value);
            header.value = NULL;
        }
    } else if (name_len && line[name_len - 1] == ';') {
        name_len--;
        header.value = wf_tool_strndup("", 0);
    } else {
        return false;
    }
    header.name = copy_trimmed(line, name_len);
    if (header.name[0] == '\0') {
        free(header.name);
        free(header.value);
        return false;
    }
    headers->items = wf_tool_grow(headers->items, headers->count, sizeof(header));
    headers->items[headers->count++] = header;
    return true;
}

bool wf_tool_headers_has(const struct wf_tool_headers *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (strcasecmp(headers->items[i].name, name) == 0)
            return true;
    }
    return false;
}

static void add_field(struct weft_request *request, const struct wf_tool_header *header)
{
    /* Credentials stay out of compression tables, RFC 7541 section 7.1.3. The results are not
     * looked at: the request remembers what is wrong with it. */
    if (strcasecmp(header->name, "authorization") == 0)
        (void)weft_request_add_secret_field(request, header->name, header->value);
    else
        (void)weft_request_add_field(request, header->name, header->value);
}

void wf_tool_headers_apply(const struct wf_tool_headers *headers,
                           const struct wf_tool_headers *defaults, struct weft_request *request)
{
    for (size_t i = 0; i < defaults->count; i++) {
        if (!wf_tool_headers_has(headers, defaults->items[i].name))
            add_field(request, &defaults->items[i]);
    }
    for (size_t i = 0; i < headers->count; i++) {
        if (headers->items[i].value)
            add_field(request, &headers->items[i]);
    }
}

void wf_tool_headers_fini(struct wf_tool_headers *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        free(headers->items[i].name);
        free(headers->items[i].value);
    }
    free(headers->items);
    headers->items = NULL;
    headers->count = 0;
}
