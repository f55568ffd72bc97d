/* What a transport says, in the terms of the public API. */
#ifndef WF_IO_THREAD_TRANSPORT_ERROR_H
#define WF_IO_THREAD_TRANSPORT_ERROR_H

#include "io_thread/transport.h"
#include "weft/error.h"

/* Fills @out_error for a connection to @origin ("https://host:port") that failed in @stage; effect
 * is WEFT_NOT_SENT, to be made worse for a stream that had begun. */
void wf_error_from_transport(struct weft_error *out_error, const struct wf_io_error *cause,
                             const char *origin, enum weft_stage stage);

#endif
