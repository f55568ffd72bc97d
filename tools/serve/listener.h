/* The listening socket, which all workers share: each takes one connection per event, so that the
 * next one wakes another worker. */
#ifndef SERVE_LISTENER_H
#define SERVE_LISTENER_H

#include "io_thread/address.h"
#include "worker.h"

/* Binds and listens. 0, or an errno value (EINVAL: @address is no literal). @out_bound: where,
 * which says the port when @port is 0. */
WF_MUST_USE int serve_listen(const char *address, uint16_t port, int *out_fd,
                             struct wf_address *out_bound);
/* Starts and ends taking connections. Thread: the worker's, or before it runs. */
WF_MUST_USE int serve_listener_open(struct serve_worker *worker);
void serve_listener_close(struct serve_worker *worker);

#endif
