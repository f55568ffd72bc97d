#include "io_thread/resolve_query.h"

#include "base/assert.h"
#include "base/list.h"
#include "io_thread/poller.h"
#include "io_thread/timers.h"

#include <ares.h>

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/time.h>

/* A socket of c-ares. */
struct ares_source {
    struct wf_poll_source source;
    struct wf_node node; /* queries->sources */
    struct wf_queries *queries;
};

struct wf_queries {
    struct wf_poller *poller;
    struct wf_timers *timers;
    struct wf_timer timer; /* c-ares' next retry or timeout */
    struct wf_node sources;
    ares_channel channel;
    bool started;
    bool closing;
    char *servers;
    uint32_t timeout_ms;
    uint32_t tries;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;

static void library_init(void)
{
    library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

static void add_address(struct wf_name_answer *answer, const struct sockaddr *from)
{
    struct wf_address *to = &answer->addresses[answer->count++];
    to->len = from->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    memset(&to->storage, 0, sizeof(to->storage));
    memcpy(&to->storage, from, to->len);
}

static void lower_ttl(struct wf_name_answer *answer, int ttl)
{
    uint32_t ttl_s = ttl > 0 ? (uint32_t)ttl : 0;
    answer->ttl_s = ttl_s < answer->ttl_s ? ttl_s : answer->ttl_s;
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
static void take_addresses(struct wf_name_answer *answer, const struct ares_addrinfo_node *nodes)
{
    if (nodes == NULL)
        return;
    int family = nodes->ai_family;
    const struct ares_addrinfo_node *turn[2] = {next_of(nodes, family, true),
                                                next_of(nodes, family, false)};
    size_t whose = 0;
    while ((turn[0] != NULL || turn[1] != NULL) && answer->count < WF_ADDRESSES_MAX) {
        const struct ares_addrinfo_node *node = turn[whose];
        if (node != NULL) {
            lower_ttl(answer, node->ai_ttl);
            add_address(answer, node->ai_addr);
            turn[whose] = next_of(node->ai_next, family, whose == 0);
        }
        whose = 1 - whose;
    }
}

static void fail(struct wf_name_answer *answer, enum wf_resolve_result result, const char *why)
{
    answer->result = result;
    answer->why = why;
}

static void take_failure(struct wf_name_answer *answer, int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
        fail(answer, WF_RESOLVE_NOT_FOUND, "there is no such name");
        break;
    case ARES_SUCCESS:
    case ARES_ENODATA:
        fail(answer, WF_RESOLVE_NOT_FOUND, "the name has no address");
        break;
    case ARES_ECONNREFUSED:
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
    case ARES_ENOTIMP:
    case ARES_EFORMERR:
    case ARES_EBADRESP:
    case ARES_EOF:
        fail(answer, WF_RESOLVE_NO_SERVER, "no name server gave an answer");
        break;
    case ARES_ETIMEOUT:
        fail(answer, WF_RESOLVE_TIMEOUT, "the name servers did not answer in time");
        break;
    case ARES_EBADNAME:
        fail(answer, WF_RESOLVE_BAD_NAME, "it cannot be a host name");
        break;
    case ARES_ENOMEM:
        fail(answer, WF_RESOLVE_NO_MEMORY, "out of memory");
        break;
    default:
        fail(answer, WF_RESOLVE_FAILED, ares_strerror(status));
        break;
    }
}

static void on_answer(void *user, int status, int timeouts, struct ares_addrinfo *info)
{
    struct wf_query *query = user;
    struct wf_name_answer answer = {.result = WF_RESOLVE_OK, .ttl_s = UINT32_MAX, .why = ""};
    (void)timeouts;
    if (status == ARES_SUCCESS && info != NULL) {
        take_addresses(&answer, info->nodes);
        for (const struct ares_addrinfo_cname *cname = info->cnames; cname != NULL;
             cname = cname->next)
            lower_ttl(&answer, cname->ttl);
    }
    if (answer.count == 0)
        take_failure(&answer, status);
    if (info != NULL)
        ares_freeaddrinfo(info);
    if (!query->queries->closing)
        query->done(query, &answer);
}

/* c-ares keeps its own clock, so what it says is an interval from now. */
static void arm(struct wf_queries *queries)
{
    struct timeval room;
    const struct timeval *wait = ares_timeout(queries->channel, NULL, &room);
    uint64_t when_ms = WF_TIMER_NONE;
    if (wait != NULL)
        when_ms = queries->timers->now_ms + (uint64_t)wait->tv_sec * 1000 +
                  (uint64_t)wait->tv_usec / 1000 + 1;
    wf_timer_set(queries->timers, &queries->timer, when_ms);
}

static void on_timer(struct wf_timer *timer)
{
    struct wf_queries *queries = wf_container_of(timer, struct wf_queries, timer);
    ares_process_fd(queries->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(queries);
}

static void on_socket_ready(struct wf_poll_source *source, uint32_t epoll_events)
{
    struct ares_source *it = wf_container_of(source, struct ares_source, source);
    struct wf_queries *queries = it->queries;
    int fd = source->fd;
    bool readable = (epoll_events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    bool writable = (epoll_events & EPOLLOUT) != 0;
    /* This may close the socket and so free the source. */
    ares_process_fd(queries->channel, readable ? fd : ARES_SOCKET_BAD,
                    writable ? fd : ARES_SOCKET_BAD);
    arm(queries);
}

static struct ares_source *find_source(struct wf_queries *queries, int fd)
{
    struct wf_node *node = queries->sources.next;
    for (; node != &queries->sources; node = node->next) {
        struct ares_source *it = wf_container_of(node, struct ares_source, node);
        if (it->source.fd == fd)
            return it;
    }
    return NULL;
}

static void drop_source(struct wf_queries *queries, struct ares_source *it)
{
    wf_poller_remove(queries->poller, &it->source);
    wf_list_remove(&it->node);
    wf_free(it);
}

/* Level-triggered, unlike all other sources: c-ares does not promise to read until there is nothing
 * left. A socket that cannot be added is never ready, and its query ends in a timeout. */
static void on_socket_state(void *user, ares_socket_t fd, int readable, int writable)
{
    struct wf_queries *queries = user;
    uint32_t events = (readable ? (uint32_t)EPOLLIN : 0) | (writable ? (uint32_t)EPOLLOUT : 0);
    struct ares_source *it = find_source(queries, fd);
    if (it != NULL) {
        if (events == 0 || wf_poller_modify(queries->poller, &it->source, events) != 0)
            drop_source(queries, it);
        return;
    }
    if (events == 0 || (it = wf_calloc(1, sizeof(*it))) == NULL)
        return;
    wf_poll_source_init(&it->source, fd, on_socket_ready);
    it->queries = queries;
    wf_list_init(&it->node);
    if (wf_poller_add(queries->poller, &it->source, events) != 0)
        wf_free(it);
    else
        wf_list_push_back(&queries->sources, &it->node);
}

/* Reads the system's configuration; put off until a name needs it. */
static int start(struct wf_queries *queries)
{
    if (queries->started)
        return ARES_SUCCESS;
    (void)pthread_once(&library_once, library_init);
    if (library_status != ARES_SUCCESS)
        return library_status;
    char lookups[] = "fb"; /* the hosts file, then the name servers */
    struct ares_options options = {.timeout = (int)queries->timeout_ms,
                                   .tries = (int)queries->tries,
                                   .lookups = lookups,
                                   .sock_state_cb = on_socket_state,
                                   .sock_state_cb_data = queries};
    int status = ares_init_options(&queries->channel, &options,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                       ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS)
        return status;
    if (queries->servers != NULL)
        status = ares_set_servers_ports_csv(queries->channel, queries->servers);
    if (status != ARES_SUCCESS) {
        ares_destroy(queries->channel);
        return status;
    }
    queries->started = true;
    return ARES_SUCCESS;
}

void wf_query_ask(struct wf_queries *queries, struct wf_query *query, const char *host,
                  wf_query_fn *done)
{
    query->queries = queries;
    query->done = done;
    int status = start(queries);
    if (status != ARES_SUCCESS) {
        struct wf_name_answer answer = {.count = 0};
        take_failure(&answer, status);
        done(query, &answer);
        return;
    }
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    ares_getaddrinfo(queries->channel, host, NULL, &hints, on_answer, query);
    arm(queries);
}

struct wf_queries *wf_queries_new(struct wf_poller *poller, struct wf_timers *timers)
{
    struct wf_queries *queries = wf_calloc(1, sizeof(*queries));
    if (queries == NULL)
        return NULL;
    queries->poller = poller;
    queries->timers = timers;
    queries->timeout_ms = WF_RESOLVE_TIMEOUT_MS;
    queries->tries = WF_RESOLVE_TRIES;
    wf_timer_init(&queries->timer, on_timer);
    wf_list_init(&queries->sources);
    return queries;
}

int wf_queries_configure(struct wf_queries *queries, const char *servers, uint32_t timeout_ms,
                         uint32_t tries)
{
    wf_assert(!queries->started);
    queries->timeout_ms = timeout_ms;
    queries->tries = tries;
    wf_free(queries->servers);
    queries->servers = NULL;
    if (servers == NULL)
        return 0;
    size_t len = strlen(servers) + 1;
    queries->servers = wf_alloc(len);
    if (queries->servers == NULL)
        return ENOMEM;
    memcpy(queries->servers, servers, len);
    return 0;
}

void wf_queries_free(struct wf_queries *queries)
{
    if (queries == NULL)
        return;
    queries->closing = true;
    if (queries->started)
        ares_destroy(queries->channel);
    struct wf_node *node;
    while ((node = wf_list_first(&queries->sources)) != NULL)
        drop_source(queries, wf_container_of(node, struct ares_source, node));
    wf_timer_cancel(&queries->timer);
    wf_free(queries->servers);
    wf_free(queries);
}
