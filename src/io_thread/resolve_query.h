/* One question to the hosts file and the name servers: c-ares on the poller and the timers.
 * Thread: I/O, all of it. For resolve.c. */
#ifndef WF_IO_THREAD_RESOLVE_QUERY_H
#define WF_IO_THREAD_RESOLVE_QUERY_H

#include "base/alloc.h"
#include "io_thread/name_answer.h"

struct wf_poller;
struct wf_timers;
struct wf_queries;
struct wf_query;

/* The query is over; its memory is its owner's again. @answer is borrowed. */
typedef void wf_query_fn(struct wf_query *query, const struct wf_name_answer *answer);

/* Embedded in whatever waits. */
struct wf_query {
    struct wf_queries *queries;
    wf_query_fn *done;
};

/* NULL: out of memory. c-ares itself starts with the first query. */
WF_MUST_USE struct wf_queries *wf_queries_new(struct wf_poller *poller, struct wf_timers *timers);
/* Queries in flight are over, and nobody is called. NULL is a no-op. */
void wf_queries_free(struct wf_queries *queries);
/* As wf_resolver_configure() says. */
WF_MUST_USE int wf_queries_configure(struct wf_queries *queries, const char *servers,
                                     uint32_t timeout_ms, uint32_t tries);
/* @done is called once, perhaps from inside. @host stays until then. */
void wf_query_ask(struct wf_queries *queries, struct wf_query *query, const char *host,
                  wf_query_fn *done);

#endif
