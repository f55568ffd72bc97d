/* The file name in a URL. */
#include "remote_name.h"

#include "common/memory.h"

#include <stddef.h>
#include <string.h>

char *wf_fetch_remote_name(const char *url)
{
    const char *authority = strstr(url, "://");
    const char *path;
    const char *name;
    size_t len;

    if (!authority)
        return NULL;
    authority += 3;
    path = authority + strcspn(authority, "/?#");
    len = strcspn(path, "?#");
    name = path + len;
    while (name > path && name[-1] != '/')
        name--;
    len -= (size_t)(name - path);
    if (len == 0 || (len == 1 && name[0] == '.') || (len == 2 && memcmp(name, "..", 2) == 0))
        return NULL;
    return wf_tool_strndup(name, len);
}
