/* Answers about names for as long as their TTL says; that there is no such name, for a few seconds.
 * A bounded number: the one that was used longest ago makes room. Thread: I/O. */
#ifndef WF_IO_THREAD_NAME_CACHE_H
#define WF_IO_THREAD_NAME_CACHE_H

#include "base/list.h"
#include "io_thread/name_answer.h"

/* Names that are kept. */
#define WF_NAME_CACHE_MAX 512u
#define WF_NAME_BUCKETS   256u
/* However long a TTL is. RFC 2181 section 8 allows any cap. */
#define WF_NAME_TTL_MAX_S 3600u
/* RFC 2308 section 5 takes the time from the SOA record, which c-ares does not hand out: less than
 * any zone asks for, and enough that a storm of requests asks once. */
#define WF_NAME_NEGATIVE_TTL_S 5u

struct wf_name_cache {
    size_t count;
    struct wf_node by_use; /* the one used last is at the end */
    struct wf_node buckets[WF_NAME_BUCKETS];
};

void wf_name_cache_init(struct wf_name_cache *cache);
void wf_name_cache_fini(struct wf_name_cache *cache);

/* True: @out is what is known about @host, with the seconds that are left of its TTL. Upper and
 * lower case are the same. */
bool wf_name_cache_find(struct wf_name_cache *cache, const char *host, uint64_t now_ms,
                        struct wf_name_answer *out);
/* Keeps @answer when it is worth keeping and there is memory. */
void wf_name_cache_put(struct wf_name_cache *cache, const char *host,
                       const struct wf_name_answer *answer, uint64_t now_ms);

#endif
