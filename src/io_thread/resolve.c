#include "io_thread/resolve.h"

#include "base/assert.h"
#include "base/list.h"
#include "io_thread/bad_addresses.h"
#include "io_thread/name_cache.h"
#include "io_thread/overrides.h"
#include "io_thread/resolve_query.h"
#include "io_thread/timers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 253 /* RFC 1035 section 2.3.4, as text */

/* One question to the name servers, and everybody who waits for its answer. */
struct flight {
    struct wf_query query;
    struct wf_node node; /* resolver->flights */
    struct wf_node waiters;
    struct wf_resolver *resolver;
    char host[HOST_MAX + 2];
};

struct wf_resolver {
    struct wf_timers *timers;
    struct wf_queries *queries;
    struct wf_node flights;
    struct wf_node lookups;
    struct wf_name_cache cache;
    struct wf_resolver_setup setup;
};

struct wf_lookup {
    struct wf_resolver *resolver;
    struct wf_node node;        /* resolver->lookups */
    struct wf_node flight_node; /* flight->waiters, while its answer is awaited */
    struct wf_timer answer;     /* set when the answer is known and waits to be told */
    wf_resolve_fn *done;
    void *user;
    uint16_t port;

    struct wf_name_answer known;
    char text[192];
    char host[HOST_MAX + 2];
};

static void lookup_free(struct wf_lookup *lookup)
{
    wf_timer_cancel(&lookup->answer);
    wf_list_remove(&lookup->node);
    wf_list_remove(&lookup->flight_node);
    wf_free(lookup);
}

static void flight_free(struct flight *flight)
{
    wf_assert(wf_list_is_empty(&flight->waiters));
    wf_list_remove(&flight->node);
    wf_free(flight);
}

static void fail(struct wf_lookup *lookup, enum wf_resolve_result result, const char *why)
{
    lookup->known.result = result;
    lookup->known.why = why;
    lookup->known.count = 0;
}

static void tell_soon(struct wf_lookup *lookup)
{
    wf_timer_set(lookup->resolver->timers, &lookup->answer, 0);
}

static void add_address(struct wf_name_answer *answer, const struct sockaddr *from)
{
    struct wf_address *to = &answer->addresses[answer->count++];
    to->len = from->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    memcpy(&to->storage, from, to->len);
}

static bool answer_override(struct wf_lookup *lookup)
{
    const struct wf_overrides *overrides = lookup->resolver->setup.overrides;
    if (overrides != NULL)
        lookup->known.count =
            wf_overrides_resolve(overrides, lookup->host, lookup->port, lookup->known.addresses);
    return lookup->known.count > 0;
}

static bool answer_literal(struct wf_lookup *lookup)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, lookup->host, &in.sin_addr) == 1)
        add_address(&lookup->known, (const struct sockaddr *)&in);
    else if (inet_pton(AF_INET6, lookup->host, &in6.sin6_addr) == 1)
        add_address(&lookup->known, (const struct sockaddr *)&in6);
    return lookup->known.count > 0;
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
    add_address(&lookup->known, (const struct sockaddr *)&in6);
    add_address(&lookup->known, (const struct sockaddr *)&in);
    return true;
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

static void count(atomic_ullong *counter)
{
    /* Relaxed, and no read-modify-write: one writer, and numbers for people. */
    if (counter != NULL)
        atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                              memory_order_relaxed);
}

static bool answer_cached(struct wf_lookup *lookup)
{
    struct wf_resolver *resolver = lookup->resolver;
    if (!wf_name_cache_find(&resolver->cache, lookup->host, resolver->timers->now_ms,
                            &lookup->known))
        return false;
    count(resolver->setup.cache_hits);
    return true;
}

static void on_answer(struct wf_query *query, const struct wf_name_answer *answer)
{
    struct flight *flight = wf_container_of(query, struct flight, query);
    struct wf_resolver *resolver = flight->resolver;
    struct wf_node *node;
    wf_name_cache_put(&resolver->cache, flight->host, answer, resolver->timers->now_ms);
    while ((node = wf_list_pop_front(&flight->waiters)) != NULL) {
        struct wf_lookup *lookup = wf_container_of(node, struct wf_lookup, flight_node);
        lookup->known = *answer;
        tell_soon(lookup);
    }
    flight_free(flight);
}

static struct flight *find_flight(struct wf_resolver *resolver, const char *host)
{
    for (struct wf_node *node = resolver->flights.next; node != &resolver->flights;
         node = node->next) {
        struct flight *flight = wf_container_of(node, struct flight, node);
        if (strcasecmp(flight->host, host) == 0)
            return flight;
    }
    return NULL;
}

