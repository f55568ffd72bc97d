#include "io_thread/resolve.h"

#include "base/assert.h"
#include "base/list.h"
#include "io_thread/poller.h"
#include "io_thread/timers.h"

#include <ares.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#define HOST_MAX           253 /* RFC 1035 section 2.3.4, as text */
#define DEFAULT_TIMEOUT_MS 1500
#define DEFAULT_TRIES      3

/* A socket of c-ares. */
struct ares_source {
    struct wf_poll_source source;
    struct wf_node node; /* resolver->sources */
    struct wf_resolver *resolver;
};

struct wf_resolver {
    struct wf_poller *poller;
    struct wf_timers *timers;
    struct wf_timer timer; /* c-ares' next retry or timeout */
    struct wf_node sources;
    struct wf_node lookups;
    ares_channel channel;
    bool started;
    bool closing;
    char *servers;
    uint32_t timeout_ms;
    uint32_t tries;
};

struct wf_lookup {
    struct wf_resolver *resolver;
    struct wf_node node;    /* resolver->lookups */
    struct wf_timer answer; /* set when the answer is known and waits to be told */
    wf_resolve_fn *done;
    void *user;
    uint16_t port;
    bool asking;    /* c-ares holds a pointer to this lookup and will call back */
    bool cancelled; /* nobody waits; goes when c-ares lets go */

    enum wf_resolve_result result;
    size_t count;
    uint32_t ttl_s;
    struct wf_address addresses[WF_ADDRESSES_MAX];
    char text[192];
    char host[HOST_MAX + 2];
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;

static void library_init(void)
{
    library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

static void lookup_free(struct wf_lookup *lookup)
{
    wf_timer_cancel(&lookup->answer);
    wf_list_remove(&lookup->node);
    wf_free(lookup);
}

static void lookup_fail(struct wf_lookup *lookup, enum wf_resolve_result result, const char *why)
{
    lookup->result = result;
    (void)snprintf(lookup->text, sizeof(lookup->text), "cannot resolve %.100s: %s", lookup->host,
                   why);
}

static void add_address(struct wf_lookup *lookup, const struct sockaddr *from)
{
    struct wf_address *to = &lookup->addresses[lookup->count++];
    if (from->sa_family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)&to->storage;
        memcpy(in, from, sizeof(*in));
        in->sin_port = htons(lookup->port);
        to->len = sizeof(*in);
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&to->storage;
        memcpy(in6, from, sizeof(*in6));
        in6->sin6_port = htons(lookup->port);
        to->len = sizeof(*in6);
    }
}

static bool answer_literal(struct wf_lookup *lookup)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, lookup->host, &in.sin_addr) == 1)
        add_address(lookup, (const struct sockaddr *)&in);
    else if (inet_pton(AF_INET6, lookup->host, &in6.sin6_addr) == 1)
        add_address(lookup, (const struct sockaddr *)&in6);
    return lookup->count > 0;
}

/* RFC 6761 section 6.3: localhost and what ends in it is the loopback, whoever else would answer.
 */
static bool answer_localhost(struct wf_lookup *lookup)
{
    static const char name[] = "localhost";
    size_t len = strlen(lookup->host);
    size_t name_len = sizeof(name) - 1;
    if (len > 0 && lookup->host[len - 1] == '.')
        len--;
    if (len < name_len || strncasecmp(lookup->host + len - name_len, name, name_len) != 0 ||
        (len > name_len && lookup->host[len - name_len - 1] != '.'))
        return false;
    const struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct sockaddr_in in = {.sin_family = AF_INET,
                                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    add_address(lookup, (const struct sockaddr *)&in6);
    add_address(lookup, (const struct sockaddr *)&in);
    return true;
}

static const struct ares_addrinfo_node *next_of(const struct ares_addrinfo_node *node, int family,
                                                bool same)
{
    while (node != NULL && ((node->ai_family == family) != same ||
                            (node->ai_family != AF_INET && node->ai_family != AF_INET6)))
        node = node->ai_next;
    return node;
}

/* c-ares sorts by RFC 6724; the family it prefers comes first, then they take turns (RFC 8305
 * section 4). */
static void take_addresses(struct wf_lookup *lookup, const struct ares_addrinfo_node *nodes)
{
    if (nodes == NULL)
        return;
    int family = nodes->ai_family;
    const struct ares_addrinfo_node *turn[2] = {next_of(nodes, family, true),
                                                next_of(nodes, family, false)};
    size_t whose = 0;
    while ((turn[0] != NULL || turn[1] != NULL) && lookup->count < WF_ADDRESSES_MAX) {
        const struct ares_addrinfo_node *node = turn[whose];
        if (node != NULL) {
            uint32_t ttl = node->ai_ttl > 0 ? (uint32_t)node->ai_ttl : 0;
            lookup->ttl_s = ttl < lookup->ttl_s ? ttl : lookup->ttl_s;
            add_address(lookup, node->ai_addr);
            turn[whose] = next_of(node->ai_next, family, whose == 0);
        }
        whose = 1 - whose;
    }
}

static void take_failure(struct wf_lookup *lookup, int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
        lookup_fail(lookup, WF_RESOLVE_NOT_FOUND, "there is no such name");
        break;
    case ARES_SUCCESS:
    case ARES_ENODATA:
        lookup_fail(lookup, WF_RESOLVE_NOT_FOUND, "the name has no address");
        break;
    case ARES_ECONNREFUSED:
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
    case ARES_ENOTIMP:
    case ARES_EFORMERR:
    case ARES_EBADRESP:
    case ARES_EOF:
        lookup_fail(lookup, WF_RESOLVE_NO_SERVER, "no name server gave an answer");
        break;
    case ARES_ETIMEOUT:
        lookup_fail(lookup, WF_RESOLVE_TIMEOUT, "the name servers did not answer in time");
        break;
    case ARES_EBADNAME:
        lookup_fail(lookup, WF_RESOLVE_BAD_NAME, "it cannot be a host name");
        break;
    case ARES_ENOMEM:
        lookup_fail(lookup, WF_RESOLVE_NO_MEMORY, "out of memory");
        break;
    default:
        lookup_fail(lookup, WF_RESOLVE_FAILED, ares_strerror(status));
        break;
    }
}

