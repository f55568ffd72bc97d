/* Addresses that failed not long ago: refused, did not answer, or took a connection and fell
 * silent. They are still tried, behind the others, so that a healthy one takes over and a dead one
 * costs its time-out once. That one accepts a connection again proves nothing: the kernel accepts
 * for a stopped process. A plain value; a bounded number: the oldest failure is forgotten first.
 * Thread: I/O. */
#ifndef WF_IO_THREAD_BAD_ADDRESSES_H
#define WF_IO_THREAD_BAD_ADDRESSES_H

#include "io_thread/address.h"

#include <stdbool.h>
#include <stdint.h>

#define WF_BAD_ADDRESSES_MAX 64u
/* How long a failure counts. */
#define WF_BAD_ADDRESS_MS 60000u

struct wf_bad_addresses {
    size_t count;
    struct {
        struct wf_address address;
        uint64_t until_ms;
    } list[WF_BAD_ADDRESSES_MAX]; /* the latest failure at the end */
};

/* @address, port included, has failed. Without a length it is none and is not kept. */
void wf_bad_addresses_note(struct wf_bad_addresses *bad, const struct wf_address *address,
                           uint64_t now_ms);
bool wf_bad_addresses_has(const struct wf_bad_addresses *bad, const struct wf_address *address,
                          uint64_t now_ms);
/* Moves those that failed behind the others; otherwise the order stays. */
void wf_bad_addresses_sort(const struct wf_bad_addresses *bad, struct wf_address *addresses,
                           size_t count, uint64_t now_ms);

#endif
