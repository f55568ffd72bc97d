/* A message to an I/O thread: an origin is to have its connections before the first request. */
#ifndef WF_IO_THREAD_PRECONNECT_H
#define WF_IO_THREAD_PRECONNECT_H

#include "io_thread/exchange.h"

/* Makes the message for the origin of @url. On WEFT_OK *out_item is to be pushed, and the I/O
 * thread's from then on. Thread: any. */
enum weft_code wf_preconnect_new(const char *url, struct wf_item **out_item);
/* Does what it says, and frees it. Thread: I/O. */
void wf_preconnect_run(struct wf_io_thread *io, struct wf_item *item);
/* Thread: whoever has the item. */
void wf_preconnect_free(struct wf_item *item);

#endif
