#include "options_net.h"

#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool wf_fetch_net_has(int id)
{
    return id >= OPT_NET_RESOLVE && id < OPT_NET_END;
}

static void add(const char ***list, size_t *count, const char *value)
{
    *list = wf_tool_grow(*list, *count, sizeof(**list));
    (*list)[(*count)++] = value;
    *list = wf_tool_grow(*list, *count, sizeof(**list));
    (*list)[*count] = NULL;
}

/* The library tells abstract names by an @ in front; a path that has one there goes by "./". */
static void set_unix_socket(struct wf_fetch_net *net, const char *before, const char *name)
{
    size_t len = strlen(before) + strlen(name) + 1;
    char *text = malloc(len);

    if (!text)
        wf_tool_die_no_memory();
    (void)snprintf(text, len, "%s%s", before, name);
    free(net->unix_socket);
    net->unix_socket = text;
}

void wf_fetch_net_set(struct wf_fetch_net *net, int id, const char *value)
{
    switch (id) {
    case OPT_NET_RESOLVE:
        add(&net->resolve, &net->resolve_count, value);
        return;
    case OPT_NET_CONNECT_TO:
        add(&net->connect_to, &net->connect_to_count, value);
        return;
    case OPT_NET_DNS_SERVERS:
        net->dns_servers = value;
        return;
    case OPT_NET_UNIX_SOCKET:
        set_unix_socket(net, value[0] == '@' ? "./" : "", value);
        return;
    case OPT_NET_ABSTRACT_UNIX_SOCKET:
        set_unix_socket(net, "@", value);
        return;
    default:
        return;
    }
}

void wf_fetch_net_apply(const struct wf_fetch_net *net, struct weft_config *config)
{
    config->resolve = net->resolve;
    config->connect_to = net->connect_to;
    config->dns_servers = net->dns_servers;
    config->unix_socket = net->unix_socket;
}

void wf_fetch_net_fini(struct wf_fetch_net *net)
{
    free(net->resolve);
    free(net->connect_to);
    free(net->unix_socket);
}
