/* Names to addresses without blocking. Thread: I/O, all of it.
 *
 * In this order: what the configuration says (overrides.h), IPv4 and IPv6 literals, localhost, what
 * the cache knows, the hosts file, the name servers. However many ask for a name at once, the
 * servers are asked once. Addresses that failed not long ago come behind the others.
 * The answer always comes later, out of wf_timers_advance(), never from inside wf_resolve():
 * there is one order of events whoever answers. Each lookup ends in exactly one callback unless it
 * is cancelled or its resolver is freed; then in none. */
#ifndef WF_IO_THREAD_RESOLVE_H
#define WF_IO_THREAD_RESOLVE_H

#include "base/alloc.h"
#include "io_thread/address.h"

#include <stdatomic.h>
#include <stdint.h>

struct wf_bad_addresses;
struct wf_overrides;
struct wf_poller;
struct wf_timers;
struct wf_resolver;
struct wf_lookup;

/* Unless configured: what a name server may take to answer the first time, and how often each is
 * asked. */
#define WF_RESOLVE_TIMEOUT_MS 1500
#define WF_RESOLVE_TRIES      3

enum wf_resolve_result {
    WF_RESOLVE_OK,
    WF_RESOLVE_NOT_FOUND, /* there is no such name, or it has no address */
    WF_RESOLVE_NO_SERVER, /* no name server answered, or each refused to */
    WF_RESOLVE_TIMEOUT,
    WF_RESOLVE_BAD_NAME, /* cannot be a host name */
    WF_RESOLVE_NO_MEMORY,
    WF_RESOLVE_FAILED /* anything else: text has it */
};

/* Borrowed for the callback. */
struct wf_resolution {
    enum wf_resolve_result result;
    /* The families alternate (RFC 8305 section 4); at most WF_ADDRESSES_MAX; 0 unless the result is
     * OK. */
    size_t count;
    const struct wf_address *addresses;
    uint32_t ttl_s;   /* the lowest of the answer's; UINT32_MAX for a literal and localhost */
    const char *text; /* one sentence without its full stop; "" when OK */
};

/* The lookup is over and its handle dead; the callback may start others and free the resolver. */
typedef void wf_resolve_fn(void *user, const struct wf_resolution *resolution);

/* NULL: out of memory. c-ares itself starts with the first name that needs it. */
WF_MUST_USE struct wf_resolver *wf_resolver_new(struct wf_poller *poller, struct wf_timers *timers);
/* Lookups in flight end without a callback. NULL is a no-op. */
void wf_resolver_free(struct wf_resolver *resolver);

/* In place of what the system says: name servers ("127.0.0.1:5353,[::1]", NULL: the system's), how
 * long one of them may take to answer the first time, and how often each is asked. Before the first
 * lookup. 0, or ENOMEM. What cannot be parsed as a list of servers fails the lookups. */
WF_MUST_USE int wf_resolver_configure(struct wf_resolver *resolver, const char *servers,
                                      uint32_t timeout_ms, uint32_t tries);

/* What a resolver works with besides; each may be NULL, and all outlive it. */
struct wf_resolver_setup {
    const struct wf_overrides *overrides;
    const struct wf_bad_addresses *bad_addresses;
    atomic_ullong *queries;    /* counts what was asked of the hosts file and the servers */
    atomic_ullong *cache_hits; /* counts what was not, because the answer was known */
};
/* Before the first lookup. */
void wf_resolver_set_up(struct wf_resolver *resolver, const struct wf_resolver_setup *setup);

/* @host: a name, or a literal (IPv6 without brackets); copied. @port in host order.
 * NULL: out of memory, and nothing will be called. */
WF_MUST_USE struct wf_lookup *wf_resolve(struct wf_resolver *resolver, const char *host,
                                         uint16_t port, wf_resolve_fn *done, void *user);
/* The callback will not be called; the handle is dead. NULL is a no-op. */
void wf_lookup_cancel(struct wf_lookup *lookup);

#endif
