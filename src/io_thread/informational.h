/* The informational (1xx) responses of one exchange, in the order in which they came. The I/O
 * thread appends, anybody reads: what was published never changes. The session bounds their number.
 */
#ifndef WF_IO_THREAD_INFORMATIONAL_H
#define WF_IO_THREAD_INFORMATIONAL_H

#include "message/response.h"

#include <stdatomic.h>

struct wf_informational {
    struct wf_informational *next;
    struct wf_response response; /* status and head */
};

struct wf_informational_list {
    atomic_uint count; /* of those that may be read */
    struct wf_informational *first;
    struct wf_informational *last;
};

void wf_informational_init(struct wf_informational_list *list);
void wf_informational_fini(struct wf_informational_list *list, struct wf_pool *pool);
/* False: out of memory, nothing was appended. Thread: I/O. */
WF_MUST_USE bool wf_informational_append(struct wf_informational_list *list, struct wf_pool *pool,
                                         uint16_t status, const struct wf_field_section *section);
/* NULL: there are not so many. Thread: any. */
const struct wf_response *wf_informational_at(struct wf_informational_list *list, size_t index);

#endif