static void on_answer(void *user, int status, int timeouts, struct ares_addrinfo *info)
{
    struct wf_lookup *lookup = user;
    (void)timeouts;
    lookup->asking = false;
    if (!lookup->cancelled && !lookup->resolver->closing) {
        if (status == ARES_SUCCESS && info != NULL)
            take_addresses(lookup, info->nodes);
        if (lookup->count == 0)
            take_failure(lookup, status);
        wf_timer_set(lookup->resolver->timers, &lookup->answer, 0);
    }
    if (info != NULL)
        ares_freeaddrinfo(info);
    if (lookup->cancelled || lookup->resolver->closing)
        lookup_free(lookup);
}

/* c-ares keeps its own clock, so what it says is an interval from now. */
static void arm(struct wf_resolver *resolver)
{
    struct timeval room;
    const struct timeval *wait = ares_timeout(resolver->channel, NULL, &room);
    uint64_t when_ms = WF_TIMER_NONE;
    if (wait != NULL)
        when_ms = resolver->timers->now_ms + (uint64_t)wait->tv_sec * 1000 +
                  (uint64_t)wait->tv_usec / 1000 + 1;
    wf_timer_set(resolver->timers, &resolver->timer, when_ms);
}

static void on_timer(struct wf_timer *timer)
{
    struct wf_resolver *resolver = wf_container_of(timer, struct wf_resolver, timer);
    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(resolver);
}

