/* Addresses at which something took connections and then fell silent. For a while they go to the
 * end of the addresses of a name, so that a healthy one takes over. Thread: I/O. */
#ifndef WF_IO_THREAD_SHUNNED_H
#define WF_IO_THREAD_SHUNNED_H

#include "io_thread/address.h"

#include <stdint.h>

#define WF_SHUNNED_MAX 16u /* the oldest is forgotten for the next */
#define WF_SHUN_MS     60000u

struct wf_shunned {
    struct wf_shunned_address {
        struct wf_address address; /* len 0: none */
        uint64_t until_ms;
    } addresses[WF_SHUNNED_MAX];
    unsigned next;
};

/* All zero is an empty one. @address without length is none and is not kept. */
void wf_shun(struct wf_shunned *shunned, const struct wf_address *address, uint64_t now_ms);

/* Copies @count addresses, at most WF_ADDRESSES_MAX, in their order but for those that are shunned,
 * which come last. Returns how many. */
size_t wf_shunned_last(const struct wf_shunned *shunned, const struct wf_address *addresses,
                       size_t count, uint64_t now_ms, struct wf_address *out_addresses);

#endif
