/* The field lines that -H adds to, replaces in or removes from a program's own. Thread: owner. */
#ifndef WF_TOOL_HEADERS_H
#define WF_TOOL_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "weft/weft.h"

struct wf_tool_header {
    char *name;
    char *value; /* NULL: "name:", which removes a default */
};

struct wf_tool_headers {
    struct wf_tool_header *items;
    size_t count;
};

/* Takes "name: value", "name:" (no such line) or "name;" (an empty value), as curl does.
 * False: there is no name, or neither colon nor semicolon. */
bool wf_tool_headers_add(struct wf_tool_headers *headers, const char *line);
bool wf_tool_headers_has(const struct wf_tool_headers *headers, const char *name);
/* Puts the lines into @request, after those of @defaults that they neither replace nor remove.
 * What the library does not accept arrives through the request's future. */
void wf_tool_headers_apply(const struct wf_tool_headers *headers,
                           const struct wf_tool_headers *defaults, struct weft_request *request);
void wf_tool_headers_fini(struct wf_tool_headers *headers);

#endif
