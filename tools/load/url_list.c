/* URLs, used in turn. */
#include "url_list.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

static char *join(const char *base, const char *path, size_t len)
{
    const char *authority = strstr(base, "://");
    size_t origin_len;
    char *url;

    if (!authority)
        return NULL;
    origin_len = (size_t)(authority - base) + 3 + strcspn(authority + 3, "/?#");
    url = wf_tool_calloc(origin_len + len + 1, 1);
    memcpy(url, base, origin_len);
    memcpy(url + origin_len, path, len);
    return url;
}

bool wf_load_url_list_add(struct wf_load_url_list *list, const char *url, size_t len)
{
    char *copy;

    if (len && url[0] == '/')
        copy = list->count ? join(list->urls[0], url, len) : NULL;
    else
        copy = wf_tool_strndup(url, len);
    if (!copy)
        return false;
    list->urls = wf_tool_grow(list->urls, list->count, sizeof(*list->urls));
    list->urls[list->count++] = copy;
    return true;
}

bool wf_load_url_list_add_lines(struct wf_load_url_list *list, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        const char *next = stop ? stop + 1 : end;
        size_t line_len = (size_t)((stop ? stop : end) - text);

        while (line_len && strchr(" \t\r", text[line_len - 1]))
            line_len--;
        if (line_len && !wf_load_url_list_add(list, text, line_len))
            return false;
        text = next;
    }
    return true;
}

void wf_load_url_list_fini(struct wf_load_url_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->urls[i]);
    free(list->urls);
    list->urls = NULL;
    list->count = 0;
}
