/* The options that say where connections go: curl's spellings. Thread: owner. */
#ifndef WF_FETCH_OPTIONS_NET_H
#define WF_FETCH_OPTIONS_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "weft/config.h"

enum {
    OPT_NET_RESOLVE = 500,
    OPT_NET_CONNECT_TO,
    OPT_NET_DNS_SERVERS,
    OPT_NET_UNIX_SOCKET,
    OPT_NET_ABSTRACT_UNIX_SOCKET,
    OPT_NET_END
};

/* Rows of the table of options. */
#define WF_FETCH_OPTIONS_NET                                                                       \
    {OPT_NET_RESOLVE, "resolve", "HOST:PORT:ADDRESS[,...]",                                        \
     "the addresses of a host; * is any host"},                                                    \
        {OPT_NET_CONNECT_TO, "connect-to", "HOST1:PORT1:HOST2:PORT2",                              \
         "connect to the second for the first; parts may be\nempty: any, or the same"},            \
        {OPT_NET_DNS_SERVERS, "dns-servers", "ADDRESSES", "name servers, with commas between"},    \
        {OPT_NET_UNIX_SOCKET, "unix-socket", "PATH", "connect through this Unix socket"},          \
    {                                                                                              \
        OPT_NET_ABSTRACT_UNIX_SOCKET, "abstract-unix-socket", "NAME", "the same, an abstract one"  \
    }

/* All zero: nothing was said. Strings are borrowed from the command line but for unix_socket. */
struct wf_fetch_net {
    const char **resolve; /* ends with NULL */
    size_t resolve_count;
    const char **connect_to;
    size_t connect_to_count;
    const char *dns_servers;
    char *unix_socket;
};

/* Whether @id is one of these options. */
bool wf_fetch_net_has(int id);
void wf_fetch_net_set(struct wf_fetch_net *net, int id, const char *value);
/* @config borrows from @net. */
void wf_fetch_net_apply(const struct wf_fetch_net *net, struct weft_config *config);
void wf_fetch_net_fini(struct wf_fetch_net *net);

#endif
