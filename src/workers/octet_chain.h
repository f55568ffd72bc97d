/* Octets on their way from one thread to another: a chain of chunks that a producer fills and a
 * consumer empties, without a lock. What comes in small pieces shares a chunk, so that what waits
 * costs memory in proportion to its octets, whatever the pieces were.
 *
 * The chain has no bound: who appends keeps to one.
 *
 * | may overlap             | append | read, peek, advance      |
 * | append                  | no     | yes                      |
 * | read, peek, advance     | yes    | no: one consumer         | */
#ifndef WF_WORKERS_OCTET_CHAIN_H
#define WF_WORKERS_OCTET_CHAIN_H

#include "base/alloc.h"
#include "base/slice.h"

#include <stdatomic.h>

struct wf_octet_chunk;

struct wf_octet_chain {
    /* Producer only. */
    struct wf_octet_chunk *tail;
    size_t chunk_max; /* octets in one chunk, at most; what peek shows at once */

    /* Consumer only. */
    struct wf_octet_chunk *head;
    size_t head_read; /* octets of the head chunk that were taken */
};

/* False: out of memory. */
WF_MUST_USE bool wf_octet_chain_init(struct wf_octet_chain *chain, size_t chunk_max);
/* When neither end is used any more. */
void wf_octet_chain_fini(struct wf_octet_chain *chain);

/* False: out of memory, nothing was taken. Thread: producer. */
WF_MUST_USE bool wf_octet_chain_append(struct wf_octet_chain *chain, struct wf_slice octets);

/* Room for at most *@len octets behind what was appended, for who makes them in place: *@len
 * becomes how many fit. NULL: out of memory. Thread: producer. */
WF_MUST_USE uint8_t *wf_octet_chain_room(struct wf_octet_chain *chain, size_t *len);
/* The first @len octets of the last room were written. Thread: producer. */
void wf_octet_chain_wrote(struct wf_octet_chain *chain, size_t len);

/* Copies up to @cap octets out and takes them; 0: nothing is there now. Thread: consumer. */
size_t wf_octet_chain_read(struct wf_octet_chain *chain, void *buf, size_t cap);

/* The next octets that lie in one piece; empty: nothing is there now. They stay where they are
 * until they are taken by wf_octet_chain_advance(), in one step or several. Thread: consumer. */
struct wf_slice wf_octet_chain_peek(struct wf_octet_chain *chain);
/* Takes @len octets, no more than the last peek showed. Thread: consumer. */
void wf_octet_chain_advance(struct wf_octet_chain *chain, size_t len);

#endif