static void on_socket_ready(struct wf_poll_source *source, uint32_t epoll_events)
{
    struct ares_source *it = wf_container_of(source, struct ares_source, source);
    struct wf_resolver *resolver = it->resolver;
    int fd = source->fd;
    bool readable = (epoll_events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    bool writable = (epoll_events & EPOLLOUT) != 0;
    /* This may close the socket and so free the source. */
    ares_process_fd(resolver->channel, readable ? fd : ARES_SOCKET_BAD,
                    writable ? fd : ARES_SOCKET_BAD);
    arm(resolver);
}

static struct ares_source *find_source(struct wf_resolver *resolver, int fd)
{
    struct wf_node *node = resolver->sources.next;
    for (; node != &resolver->sources; node = node->next) {
        struct ares_source *it = wf_container_of(node, struct ares_source, node);
        if (it->source.fd == fd)
            return it;
    }
    return NULL;
}

static void drop_source(struct wf_resolver *resolver, struct ares_source *it)
{
    wf_poller_remove(resolver->poller, &it->source);
    wf_list_remove(&it->node);
    wf_free(it);
}

/* Level-triggered, unlike all other sources: c-ares does not promise to read until there is nothing
 * left. A socket that cannot be added is never ready, and its query ends in a timeout. */
static void on_socket_state(void *user, ares_socket_t fd, int readable, int writable)
{
    struct wf_resolver *resolver = user;
    uint32_t events = (readable ? (uint32_t)EPOLLIN : 0) | (writable ? (uint32_t)EPOLLOUT : 0);
    struct ares_source *it = find_source(resolver, fd);
    if (it != NULL) {
        if (events == 0 || wf_poller_modify(resolver->poller, &it->source, events) != 0)
            drop_source(resolver, it);
        return;
    }
    if (events == 0 || (it = wf_calloc(1, sizeof(*it))) == NULL)
        return;
    wf_poll_source_init(&it->source, fd, on_socket_ready);
    it->resolver = resolver;
    wf_list_init(&it->node);
    if (wf_poller_add(resolver->poller, &it->source, events) != 0)
        wf_free(it);
    else
        wf_list_push_back(&resolver->sources, &it->node);
}

/* Reads the system's configuration; put off until a name needs it. */
static int start(struct wf_resolver *resolver)
{
    if (resolver->started)
        return ARES_SUCCESS;
    (void)pthread_once(&library_once, library_init);
    if (library_status != ARES_SUCCESS)
        return library_status;
    char lookups[] = "fb"; /* the hosts file, then the name servers */
    struct ares_options options = {.timeout = (int)resolver->timeout_ms,
                                   .tries = (int)resolver->tries,
                                   .lookups = lookups,
                                   .sock_state_cb = on_socket_state,
                                   .sock_state_cb_data = resolver};
    int status = ares_init_options(&resolver->channel, &options,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                       ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS)
        return status;
    if (resolver->servers != NULL)
        status = ares_set_servers_ports_csv(resolver->channel, resolver->servers);
    if (status != ARES_SUCCESS) {
        ares_destroy(resolver->channel);
        return status;
    }
    resolver->started = true;
    return ARES_SUCCESS;
}

static bool is_plausible_name(const char *host)
{
    size_t len = strlen(host);
    for (size_t i = 0; i < len; i++) {
        if (host[i] <= ' ' || host[i] > '~')
            return false;
    }
    return len > 0 && host[0] != '.';
}

static void ask(struct wf_lookup *lookup)
{
    struct wf_resolver *resolver = lookup->resolver;
    int status = start(resolver);
    if (status != ARES_SUCCESS) {
        take_failure(lookup, status);
        wf_timer_set(resolver->timers, &lookup->answer, 0);
        return;
    }
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    lookup->asking = true;
    ares_getaddrinfo(resolver->channel, lookup->host, NULL, &hints, on_answer, lookup);
    arm(resolver);
}

static void tell(struct wf_timer *timer)
{
    struct wf_lookup *lookup = wf_container_of(timer, struct wf_lookup, answer);
    const struct wf_resolution resolution = {
        .result = lookup->count > 0 ? WF_RESOLVE_OK : lookup->result,
        .count = lookup->count,
        .addresses = lookup->addresses,
        .ttl_s = lookup->ttl_s,
        .text = lookup->text,
    };
    wf_list_remove(&lookup->node);
    lookup->done(lookup->user, &resolution);
    wf_free(lookup);
}

struct wf_resolver *wf_resolver_new(struct wf_poller *poller, struct wf_timers *timers)
{
    struct wf_resolver *resolver = wf_calloc(1, sizeof(*resolver));
    if (resolver == NULL)
        return NULL;
    resolver->poller = poller;
    resolver->timers = timers;
    resolver->timeout_ms = DEFAULT_TIMEOUT_MS;
    resolver->tries = DEFAULT_TRIES;
    wf_timer_init(&resolver->timer, on_timer);
    wf_list_init(&resolver->sources);
    wf_list_init(&resolver->lookups);
    return resolver;
}

int wf_resolver_configure(struct wf_resolver *resolver, const char *servers, uint32_t timeout_ms,
                          uint32_t tries)
{
    wf_assert(!resolver->started);
    resolver->timeout_ms = timeout_ms;
    resolver->tries = tries;
    wf_free(resolver->servers);
    resolver->servers = NULL;
    if (servers == NULL)
        return 0;
    size_t len = strlen(servers) + 1;
    resolver->servers = wf_alloc(len);
    if (resolver->servers == NULL)
        return ENOMEM;
    memcpy(resolver->servers, servers, len);
    return 0;
}

void wf_resolver_free(struct wf_resolver *resolver)
{
    if (resolver == NULL)
        return;
    resolver->closing = true;
    if (resolver->started)
        ares_destroy(resolver->channel);
    struct wf_node *node;
    while ((node = wf_list_first(&resolver->lookups)) != NULL)
        lookup_free(wf_container_of(node, struct wf_lookup, node));
    while ((node = wf_list_first(&resolver->sources)) != NULL)
        drop_source(resolver, wf_container_of(node, struct ares_source, node));
    wf_timer_cancel(&resolver->timer);
    wf_free(resolver->servers);
    wf_free(resolver);
}

struct wf_lookup *wf_resolve(struct wf_resolver *resolver, const char *host, uint16_t port,
                             wf_resolve_fn *done, void *user)
{
    struct wf_lookup *lookup = wf_calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        return NULL;
    lookup->resolver = resolver;
    lookup->done = done;
    lookup->user = user;
    lookup->port = port;
    lookup->ttl_s = UINT32_MAX;
    wf_timer_init(&lookup->answer, tell);
    wf_list_init(&lookup->node);
    wf_list_push_back(&resolver->lookups, &lookup->node);

    int len = snprintf(lookup->host, sizeof(lookup->host), "%s", host);
    bool fits = len > 0 && (size_t)len < sizeof(lookup->host);
    if (fits && !answer_literal(lookup) && !answer_localhost(lookup) && is_plausible_name(host)) {
        ask(lookup);
        return lookup;
    }
    if (lookup->count == 0)
        lookup_fail(lookup, WF_RESOLVE_BAD_NAME, "it cannot be a host name");
    wf_timer_set(resolver->timers, &lookup->answer, 0);
    return lookup;
}

void wf_lookup_cancel(struct wf_lookup *lookup)
{
    if (lookup == NULL)
        return;
    lookup->cancelled = true;
    if (!lookup->asking)
        lookup_free(lookup);
}
