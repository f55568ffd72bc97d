/* The server's side of TLS, on the client's transport: the buffers, records and errors are the
 * same; what differs is the context and who speaks first. ALPN offers h2 only. */
#ifndef SERVE_TLS_H
#define SERVE_TLS_H

#include "io_thread/tls.h"

#include <stdio.h>

struct serve_options;
struct serve_tls;

/* Loads the certificate and key that @options name, or makes them, and says on @err in one sentence
 * what went wrong (NULL). Thread: one, before the workers. */
WF_MUST_USE struct serve_tls *serve_tls_new(const struct serve_options *options, FILE *err);
/* After the last connection. NULL is a no-op. */
void serve_tls_free(struct serve_tls *tls);
/* A server's end over a connected socket. Takes ownership of @fd when it succeeds. NULL: no memory.
 * Thread: any; the transport is then its owner's. */
WF_MUST_USE struct wf_transport *serve_tls_accept(struct serve_tls *tls, struct wf_tls_io *io,
                                                  int fd);
/* close_notify, when the connection is to end but the client may close first. */
void serve_tls_goodbye(struct wf_transport *transport);

#endif