/* Joins those who wait for the same name, or asks. */
static void ask(struct wf_lookup *lookup)
{
    struct wf_resolver *resolver = lookup->resolver;
    struct flight *flight = find_flight(resolver, lookup->host);
    if (flight != NULL) {
        wf_list_push_back(&flight->waiters, &lookup->flight_node);
        return;
    }
    flight = wf_calloc(1, sizeof(*flight));
    if (flight == NULL) {
        fail(lookup, WF_RESOLVE_NO_MEMORY, "out of memory");
        tell_soon(lookup);
        return;
    }
    flight->resolver = resolver;
    memcpy(flight->host, lookup->host, sizeof(flight->host));
    wf_list_init(&flight->node);
    wf_list_init(&flight->waiters);
    wf_list_push_back(&resolver->flights, &flight->node);
    wf_list_push_back(&flight->waiters, &lookup->flight_node);
    count(resolver->setup.queries);
    wf_query_ask(resolver->queries, &flight->query, flight->host, on_answer);
}

static void set_port(struct wf_address *address, uint16_t port)
{
    if (address->storage.ss_family == AF_INET)
        ((struct sockaddr_in *)(void *)&address->storage)->sin_port = htons(port);
    else if (address->storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)&address->storage)->sin6_port = htons(port);
}

static void tell(struct wf_timer *timer)
{
    struct wf_lookup *lookup = wf_container_of(timer, struct wf_lookup, answer);
    struct wf_resolver *resolver = lookup->resolver;
    struct wf_name_answer *known = &lookup->known;
    for (size_t i = 0; i < known->count; i++)
        set_port(&known->addresses[i], lookup->port);
    if (resolver->setup.bad_addresses != NULL)
        wf_bad_addresses_sort(resolver->setup.bad_addresses, known->addresses, known->count,
                              resolver->timers->now_ms);
    if (known->count == 0)
        (void)snprintf(lookup->text, sizeof(lookup->text), "cannot resolve %.100s: %s",
                       lookup->host, known->why);
    const struct wf_resolution resolution = {
        .result = known->count > 0 ? WF_RESOLVE_OK : known->result,
        .count = known->count,
        .addresses = known->addresses,
        .ttl_s = known->ttl_s,
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
    resolver->timers = timers;
    resolver->queries = wf_queries_new(poller, timers);
    if (resolver->queries == NULL) {
        wf_free(resolver);
        return NULL;
    }
    wf_list_init(&resolver->flights);
    wf_list_init(&resolver->lookups);
    wf_name_cache_init(&resolver->cache);
    return resolver;
}

int wf_resolver_configure(struct wf_resolver *resolver, const char *servers, uint32_t timeout_ms,
                          uint32_t tries)
{
    return wf_queries_configure(resolver->queries, servers, timeout_ms, tries);
}

void wf_resolver_set_up(struct wf_resolver *resolver, const struct wf_resolver_setup *setup)
{
    resolver->setup = *setup;
}

void wf_resolver_free(struct wf_resolver *resolver)
{
    if (resolver == NULL)
        return;
    wf_queries_free(resolver->queries);
    struct wf_node *node;
    while ((node = wf_list_first(&resolver->lookups)) != NULL)
        lookup_free(wf_container_of(node, struct wf_lookup, node));
    while ((node = wf_list_first(&resolver->flights)) != NULL)
        flight_free(wf_container_of(node, struct flight, node));
    wf_name_cache_fini(&resolver->cache);
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
    lookup->known.ttl_s = UINT32_MAX;
    lookup->known.why = "";
    wf_timer_init(&lookup->answer, tell);
    wf_list_init(&lookup->node);
    wf_list_init(&lookup->flight_node);
    wf_list_push_back(&resolver->lookups, &lookup->node);

    if (resolver->setup.overrides != NULL)
        wf_overrides_connect_to(resolver->setup.overrides, host, port, &host, &lookup->port);
    int len = snprintf(lookup->host, sizeof(lookup->host), "%s", host);
    bool fits = len > 0 && (size_t)len < sizeof(lookup->host);
    if (answer_override(lookup) || (fits && (answer_literal(lookup) || answer_localhost(lookup)))) {
        tell_soon(lookup);
    } else if (!fits || !is_plausible_name(host)) {
        fail(lookup, WF_RESOLVE_BAD_NAME, "it cannot be a host name");
        tell_soon(lookup);
    } else if (answer_cached(lookup)) {
        tell_soon(lookup);
    } else {
        ask(lookup);
    }
    return lookup;
}

void wf_lookup_cancel(struct wf_lookup *lookup)
{
    /* The question goes on without it: the next one who asks may find the answer. */
    if (lookup != NULL)
        lookup_free(lookup);
}
