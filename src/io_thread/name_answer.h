/* What is known about a name: its addresses, or why it has none. A plain value. */
#ifndef WF_IO_THREAD_NAME_ANSWER_H
#define WF_IO_THREAD_NAME_ANSWER_H

#include "io_thread/address.h"
#include "io_thread/resolve.h"

struct wf_name_answer {
    enum wf_resolve_result result;
    uint32_t ttl_s;  /* the lowest of all records that led here; 0: not to be kept */
    const char *why; /* static text; "" when OK */
    size_t count;
    struct wf_address addresses[WF_ADDRESSES_MAX]; /* of port 0 */
};

#endif
