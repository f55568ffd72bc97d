#include "io_thread/overrides.h"

#include "base/assert.h"
#include "base/list.h"
#include "base/slice.h"
#include "message/error.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

struct resolve_entry {
    struct wf_node node; /* overrides->resolve */
    uint16_t port;
    bool is_removed; /* by a later "-host:port" */
    size_t count;
    struct wf_address addresses[WF_ADDRESSES_MAX];
    char host[]; /* "*": any */
};

struct connect_entry {
    struct wf_node node; /* overrides->connect_to */
    uint16_t port;       /* 0: any */
    uint16_t to_port;    /* 0: as it was */
    char *to_host;       /* behind host; "": as it was */
    char host[];         /* "": any */
};

struct wf_overrides {
    struct wf_node resolve;        /* in the order given */
    struct wf_node connect_to;     /* likewise */
    struct wf_address unix_socket; /* len 0: none */
};

/* What is left of an entry, and what it belongs to, for the error. */
struct cursor {
    const char *field; /* "config.resolve" */
    const char *entry;
    const char *at;
    struct weft_error *error;
};

static bool refuse(struct cursor *cursor, const char *why)
{
    wf_error_set(cursor->error, WEFT_ERR_INVALID_ARGUMENT, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                 "%s: \"%.80s\": %s", cursor->field, cursor->entry, why);
    return false;
}

static bool no_memory(struct cursor *cursor)
{
    *cursor->error = *wf_error_static(WEFT_ERR_NO_MEMORY);
    return false;
}

static bool is_ipv6(struct wf_slice text)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr in6;
    if (text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET6, copy, &in6) == 1;
}

/* A host up to the next colon, an IPv6 address in brackets, which are not part of *@out. */
static bool take_host(struct cursor *cursor, struct wf_slice *out)
{
    if (*cursor->at != '[') {
        size_t len = strcspn(cursor->at, ":");
        *out = wf_slice((const uint8_t *)cursor->at, len);
        cursor->at += len;
        for (size_t i = 0; i < len; i++) {
            if (out->ptr[i] <= ' ' || out->ptr[i] > '~' || strchr("[]/@,", out->ptr[i]) != NULL)
                return refuse(cursor, "a host has a character that no host name has");
        }
        return true;
    }
    const char *end = strchr(cursor->at, ']');
    if (end == NULL)
        return refuse(cursor, "a bracket is not closed");
    *out = wf_slice((const uint8_t *)cursor->at + 1, (size_t)(end - cursor->at - 1));
    cursor->at = end + 1;
    return is_ipv6(*out) || refuse(cursor, "what stands in brackets is no IPv6 address");
}

static bool take_colon(struct cursor *cursor)
{
    if (*cursor->at != ':')
        return refuse(cursor, "a colon is missing");
    cursor->at++;
    return true;
}

/* 1 to 65535, in decimal digits alone; 0 for nothing at all, where @may_miss. */
static bool take_port(struct cursor *cursor, bool may_miss, uint16_t *out)
{
    unsigned long port = 0;
    size_t len = 0;
    for (; cursor->at[len] >= '0' && cursor->at[len] <= '9' && len < 6; len++)
        port = port * 10 + (unsigned long)(cursor->at[len] - '0');
    cursor->at += len;
    *out = (uint16_t)port;
    if (len == 0 && may_miss && (*cursor->at == ':' || *cursor->at == '\0'))
        return true;
    if (port == 0 || port > 65535 || (*cursor->at != ':' && *cursor->at != '\0'))
        return refuse(cursor, "a port must be a number from 1 to 65535");
    return true;
}

static bool parse_address(struct wf_slice text, uint16_t port, struct wf_address *out)
{
    char copy[INET6_ADDRSTRLEN + 2];
    if (text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
        text = wf_slice(text.ptr + 1, text.len - 2);
    if (text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    memset(out, 0, sizeof(*out));
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&out->storage;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&out->storage;
    if (inet_pton(AF_INET, copy, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        out->len = sizeof(*in);
    } else if (inet_pton(AF_INET6, copy, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        out->len = sizeof(*in6);
    }
    return out->len > 0;
}

/* Addresses with commas between them. */
static bool take_addresses(struct cursor *cursor, struct resolve_entry *entry)
{
    for (;;) {
        size_t len = strcspn(cursor->at, ",");
        if (entry->count == WF_ADDRESSES_MAX)
            return refuse(cursor, "there are more than 16 addresses");
        if (!parse_address(wf_slice((const uint8_t *)cursor->at, len), entry->port,
                           &entry->addresses[entry->count]))
            return refuse(cursor, "an address is neither IPv4 nor IPv6");
        entry->count++;
        cursor->at += len;
        if (*cursor->at == '\0')
            return true;
        cursor->at++;
    }
}

static bool is_entry_of(const struct resolve_entry *entry, const char *host, uint16_t port)
{
    return !entry->is_removed && entry->port == port && strcasecmp(entry->host, host) == 0;
}

static void remove_entries(struct wf_overrides *overrides, const struct resolve_entry *like)
{
    for (struct wf_node *node = overrides->resolve.next; node != &overrides->resolve;
         node = node->next) {
        struct resolve_entry *entry = wf_container_of(node, struct resolve_entry, node);
        if (is_entry_of(entry, like->host, like->port))
            entry->is_removed = true;
    }
}

/* [+|-]host:port[:address[,address]...], as curl has it. What a plus says, that the entry may time
 * out, is for a cache that outlives its list; here it says nothing. */
static bool add_resolve(struct wf_overrides *overrides, struct cursor *cursor)
{
    bool removes = *cursor->at == '-';
    struct wf_slice host;
    if (*cursor->at == '-' || *cursor->at == '+')
        cursor->at++;
    if (!take_host(cursor, &host) || !take_colon(cursor))
        return false;
    if (host.len == 0)
        return refuse(cursor, "the host is missing; * stands for any");
    struct resolve_entry *entry = wf_calloc(1, sizeof(*entry) + host.len + 1);
    if (entry == NULL)
        return no_memory(cursor);
    memcpy(entry->host, host.ptr, host.len);
    wf_list_init(&entry->node);
    wf_list_push_back(&overrides->resolve, &entry->node);
    if (!take_port(cursor, false, &entry->port))
        return false;
    if (removes) {
        remove_entries(overrides, entry);
        entry->is_removed = true;
        return *cursor->at == '\0' || refuse(cursor, "nothing may follow the port");
    }
    return take_colon(cursor) && take_addresses(cursor, entry);
}

/* host:port:to-host:to-port, each of which may be empty. */
static bool add_connect_to(struct wf_overrides *overrides, struct cursor *cursor)
{
    struct wf_slice host, to_host;
    uint16_t port, to_port;
    if (!take_host(cursor, &host) || !take_colon(cursor) || !take_port(cursor, true, &port) ||
        !take_colon(cursor) || !take_host(cursor, &to_host) || !take_colon(cursor) ||
        !take_port(cursor, true, &to_port))
        return false;
    if (*cursor->at != '\0')
        return refuse(cursor, "nothing may follow the second port");
    struct connect_entry *entry = wf_calloc(1, sizeof(*entry) + host.len + to_host.len + 2);
    if (entry == NULL)
        return no_memory(cursor);
    entry->port = port;
    entry->to_port = to_port;
    entry->to_host = entry->host + host.len + 1;
    memcpy(entry->host, host.ptr, host.len);
    memcpy(entry->to_host, to_host.ptr, to_host.len);
    wf_list_init(&entry->node);
    wf_list_push_back(&overrides->connect_to, &entry->node);
    return true;
}

static bool add_all(struct wf_overrides *overrides, const char *const *list, const char *field,
                    bool (*add)(struct wf_overrides *, struct cursor *), struct weft_error *error)
{
    for (; list != NULL && *list != NULL; list++) {
        struct cursor cursor = {.field = field, .entry = *list, .at = *list, .error = error};
        if (!add(overrides, &cursor))
            return false;
    }
    return true;
}

static bool set_unix_socket(struct wf_overrides *overrides, const char *path,
                            struct weft_error *error)
{
    if (path == NULL)
        return true;
    struct cursor cursor = {.field = "config.unix_socket", .entry = path, .error = error};
    struct sockaddr_un *un = (struct sockaddr_un *)(void *)&overrides->unix_socket.storage;
    bool is_abstract = path[0] == '@';
    size_t len = strlen(path);
    /* An abstract name has its NUL in front and none behind. */
    if (len + (is_abstract ? 0 : 1) > sizeof(un->sun_path))
        return refuse(&cursor, "it is longer than the 107 octets that a Unix socket may have");
    if (len == (is_abstract ? 1u : 0u))
        return refuse(&cursor, "it is empty");
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, len);
    if (is_abstract)
        un->sun_path[0] = '\0';
    overrides->unix_socket.len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (is_abstract ? 0 : 1));
    return true;
}

/* c-ares would say so with the first name only. */
static bool check_servers(const char *servers, struct weft_error *error)
{
    struct cursor cursor = {
        .field = "config.dns_servers", .entry = servers, .at = servers, .error = error};
    while (servers != NULL) {
        size_t len = strcspn(cursor.at, ",");
        struct wf_slice text = wf_slice((const uint8_t *)cursor.at, len);
        struct wf_address address;
        const uint8_t *colon = len > 0 ? memrchr(text.ptr, ':', len) : NULL;
        if (!parse_address(text, 53, &address)) {
            if (colon == NULL ||
                !parse_address(wf_slice(text.ptr, (size_t)(colon - text.ptr)), 53, &address))
                return refuse(&cursor, "a name server must be an address, or address:port");
            char port[8] = "";
            size_t port_len = len - (size_t)(colon + 1 - text.ptr);
            if (port_len < sizeof(port))
                memcpy(port, colon + 1, port_len);
            struct cursor digits = cursor;
            uint16_t value;
            digits.at = port;
            if (!take_port(&digits, false, &value) || *digits.at != '\0')
                return refuse(&cursor, "a port must be a number from 1 to 65535");
        }
        cursor.at += len;
        if (*cursor.at == '\0')
            return true;
        cursor.at++;
    }
    return true;
}

struct wf_overrides *wf_overrides_new(const struct weft_config *config,
                                      struct weft_error *out_error)
{
    struct wf_overrides *overrides = wf_calloc(1, sizeof(*overrides));
    if (overrides == NULL) {
        *out_error = *wf_error_static(WEFT_ERR_NO_MEMORY);
        return NULL;
    }
    wf_list_init(&overrides->resolve);
    wf_list_init(&overrides->connect_to);
    if (add_all(overrides, config->resolve, "config.resolve", add_resolve, out_error) &&
        add_all(overrides, config->connect_to, "config.connect_to", add_connect_to, out_error) &&
        set_unix_socket(overrides, config->unix_socket, out_error) &&
        check_servers(config->dns_servers, out_error))
        return overrides;
    wf_overrides_free(overrides);
    return NULL;
}

void wf_overrides_free(struct wf_overrides *overrides)
{
    if (overrides == NULL)
        return;
    struct wf_node *node;
    while ((node = wf_list_pop_front(&overrides->resolve)) != NULL)
        wf_free(wf_container_of(node, struct resolve_entry, node));
    while ((node = wf_list_pop_front(&overrides->connect_to)) != NULL)
        wf_free(wf_container_of(node, struct connect_entry, node));
    wf_free(overrides);
}

void wf_overrides_connect_to(const struct wf_overrides *overrides, const char *host, uint16_t port,
                             const char **out_host, uint16_t *out_port)
{
    *out_host = host;
    *out_port = port;
    for (struct wf_node *node = overrides->connect_to.next; node != &overrides->connect_to;
         node = node->next) {
        const struct connect_entry *entry = wf_container_of(node, struct connect_entry, node);
        if ((entry->host[0] != '\0' && strcasecmp(entry->host, host) != 0) ||
            (entry->port != 0 && entry->port != port))
            continue;
        if (entry->to_host[0] != '\0')
            *out_host = entry->to_host;
        if (entry->to_port != 0)
            *out_port = entry->to_port;
        return;
    }
}

static const struct resolve_entry *find_resolve(const struct wf_overrides *overrides,
                                                const char *host, uint16_t port)
{
    const struct resolve_entry *found = NULL;
    for (struct wf_node *node = overrides->resolve.next; node != &overrides->resolve;
         node = node->next) {
        const struct resolve_entry *entry = wf_container_of(node, struct resolve_entry, node);
        if (is_entry_of(entry, host, port))
            found = entry;
    }
    return found;
}

size_t wf_overrides_resolve(const struct wf_overrides *overrides, const char *host, uint16_t port,
                            struct wf_address out[WF_ADDRESSES_MAX])
{
    if (overrides->unix_socket.len > 0) {
        out[0] = overrides->unix_socket;
        return 1;
    }
    const struct resolve_entry *entry = find_resolve(overrides, host, port);
    if (entry == NULL)
        entry = find_resolve(overrides, "*", port);
    if (entry == NULL)
        return 0;
    memcpy(out, entry->addresses, entry->count * sizeof(out[0]));
    return entry->count;
}
